"""A signed test client gets through the real skins, whatever it is asked to send."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask import request as flask_request
from werkzeug.test import Client
from werkzeug.test import TestResponse

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.testing.applications import TEMPORARY
from tests.testing.applications import guarded
from tests.testing.applications import seen
from tests.testing.applications import signer
from tests.testing.applications import verifier
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.testing import sign_client

Send = Callable[[Client], TestResponse]


def werkzeug_client(verifier: Verifier) -> Client:
    """Return werkzeug's client for the application."""
    return Client(guarded(verifier))


def flask_app() -> Flask:
    """Return the application as Flask would have it, guarded by nothing yet."""
    app = Flask("tests")
    methods = ["GET", "POST", "PUT"]
    app.add_url_rule("/", "root", lambda: seen(flask_request), methods=methods)
    app.add_url_rule("/<path:path>", "path", lambda path: seen(flask_request), methods=methods)
    return app


def wrapped_flask_client(verifier: Verifier) -> Client:
    """Return Flask's client for an app that the middleware wraps."""
    app = flask_app()
    app.wsgi_app = SigV4Middleware(app.wsgi_app, verifier)  # type: ignore[method-assign]
    return app.test_client()


def flask_client(verifier: Verifier) -> Client:
    """Return Flask's client for an app that is guarded by the extension."""
    app = flask_app()
    SigV4(app, verifier=verifier)
    app.before_request(sigv4_required.check)
    return app.test_client()


def told(answer: TestResponse) -> dict[str, Any]:
    """Return what the application told of the request in its *answer*."""
    with answer:
        assert answer.status_code == 200, answer.text
        found = answer.get_json()
    assert isinstance(found, dict)
    return found


CLIENTS = [
    pytest.param(werkzeug_client, id="werkzeug"),
    pytest.param(flask_client, id="flask"),
    pytest.param(wrapped_flask_client, id="flask-wrapped"),
]
WAYS = [pytest.param(None, id="header"), pytest.param(60, id="presigned")]

#: What the test writes, and what of it the application must have seen.
CASES: list[Any] = [
    pytest.param(lambda c: c.get("/"), {"method": "GET", "path": "/", "args": {}}, id="a GET"),
    pytest.param(
        lambda c: c.get("/items", query_string={"q": "a b", "é": "+"}),
        {"path": "/items", "args": {"q": ["a b"], "é": ["+"]}},
        id="query_string as a dict",
    ),
    pytest.param(
        lambda c: c.get("/items", query_string="b=1&a=%20&b=0&c"),
        {"args": {"b": ["1", "0"], "a": [" "], "c": [""]}},
        id="query_string as text",
    ),
    pytest.param(
        lambda c: c.get("/items?q=é&r=a b"), {"args": {"q": ["é"], "r": ["a b"]}}, id="in the path"
    ),
    pytest.param(lambda c: c.get("/café/a b"), {"path": "/café/a b"}, id="a path to encode"),
    pytest.param(lambda c: c.get("/caf%C3%A9/a%2Fb"), {"path": "/café/a/b"}, id="an encoded path"),
    pytest.param(lambda c: c.get("/%ff"), {"path": "/\ufffd"}, id="a path that is not UTF-8"),
    pytest.param(
        lambda c: c.get("http://localhost/items?q=1"),
        {"path": "/items", "args": {"q": ["1"]}},
        id="a whole URL",
    ),
    pytest.param(
        lambda c: c.get("/items", base_url="https://api.example.com:8443/"),
        {"path": "/items"},
        id="a base_url",
    ),
    pytest.param(
        lambda c: c.get("/items", headers={"Host": "elsewhere"}), {"path": "/items"}, id="a Host"
    ),
    pytest.param(
        lambda c: c.post("/items", data={"a": "1", "b": ["2", "é"]}),
        {"method": "POST", "form": {"a": ["1"], "b": ["2", "é"]}},
        id="a form",
    ),
    pytest.param(
        lambda c: c.post("/items", data={"a": "1", "f": (io.BytesIO(b"content"), "name.txt")}),
        {"form": {"a": ["1"]}, "files": {"f": "content"}},
        id="a file",
    ),
    pytest.param(
        lambda c: c.post("/items", json={"name": "lamp"}), {"json": {"name": "lamp"}}, id="JSON"
    ),
    pytest.param(
        lambda c: c.put("/items", data=b'"x"', content_type="application/json"),
        {"method": "PUT", "json": "x"},
        id="bytes",
    ),
]


