"""SIGV4_EXPLAIN: what views' refusals say, and what listeners learn."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask import request

from tests.core.signing import NOW
from tests.flask.signing import SECRET
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import send
from tests.flask.signing import sign
from tests.flask.test_streaming import send as send_message
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import changes
from wsgi_sigv4.contrib.flask import request_judged
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.payload import PayloadForm

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
WARNING = "explain is on"


def app_with(**config: object) -> Flask:
    """Return an app with guarded views."""
    app = make_app(**config)

    @app.route("/items", methods=["GET", "POST"])
    @sigv4_required
    def items() -> str:
        return request.get_data(as_text=True)

    @app.get("/reports")
    @sigv4_required(presigned=False)
    @sigv4_required
    def reports() -> str:
        return ""

    return app


def wrong_port() -> Any:
    """Return a request whose proxy has dropped the port from Host."""
    signed = sign(base_url="http://localhost:8443")
    signed.url = signed.url.replace(":8443", "")
    return signed


def test_finding(caplog: pytest.LogCaptureFixture) -> None:
    """The answer and the log name the cause; the view's own body is read as ever."""
    asked: list[str] = []

    def find(access_key_id: str) -> str:
        asked.append(access_key_id)
        return SECRET

    client = app_with(SIGV4_EXPLAIN=True, SIGV4_CREDENTIALS=find).test_client()
    told: Any = send(client, wrong_port()).json
    assert len(asked) == 1
    assert told["explanation"]["causes"] == ["host-port-dropped"]
    (record,) = [r for r in caplog.records if hasattr(r, "sigv4_causes")]
    assert record.sigv4_causes == ("host-port-dropped",)
    assert send(client, sign(method="POST", body=b"x")).text == "x"
    assert SECRET not in caplog.text


def test_body_is_known() -> None:
    """What the guard has read of the body is looked at."""
    client = app_with(SIGV4_EXPLAIN=True).test_client()
    signed = sign(method="POST", body=b"hello\n")
    signed.data = b"hello"
    told: Any = send(client, signed).json
    assert told["explanation"]["causes"] == ["body-newline"]


def test_off_explains_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Without it neither the answer nor the log has a finding."""
    told: Any = send(app_with().test_client(), wrong_port()).json
    assert "explanation" not in told
    assert not any(hasattr(record, "sigv4_causes") for record in caplog.records)
    assert WARNING not in caplog.text


@pytest.mark.parametrize("config", [{"SIGV4_EXPLAIN": True}, {"DEBUG": True}])
def test_start_is_warned_of_once(config: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """Set or followed, that it is on is told at start, and only then."""
    app = app_with(**config)
    assert caplog.text.count(WARNING) == 1
    send(app.test_client(), wrong_port())
    assert caplog.text.count(WARNING) == 1


def test_late_debug_mode_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """An app that begins to debug after SigV4(app) says so with its first request."""
    app = app_with()
    app.debug = True
    assert WARNING not in caplog.text
    for _ in range(2):
        get(app.test_client())
    assert caplog.text.count(WARNING) == 1


def test_page_for_a_browser() -> None:
    """A presigned link that is opened in a browser is answered with a page, if explain is on."""
    link = sign(expires=60, secret="wrong", base_url="http://localhost")
    link.headers["Accept"] = BROWSER
    on = send(app_with(SIGV4_EXPLAIN=True).test_client(), link)
    assert (on.status_code, on.content_type) == (403, "text/html; charset=utf-8")
    assert on.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert on.vary.as_set() == {"authorization", "accept"}
    assert on.cache_control.no_store
    off = send(app_with().test_client(), link)
    assert off.content_type == "application/json"


@pytest.mark.parametrize("form", [PayloadForm.SHA256, PayloadForm.STREAMING_SIGNED])
def test_streamed_body(form: PayloadForm, caplog: pytest.LogCaptureFixture) -> None:
    """A body that is refused while the view reads has one record with its finding."""
    app = make_app(
        TESTING=False,
        SIGV4_EXPLAIN=True,
        SIGV4_STREAM=True,
        SIGV4_SERVICE="s3",
        SIGV4_HOSTS=None,
        SIGV4_CLOCK=lambda: NOW,
    )
    app.add_url_rule(
        "/<path:path>",
        methods=["PUT", "POST"],
        view_func=sigv4_required(lambda path: request.get_data()),
    )
    _, message = list(changes(STREAMED[form]))[-1]
    answer = send_message(app, message)
    assert "<Finding>" in answer.text
    assert len([r for r in caplog.records if hasattr(r, "sigv4_causes")]) == 1


@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize(
    ("options", "cause"), [({"secret": "wrong"}, ()), ({"expires": 60}, ("denied",))]
)
def test_verdict(
    options: dict[str, Any],
    cause: tuple[str, ...],
    report_only: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Listeners get the explanation, whichever check refuses, with SIGV4_REPORT_ONLY too."""
    app = app_with(SIGV4_EXPLAIN=True, SIGV4_REPORT_ONLY=report_only)
    told: list[Verdict] = []

    def judged(sender: Flask, *, verdict: Verdict) -> None:
        told.append(verdict)

    with request_judged.connected_to(judged, app):
        answer = send(app.test_client(), sign("/reports", **options))
        get(app.test_client())
    assert answer.status_code == (200 if report_only else 403)
    refused, accepted = told
    assert refused.explanation is not None
    assert refused.explanation.finding is not None
    assert refused.explanation.finding.causes == cause
    assert accepted.explanation is None
    (record,) = [r for r in caplog.records if hasattr(r, "sigv4_causes")]
    assert record.sigv4_causes == cause
