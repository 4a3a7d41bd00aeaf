"""Shadow mode: every request is verified, and reaches the application as it was sent."""

from __future__ import annotations

import io
import logging
import tempfile
from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.records import Record
from tests.core.records import records
from tests.core.signing import ACCESS_KEY_ID
from tests.core.uploads import upload
from tests.observing.watching import Existing
from tests.observing.watching import Hooks
from tests.observing.watching import verifier
from tests.wsgi.calls import call
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier as generic_verifier
from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Endless
from tests.wsgi.inputs import Input
from tests.wsgi.inputs import Socket
from tests.wsgi.inputs import Untouched
from tests.wsgi.refusals import CASES
from tests.wsgi.refusals import Case
from tests.wsgi.refusals import lookup
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import UPLOADS
from tests.wsgi.streamed import changes
from tests.wsgi.streamed import plain
from tests.wsgi.test_responses import no_room
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.payload import PayloadForm

MESSAGES = {form: made for form, made in UPLOADS.items() if isinstance(made, Message)}
STREAMED = [record for record in records() if record.streaming]

pytestmark = pytest.mark.filterwarnings("error")


def unguarded(environ: dict[str, Any]) -> tuple[dict[str, Any], bytes | BaseException]:
    """Return what an application without any middleware sees of *environ*."""
    app = Existing()
    call(app, environ)
    return app.calls[0]


def reported(
    environ: dict[str, Any], known: Verifier | None = None, **options: Any
) -> tuple[Existing, Hooks]:
    """Return the application that *environ* came to, and the verdicts."""
    app, hooks = Existing(), Hooks()
    middleware = SigV4Middleware(
        app, known or verifier(), report_only=True, **hooks.options, **options
    )
    answer = call(middleware, environ)
    assert (answer.status, answer.body, answer.header("vary")) == (200, b"served", None)
    return app, hooks


