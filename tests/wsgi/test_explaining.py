"""explain=True: what the log and the answer say of a refusal, and what nobody is told."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.core.messages import Message
from tests.observing.watching import verifier as of_streams
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.calls import send
from tests.wsgi.clients import ACCESS_KEY_ID
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import changes
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.explaining import BodyRecord
from wsgi_sigv4.explaining import Explainer
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.recording import Recorder
from wsgi_sigv4.responses import Answer as Rendered

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/x-amz-json-1.1"}
#: Generous: an idle machine needs a tenth, and coverage makes it slower.
SECONDS = 0.5 if sys.gettrace() is None else 2.0
#: What a client is told whose secret nothing is known of.
UNTOLD = "No hypothesis matches: most likely the secret differs, or what was signed is lost."


def explaining(app: Any = None, /, *, s3: bool = False, **options: Any) -> SigV4Middleware:
    """Return a middleware that explains."""
    known = options.pop("known", None) or verifier(s3=s3)
    return SigV4Middleware(app or Application(), known, explain=True, **options)


def without_port(**parameters: Any) -> Message:
    """Return a request whose proxy has dropped the port from Host."""
    sent = sign(host="api.example.com:8443", **parameters)
    return sent.with_header("Host", "api.example.com")


def finding(answer: Answer) -> str | None:
    """Return the finding in an answer of S3."""
    return ElementTree.fromstring(answer.body).findtext("Finding")


def refused(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Return the record of the only refusal."""
    (record,) = [r for r in caplog.records if hasattr(r, "sigv4_reason")]
    return record


class Reader:
    """Reads the body while it arrives."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        environ["wsgi.input"].read()
        start_response("200 OK", [])
        return []


HOST_FINDING = (
    "The signature is right for Host `api.example.com:8443`, but the request arrived with "
    "`api.example.com`."
)


def test_finding_in_the_answer_of_s3() -> None:
    """S3's error gains the cause, the finding and the remedy."""
    answer = send(explaining(s3=True), without_port(s3=True))
    root = ElementTree.fromstring(answer.body)
    assert answer.status == 403
    assert root.findtext("Code") == "SignatureDoesNotMatch"
    assert root.findtext("Cause") == "host-port-dropped"
    assert root.findtext("Finding") == HOST_FINDING
    assert (root.findtext("Remedy") or "").startswith("nginx: proxy_set_header Host $http_host;")
    assert (root.findtext("CanonicalRequest") or "").startswith("GET\n/items\nq=1\n")
    assert answer.header("Vary") == "Authorization, Accept"
    assert answer.header("Cache-Control") == "no-store"


def test_finding_in_the_answer_of_the_query_protocol() -> None:
    """So does the error of a service that speaks forms."""
    message = without_port(method="POST", headers=FORM, body=b"Action=List")
    root = ElementTree.fromstring(send(explaining(), message).body)
    assert root.findtext("Error/Finding") == HOST_FINDING
    assert root.findtext("Error/Cause") == "host-port-dropped"


@pytest.mark.parametrize("headers", [JSON, {}], ids=["json", "rest-json"])
def test_finding_in_an_answer_in_json(headers: dict[str, str]) -> None:
    """In JSON they are members beside the message, and so is what was canonicalised."""
    message = without_port(method="POST", headers=headers, body=b"{}")
    told = json.loads(send(explaining(), message).body)
    assert told["explanation"]["causes"] == ["host-port-dropped"]
    assert told["explanation"]["summary"] == HOST_FINDING
    assert told["explanation"]["remedy"].startswith("nginx: proxy_set_header Host $http_host;")
    assert told["canonicalRequest"].startswith("POST\n/items\nq=1\n")
    assert told["stringToSign"].startswith("AWS4-HMAC-SHA256\n20261121T213000Z\n")