@pytest.mark.parametrize("make_client", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize(("send", "expected"), CASES)
def test_signed_client_is_let_in(
    make_client: Callable[[Verifier], Client],
    expires: int | None,
    send: Send,
    expected: dict[str, Any],
) -> None:
    """Whatever the client is asked to send, it is verified, and the application reads it."""
    client = sign_client(make_client(verifier()), signer(), expires=expires)
    found = told(send(client))
    assert found["key"] == ACCESS_KEY_ID
    assert found["presigned"] is (expires is not None)
    signed_args = {name for name in found["args"] if name.startswith("X-Amz-")}
    found["args"] = {name: found["args"][name] for name in found["args"].keys() - signed_args}
    assert found | expected == found
    assert bool(signed_args) is (expires is not None)


@pytest.mark.parametrize("make_client", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize(("send", "expected"), CASES)
def test_wrong_secret_is_refused(
    make_client: Callable[[Verifier], Client],
    expires: int | None,
    send: Send,
    expected: dict[str, Any],
) -> None:
    """It is the signature that let the requests above in."""
    client = sign_client(make_client(verifier()), signer(secret="another"), expires=expires)
    answer = send(client)
    assert answer.status_code == 403
    assert "signature we calculated does not match" in answer.text


@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize("service", ["items", "s3"])
def test_session_token_is_sent(service: str, expires: int | None) -> None:
    """A temporary key signs with its session token, under both profiles."""
    client = werkzeug_client(verifier(service))
    sign_client(client, signer(service, temporary=True), expires=expires)
    assert told(client.get("/a%20b//c", query_string={"q": "1"}))["key"] == TEMPORARY


def test_mount_is_signed() -> None:
    """The path of the application's mount is part of what is signed."""
    client = sign_client(werkzeug_client(verifier()), signer())
    found = told(client.get("/a%2Fb?q=é", base_url="http://localhost/api v1/"))
    assert found["path"] == "/api v1/a/b"
    assert found["target"] == "/api%20v1/a%2Fb?q=%C3%A9"


def test_clock_moves_on() -> None:
    """With a clock of its own, a test sees a request grow too old."""
    now = [float(NOW)]
    guard = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items", clock=lambda: now[0]
    )
    client = sign_client(werkzeug_client(guard), signer())
    told(client.get("/"))
    now[0] += 301
    assert client.get("/").status_code == 403


@pytest.mark.parametrize("make_client", CLIENTS)
@pytest.mark.parametrize("expires", WAYS)
@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (307, "POST")])
def test_redirect_is_signed_anew(
    make_client: Callable[[Verifier], Client], expires: int | None, status: int, method: str
) -> None:
    """The request after a redirect has a signature of its own, and the body where it stays."""
    client = sign_client(make_client(verifier()), signer(), expires=expires)
    found = told(client.post(f"/old?status={status}", data={"a": "1"}, follow_redirects=True))
    assert found["method"] == method
    assert found["form"] == ({"a": ["1"]} if method == "POST" else {})
    assert found["args"]["from"] == ["old"]


def test_cookies_are_kept() -> None:
    """The client's cookies work as before; they are not signed."""
    client = sign_client(werkzeug_client(verifier()), signer())
    assert told(client.get("/"))["cookie"] is None
    assert told(client.get("/"))["cookie"] == "seen=yes"


def test_own_authorization_is_kept() -> None:
    """A request that brings an Authorization header, or a presigned query, keeps it."""
    client = sign_client(werkzeug_client(verifier()), signer())
    forged = signer(secret="another")
    headers = forged.headers("GET", "http://localhost/items")
    assert client.get("/items", headers=headers).status_code == 403
    assert client.get("/items", auth=("user", "word")).status_code == 400
    good = signer(temporary=True).presign("GET", "http://localhost/items?q=1")
    assert told(client.get(good))["key"] == TEMPORARY


def test_client_that_is_none_is_a_mistake() -> None:
    """Only test clients can be signed."""
    with pytest.raises(TypeError, match="no test client"):
        sign_client(object(), signer())
