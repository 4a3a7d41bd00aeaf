"""Time requests through SigV4Middleware and print a table: `make bench`.

Each row is the median of several rounds over distinct requests that botocore signed beforehand, so
that remembering a whole request would win nothing. The first row is the floor: two SHA-256 and one
HMAC, which every verification with a cached signing key has to do.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from werkzeug.test import EnvironBuilder

from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

REQUESTS = 2000
ROUNDS = 9
REGION = "us-east-1"
SERVICE = "items"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CANONICAL_REQUEST = b"x" * 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table.

    Attributes:
        name: what is sent
        status: what every answer must be, or the row would time something else
        environs: one distinct request each
    """

    name: str
    status: str
    environs: tuple[WSGIEnvironment, ...]


def signed(path: str, *, key: str, secret: str, method: str, body: bytes) -> WSGIEnvironment:
    """Return the environ of a request that botocore signed just now."""
    url = f"http://localhost{path}"
    request = AWSRequest(method=method, url=url, data=body)
    if body:
        request.headers["Content-Type"] = "application/json"
    SigV4Auth(BotocoreCredentials(key, secret), SERVICE, REGION).add_auth(request)
    builder = EnvironBuilder(
        path=path, method=method, data=body or None, headers=dict(request.headers.items())
    )
    return builder.get_environ()


def case(
    name: str,
    status: str,
    *,
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET_ACCESS_KEY,
    method: str = "GET",
    body: bytes = b"",
) -> Case:
    """Return a case of distinct requests signed with *key* and *secret*."""
    paths = (f"/items?q=green&page={number}" for number in range(REQUESTS))
    return Case(
        name=name,
        status=status,
        environs=tuple(
            signed(path, key=key, secret=secret, method=method, body=body) for path in paths
        ),
    )


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer at once."""
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def answer(app: WSGIApplication, environ: WSGIEnvironment) -> str:
    """Return the status that *app* answers with."""
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return io.BytesIO().write

    response = app(environ, start_response)
    b"".join(response)
    close = getattr(response, "close", None)
    if close is not None:
        close()
    return statuses[0]


def copied(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return a fresh environ: the middleware writes into the one it is given."""
    body = environ["wsgi.input"]
    body.seek(0)
    return {**environ, "wsgi.input": io.BytesIO(body.read())}


def seconds_per_request(app: WSGIApplication, measured: Case) -> list[float]:
    """Return the mean time of a request in each round; the first, with cold caches, is left out."""
    means = []
    for _ in range(ROUNDS + 1):
        environs = [copied(environ) for environ in measured.environs]
        start = time.perf_counter()
        statuses = [answer(app, environ) for environ in environs]
        means.append((time.perf_counter() - start) / len(environs))
        assert {status.split(" ")[0] for status in statuses} == {measured.status}
    return means[1:]


def seconds_of_cryptography() -> list[float]:
    """Return the time of two SHA-256 and one HMAC in each round."""
    means = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(REQUESTS):
            hashlib.sha256(b"").hexdigest()
            text = hashlib.sha256(CANONICAL_REQUEST).hexdigest()
            hmac.digest(b"k" * 32, text.encode(), "sha256").hex()
        means.append((time.perf_counter() - start) / REQUESTS)
    return means


def main() -> None:
    """Measure every case and print the table."""
    # Refusals are logged, as in production, but 20,000 lines would hide the table.
    logger = logging.getLogger("wsgi_sigv4")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    verifier = Verifier({ACCESS_KEY_ID: SECRET_ACCESS_KEY}, region=REGION, service=SERVICE)
    app = SigV4Middleware(application, verifier)
    cases = [
        case("header-signed GET", "200"),
        case(
            "header-signed JSON POST, 1 KiB", "200", method="POST", body=b'"' + b"x" * 1022 + b'"'
        ),
        case("wrong signature", "403", secret="another"),
        case("unknown access key id", "403", key="AKIDUNKNOWN"),
    ]
    floor = seconds_of_cryptography()
    rows = [("cryptography alone", floor)]
    rows.append(("no middleware", seconds_per_request(application, cases[0])))
    rows.extend((measured.name, seconds_per_request(app, measured)) for measured in cases)
    print(f"{ROUNDS} rounds of {REQUESTS} distinct requests: microseconds a request")
    print(f"{'':32}{'median':>8}{'least':>8}{'most':>8}{'x floor':>9}")
    for name, means in rows:
        low, middle, high = (
            value * 1e6 for value in (min(means), statistics.median(means), max(means))
        )
        ratio = middle / 1e6 / statistics.median(floor)
        print(f"{name:32}{middle:8.1f}{low:8.1f}{high:8.1f}{ratio:9.1f}")


if __name__ == "__main__":
    main()
