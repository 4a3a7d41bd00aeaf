"""What every test of the Django skin may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.django import views
from tests.django.signing import send
from tests.django.signing import send_async

#: Sends a signed request to Django and returns the response.
Exchange = Callable[..., Any]


@pytest.fixture(params=[send, send_async], ids=["wsgi", "asgi"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Return what sends a request to Django, under WSGI and under ASGI."""
    sends: Exchange = request.param
    return sends


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    """Forget which views were called."""
    views.calls.clear()


@pytest.fixture
def sigv4(settings: Any) -> Callable[..., None]:
    """Return what changes keys of the SIGV4 setting for one test."""

    def change(**keys: object) -> None:
        settings.SIGV4 = {**settings.SIGV4, **keys}

    return change
