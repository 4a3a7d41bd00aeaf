"""Attacks on stream=True: a body that is not the signed one is to leave no trace of a success."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from werkzeug.wsgi import LimitedStream

from tests.core.messages import Message
from tests.wsgi.calls import call
from tests.wsgi.inputs import Input
from tests.wsgi.inputs import Socket
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import DATA
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import Start
from tests.wsgi.streamed import Streaming
from tests.wsgi.streamed import generates
from tests.wsgi.streamed import never_reads
from tests.wsgi.streamed import plain
from tests.wsgi.streamed import reads_all
from tests.wsgi.streamed import swallows
from tests.wsgi.streamed import without_host_id
from tests.wsgi.streamed import writes
from tests.wsgi.test_streaming import Deal
from tests.wsgi.test_streaming import served
from tests.wsgi.test_streaming import verifier
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.payload import PayloadForm

HASHED = STREAMED[PayloadForm.SHA256]
FORGED = replace(HASHED, body=DATA[:-1] + b"x")

each_form = pytest.mark.parametrize("form", STREAMED)


def forged(form: PayloadForm) -> Message:
    """Return an upload whose last byte of content is another one."""
    message = STREAMED[form]
    at = message.body.rindex(b"c\n") + 1
    return replace(message, body=message.body[:at] + b"x" + message.body[at + 1 :])


# An error that was let out without all that a success waits for.


def changes_its_mind(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
    """Begin with an error page, and replace it before a byte of it is sent."""
    start("500 Internal Server Error", [])
    yield b""
    try:
        raise LookupError("so far")
    except LookupError:
        start("200 OK", [], sys.exc_info())
    yield b"done"


def writes_and_changes_its_mind(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
    """Do so with the old callable."""
    start("404 Not Found", [])(b"")
    try:
        raise LookupError("so far")
    except LookupError:
        start("303 See Other", [], sys.exc_info())
    return [b"done"]


@pytest.mark.parametrize("deal", [changes_its_mind, writes_and_changes_its_mind])
def test_error_that_is_out_does_not_become_a_success(deal: Deal) -> None:
    """An error needs no more of the body than the drain: for the server it is sent by then."""
    large = bytes(64 * 1024) * 200
    message = plain(hashlib.sha256(large).hexdigest(), large)
    with pytest.raises(LookupError, match="so far"):
        served(replace(message, body=large[:-1] + b"x"), deal)
    # Nor where the client, not asked for its body, has not sent it.
    environ = {"body": io.BytesIO(), "CONTENT_LENGTH": "100", "HTTP_EXPECT": "100-continue"}
    with pytest.raises(LookupError, match="so far"):
        served(HASHED, deal, server=UWSGI, environ=environ)


def test_error_that_is_out_is_no_second_answer() -> None:
    """Without an exception it is a fault of the application, as under any server."""

    def deal(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
        start("500 Internal Server Error", [])
        yield b""
        start("200 OK", [])
        yield b"done"

    with pytest.raises(AssertionError, match="twice"):
        served(HASHED, deal)


def test_error_that_is_out_may_become_another_error() -> None:
    """The server decides, by whether it has sent the first one."""

    def deal(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
        start("500 Internal Server Error", [])
        yield b""
        start("503 Service Unavailable", [], (LookupError, LookupError(), None))
        yield b"later"

    _, answer = served(HASHED, deal)
    assert (answer.status, answer.body) == (503, b"later")


# PEP 3333.


def reads_by_sizes(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
    """Read as wsgiref.validate allows it, and answer as it wants it."""
    while environ["wsgi.input"].read(1000):
        pass
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def yields(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
    """Answer first and read later."""
    start("200 OK", [("Content-Type", "text/plain")])
    yield b"do"
    environ["wsgi.input"].read(10)
    yield b"ne"


def has_no_content(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer with neither a body nor its type."""
    start("204 No Content", [])
    return []


