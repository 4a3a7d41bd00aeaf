"""The environ that a server makes of a request, for several servers' ways of doing it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote
from urllib.parse import unquote_to_bytes

from tests.core.signed_requests import SignedRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How a server fills the environ.

    Attributes:
        software: its SERVER_SOFTWARE.
        target_keys: where it puts the target as sent.
        joins_with: what it puts between the values of a repeated header.
        makes_up: True where it gives a content type and an empty length for none.
        extra: keys of its own.
    """

    software: str
    target_keys: tuple[str, ...] = ()
    joins_with: bytes = b","
    makes_up: bool = False
    extra: tuple[tuple[str, object], ...] = ()

    @property
    def tells_all(self) -> bool:
        """Whether nothing is lost between the wire and the environ."""
        raw = bool(self.target_keys) or "asgi.scope" in dict(self.extra)
        return raw and self.joins_with == b","


SERVERS = (
    Server(software="gunicorn/27.0.1", target_keys=("RAW_URI",)),
    Server(software="Werkzeug/3.1.9", target_keys=("RAW_URI", "REQUEST_URI")),
    Server(software="waitress", target_keys=("REQUEST_URI",), joins_with=b", "),
    Server(
        software="uwsgi",
        target_keys=("REQUEST_URI",),
        joins_with=b", ",
        extra=(("uwsgi.version", b"2.0.30"),),
    ),
    Server(software="WSGIServer/0.2 CPython/3.11.7", makes_up=True),
    Server(software="granian"),
    Server(software="uvicorn", extra=(("asgi.scope", None),)),
)


def environ_of(sent: SignedRequest, server: Server) -> WSGIEnvironment:
    """Return the environ that *server* makes of *sent*."""
    target = sent.path + (b"?" + sent.query if sent.query else b"")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(sent.path).decode("latin-1"),
        "QUERY_STRING": sent.query.decode("latin-1"),
        "SERVER_SOFTWARE": server.software,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(sent.body),
        **dict(server.extra),
        **dict.fromkeys(server.target_keys, target.decode("latin-1")),
    }
    if "asgi.scope" in environ:
        environ["asgi.scope"] = {"raw_path": sent.path, "query_string": sent.query}
    if server.makes_up:
        environ |= {"CONTENT_TYPE": "text/plain", "CONTENT_LENGTH": ""}
    if sent.body:
        environ["CONTENT_LENGTH"] = str(len(sent.body))
    return environ | _headers(sent, server)


def _headers(sent: SignedRequest, server: Server) -> dict[str, str]:
    values: dict[str, list[bytes]] = {}
    for name, value in sent.headers:
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        if key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            key = key.removeprefix("HTTP_")
        values.setdefault(key, []).append(value.strip(b" \t"))
    return {key: server.joins_with.join(lines).decode("latin-1") for key, lines in values.items()}


def sent_of(environ: WSGIEnvironment, like: SignedRequest, body: bytes) -> SignedRequest | None:
    """Return the request that *environ* speaks of, None where it contradicts itself.

    Args:
        environ: the environ.
        like: a request to the same server.
        body: the body.
    """
    if contradicts_itself(environ):
        return None
    routed = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    query = environ.get("QUERY_STRING", "")
    targets = {environ[key] for key in ("REQUEST_URI", "RAW_URI") if key in environ}
    scope = environ.get("asgi.scope") or {}
    if not targets and scope.get("raw_path"):
        more = b"?" + scope["query_string"] if scope["query_string"] else b""
        targets.add((scope["raw_path"] + more).decode("latin-1"))
    if not targets:
        path = quote(routed.encode("latin-1"), safe="/~")
        targets.add(f"{path}?{query}" if query else path)
    path, _, asked = targets.pop().partition("?")
    if targets or asked != query:
        return None
    host = re.escape(environ.get("HTTP_HOST", ""))
    path = re.sub(rf"\A[A-Za-z][A-Za-z0-9+.-]*://{host}(?=/|\Z)", "", path) or "/"
    return replace(
        like,
        method=environ.get("REQUEST_METHOD", ""),
        path=path.encode("latin-1"),
        query=query.encode("latin-1"),
        headers=tuple(lines_of(environ)),
        body=body,
    )


def contradicts_itself(environ: WSGIEnvironment) -> bool:
    """Return whether headers with an underscore have got among the keys of the server."""
    return not environ.keys().isdisjoint({"HTTP_SCRIPT_NAME", "HTTP_PATH_INFO"}) or any(
        f"HTTP_{key}" in environ and environ[f"HTTP_{key}"] != environ.get(key)
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    )


def lines_of(environ: WSGIEnvironment) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and values of the headers that *environ* tells of."""
    for key, value in environ.items():
        bare = key.removeprefix("HTTP_")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH") or (
            key != bare and bare not in ("CONTENT_TYPE", "CONTENT_LENGTH")
        ):
            name = bare.replace("_", "-").lower().encode("latin-1", "backslashreplace")
            yield name, value.encode("latin-1")
