"""Hooks, the signal and shadow mode of the Django skin."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http import HttpResponse
from django.test import Client
from django.test import RequestFactory
from werkzeug.test import run_wsgi_app

from tests.core.messages import Message
from tests.core.signing import NOW
from tests.django import test_streaming
from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import Sent
from tests.django.signing import connections_kept
from tests.django.signing import send
from tests.django.signing import send_async
from tests.django.signing import sign
from tests.django.signing import tampered
from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Socket
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import changes
from tests.wsgi.streamed import forged
from tests.wsgi.test_responses import no_room
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.contrib.django.conf import get_verifier
from wsgi_sigv4.contrib.django.signals import key_used
from wsgi_sigv4.contrib.django.signals import request_judged
from wsgi_sigv4.contrib.django.signals import request_refused
from wsgi_sigv4.credentials import MappingProvider
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.streams import rejoin

Told = list[Verdict]
OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
modes = pytest.mark.parametrize("report_only", [False, True], ids=["refusing", "reporting"])


@pytest.fixture
def told() -> Iterator[Told]:
    """Return the verdicts that the signal tells of."""
    heard: Told = []

    def judged(sender: type, *, request: HttpRequest, verdict: Verdict, **_: object) -> None:
        assert issubclass(sender, object)
        assert isinstance(request, HttpRequest)
        heard.append(verdict)

    request_judged.connect(judged)
    yield heard
    request_judged.disconnect(judged)


def named(told: Told) -> list[str | None]:
    """Return the error of each verdict, or its outcome."""
    return [verdict.error or verdict.outcome for verdict in told]


@modes
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(lambda: sign(), ["accepted"], id="right"),
        pytest.param(lambda: sign(target="/async-whoami"), ["accepted"], id="async view"),
        pytest.param(lambda: sign(target="/exempt"), ["accepted"], id="exempt view, signed"),
        pytest.param(lambda: sign(presigned=True), ["accepted"], id="presigned"),
        pytest.param(lambda: tampered(sign()), ["SignatureMismatch"], id="wrong"),
        pytest.param(
            lambda: Sent(method="GET", target="/whoami"), ["MissingAuthentication"], id="unsigned"
        ),
        pytest.param(
            lambda: Sent(method="GET", target="/exempt-and-required"),
            ["MissingAuthentication"],
            id="unsigned, required by the view",
        ),
        pytest.param(lambda: Sent(method="GET", target="/exempt"), [], id="exempt view"),
        pytest.param(lambda: sign(target="/api/signed"), ["accepted"], id="REST framework"),
    ],
)
def test_one_verdict(
    exchange: Exchange,
    sigv4: Callable[..., None],
    told: Told,
    sent: Callable[[], Sent],
    expected: list[str],
    report_only: bool,
) -> None:
    """Each request has one verdict, and is served where it is accepted or only reported on."""
    sigv4(REPORT_ONLY=report_only)
    answer = exchange(sent())
    assert named(told) == expected
    assert all(verdict.report_only is report_only for verdict in told)
    served = report_only or expected in (["accepted"], [])
    assert (answer.status_code == 200) == served
    if report_only and "api" not in sent().target:
        assert answer.json()["key"] is None
        assert answer.json()["meta_key"] is None
        assert "Authorization" not in answer.headers.get("Vary", "")


@modes
def test_view_that_refuses(
    exchange: Exchange, sigv4: Callable[..., None], told: Told, report_only: bool
) -> None:
    """What a view refuses is refused, by its own word, and has one verdict."""
    sigv4(REPORT_ONLY=report_only)
    assert exchange(sign(target="/denied")).status_code == 403
    assert named(told) == ["AccessDenied"]


@modes
def test_view_that_requires_a_signature(
    exchange: Exchange, sigv4: Callable[..., None], told: Told, report_only: bool
) -> None:
    """Where the views decide, one that requires a signature is known after routing alone."""
    sigv4(REPORT_ONLY=report_only, REQUIRED=False)
    for target in ("/required", "/required-method"):
        answer = exchange(Sent(method="GET", target=target))
        assert (answer.status_code == 200) == report_only
    expected = ["MissingAuthentication"] * 2
    # Of a method that is decorated, nobody but the method itself knows.
    assert named(told) == (expected[:1] if report_only else expected)
    told.clear()
    assert exchange(Sent(method="GET", target="/whoami")).status_code == 200
    assert told == []


def test_hooks_of_the_setting(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """ON_ACCEPT and ON_REFUSE are called, each with its kind; a string is a dotted path."""
    accepted: Told = []
    refused.clear()
    sigv4(ON_ACCEPT=accepted.append, ON_REFUSE=f"{__name__}.on_refuse")
    exchange(sign())
    exchange(tampered(sign()))
    assert [(v.access_key_id, v.service) for v in accepted] == [(FIRST, "items")]
    assert [(v.error, v.access_key_id) for v in refused] == [("SignatureMismatch", None)]
    assert 0 < accepted[0].seconds < 5


#: Filled by the hook below.
refused: Told = []


def on_refuse(verdict: Verdict) -> None:
    """Be the hook that the setting above names."""
    refused.append(verdict)


@modes
def test_no_verdict_of_what_nobody_looks_at(
    exchange: Exchange, sigv4: Callable[..., None], told: Told, report_only: bool
) -> None:
    """An exempt path and a preflight are passed on as ever, without a verdict."""
    sigv4(REPORT_ONLY=report_only, EXEMPT=("/whoami",), PREFLIGHT=True)
    assert exchange(sign()).json()["key"] is None
    asking = (("Origin", "x"), ("Access-Control-Request-Method", "PUT"))
    preflight = Sent(method="OPTIONS", target="/exempt", headers=(("Host", "testserver"), *asking))
    assert exchange(preflight).status_code == 200
    assert told == []


def not_seekable(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Put a body above the middleware that cannot be rewound."""

    def middleware(request: HttpRequest) -> Any:
        body = request._stream.read()
        request._stream = rejoin(body, BytesIO(), length=0)  # type: ignore[assignment]
        return get_response(request)

    return middleware


