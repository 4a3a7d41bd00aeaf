"""The middleware: requests are verified before Django routes them.

In between, and not later, because whatever stands below it may read the body:
CSRF protection does, and so does every view. Which view a request is for is
known only after routing. So a request without a signature is let through
twice: first where the view that it seems to be for is exempt, and again, by
``process_view``, where the view that Django has really found is.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from collections.abc import Callable
from typing import Final
from typing import cast

from asgiref.sync import iscoroutinefunction
from asgiref.sync import markcoroutinefunction
from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404
from django.urls import resolve
from django.utils.cache import patch_vary_headers

from wsgi_sigv4.contrib.django.authentication import aauthenticate
from wsgi_sigv4.contrib.django.authentication import authenticate
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.decorators import is_exempt_view
from wsgi_sigv4.contrib.django.decorators import requires_signature
from wsgi_sigv4.contrib.django.order import check_order
from wsgi_sigv4.contrib.django.outcome import SigV4Request as SigV4Request
from wsgi_sigv4.contrib.django.outcome import adopt
from wsgi_sigv4.contrib.django.refusals import arefuse
from wsgi_sigv4.contrib.django.refusals import refuse
from wsgi_sigv4.contrib.django.refusals import settled
from wsgi_sigv4.contrib.django.refusals import unsigned
from wsgi_sigv4.contrib.django.streaming import is_refused
from wsgi_sigv4.contrib.django.streaming import is_streamed
from wsgi_sigv4.environ import as_wsgi
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.exemptions import is_exempt
from wsgi_sigv4.exemptions import is_preflight

GetResponse = (
    Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]
)

#: What certainly is signed, so that nobody need ask which view it is for.
_SIGNED_QUERY: Final = re.compile(r"(?:^|&)X-Amz-(?:Algorithm|Signature)=")


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
        get_configuration()
        check_order()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.async_mode:
            return self.__acall__(request)
        conf = get_configuration()
        get_response = cast("Callable[[HttpRequest], HttpResponseBase]", self.get_response)
        if _is_let_through(request, conf):
            return get_response(request)
        try:
            required = _must_be_signed(request, conf)
            identity = authenticate(
                request, conf, required=required, rewrite_path=True, stream=True
            )
        except SigV4Error as refusal:
            return refuse(refusal, request, conf)
        adopt(request, identity, conf)
        return _varying(settled(get_response(request), request, conf))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        conf = get_configuration()
        get_response = cast(
            "Callable[[HttpRequest], Awaitable[HttpResponseBase]]", self.get_response
        )
        if _is_let_through(request, conf):
            return await get_response(request)
        try:
            required = _must_be_signed(request, conf)
            identity = await aauthenticate(
                request, conf, required=required, rewrite_path=True, stream=True
            )
        except SigV4Error as refusal:
            return await arefuse(refusal, request, conf)
        adopt(request, identity, conf)
        response = await get_response(request)
        if is_streamed(request):
            # A synchronous server: what is left of the body has to be waited for.
            response = await sync_to_async(settled, thread_sensitive=True)(response, request, conf)
        return _varying(response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], args: object, kwargs: object
    ) -> HttpResponse | None:
        """Refuse an unsigned request for a view that is not exempt."""
        conf = get_configuration()
        if cast("SigV4Request", request).sigv4 is not None:
            return None
        if not requires_signature(view) and (
            not conf.required or is_exempt_view(view) or _has_exempt_path(request, conf)
        ):
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


def _is_let_through(request: HttpRequest, conf: Configuration) -> bool:
    """Return whether *request* is passed on unverified; it has no identity from now on."""
    cast("SigV4Request", request).sigv4 = None
    if _has_exempt_path(request, conf) or (conf.preflight and is_preflight(request.META)):
        forget_identity(request.META)
        return True
    return False


def _has_exempt_path(request: HttpRequest, conf: Configuration) -> bool:
    if callable(conf.exempt):
        # Nothing but True: a coroutine, say, exempts nothing.
        return conf.exempt(request.META) is True
    try:
        path_info = as_wsgi(request.path_info)
    except UnicodeEncodeError:
        return False
    return is_exempt({"PATH_INFO": path_info}, conf.exempt)


def _must_be_signed(request: HttpRequest, conf: Configuration) -> bool:
    if not conf.required or _is_plainly_signed(request):
        return conf.required
    try:
        view = resolve(request.path_info, getattr(request, "urlconf", None)).func
    except Resolver404:
        # Who may not see a page is not told either that there is none.
        return True
    return not is_exempt_view(view)


def _is_plainly_signed(request: HttpRequest) -> bool:
    authorization: str = request.META.get("HTTP_AUTHORIZATION", "")
    query: str = request.META.get("QUERY_STRING", "")
    return authorization.startswith("AWS4-") or _SIGNED_QUERY.search(query) is not None


def _varying(response: HttpResponseBase) -> HttpResponseBase:
    """Tell caches that *response* is for one signer only."""
    patch_vary_headers(response, ("Authorization",))
    return response
