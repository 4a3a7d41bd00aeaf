"""What an attacker works with: requests that botocore signed, and environs written by hand."""

from __future__ import annotations

import io
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.wsgi.calls import Answer
from tests.wsgi.calls import call

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "localhost"
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

_SIGNERS: dict[tuple[bool, bool], Any] = {
    (False, False): SigV4Auth,
    (False, True): SigV4QueryAuth,
    (True, False): S3SigV4Auth,
    (True, True): S3SigV4QueryAuth,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it goes over the wire.

    Attributes:
        method: the method.
        target: path and query.
        headers: names and values.
        body: the body.
    """

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = (("Host", HOST),)
    body: bytes = b""

    def having(self, *headers: tuple[str, str]) -> Sent:
        """Return this request with more *headers*."""
        return replace(self, headers=(*self.headers, *headers))

    def environ(self, **extra: Any) -> dict[str, Any]:
        """Return the environ that gunicorn would make of it."""
        path, _, query = self.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "RAW_URI": self.target,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": HOST,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.body:
            environ["CONTENT_LENGTH"] = str(len(self.body))
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ | extra


def sign(
    method: str = "GET",
    target: str = "/",
    *,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    service: str = "items",
    presigned: bool = False,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
) -> Sent:
    """Return a request that botocore has signed just now, with *headers* signed too."""
    request = AWSRequest(method, f"http://{HOST}{target}", headers={"Host": HOST}, data=body)
    for name, value in headers:
        request.headers[name] = value
    signer = _SIGNERS[service == "s3", presigned]
    signer(Credentials(key, secret, token), service, "us-east-1").add_auth(request)
    path, query = target.partition("?")[0], urlsplit(request.url).query
    kept = tuple(pair for pair in request.headers.items() if pair[0] != "Content-Length")
    target = f"{path}?{query}" if query else path
    return Sent(method=method, target=target, headers=kept, body=body)


class Wire(io.BytesIO):
    """A socket of a server that waits when it is asked for more than the body."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        if self.tell() == len(self.getbuffer()):
            pytest.fail("this read would wait for ever")
        return super().read(size)


def send(app: WSGIApplication, sent: Sent, **extra: Any) -> Answer:
    """Return the answer of *app* to *sent*, where *extra* stands in the environ too."""
    return call(app, sent.environ(**extra))
