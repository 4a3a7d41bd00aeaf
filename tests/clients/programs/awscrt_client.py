"""awscrt, the C signer of several SDKs, with urllib3 to send."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import urllib3
from awscrt.auth import AwsCredentialsProvider
from awscrt.auth import AwsSignatureType
from awscrt.auth import AwsSignedBodyHeaderType
from awscrt.auth import AwsSigningConfig
from awscrt.auth import aws_sign_request
from awscrt.http import HttpHeaders
from awscrt.http import HttpRequest

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

KEY = (ACCESS_KEY_ID, SECRET, None)
TEMPORARY = (TEMPORARY_KEY_ID, SECRET, SESSION_TOKEN)
WRONG = (ACCESS_KEY_ID, WRONG_SECRET, None)


def exchange(
    method: str,
    target: str,
    *,
    key: tuple[str, str, str | None] = KEY,
    body: bytes = b"",
    s3: bool = False,
    expires: int | None = None,
) -> str:
    """Sign and send a request to *target*."""
    host = urlsplit(endpoint()).netloc
    headers = HttpHeaders([("Host", host)])
    kinds = AwsSignatureType
    body_header = AwsSignedBodyHeaderType.NONE
    if s3 and expires is None:
        body_header = AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
    config = AwsSigningConfig(
        signature_type=(kinds.HTTP_REQUEST_QUERY_PARAMS if expires else kinds.HTTP_REQUEST_HEADERS),
        credentials_provider=AwsCredentialsProvider.new_static(*key),
        region=REGION,
        service="s3" if s3 else "execute-api",
        use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3,
        signed_body_header_type=body_header,
        signed_body_value="UNSIGNED-PAYLOAD" if s3 and expires else None,
        expiration_in_seconds=expires,
    )
    request = HttpRequest(method, target, headers, io.BytesIO(body) if body else None)
    signed = aws_sign_request(request, config).result(10)
    connection = urllib3.connection_from_url(endpoint(), timeout=60, retries=False)
    with connection:
        answer = connection.urlopen(
            method, signed.path, body=body, headers=dict(signed.headers), assert_same_host=False
        )
        return told(answer.status, answer.headers, answer.data)


def exchanges() -> Iterator[Exchange]:
    """Yield what awscrt signs."""
    odd = "/caf%C3%A9/a%2Fb//x%20y?b=c%20d&a=1&e"
    yield "GET, escapes in path and query", partial(exchange, "GET", odd)
    yield "POST of JSON", partial(exchange, "POST", "/x", body=b"{}")
    yield "GET, session token", partial(exchange, "GET", odd, key=TEMPORARY)
    yield "presigned GET, session token", partial(exchange, "GET", odd, key=TEMPORARY, expires=60)
    yield (
        "S3: PUT and GET",
        lambda: max(
            exchange("PUT", "/crt/a%20b//c", body=b"content", s3=True),
            exchange("GET", "/crt/a%20b//c", s3=True),
        ),
    )
    yield "S3: presigned PUT", partial(exchange, "PUT", "/crt/x", body=b"y", s3=True, expires=60)
    yield "GET, wrong secret", partial(exchange, "GET", "/x", key=WRONG)
    yield "S3: GET, wrong secret", partial(exchange, "GET", "/crt/x", key=WRONG, s3=True)


if __name__ == "__main__":
    run("awscrt", exchanges(), packages=["awscrt"])
