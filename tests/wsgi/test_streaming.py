"""stream=True: the application reads while the client sends; no answer is out too early (T50)."""

from __future__ import annotations

import base64
import errno
import io
import tempfile
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO
from typing import Any

import pytest
from werkzeug.exceptions import ClientDisconnected

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import SECRET
from tests.core.uploads import SIGNED
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import crc32
from tests.core.uploads import upload
from tests.wsgi.calls import Answer
from tests.wsgi.calls import call
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier as generic_verifier
from tests.wsgi.inputs import Socket
from tests.wsgi.inputs import silent_client
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import APPLICATIONS
from tests.wsgi.streamed import DATA
from tests.wsgi.streamed import PIECES
from tests.wsgi.streamed import READERS
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import UPLOADS
from tests.wsgi.streamed import Start
from tests.wsgi.streamed import Streaming
from tests.wsgi.streamed import changes
from tests.wsgi.streamed import never_reads
from tests.wsgi.streamed import plain
from tests.wsgi.streamed import reads_all
from tests.wsgi.streamed import reads_one_byte
from tests.wsgi.streamed import swallows
from tests.wsgi.streamed import without_host_id
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.body import BodyRefused
from wsgi_sigv4.payload import PayloadForm

Deal = Callable[[Any, Start, Streaming], Iterable[bytes]]

each_form = pytest.mark.parametrize("form", STREAMED)
each_application = pytest.mark.parametrize("deal", APPLICATIONS)


def verifier(**options: Any) -> Verifier:
    """Return one that knows the key, at the time of signing."""
    given: dict[str, Any] = {"region": "us-east-1", "service": "s3", "clock": lambda: NOW}
    given |= options
    return Verifier({ACCESS_KEY_ID: SECRET}, **given)


def served(
    message: Message,
    deal: Deal,
    *,
    server: Server = GUNICORN,
    environ: Any = None,
    known: Verifier | None = None,
    **options: Any,
) -> tuple[Streaming, Answer]:
    """Return the application that *message* came to while it arrived, and the answer."""
    app = Streaming(deal=deal)
    middleware = SigV4Middleware(app, known or verifier(), stream=True, **options)
    return app, call(middleware, environ_of(message, server, **(environ or {})))


def test_each_payload_form_is_thought_of() -> None:
    """A new payload form has to say whether, and how, it is streamed."""
    assert set(UPLOADS) == set(PayloadForm)


# What is authentic.


@each_form
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("short", [None, 1, 7, 1000], ids=["whole", "by ones", "by 7", "by 1000"])
def test_body_is_read_in_any_way(
    form: PayloadForm, reader: Callable[[IO[bytes]], bytes], short: int | None
) -> None:
    """However a client sends and an application reads, it is the decoded body, and its end."""
    message = STREAMED[form]

    def deal(environ: Any, start: Start, app: Streaming) -> list[bytes]:
        app.got += reader(environ["wsgi.input"])
        assert environ["wsgi.input"].read() == b""
        start("200 OK", [])
        return [b"done"]

    environ = {"body": Socket(message.body, short=short), "CONTENT_LENGTH": str(len(message.body))}
    app, answer = served(message, deal, environ=environ)
    assert (answer.status, answer.body) == (200, b"done")
    assert bytes(app.got) == DATA


@each_form
@each_application
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_authentic_upload_succeeds_whatever_the_application_does(
    form: PayloadForm, deal: Deal, chunked: bool
) -> None:
    """An application that does not read, or that reads oddly, answers as it likes."""
    _, answer = served(STREAMED[form], deal, environ={"chunked": chunked})
    assert answer.status in (200, 204, 303)
    assert answer.body == (b"done" if answer.status == 200 else b"")
    assert answer.header("Vary") == "Authorization"


