"""explain=True: the credentials of the verdict are those of the explanation, and hidden."""

from __future__ import annotations

import gc
import json
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from tests.explain.clients import request_of
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.test_explaining import Reader
from tests.wsgi.test_explaining import explaining
from tests.wsgi.test_explaining import without_port
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import decisions
from wsgi_sigv4.errors import SignatureMismatch

if TYPE_CHECKING:
    from tests.core.messages import Message
    from wsgi_sigv4.observing import Verdict


class Store:
    """Asked for a key, it gives one answer after the other, and the last one again."""

    def __init__(self, *answers: Credentials | str | None) -> None:
        self.asked = 0
        self._answers = answers

    def __call__(self, access_key_id: str) -> Credentials | str | None:
        """Return the next answer."""
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


def tampered() -> Message:
    """Return an upload whose body was changed."""
    return replace(sign("PUT", s3=True, body=b"photo"), body=b"Photo")


DISABLED = Credentials(SECRET, enabled=False)
TEMPORARY = Credentials(SECRET, session_token="another")


@pytest.mark.parametrize(
    ("message", "answer", "options", "cause"),
    [
        pytest.param(without_port, SECRET, {}, "host-port-dropped", id="signature"),
        pytest.param(lambda: sign(access_key_id=UNKNOWN_ID), None, {}, "unknown-key", id="unknown"),
        pytest.param(sign, DISABLED, {}, "disabled-key", id="disabled"),
        pytest.param(lambda: sign(token="a"), TEMPORARY, {}, "token-wrong", id="token"),
        pytest.param(tampered, SECRET, {}, "body-changed", id="body"),
        pytest.param(tampered, SECRET, {"stream": True}, "body-changed", id="streamed"),
        pytest.param(sign, SECRET, {"authorize": lambda *_: False}, "denied", id="authorize"),
    ],
)
@pytest.mark.parametrize("report_only", [False, True])
def test_provider_is_asked_once(
    message: Any, answer: Credentials | None, options: dict[str, Any], cause: str, report_only: bool
) -> None:
    """Whatever the key has to do with a refusal, its look-up is the only one."""
    store = Store(answer)
    verdicts: list[Verdict] = []
    made = message()
    is_s3 = made.header("x-amz-content-sha256") is not None
    middleware = explaining(
        Reader(),
        s3=is_s3,
        known=verifier(s3=is_s3, credentials=store),
        report_only=report_only,
        on_refuse=verdicts.append,
        **options,
    )
    assert (send(middleware, made).status == 200) is report_only
    (verdict,) = verdicts
    assert verdict.explanation is not None
    assert verdict.explanation.finding is not None
    assert (verdict.explanation.finding.causes, store.asked) == ((cause,), 1)


def test_provider_that_is_down_is_asked_once() -> None:
    """A back end that is down is not waited for a second time to say so."""
    asked: list[str] = []

    def find(access_key_id: str) -> str:
        asked.append(access_key_id)
        raise CredentialsUnavailable

    answer = send(explaining(known=verifier(credentials=find)), sign())
    assert answer.status == 503
    assert json.loads(answer.body)["explanation"]["causes"] == ["provider-down"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answers", "message", "cause"),
    [
        pytest.param((SECRET, None), without_port, ["host-port-dropped"], id="revoked"),
        pytest.param((SECRET, "another" * 6), without_port, ["host-port-dropped"], id="rotated"),
        pytest.param(("another" * 6, SECRET), sign, [], id="rotated before it was told"),
        pytest.param((None, SECRET), sign, ["unknown-key"], id="issued"),
    ],
)
def test_key_that_changes_in_between(
    answers: tuple[str | None, ...], message: Any, cause: list[str]
) -> None:
    """An explanation is that of the verdict, whatever has become of the key meanwhile."""
    middleware = explaining(known=verifier(credentials=Store(*answers)))
    told = json.loads(send(middleware, message()).body)["explanation"]
    assert told["causes"] == cause
    assert cause or "most likely the secret differs" in told["summary"]


class Kept:
    """Keeps the refusals and environs that it is asked to render, as an error tracker does."""

    def __init__(self) -> None:
        self.refusals: list[SigV4Error] = []
        self.environs: list[dict[str, Any]] = []

    def __call__(self, refusal: SigV4Error, environ: dict[str, Any]) -> Any:
        """Keep both, and have the caller answer as ever."""
        self.refusals.append(refusal)
        self.environs.append(environ)
        raise refusal


def test_credentials_are_in_nothing_that_is_shown() -> None:
    """Neither the refusal, nor what is pickled of it, nor the environ has the credentials."""
    kept = Kept()
    verdicts: list[Verdict] = []
    middleware = explaining(
        known=verifier(credentials=Store(SECRET)),
        render_refusal=kept,
        on_refuse=verdicts.append,
    )
    with pytest.raises(SignatureMismatch):
        send(middleware, forged(sign()))
    (refusal,), (environ,), (verdict,) = kept.refusals, kept.environs, verdicts
    sent = environ["wsgi_sigv4.sent"]
    held = [*vars(refusal).values(), *environ.values(), *refusal.args]
    held += [getattr(sent, slot) for slot in type(sent).__slots__]
    held += [getattr(verdict, slot) for slot in type(verdict).__slots__]
    assert not any(isinstance(value, Credentials) for value in held)
    shown = repr((refusal, vars(refusal), environ, verdict)) + str(refusal)
    assert SECRET not in shown
    assert "Credentials" not in repr((vars(refusal), environ))
    assert SECRET.encode() not in pickle.dumps(refusal)


def test_credentials_go_with_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a request is done, nothing of the decision is left."""
    monkeypatch.setattr(decisions, "_kept", None)
    middleware = explaining(known=verifier(credentials=Store(SECRET)))
    send(middleware, forged(sign()))
    gc.collect()
    assert decisions._kept is not None
    assert len(decisions._kept) == 0


def test_nothing_is_kept_where_nobody_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without explain a refusal leaves no credentials anywhere."""
    monkeypatch.setattr(decisions, "_kept", None)
    refusals = Kept()
    middleware = SigV4Middleware(
        Application(), verifier(credentials=Store(SECRET)), render_refusal=refusals
    )
    with pytest.raises(SignatureMismatch):
        send(middleware, forged(sign()))
    assert decisions._kept is None
    assert decisions.find_credentials(refusals.refusals[0], None) is ...


def test_credentials_of_another_key_are_not_taken() -> None:
    """Where a request was rewritten before it was judged, the key that arrived is looked up."""
    judges = verifier()
    judged = judges.prepare(request_of(sign()))
    arrived = judges.prepare(request_of(sign(access_key_id=TEMPORARY_ID, token=SESSION_TOKEN)))
    assert judged is not None
    assert arrived is not None
    decisions.keep_decisions()
    refusal, credentials = SignatureMismatch(signature="0"), Credentials(SECRET)
    decisions.remember(refusal, judged, credentials)
    assert decisions.find_credentials(refusal, judged) is credentials
    assert decisions.find_credentials(refusal, arrived) is ...
    assert decisions.find_credentials(refusal, None) is ...
    assert decisions.find_credentials(SignatureMismatch(signature="0"), judged) is ...
