"""Hypotheses about single signed headers: what proxies are known to change in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Final

from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import HEADER
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

_UNSIGNED_INSTEAD: Final = "or let the client leave {} out of its signed headers"


def header_change(case: Case, name: str, value: bytes, right: bytes | str | None = None) -> Change:
    """Return the change of the header *name* of *case* to *value*."""
    return Change(
        pieces={HEADER + name: value},
        what=f"the header {name}",
        right=value if right is None else right,
        arrived=case.base[HEADER + name],
        header=name,
    )


def _known(names: Mapping[str, Iterable[bytes]]) -> Callable[[Case], Iterator[Change]]:
    """Return a proposal of known values for each of the headers *names*."""

    def propose(case: Case) -> Iterator[Change]:
        for name, values in names.items():
            if name in case.names:
                for value in values:
                    yield header_change(case, name, value)

    return propose


_ENCODINGS: Final = {
    "accept-encoding": (
        *(b"identity", b"gzip, deflate", b"gzip", b"gzip, deflate, br", b"gzip, br", b"*"),
        *(b"gzip, deflate, br, zstd", b"gzip,deflate", b"br, gzip", b"deflate, gzip", b"gzip,br"),
        *(b"identity;q=1, *;q=0", b"deflate, gzip, br, zstd", b"gzip;q=1.0,deflate;q=0.6", b""),
        *(b"br,gzip,deflate", b"amz-sdk-request", b"deflate", b"br", b"gzip;q=1"),
    )
}
_HOP_BY_HOP: Final = {
    "connection": (b"keep-alive", b"close", b"Keep-Alive", b"Upgrade", b"upgrade", b"TE", b""),
    "te": (b"trailers", b""),
    "expect": (b"100-continue", b"100-Continue"),
    "transfer-encoding": (b"chunked", b""),
    "keep-alive": (b"timeout=5", b"timeout=60", b""),
    "upgrade": (b"websocket", b"h2c", b""),
    "proxy-connection": (b"keep-alive", b"Keep-Alive", b"close"),
    "cache-control": (b"no-cache", b"max-age=0", b"no-store", b""),
    "pragma": (b"no-cache", b""),
    "accept": (b"*/*", b"application/json", b""),
    "x-forwarded-proto": (b"https", b"http"),
    "x-forwarded-port": (b"443", b"80"),
    "user-agent": (b"Amazon CloudFront", b""),
}


def _content_type(case: Case) -> Iterator[Change]:
    name = "content-type"
    if name not in case.names:
        return
    value = case.base[HEADER + name]
    kind, semicolon, rest = value.partition(b";")
    kind = kind.strip()
    spellings = [kind] if semicolon and b"boundary" not in rest else []
    for charset in (b"utf-8", b"UTF-8"):
        for glue in (b"; charset=", b";charset="):
            spellings.append(kind + glue + charset)
    spellings += [value.lower(), value.replace(b"; ", b";"), re.sub(rb";\s*", b"; ", value)]
    spellings += [re.sub(rb";\s*charset=[^;]*", b"", value), value.replace(b'"', b"")]
    spellings += [b"application/octet-stream", b"application/x-www-form-urlencoded"]
    spellings += [b"binary/octet-stream", b"application/json", b"text/plain", b""]
    for spelling in spellings:
        yield header_change(case, name, spelling)


def _content_length(case: Case) -> Iterator[Change]:
    name = "content-length"
    if name not in case.names:
        return
    decoded = case.header("x-amz-decoded-content-length")
    sizes = [b"0", b""] if decoded is None else [decoded, b"0", b""]
    if case.body is not None:
        sizes.append(str(len(case.body)).encode())
    for size in sizes:
        yield header_change(case, name, size)


def _hops(case: Case) -> Iterator[Change]:
    for name in ("x-forwarded-for", "via", "forwarded", "x-forwarded-host", "x-forwarded-proto"):
        if name in case.names:
            hops = case.base[HEADER + name].split(b",")
            for count in range(1, min(len(hops), 4)):
                yield header_change(case, name, b",".join(hops[:-count]).strip())
    trace = "x-amzn-trace-id"
    if trace in case.names:
        parts = case.base[HEADER + trace].split(b";")
        kept = [part for part in parts if not part.startswith(b"Self=")]
        roots = [part for part in parts if part.startswith(b"Root=")]
        for value in (kept, roots):
            yield header_change(case, trace, b";".join(value))


def _content_encoding(case: Case) -> Iterator[Change]:
    name = "content-encoding"
    if name not in case.names:
        return
    value = case.base[HEADER + name]
    rest = [c.strip() for c in value.split(b",") if c.strip() != b"aws-chunked"]
    for codings in (rest, [b"aws-chunked", *rest], [*rest, b"aws-chunked"]):
        yield header_change(case, name, b",".join(codings))
        yield header_change(case, name, b", ".join(codings))
    for known in (b"gzip", b"identity", b"utf-8"):
        yield header_change(case, name, known)


def _etag(case: Case) -> Iterator[Change]:
    for name in ("if-none-match", "if-match", "if-range", "etag"):
        if name in case.names:
            value = case.base[HEADER + name]
            yield header_change(case, name, value.replace(b"W/", b""))
            yield header_change(case, name, b"W/" + value)
            yield header_change(case, name, re.sub(rb'(?:-|;|--)(?:gzip|br)"', b'"', value))
            yield header_change(case, name, re.sub(rb'"$', b'-gzip"', value))
            # Apache's recipe against the tags of mod_deflate adds one without -gzip.
            yield header_change(case, name, value.partition(b", ")[0])


def _mend(name: str) -> str:
    small = name.lower()
    return (
        f"Let the proxy pass {name} on as it came: nginx: proxy_set_header {name} "
        f"$http_{small.replace('-', '_')}; Apache: no RequestHeader, Caddy: no header_up for it; "
        f"{_UNSIGNED_INSTEAD.format('it')}; or let the proxy keep a copy, and say "
        f"header_overrides={{'{small}': 'x-original-{small}'}}."
    )


HEADERS: Final = (
    Hypothesis(
        id="header-accept-encoding",
        title="A proxy or CDN changed Accept-Encoding",
        party="proxy",
        remedy=_mend("Accept-Encoding"),
        propose=_known(_ENCODINGS),
    ),
    Hypothesis(
        id="header-content-type",
        title="Something changed Content-Type: its charset, its capitals, a default",
        party="proxy",
        remedy=_mend("Content-Type"),
        propose=_content_type,
        rare=1,
    ),
    Hypothesis(
        id="header-content-length",
        title="Content-Length was signed with another value, or added later",
        party="client",
        remedy="Let the client leave Content-Length out of its signed headers.",
        propose=_content_length,
        rare=1,
    ),
    Hypothesis(
        id="header-hop",
        title="A proxy changed a header of its own: Connection, TE, Expect, Cache-Control, ...",
        party="proxy",
        remedy=(
            "Let the client leave headers out of its signed headers that belong to each hop "
            "(Connection, TE, Expect, Transfer-Encoding, Cache-Control, User-Agent, Accept)."
        ),
        propose=_known(_HOP_BY_HOP),
        rare=1,
    ),
    Hypothesis(
        id="header-forwarding",
        title="A proxy appended to X-Forwarded-For, Via, Forwarded or X-Amzn-Trace-Id",
        party="proxy",
        remedy=(
            "Let the client leave X-Forwarded-*, Via, Forwarded and X-Amzn-Trace-Id out of its "
            "signed headers: each proxy appends to them, or replaces them (Caddy)."
        ),
        propose=_hops,
    ),
    Hypothesis(
        id="header-content-encoding",
        title="Content-Encoding was signed with or without aws-chunked, or a proxy changed it",
        party="proxy",
        remedy=_mend("Content-Encoding"),
        propose=_content_encoding,
        rare=2,
    ),
    Hypothesis(
        id="header-etag",
        title="A proxy changed an entity tag in If-Match or If-None-Match (W/, -gzip)",
        party="proxy",
        remedy=_mend("If-None-Match"),
        propose=_etag,
        rare=2,
    ),
)