def test_finding_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """One record at WARNING has the finding, for people and machines; one at DEBUG the rest."""
    with caplog.at_level(logging.DEBUG):
        send(explaining(s3=True), without_port(s3=True))
    record: Any = refused(caplog)
    assert record.levelname == "WARNING"
    assert HOST_FINDING in record.getMessage()
    assert "Cause: host-port-dropped (proxy)." in record.getMessage()
    assert record.sigv4_causes == ("host-port-dropped",)
    assert (record.sigv4_party, record.sigv4_unexplained) == ("proxy", 0)
    assert record.sigv4_finding == HOST_FINDING
    assert record.sigv4_remedy.startswith("nginx: proxy_set_header Host $http_host;")
    assert caplog.records[-1].levelname == "DEBUG"
    assert "10 failed" in caplog.records[-1].getMessage()


def test_log_of_the_page(caplog: pytest.LogCaptureFixture) -> None:
    """docs/explain.md shows the record as it is."""
    send(explaining(s3=True), without_port(s3=True))
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    assert refused(caplog).getMessage() in " ".join(page.split())


def test_start_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """That it is on is told when the middleware is made, and otherwise nothing is."""
    SigV4Middleware(Application(), verifier())
    assert caplog.text == ""
    explaining()
    assert "explain is on" in caplog.text
    assert "not for production" in caplog.text


@pytest.mark.parametrize("value", ["false", None, 1])
def test_value_that_makes_no_sense(value: Any) -> None:
    """Text from an environment, which is true, does not switch it on."""
    with pytest.raises(ConfigurationError, match="explain is True or False"):
        SigV4Middleware(Application(), verifier(), explain=value)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        pytest.param(Message.of(), "not-signed", id="unsigned"),
        pytest.param(sign, "clock-off", id="late"),
        pytest.param(
            Message.of(headers={"Authorization": "Bearer x"}), "other-scheme", id="another scheme"
        ),
    ],
)
def test_every_refusal_is_explained(message: Any, cause: str) -> None:
    """Other rules than that of the signature have a finding, too."""
    message = message if isinstance(message, Message) else message(age=500)
    told = json.loads(send(explaining(), message).body)
    assert told["explanation"]["causes"] == [cause]
    assert "canonicalRequest" not in told


def test_request_that_cannot_be_read() -> None:
    """What the environ tells in two ways is no request; the refusal is explained by itself."""
    answer = send(explaining(), sign(), REQUEST_URI="/a?b=1", RAW_URI="/other")
    assert answer.status == 400
    assert json.loads(answer.body)["explanation"]["summary"]


def test_length_that_is_none() -> None:
    """A body whose length is no number is refused, and explained."""
    answer = send(explaining(), sign("POST", body=b"x"), CONTENT_LENGTH="1_0")
    assert answer.status == 400
    assert json.loads(answer.body)["explanation"]["summary"] == "Content-Length is not usable."


@pytest.mark.parametrize("signature", ["", "ab", "A" * 64])
def test_signature_that_is_none(signature: str) -> None:
    """What was sent for a signature is not looked for in the canonical request."""
    sent = sign(s3=True, presigned=True)
    right = sent.query.rpartition(b"Signature=")[2]
    answer = send(explaining(s3=True), sent.edited(right, signature or "-"))
    root = ElementTree.fromstring(answer.body)
    assert root.findtext("Cause") == "signature-form"
    assert (root.findtext("CanonicalRequest") or "").startswith("GET\n/items\nX-Amz-Algorithm=")


# Bodies.


def test_body_is_known() -> None:
    """The body that was read, and one that was drained, is looked at."""
    sent = sign("POST", body=b"hello\n")
    told = json.loads(send(explaining(), replace(sent, body=b"hello")).body)
    assert told["explanation"]["causes"] == ["body-newline"]


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_body_is_known_as_far_as_1_mib(size: int) -> None:
    """One byte more, and nothing is said of it."""
    sent = sign("POST", body=b"a" * (size - 1) + b"b")
    told = json.loads(send(explaining(), replace(sent, body=b"a" * size)).body)["explanation"]
    unknown = "The signature covers the body, which is not known here, so it cannot be judged."
    assert told["summary"] == (UNTOLD if size <= 1024 * 1024 else unknown)


