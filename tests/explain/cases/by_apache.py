"""What a real Apache makes of requests that botocore signed."""

from __future__ import annotations

import gzip

from tests.explain.cases.by_nginx import GET
from tests.explain.cases.case import TWO
from tests.explain.cases.case import Live
from tests.explain.cases.case import Way
from tests.explain.cases.case import case
from tests.explain.cases.fronts import APACHE
from tests.explain.cases.fronts import Front
from tests.explain.cases.senders import Send
from tests.explain.cases.senders import botocore
from tests.explain.cases.senders import signs_all

#: As deployment.md of the documentation has it.
SOUND = """\
ProxyPreserveHost On
AllowEncodedSlashes NoDecode
ProxyPass / http://127.0.0.1:8000/ nocanon
"""


def through(send: Send, *lines: str, place: str = "plain") -> Way:
    """Return the way of what *send* sends through an Apache of these *lines*."""
    return Way(send=send, front=Front(APACHE, "\n".join(lines)), place=place)


def sound(send: Send, *lines: str, place: str = "plain") -> Way:
    """Return the way through an Apache that is set up rightly, but for the *lines* beside that."""
    return through(send, *SOUND.splitlines(), *lines, place=place)


_PASS = "ProxyPass / http://127.0.0.1:8000/"
_KEEPS_HOST = "ProxyPreserveHost On"
_NO_DECODE = "AllowEncodedSlashes NoDecode"
_STRIPS = (_KEEPS_HOST, "ProxyPass /api/ http://127.0.0.1:8000/")

_ROUND = botocore("GET", "/items/%28x%29")
_SLASH = botocore("GET", "/items/a%2Fb")
_EURO = botocore("GET", "/items/%e2%82%ac")
_DOUBLED = botocore("GET", "/items//7", service="s3")
_DOTS = botocore("GET", "/items/./7", service="s3")
_API = botocore("GET", "/api/items/7")
_API_ROUND = botocore("GET", "/api/items/%28x%29")
_ENCODED = botocore(headers={"Accept-Encoding": "gzip, deflate"})
_CONNECTION = botocore(headers={"Connection": "keep-alive"}, signer=signs_all)
_KEEP_ALIVE = botocore(headers={"Keep-Alive": "timeout=5"}, signer=signs_all)
_HOPS = botocore(headers={"X-Forwarded-For": "198.51.100.3"})
_TWICE = botocore(headers=[("X-Note", "a"), ("X-Note", "b")])
_TAGGED = botocore(headers={"If-None-Match": '"abc-gzip"'})
_RETAGS = """RequestHeader edit If-None-Match '^"((.*)-gzip)"$' '"$1", "$2"'"""
_PACKED = botocore(
    "PUT",
    "/b/k",
    headers={"Content-Encoding": "gzip"},
    body=gzip.compress(b"hello", mtime=0),
    service="s3",
)

