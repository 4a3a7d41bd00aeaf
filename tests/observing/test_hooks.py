"""The hooks: one verdict for each request that was looked at, whatever became of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from tests.observing.watching import Existing
from tests.observing.watching import Hooks
from tests.observing.watching import verifier
from tests.wsgi import streamed
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier as generic_verifier
from tests.wsgi.inputs import Input
from tests.wsgi.refusals import CASES
from tests.wsgi.refusals import Case
from tests.wsgi.refusals import lookup
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import Streaming
from tests.wsgi.streamed import forged
from tests.wsgi.streamed import plain
from tests.wsgi.test_responses import no_room
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.payload import PayloadForm

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MESSAGES = {form: made for form, made in streamed.UPLOADS.items() if isinstance(made, Message)}
UNVERIFIED = {"BodyTooLarge", "CredentialsUnavailable", "StorageUnavailable"}


def judged(
    environ: dict[str, Any],
    app: WSGIApplication | None = None,
    known: Verifier | None = None,
    **options: Any,
) -> tuple[Answer, Hooks]:
    """Return the answer to *environ*, and the verdicts."""
    hooks = Hooks()
    middleware = SigV4Middleware(
        app or Application(), known or verifier(), **hooks.options, **options
    )
    return call(middleware, environ), hooks


@pytest.mark.parametrize("s3", [True, False], ids=["s3", "items"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_refusal_is_told_once(case: Case, s3: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each reason to refuse: one verdict with its class and AWS's code; it is refused still."""
    service = "s3" if s3 else "items"
    known = verifier(**({"credentials": lookup, "service": service} | dict(case.verifier)))
    server = WSGIREF if case.leaf == "LengthRequired" else GUNICORN
    if case.full_disk:
        monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    app = Application()
    environ = environ_of(case.sent(s3), server) | dict(case.environ)
    answer, hooks = judged(environ, app, known, **case.options)
    status, code, _ = case.s3 if s3 else case.aws
    assert (answer.status, app.called, hooks.accepted) == (status, False, [])
    (verdict,) = hooks.refused
    assert (verdict.error, verdict.code) == (case.leaf, code)
    assert verdict.outcome == ("unverified" if case.leaf in UNVERIFIED else "refused")
    assert (verdict.accepted, verdict.access_key_id, verdict.report_only) == (False, None, False)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("form", MESSAGES, ids=lambda form: form.name)
def test_accepted_request_is_told_once(form: PayloadForm, stream: bool) -> None:
    """An accepted request has one verdict, with what was verified."""
    answer, hooks = judged(environ_of(MESSAGES[form]), stream=stream)
    assert (answer.status, hooks.refused) == (200, [])
    (verdict,) = hooks.accepted
    assert verdict == Verdict(
        outcome="accepted",
        code=None,
        error=None,
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        claimed_access_key_id="AKIAIOSFODNN7EXAMPLE",
        region="us-east-1",
        service="s3",
        profile="s3",
        payload_form=form,
        presigned=False,
        seconds=verdict.seconds,
        report_only=False,
    )
    assert 0 <= verdict.seconds < 5
    assert verdict.accepted


def test_refused_request_claims() -> None:
    """What a refused request says of itself is told as a claim, and as nothing more."""
    _, hooks = judged(environ_of(forged(plain("UNSIGNED-PAYLOAD"))), known=verifier(credentials={}))
    (verdict,) = hooks.refused
    assert verdict.access_key_id is None
    assert verdict.claimed_access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert (verdict.region, verdict.service) == ("us-east-1", "s3")
    assert verdict.payload_form is PayloadForm.UNSIGNED
    _, hooks = judged(environ_of(Message.of("GET", "/")))
    (verdict,) = hooks.refused
    assert (verdict.claimed_access_key_id, verdict.region, verdict.service) == (None, None, None)


def test_presigned_url_of_another_service() -> None:
    """A presigned URL is told as such, and the profile by its name."""
    message = sign("GET", "/a", presigned=True)
    _, hooks = judged(environ_of(message), known=generic_verifier())
    assert [(v.presigned, v.profile) for v in hooks.accepted] == [(True, "generic")]
    odd = generic_verifier(profile=replace(GENERIC, max_skew=60))
    _, hooks = judged(environ_of(message), known=odd)
    assert [v.profile for v in hooks.accepted] == ["other"]


def test_verdict_is_frozen() -> None:
    """A hook cannot change what the next one is told."""
    _, hooks = judged(environ_of(plain("UNSIGNED-PAYLOAD")))
    with pytest.raises((FrozenInstanceError, AttributeError)):
        hooks.accepted[0].outcome = "refused"  # type: ignore[misc]
    assert not hasattr(hooks.accepted[0], "__dict__")


