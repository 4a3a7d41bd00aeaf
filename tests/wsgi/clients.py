"""Requests that botocore signed, at a frozen time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as ClientCredentials

from tests.core.messages import Message
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.verifier import Verifier

SIGNED_AT = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
NOW = SIGNED_AT.timestamp()
HOST = "api.example.com"

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPORARY_ID = "ASIAIOSFODNN7EXAMPLE"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b=="
UNKNOWN_ID = "AKIDUNKNOWN"


def sign(
    method: str = "GET",
    target: str = "/items?q=1",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    s3: bool = False,
    presigned: bool = False,
    hashed: bool = False,
    host: str = HOST,
    access_key_id: str = ACCESS_KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    region: str = "us-east-1",
    service: str | None = None,
    expires: int = 60,
    age: int = 0,
) -> Message:
    """Return the request that botocore makes of these pieces.

    Args:
        method: the method.
        target: the request target as sent.
        headers: further headers, signed.
        body: the body.
        s3: sign as a client of S3 does.
        presigned: sign in the query.
        hashed: send the hash of the body in x-amz-content-sha256 too.
        host: the Host header.
        access_key_id: the key.
        secret: its secret.
        token: its session token.
        region: the region of the scope.
        service: the service of the scope.
        expires: seconds that a presigned URL lives.
        age: seconds that have passed since it was signed.
    """
    path, _, query = target.partition("?")
    request = AWSRequest(method=method, url=f"http://{host}{target}", data=body)
    if presigned:
        # This form takes a body for parameters.
        request.data = None
    for name, value in (headers or {}).items():
        request.headers[name] = value
    if hashed:
        request.headers["X-Amz-Content-SHA256"] = SigV4Auth(None, "", "").payload(request)
    credentials = ClientCredentials(access_key_id, secret, token)
    service = service or ("s3" if s3 else "items")
    signer: Any
    if presigned:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        signer = kind(credentials, service, region, expires=expires)
    else:
        signer = (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, region)
    moment = SIGNED_AT - timedelta(seconds=age)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    if presigned:
        query = urlsplit(request.url).query
    return Message(
        method=method,
        path=path.encode(),
        query=query.encode(),
        headers=(
            (b"Host", host.encode()),
            *((name.encode(), value.encode()) for name, value in request.headers.items()),
        ),
        body=body,
    )


def forged(message: Message) -> Message:
    """Return *message* with another signature of the right form."""
    old = message.header("authorization") or message.query
    signature = old.rpartition(b"Signature=")[2][:64]
    return message.edited(signature, b"0" * 64 if signature != b"0" * 64 else b"1" * 64)


def verifier(*, s3: bool = False, **parameters: Any) -> Verifier:
    """Return a verifier of the keys above with a frozen clock."""
    keys = {
        ACCESS_KEY_ID: Credentials(SECRET, principal="alice"),
        TEMPORARY_ID: Credentials(SECRET, session_token=SESSION_TOKEN),
    }
    defaults: dict[str, Any] = {
        "credentials": keys,
        "region": "us-east-1",
        "service": "s3" if s3 else "items",
        "clock": lambda: NOW,
    }
    return Verifier(**(defaults | parameters))
