"""T42: django-cors-headers, above the middleware and below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.django import views
from tests.django.conftest import Exchange
from tests.django.signing import Sent
from tests.django.signing import sign

CORS = "corsheaders.middleware.CorsMiddleware"
ORIGIN = "https://app.example"


@pytest.fixture(params=["above", "below"])
def _cors(request: pytest.FixtureRequest, settings: Any, sigv4: Callable[..., None]) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    middleware = settings.MIDDLEWARE
    above = request.param == "above"
    settings.MIDDLEWARE = [CORS, *middleware] if above else [*middleware, CORS]
    sigv4(PREFLIGHT=True)


def preflight(target: str) -> Sent:
    """Return what a browser asks before it sends a signed PUT."""
    sent = Sent(method="OPTIONS", target=target)
    for name, value in (
        ("Origin", ORIGIN),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "authorization,x-amz-date"),
    ):
        sent = sent.with_header(name, value)
    return sent


@pytest.mark.usefixtures("_cors")
@pytest.mark.parametrize("presigned", [False, True])
def test_preflight_is_answered_by_the_cors_layer(exchange: Exchange, presigned: bool) -> None:
    """T42: it carries no signature, or that of another method, and reaches no view."""
    target = sign("PUT", "/whoami", presigned=presigned).target
    response = exchange(preflight(target))
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert views.calls == []


@pytest.mark.usefixtures("_cors")
def test_signed_request_of_a_page_is_answered(exchange: Exchange) -> None:
    """The request itself is verified, and the page may read the answer."""
    response = exchange(sign().with_header("Origin", ORIGIN))
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "Authorization" in response.headers["vary"]


def test_refusal_can_be_read_by_the_page(exchange: Exchange, settings: Any) -> None:
    """Above ours, the CORS layer lets a page see why it was refused."""
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    settings.MIDDLEWARE = [CORS, *settings.MIDDLEWARE]
    response = exchange(Sent(method="GET", target="/whoami").with_header("Origin", ORIGIN))
    assert response.status_code == 403
    assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.usefixtures("_cors")
@pytest.mark.parametrize("missing", ["origin", "access-control-request-method"])
def test_what_is_no_preflight_needs_a_signature(exchange: Exchange, missing: str) -> None:
    """T42: exactly OPTIONS with both headers passes."""
    response = exchange(preflight("/whoami").without(missing))
    assert views.calls == []
    assert response.status_code == (403 if missing.startswith("access") else response.status_code)
