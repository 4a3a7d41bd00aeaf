"""Clients: botocore's signers, and the same ones with a fault built in.

A fault changes the canonical request that botocore made, line by line, before it is hashed: so
clients go wrong that canonicalise in a way of their own. Nothing here comes from the package.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.credentials import Credentials as ClientCredentials

from tests.core.messages import Message
from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier


@dataclass
class Canonical:
    """A canonical request in pieces."""

    method: str
    path: str
    query: str
    headers: dict[str, str | None]
    signed_headers: str
    payload: str

    @classmethod
    def parse(cls, text: str) -> Canonical:
        """Return the pieces of *text*."""
        method, path, query, *lines = text.split("\n")
        end = lines.index("")
        headers = dict(line.split(":", 1) for line in lines[:end])
        return cls(method, path, query, dict(headers), lines[end + 1], lines[end + 2])

    def __str__(self) -> str:
        lines = [f"{k}:{v}" for k, v in self.headers.items() if v is not None]
        rest = ["", self.signed_headers, self.payload]
        return "\n".join([self.method, self.path, self.query, *lines, *rest])


Fault = Callable[[Canonical], None]


class _Faulty:
    """What a signer of botocore's gets wrong."""

    credentials: Any
    faults: Sequence[Fault]
    key_scope: dict[str, str]

    def __init__(
        self,
        credentials: ClientCredentials,
        service: str,
        region: str,
        *,
        secret: str | None = None,
        faults: Sequence[Fault] = (),
        key_scope: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(credentials, service, region, **options)  # type: ignore[call-arg]
        self.faults = faults
        self.key_scope = key_scope or {}
        self.secret = secret

    def canonical_request(self, request: Any) -> str:
        canonical = Canonical.parse(super().canonical_request(request))  # type: ignore[misc]
        for fault in self.faults:
            fault(canonical)
        return str(canonical)

    def signature(self, string_to_sign: str, request: Any) -> str:
        if self.secret is None and not self.key_scope:
            signature: str = super().signature(string_to_sign, request)  # type: ignore[misc]
            return signature
        date, region, service, end = string_to_sign.split("\n")[2].split("/")
        scope = {"date": date, "region": region, "service": service} | self.key_scope
        algorithm, timestamp, *rest = string_to_sign.split("\n")
        string_to_sign = "\n".join([algorithm, scope.pop("timestamp", timestamp), *rest])
        key = ("AWS4" + (self.secret or SECRET)).encode()
        for part in (*scope.values(), end):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()


class _Header(_Faulty, SigV4Auth):  # type: ignore[misc]
    pass


class _Query(_Faulty, SigV4QueryAuth):  # type: ignore[misc]
    pass


class _S3Header(_Faulty, S3SigV4Auth):  # type: ignore[misc]
    pass


class _S3Query(_Faulty, S3SigV4QueryAuth):  # type: ignore[misc]
    pass


_SIGNERS = {
    (False, False): _Header,
    (False, True): _Query,
    (True, False): _S3Header,
    (True, True): _S3Query,
}


@dataclass(frozen=True, kw_only=True)
class Client:
    """A request to be, and who signs it."""

    method: str = "GET"
    path: str = "/items/7"
    query: str = "b=2&a=1"
    host: str = "api.example.com"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    s3: bool = False
    presigned: bool = False
    token: str | None = None
    secret: str | None = None
    faults: tuple[Fault, ...] = ()
    key_scope: dict[str, str] = field(default_factory=dict)
    #: For the verifier.
    knobs: dict[str, Any] = field(default_factory=dict)

    def with_fault(self, fault: Fault) -> Client:
        """Return this client with one more fault."""
        return replace(self, faults=(*self.faults, fault))

    def with_header(self, name: str, value: str) -> Client:
        """Return this client with one more header, which it signs."""
        return replace(self, headers={**self.headers, name: value})

    def sign(self) -> Message:
        """Return the request as it goes onto the wire."""
        target = f"{self.path}?{self.query}" if self.query else self.path
        return sign_with_botocore(
            _SIGNERS[self.s3, self.presigned],
            self.method,
            target,
            service="s3" if self.s3 else "items",
            headers=[("Host", self.host), *self.headers.items()],
            body=self.body,
            token=self.token,
            secret=self.secret,
            faults=self.faults,
            key_scope=self.key_scope,
        ).message

    def verifier(self) -> Verifier:
        """Return a verifier that knows the key of this client."""
        service = "s3" if self.s3 else "items"
        defaults: dict[str, Any] = {"region": "us-east-1", "service": service}
        key = Credentials(SECRET, session_token=self.token)
        return Verifier({ACCESS_KEY_ID: key}, **(defaults | self.knobs))

    def explain(self, arrived: Message) -> Explanation:
        """Return why the request, as it *arrived*, is refused."""
        return explain(request_of(arrived), self.verifier(), body=arrived.body, now=NOW)


def request_of(message: Message) -> Request:
    """Return the request of *message*, as a skin makes it."""
    return Request(
        method=message.method, path=message.path, query=message.query, headers=message.headers
    )
