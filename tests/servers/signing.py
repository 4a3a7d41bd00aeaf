"""Requests signed by botocore, as bytes for the wire.

What is signed and what is sent are two things: a client may spell a path or a query on the wire
in another way than in the canonical request, and a tampered request is altered after signing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.servers.applications import ACCESS_KEY_ID
from tests.servers.applications import CASE_HEADER
from tests.servers.applications import REGION
from tests.servers.applications import SECRET
from tests.servers.applications import SERVICE_HEADER
from tests.servers.applications import SESSION_TOKEN
from tests.servers.applications import TEMPORARY_KEY_ID
from tests.servers.wire import Sending

ITEMS = "items"
S3 = "s3"

HOST = "api.example.com:8000"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed request, which may still be altered.

    Attributes:
        method: the method.
        target: the request target as it is sent.
        headers: all of them but Content-Length and Transfer-Encoding.
        body: the body, without framing.
        framing: the headers that say where the body ends.
        chunked: send the body in chunks, and end it with *trailer*.
        trailer: fields after the last chunk.
        cut: bytes at the end of the framed body that are never sent; the client says it is done.
        awaits_continue: wait for 100 Continue before the body.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    framing: Headers
    chunked: bool = False
    trailer: Headers = ()
    cut: int = 0
    awaits_continue: bool = False

    def with_header(self, name: str, value: str) -> Signed:
        """Return this request with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))

    def with_headers(self, **values: str) -> Signed:
        """Return this request with other values for headers that it has."""
        headers = tuple((name, values.get(name, value)) for name, value in self.headers)
        return replace(self, headers=headers)

    def sending(self) -> Sending:
        """Return the bytes for the wire, and how they go out."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *self.framing)]
        body = self._chunks() if self.chunked else self.body
        return Sending(
            head="\r\n".join([*lines, "", ""]).encode(),
            body=body[: len(body) - self.cut],
            method=self.method,
            awaits_continue=self.awaits_continue,
            half_closes=self.cut > 0,
        )

    def _chunks(self) -> bytes:
        size = max(1, (len(self.body) + 2) // 3)
        cut = [self.body[start : start + size] for start in range(0, len(self.body), size)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut)
        trailer = "".join(f"{name}: {value}\r\n" for name, value in self.trailer)
        return framed + b"0\r\n" + trailer.encode() + b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to be signed.

    Attributes:
        service: selects botocore's signer.
        method: the method.
        target: path and query as they are sent.
        spelt: path and query as they are given to botocore, where a client spells them otherwise.
        headers: signed headers; one may stand there twice.
        body: the body.
        chunked: send it in chunks, without Content-Length.
        payload: what x-amz-content-sha256 says: "hash", "unsigned" or "absent"; None: what the
            service's clients do.
        presigned: sign in the query.
        temporary: sign with temporary credentials.
        awaits_continue: send Expect: 100-continue, and wait for it.
    """

    service: str
    method: str = "GET"
    target: str = "/items/1"
    spelt: str | None = None
    headers: Headers = ()
    body: bytes = b""
    chunked: bool = False
    payload: str | None = None
    presigned: bool = False
    temporary: bool = False
    awaits_continue: bool = False

    def sign(self, *, prefix: str = "", case: str = "") -> Signed:
        """Return the request signed for now, with *prefix* before its path.

        *case* is a name by which the application notes the call; it is not signed.
        """
        spelt = prefix + (self.target if self.spelt is None else self.spelt)
        request = AWSRequest(
            method=self.method,
            url=f"https://{HOST}{spelt}",
            data=self.body,
            headers={"Host": HOST},
        )
        for name, value in self.headers:
            request.headers.add_header(name, value)
        self._sign(request)
        signed = Signed(
            method=self.method,
            target=prefix + self.target,
            headers=(
                *request.headers.items(),
                (SERVICE_HEADER, self.service),
                (CASE_HEADER, case),
            ),
            body=self.body,
            framing=self._framing(),
            chunked=self.chunked,
            awaits_continue=self.awaits_continue,
        )
        if self.awaits_continue:
            signed = signed.with_header("Expect", "100-continue")
        if self.presigned:
            path = prefix + self.target.partition("?")[0]
            signed = replace(signed, target=f"{path}?{urlsplit(request.url).query}")
        return signed

    def _sign(self, request: AWSRequest) -> None:
        if self.temporary:
            credentials = Credentials(TEMPORARY_KEY_ID, SECRET, SESSION_TOKEN)
        else:
            credentials = Credentials(ACCESS_KEY_ID, SECRET)
        if self.payload == "unsigned":
            request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        if self.payload == "hash" and self.service != S3:
            request.headers["X-Amz-Content-SHA256"] = SigV4Auth(
                credentials, self.service, REGION
            ).payload(request)
        _SIGNERS[self.service, self.presigned](credentials, self.service, REGION).add_auth(request)

    def _framing(self) -> Headers:
        if self.chunked:
            return (("Transfer-Encoding", "chunked"),)
        if self.body or self.method in ("POST", "PUT"):
            return (("Content-Length", str(len(self.body))),)
        return ()


_SIGNERS: dict[tuple[str, bool], Callable[..., Any]] = {
    (ITEMS, False): SigV4Auth,
    (ITEMS, True): SigV4QueryAuth,
    (S3, False): S3SigV4Auth,
    (S3, True): S3SigV4QueryAuth,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request of the list, and what has to become of it wherever a server can carry it.

    Attributes:
        name: of the row in the table; a case for each service may share it.
        request: what is signed.
        path: the decoded path that the application must route on; None: it must not be called.
        refused: statuses of which a refusal has one, where *path* is None.
        code: AWS's code of the refusal, where the refusal is ours.
        alter: what is done to the request after it was signed.
    """

    name: str
    request: Request
    path: str | None = None
    refused: tuple[int, ...] = ()
    code: str | None = None
    alter: Callable[[Signed], Signed] | None = None

    @property
    def id(self) -> str:
        """The name in the id of a test."""
        return f"{self.request.service}-{self.name}".replace(" ", "-")

    def signed(self, *, prefix: str = "", case: str = "") -> Signed:
        """Return the request as it is sent, signed for now."""
        signed = self.request.sign(prefix=prefix, case=case)
        return signed if self.alter is None else self.alter(signed)