def test_chunked_body_is_known() -> None:
    """A body without a length is whole when its end was read."""
    sent = replace(sign("POST", body=b"hello\n"), body=b"hello")
    told = json.loads(call(explaining(), environ_of(sent, chunked=True)).body)
    assert told["explanation"]["causes"] == ["body-newline"]


def test_body_that_was_not_read_to_its_end_is_not_known() -> None:
    """Part of a body is none, with a length and without one."""
    record = BodyRecord(5)
    for piece, known in ((b"hel", None), (b"lo", b"hello"), (b"!", None)):
        record.keep(piece)
        assert record.find_body() == known
    endless = BodyRecord(None)
    for piece, known in ((b"hel", None), (b"", b"hel")):
        endless.keep(piece)
        assert endless.find_body() == known
    assert BodyRecord(0).find_body() == b""


@pytest.mark.parametrize(("limit", "known"), [(5, b"hello"), (4, None)])
def test_recorded_body_is_known_in_memory_alone(limit: int, known: bytes | None) -> None:
    """What shadow mode has put on disk, or has not read, is not looked at."""
    recorder = Recorder(io.BytesIO(b"hello"), memory_limit=limit)
    recorder.read(2)
    assert (recorder.find_whole(5), recorder.find_whole(None)) == (None, None)
    recorder.read(3)
    assert (recorder.find_whole(5), recorder.find_whole(None)) == (known, None)
    recorder.read(1)
    assert recorder.find_whole(None) == known
    recorder.close()


def test_accepted_request_is_not_changed() -> None:
    """The application reads the body that was signed; an unsigned one has the server's own."""
    app = Application()
    middleware = explaining(app, required=False, exempt=["/health"])
    assert send(middleware, sign("POST", body=b"hello")).status == 200
    assert app.bodies == [b"hello"]
    for message in (Message.of(method="POST", body=b"x"), Message.of(target="/health")):
        stream: Any = object()
        environ = environ_of(message) | {"wsgi.input": stream}
        assert call(middleware, environ).status == 200
        assert app.environs[-1]["wsgi.input"] is stream


def test_streamed_body_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    """What is refused while the application reads has one finding: log, verdict and answer."""
    verdicts: list[Verdict] = []

    sent = sign("PUT", body=b"hello", hashed=True)
    middleware = explaining(Reader(), stream=True, on_refuse=verdicts.append)
    told = json.loads(send(middleware, replace(sent, body=b"jello")).body)["explanation"]
    assert told["causes"] == ["body-changed"]
    (verdict,) = verdicts
    assert verdict.explanation is not None
    assert verdict.explanation.finding is not None
    assert verdict.explanation.finding.causes == ("body-changed",)
    assert getattr(refused(caplog), "sigv4_causes", None) == ("body-changed",)


# Verdicts.


