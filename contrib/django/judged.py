"""What the middleware does where somebody wants to know the verdicts.

It is written down twice, here and in the middleware, so that a project in which
nobody asks pays for no more than the question.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from wsgi_sigv4.contrib.django.authentication import aauthenticate
from wsgi_sigv4.contrib.django.authentication import authenticate
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.explaining import explain
from wsgi_sigv4.contrib.django.judging import Timing
from wsgi_sigv4.contrib.django.judging import accepted
from wsgi_sigv4.contrib.django.judging import refused
from wsgi_sigv4.contrib.django.letting_through import is_let_through
from wsgi_sigv4.contrib.django.letting_through import must_be_signed
from wsgi_sigv4.contrib.django.letting_through import varying
from wsgi_sigv4.contrib.django.outcome import adopt
from wsgi_sigv4.contrib.django.refusals import arefuse
from wsgi_sigv4.contrib.django.refusals import refuse
from wsgi_sigv4.contrib.django.refusals import settled
from wsgi_sigv4.contrib.django.report_only import areport
from wsgi_sigv4.contrib.django.report_only import report
from wsgi_sigv4.contrib.django.report_only import shadow
from wsgi_sigv4.contrib.django.signals import atell_judged
from wsgi_sigv4.contrib.django.signals import atell_used
from wsgi_sigv4.contrib.django.signals import tell_judged
from wsgi_sigv4.contrib.django.signals import tell_used
from wsgi_sigv4.contrib.django.streaming import is_streamed
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.logs import log_refusal


def judged(
    request: HttpRequest,
    conf: Configuration,
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> HttpResponseBase:
    """Return the answer to *request*, and tell of the verdict on it."""
    if conf.report_only:
        return _reported(request, conf, get_response)
    if is_let_through(request, conf):
        return get_response(request)
    try:
        with Timing(request, conf) as timing:
            required = must_be_signed(request, conf)
            identity = authenticate(
                request, conf, required=required, rewrite_path=True, stream=True
            )
    except SigV4Error as refusal:
        return refuse(refusal, request, conf)
    if identity is not None:
        tell_used(request, identity, conf)
    adopt(request, identity, conf)
    response = varying(settled(get_response(request), request, conf))
    if identity is not None and timing.is_of(identity):
        tell_judged(request, accepted(request, identity, conf), conf)
    return response


async def ajudged(
    request: HttpRequest,
    conf: Configuration,
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> HttpResponseBase:
    """Do what :func:`judged` does, without holding up the event loop."""
    if conf.report_only:
        return await _areported(request, conf, get_response)
    if is_let_through(request, conf):
        return await get_response(request)
    try:
        with Timing(request, conf) as timing:
            required = must_be_signed(request, conf)
            identity = await aauthenticate(
                request, conf, required=required, rewrite_path=True, stream=True
            )
    except SigV4Error as refusal:
        return await arefuse(refusal, request, conf)
    if identity is not None:
        await atell_used(request, identity, conf)
    adopt(request, identity, conf)
    response = await get_response(request)
    if is_streamed(request):
        response = await sync_to_async(settled, thread_sensitive=True)(response, request, conf)
    if identity is not None and timing.is_of(identity):
        await atell_judged(request, accepted(request, identity, conf), conf)
    return varying(response)


def _reported(
    request: HttpRequest,
    conf: Configuration,
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> HttpResponseBase:
    with shadow(request, conf) as found:
        if not is_let_through(request, conf):
            required = must_be_signed(request, conf)
            found.identity = authenticate(
                found.request, conf, required=required, rewrite_path=True, stream=True
            )
    report(found, request, conf)
    if found.verdict is not None and not found.verdict.accepted:
        tell_judged(request, found.verdict, conf)
    response = get_response(request)
    tell_judged(request, found.verdict, conf)
    return response


async def _areported(
    request: HttpRequest,
    conf: Configuration,
    get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
) -> HttpResponseBase:
    with shadow(request, conf) as found:
        if not is_let_through(request, conf):
            required = must_be_signed(request, conf)
            found.identity = await aauthenticate(
                found.request, conf, required=required, rewrite_path=True, stream=True
            )
    await areport(found, request, conf)
    if found.verdict is not None and not found.verdict.accepted:
        await atell_judged(request, found.verdict, conf)
    response = await get_response(request)
    await atell_judged(request, found.verdict, conf)
    return response


def report_unsigned(refusal: SigV4Error, request: HttpRequest, conf: Configuration) -> None:
    """Tell that *request*, which nobody has judged, would be refused for its view."""
    explained = explain(refusal, request, conf)
    log_refusal(refusal, request.META, told="would have refused", explained=explained)
    tell_judged(request, refused(request, refusal, conf), conf)
