"""Calling an application as a server does, and an application that remembers its calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from tests.core.messages import Message
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server would send."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of the header *name*, which may stand once, or None."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) < 2
        return found[0] if found else None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def call(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Return the answer of *app*, read to its end and closed."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        assert not started or exc_info is not None
        started.append((status, headers))
        return written.append

    answer = app(environ, start_response)
    try:
        written.extend(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    status, headers = started[-1]
    return Answer(status=int(status[:3]), headers=tuple(headers), body=b"".join(written))


def send(
    app: WSGIApplication, message: Message, server: Server = GUNICORN, **environ: Any
) -> Answer:
    """Return the answer of *app* to *message* under *server*."""
    return call(app, environ_of(message, server, **environ))


@dataclass(slots=True, kw_only=True)
class Application:
    """Reads the body, answers 200, and remembers the environ and the body of each call."""

    environs: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Type", "text/plain")])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.environs.append(dict(environ))
        if "wsgi_sigv4.identity" in environ:
            self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", list(self.headers))
        return [b"served"]

    @property
    def called(self) -> bool:
        """Whether it was called at all."""
        return bool(self.environs)

    @property
    def environ(self) -> dict[str, Any]:
        """The environ of its only call."""
        (environ,) = self.environs
        return environ

    @property
    def body(self) -> bytes:
        """The body of its only call."""
        (body,) = self.bodies
        return body
