"""T47: Django's caches, between signers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.middleware.cache import UpdateCacheMiddleware
from django.test import RequestFactory

from tests.django import views
from tests.django.signing import FIRST
from tests.django.signing import SECOND
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from tests.django.signing import tampered


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def varies_by_itself() -> bool:
    """Return whether this Django stores answers to requests with Authorization apart."""
    request = RequestFactory().get("/", headers={"authorization": "x"})
    request._cache_update_cache = True  # type: ignore[attr-defined]
    middleware = UpdateCacheMiddleware(lambda request: HttpResponse())
    answer = middleware.process_response(request, HttpResponse("probe"))
    cache.clear()
    assert isinstance(answer, HttpResponse)
    return "Authorization" in str(answer.get("Vary"))


@pytest.mark.parametrize("target", ["/cached", "/cached-guarded"])
def test_cache_page_keeps_signers_apart(target: str, sigv4: Any) -> None:
    """T47: neither another signer nor a stranger gets the answer of the first one."""
    if not varies_by_itself():
        pytest.skip("this Django needs vary_on_headers('Authorization') below cache_page")
    sigv4(REQUIRED=False)
    assert send(sign(target=target, key=FIRST)).json()["key"] == FIRST
    assert send(sign(target=target, key=SECOND)).json()["key"] == SECOND
    response = send(Sent(method="GET", target=target))
    if target == "/cached":
        assert response.json()["key"] is None
    else:
        assert response.status_code == 403


def test_same_request_is_verified_and_then_cached() -> None:
    """A cached answer is for who has signed, and only for that."""
    sent = sign(target="/cached")
    assert send(sent).status_code == 200
    assert send(sent).status_code == 200
    assert send(tampered(sent)).status_code == 403
    assert views.calls == ["/cached"]


@pytest.mark.parametrize("presigned", [False, True])
def test_whole_site_cache_keeps_signers_apart(settings: Any, presigned: bool) -> None:
    """T47: the middleware of the cache, above ours and below, tells signers apart."""
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    first = sign(key=FIRST, presigned=presigned)
    assert send(first).json()["key"] == FIRST
    assert send(first).json()["key"] == FIRST
    assert views.calls == ["/whoami"]
    assert send(sign(key=SECOND, presigned=presigned)).json()["key"] == SECOND
    assert send(Sent(method="GET", target="/whoami")).status_code == 403
    assert send(tampered(first)).status_code == 403


def test_refusal_is_never_cached(settings: Any) -> None:
    """T47: who was refused once may sign right the next time."""
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    assert send(Sent(method="GET", target="/whoami")).status_code == 403
    assert send(sign()).status_code == 200
