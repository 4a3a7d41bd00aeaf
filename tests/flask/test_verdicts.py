"""Hooks, the signal and shadow mode of the extension."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask import request

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import key_used
from wsgi_sigv4.contrib.flask import request_judged
from wsgi_sigv4.contrib.flask import request_refused
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.observing import Verdict

Told = list[Verdict]


def app_with_views(**config: object) -> Flask:
    """Return an app whose views say who asks, and what came."""
    app = make_app(**config)

    @app.route("/items", methods=["GET", "PUT", "POST"])
    @sigv4_required
    def items() -> Any:
        body = request.form.to_dict() or request.get_data().decode()
        return {"key": current_identity.access_key_id if current_identity else None, "body": body}

    @app.get("/reports")
    @sigv4_required(presigned=False)
    @sigv4_required
    def reports() -> str:
        return ""

    @app.get("/anybody")
    @sigv4_required(optional=True)
    def anybody() -> str:
        return ""

    @app.get("/narrow")
    @sigv4_required
    @sigv4_required(region="eu-west-1")
    def narrow() -> str:
        return ""

    @app.get("/unguarded")
    def unguarded() -> str:
        return ""

    @app.route("/failing", methods=["GET", "PUT"])
    @sigv4_required
    def failing() -> str:
        raise RuntimeError("of the view")

    return app


@contextmanager
def told_by(app: Flask) -> Iterator[Told]:
    """Return the verdicts that the signal tells of."""
    told: Told = []

    def judged(sender: Flask, *, verdict: Verdict) -> None:
        assert sender is app
        told.append(verdict)

    with request_judged.connected_to(judged, app):
        yield told


def named(told: Told) -> list[str | None]:
    """Return the error of each verdict, or its outcome."""
    return [verdict.error or verdict.outcome for verdict in told]


@pytest.mark.parametrize("report_only", [False, True], ids=["refusing", "reporting"])
@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/items", {}, ["accepted"]),
        ("/items", {"secret": "wrong"}, ["SignatureMismatch"]),
        ("/reports", {}, ["accepted"]),
        ("/reports", {"expires": 60}, ["PresignedNotAllowed"]),
        ("/narrow", {}, ["ScopeMismatch"]),
        ("/narrow", {"region": "eu-west-1"}, ["accepted"]),
        ("/unguarded", {}, []),
    ],
)
def test_one_verdict(
    path: str, options: dict[str, Any], expected: list[str], report_only: bool
) -> None:
    """However many checks a request passes, its verdict is told once: the last word on it."""
    app = app_with_views(SIGV4_REPORT_ONLY=report_only)
    with told_by(app) as told:
        answer = get(app.test_client(), path, **options)
    assert named(told) == expected
    assert all(verdict.report_only is report_only for verdict in told)
    assert (answer.status_code == 200) == (report_only or expected in (["accepted"], []))


@pytest.mark.parametrize("report_only", [False, True], ids=["refusing", "reporting"])
def test_unsigned_request(report_only: bool) -> None:
    """Unsigned, it is refused where a signature is needed, and has no verdict elsewhere."""
    app = app_with_views(SIGV4_REPORT_ONLY=report_only)
    client = app.test_client()
    with told_by(app) as told:
        assert client.get("/anybody").status_code == 200
        assert told == []
        assert client.get("/items").status_code == (200 if report_only else 403)
    assert named(told) == ["MissingAuthentication"]
    assert told[0].claimed_access_key_id is None


def test_hooks_of_the_configuration() -> None:
    """SIGV4_ON_ACCEPT and SIGV4_ON_REFUSE are called, each with its kind, for its own app."""
    accepted: Told = []
    refused: Told = []
    app = app_with_views(SIGV4_ON_ACCEPT=accepted.append, SIGV4_ON_REFUSE=refused.append)
    app_with_views(SIGV4_ON_ACCEPT=refused.append, SIGV4_ON_REFUSE=accepted.append)
    assert get(app.test_client()).status_code == 200
    assert get(app.test_client(), secret="wrong").status_code == 403
    assert [(v.access_key_id, v.service, v.profile) for v in accepted] == [
        (ACCESS_KEY_ID, "items", "generic")
    ]
    assert [(v.error, v.claimed_access_key_id) for v in refused] == [
        ("SignatureMismatch", ACCESS_KEY_ID)
    ]
    assert 0 < accepted[0].seconds < 5


def test_one_hook_alone() -> None:
    """One of the two may be set without the other."""
    told: Told = []
    app = app_with_views(SIGV4_ON_REFUSE=told.append)
    get(app.test_client())
    get(app.test_client(), secret="wrong")
    assert named(told) == ["SignatureMismatch"]


@pytest.mark.parametrize("report_only", [False, True], ids=["refusing", "reporting"])
def test_receiver_that_fails_changes_nothing(
    report_only: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that raises is logged; the next one is told, and the request goes on."""

    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the receiver")

    app = app_with_views(SIGV4_ON_ACCEPT=failing, SIGV4_REPORT_ONLY=report_only)
    with told_by(app) as told, request_judged.connected_to(failing, app):
        assert get(app.test_client()).status_code == 200
    assert named(told) == ["accepted"]
    assert caplog.text.count("ZeroDivisionError: in the receiver") == 2


