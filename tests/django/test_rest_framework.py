"""Django REST framework: the authentication class, with the middleware and alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client

from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from tests.django.signing import tampered
from tests.django.test_middleware import down
from tests.django.test_middleware import multipart
from tests.django.test_middleware import unsigned_form
from wsgi_sigv4.identity import Identity

OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
JSON = "application/json"


@pytest.fixture(params=["with middleware", "alone"])
def alone(request: pytest.FixtureRequest, settings: Any) -> bool:
    """Return whether the class has to verify by itself."""
    if request.param == "alone":
        settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != OURS]
    return bool(request.param == "alone")


def owner(identity: Identity, request: HttpRequest) -> User:
    """Return the user who owns the key."""
    return User(username=f"owner of {identity.access_key_id}")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("presigned", [False, True])
def test_identity_and_user(exchange: Exchange, sigv4: Callable[..., None], presigned: bool) -> None:
    """request.auth is the identity, and request.user the key's owner."""
    sigv4(USER=owner)
    response = exchange(sign(target="/api/authenticated", presigned=presigned))
    assert response.json() == {"key": FIRST, "user": f"owner of {FIRST}"}


@pytest.mark.usefixtures("alone")
def test_key_without_a_user(exchange: Exchange) -> None:
    """IsSigned takes a key that nobody owns, and IsAuthenticated does not."""
    response = exchange(sign(target="/api/signed"))
    assert response.json() == {"key": FIRST, "user": "AnonymousUser"}
    assert exchange(sign(target="/api/authenticated")).status_code == 403


@pytest.mark.usefixtures("alone")
def test_data_is_verified_and_readable(exchange: Exchange) -> None:
    """The parsers read the body that was signed."""
    body = b'{"a": 1}'
    sent = sign("POST", "/api/signed", body=body, content_type=JSON)
    assert exchange(sent).json() == {"key": FIRST, "data": {"a": 1}}
    changed = replace(sent, body=b'{"a": 2}')
    assert exchange(changed).status_code == 403


