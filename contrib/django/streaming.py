"""A body that is verified while a view reads it, and what follows from its refusal (T50)."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from wsgi_sigv4.authentication import dismiss as dismiss_body
from wsgi_sigv4.authentication import forget_body
from wsgi_sigv4.authentication import settle as settle_body
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.body import StreamedBody

_STREAMED: Final = "_sigv4_streamed"


def remember_streamed(request: HttpRequest, body: StreamedBody | None) -> None:
    """Note that *body* is that of *request*; None where it was verified first."""
    setattr(request, _STREAMED, body)


def find_streamed(request: HttpRequest) -> StreamedBody | None:
    """Return the body of *request* where it is verified while a view reads it, or None."""
    found: StreamedBody | None = getattr(request, _STREAMED, None)
    return found


def is_streamed(request: HttpRequest) -> bool:
    """Return whether the body of *request* is verified while a view reads it."""
    return find_streamed(request) is not None


def is_refused(request: HttpRequest) -> bool:
    """Return whether the body of *request* was refused while a view read it."""
    body = find_streamed(request)
    if body is None and "wsgi.input" in request.META:
        # The wrapper around the project may stream it.
        body = streamed_body(request.META)
    return body is not None and body.refusal is not None


def settle(request: HttpRequest, *, failed: bool) -> None:
    """Learn whether the body of *request* is the one that was signed, before it is answered (T50).

    Args:
        request: the request.
        failed: the answer is an error, for which the client need not send all of the body.

    Raises:
        SigV4Error: the reason for which the request is refused after all.
    """
    body: StreamedBody = getattr(request, _STREAMED)
    settle_body(body, request.META, failed=failed)
    if failed:
        # Who logs a failed request finds it without a body, and does not wait for one.
        forget_body(request.META)
        request._stream = request.META["wsgi.input"]


def dismiss(request: HttpRequest) -> None:
    """Drain the body of *request*, which is refused, and leave an empty one in its place."""
    body: StreamedBody = getattr(request, _STREAMED)
    dismiss_body(body, request.META)
    request._stream = request.META["wsgi.input"]
    if request._read_started:  # type: ignore[attr-defined]
        # Django leaves the file of a form that could not be read to its end open.
        for handler in request._upload_handlers:  # type: ignore[attr-defined]
            handler.upload_interrupted()
