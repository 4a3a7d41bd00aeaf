"""The URLs of the project."""

from __future__ import annotations

from django.urls import path
from django.urls import re_path

from tests.django import api
from tests.django import views

urlpatterns = [
    path("exempt", views.exempt),
    path("exempt-class", views.ExemptClass.as_view()),
    path("async-exempt", views.async_exempt),
    path("not-exempt", views.whoami),
    path("required", views.required),
    path("required-class", views.RequiredClass.as_view()),
    path("required-method", views.RequiredMethod.as_view()),
    path("required-and-exempt", views.required_and_exempt),
    path("exempt-and-required", views.exempt_and_required),
    path("async-required", views.async_required),
    path("async-required-class", views.AsyncRequiredClass.as_view()),
    path("whoami", views.whoami),
    path("async-whoami", views.async_whoami),
    path("session", views.session),
    path("csrf-exempt-session", views.csrf_exempt_session),
    path("upload", views.upload),
    path("form", views.form),
    path("read", views.read),
    path("body", views.body),
    path("stream", views.stream),
    path("denied", views.denied),
    path("broken", views.broken),
    path("cached", views.cached),
    path("cached-guarded", views.cached_guarded),
    path("login", views.log_in),
    path("api/whoami", api.WhoAmI.as_view()),
    path("api/signed", api.Signed.as_view()),
    path("api/authenticated", api.Authenticated.as_view()),
    path("api/either", api.Either.as_view()),
    re_path(r"(?s)^echo/.*$", views.echo),
]