@pytest.mark.parametrize(
    ("changed", "expected"), [(b"body", ["accepted"]), (b"bodx", ["PayloadHashMismatch"])]
)
def test_stream(changed: bytes, expected: list[str]) -> None:
    """Of a streamed body the verdict comes when it was verified, and once."""
    app = app_with_views(SIGV4_STREAM=True)
    signed = sign("/items", "PUT", body=b"body", s3=True)
    with told_by(app) as told:
        app.test_client().open(
            "/items", method="PUT", data=changed, headers=dict(signed.headers.items())
        )
    assert named(told) == expected


def test_stream_that_the_view_leaves() -> None:
    """Where a view fails before the end of its body has come, nothing is known of that."""
    app = app_with_views(SIGV4_STREAM=True, TESTING=False, PROPAGATE_EXCEPTIONS=False)
    signed = sign("/failing", "PUT", body=b"body", s3=True)

    class Stalled(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise TimeoutError

    headers = dict(signed.headers.items())
    with told_by(app) as told:
        answer = app.test_client().open(
            "/failing",
            method="PUT",
            headers=headers,
            environ_overrides={"CONTENT_LENGTH": "4", "wsgi.input": Stalled()},
        )
    assert (answer.status_code, told) == (500, [])


def test_no_identity_in_report_only() -> None:
    """A right signature gives nobody anything: no identity, no use of the key, no user."""
    heard: list[str] = []
    app = app_with_views(SIGV4_REPORT_ONLY=True, SIGV4_REMOTE_USER="access_key_id")

    @app.get("/environ")
    @sigv4_required
    def environ() -> Any:
        assert not current_identity
        return {
            "user": request.environ.get("REMOTE_USER"),
            "keys": [key for key in request.environ if key.startswith("wsgi_sigv4")],
        }

    def used(*_: object, **__: object) -> None:
        heard.append("used")

    with key_used.connected_to(used), request_refused.connected_to(used):
        answer = send(
            app.test_client(),
            sign("/environ"),
            environ_overrides={"wsgi_sigv4.identity": "x", "REMOTE_USER": "server"},
        )
        get(app.test_client(), secret="wrong")
    assert answer.json == {"user": "server", "keys": []}
    assert "Vary" not in answer.headers
    assert heard == []


def test_wrapper_tells_for_itself() -> None:
    """What a SigV4Middleware around the app has accepted, that one tells of."""
    outer: Told = []
    app = app_with_views()
    app.wsgi_app = SigV4Middleware(  # type: ignore[method-assign]
        app.wsgi_app, app.extensions["sigv4"].verifier, on_accept=outer.append
    )
    with told_by(app) as told:
        assert get(app.test_client()).status_code == 200
        assert (named(outer), named(told)) == (["accepted"], [])
        # What the app itself has against it, it tells of.
        assert get(app.test_client(), "/reports", expires=60).status_code == 403
    assert named(told) == ["PresignedNotAllowed"]


def test_identity_of_a_wrapper_is_not_adopted() -> None:
    """What a SigV4Middleware around the app has found gives nobody an identity here."""
    app = app_with_views(SIGV4_REPORT_ONLY=True)
    app.wsgi_app = SigV4Middleware(  # type: ignore[method-assign]
        app.wsgi_app, app.extensions["sigv4"].verifier
    )
    with told_by(app) as told:
        answer = get(app.test_client())
    assert (answer.json, named(told)) == ({"key": None, "body": ""}, ["accepted"])


@pytest.mark.parametrize("memory_limit", [0, 1000])
@pytest.mark.parametrize("changed", [b"a=1&b=2", b"a=1&b=3"], ids=["right", "wrong"])
def test_body_reaches_the_view(changed: bytes, memory_limit: int) -> None:
    """The view reads the body that was sent, as a form too, whatever the verdict."""
    app = app_with_views(SIGV4_REPORT_ONLY=True, SIGV4_MEMORY_LIMIT=memory_limit)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = sign("/items", "POST", body=b"a=1&b=2", headers=headers, s3=True)
    with told_by(app) as told:
        answer = app.test_client().open(
            "/items",
            method="POST",
            data=changed,
            headers=dict(signed.headers.items()),
            buffered=True,
        )
    assert answer.json == {"key": None, "body": {"a": "1", "b": changed.decode()[-1]}}
    assert len(told) == 1


@pytest.mark.parametrize("touch", ["stream", "get_data", "form"])
def test_body_that_something_has_touched(touch: str, caplog: pytest.LogCaptureFixture) -> None:
    """What was read above the check is verified where it was kept, and is no fault of the view."""
    app = make_app(SIGV4_REPORT_ONLY=True)

    @app.before_request
    def peek() -> None:
        value = getattr(request, touch)
        if callable(value):
            value()

    @app.post("/items")
    @sigv4_required
    def items() -> str:
        assert touch != "get_data" or request.stream.read() == b""
        return request.get_data(as_text=True) or str(request.form.to_dict())

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = sign("/items", "POST", body=b"a=1", headers=headers, s3=True)
    with told_by(app) as told:
        answer = send(app.test_client(), signed)
    assert (answer.status_code, answer.text) == (200, "{'a': '1'}" if touch == "form" else "a=1")
    if touch == "form":
        assert [(v.outcome, v.error) for v in told] == [("unverified", "RuntimeError")]
        assert "was read before" in caplog.text
    else:
        assert named(told) == ["accepted"]


def test_file_of_a_body_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept on disk outlives the view for a streamed answer, and is closed then."""
    made: list[Any] = []
    temporary = tempfile.TemporaryFile

    def remember(*args: Any, **options: Any) -> Any:
        made.append(temporary(*args, **options))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    app = app_with_views(SIGV4_REPORT_ONLY=True, SIGV4_MEMORY_LIMIT=0)

    @app.put("/echo")
    @sigv4_required
    def echo() -> Any:
        stream = request.stream
        return app.response_class(iter(lambda: stream.read(2), b""))

    signed = sign("/echo", "PUT", body=b"body", s3=True)
    with send(app.test_client(), signed) as answer:
        assert answer.data == b"body"
    with pytest.raises(RuntimeError, match="of the view"):
        send(app.test_client(), sign("/failing", "PUT", body=b"body", s3=True))
    assert len(made) == 2
    assert all(file.closed for file in made)


def test_path_that_werkzeug_would_move() -> None:
    """A path that begins with two slashes would be refused, and is told so."""
    app = make_app(SIGV4_REPORT_ONLY=True, SIGV4_PROFILE=S3)
    app.before_request(sigv4_required.check)
    with told_by(app) as told:
        path = {"PATH_INFO": "//items", "REQUEST_URI": "//items", "RAW_URI": "//items"}
        send(app.test_client(), sign("//items", s3=True), environ_overrides=path)
    assert named(told) == ["PathNotRouted"]


def test_start_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """A warning at start says that nothing is refused; a text is no switch."""
    caplog.set_level(logging.WARNING, "wsgi_sigv4")
    make_app(SIGV4_REPORT_ONLY=True)
    assert [r.getMessage() for r in caplog.records if "report_only is on" in r.getMessage()]
    with pytest.raises(ConfigurationError, match="report_only is True or False"):
        make_app(SIGV4_REPORT_ONLY="false")


def test_nothing_is_measured_without_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hooks and receivers no clock is read for them."""

    def clock() -> float:
        raise AssertionError("a clock was read")

    app = app_with_views()
    monkeypatch.setattr(time, "perf_counter", clock)
    assert get(app.test_client()).status_code == 200