@each_form
def test_application_sees_plain_http_and_the_identity(form: PayloadForm) -> None:
    """Length, headers and identity are there before the body is, and trailers after it."""
    seen: dict[str, Any] = {}

    def deal(environ: Any, start: Start, app: Streaming) -> list[bytes]:
        seen.update(environ)
        seen["before"] = dict(environ.get("wsgi_sigv4.trailers", {}))
        app.read()
        seen["after"] = dict(environ.get("wsgi_sigv4.trailers", {}))
        start("200 OK", [])
        return []

    _, answer = served(STREAMED[form], deal)
    assert answer.status == 200
    assert seen["CONTENT_LENGTH"] == str(len(DATA))
    assert seen["wsgi.input_terminated"] is True
    assert "HTTP_TRANSFER_ENCODING" not in seen
    assert "HTTP_CONTENT_ENCODING" not in seen
    assert seen["wsgi_sigv4.access_key_id"] == ACCESS_KEY_ID
    assert seen["wsgi_sigv4.identity"].payload_form is form
    trailers = {"x-amz-checksum-crc32": crc32(DATA)} if form.has_trailers else {}
    assert (seen["before"], seen["after"]) == ({}, trailers)


@each_form
def test_application_reads_while_the_client_sends(form: PayloadForm) -> None:
    """What is verified is handed on before the rest has been sent."""
    message = STREAMED[form]
    sent = Socket(message.body, short=1000)
    seen = []

    def deal(environ: Any, start: Start, app: Streaming) -> list[bytes]:
        assert sent.received == 0
        app.read(1)
        seen.append(sent.received)
        app.read()
        start("200 OK", [])
        return []

    environ = {"body": sent, "CONTENT_LENGTH": str(len(message.body))}
    _, answer = served(message, deal, environ=environ)
    assert answer.status == 200
    assert 0 < seen[0] < len(message.body)
    assert sent.received == len(message.body)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(upload(form=SIGNED), id="framed, of no bytes"),
        pytest.param(upload(form=UNSIGNED_TRAILER), id="unsigned, of no bytes"),
    ],
)
def test_body_of_no_bytes_is_verified_first(message: Message) -> None:
    """Where there is no last byte to withhold, the application is called when all is verified."""
    app, answer = served(message, reads_all)
    assert (answer.status, bytes(app.got)) == (200, b"")
    forged = replace(message, body=message.body + b"x")
    app, answer = served(forged, reads_all)
    assert answer.status >= 400
    assert app.environ == {}


def test_body_that_the_signature_needs_is_verified_first() -> None:
    """Without a payload hash there is nothing to trust before the body has ended."""
    message = sign("PUT", body=DATA)
    assert message.header("x-amz-content-sha256") is None
    app, answer = served(message, reads_all, known=generic_verifier())
    assert (answer.status, bytes(app.got)) == (200, DATA)
    app, answer = served(replace(message, body=DATA[::-1]), reads_all, known=generic_verifier())
    assert (answer.status, app.environ) == (403, {})


def test_body_that_must_be_empty_is_verified_first() -> None:
    """Where an unsigned body is not allowed, no application is called with one."""
    strict = verifier(allow_unsigned_payload=False)
    message = S3_PRESIGNER.presign(Message.of("PUT", "/bucket/key"))
    assert served(message, reads_all, known=strict)[1].status == 200
    app, answer = served(replace(message, body=DATA), reads_all, known=strict)
    assert (answer.status, app.environ) == (400, {})


def test_plain_body_without_a_length_is_verified_first() -> None:
    """Nobody could say which byte is the last."""
    message = STREAMED[PayloadForm.SHA256]
    app, answer = served(message, reads_all, environ={"chunked": True})
    assert (answer.status, bytes(app.got)) == (200, DATA)
    assert app.environ["CONTENT_LENGTH"] == str(len(DATA))
    app, answer = served(replace(message, body=DATA[::-1]), reads_all, environ={"chunked": True})
    assert (answer.status, app.environ) == (400, {})


# T50: what is not.


@each_form
@each_application
def test_t50_no_application_turns_a_forged_body_into_a_success(
    form: PayloadForm, deal: Deal
) -> None:
    """T50: whatever is changed and whatever the application does, the client sees a refusal."""
    for label, message in changes(STREAMED[form]):
        app, answer = served(message, deal)
        assert answer.status >= 400, label
        assert b"done" not in without_host_id(answer.body), label
        assert b"<Code>" in answer.body, label
        assert len(app.got) < max(len(DATA), len(message.body) if label == "longer" else 0), label