def test_refusal(exchange: Exchange, alone: bool) -> None:
    """A wrong signature is AWS's 403: in AWS's words, or as the framework renders."""
    response = exchange(tampered(sign(target="/api/whoami")))
    assert response.status_code == 403
    message = (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    expected = {"message": message}
    if alone:
        expected["__type"] = "InvalidSignatureException"
    assert response.json() == expected


def test_unsigned_request(exchange: Exchange, alone: bool) -> None:
    """Alone, an unsigned request is another class's, and where a permission is missing 401."""
    unsigned = Sent(method="GET", target="/api/signed")
    response = exchange(unsigned)
    if not alone:
        assert response.status_code == 403
        return
    assert response.status_code == 401
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["www-authenticate"] == "AWS4-HMAC-SHA256"
    assert exchange(replace(unsigned, target="/api/whoami")).json()["key"] is None


@pytest.mark.parametrize("name", ["x-amz-date", "x-amz-security-token"])
def test_trace_of_a_signature_is_an_attempt(exchange: Exchange, alone: bool, name: str) -> None:
    """T41: alone too, a request that is signed only in part is no anonymous one."""
    sent = Sent(method="GET", target="/api/whoami").with_header(name, "x")
    assert exchange(sent).status_code == 403


@pytest.mark.usefixtures("alone")
def test_keys_that_cannot_be_looked_up(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """A back end that is down is 503, with Retry-After."""
    sigv4(CREDENTIALS=down)
    response = exchange(sign(target="/api/whoami"))
    assert response.status_code == 503
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert headers["retry-after"] == "7"


def test_s3_codes_are_those_of_s3(
    exchange: Exchange, settings: Any, sigv4: Callable[..., None]
) -> None:
    """The profile selects the words, alone too."""
    settings.MIDDLEWARE = []
    sigv4(SERVICE="s3")
    response = exchange(tampered(sign(target="/api/whoami", service="s3")))
    assert response.json()["__type"] == "SignatureDoesNotMatch"


def test_path_is_not_moved_after_routing(exchange: Exchange, alone: bool) -> None:
    """Alone, a path that is not in normal form is refused: the view was chosen by it."""
    response = exchange(sign(target="/api//whoami"))
    assert response.status_code == (404 if alone else 200)


def test_echoed_path_is_not_moved_after_routing(exchange: Exchange, settings: Any) -> None:
    """The same where the URL takes any path."""
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    assert exchange(sign(target="/any/thing")).status_code == 200
    response = exchange(sign(target="/any//thing"))
    assert response.status_code == 400
    assert response.json()["__type"] == "InvalidURI"


def test_anonymous_request_is_looked_at_once(
    exchange: Exchange, settings: Any, sigv4: Callable[..., None]
) -> None:
    """What the middleware found unsigned is left to the next class, its body read or not."""
    sigv4(REQUIRED=False)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.django.test_middleware.reads_files"]
    body, kind = multipart(("a", "1"))
    response = exchange(unsigned_form("/api/whoami", body, kind))
    assert response.json() == {"key": None, "data": {"a": "1"}}


def test_owner_is_looked_up_once(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """The framework asks for the user that the middleware knows."""
    asked: list[str] = []

    def find(identity: Identity, request: HttpRequest) -> User:
        asked.append(identity.access_key_id)
        return owner(identity, request)

    sigv4(USER=find)
    assert exchange(sign(target="/api/authenticated")).status_code == 200
    assert asked == [FIRST]


def test_exempt_path_is_verified_by_the_class(
    exchange: Exchange, sigv4: Callable[..., None]
) -> None:
    """What the middleware passes on unverified, the class verifies for its views."""
    sigv4(EXEMPT=["/api"])
    assert exchange(sign(target="/api/signed")).json()["key"] == FIRST
    assert exchange(tampered(sign(target="/api/signed"))).status_code == 403
    assert exchange(Sent(method="GET", target="/api/signed")).status_code == 401


class TestBrowser:
    """T37: a presigned URL in the browser of somebody who is logged in."""

    @pytest.fixture
    def victim(self, db: None) -> Client:
        """Return the browser."""
        User.objects.create_user("victim")
        client = Client(enforce_csrf_checks=True)
        client.force_login(User.objects.get(username="victim"))
        return client

    def send(self, sent: Sent, client: Client) -> Any:
        """Send it with the browser's cookies."""
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        return send(sent.with_header("Cookie", cookies), client)

    @pytest.mark.usefixtures("alone")
    def test_presigned_post_needs_the_token(self, victim: Client) -> None:
        """T37: with cookies a presigned POST is held against the CSRF token."""
        sent = sign("POST", "/api/either", presigned=True, body=b"{}", content_type=JSON)
        response = self.send(sent, victim)
        assert response.status_code == 403
        assert b"CSRF" in response.content

    @pytest.mark.usefixtures("alone")
    def test_presigned_get_is_the_keys(self, victim: Client) -> None:
        """T37: a presigned GET is answered to the key's owner, not to the session's user."""
        response = self.send(sign(target="/api/either", presigned=True), victim)
        assert response.json() == {"key": FIRST, "user": "AnonymousUser"}

    @pytest.mark.usefixtures("alone")
    def test_presigned_post_of_a_program_needs_none(self) -> None:
        """A client without cookies is nobody's browser."""
        sent = sign("POST", "/api/either", presigned=True, body=b"{}", content_type=JSON)
        assert send(sent, Client(enforce_csrf_checks=True)).status_code == 200

    @pytest.mark.usefixtures("alone")
    def test_header_needs_none(self, victim: Client) -> None:
        """The Authorization header stands for the token."""
        sent = sign("POST", "/api/either", body=b"{}", content_type=JSON)
        assert self.send(sent, victim).status_code == 200

    def test_session_is_the_next_class(self, victim: Client, settings: Any) -> None:
        """Who does not sign may be logged in."""
        settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != OURS]
        response = self.send(Sent(method="GET", target="/api/either"), victim)
        assert response.json() == {"key": None, "user": "victim"}


from django.urls import re_path  # noqa: E402

from tests.django import api  # noqa: E402

urlpatterns = [re_path(r"^any/", api.WhoAmI.as_view())]
