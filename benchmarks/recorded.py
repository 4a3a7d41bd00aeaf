"""Signed requests in a file, so that every arm of a comparison is given the very same ones.

Some arms run in an environment of their own: this module needs nothing but the standard library.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
HOST = "bucket.example"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

Environ = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A request as it is sent.

    Attributes:
        method: the method.
        target: path and query, as sent.
        headers: names and values, as sent.
        body: the body.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    def environ(self) -> Environ:
        """Return the environ that gunicorn makes of this request, but for its own objects."""
        path, _, query = self.target.partition("?")
        environ: Environ = {
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": None,
            "wsgi.input_terminated": True,
            "wsgi.input": io.BytesIO(self.body),
            "SERVER_SOFTWARE": "gunicorn/27",
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": query,
            "RAW_URI": self.target,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_PORT": "40000",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            # None of the paths here holds an escape.
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            environ[key] = value
        return environ


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Distinct requests of one kind.

    Attributes:
        service: for which they are signed.
        requests: the requests.
    """

    service: str
    requests: Sequence[Recorded]

    def save(self, path: Path) -> None:
        """Write this to *path*; a body that several requests have is written once."""
        bodies = {request.body: None for request in self.requests}
        numbers = {body: number for number, body in enumerate(bodies)}
        document = {
            "service": self.service,
            "bodies": [body.decode("latin-1") for body in bodies],
            "requests": [
                (request.method, request.target, request.headers, numbers[request.body])
                for request in self.requests
            ],
        }
        path.write_text(json.dumps(document), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Return what was written to *path*."""
        document = json.loads(path.read_text(encoding="utf-8"))
        bodies = [body.encode("latin-1") for body in document["bodies"]]
        requests = tuple(
            Recorded(method=method, target=target, headers=headers, body=bodies[number])
            for method, target, headers, number in document["requests"]
        )
        return cls(service=document["service"], requests=requests)
