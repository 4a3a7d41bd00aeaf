"""One request as the environ that each server makes of it, as far as was measured.

Each server keeps a different part of the wire: another key for the raw target, another way to
join repeated headers, another word on how the body ends.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from urllib.parse import unquote_to_bytes

from a2wsgi.wsgi import build_environ

from tests.core.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What one server writes into an environ.

    Attributes:
        name: its name.
        raw_keys: the keys with the raw request target.
        joint: what stands between the values of a repeated header; None: the last one wins.
        terminated: whether ``wsgi.input_terminated`` is set: always, for a chunked body, never.
        extra: what else it writes.
    """

    name: str
    raw_keys: tuple[str, ...] = ()
    joint: str | None = ","
    terminated: str = "always"
    extra: Mapping[str, object] = field(default_factory=dict)


GUNICORN = Server(
    name="gunicorn", raw_keys=("RAW_URI",), extra={"SERVER_SOFTWARE": "gunicorn/27.0.1"}
)
UWSGI = Server(
    name="uwsgi",
    raw_keys=("REQUEST_URI",),
    joint=", ",
    terminated="never",
    extra={"uwsgi.version": b"2.0.30", "uwsgi.node": b"node"},
)
WAITRESS = Server(
    name="waitress",
    raw_keys=("REQUEST_URI",),
    joint=", ",
    extra={"SERVER_SOFTWARE": "waitress"},
)
CHEROOT = Server(
    name="cheroot",
    raw_keys=("REQUEST_URI",),
    joint=None,
    terminated="chunked",
    extra={"SERVER_SOFTWARE": "Cheroot/11.1.2 Server"},
)
MOD_WSGI = Server(
    name="mod_wsgi",
    raw_keys=("REQUEST_URI",),
    joint=", ",
    extra={"SERVER_SOFTWARE": "Apache/2.4.71 (Debian)", "mod_wsgi.version": (6, 1, 1)},
)
WERKZEUG = Server(
    name="werkzeug",
    raw_keys=("RAW_URI", "REQUEST_URI"),
    terminated="chunked",
    extra={"SERVER_SOFTWARE": "Werkzeug/3.1.9"},
)
WSGIREF = Server(
    name="wsgiref",
    terminated="never",
    extra={
        "SERVER_SOFTWARE": "WSGIServer/0.2",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "",
    },
)
GEVENT = Server(name="gevent", extra={"SERVER_SOFTWARE": "gevent/26.9 Python/3.11"})
GRANIAN = Server(name="granian", extra={"SERVER_SOFTWARE": "Granian", "HTTP_HOST": ""})
HYPERCORN = Server(name="hypercorn", terminated="never")
#: It names no server, and leaves out an empty QUERY_STRING.
BJOERN = Server(name="bjoern", joint="")

WITH_RAW_TARGET = (GUNICORN, UWSGI, WAITRESS, CHEROOT, MOD_WSGI, WERKZEUG)
WITHOUT_RAW_TARGET = (WSGIREF, GEVENT, GRANIAN, HYPERCORN)
SERVERS = (*WITH_RAW_TARGET, *WITHOUT_RAW_TARGET)


def environ_of(
    message: Message,
    server: Server = GUNICORN,
    *,
    body: object = None,
    chunked: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """Return the environ that *server* makes of *message*.

    Args:
        message: the request.
        server: the server.
        body: what stands in ``wsgi.input``; None: the body of the message.
        chunked: the body is sent with Transfer-Encoding instead of its length.
        changes: what the environ has otherwise.
    """
    target = message.path + (b"?" + message.query if message.query else b"")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": message.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(message.path).decode("latin-1"),
        "QUERY_STRING": message.query.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(message.body) if body is None else body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **server.extra,
    }
    environ.update(dict.fromkeys(server.raw_keys, target.decode("latin-1")))
    if server.terminated == "always" or (chunked and server.terminated == "chunked"):
        environ["wsgi.input_terminated"] = True
    environ.update(header_keys(message, server))
    if chunked:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    elif message.body:
        environ["CONTENT_LENGTH"] = str(len(message.body))
    return environ | changes


def header_keys(message: Message, server: Server) -> dict[str, str]:
    """Return the environ keys of the headers of *message*."""
    keys: dict[str, str] = {}
    for raw_name, raw_value in message.headers:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        if key in keys and server.joint is not None:
            value = keys[key] + server.joint + value
        keys[key] = value
    return keys


def asgi_environ_of(message: Message, *, root_path: str = "") -> dict[str, Any]:
    """Return the environ that a2wsgi itself makes of *message* under uvicorn."""
    scope: Any = {
        "type": "http",
        "http_version": "1.1",
        "method": message.method,
        "scheme": "http",
        "path": unquote_to_bytes(message.path).decode(errors="replace"),
        "raw_path": message.path,
        "query_string": message.query,
        "root_path": root_path,
        "headers": [(name.lower(), value) for name, value in message.headers],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
    }
    body: Any = io.BytesIO(message.body)
    environ: dict[str, Any] = dict(build_environ(scope, body))
    environ["wsgi.errors"] = io.StringIO()
    if message.body:
        environ["CONTENT_LENGTH"] = str(len(message.body))
    return environ
