"""T40: an app inside a SigV4Middleware takes over what its own verifier verified, and no more."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from flask import Flask
from flask import request
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import KEYS
from tests.flask.signing import SECRET
from tests.flask.signing import get
from tests.flask.signing import post
from tests.flask.signing import sign
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required


class Counting:
    """A provider that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def lookup(self, access_key_id: str, **_: object) -> Credentials | None:
        """Return the credentials of *access_key_id*."""
        self.asked += 1
        secret = KEYS.get(access_key_id)
        return None if secret is None else Credentials(secret, principal="alice")


@pytest.fixture
def provider() -> Counting:
    """The provider of the app's own verifier."""
    return Counting()


@pytest.fixture
def app(provider: Counting) -> Flask:
    """An app with an open view and a guarded one."""
    app = Flask("app")
    app.testing = True
    verifier = Verifier(
        provider, region="us-east-1", service=["items", "files"], hosts=["localhost"]
    )
    SigV4(app, verifier=verifier)

    @app.route("/open/<path:rest>", methods=["GET", "POST"])
    def opened(rest: str) -> str:
        return current_identity.access_key_id if current_identity else "nobody"

    @app.route("/guarded/<path:rest>", methods=["GET", "POST"])
    @sigv4_required
    def guarded(rest: str) -> str:
        return f"{current_identity.principal} {hashlib.sha256(request.get_data()).hexdigest()[:8]}"

    app.add_url_rule(
        "/files", view_func=sigv4_required(service="files", presigned=False)(lambda: "files")
    )
    return app


def wrapped(app: Flask, verifier: Verifier | None = None, **options: Any) -> FlaskClient:
    """Return a client of *app* inside a middleware, by default with the app's own verifier."""
    own = app.extensions["sigv4"].verifier
    app.wsgi_app = SigV4Middleware(app.wsgi_app, verifier or own, **options)  # type: ignore[method-assign]
    return app.test_client()


def digest(body: bytes) -> str:
    """Return what the guarded view says of *body*."""
    return hashlib.sha256(body).hexdigest()[:8]


@pytest.mark.parametrize("path", ["/guarded/a", "/guarded//a", "/guarded/./b/../a", "/guarded/%41"])
def test_t40_verified_once(app: Flask, provider: Counting, path: str) -> None:
    """T40: what the middleware verified with the same verifier is not verified again.

    The middleware also moves the path to its normal form, which the view alone would refuse.
    """
    client = wrapped(app)
    assert get(client, path).text == f"alice {digest(b'')}"
    assert provider.asked == 1


def test_t40_open_view_knows_the_identity(app: Flask) -> None:
    """A view without the decorator sees the identity of the middleware around the app."""
    client = wrapped(app, required=False)
    assert get(client, "/open/a").text == ACCESS_KEY_ID
    assert client.get("/open/a").text == "nobody"
    assert client.get("/guarded/a").status_code == 403


def test_t40_body_comes_through(app: Flask, provider: Counting) -> None:
    """The body that the middleware verified is the one that the view reads."""
    body = b"x" * (2 * 1024 * 1024)
    answer = post(wrapped(app), "/guarded/a", body, "application/octet-stream")
    assert answer.text == f"alice {digest(body)}"
    assert provider.asked == 1


def test_t40_scope_of_the_view_still_counts(app: Flask) -> None:
    """A view that accepts less than the middleware refuses the rest."""
    client = wrapped(app)
    assert get(client, "/files", service="files").text == "files"
    assert get(client, "/files", service="items").status_code == 403
    assert get(client, "/files", service="files", expires=60).status_code == 403


def test_t40_authorize_of_the_app_still_counts(provider: Counting) -> None:
    """SIGV4_AUTHORIZE is asked although the middleware around the app has none."""
    app = Flask("app")
    verifier = Verifier(provider, region=None, service="items", hosts=["localhost"])
    SigV4(app, verifier=verifier, authorize=lambda identity, environ: False)
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert get(wrapped(app)).status_code == 403


@pytest.mark.parametrize("path", ["/guarded/a", "/guarded//a"])
def test_t40_weaker_verifier(app: Flask, provider: Counting, path: str) -> None:
    """T40: the identity of another verifier is not taken; the request is verified again."""
    weak = Verifier({ACCESS_KEY_ID: "stolen"}, region=None, service="items", hosts=None)
    client = wrapped(app, weak)
    assert get(client, path, secret="stolen").status_code == 403
    assert provider.asked == 1
    assert get(client, "/open/a", secret="stolen").text == "nobody"


