"""Refusals as Flask takes them: exceptions of werkzeug's, too.

A refusal is an instance of its class in :mod:`wsgi_sigv4.errors` and of
werkzeug's class for its status, so that error handlers for either see it:
``@app.errorhandler(403)`` and ``@app.errorhandler(SigV4Error)``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from flask import Response
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import default_exceptions

from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import SigV4Error


class PresignedNotAllowed(AccessDenied):
    """The request is a presigned URL, and the view takes none."""

    summary = "This view takes no presigned URLs."


def as_http_exception(
    refusal: SigV4Error, *, description: str, response: Response
) -> HTTPException:
    """Return *refusal* as an instance of werkzeug's class for the status of *response* too.

    Without an error handler *response* goes out. Its facts are attributes of
    the exception; *name*, which a few have, is werkzeug's name of the status.
    """
    http = default_exceptions.get(response.status_code, HTTPException)
    kind = _both(type(refusal), http, response.status_code)  # type: ignore[arg-type] # (hashable)
    error = kind.__new__(kind)
    http.__init__(error, description=description, response=response)
    vars(error).update(vars(refusal))
    return error


@lru_cache(maxsize=256)
def _both(kind: type[SigV4Error], http: type[HTTPException], status: int) -> type[HTTPException]:

    def reduce(error: SigV4Error) -> tuple[object, ...]:
        # The class has no name that it could be found by. The answer may repeat
        # a signature, and explain a request: it goes to nobody but the client.
        _, (_, args), facts = SigV4Error.__reduce__(error)
        return _made_again, (kind, http, status, args), facts | {"response": None}

    names = {
        "code": status,
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
        "__reduce__": reduce,
    }
    return cast("type[HTTPException]", type(kind.__name__, (kind, http), names))


def _made_again(
    kind: type[SigV4Error], http: type[HTTPException], status: int, args: tuple[object, ...]
) -> HTTPException:
    both = _both(kind, http, status)  # type: ignore[arg-type] # (hashable)
    return both.__new__(both, *args)


def keep_from_caches(response: Response) -> Response:
    """Tell caches to keep no refusal, whoever rendered it."""
    response.vary.add("Authorization")
    response.cache_control.no_store = True
    return response