@each_form
def test_t50_signed_chunk_is_not_seen_before_its_signature(form: PayloadForm) -> None:
    """Of a signed stream no byte after the forged one is handed on, nor the chunk it stands in."""
    message = STREAMED[form]
    at = message.body.index(b"b\n")
    forged = replace(message, body=message.body[:at] + b"x" + message.body[at + 1 :])
    # It arrives in pieces much smaller than a chunk.
    environ = {"body": Socket(forged.body, short=100), "CONTENT_LENGTH": str(len(forged.body))}
    app, answer = served(forged, swallows, environ=environ)
    assert answer.status >= 400
    if form.is_signed_stream:
        assert DATA.startswith(bytes(app.got))
        assert len(app.got) <= len(PIECES[0])
    assert app.errors
    for error in app.errors:
        assert isinstance(error, BodyRefused)


def test_refusal_is_an_error_that_frameworks_know() -> None:
    """What reading raises is an OSError, and Werkzeug's lost client; the refusal is its cause."""
    app, _ = served(replace(STREAMED[PayloadForm.SHA256], body=DATA[::-1]), swallows)
    for error in app.errors:
        assert isinstance(error, OSError)
        assert isinstance(error, ClientDisconnected)
        assert type(error.__cause__).__name__ == "PayloadHashMismatch"
    assert len(app.errors) > 1


@each_form
def test_t50_last_byte_waits_for_the_end(form: PayloadForm) -> None:
    """T50: the last byte is withheld until the client has sent everything, framing included."""
    message = STREAMED[form]
    sent = Socket(message.body, short=10)
    left: list[int] = []

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        while app.read(1):
            left.append(len(message.body) - sent.received)
        start("200 OK", [])
        return []

    environ = {"body": sent, "CONTENT_LENGTH": str(len(message.body))}
    _, answer = served(message, deal, environ=environ)
    assert answer.status == 200
    assert len(left) == len(DATA)
    assert left[-1] == 0


@each_form
@pytest.mark.parametrize("missing", [1, 3, 5000])
def test_cut_upload_is_refused(form: PayloadForm, missing: int) -> None:
    """A client that is lost half way leaves no success, though errors are swallowed."""
    message = STREAMED[form]
    short = io.BytesIO(message.body[:-missing])
    environ = {"body": short, "CONTENT_LENGTH": str(len(message.body))}
    app, answer = served(message, swallows, environ=environ)
    assert answer.status == 400
    assert b"<Code>IncompleteBody</Code>" in answer.body
    assert len(app.got) < len(DATA)


def test_checksum_in_a_header_is_verified_before_the_last_byte() -> None:
    """A checksum of an unsigned body that does not match is refused, and the end withheld."""
    wrong = base64.b64encode(bytes(20)).decode()
    message = plain("UNSIGNED-PAYLOAD", headers={"X-Amz-Checksum-Sha1": wrong})
    app, answer = served(message, swallows)
    assert (answer.status, len(app.got) < len(DATA)) == (400, True)
    assert b"<Code>BadDigest</Code>" in answer.body


def test_checksum_that_cannot_be_verified_is_refused_before_the_application() -> None:
    """What is not known is never believed, and not read either."""
    message = plain("UNSIGNED-PAYLOAD", headers={"X-Amz-Checksum-Foo": "AAAA"})
    app, answer = served(message, reads_all)
    assert (answer.status, app.environ) == (501, {})


def test_request_that_dies_while_it_arrives_is_refused() -> None:
    """T43: the clock is looked at again when the body has ended."""
    times = iter([NOW, NOW, NOW + 10_000])
    slow = verifier(clock=lambda: next(times, NOW + 10_000))
    app, answer = served(STREAMED[PayloadForm.SHA256], swallows, known=slow)
    assert (answer.status, len(app.got) < len(DATA)) == (403, True)
    assert b"<Code>RequestTimeTooSkewed</Code>" in answer.body