@pytest.mark.parametrize("report_only", [False, True])
def test_verdict_has_the_explanation(report_only: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Hooks see it, with report_only too; that of an accepted request has none."""
    verdicts: list[Verdict] = []
    options = {"on_accept": verdicts.append, "on_refuse": verdicts.append}
    middleware = explaining(s3=True, report_only=report_only, **options)
    assert send(middleware, without_port(s3=True)).status == (200 if report_only else 403)
    send(middleware, sign(s3=True))
    bad, good = verdicts
    assert bad.explanation is not None
    assert bad.explanation.finding is not None
    assert bad.explanation.finding.summary == HOST_FINDING
    assert good.explanation is None
    assert getattr(refused(caplog), "sigv4_causes", None) == ("host-port-dropped",)
    told = "would have refused" if report_only else "refused"
    assert refused(caplog).getMessage().startswith(told)


@pytest.mark.parametrize("sent", [b"hello", b"hello, you"], ids=["same length", "longer"])
def test_report_only_knows_the_body(sent: bytes) -> None:
    """In shadow mode the body that was recorded is looked at, and the application reads it."""
    verdicts: list[Verdict] = []
    message = replace(sign("POST", body=sent + b"\n"), body=sent)
    send(explaining(report_only=True, on_refuse=verdicts.append), message)
    explanation = verdicts[0].explanation
    assert explanation is not None
    assert explanation.finding is not None
    assert explanation.finding.causes == ("body-newline",)


def test_report_only_without_a_length() -> None:
    """A length that is no number is explained as well."""
    verdicts: list[Verdict] = []
    middleware = explaining(report_only=True, on_refuse=verdicts.append)
    send(middleware, sign("POST", body=b"x"), CONTENT_LENGTH="1_0")
    assert verdicts[0].explanation is not None


def test_report_only_without_explain() -> None:
    """A verdict has no explanation where nobody has asked for one."""
    verdicts: list[Verdict] = []
    middleware = SigV4Middleware(
        Application(), verifier(), report_only=True, on_refuse=verdicts.append
    )
    send(middleware, without_port())
    assert verdicts[0].explanation is None


# What nobody is told.


@pytest.mark.parametrize(
    "guess",
    [SECRET + "\n", " " + SECRET, f'"{SECRET}"', SECRET.lower(), SECRET[:-1], f"AWS4{SECRET}"],
)
def test_guess_at_the_secret_is_not_confirmed(guess: str, caplog: pytest.LogCaptureFixture) -> None:
    """That a secret is nearly right stands in the log; the client is told what a stranger is."""
    near = send(explaining(s3=True), sign(s3=True, secret=guess))
    assert finding(near) == UNTOLD
    stranger = send(explaining(s3=True), sign(s3=True, secret="another"))
    varying = "<(SignatureProvided|RequestId|HostId)>.*?<"
    assert re.sub(varying, "", near.text) == re.sub(varying, "", stranger.text)
    (first, *_) = [r for r in caplog.records if hasattr(r, "sigv4_causes")]
    (cause,) = first.sigv4_causes
    assert cause.startswith("secret-")


def test_pair_with_the_secret_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """Nor where something else is wrong beside it."""
    sent = without_port(s3=True, secret=SECRET + "\n")
    assert finding(send(explaining(s3=True), sent)) == UNTOLD
    assert set(refused(caplog).sigv4_causes) == {"host-port-dropped", "secret-blanks"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_secret_in_the_request_leaves_no_gap(accept: str, caplog: pytest.LogCaptureFixture) -> None:
    """Guesses in a header come back as they were sent, which confirms none; the log has none."""
    guesses = f"{SECRET} {'x' * 40}"
    sent = sign(
        s3=True, secret="another", headers={"x-guess": guesses, "Accept": accept}, presigned=True
    )
    text = send(explaining(s3=True), sent).text
    assert f"x-guess:{guesses}" in text
    with caplog.at_level(logging.DEBUG):
        send(explaining(s3=True), sent)
    assert SECRET not in caplog.text
    assert "x" * 40 in caplog.text


def test_secret_in_host_leaves_no_gap() -> None:
    """A Host that is a guess at the secret comes back in the remedy as it was sent."""
    known = verifier(s3=True, credentials={ACCESS_KEY_ID: "a-secret.example.com"})
    for host in ("a-secret.example.com", "b-secret.example.com"):
        text = send(explaining(known=known), sign(s3=True, host=host)).text
        assert f"The Host that arrived is `{host}`" in text


def told(answer: Answer) -> str:
    """Return what an answer says, without what it repeats of the request."""
    return re.sub("(?:AKI|ASI)A[0-9A-Z]+|AKIDUNKNOWN|[0-9a-f]{64}", "...", answer.text)


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xhtml+xml,*/*;q=0.8"])
@pytest.mark.parametrize("token", [None, "token"])
def test_t51_uniform_errors_are_explained_alike(
    token: str | None, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """T51: an unknown key, a disabled one, a wrong token and a wrong secret: one explanation."""
    keys = {
        ACCESS_KEY_ID: Credentials(SECRET, session_token=token),
        TEMPORARY_ID: Credentials(SECRET, session_token=SESSION_TOKEN),
        "AKIADISABLED": Credentials(SECRET, enabled=False),
    }
    known = verifier(uniform_errors=True, credentials=keys)
    answers = []
    for key in (ACCESS_KEY_ID, TEMPORARY_ID, "AKIADISABLED", UNKNOWN_ID):
        sent = sign(
            access_key_id=key,
            token=token,
            secret="another",
            presigned=True,
            headers={"Accept": accept},
        )
        answer = send(explaining(known=known), sent)
        answers.append(re.sub("Content-Length.*", "", told(answer)))
    assert len(set(answers)) == 1
    assert UNTOLD in answers[0]
    causes = [r.sigv4_causes for r in caplog.records if hasattr(r, "sigv4_causes")]
    wrong_token = ("token-wrong" if token else "token-missing",)
    assert causes == [(), wrong_token, ("disabled-key",), ("unknown-key",)]
    assert f"The access key id `{UNKNOWN_ID}` is unknown" in caplog.messages[-1]


def test_disabled_key_is_told_as_an_unknown_one(caplog: pytest.LogCaptureFixture) -> None:
    """A client is not told that its key is known but disabled; the log is."""
    keys = {"AKIADISABLED": Credentials(SECRET, enabled=False)}
    middleware = explaining(known=verifier(credentials=keys))
    disabled = json.loads(send(middleware, sign(access_key_id="AKIADISABLED")).body)
    assert disabled["explanation"]["causes"] == ["unknown-key"]
    assert refused(caplog).sigv4_causes == ("disabled-key",)  # type: ignore[attr-defined]


def test_own_signature_and_token_come_back_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """The signature that was sent may be right for what was meant: it is taken out anywhere."""
    sent = sign(
        s3=True,
        presigned=True,
        access_key_id=TEMPORARY_ID,
        token=SESSION_TOKEN,
        headers={"Cookie": "session=c0ffee-c0ffee", "x-note": "plain"},
    )
    signature = sent.query.rpartition(b"Signature=")[2].decode()
    sent = sent.with_header("x-note", f"see {signature}").with_header(
        "Accept", "text/html,application/xhtml+xml"
    )
    with caplog.at_level(logging.DEBUG):
        page = send(explaining(s3=True), sent)
        xml = send(explaining(s3=True), sent.with_header("Accept", "*/*"))
    plain = bytes.fromhex("".join(re.findall("<CanonicalRequestBytes>([0-9a-f ]+)<", xml.text)))
    # AWS's own error repeats what was sent; no other word of it does.
    provided = f"<SignatureProvided>{signature}</SignatureProvided>"
    assert provided in xml.text
    said = page.text + xml.text.replace(provided, "") + plain.decode() + caplog.text
    assert "see ..." in page.text
    assert "see ..." in xml.text
    for secret in (signature, SESSION_TOKEN, "IQoJb3JpZ2lu", "c0ffee", SECRET):
        assert secret not in said


# Limits.


def test_rate_is_limited() -> None:
    """Ten at once, then one a second; who comes next is told how many there were between."""
    seconds = [0.0]
    explainer = Explainer(verifier(), clock=lambda: seconds[0])
    assert [explainer.take() for _ in range(12)] == [0] * 10 + [None, None]
    seconds[0] += 0.9
    assert explainer.take() is None
    seconds[0] += 0.1
    assert explainer.take() == 3
    assert explainer.take() is None
    seconds[0] += 3600
    assert [explainer.take() for _ in range(11)] == [1, *[0] * 9, None]


def test_what_is_beyond_the_rate_is_refused_all_the_same() -> None:
    """The eleventh refusal at once is answered as the others are, without a finding."""
    middleware = explaining(s3=True)
    answers = [send(middleware, Message.of()) for _ in range(11)]
    assert [answer.status for answer in answers] == [403] * 11
    assert [answer.text.count("<Finding>") for answer in answers] == [1] * 10 + [0]


def test_log_counts_what_was_not_explained(caplog: pytest.LogCaptureFixture) -> None:
    """The next refusal that is explained says how many were not."""
    seconds = [0.0]
    explainer = Explainer(verifier(), clock=lambda: seconds[0])
    for _ in range(13):
        explainer.explain(MissingAuthentication(), {})
    seconds[0] = 1.0
    refusal = MissingAuthentication()
    log_refusal(refusal, {}, explained=explainer.explain(refusal, {}))
    assert "Refusals before this one that were not explained: 3." in caplog.text
    assert caplog.records[0].sigv4_unexplained == 3  # type: ignore[attr-defined]


def test_explanation_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is raised is logged by its name alone, and the refusal is as it is."""
    calls: list[str] = []

    def find(access_key_id: str) -> str:
        calls.append(access_key_id)
        raise RuntimeError(f"no {SECRET}")

    known = verifier(s3=True, credentials=find)
    answer = send(explaining(s3=True, known=known, max_body=1), sign("PUT", s3=True, body=b"ab"))
    assert (answer.status, len(calls)) == (413, 1)
    assert b"EntityTooLarge" in answer.body
    assert b"<Finding>" not in answer.body
    assert "a refusal could not be explained: RuntimeError in find" in caplog.text
    assert SECRET not in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_keys_that_cannot_be_looked_up() -> None:
    """A back end that is down is told as such."""

    def find(access_key_id: str) -> str:
        raise CredentialsUnavailable

    answer = send(explaining(known=verifier(credentials=find)), sign())
    assert answer.status == 503
    assert json.loads(answer.body)["explanation"]["causes"] == ["provider-down"]


def seconds_of(action: Callable[[], object]) -> float:
    """Return what *action* takes of this thread: what else runs on the machine does not count."""
    started = time.thread_time()
    action()
    return time.thread_time() - started


@pytest.mark.parametrize("sent", ["normal", "large"])
def test_cost_of_one_refusal(sent: str) -> None:
    """One explained refusal, end to end: far below what would hurt, in time and in memory."""
    message = forged(sign(s3=True))
    if sent == "large":
        target = "/" + "a%2F%3Cb" * 1500 + "?" + "&".join(f"q{n}=%2B%20{n}" for n in range(400))
        headers = {f"x-h{n}": "  <script>  " * 40 for n in range(60)}
        message = forged(sign("PUT", target, s3=True, headers=headers, body=b"z\r\n" * 300_000))
    middleware = explaining(s3=True)
    send(middleware, message)
    took = min(seconds_of(lambda: send(middleware, message)) for _ in range(3))
    tracemalloc.start()
    try:
        answer = send(middleware, message)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"{sent}: {took * 1000:.1f} ms, {peak / 2**20:.2f} MiB, answer {len(answer.body)} bytes")
    assert answer.status == 403
    assert b"<Finding>" in answer.body
    assert took < SECONDS
    assert peak < 8 * 2**20
    assert len(answer.body) <= 64 * 1024


