"""niquests, sending what botocore signed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import niquests  # type: ignore[import-not-found]
from botocore.auth import S3SigV4Auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

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

KEY = Credentials(ACCESS_KEY_ID, SECRET)
TEMPORARY = Credentials(TEMPORARY_KEY_ID, SECRET, SESSION_TOKEN)
WRONG = Credentials(ACCESS_KEY_ID, WRONG_SECRET)


def exchange(
    method: str, target: str, *, body: bytes = b"", s3: bool = False, key: Credentials = KEY
) -> str:
    """Sign and send a request to *target*."""
    request = AWSRequest(method, endpoint() + target, data=body)
    signer = S3SigV4Auth(key, "s3", REGION) if s3 else SigV4Auth(key, "execute-api", REGION)
    signer.add_auth(request)
    answer = niquests.request(
        method, request.url, headers=dict(request.headers), data=body, timeout=60
    )
    return told(answer.status_code, answer.headers, answer.content)


def exchanges() -> Iterator[Exchange]:
    """Yield what is sent."""
    odd = "/caf%C3%A9/a%20b?a=1&b=c%20d"
    yield "GET, escapes in path and query", partial(exchange, "GET", odd)
    yield "GET, session token", partial(exchange, "GET", odd, key=TEMPORARY)
    yield "POST", partial(exchange, "POST", "/x", body=b"content")
    yield "S3: PUT", partial(exchange, "PUT", "/niquests/a%20b", body=b"content", s3=True)
    yield "S3: GET", partial(exchange, "GET", "/niquests/a%20b", s3=True)
    yield "GET, wrong secret", partial(exchange, "GET", "/x", key=WRONG)


if __name__ == "__main__":
    run("niquests with botocore", exchanges(), packages=["niquests", "botocore"])
