"""A signed client of Django's gets through the middleware, whatever it is asked to send."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.test import Client
from rest_framework.test import APIClient

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.testing.applications import TEMPORARY
from tests.testing.applications import credentials
from tests.testing.applications import signer
from wsgi_sigv4.testing import sign_client

Send = Callable[[Any], Any]

CLIENTS = [
    pytest.param(Client, id="client"),
    pytest.param(AsyncClient, id="async"),
    pytest.param(APIClient, id="rest-framework"),
]
WAYS = [pytest.param(None, id="header"), pytest.param(60, id="presigned")]

#: What the test writes, and what of it the view must have seen.
CASES: list[Any] = [
    pytest.param(lambda c: c.get("/"), {"method": "GET", "path": "/", "args": {}}, id="a GET"),
    pytest.param(
        lambda c: c.get("/items", {"q": "a b", "é": "+"}),
        {"path": "/items", "args": {"q": ["a b"], "é": ["+"]}},
        id="data of a GET",
    ),
    pytest.param(
        lambda c: c.get("/items?b=1&a=%20&b=0&c=&d=é"),
        {"args": {"b": ["1", "0"], "a": [" "], "c": [""], "d": ["é"]}},
        id="in the path",
    ),
    pytest.param(lambda c: c.get("/café/a b"), {"path": "/café/a b"}, id="a path to encode"),
    pytest.param(lambda c: c.get("/caf%C3%A9/a%2Fb"), {"path": "/café/a/b"}, id="an encoded path"),
    pytest.param(lambda c: c.get("/items", secure=True), {"path": "/items"}, id="https"),
    pytest.param(
        lambda c: c.get("/items", headers={"Host": "localhost", "If-Match": '"x"'}),
        {"path": "/items"},
        id="headers",
    ),
    pytest.param(
        lambda c: c.post("/items", {"a": "1", "b": ["2", "é"]}),
        {"method": "POST", "form": {"a": ["1"], "b": ["2", "é"]}},
        id="a form",
    ),
    pytest.param(
        lambda c: c.post("/items", "a=1&a=2", content_type="application/x-www-form-urlencoded"),
        {"form": {"a": ["1", "2"]}},
        id="a form, encoded",
    ),
    pytest.param(
        lambda c: c.post("/items", {"a": "1", "f": io.BytesIO(b"content")}),
        {"form": {"a": ["1"]}, "files": {"f": "content"}},
        id="a file",
    ),
    pytest.param(
        lambda c: c.put("/items", '{"name": "lamp"}', content_type="application/json"),
        {"method": "PUT", "json": {"name": "lamp"}},
        id="JSON",
    ),
]


@pytest.fixture(autouse=True)
def _project(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.testing.urls"
    settings.ALLOWED_HOSTS = ["*"]
    settings.MIDDLEWARE = ["wsgi_sigv4.contrib.django.middleware.SigV4Middleware"]
    settings.REST_FRAMEWORK = {"TEST_REQUEST_DEFAULT_FORMAT": "multipart"}
    settings.SIGV4 = {
        "CREDENTIALS": credentials(),
        "REGION": "us-east-1",
        "SERVICE": ["items", "x"],
        "CLOCK": lambda: NOW,
        "REQUIRE_SIGNED": ["content-type"],
    }


def answered(send: Send, client: Any) -> Any:
    """Return the answer that *client* gets, be it synchronous or not."""
    if not isinstance(client, AsyncClient):
        return send(client)

    async def wait() -> Any:
        return await send(client)

    return async_to_sync(wait)()


def told(send: Send, client: Any) -> dict[str, Any]:
    """Return what the view told of the request, without the parameters of a signature."""
    answer = answered(send, client)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert isinstance(found, dict)
    args = found["args"]
    assert any(name == "X-Amz-Signature" for name in args) is found["presigned"]
    found["args"] = {name: args[name] for name in args if not name.startswith("X-Amz-")}
    return found


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize(("send", "expected"), CASES)
def test_signed_client_is_let_in(
    kind: type, expires: int | None, send: Send, expected: dict[str, Any]
) -> None:
    """Whatever the client is asked to send, it is verified, and the view reads it."""
    found = told(send, sign_client(kind(), signer(), expires=expires))
    assert found["key"] == ACCESS_KEY_ID
    assert found["presigned"] is (expires is not None)
    assert found | expected == found


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize(("send", "expected"), CASES)
def test_wrong_secret_is_refused(
    kind: type, expires: int | None, send: Send, expected: dict[str, Any]
) -> None:
    """It is the signature that let the requests above in."""
    client = sign_client(kind(), signer(secret="another"), expires=expires)
    answer = answered(send, client)
    assert answer.status_code == 403
    assert b"signature we calculated does not match" in answer.content


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
def test_session_token_is_sent(kind: type, expires: int | None) -> None:
    """A temporary key signs with its session token."""
    client = sign_client(kind(), signer(temporary=True), expires=expires)
    assert told(lambda c: c.get("/items?q=1"), client)["key"] == TEMPORARY


@pytest.mark.parametrize("kind", CLIENTS)
def test_unsigned_client_is_refused(kind: type) -> None:
    """A client that nobody has signed for is refused."""
    client = kind(headers={"Host": "testserver"})
    assert answered(lambda c: c.get("/items"), client).status_code == 403


@pytest.mark.parametrize(
    ("kind", "status", "method"),
    [
        *((kind, 302, "GET") for kind in (Client, AsyncClient, APIClient)),
        # AsyncClient cannot follow this one: it looks for a key of WSGI's.
        *((kind, 307, "POST") for kind in (Client, APIClient)),
    ],
)
@pytest.mark.parametrize("expires", WAYS)
def test_redirect_is_signed_anew(kind: type, expires: int | None, status: int, method: str) -> None:
    """The request after a redirect has a signature of its own, and the body where it stays."""
    client = sign_client(kind(), signer(), expires=expires)
    found = told(lambda c: c.post(f"/old?status={status}", {"a": "1"}, follow=True), client)
    assert found["method"] == method
    assert found["form"] == ({"a": ["1"]} if method == "POST" else {})
    assert found["args"] == {"from": ["old"]}


# APIClient sends a Content-Type with every GET, which a URL presigned without it does not cover.
@pytest.mark.parametrize("kind", CLIENTS[:2])
def test_own_authorization_is_kept(kind: type) -> None:
    """A request that brings an Authorization header, or a presigned query, keeps it."""
    client = sign_client(kind(), signer())
    forged = signer(secret="another").headers("GET", "http://testserver/items")
    answer = answered(lambda c: c.get("/items", headers=forged), client)
    assert answer.status_code == 403
    good = signer(temporary=True).presign("GET", "http://testserver/items?q=1")
    assert told(lambda c: c.get(good), client)["key"] == TEMPORARY


def test_port_stands_in_the_host_header() -> None:
    """A server on a port of its own is named with it, as clients do."""
    client = sign_client(Client(SERVER_PORT="8000"), signer())
    answer = client.get("/items")
    assert answer.wsgi_request.get_host() == "testserver"
    answer = client.get("/items", SERVER_PORT="8000")
    assert answer.wsgi_request.get_host() == "testserver:8000"
    assert answer.status_code == 200