def test_t40_verified_again_with_its_body(app: Flask, provider: Counting) -> None:
    """What another verifier passed on is good if it is good for this one too, body and all."""
    weak = Verifier({ACCESS_KEY_ID: SECRET}, region=None, service="items", hosts=None)
    body = b"x" * (2 * 1024 * 1024)
    answer = post(wrapped(app, weak), "/guarded/a", body, "application/octet-stream")
    assert answer.text == f"alice {digest(body)}"
    assert provider.asked == 1


def rewriting(app: Flask, **changes: str) -> None:
    """Put a layer around *app* that changes its environ."""
    inner = app.wsgi_app

    def change(environ: Any, start_response: Any) -> Any:
        return inner({**environ, **changes}, start_response)

    app.wsgi_app = change  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"PATH_INFO": "/guarded/other"}, id="path alone"),
        pytest.param(
            {
                "PATH_INFO": "/guarded/other",
                "REQUEST_URI": "/guarded/other",
                "RAW_URI": "/guarded/other",
            },
            id="path and target",
        ),
        pytest.param(
            {"QUERY_STRING": "a=2", "REQUEST_URI": "/guarded/a?a=2", "RAW_URI": "/guarded/a?a=2"},
            id="query",
        ),
        pytest.param({"REQUEST_METHOD": "POST"}, id="method"),
    ],
)
def test_t40_rewritten_in_between(app: Flask, provider: Counting, changes: dict[str, str]) -> None:
    """T40: what was verified for another path, query or method is not taken, and not good."""
    rewriting(app, **changes)
    answer = get(wrapped(app), "/guarded/a?a=1")
    assert answer.status_code in (400, 403)


def test_t40_rewritten_in_between_and_open(app: Flask) -> None:
    """T40: an open view is told no identity that was verified for another path."""
    rewriting(app, PATH_INFO="/open/other")
    assert get(wrapped(app), "/open/a").text == "nobody"


@pytest.mark.parametrize(
    "identity", [pytest.param("forged", id="text"), pytest.param(None, id="none")]
)
def test_t40_something_else_in_the_environ(app: Flask, identity: object) -> None:
    """T40: what stands under the key and is no identity of ours vouches for nobody."""
    overrides = {"wsgi_sigv4.identity": identity, "wsgi_sigv4.access_key_id": ACCESS_KEY_ID}
    client = app.test_client()
    assert client.get("/open/a", environ_overrides=overrides).text == "nobody"
    assert client.get("/guarded/a", environ_overrides=overrides).status_code == 403


def test_t40_environ_that_cannot_be_read(app: Flask) -> None:
    """T40: an identity for a request that cannot be told any more is not taken."""
    rewriting(app, RAW_URI="/elsewhere")
    assert get(wrapped(app), "/open/a").text == "nobody"


def test_t40_mounted(app: Flask, provider: Counting) -> None:
    """An app that is mounted below a path takes over what was verified for the whole path."""
    mounted: Any = DispatcherMiddleware(lambda environ, start_response: [], {"/v1": app.wsgi_app})
    app.wsgi_app = mounted  # type: ignore[method-assign]
    assert get(wrapped(app), "/v1/guarded/a").text == f"alice {digest(b'')}"
    assert provider.asked == 1


def test_t38_remote_user_of_the_app(provider: Counting) -> None:
    """T38: SIGV4_REMOTE_USER works for what the middleware around the app verified, too."""
    app = Flask("app")
    verifier = Verifier(provider, region=None, service="items", hosts=["localhost"])
    SigV4(app, verifier=verifier, remote_user="principal")
    app.add_url_rule("/items", view_func=sigv4_required(lambda: str(request.remote_user)))
    assert get(wrapped(app)).text == "alice"


def test_t36_nothing_of_ours_in_the_headers(app: Flask) -> None:
    """T36: no layer of ours puts an x-amz header, or any other, into the request."""
    seen: list[set[str]] = []

    @app.get("/headers")
    @sigv4_required
    def headers() -> str:
        seen.append({key for key in request.environ if key.startswith("HTTP_")})
        return ""

    signed = sign("/headers")
    sent = {f"HTTP_{name.upper().replace('-', '_')}" for name in signed.headers}
    get(wrapped(app), "/headers")
    assert seen == [sent | {"HTTP_HOST", "HTTP_USER_AGENT"}]
