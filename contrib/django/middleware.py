"""The middleware: requests are verified before Django routes them.

In between, and not later, because whatever stands below it may read the body:
CSRF protection does, and so does every view. Which view a request is for is
known only after routing. So a request without a signature is let through
twice: first where the view that it seems to be for is exempt, and again, by
``process_view``, where the view that Django has really found is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from typing import Final
from typing import cast

from asgiref.sync import iscoroutinefunction
from asgiref.sync import markcoroutinefunction
from asgiref.sync import sync_to_async
from django.apps import apps
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseBadRequest
from django.http.response import HttpResponseBase

from wsgi_sigv4.contrib.django.authentication import aauthenticate
from wsgi_sigv4.contrib.django.authentication import authenticate
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.decorators import is_exempt_view
from wsgi_sigv4.contrib.django.decorators import requires_signature
from wsgi_sigv4.contrib.django.judged import ajudged
from wsgi_sigv4.contrib.django.judged import judged
from wsgi_sigv4.contrib.django.judged import report_unsigned
from wsgi_sigv4.contrib.django.judging import is_judged
from wsgi_sigv4.contrib.django.letting_through import has_exempt_path
from wsgi_sigv4.contrib.django.letting_through import is_let_through
from wsgi_sigv4.contrib.django.letting_through import must_be_signed
from wsgi_sigv4.contrib.django.letting_through import varying
from wsgi_sigv4.contrib.django.order import check_order
from wsgi_sigv4.contrib.django.outcome import SigV4Request as SigV4Request
from wsgi_sigv4.contrib.django.outcome import adopt
from wsgi_sigv4.contrib.django.refusals import arefuse
from wsgi_sigv4.contrib.django.refusals import refuse
from wsgi_sigv4.contrib.django.refusals import settled
from wsgi_sigv4.contrib.django.refusals import unsigned
from wsgi_sigv4.contrib.django.signals import atell_used
from wsgi_sigv4.contrib.django.signals import request_judged
from wsgi_sigv4.contrib.django.signals import tell_used
from wsgi_sigv4.contrib.django.streaming import is_refused
from wsgi_sigv4.contrib.django.streaming import is_streamed
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.logs import warn_of_explain
from wsgi_sigv4.logs import warn_of_missing_app
from wsgi_sigv4.logs import warn_of_report_only

GetResponse = (
    Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]
)

_APP: Final = "wsgi_sigv4.contrib.django"


class SigV4Middleware:
    """Lets only requests with a right signature reach the views.

    ``request.sigv4`` is the :class:`~wsgi_sigv4.Identity`, or None where an
    unsigned request was let through. On a signed request ``request.user`` is
    the key's owner, and the Authorization header stands for the CSRF token.

    Not verified: headers that were not signed, and that a request was not sent
    before.

    Raises:
        ImproperlyConfigured: if the setting, or the order of the middleware,
            makes no sense.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.async_mode = iscoroutinefunction(get_response)
        if self.async_mode:
            # The class has one __call__, which returns a coroutine then.
            markcoroutinefunction(self)
        # A fault shows when the server starts, not in the first answer.
        conf = get_configuration()
        if conf.report_only:
            warn_of_report_only()
        if conf.explain:
            warn_of_explain()
        # Where nobody has called django.setup(), nothing can be said of the apps.
        if apps.apps_ready and not apps.is_installed(_APP):
            warn_of_missing_app(_APP)
        check_order()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.async_mode:
            return self.__acall__(request)
        conf = get_configuration()
        get_response = cast("Callable[[HttpRequest], HttpResponseBase]", self.get_response)
        if conf.judges or request_judged.receivers:
            return judged(request, conf, get_response)
        if is_let_through(request, conf):
            return get_response(request)
        try:
            required = must_be_signed(request, conf)
            identity = authenticate(
                request, conf, required=required, rewrite_path=True, stream=True
            )
        except SigV4Error as refusal:
            return refuse(refusal, request, conf)
        if identity is not None:
            tell_used(request, identity, conf)
        adopt(request, identity, conf)
        return varying(settled(get_response(request), request, conf))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        conf = get_configuration()
        get_response = cast(
            "Callable[[HttpRequest], Awaitable[HttpResponseBase]]", self.get_response
        )
        if conf.judges or request_judged.receivers:
            return await ajudged(request, conf, get_response)
        if is_let_through(request, conf):
            return await get_response(request)
        try:
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
            # A synchronous server: what is left of the body has to be waited for.
            response = await sync_to_async(settled, thread_sensitive=True)(response, request, conf)
        return varying(response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], args: object, kwargs: object
    ) -> HttpResponse | None:
        """Refuse an unsigned request for a view that is not exempt."""
        conf = get_configuration()
        if cast("SigV4Request", request).sigv4 is not None:
            return None
        if conf.report_only and is_judged(request):
            return None
        if not requires_signature(view) and (
            not conf.required or is_exempt_view(view) or has_exempt_path(request, conf)
        ):
            return None
        if conf.report_only:
            report_unsigned(unsigned(request, conf), request, conf)
            return None
        return refuse(unsigned(request, conf), request, conf)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a refusal that a view raises as AWS would."""
        if is_refused(request):
            # No fault of the view's, to be mailed to the admins; the refusal takes its place.
            return HttpResponseBadRequest()
        if isinstance(exception, SigV4Error):
            return refuse(exception, request, get_configuration())
        return None
