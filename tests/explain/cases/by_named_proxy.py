"""Requests of botocore, altered as proxies do that are not run here: what they are known to do."""

from __future__ import annotations

from dataclasses import replace

from tests.core.messages import Message
from tests.explain.cases.by_nginx import GET
from tests.explain.cases.by_nginx import direct
from tests.explain.cases.case import Live
from tests.explain.cases.case import case
from tests.explain.cases.places import HOST
from tests.explain.cases.senders import botocore


def _cloudflare(message: Message) -> Message:
    edge = message.with_extra_header("CF-Ray", "8f0-FRA").with_extra_header("CDN-Loop", "x")
    return edge.with_header("Accept-Encoding", "gzip, br")


def _cloudfront(message: Message) -> Message:
    return message.with_extra_header("X-Amz-Cf-Id", "abc").with_extra_header("Via", "1.1 x")


def _apache(message: Message) -> Message:
    proxied = message.with_extra_header("X-Forwarded-Server", "www.example.org")
    return proxied.with_header("Host", "127.0.0.1:8000").with_extra_header("X-Forwarded-Host", HOST)


def _apache_spells(message: Message) -> Message:
    return replace(message, path=message.path.replace(b"%28", b"(").replace(b"%29", b")"))


def _mod_deflate(message: Message) -> Message:
    return message.with_header(
        "If-None-Match", (message.header("if-none-match") or b"")[:-6] + b'"'
    )


def _envoy(message: Message) -> Message:
    return replace(message, path=message.path.replace(b"//", b"/"))


def _envoy_rewrites(message: Message) -> Message:
    moved = replace(message, path=b"/internal" + message.path)
    return moved.with_extra_header("X-Envoy-Original-Path", message.path)


def _haproxy(message: Message) -> Message:
    return message.without_header("Accept-Encoding")


def _balancer(message: Message) -> Message:
    hops = (message.header("x-forwarded-for") or b"") + b", 203.0.113.7"
    return message.with_header("X-Forwarded-For", hops)


def _gateway(message: Message) -> Message:
    return replace(message, path=message.path.removeprefix(b"/prod"))


def _traefik(message: Message) -> Message:
    stripped = replace(message, path=message.path.removeprefix(b"/api"))
    return stripped.with_extra_header("X-Forwarded-Prefix", "/api")


ENCODING = {"Accept-Encoding": "identity"}
TAG = {"If-None-Match": '"abc-gzip"'}
HOPS = {"X-Forwarded-For": "198.51.100.3"}

PROXY_CASES: tuple[Live, ...] = (
    case(
        "header-accept-encoding",
        "altered as Cloudflare does: `Accept-Encoding: gzip, br`",
        direct(botocore(headers=ENCODING, alter=_cloudflare)),
        ("out of its signed headers", direct(botocore(alter=_cloudflare))),
    ),
    case(
        "header-added",
        "altered as CloudFront does: `X-Amz-Cf-Id` and Via",
        direct(botocore(alter=_cloudfront)),
        (
            "allow_unsigned_headers",
            direct(botocore(alter=_cloudfront), "allow_unsigned_headers"),
        ),
    ),
    case(
        "host-forwarded",
        "altered as Apache does: ProxyPass without ProxyPreserveHost",
        direct(botocore(alter=_apache)),
        ("ProxyPreserveHost On", direct(GET)),
        ("ProxyFix(x_host=1)", direct(botocore(alter=_apache), "ProxyFix(x_host=1)")),
        (
            "header_overrides={'host': 'x-forwarded-host'}",
            direct(botocore(alter=_apache), "host override"),
        ),
    ),
    case(
        "path-decoded",
        "altered as Apache does: ProxyPass without nocanon spells the path anew",
        direct(botocore("GET", "/items/%28x%29", alter=_apache_spells)),
        ("nocanon", direct(botocore("GET", "/items/%28x%29"))),
    ),
    case(
        "header-etag",
        "altered as Apache does: mod_deflate takes `-gzip` off If-None-Match",
        direct(botocore(headers=TAG, alter=_mod_deflate)),
        ("out of its signed headers", direct(GET)),
    ),
    case(
        "path-slashes-merged",
        "altered as Envoy does: `merge_slashes: true`, for S3",
        direct(botocore("GET", "/items//7", service="s3", alter=_envoy), "s3"),
    ),
    case(
        "path-forwarded",
        "altered as Envoy does: `prefix_rewrite`, with X-Envoy-Original-Path",
        direct(botocore(alter=_envoy_rewrites)),
    ),
    case(
        "header-removed",
        "altered as HAProxy does: `http-request del-header Accept-Encoding`",
        direct(botocore(headers=ENCODING, alter=_haproxy)),
        ("out of its signed headers", direct(botocore(alter=_haproxy))),
    ),
    case(
        "header-forwarding",
        "altered as AWS's load balancer does: one hop more in X-Forwarded-For",
        direct(botocore(headers=HOPS, alter=_balancer)),
        ("signed headers", direct(botocore(alter=_balancer))),
    ),
    case(
        "path-prefix-stripped",
        "altered as AWS's API Gateway does: the stage `/prod` is stripped",
        direct(botocore("GET", "/prod/items/7", alter=_gateway)),
        (
            "path_prefix='/prod'",
            direct(botocore("GET", "/prod/items/7", alter=_gateway), "path_prefix='/prod'"),
        ),
    ),
    case(
        "path-prefix-stripped",
        "altered as Traefik does: StripPrefix, with X-Forwarded-Prefix",
        direct(botocore("GET", "/api/items/7", alter=_traefik)),
        (
            "ProxyFix(x_prefix=1)",
            direct(botocore("GET", "/api/items/7", alter=_traefik), "ProxyFix(x_prefix=1)"),
        ),
    ),
)
