"""Applications that see what comes to them, and hooks that remember verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4 import Verifier
from wsgi_sigv4.observing import Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def verifier(**parameters: Any) -> Verifier:
    """Return a verifier for S3 that knows the key of the tests, at the time of the tests."""
    defaults: dict[str, Any] = {
        "credentials": {ACCESS_KEY_ID: SECRET},
        "region": "us-east-1",
        "service": "s3",
        "clock": lambda: NOW,
    }
    return Verifier(**(defaults | parameters))


@dataclass(slots=True, kw_only=True)
class Existing:
    """An application that knows nothing of signatures: it reads its body, and remembers it."""

    calls: list[tuple[dict[str, Any], bytes | BaseException]] = field(default_factory=list)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen = {key: value for key, value in environ.items() if key != "wsgi.input"}
        self.calls.append((seen, read(environ)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]


def read(environ: WSGIEnvironment) -> bytes | BaseException:
    """Return the whole body of *environ*, or what reading it raises."""
    length = environ.get("CONTENT_LENGTH", "")
    stream = environ["wsgi.input"]
    try:
        if length.isdigit():
            body: bytes = stream.read(int(length)) if int(length) else b""
            return body
        if environ.get("wsgi.input_terminated"):
            return b"".join(iter(lambda: stream.read(1000), b""))
    except Exception as error:
        return error
    return b""


@dataclass(slots=True, kw_only=True)
class Hooks:
    """The verdicts that the hooks were told of, by the hook."""

    accepted: list[Verdict] = field(default_factory=list)
    refused: list[Verdict] = field(default_factory=list)

    @property
    def options(self) -> dict[str, Any]:
        """The options of a middleware with these hooks."""
        return {"on_accept": self.accepted.append, "on_refuse": self.refused.append}

    @property
    def all(self) -> list[Verdict]:
        """Every verdict."""
        return self.accepted + self.refused