APACHE_CASES: tuple[Live, ...] = (
    case(
        "host-forwarded",
        "Apache: `ProxyPass` without `ProxyPreserveHost`; no `hosts`",
        through(GET, _PASS),
        ("ProxyPreserveHost On", sound(GET)),
        ("ProxyFix(x_host=1)", through(GET, _PASS, place="ProxyFix(x_host=1)")),
        (
            "header_overrides={'host': 'x-forwarded-host'}",
            through(GET, _PASS, place="host override"),
        ),
    ),
    case(
        "host-forwarded",
        "Apache: `ProxyPass` without `ProxyPreserveHost`; `hosts` names the public one",
        through(GET, _PASS, place="hosts"),
        ("ProxyPreserveHost On", sound(GET, place="hosts")),
        ("ProxyFix(x_host=1)", through(GET, _PASS, place="hosts, ProxyFix(x_host=1)")),
    ),
    case(
        TWO[1],
        "Apache: `ProxyPass` alone sends `%28` decoded, and its upstream for a Host",
        through(_ROUND, _PASS),
        ("ProxyPreserveHost On", sound(_ROUND)),
        ("nocanon", through(_ROUND, _KEEPS_HOST, f"{_PASS} nocanon")),
    ),
    case(
        "path-decoded",
        "Apache: `ProxyPass` without `nocanon` sends `%28` decoded",
        through(_ROUND, _KEEPS_HOST, _PASS),
        ("nocanon", through(_ROUND, _KEEPS_HOST, f"{_PASS} nocanon")),
    ),
    case(
        "path-decoded",
        "Apache: `AllowEncodedSlashes On`, and `ProxyPass` without `nocanon`, sends `%2F` decoded",
        through(_SLASH, "AllowEncodedSlashes On", _KEEPS_HOST, _PASS),
        ("AllowEncodedSlashes NoDecode and ProxyPass ... nocanon", sound(_SLASH)),
    ),
    case(
        "path-decoded",
        "Apache: `RewriteRule ^/(.*)$ http://127.0.0.1:8000/$1 [P]` sends `%28` decoded",
        through(
            _ROUND,
            _KEEPS_HOST,
            "RewriteEngine On",
            "RewriteRule ^/(.*)$ http://127.0.0.1:8000/$1 [P]",
        ),
        ("ProxyPass ... nocanon", sound(_ROUND)),
    ),
    case(
        "path-encoded",
        "Apache: `ProxyPass` without `nocanon` encodes braces",
        through(botocore("GET", "/items/{x}%20y"), _KEEPS_HOST, _PASS),
        ("nocanon", sound(botocore("GET", "/items/{x}%20y"))),
        (
            "encode it before it signs",
            through(botocore("GET", "/items/%7Bx%7D%20y"), _KEEPS_HOST, _PASS),
        ),
    ),
    case(
        "path-escapes-case",
        "Apache: `ProxyPass` without `nocanon` writes `%e2` as `%E2`",
        through(_EURO, _KEEPS_HOST, _PASS),
        ("in upper case", through(botocore("GET", "/items/%E2%82%AC"), _KEEPS_HOST, _PASS)),
        ("nocanon", sound(_EURO)),
    ),
    case(
        "path-slashes-merged",
        "Apache: `ProxyPass` without `nocanon`, and S3's `//`",
        through(_DOUBLED, _KEEPS_HOST, _PASS, place="s3"),
        ("nocanon", sound(_DOUBLED, place="s3")),
        ("MergeSlashes Off", through(_DOUBLED, "MergeSlashes Off", _KEEPS_HOST, _PASS, place="s3")),
    ),
    case(
        "path-dots-removed",
        "Apache: `ProxyPass` without `nocanon`, and S3's `/./`",
        through(_DOTS, _KEEPS_HOST, _PASS, place="s3"),
        ("nocanon", sound(_DOTS, place="s3")),
    ),
    case(
        "path-prefix-stripped",
        "Apache: `ProxyPass /api/ http://127.0.0.1:8000/`",
        through(_API, *_STRIPS),
        ("path_prefix='/api'", through(_API, *_STRIPS, place="path_prefix='/api'")),
        (
            "ProxyFix(x_prefix=1)",
            through(
                _API,
                *_STRIPS,
                "RequestHeader set X-Forwarded-Prefix /api",
                place="ProxyFix(x_prefix=1)",
            ),
        ),
    ),
    case(
        "path-prefix-added",
        "Apache: `ProxyPass / http://127.0.0.1:8000/backend/`",
        through(GET, _KEEPS_HOST, "ProxyPass / http://127.0.0.1:8000/backend/"),
        ("ProxyPass / http://upstream/", through(GET, _KEEPS_HOST, _PASS)),
    ),
    case(
        "path-prefix-decoded",
        "Apache: `ProxyPass /api/ http://127.0.0.1:8000/` without `nocanon` sends `%28` decoded",
        through(_API_ROUND, *_STRIPS),
        ("nocanon", sound(_API_ROUND)),
        (
            "path_prefix='/api'",
            through(
                _API_ROUND,
                _KEEPS_HOST,
                "ProxyPass /api/ http://127.0.0.1:8000/ nocanon",
                place="path_prefix='/api'",
            ),
        ),
    ),
    case(
        "header-etag",
        f"Apache: `{_RETAGS}`, a recipe against the tags of mod_deflate",
        sound(_TAGGED, _RETAGS),
        ("no RequestHeader", sound(_TAGGED)),
        ("out of its signed headers", sound(GET, _RETAGS)),
    ),
    case(
        "header-accept-encoding",
        "Apache: `RequestHeader set Accept-Encoding identity`",
        sound(_ENCODED, "RequestHeader set Accept-Encoding identity"),
        ("no RequestHeader", sound(_ENCODED)),
        ("out of its signed headers", sound(GET, "RequestHeader set Accept-Encoding identity")),
    ),
    case(
        "header-removed",
        "Apache: `RequestHeader unset Accept-Encoding`",
        sound(_ENCODED, "RequestHeader unset Accept-Encoding"),
        ("no RequestHeader unset", sound(_ENCODED)),
        ("out of its signed headers", sound(GET, "RequestHeader unset Accept-Encoding")),
    ),
    case(
        "header-removed",
        "Apache drops `Keep-Alive`",
        sound(_KEEP_ALIVE),
        ("out of its signed headers: Connection, Keep-Alive", sound(GET)),
    ),
    case(
        "header-hop",
        "Apache says `Connection: Keep-Alive` for itself; the client signed keep-alive",
        sound(_CONNECTION),
        ("out of its signed headers", sound(GET)),
    ),
    case(
        "header-forwarding",
        "Apache appends to X-Forwarded-For",
        sound(_HOPS),
        ("signed headers", sound(GET)),
    ),
    case(
        "header-joined",
        "Apache joins a repeated header with a comma and a blank",
        sound(_TWICE),
        ("Send each header once", sound(botocore(headers={"X-Note": "a"}))),
    ),
    case(
        "not-signed",
        "Apache: `RequestHeader unset Authorization`",
        sound(GET, "RequestHeader unset Authorization"),
        ("RequestHeader unset", sound(GET)),
    ),
    case(
        "body-changed",
        "Apache: `SetInputFilter DEFLATE` unpacks a gzip body",
        sound(_PACKED, "SetInputFilter DEFLATE", place="s3"),
        ("SetInputFilter", sound(_PACKED, place="s3")),
    ),
)
