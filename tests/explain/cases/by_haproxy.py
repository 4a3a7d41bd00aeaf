"""What a real HAProxy makes of requests that botocore signed."""

from __future__ import annotations

from tests.explain.cases.by_nginx import GET
from tests.explain.cases.case import Live
from tests.explain.cases.case import Way
from tests.explain.cases.case import case
from tests.explain.cases.fronts import HAPROXY
from tests.explain.cases.fronts import Front
from tests.explain.cases.senders import Send
from tests.explain.cases.senders import botocore
from tests.explain.cases.senders import signs_all


def through(send: Send, *lines: str, place: str = "plain") -> Way:
    """Return the way of what *send* sends through an HAProxy of these *lines*, or of none."""
    text = "\n".join(f"    {line}" for line in lines)
    return Way(send=send, front=Front(HAPROXY, text), place=place)


_SETS_HOST = "http-request set-header Host up"
_TELLS_HOST = "http-request set-header X-Forwarded-Host %[req.hdr(Host)]"
_STRIPS = r"http-request replace-path ^/api/(.*) /\1"
_OFFLOADS = ("compression algo gzip", "compression offload")
_DELETES = "http-request del-header Accept-Encoding"
_MERGES = "http-request normalize-uri path-merge-slashes"
_RESOLVES = "http-request normalize-uri path-strip-dot"
_DECODES = "http-request normalize-uri percent-decode-unreserved"
_CAPITALS = "http-request normalize-uri percent-to-uppercase"

_ENCODED = botocore(headers={"Accept-Encoding": "gzip, deflate"})
_CONNECTION = botocore(headers={"Connection": "keep-alive"}, signer=signs_all)
_HOPS = botocore(headers={"X-Forwarded-For": "198.51.100.3"})
_API = botocore("GET", "/api/items/%28x%29")
_TILDE = botocore("GET", "/items/%7Ex")
_EURO = botocore("GET", "/items/%e2%82%ac")
_EURO_QUERY = botocore("GET", "/items?a=%e2%82%ac")
_DOUBLED = botocore("GET", "/items//7", service="s3")
_DOTS = botocore("GET", "/items/./7", service="s3")

HAPROXY_CASES: tuple[Live, ...] = (
    case(
        "host-configured",
        f"HAProxy: `{_SETS_HOST}`; `hosts` names both",
        through(GET, _SETS_HOST, place="hosts and upstream"),
        ("no set-header Host", through(GET, place="hosts and upstream")),
    ),
    case(
        "host-forwarded",
        f"HAProxy: `{_TELLS_HOST}` and `{_SETS_HOST}`",
        through(GET, _TELLS_HOST, _SETS_HOST),
        ("no set-header Host", through(GET, _TELLS_HOST)),
        ("ProxyFix(x_host=1)", through(GET, _TELLS_HOST, _SETS_HOST, place="ProxyFix(x_host=1)")),
        (
            "header_overrides={'host': 'x-forwarded-host'}",
            through(GET, _TELLS_HOST, _SETS_HOST, place="host override"),
        ),
    ),
    case(
        "path-prefix-stripped",
        f"HAProxy: `{_STRIPS}`",
        through(_API, _STRIPS),
        ("path_prefix='/api'", through(_API, _STRIPS, place="path_prefix='/api'")),
    ),
    case(
        "path-decoded",
        f"HAProxy: `{_DECODES}`",
        through(_TILDE, _DECODES),
        ("no normalize-uri", through(_TILDE)),
    ),
    case(
        "path-escapes-case",
        f"HAProxy: `{_CAPITALS}`",
        through(_EURO, _CAPITALS),
        ("in upper case", through(botocore("GET", "/items/%E2%82%AC"), _CAPITALS)),
        ("no normalize-uri", through(_EURO)),
    ),
    case(
        "path-slashes-merged",
        f"HAProxy: `{_MERGES}`, and S3's `//`",
        through(_DOUBLED, _MERGES, place="s3"),
        ("no normalize-uri", through(_DOUBLED, place="s3")),
    ),
    case(
        "path-dots-removed",
        f"HAProxy: `{_RESOLVES}`, and S3's `/./`",
        through(_DOTS, _RESOLVES, place="s3"),
        ("no normalize-uri", through(_DOTS, place="s3")),
        ("without . and .. segments", through(botocore(service="s3"), _RESOLVES, place="s3")),
    ),
    case(
        "query-escapes-case",
        f"HAProxy: `{_CAPITALS}`, and the query",
        through(_EURO_QUERY, _CAPITALS),
        ("in upper case", through(botocore("GET", "/items?a=%E2%82%AC"), _CAPITALS)),
    ),
    case(
        "header-removed",
        "HAProxy: `compression offload` drops Accept-Encoding",
        through(_ENCODED, *_OFFLOADS),
        ("no compression offload", through(_ENCODED, _OFFLOADS[0])),
        ("out of its signed headers", through(GET, *_OFFLOADS)),
    ),
    case(
        "header-removed",
        f"HAProxy: `{_DELETES}`",
        through(_ENCODED, _DELETES),
        ("no del-header", through(_ENCODED)),
        ("out of its signed headers", through(GET, _DELETES)),
    ),
    case(
        "header-removed",
        "HAProxy drops `Connection: keep-alive`",
        through(_CONNECTION),
        ("out of its signed headers: Connection", through(GET)),
    ),
    case(
        "header-forwarding",
        "HAProxy: `option forwardfor` adds a second X-Forwarded-For",
        through(_HOPS, "option forwardfor"),
        ("signed headers", through(GET, "option forwardfor")),
    ),
)
