"""The URLs of the project: the admin, and views that say whose key it was."""

from __future__ import annotations

import os
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import JsonResponse
from django.urls import path


def whoami(request: HttpRequest) -> HttpResponse:
    """Say whose key it was, and which process was asked."""
    user = request.user
    return JsonResponse(_about(request, user))


async def async_whoami(request: HttpRequest) -> HttpResponse:
    """Say the same, asynchronously."""
    return JsonResponse(_about(request, await request.auser()))


def key_only(request: HttpRequest) -> HttpResponse:
    """Say which key it was, without the database."""
    return HttpResponse(f"{request.META['wsgi_sigv4.access_key_id']} {os.getpid()}")


async def async_key_only(request: HttpRequest) -> HttpResponse:
    """Say the same, asynchronously."""
    return key_only(request)


def tables(request: HttpRequest) -> HttpResponse:
    """Say the same in the words of DynamoDB's ListTables, for boto3."""
    names = [request.META["wsgi_sigv4.access_key_id"], str(os.getpid())]
    return JsonResponse({"TableNames": names})


def broken(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError("the view is broken")


def _about(request: Any, user: Any) -> dict[str, object]:
    return {
        "key": request.sigv4.access_key_id,
        "principal": request.sigv4.principal,
        "user": user.get_username(),
        "pid": os.getpid(),
    }


urlpatterns = [
    path("admin/", admin.site.urls),
    path("whoami", whoami),
    path("async-whoami", async_whoami),
    path("key", key_only),
    path("async-key", async_key_only),
    path("", tables),
    path("broken", broken),
]
