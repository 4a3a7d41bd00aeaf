"""The oracles: botocore and awscrt sign a request, and what stands on the wire comes out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import Any
from unittest import mock
from urllib.parse import quote
from urllib.parse import urlsplit

import awscrt.auth
import awscrt.http
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET

HOST = "api.example.com"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW+/=="

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request that botocore signed, and what it signed."""

    message: Message
    canonical_request: str
    string_to_sign: str


def sign_with_botocore(
    auth: type,
    method: str = "GET",
    target: str = "/",
    *,
    service: str = "items",
    region: str = "us-east-1",
    headers: Headers | None = None,
    body: bytes | dict[str, str] = b"",
    params: list[tuple[str, str]] | None = None,
    token: str | None = None,
    secure: bool = False,
    context: dict[str, Any] | None = None,
    **options: Any,
) -> Signed:
    """Return the request that *auth*, a signer of botocore's, makes of the arguments.

    A query in *target* is sent and signed as it is written; *params* are encoded by botocore.
    """
    scheme = "https" if secure else "http"
    request = AWSRequest(method=method, url=f"{scheme}://{HOST}{target}", data=body)
    request.context.update(context or {})
    if params is not None:
        request.params = params
    for name, value in headers or []:
        request.headers.add_header(name, value)
    signer = auth(BotocoreCredentials(ACCESS_KEY_ID, SECRET, token), service, region, **options)
    seen: list[str] = []
    string_to_sign = signer.string_to_sign

    def remember(request: AWSRequest, canonical_request: str) -> str:
        signed: str = string_to_sign(request, canonical_request)
        seen.extend((canonical_request, signed))
        return signed

    signer.string_to_sign = remember
    moment = datetime.fromtimestamp(NOW, tz=UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    return Signed(message=_sent(request), canonical_request=seen[0], string_to_sign=seen[1])


def _sent(request: AWSRequest) -> Message:
    # What botocore's own preparer makes of parameters and form data.
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    if b"host" not in {name.lower() for name, _ in headers}:
        headers.insert(0, (b"Host", HOST.encode()))
    body = prepared.body or b""
    return Message(
        method=prepared.method,
        path=(url.path or "/").encode(),
        query=url.query.encode(),
        headers=tuple(headers),
        body=body if isinstance(body, bytes) else body.encode(),
    )


def sign_with_awscrt(
    method: str = "GET",
    target: str = "/",
    *,
    headers: Headers | None = None,
    body: bytes = b"",
    presigned: bool = False,
    token: str | None = None,
    s3: bool = False,
    expires: int | None = None,
    payload: str | None = None,
    service: str = "items",
    **options: Any,
) -> Message:
    """Return the request that awscrt makes of the arguments; *options* are its signing config's."""
    request = awscrt.http.HttpRequest(
        method,
        target,
        awscrt.http.HttpHeaders([("Host", HOST), *(headers or [])]),
        io.BytesIO(body) if body else None,
    )
    if s3:
        service = "s3"
        options = {"use_double_uri_encode": False, "should_normalize_uri_path": False} | options
        if not presigned:
            kind = awscrt.auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
            options["signed_body_header_type"] = kind
    types = awscrt.auth.AwsSignatureType
    config = awscrt.auth.AwsSigningConfig(
        signature_type=types.HTTP_REQUEST_QUERY_PARAMS if presigned else types.HTTP_REQUEST_HEADERS,
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(
            ACCESS_KEY_ID, SECRET, token
        ),
        region="us-east-1",
        service=service,
        date=datetime.fromtimestamp(NOW, tz=UTC),
        expiration_in_seconds=expires,
        signed_body_value=payload,
        **options,
    )
    signed = awscrt.auth.aws_sign_request(request, config).result(10)
    path, _, query = signed.path.partition("?")
    return Message(
        method=method,
        path=path.encode(),
        query=query.encode(),
        headers=tuple((name.encode(), value.encode()) for name, value in signed.headers),
        body=body,
    )


def as_sent(path: str) -> str:
    """Return the path *path* as the SDKs send it: encoded once."""
    return quote(path, safe="/~")
