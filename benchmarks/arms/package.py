"""This project: a request goes through SigV4Middleware to an application that answers at once."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body, and answer."""
    while environ["wsgi.input"].read(65536):
        pass
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


class Served:
    """Sends requests to a WSGI application, as a server would."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._status = ""

    def copy(self) -> Served:
        """Return another for the same application: one serves one request at a time."""
        return Served(self._application)

    def prepare(self, request: Recorded) -> object:
        """Return the environ."""
        return request.environ()

    def verify(self, prepared: object) -> str:
        """Return the status of the answer."""
        assert isinstance(prepared, dict)
        answer = self._application(prepared, self._start_response)
        for _ in answer:
            pass
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        return self._status

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        self._status = status[:3]
        return io.BytesIO().write


def quiet_logs() -> None:
    """Let nobody hear of refusals: where no handler does anything, no record is made."""
    listen(logging.NullHandler())


def listen(handler: logging.Handler) -> None:
    """Let *handler*, and nobody else, hear of refusals."""
    logger = logging.getLogger("wsgi_sigv4")
    logger.handlers = [handler]
    logger.propagate = False


def arm(service: str, *, stream: bool = False) -> Served:
    """Return the arm for requests that are signed for *service*.

    Refusals are not logged; what a log handler costs comes on top.
    """
    quiet_logs()
    verifier = Verifier({ACCESS_KEY_ID: SECRET_ACCESS_KEY}, region=REGION, service=service)
    return Served(SigV4Middleware(hello, verifier, stream=stream))
