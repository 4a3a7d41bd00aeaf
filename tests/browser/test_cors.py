"""A page of another origin uploads to a presigned URL (T42), in headless Chromium.

A browser asks with an OPTIONS request before it sends a PUT to another origin,
and that request carries the presigned query of the PUT: it can never be
verified, and it must never count as authenticated.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http import HttpResponse
from django.urls import path
from flask import Flask
from flask import request
from flask_cors import CORS
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="SKIPPED: chromium and chromium-driver are not installed",
    ),
]

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

FETCH = """
const [url, done] = [arguments[0], arguments[arguments.length - 1]];
fetch(url, {method: "PUT", body: "hello"})
  .then(async answer => done([answer.status, await answer.text()]))
  .catch(error => done([0, String(error)]));
"""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A headless Chromium with an empty profile."""
    from selenium.webdriver import Chrome
    from selenium.webdriver import ChromeOptions
    from selenium.webdriver import ChromeService

    profile: Path = tmp_path_factory.mktemp("chromium")
    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{flag}")
    driver = Chrome(options=options, service=ChromeService(str(shutil.which("chromedriver"))))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


class Served:
    """An application on a loopback port of its own, in a thread."""

    def __init__(self, app: WSGIApplication) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return self.origin

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


def presigned(url: str) -> str:
    """Return *url*, presigned by botocore for a PUT of any body."""
    signed = AWSRequest("PUT", url)
    S3SigV4QueryAuth(Credentials(KEY_ID, SECRET), "s3", "us-east-1", expires=60).add_auth(signed)
    return str(signed.prepare().url)


def flask_app(calls: list[str], *, preflight: bool) -> WSGIApplication:
    """Return a Flask application with flask-cors, behind the middleware."""
    app = Flask(__name__)
    CORS(app, methods=["PUT"])

    @app.put("/upload")
    def upload() -> str:
        calls.append(f"{request.method} {request.environ['wsgi_sigv4.access_key_id']}")
        return request.get_data(as_text=True)

    return SigV4Middleware(
        app, Verifier({KEY_ID: SECRET}, region="us-east-1", service="s3"), preflight=preflight
    )


def django_app(calls: list[str], settings: Any, *, preflight: bool) -> WSGIApplication:
    """Return a Django project with django-cors-headers above our middleware."""

    def upload(request: HttpRequest) -> HttpResponse:
        calls.append(f"{request.method} {request.META['wsgi_sigv4.access_key_id']}")
        return HttpResponse(request.body)

    settings.ROOT_URLCONF = ModuleType("urls")
    settings.ROOT_URLCONF.urlpatterns = [path("upload", upload)]
    settings.CORS_ALLOW_ALL_ORIGINS = True
    settings.MIDDLEWARE = [
        "corsheaders.middleware.CorsMiddleware",
        "wsgi_sigv4.contrib.django.middleware.SigV4Middleware",
    ]
    settings.SIGV4 = {
        "CREDENTIALS": {KEY_ID: SECRET},
        "REGION": "us-east-1",
        "SERVICE": "s3",
        "PREFLIGHT": preflight,
    }
    return WSGIHandler()


@pytest.fixture(params=["flask", "django"])
def make_app(request: pytest.FixtureRequest, settings: Any) -> Callable[..., WSGIApplication]:
    """Make the same API with either framework and its CORS layer."""
    if request.param == "flask":
        return flask_app
    return partial(django_app, settings=settings)


@pytest.fixture
def page(chrome: Chrome) -> Iterator[Chrome]:
    """The browser, on a page of another origin than the API's."""
    with Served(Response("a page", mimetype="text/html")) as origin:
        chrome.get(origin)
        yield chrome


def test_presigned_put_from_another_origin(
    page: Chrome, make_app: Callable[..., WSGIApplication]
) -> None:
    """T42: with preflight=True the browser's upload is verified and reaches the view."""
    calls: list[str] = []
    with Served(make_app(calls, preflight=True)) as api:
        answer = page.execute_async_script(FETCH, presigned(f"{api}/upload"))
    assert answer == [200, "hello"]
    assert calls == [f"PUT {KEY_ID}"]


def test_forged_put_from_another_origin(
    page: Chrome, make_app: Callable[..., WSGIApplication]
) -> None:
    """T42: the preflight opens nothing, a forged upload is refused before the view."""
    calls: list[str] = []
    with Served(make_app(calls, preflight=True)) as api:
        url = presigned(f"{api}/upload")
        answer = page.execute_async_script(FETCH, url[:-1] + ("0" if url[-1] != "0" else "1"))
    assert answer[0] in (0, 403)
    assert calls == []


def test_preflight_opens_nothing_by_default(
    page: Chrome, make_app: Callable[..., WSGIApplication]
) -> None:
    """T42: without preflight=True only a CORS layer outside the middleware lets the page upload."""
    calls: list[str] = []
    with Served(make_app(calls, preflight=False)) as api:
        answer = page.execute_async_script(FETCH, presigned(f"{api}/upload"))
    # flask-cors is inside, and never asked; django-cors-headers is above, and
    # answers the preflight itself: what follows is verified.
    inside = make_app is flask_app
    assert answer == ([0, "TypeError: Failed to fetch"] if inside else [200, "hello"])
    assert calls == ([] if inside else [f"PUT {KEY_ID}"])
