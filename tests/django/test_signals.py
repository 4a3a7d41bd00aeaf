"""The signals: a key was used, a request was refused, whatever provider knows the keys."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from wsgi_sigv4.contrib.django.signals import key_used
from wsgi_sigv4.contrib.django.signals import request_refused
from wsgi_sigv4.credentials import MappingProvider

Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Return what a listener has heard."""
    said: Heard = []

    def used(**told: Any) -> None:
        said.append(("used", told))

    def refused(**told: Any) -> None:
        said.append(("refused", told))

    key_used.connect(used)
    request_refused.connect(refused)
    yield said
    key_used.disconnect(used)
    request_refused.disconnect(refused)


@pytest.mark.parametrize("target", ["/whoami", "/async-whoami", "/api/whoami"])
def test_used(exchange: Exchange, heard: Heard, target: str) -> None:
    """Each authentic request is told of once, with its identity; the provider is the sender."""
    assert exchange(sign(target=target)).status_code == 200
    ((kind, told),) = heard
    assert kind == "used"
    assert told["identity"].access_key_id == FIRST
    assert told["request"].path == target
    assert told["sender"] is MappingProvider


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (partial(sign, secret="wrong"), "SignatureMismatch"),
        (partial(sign, key="AKIDUNKNOWN", secret="unknown"), "UnknownAccessKey"),
        (partial(Sent, method="GET", target="/whoami"), "MissingAuthentication"),
        (partial(Sent, method="GET", target="/exempt-and-required"), "MissingAuthentication"),
        (partial(sign, target="/denied"), "AccessDenied"),
    ],
    ids=["signature", "key", "unsigned", "unsigned, after routing", "by the view"],
)
def test_refused(exchange: Exchange, heard: Heard, make: Callable[[], Sent], reason: str) -> None:
    """Each refused request is told of once, with the reason, wherever it was refused."""
    sent = make()
    assert exchange(sent).status_code == 403
    kind, told = heard.pop()
    assert kind == "refused"
    assert type(told["refusal"]).__name__ == reason
    assert told["request"].path == sent.path
    assert [kind for kind, _ in heard] == (["used"] if reason == "AccessDenied" else [])


def test_refused_by_authorize(exchange: Exchange, heard: Heard, sigv4: Any) -> None:
    """A key that AUTHORIZE does not consent to was not used."""
    sigv4(AUTHORIZE=lambda identity, meta: False)
    assert exchange(sign()).status_code == 403
    assert [kind for kind, _ in heard] == ["refused"]


def test_refused_by_the_class_of_rest_framework(heard: Heard, settings: Any) -> None:
    """The class for REST framework tells it too, where the middleware is not there to."""
    ours = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != ours]
    assert send(sign(target="/api/whoami")).status_code == 200
    assert send(sign(target="/api/whoami", secret="wrong")).status_code == 403
    assert [kind for kind, _ in heard] == ["used", "refused"]


@pytest.mark.django_db
@pytest.mark.parametrize("secret", [None, "wrong"])
def test_listener_that_asks_the_database(exchange: Exchange, secret: str | None) -> None:
    """Under ASGI too a listener may ask the database."""

    def remember(**told: Any) -> None:
        User.objects.create_user((told.get("identity") or told["refusal"]).access_key_id)

    for signal in (key_used, request_refused):
        signal.connect(remember)
    try:
        assert exchange(sign(target="/async-whoami", secret=secret)).status_code < 500
    finally:
        for signal in (key_used, request_refused):
            signal.disconnect(remember)
    assert User.objects.get().username == FIRST


@pytest.mark.parametrize("secret", [None, "wrong"])
def test_listener_that_fails(
    exchange: Exchange, secret: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A listener that fails is logged; nobody is let in or kept out by it."""

    def fail(**told: Any) -> None:
        raise RuntimeError("the listener is broken")

    for signal in (key_used, request_refused):
        signal.connect(fail)
    try:
        assert exchange(sign(secret=secret)).status_code == (403 if secret else 200)
    finally:
        for signal in (key_used, request_refused):
            signal.disconnect(fail)
    assert "the listener is broken" in caplog.text


def test_nothing_is_told_of_what_nobody_verifies(heard: Heard, sigv4: Any) -> None:
    """An exempt path, and an unsigned request that may be, is neither used nor refused."""
    sigv4(EXEMPT=["/whoami"])
    send(sign())
    sigv4(EXEMPT=[], REQUIRED=False)
    assert Client().get("/exempt").status_code == 200
    assert heard == []
