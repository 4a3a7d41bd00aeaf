"""The body of a request, as Django keeps it."""

from __future__ import annotations

import os
from io import BytesIO
from typing import IO
from typing import TYPE_CHECKING
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BODY_KEYS: Final = ("wsgi.input", "wsgi.input_terminated", "CONTENT_LENGTH")


def find_kept_body(request: HttpRequest) -> bytes | None:
    """Return the body where something has read it and Django has kept it, else None.

    Raises:
        ImproperlyConfigured: if something has read it, and it is gone.
    """
    if hasattr(request, "_body"):
        return request._body
    if request._read_started:  # type: ignore[attr-defined]
        raise ImproperlyConfigured(
            "Something has read the body of this request before its signature could be verified. "
            "SigV4Middleware belongs above whatever reads request.POST, request.FILES or the body."
        )
    return None


def body_of(request: ASGIRequest) -> IO[bytes]:
    """Return the body that Django has received."""
    known = find_kept_body(request)
    return request._stream if known is None else BytesIO(known)


def size_of(body: IO[bytes]) -> int | None:
    """Return the size of *body*, rewound, in bytes; None where it cannot be rewound."""
    if not body.seekable():
        return None
    size = body.seek(0, os.SEEK_END)
    body.seek(0)
    return size


def take_body(request: HttpRequest, environ: WSGIEnvironment) -> None:
    """Make the application read what the core has left in *environ*."""
    request.META.pop("HTTP_TRANSFER_ENCODING", None)
    request.META |= {key: environ[key] for key in _BODY_KEYS if key in environ}
    replace_body(request, environ["wsgi.input"])


def replace_body(request: HttpRequest, body: IO[bytes]) -> None:
    """Make the application read *body*, which is closed together with *request*."""
    close_with(request, body)
    request._stream = body  # type: ignore[assignment]


def close_with(request: HttpRequest, body: IO[bytes]) -> None:
    """Close *body* together with *request*."""
    close = request.close

    def close_both() -> None:
        close()
        body.close()

    request.close = close_both  # type: ignore[method-assign]


def replace_kept_body(request: HttpRequest, body: bytes) -> None:
    """Make the application read *body* where Django has kept another one."""
    request._body = body
    request._stream = BytesIO(body)
