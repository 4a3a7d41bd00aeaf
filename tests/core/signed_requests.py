"""Requests signed by botocore, in pieces that a test can change one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from typing import Any
from unittest import mock
from urllib.parse import quote
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as ClientCredentials

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

_PART = rb"%s=([^,\s]*)"

SIGNED_AT = datetime(2026, 11, 21, 20, 42, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret access key and, for temporary ones, its session token."""

    secret: str
    token: str | None = None


KEYS = {
    "AKIAIOSFODNN7EXAMPLE": Key(secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "AKIDEXAMPLE": Key(secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    "ASIAIOSFODNN7EXAMPLE": Key(
        secret="Qx7+temporary/EXAMPLEKEY", token="IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b=="
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request on the wire, and what the server it goes to expects.

    Attributes:
        method: the method.
        path: the path as sent.
        query: the query as sent.
        headers: names and values as sent.
        body: the body as sent.
        s3: True where the server is one of S3.
        region: the region of the server.
        service: the service of the server.
        now: POSIX seconds when it arrives.
    """

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    s3: bool
    region: str
    service: str
    now: float = SIGNED_AT.timestamp()

    @property
    def presigned(self) -> bool:
        """Whether the signature stands in the query."""
        return b"X-Amz-Signature=" in self.query

    @property
    def items(self) -> list[bytes]:
        """The pieces of the query, as sent."""
        return self.query.split(b"&") if self.query else []

    def with_items(self, items: Iterable[bytes]) -> SignedRequest:
        """Return this request with a query of these pieces."""
        return replace(self, query=b"&".join(items))

    def find_header(self, name: bytes) -> int | None:
        """Return the place of the first header *name*, which is lower-case."""
        places = (at for at, line in enumerate(self.headers) if line[0].lower() == name)
        return next(places, None)

    def with_header(self, at: int, *lines: tuple[bytes, bytes]) -> SignedRequest:
        """Return this request with these lines in the place of the header there."""
        return replace(self, headers=(*self.headers[:at], *lines, *self.headers[at + 1 :]))

    def plus_header(self, name: bytes, value: bytes) -> SignedRequest:
        """Return this request with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def part(self, name: bytes) -> bytes:
        """Return a part of the authorization, from the form it has; empty where it is missing."""
        if self.presigned:
            found = re.search(rb"X-Amz-%s=([^&]*)" % name, self.query)
            return unquote_to_bytes(found[1]) if found else b""
        at = self.find_header(b"authorization")
        found = None if at is None else re.search(_PART % name, self.headers[at][1])
        return found[1] if found else b""

    def with_part(self, name: bytes, value: bytes) -> SignedRequest | None:
        """Return this request with another part of the authorization, None where it has none."""
        if self.presigned:
            new = b"X-Amz-%s=%s" % (name, quote(value, safe="-._~").encode())
            return replace(self, query=re.sub(rb"X-Amz-%s=[^&]*" % name, new, self.query))
        at = self.find_header(b"authorization")
        if at is None:
            return None
        header, old = self.headers[at]
        found = re.search(_PART % name, old)
        if found is None:
            return None
        return self.with_header(at, (header, old[: found.start(1)] + value + old[found.end(1) :]))

    def request(self) -> Request:
        """Return the request as the package takes it."""
        return Request(method=self.method, path=self.path, query=self.query, headers=self.headers)

    def verifier(self) -> Verifier:
        """Return a verifier as its server would have it: all defaults, and a clock that stands."""
        return Verifier(
            {
                name: Credentials(key.secret, session_token=key.token, principal=name)
                for name, key in KEYS.items()
            },
            region=self.region,
            service=self.service,
            profile=S3 if self.s3 else GENERIC,
            clock=lambda: self.now,
        )


def sign(
    *,
    key: str,
    host: str = "example.com",
    path: bytes = b"/",
    query: bytes = b"",
    params: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    method: str = "GET",
    s3: bool = False,
    presigned: bool = False,
    expires: int = 3600,
    unsigned_payload: bool = False,
    region: str = "us-east-1",
    service: str = "execute-api",
    keys: Mapping[str, Key] = KEYS,
) -> SignedRequest:
    """Return the request that botocore makes of these pieces.

    Args:
        key: the access key id, one of *keys*.
        host: what stands in the URL.
        path: the path as sent.
        query: the query as sent; the presigned form makes its own of *params*.
        params: the same query, as names and values.
        headers: names and values as sent; a name may stand twice.
        body: the body.
        method: the method.
        s3: True to sign as a client of S3 does.
        presigned: True to sign in the query.
        expires: seconds that a presigned URL lives.
        unsigned_payload: True to leave the body of an S3 request unsigned.
        region: the region of the scope.
        service: the service of the scope.
        keys: what belongs to the access key id.
    """
    url = f"https://{host}{path.decode('ascii')}"
    # The presigned form takes a body for parameters; it is sent beside it, as a browser would.
    data = None if presigned else body
    request = AWSRequest(method=method, url=url, data=data)
    request.params = dict(params) if presigned else list(params)
    for name, value in headers:
        request.headers[name] = value
    request.context["has_streaming_input"] = unsigned_payload
    credentials = ClientCredentials(key, keys[key].secret, keys[key].token)
    signer: Any
    if presigned:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        signer = kind(credentials, service, region, expires=expires)
    else:
        signer = (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, region)
    with mock.patch("botocore.auth.get_current_datetime", return_value=SIGNED_AT):
        signer.add_auth(request)
    sent_headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    if "host" not in request.headers:
        sent_headers.insert(0, (b"Host", host.encode()))
    return SignedRequest(
        method=method,
        path=path,
        query=urlsplit(request.url).query.encode("ascii") if presigned else query,
        headers=tuple(sent_headers),
        body=body,
        s3=s3,
        region=region,
        service=service,
    )
