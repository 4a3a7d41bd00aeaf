"""Why requests of Django's are refused, where ``EXPLAIN`` asks for that.

What was found stands in ``request.META``, beside the request as it arrived, so
that the log, the answer and the verdict say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import EllipsisType
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from wsgi_sigv4.contrib.django.calls import alookup
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.environ import core_request
from wsgi_sigv4.contrib.django.environ import environ_of
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.environ import SENT
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.telling import Explained
    from wsgi_sigv4.explaining import BodyRecord
    from wsgi_sigv4.explaining import Explainer
    from wsgi_sigv4.explaining import Sent


def watch(
    request: HttpRequest, conf: Configuration, *, body: Callable[[], bytes | None] | None = None
) -> BodyRecord | None:
    """Keep *request* as it is now; return what is to be told of its body, or None.

    Args:
        request: the request.
        conf: what the setting says.
        body: returns the body, where it is recorded already, or None where that is not known.
    """
    if conf.explainer is None or SENT in request.META:
        return None
    from wsgi_sigv4.explaining import BodyRecord
    from wsgi_sigv4.explaining import Sent

    if body is not None:
        request.META[SENT] = Sent(_request(request, conf.deployment), body)
        return None
    if isinstance(request, ASGIRequest) or hasattr(request, "_body"):
        received = _received(request)
        request.META[SENT] = Sent(_request(request, conf.deployment), lambda: received)
        return None
    record = BodyRecord(conf.explainer.length(request.META))
    request.META[SENT] = Sent(_request(request, conf.deployment), record.find_body)
    return record


def find_explained(refusal: SigV4Error, request: HttpRequest) -> Explained | None:
    """Return how *refusal* was explained, or None where it was not."""
    sent = request.META.get(SENT)
    return sent.explained if sent is not None and sent.is_known(refusal) else None


def explain(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> Explained | None:
    """Find out why *request* is refused with *refusal*, where that is asked."""
    if conf.explainer is None:
        return None
    return conf.explainer.explain_sent(refusal, _sent(request, conf))


async def aexplain(
    refusal: SigV4Error, request: HttpRequest, conf: Configuration
) -> Explained | None:
    """Do what :func:`explain` does, without holding up the event loop."""
    if conf.explainer is None:
        return None
    sent = _sent(request, conf)
    missed = conf.explainer.take()
    credentials: Credentials | EllipsisType | None = ...
    if missed is not None:
        credentials = conf.explainer.find_credentials(refusal, sent)
        if isinstance(credentials, EllipsisType):
            credentials = await _credentials(refusal, conf.explainer, sent, conf)
    # Not the thread of the database connections: everybody waits for that one.
    is_found = not isinstance(credentials, EllipsisType)
    return await sync_to_async(conf.explainer.explain_sent, thread_sensitive=not is_found)(
        refusal, sent, credentials=credentials, missed=missed
    )


async def _credentials(
    refusal: SigV4Error, explainer: Explainer, sent: Sent, conf: Configuration
) -> Credentials | EllipsisType | None:
    """Return the credentials for *sent*; an ellipsis: whoever explains it is told why not."""
    attempt = explainer.find_attempt(sent)
    if attempt is None or isinstance(refusal, CredentialsUnavailable):
        return ...
    try:
        return await alookup(conf.verifier.provider, attempt)
    except Exception:
        return ...


def _sent(request: HttpRequest, conf: Configuration) -> Sent:
    found: Sent | None = request.META.get(SENT)
    if found is not None:
        return found
    from wsgi_sigv4.explaining import Sent

    made = request.META[SENT] = Sent(_request(request, conf.deployment))
    return made


def _request(request: HttpRequest, deployment: Deployment) -> Callable[[], Request]:
    """Return what makes *request*, as it is now, one of the core."""
    try:
        environ: WSGIEnvironment = environ_of(request, deployment)
    except SigV4Error as error:
        return partial(_fail, error)
    return partial(core_request, request, environ, deployment)


def _fail(error: SigV4Error) -> Request:
    raise error


def _received(request: HttpRequest) -> bytes | None:
    """Return the body that Django has received, or None where it is not known or too long."""
    from wsgi_sigv4.explaining import BODY_LIMIT

    if hasattr(request, "_body"):
        return request._body if len(request._body) <= BODY_LIMIT else None
    stream = request._stream
    if not stream.seekable():
        return None
    position = stream.tell()
    body: bytes = stream.read(BODY_LIMIT + 1)
    stream.seek(position)
    return body if len(body) <= BODY_LIMIT else None