def test_silent_client_is_refused_in_time() -> None:
    """T43: a client that stops in the middle is waited for no longer than the option says."""
    message = STREAMED[PayloadForm.STREAMING_SIGNED]
    with silent_client(message.body[:9000]) as (server, stream):
        environ = {"body": stream, "CONTENT_LENGTH": str(len(message.body))}
        environ["gunicorn.socket"] = server
        _, answer = served(message, swallows, environ=environ, body_seconds=0.05)
    assert answer.status == 400
    assert b"<Code>RequestTimeout</Code>" in answer.body


# Errors of the application's own.


def fails(status: str) -> Deal:
    """Return an application that answers with *status* and does not read."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        start(status, [])
        return [b"no"]

    return deal


@each_form
@pytest.mark.parametrize("status", ["403 Forbidden", "507 Insufficient Storage"])
def test_error_of_the_application_is_its_answer(form: PayloadForm, status: str) -> None:
    """An application that refuses an authentic upload is not overruled."""
    _, answer = served(STREAMED[form], fails(status))
    assert (answer.status, answer.body) == (int(status[:3]), b"no")


def test_error_of_the_application_needs_no_more_than_the_drain() -> None:
    """A large upload that is refused early is not read to its end, nor kept."""
    large = bytes(64 * 1024) * 1024
    message = plain("UNSIGNED-PAYLOAD", large)
    sent = Socket(message.body)
    environ = {"body": sent, "CONTENT_LENGTH": str(len(message.body))}
    _, answer = served(message, fails("403 Forbidden"), environ=environ)
    assert (answer.status, answer.body) == (403, b"no")
    assert 10 * 1024 * 1024 <= sent.received < 11 * 1024 * 1024


def test_error_of_the_application_does_not_wait_for_a_silent_client() -> None:
    """T43: the drain for an error has its own, short time, and the error goes out all the same."""
    message = STREAMED[PayloadForm.SHA256]
    with silent_client(b"abc") as (server, stream):
        server.settimeout(0.05)
        environ = {"body": stream, "CONTENT_LENGTH": str(len(message.body))}
        _, answer = served(message, fails("403 Forbidden"), environ=environ)
    assert (answer.status, answer.body) == (403, b"no")


@pytest.mark.parametrize(("server", "received"), [(GUNICORN, len(DATA)), (UWSGI, 0)])
def test_error_before_100_continue_does_not_ask_for_the_body(server: Server, received: int) -> None:
    """A client that waits to be asked is not made to send what nobody wants."""
    message = STREAMED[PayloadForm.SHA256]
    sent = Socket(message.body)
    environ = {"body": sent, "CONTENT_LENGTH": str(len(DATA)), "HTTP_EXPECT": "100-continue"}
    _, answer = served(message, fails("403 Forbidden"), server=server, environ=environ)
    assert (answer.status, sent.received) == (403, received)


def test_forged_body_is_seen_behind_an_error_of_the_application() -> None:
    """An error that follows from a refused body becomes the refusal, as far as that is seen."""
    forged = replace(STREAMED[PayloadForm.SHA256], body=DATA[::-1])
    _, answer = served(forged, fails("500 Internal Server Error"))
    assert answer.status == 400
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body


def test_error_page_made_after_reading_a_refused_body_becomes_the_refusal() -> None:
    """What a framework makes of the error in its hands is replaced."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        with suppress(OSError):
            app.read()
        start("400 Bad Request", [])
        return [b"no"]

    _, answer = served(replace(STREAMED[PayloadForm.SHA256], body=DATA[::-1]), deal)
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body


def test_fault_of_the_application_rises() -> None:
    """An exception that has nothing to do with the body is the server's to deal with."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        app.read(10)
        raise LookupError("a fault")

    with pytest.raises(LookupError, match="a fault"):
        served(STREAMED[PayloadForm.SHA256], deal)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_end_of_the_process_rises(error: type[BaseException]) -> None:
    """What ends a worker is no refusal, though the body was refused."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        with suppress(OSError):
            app.read()
        raise error

    with pytest.raises(error):
        served(replace(STREAMED[PayloadForm.SHA256], body=DATA[::-1]), deal)


