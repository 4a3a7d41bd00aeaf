"""What a real nginx makes of requests that botocore signed: methods, headers and bodies."""

from __future__ import annotations

from tests.explain.cases.by_nginx import GET
from tests.explain.cases.by_nginx import location
from tests.explain.cases.by_nginx import sound
from tests.explain.cases.by_nginx import through
from tests.explain.cases.case import Live
from tests.explain.cases.case import case
from tests.explain.cases.senders import botocore
from tests.explain.cases.senders import signs_all


def setting(name: str, value: str) -> str:
    """Return a location of nginx that sets a header."""
    return location(f"proxy_set_header {name} {value};")


_CACHE = ("proxy_cache cache;", "proxy_cache_key $request_method$request_uri$http_authorization;")
_TUNNEL = location("proxy_set_header X-HTTP-Method-Override $request_method;", "proxy_method POST;")
_ENCODED = botocore(headers={"Accept-Encoding": "gzip, deflate"})
_ORIGINAL_ENCODING = location(
    "proxy_set_header Accept-Encoding gzip;",
    "proxy_set_header X-Original-Accept-Encoding $http_accept_encoding;",
)
_JSON = botocore("POST", "/items", headers={"Content-Type": "application/json"}, body=b'{"a": 1}')
_NOTE = botocore(headers={"X_Note": "1"})
_FRESH = botocore(headers={"Cache-Control": "no-cache"})
#: botocore leaves these out itself.
_CONNECTION = botocore(headers={"Connection": "keep-alive"}, signer=signs_all)
_KEEP_ALIVE = botocore(headers={"Keep-Alive": "timeout=5"}, signer=signs_all)
_FORWARDED = botocore(headers={"X-Forwarded-For": "203.0.113.9"})
_CODED = botocore(
    "PUT", "/b/k", headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b", service="s3"
)
_TAGGED = botocore(headers={"If-None-Match": '"abc"'})
_TRACED = botocore(headers={"X-Request-Id": ""})
_PUT = botocore("PUT", "/items/7", body=b"hello")
_S3_PUT = botocore("PUT", "/b/k", body=b"hello", service="s3")
_BYTE_ORDER_MARK = location('proxy_set_body "\ufeff$request_body";')

METHOD_CASES: tuple[Live, ...] = (
    case(
        "method-head",
        "nginx: `proxy_cache` asks with GET for HEAD",
        through(location(*_CACHE), botocore("HEAD")),
        (
            "proxy_cache_convert_head off",
            through(location(*_CACHE, "proxy_cache_convert_head off;"), botocore("HEAD")),
        ),
    ),
    case(
        "method-override",
        "nginx: `proxy_method POST;`, and the method in X-HTTP-Method-Override",
        through(_TUNNEL, botocore("PUT")),
        ("proxy_method", sound(botocore("PUT"))),
    ),
    case(
        "method-changed",
        "nginx: `proxy_method GET;`",
        through(location("proxy_method GET;"), botocore("POST", "/items")),
        ("proxy_method", sound(botocore("POST", "/items"))),
    ),
)

