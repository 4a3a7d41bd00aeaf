"""A refusal as a response of Django's."""

from __future__ import annotations

from email.utils import formatdate
from typing import Final

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.environ import core_request
from wsgi_sigv4.contrib.django.environ import environ_of
from wsgi_sigv4.contrib.django.explaining import aexplain
from wsgi_sigv4.contrib.django.explaining import explain
from wsgi_sigv4.contrib.django.explaining import find_explained
from wsgi_sigv4.contrib.django.outcome import disown
from wsgi_sigv4.contrib.django.signals import atell_refused
from wsgi_sigv4.contrib.django.signals import tell_refused
from wsgi_sigv4.contrib.django.streaming import dismiss
from wsgi_sigv4.contrib.django.streaming import is_streamed
from wsgi_sigv4.contrib.django.streaming import settle
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.responses import answer_to

#: The attribute of a streamed request that holds why it was refused.
_REFUSAL: Final = "_sigv4_refusal"


def refuse(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> HttpResponse:
    """Return the answer to *request*, which was refused; log why, and tell who listens."""
    explain(refusal, request, conf)
    response = _refused(refusal, request, conf)
    tell_refused(request, refusal, conf)
    return response


async def arefuse(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> HttpResponse:
    """Do what :func:`refuse` does, without holding up the event loop."""
    await aexplain(refusal, request, conf)
    response = _refused(refusal, request, conf)
    await atell_refused(request, refusal, conf)
    return response


def _refused(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> HttpResponse:
    log_refusal(refusal, request.META, explained=find_explained(refusal, request))
    if is_streamed(request):
        # What a view, or AUTHORIZE, refuses is refused whatever the rest of the body is.
        setattr(request, _REFUSAL, refusal)
        dismiss(request)
        disown(request, conf)
    return _answer(refusal, request, conf)


def _answer(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> HttpResponse:
    answer = answer_to(
        refusal,
        request.META,
        conf.verifier,
        explain=conf.explain,
        explained=find_explained(refusal, request),
        render_refusal=conf.render_refusal,
    )
    response = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    # Whoever rendered it, no cache keeps it.
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ("Authorization",))
    if _is_behind_daphne(request):
        # SDKs correct their clock by it, and two of them would be none.
        response["Date"] = formatdate(usegmt=True)
    return response


def settled(
    response: HttpResponseBase, request: HttpRequest, conf: Configuration
) -> HttpResponseBase:
    """Return *response* where the body of *request* turns out to be the signed one (T50)."""
    if not is_streamed(request):
        return response
    failed = response.status_code >= 400
    refusal: SigV4Error | None = getattr(request, _REFUSAL, None)
    if refusal is not None:
        # Middleware below may have made a success of it.
        return response if failed else _replaced(response, _answer(refusal, request, conf))
    try:
        settle(request, failed=failed)
    except SigV4Error as error:
        return _replaced(response, refuse(error, request, conf))
    return response


def _replaced(response: HttpResponseBase, answer: HttpResponse) -> HttpResponse:
    """Return *answer*, which goes out in the place of *response* and is closed with it."""
    # Closing a response says that the request is finished, which it is once.
    answer._resource_closers.extend(response._resource_closers)  # type: ignore[attr-defined]
    return answer


def _is_behind_daphne(request: HttpRequest) -> bool:
    """Return whether the server is Daphne, which adds no Date to answers."""
    if not isinstance(request, ASGIRequest):
        return False
    # Other servers name the version of the specification.
    return "spec_version" not in request.scope.get("asgi", {})


def unsigned(request: HttpRequest, conf: Configuration) -> SigV4Error:
    """Return the refusal of *request*, which is not signed and has to be."""
    try:
        environ = environ_of(request, conf.deployment)
        return unsupported_scheme(core_request(request, environ, conf.deployment))
    except SigV4Error as refusal:
        return refusal