def test_fault_after_the_answer_is_out_rises() -> None:
    """When the client has the answer, a fault cannot become another one."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        start("200 OK", [])(b"done")
        raise LookupError("late")

    with pytest.raises(LookupError, match="late"):
        served(STREAMED[PayloadForm.SHA256], deal)


# start_response.


def test_application_that_never_starts_is_a_fault() -> None:
    """As under any server."""
    with pytest.raises(AssertionError, match="not called start_response"):
        served(STREAMED[PayloadForm.SHA256], lambda *_: [b"x"])


def test_application_that_starts_twice_is_a_fault() -> None:
    """As under any server: only an error may replace what was started."""

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        start("200 OK", [])
        start("200 OK", [])
        return []

    with pytest.raises(AssertionError, match="twice"):
        served(STREAMED[PayloadForm.SHA256], deal)


def test_error_after_the_answer_is_out_is_the_servers_to_see() -> None:
    """The second start_response, with its exception, reaches the server."""
    error = LookupError("late")
    seen: list[object] = []

    def deal(_: Any, start: Start, app: Streaming) -> list[bytes]:
        start("200 OK", [])(b"do")
        start("500 Late", [], (LookupError, error, None))
        return []

    def start_response(status: str, headers: object, exc_info: Any = None) -> Any:
        seen.append((status, exc_info and exc_info[1]))
        return lambda data: None

    middleware = SigV4Middleware(Streaming(deal=deal), verifier(), stream=True)
    list(middleware(environ_of(STREAMED[PayloadForm.SHA256]), start_response))
    assert seen == [("200 OK", None), ("500 Late", error)]


class Pieces:
    """An answer that remembers being closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"do", b"ne"])

    def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.mark.parametrize("forged", [False, True])
def test_answer_of_the_application_is_closed_once(forged: bool) -> None:
    """PEP 3333: whether it is sent or replaced, and after an error too."""
    pieces = Pieces()

    def deal(_: Any, start: Start, app: Streaming) -> Pieces:
        start("200 OK", [])
        return pieces

    message = STREAMED[PayloadForm.SHA256]
    served(replace(message, body=DATA[::-1]) if forged else message, deal)
    assert pieces.closed == 1


def test_body_is_closed_with_the_answer() -> None:
    """A thread that outlives the request reads nothing of the next one."""
    kept: list[Any] = []

    def deal(environ: Any, start: Start, app: Streaming) -> list[bytes]:
        kept.append(environ["wsgi.input"])
        start("200 OK", [])
        return [b"done"]

    served(STREAMED[PayloadForm.SHA256], deal)
    with pytest.raises(ValueError, match="closed"):
        kept[0].read(1)
    with pytest.raises(ValueError, match="done"):
        kept[0].raw.readinto(bytearray(1))


def test_refused_request_leaves_no_identity_behind() -> None:
    """Who looks at the environ afterwards, to log it, finds neither identity nor body."""
    made = environ_of(replace(STREAMED[PayloadForm.SHA256], body=DATA[::-1]))
    middleware = SigV4Middleware(Streaming(deal=never_reads), verifier(), stream=True)
    assert call(middleware, made).status == 400
    assert not [key for key in made if key.startswith("wsgi_sigv4.")]
    assert made["wsgi.input"].read() == b""
    assert made["CONTENT_LENGTH"] == "0"


def test_refused_body_is_drained() -> None:
    """A proxy that still sends sees the refusal, and not a closed connection."""
    message = upload(*[b"x" * 8192] * 100, form=SIGNED)
    forged = replace(message, body=message.body.replace(b"x", b"y", 1))
    sent = Socket(forged.body)
    environ = {"body": sent, "CONTENT_LENGTH": str(len(forged.body))}
    _, answer = served(forged, reads_one_byte, environ=environ)
    assert (answer.status, sent.received) == (403, len(forged.body))


# authorize.


