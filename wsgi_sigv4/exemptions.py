"""Which requests are not verified at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsgi_sigv4.environ import as_wsgi
from wsgi_sigv4.options import Exempt

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def is_exempt(environ: WSGIEnvironment, exempt: Exempt) -> bool:
    """Return whether the path of *environ* is exempt from verification.

    A prefix covers whole segments. A path that another layer might read
    differently (dot segments, doubled slashes, left-over escapes) never is.
    """
    if callable(exempt):
        # Nothing but True: a coroutine, say, exempts nothing.
        return exempt(environ) is True
    if not exempt:
        return False
    path: str = environ.get("PATH_INFO", "")
    if any(mark in path for mark in ("//", "/.", "%", "\\", "\0")):
        return False
    prefixes = (as_wsgi(prefix) for prefix in exempt)
    return any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Return whether *environ* is a CORS preflight request, which no browser signs."""
    return (
        environ.get("REQUEST_METHOD") == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )
