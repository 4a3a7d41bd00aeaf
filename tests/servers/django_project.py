"""The settings and the one view of a Django project; django_wsgi.py is its WSGI application."""

from __future__ import annotations

from django.http import HttpRequest
from django.http import JsonResponse
from django.urls import re_path

from tests.servers.applications import note
from tests.servers.applications import seen

SECRET_KEY = "a key for tests, and for nothing else"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = __name__
WSGI_APPLICATION = "tests.servers.django_wsgi.application"


def echo(request: HttpRequest) -> JsonResponse:
    """Answer with what reached the view."""
    call = seen(request.META, request.path_info.encode(), request.read())
    note(call)
    return JsonResponse(call)


urlpatterns = [re_path(r"(?s)^.*$", echo)]