def test_authorize_is_asked_before_the_application() -> None:
    """What a key may not do is refused at the headers."""
    app, answer = served(STREAMED[PayloadForm.SHA256], reads_all, authorize=lambda *_: False)
    assert (answer.status, app.environ) == (403, {})
    assert b"<Code>AccessDenied</Code>" in answer.body


@each_form
def test_authorize_may_look_at_the_headers(form: PayloadForm) -> None:
    """Whom it lets through reads the body as it arrives."""
    seen: list[str] = []

    def judge(identity: Any, environ: Any) -> bool:
        seen.append(identity.access_key_id + environ["PATH_INFO"])
        return True

    app, answer = served(STREAMED[form], reads_all, authorize=judge)
    assert (answer.status, bytes(app.got)) == (200, DATA)
    assert seen == [f"{ACCESS_KEY_ID}/bucket/key"]


def test_authorize_must_not_read_the_body() -> None:
    """It would judge by bytes that are not verified, and take them from the application."""

    def judge(_: Any, environ: Any) -> bool:
        environ["wsgi.input"].read(1)
        return True

    with pytest.raises(RuntimeError, match="authorize has read"):
        served(STREAMED[PayloadForm.SHA256], reads_all, authorize=judge)


# Memory and disk.


@pytest.mark.parametrize("deal", [reads_all, never_reads])
def test_chunk_above_the_memory_limit_is_kept_on_disk(
    deal: Deal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large chunk is neither refused nor held in memory."""
    opened: list[Any] = []
    real = tempfile.TemporaryFile

    def remembered(**options: Any) -> Any:
        opened.append(real(**options))
        return opened[-1]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    large = bytes(range(256)) * 1024
    app, answer = served(upload(large, form=SIGNED), deal, memory_limit=1000)
    assert answer.status == 200
    assert len(opened) == 1
    assert opened[0].closed
    if deal is reads_all:
        assert bytes(app.got) == large


@pytest.mark.parametrize("deal", APPLICATIONS)
def test_full_disk_is_503_and_the_next_upload_succeeds(
    deal: Deal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T44: where a chunk cannot be kept, nothing is a success, and nothing is left behind."""
    with monkeypatch.context() as full:
        full.setattr(tempfile, "TemporaryFile", no_room)
        _, answer = served(STREAMED[PayloadForm.STREAMING_SIGNED], deal, memory_limit=10)
    assert answer.status == 503
    assert b"<Code>ServiceUnavailable</Code>" in answer.body or b"SlowDown" in answer.body
    _, answer = served(STREAMED[PayloadForm.STREAMING_SIGNED], deal, memory_limit=10)
    assert answer.status in (200, 204, 303)


def no_room(**_: object) -> io.BytesIO:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_broken_disk_is_a_fault_and_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in what was kept is never handed on as if it were whole."""

    def broken(**_: object) -> io.BytesIO:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(tempfile, "TemporaryFile", broken)
    with pytest.raises(OSError, match="Input/output error"):
        served(STREAMED[PayloadForm.STREAMING_SIGNED], swallows, memory_limit=10)


def test_body_is_shared_between_threads() -> None:
    """Two readers and an answer at the same time: every byte is handed on once, in order each."""
    parts: list[list[bytes]] = [[], []]

    def deal(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
        def read(into: list[bytes]) -> None:
            into.extend(iter(lambda: environ["wsgi.input"].read(97), b""))

        threads = [threading.Thread(target=read, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        start("200 OK", [])
        yield b"do"
        for thread in threads:
            thread.join(20)
        yield b"ne"

    _, answer = served(STREAMED[PayloadForm.STREAMING_SIGNED], deal)
    assert answer.body == b"done"
    assert sorted(b"".join(parts[0] + parts[1])) == sorted(DATA)


@pytest.mark.parametrize("limit", [len(DATA) - 1, 10])
@each_form
def test_body_above_max_body_is_refused(form: PayloadForm, limit: int) -> None:
    """413 before the application is called, where a length tells."""
    app, answer = served(STREAMED[form], reads_all, max_body=limit)
    assert (answer.status, app.environ) == (413, {})
