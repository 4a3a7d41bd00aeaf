"""Hypotheses about the query: clients sort and encode it otherwise, and others add to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.authorization import TOKEN_NAMES
from wsgi_sigv4.canonical import UNSIGNED_PARAMETER
from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

Pair = tuple[bytes, bytes]

_TOKENS: Final = frozenset(name.encode() for name in TOKEN_NAMES)
_TRACKING: Final = re.compile(
    rb"utm_.*|fbclid|gclid|msclkid|mc_[ce]id|_ga|_gl|_|cb|cachebuster|cache_?bust|nocache|no_cache"
    rb"|ts|t|timestamp|rnd|rand|random|v|ver|_method|ref|igshid|yclid|dclid",
    re.IGNORECASE,
)
_SAFE: Final = ("[]", ":", "/", ",", "/:", "@", "!'()*", "*", "$", "/:?@!$'()*,;[]", "/:@,;", "=")
_ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_MAX_DROPPED: Final = 48
#: Bytes of parameters that are written anew to leave out one of them.
_MAX_WRITTEN: Final = 256 * 1024


def _query(case: Case, query: bytes, right: bytes | str = b"") -> Change:
    return Change(
        pieces={"query": query},
        what="the query",
        right=right or query,
        arrived=case.request.query,
    )


def _signed_items(case: Case) -> list[bytes]:
    items = case.request.query.split(b"&")
    if not case.attempt.presigned:
        return items
    return [item for item in items if item.partition(b"=")[0] != UNSIGNED_PARAMETER]


def _encoded(pairs: Iterable[Pair]) -> list[Pair]:
    return [(uri_encode(name), uri_encode(value)) for name, value in pairs]


def _joined(pairs: Iterable[Pair]) -> bytes:
    return b"&".join([name + b"=" + value for name, value in pairs])


def _flags(pairs: Iterable[Pair], bare: Callable[[bytes], bool]) -> bytes:
    return b"&".join([n if not v and bare(n) else n + b"=" + v for n, v in pairs])


def _unsigned_token(case: Case) -> Iterator[Change]:
    pairs = [pair for pair in case.attempt.query if pair[0] not in _TOKENS]
    if len(pairs) < len(case.attempt.query):
        query = canonical_query_string(pairs, presigned=case.attempt.presigned)
        yield _query(case, query, "without its session token")


def _unsorted(case: Case) -> Iterator[Change]:
    pairs = case.encoded_pairs
    right = "in the order sent, not sorted"
    yield _query(case, _joined(pairs), right)
    if case.attempt.presigned:
        own = [pair for pair in pairs if not pair[0].startswith(b"X-Amz-")]
        amz = [pair for pair in pairs if pair[0].startswith(b"X-Amz-")]
        yield _query(case, _joined([*own, *sorted(amz)]), right)
        yield _query(case, _joined([*sorted(amz), *own]), right)


def _sorted_otherwise(case: Case) -> Iterator[Change]:
    pairs, encoded = case.signed_pairs, case.encoded_pairs
    right = "sorted in another way"
    yield _query(case, b"&".join(sorted(n + b"=" + v for n, v in encoded)), right)
    yield _query(case, _joined(sorted(encoded, key=lambda pair: pair[0])), right)
    yield _query(case, _joined(_encoded(sorted(pairs))), right)
    yield _query(case, _joined(_encoded(sorted(pairs, key=lambda pair: pair[0]))), right)
    yield _query(case, _joined(sorted(encoded, key=lambda p: (p[0].lower(), p[1]))), right)


def _without_equals(case: Case) -> Iterator[Change]:
    pairs = case.encoded_pairs
    items = set(case.request.query.split(b"&"))
    right = "without = after a name that has no value"
    for ordered in (sorted(pairs), pairs):
        yield _query(case, _flags(ordered, lambda name: name in items), right)
        yield _query(case, _flags(ordered, lambda name: True), right)


def _verbatim(case: Case) -> Iterator[Change]:
    items = _signed_items(case)
    full = [item for item in items if item]
    equals = [item if b"=" in item else item + b"=" for item in full]
    right = "as it stands on the wire, not encoded again"
    for ordered in (sorted(full), full, sorted(equals), equals, sorted(items), items):
        yield _query(case, b"&".join(ordered), right)
    by_pair = [item.partition(b"=") for item in equals]
    yield _query(case, b"&".join(b"".join(item) for item in sorted(by_pair)), right)


def _empty_items(case: Case) -> Iterator[Change]:
    items = [item.partition(b"=") for item in _signed_items(case)]
    right = "with an empty parameter for each doubled &"
    pairs = sorted((name, value) for name, _, value in items)
    yield _query(case, _joined(pairs), right)
    yield _query(case, b"&".join(sorted(n + e + v for n, e, v in items)), right)


def _plus(case: Case) -> Iterator[Change]:
    base, presigned = case.base["query"], case.attempt.presigned
    right = "with another reading of + and %20"
    pairs = [(n.replace(b" ", b"+"), v.replace(b" ", b"+")) for n, v in case.attempt.query]
    # Only those that were sent as a plus: others are spaces indeed.
    mixed = [
        pair if b"%20" in item else plus
        for item, pair, plus in zip(_full_items(case), case.attempt.query, pairs, strict=True)
    ]
    yield _query(case, canonical_query_string(mixed, presigned=presigned), right)
    yield _query(case, canonical_query_string(pairs, presigned=presigned), right)
    yield _query(case, base.replace(b"%20", b"+"), right)
    yield _query(case, base.replace(b"%2B", b"%20"), right)
    yield _query(case, base.replace(b"%2B", b"+"), right)


def _full_items(case: Case) -> list[bytes]:
    return [item for item in case.request.query.split(b"&") if item]


def _escapes(case: Case) -> Iterator[Change]:
    right = "with its escapes in small letters"
    yield _query(case, _ESCAPE.sub(lambda match: match[0].lower(), case.base["query"]), right)
    lowered = [_ESCAPE.sub(lambda m: m[0].lower(), item) for item in _signed_items(case) if item]
    yield _query(case, b"&".join(sorted(lowered)), right)


def _safe(case: Case) -> Iterator[Change]:
    queries = case.base["query"], _joined(case.encoded_pairs)
    for safe in _SAFE:
        for query in queries:
            for character in safe.encode():
                query = query.replace(b"%%%02X" % character, b"%c" % character)
            yield _query(case, query)
    yield _query(case, case.base["query"].replace(b"~", b"%7E"))


def _encoded_twice(case: Case) -> Iterator[Change]:
    encoded = case.encoded_pairs
    yield _query(case, _joined(sorted(_encoded(encoded))), "encoded twice")
    values = [(name, uri_encode(value)) for name, value in encoded]
    yield _query(case, _joined(sorted(values)), "encoded twice")


def _one_value(case: Case) -> Iterator[Change]:
    pairs = case.signed_pairs
    first = dict(reversed(pairs))
    names = [(name.removesuffix(b"[]"), value) for name, value in pairs]
    right = "with one value of each name only"
    for kept in (first, dict(pairs), dict(reversed(names)), dict(sorted(pairs, reverse=True))):
        yield _query(case, _joined(sorted(_encoded(kept.items()))), right)
    yield _query(case, _joined(sorted(set(case.encoded_pairs))), right)


def _empty_dropped(case: Case) -> Iterator[Change]:
    pairs = [pair for pair in case.encoded_pairs if pair[1]]
    yield _query(case, _joined(sorted(pairs)), "without its empty parameters")


def _added(case: Case) -> Iterator[Change]:
    names = list(dict.fromkeys(name for name, _ in case.encoded_pairs))
    tracking = [name for name in names if _TRACKING.fullmatch(name)]
    yield _without(case, tracking)
    own = [name for name in reversed(names) if not name.startswith(b"X-Amz-")]
    most = min(_MAX_DROPPED, _MAX_WRITTEN // (len(case.request.query) + 1))
    for name in list(dict.fromkeys([*tracking, *own]))[:most]:
        yield _without(case, [name])


def _without(case: Case, dropped: list[bytes]) -> Change:
    kept = [pair for pair in case.encoded_pairs if pair[0] not in dropped]
    names = b", ".join(dropped).decode("ascii")
    return _query(case, _joined(sorted(kept)), f"without the parameter `{names[:100]}`")


def _unsigned(case: Case) -> Iterator[Change]:
    kept = [p for p in case.signed_pairs if case.attempt.presigned and p[0].startswith(b"X-Amz-")]
    yield _query(case, _joined(sorted(_encoded(kept))), "left out")


_SORT: Final = "Let the client sort the parameters by name and value after it has encoded them"

QUERIES: Final = (
    Hypothesis(
        id="token-unsigned",
        title="The session token was appended to the query after it had been signed",
        party="client",
        remedy=(
            "Let the client sign X-Amz-Security-Token with the other parameters, or accept it "
            "unsigned: allow_unsigned_session_token=True."
        ),
        propose=_unsigned_token,
    ),
    Hypothesis(
        id="query-unsorted",
        title="The query was signed in the order sent (curl 7.88)",
        party="client",
        remedy=f"{_SORT}; curl 7.88 does not: update it, or sort them in the URL.",
        propose=_unsorted,
    ),
    Hypothesis(
        id="query-flag",
        title="A parameter without a value was signed without = (curl 7.88)",
        party="client",
        remedy="Write name= in the URL: a parameter without a value is signed with its =.",
        propose=_without_equals,
    ),
    Hypothesis(
        id="query-sorting",
        title="The query was sorted otherwise than by encoded name, then value",
        party="client",
        remedy=f"{_SORT}.",
        propose=_sorted_otherwise,
        rare=2,
    ),
    Hypothesis(
        id="query-verbatim",
        title="The query was signed as it stands on the wire (botocore on a raw URL, curl 7.88)",
        party="client",
        remedy=(
            "Let the client encode the query before it signs (botocore: pass params, not a URL that"
            " holds them; curl: update it): only letters, digits, - . _ ~ stay as they are."
        ),
        propose=_verbatim,
        rare=1,
    ),
    Hypothesis(
        id="query-plus",
        title="+, %2B and %20 in the query were taken for one another",
        party="client",
        remedy=(
            "Write %20 for a space and %2B for a plus in the query, in the client and in whatever "
            "rewrites it: + is a space there, and signed as %20."
        ),
        propose=_plus,
    ),
    Hypothesis(
        id="query-empty-items",
        title="Empty items of the query (&&) were signed as parameters",
        party="client",
        remedy="Take doubled and outer & out of the URL.",
        propose=_empty_items,
        rare=4,
    ),
    Hypothesis(
        id="query-empty-values",
        title="Parameters without a value were not signed, or dropped before signing",
        party="client",
        remedy="Let the client sign name= for a parameter without a value, or leave it out.",
        propose=_empty_dropped,
        rare=2,
    ),
    Hypothesis(
        id="query-escapes-case",
        title="The query was signed with its escapes in small letters (%e2 against %E2)",
        party="client",
        remedy="Let the client write escapes in capitals (%E2) before it signs.",
        propose=_escapes,
        rare=2,
    ),
    Hypothesis(
        id="query-repeated",
        title="Only one value of a repeated parameter was signed (aws4 for S3)",
        party="client",
        remedy="Send each parameter once, or let the client sign all of its values.",
        propose=_one_value,
        rare=2,
    ),
    Hypothesis(
        id="query-encoding",
        title="Characters of the query were signed raw and encoded later ([ ] by urllib3), or so",
        party="client",
        remedy=(
            "Let the client encode all but letters, digits, - . _ ~ in the query before it signs; "
            "an HTTP library or proxy that encodes them later breaks the signature."
        ),
        propose=_safe,
        rare=2,
    ),
    Hypothesis(
        id="query-encoded-twice",
        title="The query was encoded twice before it was signed",
        party="client",
        remedy=(
            "Let the client encode the query once: hand its signer decoded parameters, or an "
            "encoded URL."
        ),
        propose=_encoded_twice,
        rare=2,
    ),
    Hypothesis(
        id="query-added",
        title="Something added a parameter after signing: tracking, a cache buster, a redirect",
        party="proxy",
        remedy=(
            "Take out what adds parameters on the way (nginx: set $args, rewrite ... ?name=value; "
            "a CDN's or mailer's tracking), or let the client send and sign the parameter itself."
        ),
        propose=_added,
        rare=1,
    ),
    Hypothesis(
        id="query-left-out",
        title="The client did not sign the query at all",
        party="client",
        remedy="Let the client sign the query that it sends: hand its signer the URL with it.",
        propose=_unsigned,
        rare=1,
    ),
)
