"""Hello-world in Flask and in Django, with and without the verification, for gunicorn to serve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.signed_requests import GENERIC
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment
    from django.http import HttpRequest
    from django.http import HttpResponse

CREDENTIALS = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
SKIN = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"


class NoOp:
    """A middleware that does nothing."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._application(environ, start_response)


def flask(*, verified: bool, middleware: bool = True) -> WSGIApplication:
    """Return the application in Flask.

    Args:
        verified: behind SigV4Middleware.
        middleware: where it is not, behind a middleware that does nothing.
    """
    from flask import Flask

    app = Flask("hello")

    @app.get("/items")
    def hello() -> str:
        return "Hello, world!"

    if verified:
        return _verified(app.wsgi_app)
    return NoOp(app.wsgi_app) if middleware else app.wsgi_app


def django(*, verified: bool, skin: bool = False) -> WSGIApplication:
    """Return the application in Django.

    Args:
        verified: behind SigV4Middleware.
        skin: behind that of Django rather than that of WSGI.
    """
    import django as package
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.configure(
        SECRET_KEY="of a benchmark",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=_Urls,
        INSTALLED_APPS=["wsgi_sigv4.contrib.django"] if skin else [],
        MIDDLEWARE=[SKIN] if skin else [],
        SIGV4={"CREDENTIALS": CREDENTIALS, "REGION": REGION, "SERVICE": GENERIC},
    )
    package.setup()
    _Urls.build()
    application = get_wsgi_application()
    return _verified(application) if verified and not skin else application


class _Urls:
    """The URLs of the Django project."""

    urlpatterns: tuple[object, ...] = ()

    @classmethod
    def build(cls) -> None:
        """Fill them, now that there are settings."""
        from django.urls import path

        cls.urlpatterns = (path("items", _hello),)


def _hello(request: HttpRequest) -> HttpResponse:
    from django.http import HttpResponse

    return HttpResponse("Hello, world!")


def _verified(application: WSGIApplication) -> SigV4Middleware:
    return SigV4Middleware(application, Verifier(CREDENTIALS, region=REGION, service=GENERIC))
