"""Signals: whoever listens hears of each use of a key and of each refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask import request

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import Identity
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.contrib.flask import key_used
from wsgi_sigv4.contrib.flask import request_refused
from wsgi_sigv4.contrib.flask import sigv4_required

Heard = list[tuple[str, Any]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Return what the signals say from now on, each with its sender."""
    said: Heard = []

    def used(sender: Flask, *, identity: Identity) -> None:
        assert isinstance(sender, Flask)
        said.append(("used", identity.access_key_id))

    def refused(sender: Flask, *, refusal: SigV4Error) -> None:
        assert isinstance(sender, Flask)
        said.append(("refused", type(refusal).__name__))

    with key_used.connected_to(used), request_refused.connected_to(refused):
        yield said


def app_with_views(**config: object) -> Flask:
    """Return an app with a view that reads the body, and one that does not take URLs."""
    app = make_app(**config)

    @app.route("/items", methods=["GET", "PUT"])
    @sigv4_required
    def items() -> str:
        return request.get_data().decode()

    @app.get("/reports")
    @sigv4_required(presigned=False)
    @sigv4_required
    def reports() -> str:
        return ""

    return app


def test_use_and_refusal_are_told(heard: Heard) -> None:
    """One request, one signal: used where it was served, refused where it was not."""
    client = app_with_views().test_client()
    assert get(client).status_code == 200
    assert get(client, secret="wrong").status_code == 403
    assert client.get("/items").status_code == 403
    assert get(client, "/reports").status_code == 200
    assert heard == [
        ("used", ACCESS_KEY_ID),
        ("refused", "SignatureMismatch"),
        ("refused", "MissingAuthentication"),
        ("used", ACCESS_KEY_ID),
    ]


def test_sender_is_the_app(heard: Heard) -> None:
    """Who listens to one app hears nothing of another."""
    mine, other = app_with_views(), app_with_views()
    said = []

    @key_used.connect_via(mine)
    def listen(sender: Flask, **_: object) -> None:
        said.append(sender)

    get(other.test_client())
    get(mine.test_client())
    assert said == [mine]


@pytest.mark.parametrize("wrapped", [False, True], ids=["decorator", "middleware"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_body_is_verified_before_the_signal(heard: Heard, stream: bool, wrapped: bool) -> None:
    """A body that is not the one signed is never told as used, streamed or not."""
    app = app_with_views(SIGV4_STREAM=stream)
    if wrapped:
        verifier = app.extensions["sigv4"].verifier
        app.wsgi_app = SigV4Middleware(app.wsgi_app, verifier, stream=stream)  # type: ignore[method-assign]
    good = sign("/items", "PUT", body=b"lamp", s3=True)
    assert send(app.test_client(), good).status_code == 200
    assert heard == [("used", ACCESS_KEY_ID)]
    heard.clear()
    bad = sign("/items", "PUT", body=b"lamp", s3=True)
    bad.data = b"lump"
    assert send(app.test_client(), bad).status_code in (400, 403)
    assert ("used", ACCESS_KEY_ID) not in heard
    assert len(heard) == (0 if wrapped else 1)