def fails(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer with an error."""
    start("403 Forbidden", [("Content-Type", "text/plain")])
    return [b"no"]


@each_form
@pytest.mark.parametrize("is_forged", [False, True], ids=["authentic", "forged"])
@pytest.mark.parametrize(
    ("deal", "status"),
    [(reads_by_sizes, 200), (yields, 200), (has_no_content, 204), (fails, 403)],
)
def test_both_sides_comply_with_pep_3333(
    form: PayloadForm, is_forged: bool, deal: Deal, status: int
) -> None:
    """wsgiref.validate has no objection to what server and application see of the middleware."""
    inner = validator(Streaming(deal=deal))
    outer = validator(SigV4Middleware(inner, verifier(), stream=True))
    environ = environ_of(forged(form) if is_forged else STREAMED[form])
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.version": (1, 0)}
    environ |= {"wsgi.errors": sys.stderr, "wsgi.multithread": True}
    environ |= {"wsgi.multiprocess": False, "wsgi.run_once": False}
    environ["wsgi.input"] = Whole(environ["wsgi.input"])
    answer = call(outer, environ)
    if is_forged:
        status = 403 if form.is_signed_stream else 400
    assert answer.status == status


class Whole(Input):
    """A stream that has all that wsgiref.validate asks for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data: bytes = self._stream.read(size)
        return data


@each_form
@pytest.mark.parametrize("method", ["HEAD", "GET", "DELETE"])
def test_other_methods_are_no_way_around(form: PayloadForm, method: str) -> None:
    """A body counts, whatever the method: the answer to it is the refusal."""
    _, answer = served(forged(form), never_reads, environ={"REQUEST_METHOD": method})
    assert answer.status >= 400


@each_form
def test_file_of_the_server_is_no_way_around(form: PayloadForm) -> None:
    """An answer made by wsgi.file_wrapper waits as any other does, and its file is closed."""
    files: list[io.BytesIO] = []

    def deal(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
        files.append(io.BytesIO(b"done"))
        start("200 OK", [])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](files[-1])
        return wrapped

    environ = {"wsgi.file_wrapper": FileWrapper}
    _, answer = served(STREAMED[form], deal, environ=environ)
    assert (answer.status, answer.body) == (200, b"done")
    _, answer = served(forged(form), deal, environ=environ)
    assert answer.status >= 400
    assert b"done" not in without_host_id(answer.body)
    assert [file.closed for file in files] == [True, True]


# The last byte, and those of a signed chunk.


def peeks(body: Any, got: bytearray) -> None:
    """Look into the buffer of the stream."""
    while piece := body.peek():
        got += body.read1(len(piece))


def reads_into(body: Any, got: bytearray) -> None:
    """Read into a buffer that is larger than the body."""
    buffer = bytearray(2 * len(DATA))
    while count := body.readinto1(buffer):
        got += buffer[:count]


def reads_below(body: Any, got: bytearray) -> None:
    """Take the buffer off the stream."""
    raw = body.detach()
    while piece := raw.read(777):
        got += piece


def reads_limited(body: Any, got: bytearray) -> None:
    """Read with werkzeug's limit around it."""
    limited = LimitedStream(body, len(DATA))
    while piece := limited.read(777):
        got += piece


def reads_text(body: Any, got: bytearray) -> None:
    """Read as text, which closes the stream when it is forgotten."""
    for line in io.TextIOWrapper(body, encoding="latin-1", newline=""):
        got += line.encode("latin-1")


READINGS = (peeks, reads_into, reads_below, reads_limited, reads_text)


def in_small_pieces(message: Message) -> dict[str, Any]:
    """Return keys for the environ of a client that sends so, as it would if it waited between."""
    return {"body": Socket(message.body, short=50), "CONTENT_LENGTH": str(len(message.body))}


@each_form
@pytest.mark.parametrize("reading", READINGS)
def test_t50_no_way_of_reading_gives_too_much(
    form: PayloadForm, reading: Callable[[Any, bytearray], None]
) -> None:
    """T50: the last byte, and a forged chunk, are withheld from who reads below the buffer too."""
    got = bytearray()

    def deal(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        for _ in range(3):
            with suppress(Exception):
                reading(body, got)
        start("200 OK", [])
        return [b"done"]

    _, answer = served(STREAMED[form], deal, environ=in_small_pieces(STREAMED[form]))
    assert (answer.status, bytes(got)) == (200, DATA)
    got.clear()
    _, answer = served(forged(form), deal, environ=in_small_pieces(forged(form)))
    assert answer.status >= 400
    assert len(got) < len(DATA)
    assert DATA.startswith(bytes(got))
    assert not form.is_signed_stream or b"c\n" not in got


# What is raised in the middle of a read.


class Interrupted(Input):
    """A stream in the middle of which something is raised, once."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self._data = io.BytesIO(data)
        self._error: BaseException | None = error

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        if self._data.tell() > 3000 and self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._data.read(size)


class Timeout(BaseException):
    """As gevent raises its own, at whatever a greenlet waits for."""


@each_form
@pytest.mark.parametrize("deal", [swallows, reads_all, never_reads, generates, writes])
@pytest.mark.parametrize("error", [Timeout, SystemExit, KeyboardInterrupt, GeneratorExit, OSError])
def test_interrupted_read_is_no_end_of_the_body(
    form: PayloadForm, deal: Deal, error: type[BaseException]
) -> None:
    """Whatever a read raises, and whoever catches it: the body has lost a piece, and is refused."""
    message = STREAMED[form]

    def catches(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
        try:
            return list(deal(environ, start, app))
        except BaseException:
            start("200 OK", [], sys.exc_info())
        return [b"done"]

    body = Interrupted(message.body, error("now"))
    environ = {"body": body, "CONTENT_LENGTH": str(len(message.body))}
    try:
        app, answer = served(message, catches, environ=environ)
    except error:
        return
    assert answer.status >= 400
    assert b"done" not in without_host_id(answer.body)
    assert bytes(app.got) != DATA


# Threads.


def test_thread_that_waits_for_the_client_delays_an_error_and_no_more() -> None:
    """The thread reads, the application has answered with an error: neither waits for ever."""
    client, server = os.pipe()
    reading = threading.Event()

    def deal(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
        def read() -> None:
            reading.set()
            with suppress(Exception):
                app.read()

        threading.Thread(target=read, daemon=True).start()
        assert reading.wait(60)
        start("403 Forbidden", [])
        return [b"no"]

    os.write(server, DATA[:5000])
    leaving = threading.Timer(0.3, os.close, [server])
    leaving.start()
    with open(client, "rb", buffering=0) as stream:
        environ = {"body": stream, "CONTENT_LENGTH": str(len(DATA))}
        _, answer = served(HASHED, deal, environ=environ)
    leaving.join()
    assert answer.status == 400
    assert b"<Code>IncompleteBody</Code>" in answer.body


def test_reading_where_the_answer_is_written() -> None:
    """An application that reads while it writes waits for nothing but the client."""

    def deal(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
        write = start("200 OK", [])
        while piece := app.read(500):
            write(piece)
        return []

    for form, message in STREAMED.items():
        _, answer = served(message, deal)
        assert (answer.status, answer.body) == (200, DATA), form
        _, answer = served(forged(form), deal)
        assert answer.status >= 400, form
