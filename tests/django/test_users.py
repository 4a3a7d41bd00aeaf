"""Whose request it is: T37, on a project with sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client
from django.test import RequestFactory

from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import FORM
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from wsgi_sigv4.contrib.django.users import set_user
from wsgi_sigv4.identity import Identity

looked_up: list[str] = []


@pytest.fixture(autouse=True)
def _nobody_looked_up() -> None:
    looked_up.clear()


@pytest.fixture
def victim(db: None) -> Client:
    """Return the browser of somebody who is logged in."""
    User.objects.create_user("victim")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="victim"))
    assert client.get("/session", headers={"host": "testserver"}).status_code == 403
    return client


def owner(identity: Identity, request: HttpRequest) -> User:
    """Return the user who owns the key."""
    looked_up.append(identity.access_key_id)
    return User(username=f"owner of {identity.access_key_id}")


async def aowner(identity: Identity, request: HttpRequest) -> User:
    """Return the user who owns the key, asynchronously."""
    return owner(identity, request)


def inactive(identity: Identity, request: HttpRequest) -> User:
    """Return a user who may not log in."""
    return User(username="gone", is_active=False)


def with_cookies(sent: Sent, client: Client) -> Sent:
    """Return *sent* as the browser of *client* would send it."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return sent.with_header("Cookie", cookies)


@pytest.mark.parametrize("presigned", [False, True])
def test_signed_request_is_never_the_sessions(victim: Client, presigned: bool) -> None:
    """T37: who is logged in has nothing to do with a signed request."""
    sent = with_cookies(sign(target="/session", presigned=presigned), victim)
    response = send(sent, victim)
    assert response.status_code == 200
    assert response.json()["user"] == "AnonymousUser"


@pytest.mark.parametrize("view", ["/session", "/form"])
def test_presigned_post_needs_the_csrf_token(victim: Client, view: str) -> None:
    """T37: an attacker's link, in the victim's browser, is a forged request like any other."""
    sent = sign("POST", view, presigned=True, body=b"a=1", content_type=FORM)
    response = send(with_cookies(sent, victim), victim)
    assert response.status_code == 403
    assert b"CSRF" in response.content


def test_presigned_post_to_an_exempt_view_is_not_the_victims(victim: Client) -> None:
    """T37: where the project has switched CSRF protection off, the session is still not used."""
    sent = sign("POST", "/csrf-exempt-session", presigned=True)
    response = send(with_cookies(sent, victim), victim)
    assert response.json()["user"] == "AnonymousUser"


def test_header_stands_for_the_csrf_token(victim: Client) -> None:
    """A client that signs in the header need not send a token: no browser does that for others."""
    sent = sign("POST", "/form", body=b"a=1", content_type=FORM)
    response = send(with_cookies(sent, victim), victim)
    assert response.json()["fields"] == {"a": "1"}


def test_unsigned_request_keeps_its_session(victim: Client, sigv4: Callable[..., None]) -> None:
    """Who does not sign is who is logged in, and needs the token."""
    sigv4(REQUIRED=False)
    sent = with_cookies(Sent(method="GET", target="/session"), victim)
    assert send(sent, victim).json()["user"] == "victim"
    post = with_cookies(Sent(method="POST", target="/form"), victim)
    assert send(post, victim).status_code == 403


@pytest.mark.parametrize("find", ["owner", "aowner"])
@pytest.mark.parametrize("view", ["/whoami", "/async-whoami"])
def test_owner_of_the_key(
    exchange: Exchange, sigv4: Callable[..., None], find: str, view: str
) -> None:
    """USER finds the user, in either way and from either kind of view, and only once."""
    sigv4(USER=f"{__name__}.{find}")
    assert exchange(sign(target=view)).json()["user"] == f"owner of {FIRST}"
    assert looked_up == [FIRST]


def test_auser_of_the_key(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """An asynchronous view asks for the user asynchronously."""
    sigv4(USER=aowner)
    response = exchange(sign(target="/async-whoami"))
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["x-user"] == f"owner of {FIRST}"
    assert looked_up == [FIRST]


def test_user_from_the_database(
    exchange: Exchange, sigv4: Callable[..., None], transactional_db: None
) -> None:
    """Neither kind of view queries the database from the event loop."""
    User.objects.create_user("ada")
    sigv4(USER=lambda identity, request: User.objects.get(username="ada"))
    assert exchange(sign(target="/async-whoami")).json()["user"] == "ada"


def test_nobody_is_looked_up_until_somebody_asks(
    exchange: Exchange, sigv4: Callable[..., None]
) -> None:
    """A view that needs no user costs no query."""
    sigv4(USER=owner)
    assert exchange(sign("POST", "/body", body=b"x")).status_code == 200
    assert looked_up == []


@pytest.mark.parametrize("find", [inactive, lambda identity, request: None])
def test_nobody_and_inactive_users_are_anonymous(
    exchange: Exchange, sigv4: Callable[..., None], find: Any
) -> None:
    """Who may not log in may not sign in either."""
    sigv4(USER=find)
    assert exchange(sign()).json()["user"] == "AnonymousUser"


def test_auser_is_anonymous_too(exchange: Exchange) -> None:
    """The default is nobody, asynchronously too."""
    response = exchange(sign(target="/async-whoami"))
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["x-user"] == "AnonymousUser"


def test_project_without_users(settings: Any, identity: Identity) -> None:
    """Without django.contrib.auth there is no anonymous user either."""
    settings.INSTALLED_APPS = ["wsgi_sigv4.contrib.django"]
    request = RequestFactory().get("/")
    set_user(request, identity, None)
    assert bool(request.user) is False
    settings.INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
    set_user(request, identity, None)
    assert isinstance(request.user, AnonymousUser)


def test_second_question_costs_nothing(identity: Identity) -> None:
    """user and auser share what was found."""
    request = RequestFactory().get("/")
    set_user(request, identity, owner)
    assert async_to_sync(request.auser)() == async_to_sync(request.auser)()
    assert str(request.user) == f"owner of {FIRST}"
    assert looked_up == [FIRST]


@pytest.fixture
def identity() -> Identity:
    """Return the identity of a signed request."""
    found: Identity = send(sign()).wsgi_request.sigv4
    return found