HEADER_CASES: tuple[Live, ...] = (
    case(
        "header-accept-encoding",
        "nginx: `proxy_set_header Accept-Encoding gzip;`",
        through(setting("Accept-Encoding", "gzip"), _ENCODED),
        (
            "proxy_set_header Accept-Encoding $http_accept_encoding;",
            through(setting("Accept-Encoding", "$http_accept_encoding"), _ENCODED),
        ),
        ("out of its signed headers", through(setting("Accept-Encoding", "gzip"), GET)),
        (
            "header_overrides={'accept-encoding': 'x-original-accept-encoding'}",
            through(_ORIGINAL_ENCODING, _ENCODED, "encoding kept"),
        ),
    ),
    case(
        "header-removed",
        'nginx: `proxy_set_header Accept-Encoding "";`',
        through(setting("Accept-Encoding", '""'), _ENCODED),
        ("pass the header on", sound(_ENCODED)),
        ("leave it out of its signed headers", through(setting("Accept-Encoding", '""'), GET)),
    ),
    case(
        "header-removed",
        "nginx drops `Keep-Alive`, which ends at each proxy",
        sound(_KEEP_ALIVE),
        ("out of its signed headers: Connection, Keep-Alive", sound(GET)),
    ),
    case(
        "signed-headers-list",
        "botocore: a name with an underscore, which nginx drops",
        sound(_NOTE),
        ("with a hyphen", sound(botocore(headers={"X-Note": "1"}))),
    ),
    case(
        "header-content-type",
        'nginx: `proxy_set_header Content-Type "application/json; charset=utf-8";`',
        through(setting("Content-Type", '"application/json; charset=utf-8"'), _JSON),
        (
            "proxy_set_header Content-Type $http_content_type;",
            through(setting("Content-Type", "$http_content_type"), _JSON),
        ),
    ),
    case(
        "header-hop",
        "nginx says `Connection: close` for itself; the client signed keep-alive",
        sound(_CONNECTION),
        ("out of its signed headers", sound(GET)),
    ),
    case(
        "header-hop",
        "nginx: `proxy_set_header Cache-Control max-age=3600;`",
        through(setting("Cache-Control", "max-age=3600"), _FRESH),
        ("out of its signed headers", through(setting("Cache-Control", "max-age=3600"), GET)),
    ),
    case(
        "header-forwarding",
        "nginx: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`",
        through(setting("X-Forwarded-For", "$proxy_add_x_forwarded_for"), _FORWARDED),
        (
            "signed headers",
            through(setting("X-Forwarded-For", "$proxy_add_x_forwarded_for"), GET),
        ),
    ),
    case(
        "header-content-encoding",
        "nginx: `proxy_set_header Content-Encoding identity;`",
        through(setting("Content-Encoding", "identity"), _CODED, "s3"),
        (
            "proxy_set_header Content-Encoding $http_content_encoding;",
            through(setting("Content-Encoding", "$http_content_encoding"), _CODED, "s3"),
        ),
    ),
    case(
        "header-etag",
        "nginx: `proxy_set_header If-None-Match W/$http_if_none_match;`, as CDNs weaken tags",
        through(setting("If-None-Match", "W/$http_if_none_match"), _TAGGED),
        (
            "proxy_set_header If-None-Match $http_if_none_match;",
            through(setting("If-None-Match", "$http_if_none_match"), _TAGGED),
        ),
    ),
    case(
        "header-missing",
        "nginx: `proxy_set_header X-Request-Id $request_id;`, which the client signed empty",
        through(setting("X-Request-Id", "$request_id"), _TRACED),
        ("take that out", sound(_TRACED)),
        ("out of its signed headers", through(setting("X-Request-Id", "$request_id"), GET)),
    ),
    case(
        "header-added",
        "nginx adds `X-Amz-Cf-Id`, as CloudFront does",
        through(setting("X-Amz-Cf-Id", "abc"), GET),
        (
            "allow_unsigned_headers",
            through(setting("X-Amz-Cf-Id", "abc"), GET, "allow_unsigned_headers"),
        ),
    ),
    case(
        "not-signed",
        'nginx: `proxy_set_header Authorization "";`',
        through(setting("Authorization", '""'), GET),
        ("proxy_set_header Authorization", sound(GET)),
    ),
    case(
        "other-scheme",
        'nginx: `proxy_set_header Authorization "Basic eDp5";`',
        through(setting("Authorization", '"Basic eDp5"'), GET),
        ("proxy_set_header Authorization", sound(GET)),
    ),
    case(
        "two-authentications",
        'nginx: `proxy_set_header Authorization "Basic eDp5";`, and a presigned URL',
        through(setting("Authorization", '"Basic eDp5"'), botocore(presigned=True)),
        ("without an Authorization header", sound(botocore(presigned=True))),
    ),
    case(
        "payload-hash",
        "nginx: `proxy_set_header X-Amz-Content-Sha256 UNSIGNED-PAYLOAD;`",
        through(setting("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), _S3_PUT, "s3"),
        ("no proxy set it", sound(_S3_PUT, "s3")),
    ),
)

BODY_CASES: tuple[Live, ...] = (
    case(
        "body-changed",
        'nginx: `proxy_set_body "other";`',
        through(location('proxy_set_body "other";'), _S3_PUT, "s3"),
        ("proxy_set_body", sound(_S3_PUT, "s3")),
    ),
    case(
        "body-bom",
        "nginx: `proxy_set_body` with a byte order mark before `$request_body`",
        through(_BYTE_ORDER_MARK, _PUT),
        ("byte order mark", sound(_PUT)),
    ),
    case(
        "body-newline",
        "nginx: `proxy_set_body` with a line end behind `$request_body`",
        through(location('proxy_set_body "$request_body\n";'), _PUT),
        ("same bytes", sound(_PUT)),
    ),
)
