"""A Django view that tells what it read of a request, at every path."""

from __future__ import annotations

import json

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseRedirect
from django.http import JsonResponse
from django.urls import re_path

from wsgi_sigv4 import Identity


class SignedRequest(HttpRequest):
    """A request behind the middleware."""

    sigv4: Identity


def seen(request: SignedRequest) -> HttpResponse:
    """Answer what arrived of *request*; `/old` redirects, keeping the body where asked."""
    if request.path == "/old":
        moved = HttpResponseRedirect("/new?from=old")
        moved.status_code = int(request.GET["status"])
        return moved
    # The body of a form may be read as one only.
    is_json = request.content_type == "application/json"
    body = json.loads(request.body) if is_json else None
    answer = JsonResponse(
        {
            "key": request.sigv4.access_key_id,
            "presigned": request.sigv4.presigned,
            "method": request.method,
            "path": request.path,
            "args": dict(request.GET.lists()),
            "form": dict(request.POST.lists()),
            "files": {name: _content(request, name) for name in request.FILES},
            "json": body,
        }
    )
    answer.set_cookie("seen", "yes")
    return answer


def _content(request: HttpRequest, name: str) -> str:
    file = request.FILES[name]
    assert isinstance(file, UploadedFile)
    return str(file.read(), "utf-8")


urlpatterns = [re_path("", seen)]