def test_request_is_explained_as_it_arrived() -> None:
    """Not as it is when a chunk is refused, its framing hidden from the application."""
    (_, altered), *_ = changes(STREAMED[PayloadForm.STREAMING_SIGNED])
    answer = send(explaining(Reader(), known=of_streams(), stream=True), altered)
    assert answer.status == 403
    assert ElementTree.fromstring(answer.body).findtext("Cause") == "body-changed"


def test_middleware_around_a_middleware_keeps_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The inner one, which finds no framing, explains the request as it came to the outer one."""
    inner = explaining(known=of_streams())
    with caplog.at_level(logging.DEBUG):
        send(explaining(inner, known=of_streams()), STREAMED[PayloadForm.STREAMING_SIGNED])
    assert refused(caplog).sigv4_causes == ("header-removed",)  # type: ignore[attr-defined]
    assert "content-encoding:aws-chunked" in caplog.records[-1].getMessage()


def test_own_rendering_gets_nothing_new() -> None:
    """render_refusal makes the answer from the refusal, as without explain."""
    seen: list[SigV4Error] = []

    def render(refusal: SigV4Error, environ: Any) -> Rendered:
        seen.append(refusal)
        return Rendered(status=418, headers=(), body=b"own")

    assert send(explaining(render_refusal=render), without_port()).body == b"own"
    assert len(seen) == 1
