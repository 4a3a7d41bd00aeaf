"""Hypotheses about the path as it was sent: what proxies and client libraries do to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import quote

from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.encoding import has_malformed_escape
from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.request import parse_query

_ORIGINAL_TARGETS: Final = (
    *("x-original-uri", "x-forwarded-uri", "x-rewrite-url", "x-original-url"),
    *("x-envoy-original-path", "x-forwarded-path", "x-waws-unencoded-url", "x-request-uri"),
)
_PREFIX_HEADERS: Final = ("x-forwarded-prefix", "x-script-name", "x-ingress-path")
#: Where gateways and frameworks are mounted most often.
_COMMON_PREFIXES: Final = (
    *(b"/api", b"/prod", b"/v1", b"/dev", b"/stage", b"/staging", b"/test", b"/v2"),
    *(b"/default", b"/app", b"/s3", b"/rest", b"/api/v1", b"/service", b"/internal"),
)
#: Which punctuation stays as it is: that of RFC 3986, of encodeURI, and of some libraries; and
#: what curl and botocore send as it is, but nginx since 1.21.1 encodes.
_SAFE: Final = (
    "/~!$&'()*+,;=:@",
    "/~!'()*",
    "/~:@",
    "/~+",
    "/~!$&'()*+,;=",
    "/~,",
    "/~=",
    "/~()",
    "/~!$&'()*+,;=:@\"<>[\\]^`{|}",
)
_MAX_PLACES: Final = 16
#: Bytes of paths that are written anew to change one place of it.
_MAX_WRITTEN: Final = 64 * 1024
_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_NGINX: Final = "nginx: proxy_pass http://upstream; without a URI part"
_AS_SENT: Final = f"{_NGINX}; Apache: ProxyPass ... nocanon"


def _path(case: Case, path: bytes, *, remedy: str = "") -> Change:
    return _uri(case, case.uri(path), right=path, remedy=remedy)


def _uri(case: Case, uri: bytes, *, right: bytes | str, remedy: str = "") -> Change:
    return Change(
        pieces={"uri": uri},
        what="the path",
        right=right,
        arrived=case.request.path,
        remedy=remedy,
    )


def _forwarded(case: Case) -> Iterator[Change]:
    for header in _ORIGINAL_TARGETS:
        target = case.header(header)
        if target is None:
            continue
        _, scheme, rest = target.partition(b"://")
        if scheme:
            target = b"/" + rest.partition(b"/")[2]
        path, _, query = target.partition(b"?")
        if not path.startswith(b"/"):
            continue
        yield _path(case, path)
        try:
            signed = canonical_query_string(parse_query(query), presigned=case.attempt.presigned)
        except MalformedQuery:
            continue
        for pieces in ({"query": signed}, {"query": signed, "uri": case.uri(path)}):
            arrived = case.request.path + b"?" + case.request.query
            yield Change(pieces=pieces, what="the path and query", right=target, arrived=arrived)


def _prefixes(case: Case) -> Iterator[bytes]:
    told = [case.header(name) or b"" for name in _PREFIX_HEADERS]
    for prefix in (*told, *_COMMON_PREFIXES):
        prefix = b"/" + prefix.strip(b"/")
        if prefix != b"/":
            yield prefix


def _stripped_prefix(case: Case) -> Iterator[Change]:
    rest = case.request.path
    for prefix in _prefixes(case):
        remedy = (
            f"Tell the verifier's skin the prefix that the proxy strips: "
            f"path_prefix='{shown(prefix)}'; or let "
            f"ProxyFix(x_prefix=1) read X-Forwarded-Prefix."
        )
        yield _path(case, prefix + rest, remedy=remedy)
        if rest == b"/":
            yield _path(case, prefix, remedy=remedy)


def _stripped_and_spelt(case: Case) -> Iterator[Change]:
    path = case.request.path
    decoded = percent_decode(path)
    spellings = dict.fromkeys((uri_encode(decoded, keep_slash=True), *_spellings(decoded)))
    spellings.pop(path, None)
    most = _MAX_WRITTEN // len(path)
    proposed = ((prefix, rest) for rest in spellings for prefix in _prefixes(case))
    for prefix, rest in islice(proposed, most):
        yield _path(case, prefix + rest, remedy=_unprefixed(shown(prefix)))


def _unprefixed(prefix: str) -> str:
    return (
        f"Let the proxy keep the prefix and pass the path on as it was sent ({_AS_SENT}), and "
        "mount the application there. Or let the proxy take the prefix off and leave the rest as "
        "it is (Apache: ProxyPass ... nocanon; HAProxy: replace-path; nginx cannot), and name it: "
        f"path_prefix='{prefix}'."
    )


def _added_prefix(case: Case) -> Iterator[Change]:
    segments = case.request.path.split(b"/")[1:]
    for count in range(1, min(len(segments), 5)):
        yield _path(case, b"/" + b"/".join(segments[count:]))


def _end(case: Case) -> Iterator[Change]:
    path = case.request.path
    if path.endswith(b"/") and path != b"/":
        yield _path(case, path.rstrip(b"/"))
    else:
        yield _path(case, path + b"/")
    for index in (b"index.html", b"index.php", b"index"):
        if path.endswith(b"/" + index):
            yield _path(case, path.removesuffix(index))


def _decoded_by_proxy(case: Case) -> Iterator[Change]:
    path = case.request.path
    decoded = percent_decode(path)
    yield _path(case, uri_encode(decoded, keep_slash=True))
    yield _path(case, path.replace(b"%", b"%25"))
    yield _path(case, uri_encode(decoded, keep_slash=True).replace(b"~", b"%7E"))
    for spelt in _spellings(decoded):
        if len(spelt) > len(path):
            yield _path(case, spelt)
    # An encoded slash is one slash more now, and nobody can say which.
    for at in _slashes(path):
        yield _path(case, path[:at] + b"%2F" + path[at + 1 :])


def _spellings(decoded: bytes) -> list[bytes]:
    return [quote(decoded, safe=safe).encode() for safe in _SAFE]


def _encoded_by_proxy(case: Case) -> Iterator[Change]:
    path = case.request.path
    decoded = percent_decode(path)
    for spelt in _spellings(decoded):
        if len(spelt) < len(path):
            yield _path(case, spelt)
    if not has_malformed_escape(decoded):
        yield _path(case, decoded)


def _slashes(path: bytes) -> list[int]:
    most = min(_MAX_PLACES, _MAX_WRITTEN // len(path))
    return [at for at, byte in enumerate(path) if byte == 0x2F][1 : most + 1]


def _escapes(case: Case) -> Iterator[Change]:
    path = case.request.path
    for spell in (bytes.lower, bytes.upper):
        spelt = _respelt(path, spell)
        yield _path(case, spelt)
        yield _uri(case, _respelt(case.base["uri"], spell), right=spelt)


def _respelt(path: bytes, spell: Callable[[bytes], bytes]) -> bytes:
    return _ESCAPE.sub(lambda match: spell(match[0]), path)


def _merged(case: Case) -> Iterator[Change]:
    path = case.request.path
    # Where paths are normalised, neither this nor the next makes a difference.
    if case.attempt.profile.normalize_path:
        return
    for at in (0, *_slashes(path)):
        yield _path(case, path[:at] + b"/" + path[at:])


def _resolved(case: Case) -> Iterator[Change]:
    path = case.request.path
    if case.attempt.profile.normalize_path:
        return
    places = (0, *_slashes(path))
    for at in places:
        yield _path(case, path[:at] + b"/." + path[at:])
    for at, after in zip(places, (*places[1:], len(path)), strict=False):
        yield _path(case, path[:at] + path[at:after] + b"/.." + path[at:])
    for at in places:
        yield _path(case, path[:at] + b"/../" + path[at + 1 :])
        for name in (b"a", b"x", b"b", b"y", b"foo"):
            yield _path(case, path[:at] + b"/" + name + b"/.." + path[at:])


PATHS: Final = (
    Hypothesis(
        id="path-forwarded",
        title="A proxy rewrote the path and kept the original in X-Original-URI or alike",
        party="proxy",
        remedy=(
            f"Let the proxy pass the path on unchanged ({_AS_SENT}), and mount the application "
            "where the client asks for it."
        ),
        propose=_forwarded,
    ),
    Hypothesis(
        id="path-prefix-stripped",
        title="A proxy or gateway stripped a prefix or stage from the path",
        party="proxy",
        remedy="Name the prefix in path_prefix, or let ProxyFix(x_prefix=1) read it.",
        propose=_stripped_prefix,
    ),
    Hypothesis(
        id="path-prefix-decoded",
        title="A proxy stripped a prefix from the path, and decoded or encoded the rest",
        party="proxy",
        remedy=_unprefixed("/PREFIX"),
        propose=_stripped_and_spelt,
        rare=8,
    ),
    Hypothesis(
        id="path-prefix-added",
        title="A proxy put a prefix before the path",
        party="proxy",
        remedy=(
            f"Let the proxy add nothing ({_NGINX}; Apache: ProxyPass / http://upstream/; Caddy: no "
            "rewrite), or give the client the whole URL."
        ),
        propose=_added_prefix,
    ),
    Hypothesis(
        id="path-end",
        title="The slash or index page at the end of the path was added or removed",
        party="proxy",
        remedy=(
            "Ask for the path that is served, or take the rewriting out (nginx: rewrite, index, "
            "try_files; Apache: DirectorySlash; Django: APPEND_SLASH)."
        ),
        propose=_end,
        rare=1,
    ),
    Hypothesis(
        id="path-decoded",
        title="A proxy decoded escapes of the path, all or some (%28, %2B, %2F, %25)",
        party="proxy",
        remedy=(
            f"Let the proxy pass the path on as it was sent: {_NGINX}; Apache: "
            "AllowEncodedSlashes NoDecode and ProxyPass ... nocanon; HAProxy: no normalize-uri."
        ),
        propose=_decoded_by_proxy,
    ),
    Hypothesis(
        id="path-encoded",
        title="A proxy or library encoded characters of the path after they had been signed",
        party="proxy",
        remedy=(
            f"Let the proxy pass the path on as it was sent ({_AS_SENT}), or let the client "
            "encode it before it signs."
        ),
        propose=_encoded_by_proxy,
        rare=1,
    ),
    Hypothesis(
        id="path-escapes-case",
        title="The path was signed with its escapes in other capitals (%e2 against %E2)",
        party="client",
        remedy=(
            "Let the client write escapes in capitals (%E2) before it signs: urllib3 and proxies "
            f"write them so (as they came they go on with {_AS_SENT}; HAProxy: no normalize-uri)."
        ),
        propose=_escapes,
        rare=2,
    ),
    Hypothesis(
        id="path-slashes-merged",
        title="A proxy merged doubled slashes of the path",
        party="proxy",
        remedy=(
            f"Let the proxy pass the path on as it was sent: {_NGINX}, or merge_slashes off; in "
            "the server block. Apache: ProxyPass ... nocanon, or MergeSlashes Off. HAProxy: no "
            "normalize-uri. Caddy: no uri strip_prefix, no handle_path."
        ),
        propose=_merged,
        rare=4,
    ),
    Hypothesis(
        id="path-dots-removed",
        title="A library or proxy removed dot segments from the path after it had been signed",
        party="client",
        remedy=(
            "Ask for a path without . and .. segments: HTTP libraries resolve them unasked, and "
            f"proxies too (not so: {_AS_SENT}; HAProxy: no normalize-uri)."
        ),
        propose=_resolved,
        rare=12,
    ),
)
