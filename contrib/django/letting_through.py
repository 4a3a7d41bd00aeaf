"""Which requests need a signature, as far as that can be told before routing."""

from __future__ import annotations

import re
from typing import Final
from typing import cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404
from django.urls import resolve
from django.utils.cache import patch_vary_headers

from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.decorators import is_exempt_view
from wsgi_sigv4.contrib.django.outcome import SigV4Request
from wsgi_sigv4.environ import as_wsgi
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.exemptions import is_exempt
from wsgi_sigv4.exemptions import is_preflight

#: What certainly is signed, so that nobody need ask which view it is for.
_SIGNED_QUERY: Final = re.compile(r"(?:^|&)X-Amz-(?:Algorithm|Signature)=")


def is_let_through(request: HttpRequest, conf: Configuration) -> bool:
    """Return whether *request* is passed on unverified; it has no identity from now on."""
    cast("SigV4Request", request).sigv4 = None
    if has_exempt_path(request, conf) or (conf.preflight and is_preflight(request.META)):
        forget_identity(request.META)
        return True
    return False


def has_exempt_path(request: HttpRequest, conf: Configuration) -> bool:
    """Return whether the path of *request* is exempt, be it by the operator's function."""
    if callable(conf.exempt):
        return is_exempt(request.META, conf.exempt)
    try:
        path_info = as_wsgi(request.path_info)
    except UnicodeEncodeError:
        return False
    return is_exempt({"PATH_INFO": path_info}, conf.exempt)


def must_be_signed(request: HttpRequest, conf: Configuration) -> bool:
    """Return whether *request* needs a signature, by the view that it seems to be for."""
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


def varying(response: HttpResponseBase) -> HttpResponseBase:
    """Tell caches that *response* is for one signer only."""
    patch_vary_headers(response, ("Authorization",))
    return response
