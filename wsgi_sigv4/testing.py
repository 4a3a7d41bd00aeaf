"""Sign requests in tests of your own, as a client of AWS would.

:class:`Signer` makes the headers, or the presigned URL, of one request;
:func:`sign_client` makes a test client of werkzeug, Flask or Django sign each
request that it sends. Give signer and verifier one clock, and a test can ask
what happens five minutes later::

    signer = Signer("AKIAIOSFODNN7EXAMPLE", "...", region="us-east-1", service="items")
    client = sign_client(app.test_client(), signer)
    assert client.get("/items", query_string={"q": "lamp"}).status_code == 200
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import TypeVar
from urllib.parse import quote
from urllib.parse import urlsplit

from werkzeug.test import Client
from werkzeug.wsgi import get_input_stream

from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.signer import DEFAULT_PORTS
from wsgi_sigv4.signer import UNSIGNED_HEADERS as UNSIGNED_HEADERS
from wsgi_sigv4.signer import Signer as Signer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers

ClientT = TypeVar("ClientT")

#: What a request target may hold, so that quoting leaves it alone.
_VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")


def sign_client(client: ClientT, signer: Signer, *, expires: int | None = None) -> ClientT:
    """Make a test client sign each request that it sends, and return it.

    Forms, JSON, files and query arguments are signed as the client encodes
    them, and after a redirect the next request is signed anew. A request that
    brings an Authorization header or a signed query of its own keeps that.

    Args:
        client: a test client of werkzeug, Flask or Django (``Client``,
            ``AsyncClient``, and Django REST framework's ``APIClient``).
        signer: the signer.
        expires: send each request as a presigned URL that lives so many
            seconds; None: sign in the Authorization header.

    Raises:
        TypeError: if *client* is none of these.
    """
    if isinstance(client, Client):
        _sign_werkzeug(client, signer, expires)
    elif hasattr(client, "_base_scope"):
        _sign_django_async(client, signer, expires)
    elif hasattr(client, "_base_environ"):
        _sign_django(client, signer, expires)
    else:
        raise TypeError(f"no test client of werkzeug, Flask or Django: {type(client).__name__}")
    return client


def _sign_werkzeug(client: Client, signer: Signer, expires: int | None) -> None:
    send = client.run_wsgi_app

    def run_wsgi_app(
        environ: WSGIEnvironment, buffered: bool = False
    ) -> tuple[Iterable[bytes], str, Headers]:
        body = get_input_stream(environ).read()
        # The client makes the request that follows a redirect out of this one:
        # it must not bring our signature, and may bring the body.
        environ["wsgi.input"] = BytesIO(body)
        return send(_signed_environ(environ, body, signer, expires), buffered)

    client.run_wsgi_app = run_wsgi_app  # type: ignore[method-assign]


def _sign_django(client: Any, signer: Signer, expires: int | None) -> None:
    send = client.request

    def request(**parts: Any) -> Any:
        environ = client._base_environ(**parts)
        body = get_input_stream(environ).read()
        return send(**_signed_environ(environ, body, signer, expires))

    client.request = request


def _sign_django_async(client: Any, signer: Signer, expires: int | None) -> None:
    send = client.request

    def request(**parts: Any) -> Any:
        return send(**_signed_scope(parts, signer, expires))

    client.request = request


def _signed_environ(
    environ: WSGIEnvironment, body: bytes, signer: Signer, expires: int | None
) -> WSGIEnvironment:
    """Return a signed copy of *environ*, with the request target that a server would give."""
    environ = {**environ, "wsgi.input": BytesIO(body)}
    environ.setdefault("HTTP_HOST", _host(environ))
    path, query = _path_sent(environ), _encoded(environ.get("QUERY_STRING", ""))
    _set_target(environ, path, query)
    request = request_from_environ(environ)
    if _is_authorized(request):
        return environ
    if expires is not None:
        _set_target(environ, path, signer.presigned_query(request, body, expires=expires))
        return environ
    for name, value in signer.headers_of(request, body).items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def _signed_scope(parts: dict[str, Any], signer: Signer, expires: int | None) -> dict[str, Any]:
    """Return a signed copy of *parts*, of which Django's AsyncClient makes its scope."""
    body, scope = b"", {**parts, "headers": _headers_sent(parts["headers"])}
    if "_body_file" in scope:
        body = scope["_body_file"].read()
        scope["_body_file"] = type(scope["_body_file"])(body)
    # The client decodes the path as WSGI has it, and a server of ASGI as UTF-8.
    decoded = scope["path"].encode("latin-1")
    path = uri_encode(decoded, keep_slash=True)
    query = quote(scope["query_string"], safe=_VISIBLE)
    request = Request(
        method=scope["method"],
        path=path,
        query=query.encode("ascii"),
        headers=tuple(scope["headers"]),
    )
    if _is_authorized(request):
        pass
    elif expires is not None:
        query = signer.presigned_query(request, body, expires=expires)
    else:
        added = signer.headers_of(request, body)
        scope["headers"] += [(n.lower().encode(), v.encode()) for n, v in added.items()]
    target = {"raw_path": path, "query_string": query.encode("ascii")}
    return {**scope, **target, "path": decoded.decode("utf-8", "replace")}


def _headers_sent(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    # Django 5.2.0 writes `if_match` for a header that the test gives.
    dashed = [(name.replace(b"_", b"-"), value) for name, value in headers]
    # A Host that the test gives comes after the one that the client has by itself.
    hosts = [pair for pair in dashed if pair[0] == b"host"]
    return [*hosts[-1:], *(pair for pair in dashed if pair[0] != b"host")]


def _set_target(environ: WSGIEnvironment, path: str, query: str) -> None:
    environ["QUERY_STRING"] = query
    environ["REQUEST_URI"] = environ["RAW_URI"] = f"{path}?{query}" if query else path


def _path_sent(environ: WSGIEnvironment) -> str:
    """Return the path that a client would have sent for *environ*, percent-encoded.

    werkzeug's REQUEST_URI is what the test wrote: perhaps a whole URL, perhaps
    text that is not encoded, and never with SCRIPT_NAME. Django's client has
    none.
    """
    script_name = environ.get("SCRIPT_NAME", "").encode("latin-1")
    routed = script_name + environ.get("PATH_INFO", "").encode("latin-1")
    written = _encoded(urlsplit(environ.get("REQUEST_URI", "")).path)
    mount = uri_encode(script_name, keep_slash=True).decode("ascii")
    for path in (written, mount + written):
        if path and percent_decode(path.encode("ascii")) == routed:
            return path
    return uri_encode(routed or b"/", keep_slash=True).decode("ascii")


def _encoded(text: str) -> str:
    """Return *text*, latin-1 as in an environ, with what no target may hold percent-encoded."""
    return quote(text.encode("latin-1"), safe=_VISIBLE)


def _host(environ: WSGIEnvironment) -> str:
    """Return the Host header that Django's client leaves out."""
    host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return host.removesuffix(DEFAULT_PORTS[environ["wsgi.url_scheme"]])


def _is_authorized(request: Request) -> bool:
    signed = any(name == b"X-Amz-Signature" for name, _ in parse_query(request.query))
    return signed or request.header("authorization") is not None
