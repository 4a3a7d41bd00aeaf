"""Attacks on Django REST framework, whose HTML pages ask the authentication class again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import path
from django.views.decorators.cache import cache_page

from tests.attacks.attacker import Wire
from tests.django.api import Signed
from tests.django.api import WhoAmI
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from tests.django.signing import tampered

OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
urlpatterns = [
    path("api/whoami", WhoAmI.as_view()),
    path("api/signed", Signed.as_view()),
    path("api/cached", cache_page(2_000_000)(Signed.as_view())),
]
TARGETS = ["/api/whoami", "/api/signed"]


@pytest.fixture(params=["with middleware", "alone"], autouse=True)
def _pages(request: pytest.FixtureRequest, settings: Any) -> None:
    """Have the framework render HTML, with the middleware and without."""
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "rest_framework"]
    backend = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": backend, "APP_DIRS": True}]
    settings.STATIC_URL = "/static/"
    settings.ROOT_URLCONF = __name__
    if request.param == "alone":
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]


def ask(sent: Sent) -> Any:
    """Return the answer to *sent*, for a browser, over a wire that waits when it is empty."""
    sent = sent.with_header("Accept", "text/html")
    return send(sent, **{"wsgi.input": Wire(sent.body)})


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_page_of_a_refusal_waits_for_no_second_body(target: str, method: str) -> None:
    """The body of a refused request has been read: asking again would wait for ever."""
    body = b'{"a": 1}'
    signed = sign(method, target, body=body, content_type="application/json")
    for sent in (tampered(signed), replace(signed, body=b'{"a": 2}')):
        assert ask(sent).status_code == 403


@pytest.mark.parametrize("target", TARGETS)
def test_page_of_an_answer_reads_the_body_once(target: str) -> None:
    """So has the body of a request that is served."""
    body = b'{"a": 1}'
    answer = ask(sign("POST", target, body=body, content_type="application/json"))
    assert answer.status_code == 200


def test_t47_answers_of_the_class_alone_vary() -> None:
    """T47: what the class decided by itself is not for other signers, nor kept where it refused."""
    signed = sign(target="/api/whoami")
    for sent in (signed, Sent(method="GET", target="/api/whoami"), tampered(signed)):
        answer = send(sent)
        assert "Authorization" in answer["Vary"]
        assert ("no-store" in answer.get("Cache-Control", "")) == (answer.status_code == 403)


@pytest.mark.parametrize("presigned", [False, True])
def test_cached_answer_does_not_outlive_the_signature(
    sigv4: Callable[..., None], presigned: bool
) -> None:
    """A cache above the class answers no request whose time is over, such as an ended URL."""
    now = time.time()
    sigv4(CLOCK=lambda: now)
    cache.clear()
    sent = sign(target="/api/cached", presigned=presigned)
    assert send(sent).status_code == 200
    now += 604_801
    assert send(sent).status_code in (400, 403)
    cache.clear()