def test_body_that_cannot_be_rewound(sigv4: Callable[..., None], settings: Any, told: Told) -> None:
    """Under ASGI, a body that something above has wrapped is kept for the view."""
    sigv4(REPORT_ONLY=True)
    settings.MIDDLEWARE = [f"{__name__}.not_seekable", OURS]
    sent = sign("PUT", "/read", body=b"body", hashed=True)
    for changed in (sent, replace(sent, body=b"bodx")):
        answer: Any = send_async(changed)
        assert answer.json()["sha256"] == hashlib.sha256(changed.body).hexdigest()
    assert named(told) == ["accepted", "PayloadHashMismatch"]


def test_hook_that_fails(
    exchange: Exchange, sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """A hook that raises is logged, and changes nothing."""

    def failing(verdict: Verdict) -> None:
        raise ZeroDivisionError("in the hook")

    sigv4(ON_ACCEPT=failing, ON_REFUSE=failing)
    assert exchange(sign()).status_code == 200
    assert exchange(tampered(sign())).status_code == 403
    assert caplog.text.count("ZeroDivisionError: in the hook") == 2


@pytest.mark.parametrize("key", ["ON_ACCEPT", "ON_REFUSE"])
def test_hook_that_cannot_be_called(sigv4: Callable[..., None], key: str) -> None:
    """A hook that is none ends the start."""
    sigv4(**{key: 7})
    with pytest.raises(ImproperlyConfigured, match=key):
        Client().get("/whoami")


@modes
@pytest.mark.parametrize("alone", [False, True], ids=["with middleware", "alone"])
def test_rest_framework(
    exchange: Exchange,
    sigv4: Callable[..., None],
    settings: Any,
    told: Told,
    alone: bool,
    report_only: bool,
) -> None:
    """The class for REST framework tells as the middleware does, and grants nothing either."""
    if alone:
        settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != OURS]
    heard: list[str] = []

    def used(**_: object) -> None:
        heard.append("used")

    key_used.connect(used)
    sigv4(REPORT_ONLY=report_only)
    body = b'{"a": 1}'
    sent = sign("POST", "/api/signed", body=body, content_type="application/json", hashed=True)
    try:
        answer = exchange(sent)
        wrong = exchange(replace(sent, body=b'{"a": 2}'))
    finally:
        key_used.disconnect(used)
    assert answer.json() == {"key": None if report_only else FIRST, "data": {"a": 1}}
    assert (wrong.status_code == 200) == report_only
    if report_only:
        assert wrong.json() == {"key": None, "data": {"a": 2}}
    assert named(told) == ["accepted", "PayloadHashMismatch"]
    assert heard == ([] if report_only else ["used"])


