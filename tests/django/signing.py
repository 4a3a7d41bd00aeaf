"""Requests signed by botocore, and sent by Django's test clients, in the way a server would."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.core.signals import request_started
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.client import FakePayload

HOST = "testserver"
KEYS = {
    "AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AKIDSECONDEXAMPLE": "a-second-secret/OF+ANOTHEREXAMPLE",
}
FIRST, SECOND = KEYS
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it goes over the wire.

    Attributes:
        method: the method.
        target: path and query.
        headers: names and values.
        body: the body.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = (("Host", HOST),)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the target."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query of the target."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """Return the value of the header *name*."""
        return next(value for found, value in self.headers if found.lower() == name.lower())

    def with_header(self, name: str, value: str) -> Sent:
        """Return this request with one header more."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without(self, *names: str) -> Sent:
        """Return this request without the headers *names* (lower-case)."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return replace(self, headers=kept)

    def environ(self, **extra: Any) -> dict[str, Any]:
        """Return what Django's test client needs to send it, as gunicorn would hand it on."""
        path = self.path if self.path.startswith("/") else urlsplit(self.path).path
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "RAW_URI": self.target,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": self.query,
            "wsgi.input": FakePayload(self.body),
        }
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            prefix = "" if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_"
            environ[prefix + key] = value
        return environ | extra

    def scope(self, **extra: Any) -> dict[str, Any]:
        """Return the scope that a server of ASGI would make of it."""
        path = self.path if self.path.startswith("/") else urlsplit(self.path).path
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode(),
            "query_string": self.query.encode(),
            "root_path": "",
            "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in self.headers],
            "client": ("127.0.0.1", 1),
            "server": (HOST, 80),
        } | extra


def sign(
    method: str = "GET",
    target: str = "/whoami",
    *,
    body: bytes = b"",
    content_type: str | None = None,
    key: str = FIRST,
    secret: str | None = None,
    service: str = "items",
    region: str = "us-east-1",
    presigned: bool = False,
    token: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    hashed: bool = False,
    host: str = HOST,
) -> Sent:
    """Return a request that botocore has signed just now.

    Args:
        method: the method.
        target: path and query.
        body: the body.
        content_type: that of the body.
        key: the access key id.
        secret: the secret; None: that of *key*.
        service: the service; S3's signer is its own.
        region: the region.
        presigned: sign in the query.
        token: a session token.
        headers: further headers, which are signed.
        hashed: send x-amz-content-sha256 where the service's signer does not.
        host: the Host header.
    """
    # Of a body that it presigns, botocore would make further parameters.
    data = b"" if presigned else body
    hashed = hashed or (presigned and bool(body))
    request = AWSRequest(
        method=method, url=f"http://{host}{target}", data=data, headers={"Host": host}
    )
    for name, value in headers:
        request.headers.add_header(name, value)
    if content_type is not None:
        request.headers["Content-Type"] = content_type
    if hashed:
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    kinds = {
        (False, False): SigV4Auth,
        (False, True): SigV4QueryAuth,
        (True, False): S3SigV4Auth,
        (True, True): S3SigV4QueryAuth,
    }
    credentials = Credentials(key, KEYS[key] if secret is None else secret, token)
    kinds[service == "s3", presigned](credentials, service, region).add_auth(request)
    parts = urlsplit(request.url)
    path = target.partition("?")[0]
    query = parts.query if presigned else target.partition("?")[2]
    sent = tuple(request.headers.items())
    if body:
        sent += (("Content-Length", str(len(body))),)
    return Sent(method=method, target=f"{path}?{query}" if query else path, headers=sent, body=body)


def tampered(sent: Sent) -> Sent:
    """Return *sent* with another signature, in whichever form it has."""
    if "X-Amz-Signature=" in sent.target:
        head, _, signature = sent.target.partition("X-Amz-Signature=")
        return replace(sent, target=f"{head}X-Amz-Signature={'0' * 64}{signature[64:]}")
    authorization = sent.header("authorization")
    wrong = authorization[:-64] + "0" * 64
    return sent.without("authorization").with_header("Authorization", wrong)


def send(sent: Sent, client: Client | None = None, /, **extra: Any) -> Any:
    """Return the response of Django under WSGI, where *extra* stands in the environ too."""
    return (client or Client()).request(**sent.environ(**extra))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an application of ASGI has sent."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.content)


def send_async(sent: Sent, *, pieces: int = 1, **extra: Any) -> Answer:
    """Return the response of Django under ASGI, by its own handler."""
    with connections_kept():
        return async_to_sync(_exchange)(sent, pieces, extra)


@contextmanager
def connections_kept() -> Iterator[None]:
    """Keep Django's handlers from closing the connections of the test, as its clients do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


async def _exchange(sent: Sent, pieces: int, extra: dict[str, Any]) -> Answer:
    size = max(1, -(-len(sent.body) // pieces))
    parts = [sent.body[at : at + size] for at in range(0, len(sent.body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": part, "more_body": at + 1 < len(parts)}
        for at, part in enumerate(parts)
    ]
    answered: list[Mapping[str, Any]] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        answered.append(message)

    await ASGIHandler()(sent.scope(**extra), receive, send)
    head, *rest = answered
    return Answer(
        status_code=head["status"],
        headers={name.decode().lower(): value.decode() for name, value in head["headers"]},
        content=b"".join(message.get("body", b"") for message in rest),
    )


def code_of(response: HttpResponseBase | Answer) -> str:
    """Return AWS's code in a refusal of the generic profile."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["content-type"] == "application/json", headers
    return str(headers["x-amzn-errortype"])