@pytest.mark.parametrize("s3", [True, False], ids=["s3", "items"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_whatever_is_refused_is_passed_on_unchanged(
    case: Case, s3: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each reason to refuse, the application sees what it would see alone; one verdict."""
    service = "s3" if s3 else "items"
    known = verifier(**({"credentials": lookup, "service": service} | dict(case.verifier)))
    server = WSGIREF if case.leaf == "LengthRequired" else GUNICORN
    made = [environ_of(case.sent(s3), server) | dict(case.environ) for _ in range(2)]
    for environ in made:
        environ["wsgi.errors"] = made[0]["wsgi.errors"]
    expected = unguarded(made[0])
    if case.full_disk:
        monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    app, hooks = reported(made[1], known, **case.options)
    assert app.calls == [expected]
    (verdict,) = hooks.refused
    told = case.s3 if s3 else case.aws
    assert (verdict.error, verdict.code) == (case.leaf, told[1])
    assert (verdict.access_key_id, verdict.report_only, hooks.accepted) == (None, True, [])


@pytest.mark.parametrize("options", [{}, {"memory_limit": 100}, {"stream": True}], ids=str)
@pytest.mark.parametrize("form", MESSAGES, ids=lambda form: form.name)
def test_body_byte_for_byte(form: PayloadForm, options: dict[str, Any]) -> None:
    """The application reads just what the client sent, framing included, right or wrong."""
    message = MESSAGES[form]
    for label, changed in [("as signed", message), *changes(message)]:
        expected = unguarded(environ_of(changed, body=io.BytesIO(changed.body)))
        body = Socket(changed.body) if changed.body else io.BytesIO()
        app, hooks = reported(environ_of(changed, body=body), **options)
        assert app.calls[0][1] == changed.body, label
        assert app.calls[0][0].keys() == expected[0].keys(), label
        assert app.calls[0][0].get("CONTENT_LENGTH") == expected[0].get("CONTENT_LENGTH"), label
        assert [v.accepted for v in hooks.all] == [label == "as signed"], label
        if label == "as signed":
            assert hooks.all[0].payload_form is form


@pytest.mark.parametrize("record", STREAMED, ids=lambda record: f"{record.id} {record.title}")
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_recorded_upload(record: Record, right: bool) -> None:
    """The recorded upload of a real client arrives framed as it was sent, verified or refused."""
    message = record.message
    if not right:
        message = replace(message, body=message.body.replace(b"\r\n0;", b"\r\n1;", 1))
        message = replace(message, body=message.body[:-3] + b"xxx")
    chunked = message.header("transfer-encoding") is not None
    app, hooks = reported(
        environ_of(message, chunked=chunked), record.verifier(clock=lambda: record.now)
    )
    assert app.calls[0][1] == message.body
    assert app.calls[0][0].get("HTTP_CONTENT_ENCODING") == (
        (message.header("content-encoding") or b"").decode() or None
    )
    assert [v.accepted for v in hooks.all] == [right]


@pytest.mark.parametrize(
    "message",
    [plain("UNSIGNED-PAYLOAD"), Message.of("GET", "/bucket/key")],
    ids=["signed", "unsigned"],
)
def test_no_identity_is_granted(message: Message) -> None:
    """Neither a right signature nor what the environ inherits gives anybody an identity."""
    inherited: dict[str, Any] = {
        "wsgi_sigv4.identity": "admin",
        "wsgi_sigv4.access_key_id": "admin",
        "wsgi_sigv4.trailers": {"a": "b"},
        "REMOTE_USER": "of the server",
    }
    app, _ = reported(environ_of(message, **inherited), remote_user="access_key_id")
    seen = app.calls[0][0]
    assert [key for key in seen if key.startswith("wsgi_sigv4")] == []
    assert seen["REMOTE_USER"] == "of the server"


def test_path_is_not_rewritten() -> None:
    """The application routes on the path as it was sent, also where it was signed otherwise."""
    app, hooks = reported(environ_of(sign("GET", "/a//../b")), generic_verifier())
    assert app.calls[0][0]["PATH_INFO"] == "/a//../b"
    assert [v.accepted for v in hooks.all] == [True]


def test_authorize_is_asked_and_grants_nothing() -> None:
    """The operator's consent is part of the verdict; what it writes and reads stays with it."""
    message = plain("UNSIGNED-PAYLOAD")

    def may(identity: Any, environ: dict[str, Any]) -> bool:
        environ["wsgi_sigv4.identity"] = identity
        environ["REMOTE_USER"] = "admin"
        return bool(environ["wsgi.input"].read() == message.body)

    app, hooks = reported(environ_of(message), authorize=may)
    assert "REMOTE_USER" not in app.calls[0][0]
    assert "wsgi_sigv4.identity" not in app.calls[0][0]
    assert app.calls[0][1] == message.body
    assert [v.accepted for v in hooks.all] == [True]
    _, hooks = reported(environ_of(message), authorize=lambda identity, environ: False)
    assert [v.error for v in hooks.refused] == ["AccessDenied"]


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (Message.of("GET", "/health"), {"exempt": ["/health"]}),
        (Message.of("GET", "/bucket"), {"required": False}),
        (
            Message.of(
                "OPTIONS", "/", headers={"Origin": "x", "Access-Control-Request-Method": "PUT"}
            ),
            {"preflight": True},
        ),
    ],
    ids=["exempt", "anonymous", "preflight"],
)
def test_no_verdict_of_what_nobody_looks_at(message: Message, options: dict[str, Any]) -> None:
    """An exempt path, a preflight and a request that need not be signed have no verdict."""
    app, hooks = reported(environ_of(message), **options)
    assert (len(app.calls), hooks.all) == (1, [])


def test_form_that_was_looked_into_is_whole() -> None:
    """The fields of an unsigned form are looked through, and the application reads all of it."""
    body = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"x" * 100_000
    message = Message.of(
        "POST", "/", headers={"Content-Type": "multipart/form-data; boundary=b"}, body=body
    )
    app, hooks = reported(environ_of(message, body=Socket(body)), required=False)
    assert (app.calls[0][1], hooks.all) == (body, [])
    signed = body.replace(b"name=a", b'name="x-amz-signature"')
    app, hooks = reported(
        environ_of(replace(message, body=signed), body=Socket(signed)), required=False
    )
    assert app.calls[0][1] == signed
    assert [v.error for v in hooks.refused] == ["MissingAuthentication"]


def test_body_that_is_too_large_is_not_read() -> None:
    """A body whose length is known to be too large is passed on untouched, and not verified."""
    message = plain("UNSIGNED-PAYLOAD")
    app, hooks = Existing(), Hooks()
    options = {**hooks.options, "max_body": 10, "report_only": True}
    environ = environ_of(message, body=Untouched())
    body = environ["wsgi.input"]

    def existing(environ: Any, start_response: Any) -> Any:
        assert environ["wsgi.input"] is body
        environ["wsgi.input"] = io.BytesIO(message.body)
        return app(environ, start_response)

    call(SigV4Middleware(existing, verifier(), **options), environ)
    (verdict,) = hooks.refused
    assert (verdict.outcome, verdict.error) == ("unverified", "BodyTooLarge")
    assert len(app.calls) == 1


@pytest.mark.parametrize("memory_limit", [0, 10_000_000])
def test_body_that_turns_out_to_be_too_large(memory_limit: int) -> None:
    """A chunked body is kept up to the limit and one piece, and its rest is read as it comes."""
    head = plain("UNSIGNED-PAYLOAD", b"")
    endless = Endless()
    got = 0

    def existing(environ: Any, start_response: Any) -> Any:
        nonlocal got
        # 64 KiB a read: so much was kept beyond the limit at most.
        assert endless.received <= 100_000 + 64 * 1024
        for _ in range(100):
            got += len(environ["wsgi.input"].read(10_000))
        start_response("200 OK", [])
        return []

    hooks = Hooks()
    middleware = SigV4Middleware(
        existing,
        verifier(),
        report_only=True,
        max_body=100_000,
        memory_limit=memory_limit,
        **hooks.options,
    )
    call(middleware, environ_of(head, body=endless, chunked=True))
    assert got == 1_000_000
    assert [(v.outcome, v.code) for v in hooks.refused] == [("unverified", "EntityTooLarge")]


def test_stream_that_fails_fails_for_the_application_too() -> None:
    """An error of the server's stream reaches the application where it would have."""
    error = OSError("the client is gone")
    message = plain("UNSIGNED-PAYLOAD", b"x" * 100)

    class Once(Input):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            if self.given == 2:
                raise error
            # What comes after the error is no part of the body.
            return b"x" * 50

    environ = environ_of(message, body=Once())
    app, hooks = reported(environ)
    assert app.calls[0][1] is error
    assert [v.error for v in hooks.refused] == ["IncompleteBody"]


def test_body_that_ends_early_ends_early() -> None:
    """Where the stream has ended it is not asked again."""
    message = plain("UNSIGNED-PAYLOAD", b"x" * 100)
    app, hooks = reported(environ_of(message, body=Broken([b"x" * 50, b""], OSError())))
    assert app.calls[0][1] == b"x" * 50
    assert [v.error for v in hooks.refused] == ["IncompleteBody"]


@pytest.mark.parametrize("read_by", ["readline", "readlines", "iteration"])
def test_body_is_read_in_any_way(read_by: str) -> None:
    """The application reads lines as it did, and nothing beyond the length."""
    message = plain("UNSIGNED-PAYLOAD", b"a\nbc\nd")
    seen: list[bytes] = []

    def existing(environ: Any, start_response: Any) -> Any:
        stream = environ["wsgi.input"]
        if read_by == "readline":
            seen.extend(iter(stream.readline, b""))
        else:
            seen.extend(stream.readlines() if read_by == "readlines" else stream)
        start_response("200 OK", [])
        return []

    middleware = SigV4Middleware(existing, verifier(), report_only=True)
    call(middleware, environ_of(message, body=Socket(message.body)))
    assert seen == [b"a\n", b"bc\n", b"d"]


def test_file_is_closed_with_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept on disk is readable until the answer is done, and gone then, or on a fault."""
    made: list[Any] = []
    temporary = tempfile.TemporaryFile

    def remember(**options: Any) -> Any:
        made.append(temporary(**options))
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    message = plain("UNSIGNED-PAYLOAD")

    def late(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield environ["wsgi.input"].read()

    def failing(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("of the application")

    options: dict[str, Any] = {"report_only": True, "memory_limit": 100}
    answer = call(SigV4Middleware(late, verifier(), **options), environ_of(message))
    assert answer.body == message.body
    with pytest.raises(RuntimeError, match="of the application") as caught:
        call(SigV4Middleware(failing, verifier(), **options), environ_of(message))
    assert len(made) == 2
    # The traceback still holds the body, as an error tracker would.
    assert all(file.closed for file in made), caught


def test_verification_that_fails_is_logged_and_passed_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault that is no refusal, as of a provider, is no fault of the application's."""

    def broken(access_key_id: str) -> None:
        raise ZeroDivisionError("in the provider")

    message = plain("UNSIGNED-PAYLOAD")
    app, hooks = reported(environ_of(message), verifier(credentials=broken))
    assert app.calls[0][1] == message.body
    (verdict,) = hooks.refused
    assert (verdict.outcome, verdict.code) == ("unverified", "InternalError")
    assert verdict.error == "ZeroDivisionError"
    assert [r.levelname for r in caplog.records] == ["WARNING", "ERROR"]
    assert "ZeroDivisionError: in the provider" in caplog.text


def test_interruption_is_not_swallowed() -> None:
    """What ends a worker, or a greenlet, ends it."""

    def interrupted(access_key_id: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reported(environ_of(plain("UNSIGNED-PAYLOAD")), verifier(credentials=interrupted))


def test_operator_reads_a_body_without_a_sound_length() -> None:
    """A predicate that reads a body which nobody else would read leaves it to be read again."""
    message = Message.of("PUT", "/", body=b"abc")
    environ = environ_of(message) | {"CONTENT_LENGTH": "+3"}
    seen: list[bytes] = []

    def peeks(environ: dict[str, Any]) -> bool:
        return bool(environ["wsgi.input"].read(2)) and False

    def existing(environ: Any, start_response: Any) -> Any:
        seen.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []

    call(SigV4Middleware(existing, verifier(), report_only=True, exempt=peeks), environ)
    assert seen == [b"abc"]


def test_start_is_warned_of_and_verdicts_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A warning at start says that nothing is refused; each refusal is logged as a would-be one."""
    caplog.set_level(logging.INFO, "wsgi_sigv4")
    middleware = SigV4Middleware(Existing(), verifier(), report_only=True)
    (warning,) = caplog.records
    assert warning.levelname == "WARNING"
    assert "report_only is on" in warning.getMessage()
    caplog.clear()
    call(middleware, environ_of(plain("UNSIGNED-PAYLOAD")))
    call(middleware, environ_of(Message.of("GET", "/bucket/key")))
    call(middleware, environ_of(plain("UNSIGNED-PAYLOAD", b"x" * 2**21), CONTENT_LENGTH="9" * 12))
    told = [(r.levelname, r.getMessage().partition(" (")[0]) for r in caplog.records]
    assert told == [
        ("INFO", f"would have accepted a request of {ACCESS_KEY_ID}"),
        ("WARNING", "would have refused GET '/bucket/key'"),
        ("WARNING", "not verified PUT '/bucket/key'"),
    ]


@pytest.mark.parametrize("value", ["false", 1, None])
def test_report_only_is_true_or_false(value: Any) -> None:
    """What is merely true, as the text "false" is, does not open a service to everybody."""
    with pytest.raises(ConfigurationError, match="report_only is True or False"):
        SigV4Middleware(Existing(), verifier(), report_only=value)


def test_socket_of_the_server_is_left_alone() -> None:
    """No read is given a time limit: one that has timed out could not be repeated."""

    class Socketed:
        def gettimeout(self) -> float | None:
            raise AssertionError("the socket was asked")

        settimeout = gettimeout

    message = plain("UNSIGNED-PAYLOAD")
    extra: dict[str, Any] = {"gunicorn.socket": Socketed(), "werkzeug.socket": Socketed()}
    app, hooks = reported(environ_of(message, **extra))
    assert app.calls[0][0]["gunicorn.socket"] is extra["gunicorn.socket"]
    assert [v.accepted for v in hooks.all] == [True]


def test_nothing_is_drained() -> None:
    """Of a request that is refused by its headers, nothing is read."""
    message = upload(b"abc").with_header("Authorization", "AWS4-HMAC-SHA256 nothing")
    environ = environ_of(message, body=Untouched())

    def existing(environ: Any, start_response: Any) -> Any:
        assert isinstance(environ["wsgi.input"], Untouched)
        start_response("200 OK", [])
        return []

    call(SigV4Middleware(existing, verifier(), report_only=True), environ)