@pytest.mark.parametrize(
    ("sent", "expected"), [(sign, ["accepted"]), (lambda: tampered(sign()), ["SignatureMismatch"])]
)
def test_wrapper_tells_for_itself(
    told: Told, sent: Callable[[], Sent], expected: list[str]
) -> None:
    """What a SigV4Middleware around the project has accepted, that one tells of."""
    outer: Told = []
    app = SigV4Middleware(
        WSGIHandler(), get_verifier(), on_accept=outer.append, on_refuse=outer.append
    )
    environ = RequestFactory().request(**sent().environ()).environ
    with connections_kept():
        run_wsgi_app(app, environ, buffered=True)
    assert named(outer) == expected
    assert told == []


def test_no_identity_in_report_only(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """A right signature gives nobody anything; what stands in META already is removed or left."""
    heard: list[str] = []

    def used(**_: object) -> None:
        heard.append("told")

    key_used.connect(used)
    request_refused.connect(used)
    sigv4(REPORT_ONLY=True, REMOTE_USER="access_key_id", USER=lambda identity, request: 1 / 0)
    try:
        answer = exchange(sign()).json()
        exchange(tampered(sign()))
    finally:
        key_used.disconnect(used)
        request_refused.disconnect(used)
    assert (answer["key"], answer["meta_key"], answer["remote_user"]) == (None, None, None)
    assert answer["user"] == "AnonymousUser"
    assert heard == []
    inherited = {"wsgi_sigv4.access_key_id": "x", "wsgi_sigv4.identity": "x", "REMOTE_USER": "me"}
    answer = send(sign(), None, **inherited).json()
    assert (answer["meta_key"], answer["remote_user"]) == (None, "me")


def test_path_is_not_rewritten(exchange: Exchange, sigv4: Callable[..., None], told: Told) -> None:
    """Django routes on the path as it was sent."""
    sigv4(REPORT_ONLY=True)
    sent = replace(sign(target="/echo/b"), target="/echo/a/../b")
    assert exchange(sent).json()["path_info"] == "/echo/a/../b"
    assert named(told) == ["accepted"]


def as_sent(message: Message) -> Sent:
    """Return *message* as a request of these tests."""
    headers = tuple((name.decode(), value.decode()) for name, value in message.headers)
    length = (("Content-Length", str(len(message.body))),)
    return Sent(
        method=message.method,
        target="/" + message.path.decode().lstrip("/"),
        headers=headers + length,
        body=message.body,
    )


@pytest.fixture
def existing(sigv4: Callable[..., None], settings: Any) -> list[tuple[bytes, dict[str, Any]]]:
    """Return what a view that knows nothing of signatures has seen, for S3's uploads."""
    sigv4(SERVICE="s3", CLOCK=lambda: NOW, REPORT_ONLY=True)
    settings.ROOT_URLCONF = "tests.django.test_streaming"
    settings.ALLOWED_HOSTS = ["api.example.com"]
    seen: list[tuple[bytes, dict[str, Any]]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((request.read(), dict(request.META)))
        return HttpResponse("done")

    test_streaming.VIEW["view"] = view
    return seen


@pytest.mark.parametrize("options", [{}, {"STREAM": True}, {"MEMORY_LIMIT": 100}], ids=str)
@pytest.mark.parametrize("form", STREAMED, ids=lambda form: form.name)
def test_body_byte_for_byte(
    existing: list[Any],
    sigv4: Callable[..., None],
    told: Told,
    form: PayloadForm,
    options: dict[str, Any],
) -> None:
    """Under WSGI a view reads just what was sent, its framing included, right or wrong."""
    sigv4(**options)
    message = STREAMED[form]
    some = [change for change in changes(message) if change[1].body][:6]
    for label, changed in [("right", message), *some, ("forged", forged(message))]:
        answer = test_streaming.send(changed, body=Socket(changed.body))
        body, meta = existing.pop()
        assert (answer.status, body) == (200, changed.body), label
        assert meta["CONTENT_LENGTH"] == str(len(changed.body)), label
        sent = message.header("content-encoding")
        assert meta.get("HTTP_CONTENT_ENCODING") == (sent and sent.decode())
        assert [v.accepted for v in told] == [label == "right"], label
        told.clear()


@pytest.mark.parametrize("form", STREAMED, ids=lambda form: form.name)
@pytest.mark.parametrize("small", [1, 10_000_000])
def test_body_byte_for_byte_under_asgi(
    existing: list[Any], settings: Any, told: Told, form: PayloadForm, small: int
) -> None:
    """Under ASGI a view reads just what Django has received."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = small
    for message in (STREAMED[form], forged(STREAMED[form])):
        assert send_async(as_sent(message)).status_code == 200
        body, meta = existing.pop()
        assert body == message.body
        sent = message.header("content-encoding")
        assert meta.get("HTTP_CONTENT_ENCODING") == (sent and sent.decode())
    assert [v.accepted for v in told] == [True, False]


def test_body_that_is_too_large(
    existing: list[Any], sigv4: Callable[..., None], told: Told
) -> None:
    """A body that is too large is passed on, unverified."""
    sigv4(MAX_BODY=10)
    message = STREAMED[PayloadForm.SHA256]
    for answer in (test_streaming.send(message).status, send_async(as_sent(message)).status_code):
        assert answer == 200
        assert existing.pop()[0] == message.body
    assert [(v.outcome, v.error) for v in told] == [("unverified", "BodyTooLarge")] * 2


def test_full_disk(existing: list[Any], sigv4: Callable[..., None], told: Told) -> None:
    """Where there is no room for a body, it reaches the view all the same."""
    sigv4(MEMORY_LIMIT=0)
    message = STREAMED[PayloadForm.SHA256]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", no_room)
        assert test_streaming.send(message).status == 200
    assert existing.pop()[0] == message.body
    assert [(v.outcome, v.error, v.claimed_access_key_id) for v in told] == [
        ("unverified", "StorageUnavailable", FIRST)
    ]


def test_stream_that_fails(existing: list[Any], told: Told) -> None:
    """A body that ends early ends early for the view."""
    message = STREAMED[PayloadForm.SHA256]
    body = Broken([message.body[:50], b""], OSError())
    test_streaming.send(message, body=body)
    assert existing.pop()[0] == message.body[:50]
    assert named(told) == ["IncompleteBody"]


def test_file_is_closed(existing: list[Any], sigv4: Callable[..., None], monkeypatch: Any) -> None:
    """What was kept on disk is gone when the request is done."""
    made: list[Any] = []
    temporary = tempfile.TemporaryFile

    def remember(*args: Any, **options: Any) -> Any:
        made.append(temporary(*args, **options))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    sigv4(MEMORY_LIMIT=0)
    test_streaming.send(STREAMED[PayloadForm.SHA256])
    assert existing.pop()[0] == STREAMED[PayloadForm.SHA256].body
    assert made
    assert all(file.closed for file in made)


def reads_above(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Read the body above the middleware: kept, or, of a form, gone."""

    def middleware(request: HttpRequest) -> Any:
        request.POST if "form" in request.GET else request.body  # noqa: B018 (it is read)
        return get_response(request)

    return middleware


@pytest.mark.parametrize("query", ["", "?form"])
def test_body_that_was_read_above(
    sigv4: Callable[..., None], settings: Any, told: Told, query: str
) -> None:
    """A body that was kept is verified; one that is gone is no fault of the view's."""
    sigv4(REPORT_ONLY=True)
    settings.MIDDLEWARE = [f"{__name__}.reads_above", OURS]
    kind = "multipart/form-data; boundary=b"
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    sent = sign("POST", f"/upload{query}", body=body, content_type=kind)
    for sends in (send, send_async):
        answer: Any = sends(sent)
        assert answer.json()["fields"] == {"a": "1"}
    expected = [("unverified", "ImproperlyConfigured") if query else ("accepted", None)] * 2
    assert [(v.outcome, v.error) for v in told] == expected


def test_unsigned_form_that_was_looked_into(
    exchange: Exchange, sigv4: Callable[..., None], told: Told
) -> None:
    """The fields of an unsigned form are looked through, and the view reads all of it."""
    sigv4(REPORT_ONLY=True, REQUIRED=False)
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    headers = (
        ("Host", "testserver"),
        ("Content-Type", "multipart/form-data; boundary=b"),
        ("Content-Length", str(len(body))),
    )
    answer = exchange(Sent(method="POST", target="/upload", headers=headers, body=body))
    assert answer.json()["fields"] == {"a": "1"}
    assert told == []


def test_verification_that_fails(
    exchange: Exchange,
    sigv4: Callable[..., None],
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault that is no refusal is logged, and the request is passed on."""

    def broken(meta: dict[str, Any]) -> bool:
        raise ZeroDivisionError("in the predicate")

    sigv4(REPORT_ONLY=True, EXEMPT=broken)
    assert exchange(sign()).status_code == 200
    assert named(told) == ["ZeroDivisionError"]
    sigv4(REPORT_ONLY=True, EXEMPT=(), AUTHORIZE=lambda identity, meta: 1 / 0)
    told.clear()
    assert exchange(sign()).status_code == 200
    assert [(v.outcome, v.error) for v in told] == [("unverified", "ZeroDivisionError")]
    assert "the request is passed on" in caplog.text


@pytest.mark.parametrize("below", [[], ["tests.django.test_streaming.OnlyAsync"]], ids=str)
@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda request: HttpResponse(request.read()), 200),
        (lambda request: HttpResponse("never read"), 200),
        (lambda request: HttpResponse(status=500), 500),
    ],
    ids=["reads", "never reads", "fails"],
)
def test_streamed_body(
    existing: list[Any],
    sigv4: Callable[..., None],
    settings: Any,
    told: Told,
    view: Any,
    status: int,
    below: list[str],
) -> None:
    """Of a streamed body the verdict is told when it was verified, or refused, and once."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *below]
    sigv4(REPORT_ONLY=False, STREAM=True)
    test_streaming.VIEW["view"] = view
    for form, message in STREAMED.items():
        assert test_streaming.send(message).status == status
        assert named(told) == ["accepted"], form
        told.clear()
        assert 400 <= test_streaming.send(forged(message)).status < 500
        assert [v.accepted for v in told] == [False], form
        told.clear()


def test_streamed_body_that_does_not_come(
    existing: list[Any], sigv4: Callable[..., None], told: Told
) -> None:
    """Where the answer is an error before a slow body has come, there is no verdict."""
    sigv4(REPORT_ONLY=False, STREAM=True)
    message = STREAMED[PayloadForm.SHA256]
    test_streaming.VIEW["view"] = lambda request: HttpResponse(status=503)
    late = Broken([message.body[:10]], TimeoutError())
    assert test_streaming.send(message, body=late).status == 503
    assert told == []


def test_sender_is_the_provider(told: Told) -> None:
    """The sender is the class of the provider, as of the other signals."""
    senders: list[object] = []

    def judged(sender: object, **_: object) -> None:
        senders.append(sender)

    request_judged.connect(judged)
    send(sign())
    request_judged.disconnect(judged)
    assert senders == [MappingProvider]


def test_start_is_warned_of(sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """A warning at start says that nothing is refused; a text is no switch."""
    sigv4(REPORT_ONLY=True)
    caplog.set_level(logging.INFO, "wsgi_sigv4")
    send(sign())
    assert "report_only is on" in caplog.records[0].getMessage()
    sigv4(REPORT_ONLY="False")
    with pytest.raises(ImproperlyConfigured, match="report_only is True or False"):
        send(sign())


def test_nothing_is_measured_without_listeners(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hooks and receivers the verification reads no clock for them."""

    def clock() -> float:
        raise AssertionError("a clock was read")

    monkeypatch.setattr("wsgi_sigv4.observing.time", type("", (), {"perf_counter": clock}))
    assert exchange(sign()).status_code == 200
    assert time.perf_counter is not clock
