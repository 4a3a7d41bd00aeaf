"""The views of the project: each answers with what it sees."""

from __future__ import annotations

import hashlib
from typing import Any
from typing import cast

from django.contrib.auth import get_user_model
from django.contrib.auth import login
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import JsonResponse
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt

from wsgi_sigv4.contrib.django.decorators import sigv4_exempt
from wsgi_sigv4.contrib.django.decorators import sigv4_required
from wsgi_sigv4.errors import AccessDenied

#: How often the cached views have run, and every call of `note`.
calls: list[str] = []


def seen(request: HttpRequest) -> JsonResponse:
    """Return who signed the request, whose it is, and which path it was routed on."""
    identity = request.sigv4  # type: ignore[attr-defined]
    calls.append(request.path_info)
    return JsonResponse(
        {
            "key": identity and identity.access_key_id,
            "user": str(getattr(request, "user", None)),
            "path": request.path,
            "path_info": request.path_info,
            "meta_path": request.META["PATH_INFO"],
            "remote_user": request.META.get("REMOTE_USER"),
            "meta_key": request.META.get("wsgi_sigv4.access_key_id"),
        }
    )


def digest(data: bytes) -> dict[str, Any]:
    """Return the length and the hash of *data*."""
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@csrf_exempt
def whoami(request: HttpRequest) -> HttpResponseBase:
    """Answer with what was verified."""
    return seen(request)


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponseBase:
    """Answer with the path and the body."""
    return JsonResponse({"path_info": request.path_info, **digest(request.read())})


async def async_whoami(request: HttpRequest) -> HttpResponseBase:
    """Answer with what was verified, and with who that is when asked for asynchronously."""
    user = await request.auser()
    response = seen(request)
    response["X-User"] = str(user)
    return response


exempt = csrf_exempt(sigv4_exempt(whoami))
required = sigv4_required(whoami)
required_and_exempt = sigv4_required(sigv4_exempt(whoami))
exempt_and_required = sigv4_exempt(sigv4_required(whoami))


@csrf_exempt
@sigv4_exempt
async def async_exempt(request: HttpRequest) -> HttpResponseBase:
    """Answer, signed or not."""
    return seen(request)


@sigv4_required
async def async_required(request: HttpRequest) -> HttpResponseBase:
    """Answer whoever signed."""
    return seen(request)


@method_decorator(sigv4_exempt, name="dispatch")
class ExemptClass(View):
    """Answers, signed or not."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return seen(request)


@method_decorator(sigv4_required, name="dispatch")
class RequiredClass(View):
    """Answers whoever signed."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return seen(request)


@method_decorator(sigv4_required, name="dispatch")
class AsyncRequiredClass(View):
    """Answers whoever signed, asynchronously."""

    async def get(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return seen(request)


class RequiredMethod(View):
    """Answers HEAD to all, and GET to whoever signed."""

    @method_decorator(sigv4_required)
    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return seen(request)

    def head(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        return HttpResponse()


def session(request: HttpRequest) -> HttpResponseBase:
    """Answer with what an attacker would want: the session's user beside the request's."""
    return seen(request)


csrf_exempt_session = csrf_exempt(session)


def log_in(request: HttpRequest) -> HttpResponseBase:
    """Log the victim in."""
    login(request, get_user_model().objects.get(username="victim"))
    return HttpResponse()


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponseBase:
    """Answer with the fields and the files of a form."""
    files = {
        name: digest(cast("UploadedFile[bytes]", file).read())
        for name, file in request.FILES.items()
    }
    return JsonResponse({"fields": request.POST.dict(), "files": files})


def form(request: HttpRequest) -> HttpResponseBase:
    """Answer with the fields of a form."""
    return JsonResponse({"fields": request.POST.dict()})


@csrf_exempt
def read(request: HttpRequest) -> HttpResponseBase:
    """Answer with the body, read piece by piece."""
    pieces = []
    while piece := request.read(7000):
        pieces.append(piece)
    return JsonResponse(digest(b"".join(pieces)))


@csrf_exempt
def body(request: HttpRequest) -> HttpResponseBase:
    """Answer with the body, as a whole."""
    return JsonResponse(digest(request.body))


@csrf_exempt
def stream(request: HttpRequest) -> HttpResponseBase:
    """Answer with the body, while the answer goes out."""
    return StreamingHttpResponse(iter(lambda: request.read(1000), b""))


def denied(request: HttpRequest) -> HttpResponseBase:
    """Refuse what the key may not do."""
    raise AccessDenied


def broken(request: HttpRequest) -> HttpResponseBase:
    """Fail."""
    raise RuntimeError("the view is broken")


@cache_page(60)
def cached(request: HttpRequest) -> HttpResponseBase:
    """Answer from the cache where that has an answer."""
    return seen(request)


@cache_page(60)
@sigv4_required
def cached_guarded(request: HttpRequest) -> HttpResponseBase:
    """Answer from the cache where that has an answer."""
    return seen(request)
