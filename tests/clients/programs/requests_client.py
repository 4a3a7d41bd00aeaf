"""requests, with each of its two packages that sign: plain requests only."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import partial

import requests
from requests.auth import AuthBase
from requests_auth_aws_sigv4 import AWSSigV4
from requests_aws4auth import AWS4Auth

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import SESSION_TOKEN
from tests.clients.programs.exchanges import TEMPORARY_KEY_ID
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import Exchange
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import run
from tests.clients.programs.exchanges import told

#: What makes an `auth` of requests: service, key, secret, session token.
MakeAuth = Callable[[str, str, str, str | None], AuthBase]


def aws4auth(service: str, key: str, secret: str, token: str | None) -> AuthBase:
    """Return the auth of requests-aws4auth."""
    auth: AuthBase = AWS4Auth(key, secret, REGION, service, session_token=token)
    return auth


def aws_sigv4(service: str, key: str, secret: str, token: str | None) -> AuthBase:
    """Return the auth of requests-auth-aws-sigv4."""
    auth: AuthBase = AWSSigV4(
        service,
        region=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    return auth


def exchange(
    method: str,
    target: str,
    make_auth: MakeAuth,
    *,
    service: str = "execute-api",
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    json: object = None,
    data: bytes | None = None,
) -> str:
    """Sign and send a request to *target*."""
    answer = requests.request(
        method,
        endpoint() + target,
        auth=make_auth(service, key, secret, token),
        json=json,
        data=data,
        timeout=60,
    )
    return told(answer.status_code, answer.headers, answer.content)


def exchanges(make_auth: MakeAuth) -> Iterator[Exchange]:
    """Yield what both packages sign rightly."""
    yield "GET with a query", partial(exchange, "GET", "/items?b=2&a=1", make_auth)
    yield "POST of JSON", partial(exchange, "POST", "/items", make_auth, json={"name": "lamp"})
    yield (
        "GET, session token",
        partial(exchange, "GET", "/x", make_auth, key=TEMPORARY_KEY_ID, token=SESSION_TOKEN),
    )
    yield "GET, wrong secret", partial(exchange, "GET", "/x", make_auth, secret=WRONG_SECRET)


def s3_exchanges(make_auth: MakeAuth) -> Iterator[Exchange]:
    """Yield what requests-aws4auth signs of S3 besides."""
    for method in ("PUT", "GET"):
        data = b"content" if method == "PUT" else None
        target = "/requests/caf%C3%A9"
        send = partial(exchange, method, target, make_auth, service="s3", data=data)
        yield f"S3: {method}", send


if __name__ == "__main__":
    run(
        "requests-aws4auth",
        [*exchanges(aws4auth), *s3_exchanges(aws4auth)],
        packages=["requests-aws4auth", "requests"],
    )
    run(
        "requests-auth-aws-sigv4",
        exchanges(aws_sigv4),
        packages=["requests-auth-aws-sigv4", "requests"],
    )