def test_uniform_errors_tell_the_operator_the_cause() -> None:
    """With uniform errors the code is what the client is told, and the error what was found."""
    known = verifier(credentials={}, uniform_errors=True)
    _, hooks = judged(environ_of(plain("UNSIGNED-PAYLOAD")), known=known)
    assert [(v.code, v.error) for v in hooks.refused] == [
        ("SignatureDoesNotMatch", "UnknownAccessKey")
    ]


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
    """An exempt path, a preflight and an anonymous request: served as ever, without a verdict."""
    app = Application()
    body = Input()
    answer, hooks = judged(environ_of(message, body=body), app, **options)
    assert (answer.status, hooks.all) == (200, [])
    assert app.environ["wsgi.input"] is body
    vary = "Authorization" if "required" in options else None
    assert answer.header("vary") == vary


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("message", [plain("UNSIGNED-PAYLOAD"), Message.of("GET", "/")])
def test_hook_that_raises_changes_nothing(
    message: Message, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is the one without hooks, and the log has the fault."""

    def failing(verdict: Verdict) -> None:
        raise ZeroDivisionError("in the hook")

    app = Application()
    expected = call(SigV4Middleware(app, verifier(), stream=stream), environ_of(message))
    hooked = SigV4Middleware(app, verifier(), stream=stream, on_accept=failing, on_refuse=failing)
    answer = call(hooked, environ_of(message))
    assert (answer.status, len(answer.body)) == (expected.status, len(expected.body))
    assert "ZeroDivisionError: in the hook" in caplog.text


@pytest.mark.parametrize(
    "deal",
    [
        streamed.reads_all,
        streamed.reads_one_byte,
        streamed.never_reads,
        streamed.generates,
        streamed.writes,
        streamed.swallows,
        streamed.closes,
    ],
    ids=lambda deal: str(deal.__name__),
)
@pytest.mark.parametrize("form", streamed.STREAMED, ids=lambda form: form.name)
def test_verdict_of_a_stream_comes_with_its_end(
    form: PayloadForm, deal: Callable[..., Iterable[bytes]]
) -> None:
    """Whatever an application does with a streamed body: accepted when verified, else refused."""
    message = streamed.STREAMED[form]
    hooks = Hooks()
    known = verifier()

    def early(environ: Any, start_response: Any) -> Any:
        assert hooks.all == []
        return Streaming(deal=deal)(environ, start_response)

    middleware = SigV4Middleware(early, known, stream=True, **hooks.options)
    assert call(middleware, environ_of(message)).status == 200
    assert ([v.access_key_id for v in hooks.accepted], hooks.refused) == ([ACCESS_KEY_ID], [])
    hooks.accepted.clear()
    answer = call(middleware, environ_of(forged(message)))
    assert 400 <= answer.status < 500
    assert (hooks.accepted, len(hooks.refused)) == ([], 1)
    assert hooks.refused[0].payload_form is form


def test_application_that_fails_leaves_no_verdict() -> None:
    """Of a stream that was not read to its end before the application failed, nothing is known."""

    def failing(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("of the application")

    hooks = Hooks()
    middleware = SigV4Middleware(failing, verifier(), stream=True, **hooks.options)
    with pytest.raises(RuntimeError, match="of the application"):
        call(middleware, environ_of(plain("UNSIGNED-PAYLOAD")))
    assert hooks.all == []


def test_seconds_leave_out_the_wait_for_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the body takes to come is no time of the verification, and nor is a drain."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    class Slow(Input):
        def __init__(self, left: int) -> None:
            self.left = left

        def read(self, size: int = -1) -> bytes:
            now[0] += 7
            size = min(size, self.left)
            self.left -= size
            return b"x" * size

    def known(access_key_id: str) -> str:
        now[0] += 0.25
        return SECRET

    message = plain("UNSIGNED-PAYLOAD", b"x" * 5000)
    for report_only in (False, True):
        for sent in (message, message.with_header("X-Amz-Content-Sha256", "0" * 64)):
            _, hooks = judged(
                environ_of(sent, body=Slow(5000)),
                Existing(),
                verifier(credentials=known),
                report_only=report_only,
            )
            assert [v.seconds for v in hooks.all] == [0.25]
            assert now[0] > 101


def test_nothing_is_measured_without_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hooks no clock is read for them, and no layer stands between."""

    def clock() -> float:
        raise AssertionError("a clock was read")

    monkeypatch.setattr(time, "perf_counter", clock)
    app = Application()
    middleware = SigV4Middleware(app, verifier())
    assert call(middleware, environ_of(plain("UNSIGNED-PAYLOAD"))).status == 200
    assert middleware._app is app
    with pytest.raises(AssertionError, match="a clock was read"):
        judged(environ_of(plain("UNSIGNED-PAYLOAD")))


def test_import_of_the_package_brings_none_of_it() -> None:
    """Who does not observe does not import what observes."""
    code = (
        "import sys, wsgi_sigv4\n"
        "wsgi_sigv4.SigV4Middleware(print, wsgi_sigv4.Verifier({}, region=None, service='s3'))\n"
        "print([m for m in sys.modules if m.startswith('wsgi_sigv4.') and m.rpartition('.')[2]"
        " in ('observing', 'recording', 'report_only', 'prometheus', 'opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("name", ["on_accept", "on_refuse"])
def test_hook_that_cannot_be_called(name: str) -> None:
    """A hook that cannot be called, or must be awaited, is the programmer's fault."""

    async def awaited(verdict: Verdict) -> None: ...

    class Awaited:
        async def __call__(self, verdict: Verdict) -> None: ...

    for value, fault in [("", "is a callable"), (awaited, "awaited"), (Awaited(), "awaited")]:
        options: dict[str, Any] = {name: value}
        with pytest.raises(ConfigurationError, match=fault):
            SigV4Middleware(Application(), verifier(), **options)
