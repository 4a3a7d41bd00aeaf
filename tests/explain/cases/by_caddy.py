"""What a real Caddy makes of requests that botocore signed."""

from __future__ import annotations

from tests.explain.cases.by_nginx import GET
from tests.explain.cases.case import NOTHING
from tests.explain.cases.case import Live
from tests.explain.cases.case import Way
from tests.explain.cases.case import case
from tests.explain.cases.fronts import CADDY
from tests.explain.cases.fronts import Front
from tests.explain.cases.senders import Send
from tests.explain.cases.senders import botocore
from tests.explain.cases.senders import signs_all

#: As deployment.md of the documentation has it.
SOUND = "reverse_proxy 127.0.0.1:8000"


def through(send: Send, *lines: str, place: str = "plain") -> Way:
    """Return the way of what *send* sends through a Caddy of these *lines*."""
    text = "\n".join(f"    {line}" for line in lines)
    return Way(send=send, front=Front(CADDY, text), place=place)


def sound(send: Send, place: str = "plain") -> Way:
    """Return the way through a Caddy that passes on what it gets."""
    return through(send, SOUND, place=place)


def sending_up(send: Send, line: str, place: str = "plain") -> Way:
    """Return the way through a Caddy with a *line* in the braces of reverse_proxy."""
    return through(send, f"{SOUND} {{", f"    {line}", "}", place=place)


_HOSTPORT = "header_up Host {upstream_hostport}"
_PORTLESS = "header_up Host {host}"
_CODED = "header_up Accept-Encoding identity"
_STRIPS = ("handle_path /api/* {", f"    {SOUND}", "}")
_STRIPS_TOO = ("uri strip_prefix /api", SOUND)

_API = botocore("GET", "/api/items/%28x%29")
_BRACES = botocore("GET", "/items/{x}%20y")
_DOUBLED = botocore("GET", "/items//7", service="s3")
_ENCODED = botocore(headers={"Accept-Encoding": "gzip, deflate"})
_CONNECTION = botocore(headers={"Connection": "keep-alive"}, signer=signs_all)
_HOPS = botocore(headers={"X-Forwarded-For": "198.51.100.3"})
_PROTO = botocore(headers={"X-Forwarded-Proto": "https"})

CADDY_CASES: tuple[Live, ...] = (
    case(
        "host-forwarded",
        f"Caddy: `{_HOSTPORT}`",
        sending_up(GET, _HOSTPORT),
        ("no header_up Host", sound(GET)),
        ("ProxyFix(x_host=1)", sending_up(GET, _HOSTPORT, "ProxyFix(x_host=1)")),
        (
            "header_overrides={'host': 'x-forwarded-host'}",
            sending_up(GET, _HOSTPORT, "host override"),
        ),
    ),
    case(
        "host-forwarded",
        f"Caddy: `{_PORTLESS}` has no port",
        sending_up(GET, _PORTLESS),
        ("no header_up Host", sound(GET)),
    ),
    case(
        "path-prefix-stripped",
        "Caddy: `handle_path /api/*`",
        through(_API, *_STRIPS),
        ("path_prefix='/api'", through(_API, *_STRIPS, place="path_prefix='/api'")),
    ),
    case(
        "path-prefix-added",
        "Caddy: `rewrite * /backend{uri}`",
        through(GET, "rewrite * /backend{uri}", SOUND),
        ("no rewrite", sound(GET)),
    ),
    case(
        "path-prefix-decoded",
        "Caddy: `handle_path /api/*` encodes the parentheses of `/api/items/(x)`",
        through(botocore("GET", "/api/items/(x)"), *_STRIPS),
        ("Let the proxy keep the prefix", sound(botocore("GET", "/api/items/(x)"))),
    ),
    case(
        "path-encoded",
        "Caddy encodes braces",
        sound(_BRACES),
        ("encode it before it signs", sound(botocore("GET", "/items/%7Bx%7D%20y"))),
    ),
    case(
        "path-slashes-merged",
        "Caddy: `uri strip_prefix /api` merges S3's `//` on any path",
        through(_DOUBLED, *_STRIPS_TOO, place="s3"),
        ("no uri strip_prefix", sound(_DOUBLED, "s3")),
    ),
    case(
        "header-accept-encoding",
        f"Caddy: `{_CODED}`",
        sending_up(_ENCODED, _CODED),
        ("no header_up", sound(_ENCODED)),
        ("out of its signed headers", sending_up(GET, _CODED)),
    ),
    case(
        "header-removed",
        "Caddy drops `Connection: keep-alive`",
        sound(_CONNECTION),
        ("out of its signed headers: Connection", sound(GET)),
    ),
    case(
        "header-hop",
        "Caddy replaces X-Forwarded-Proto with its own",
        sound(_PROTO),
        ("out of its signed headers", sound(GET)),
    ),
    case(
        NOTHING,
        "Caddy replaces a signed X-Forwarded-For, and what was signed is lost",
        sound(_HOPS),
    ),
)
