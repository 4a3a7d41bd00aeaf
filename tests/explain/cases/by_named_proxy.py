"""Requests of botocore, altered as proxies do that are not run here: what they are known to do."""

from __future__ import annotations

from dataclasses import replace

from tests.core.messages import Message
from tests.explain.cases.case import Live
from tests.explain.cases.case import case
from tests.explain.cases.case import direct
from tests.explain.cases.senders import botocore


def _cloudflare(message: Message) -> Message:
    edge = message.with_extra_header("CF-Ray", "8f0-FRA").with_extra_header("CDN-Loop", "x")
    return edge.with_header("Accept-Encoding", "gzip, br")


def _cloudfront(message: Message) -> Message:
    return message.with_extra_header("X-Amz-Cf-Id", "abc").with_extra_header("Via", "1.1 x")


def _envoy(message: Message) -> Message:
    return replace(message, path=message.path.replace(b"//", b"/"))


def _envoy_rewrites(message: Message) -> Message:
    moved = replace(message, path=b"/internal" + message.path)
    return moved.with_extra_header("X-Envoy-Original-Path", message.path)


def _balancer(message: Message) -> Message:
    hops = (message.header("x-forwarded-for") or b"") + b", 203.0.113.7"
    return message.with_header("X-Forwarded-For", hops)


def _gateway(message: Message) -> Message:
    return replace(message, path=message.path.removeprefix(b"/prod"))


def _traefik(message: Message) -> Message:
    stripped = replace(message, path=message.path.removeprefix(b"/api"))
    return stripped.with_extra_header("X-Forwarded-Prefix", "/api")


ENCODING = {"Accept-Encoding": "identity"}
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
