"""The body as it comes in: never read beyond its end, and never without an end."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.wsgi.inputs import CLIENT_SECONDS
from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Endless
from tests.wsgi.inputs import Input
from tests.wsgi.inputs import Socket
from tests.wsgi.inputs import Untouched
from tests.wsgi.inputs import silent_client
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.streams import Incoming
from wsgi_sigv4.streams import rejoin

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream

BODY = bytes(range(256)) * 1200


def pieces(incoming: Incoming) -> Iterator[bytes]:
    """Return the pieces of *incoming*, with limits that do not matter."""
    return incoming.pieces(limit=10**9, seconds=3600.0)


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that streams look at."""
    frozen = Clock()
    monkeypatch.setattr(time, "monotonic", frozen)
    return frozen


class Dripping(Input):
    """A client that sends one piece of at most *most* bytes in so many *seconds*."""

    def __init__(self, clock: Clock, *, seconds: float, most: int = 10**9) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self.sizes: list[int] = []

    def read(self, size: int = -1) -> bytes:
        """Return a piece, later."""
        self.sizes.append(size)
        self._clock.now += self._seconds
        return bytes(min(size, self._most))


# Incoming: rules 16 and 17 of docs/servers-rules.md.


@pytest.mark.parametrize("short", [None, 1, 7, 1000], ids=["whole", "1", "7", "1000"])
@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 300_000])
def test_rule_16_exactly_the_length_is_read_in_short_reads_too(
    short: int | None, length: int
) -> None:
    """Rule 16: reads go on until the length is there, and never beyond it."""
    body = BODY[:length] if short != 1 else BODY[: min(length, 2000)]
    stream = Socket(body, short=short)
    assert b"".join(pieces(Incoming(stream, len(body)))) == body
    assert stream.received == len(body)


def test_rule_15_empty_body_is_not_read() -> None:
    """Rules 15 and 16: where there is no body, read() would wait for ever."""
    assert list(pieces(Incoming(Untouched(), 0))) == []
    Incoming(Untouched(), 0).drain(limit=10, seconds=1.0)


@pytest.mark.parametrize("received", [0, 1, 255, 256, 299_999])
def test_rule_16_body_that_ends_early_is_incomplete(received: int) -> None:
    """Rule 16: a short result is the only sign of a lost client on most servers."""
    with pytest.raises(IncompleteBody) as caught:
        list(pieces(Incoming(io.BytesIO(BODY[:received]), 300_000)))
    assert (caught.value.expected, caught.value.received) == (300_000, received)


class ParseException(Exception):
    """As gunicorn's own, which is no OSError."""


@pytest.mark.parametrize("error", [OSError(5, "x"), ValueError("x"), ParseException("x")])
@pytest.mark.parametrize("length", [10, None], ids=["length", "chunked"])
def test_rule_17_whatever_a_foreign_read_raises_is_an_incomplete_body(
    error: Exception, length: int | None
) -> None:
    """Rule 17: servers raise classes of their own; the cause is kept for the log."""
    incoming = Incoming(Broken([b"abc"], error), length)
    with pytest.raises(IncompleteBody) as caught:
        list(pieces(incoming))
    assert caught.value.__cause__ is error
    assert caught.value.received == 3
    # And nothing is read of it again.
    incoming.drain(limit=10, seconds=1.0)


def test_interrupts_are_no_incomplete_bodies() -> None:
    """A worker that is told to stop stops."""
    with pytest.raises(KeyboardInterrupt):
        list(pieces(Incoming(Broken([], KeyboardInterrupt()), 10)))


@pytest.mark.parametrize("length", [0, 1, 256, 300_000])
def test_body_without_length_is_read_to_the_end_of_the_stream(length: int) -> None:
    """A chunked body that the server decodes ends with its stream."""
    body = BODY[:length]
    assert b"".join(pieces(Incoming(io.BytesIO(body), None))) == body


@pytest.mark.parametrize("length", [1000, None], ids=["length", "chunked"])
def test_body_above_the_limit_is_refused(length: int | None) -> None:
    """A declared length is refused before a byte is read, a body without one at the limit."""
    stream: InputStream = Socket(BODY[:1000]) if length else io.BytesIO(BODY[:1000])
    with pytest.raises(BodyTooLarge) as caught:
        list(Incoming(stream, length).pieces(limit=999, seconds=10.0))
    assert caught.value.limit == 999
    if isinstance(stream, Socket):
        assert stream.received == 0
    assert b"".join(
        Incoming(io.BytesIO(BODY[:999]), 999 if length else None).pieces(limit=999, seconds=10.0)
    )


def test_endless_body_stops_at_the_limit() -> None:
    """What is read beyond the limit is one piece at most."""
    endless = Endless()
    with pytest.raises(BodyTooLarge):
        list(Incoming(endless, None).pieces(limit=1_000_000, seconds=10.0))
    assert 1_000_000 < endless.received <= 1_000_000 + 64 * 1024


def test_pieces_grow_while_the_client_is_fast(clock: Clock) -> None:
    """Small reads cost time, so a fast client is asked for more and more, up to 64 KiB."""
    stream = Dripping(clock, seconds=0.01)
    list(pieces(Incoming(stream, 500_000)))
    assert stream.sizes[:6] == [256, 1024, 4096, 16384, 65536, 65536]
    assert max(stream.sizes) == 65536


def test_t43_slow_client_is_asked_for_little_and_ends_at_the_time_limit(clock: Clock) -> None:
    """T43: read(n) waits for n bytes, so a slow client is asked for few, and cut off in time."""
    stream = Dripping(clock, seconds=10.0)
    with pytest.raises(BodyTooSlow):
        list(Incoming(stream, 10**6).pieces(limit=10**9, seconds=100.0))
    assert stream.sizes == [256] * 11


def test_t43_the_time_limit_is_for_the_whole_body(clock: Clock) -> None:
    """T43: pieces that each come in good time do not add up to for ever."""
    stream = Dripping(clock, seconds=0.4, most=1000)
    with pytest.raises(BodyTooSlow):
        list(Incoming(stream, 10**6).pieces(limit=10**9, seconds=60.0))
    assert clock.now - 1000.0 < 61.0


def test_rule_21_drain_reads_a_bounded_part_of_what_is_left() -> None:
    """Rule 21: a refused body is read on, as far as the limit."""
    stream = Socket(BODY)
    incoming = Incoming(stream, len(BODY))
    body = pieces(incoming)
    next(body)
    incoming.drain(limit=50_000, seconds=10.0)
    assert 50_256 <= stream.received < 50_256 + 64 * 1024


@pytest.mark.parametrize("taken", [0, 1, 2, 5], ids=lambda taken: f"after {taken} pieces")
def test_rule_21_drain_after_a_partial_read_ends_where_the_body_ends(taken: int) -> None:
    """Rules 16 and 21: it never asks for a byte more than the client sends, which would block."""
    stream = Socket(BODY, short=60_000)
    incoming = Incoming(stream, len(BODY))
    body = pieces(incoming)
    for _ in range(taken):
        next(body)
    incoming.drain(limit=10**9, seconds=10.0)
    assert stream.received == len(BODY)
    incoming.drain(limit=10**9, seconds=10.0)


def test_rule_21_drain_has_a_time_limit_of_its_own(clock: Clock) -> None:
    """Rule 21, T43: a refused client that drips its body holds the worker for seconds only."""
    stream = Dripping(clock, seconds=1.0)
    Incoming(stream, 10**6).drain(limit=10**6, seconds=5.0)
    assert stream.sizes == [256] * 5


@pytest.mark.parametrize("stream", [io.BytesIO(b"abc"), Broken([b"abc"], ValueError("x"))])
def test_rule_21_drain_of_a_lost_client_is_silent(stream: io.BytesIO) -> None:
    """A refusal stays what it was, whatever becomes of the rest of the body."""
    Incoming(stream, 1000).drain(limit=10**6, seconds=5.0)


# rejoin: a stream whose head was looked at.

TEXT = b"first line\nsecond line\n\nlast"


@pytest.mark.parametrize("at", range(len(TEXT) + 1))
@pytest.mark.parametrize("known", [True, False], ids=["length", "chunked"])
def test_rejoin_gives_head_and_rest_at_every_split(at: int, known: bool) -> None:
    """Wherever the head ends, each way of reading gives the whole."""

    def joined() -> io.BufferedReader:
        rest: InputStream = Socket(TEXT[at:]) if known else io.BytesIO(TEXT[at:])
        stream = rejoin(TEXT[:at], rest, length=len(TEXT) - at if known else None)
        assert isinstance(stream, io.BufferedReader)
        return stream

    assert joined().read() == TEXT
    assert list(joined()) == TEXT.splitlines(keepends=True)
    assert joined().readlines() == TEXT.splitlines(keepends=True)
    assert joined().readline() == b"first line\n"
    one_by_one = joined()
    assert b"".join(iter(lambda: one_by_one.read(1), b"")) == TEXT
    assert joined().read(5) == b"first"
    assert joined().readable()


def test_rejoin_never_reads_beyond_the_body() -> None:
    """What is left on a kept connection belongs to the next request."""
    rest = io.BytesIO(b"rest of it GET /next HTTP/1.1")
    assert rejoin(b"head, ", rest, length=10).read() == b"head, rest of it"
    assert rest.read() == b" GET /next HTTP/1.1"


def test_rejoin_of_a_lost_client_ends() -> None:
    """A rest that is shorter than announced ends where it ends."""
    assert rejoin(b"head", io.BytesIO(b"re"), length=10).read() == b"headre"


# The socket below, where the server tells.


@pytest.mark.parametrize("sent", [b"", b"abc"], ids=["nothing", "a part"])
def test_t43_silent_client_ends_at_the_time_limit(sent: bytes) -> None:
    """T43: a client that sends no more is cut off, and the socket keeps the server's timeout."""
    with silent_client(sent) as (server, stream):
        server.settimeout(77.0)
        incoming = Incoming(stream, 1000, connection=server)
        started = time.monotonic()
        with pytest.raises(BodyTooSlow):
            list(incoming.pieces(limit=10**6, seconds=0.05))
        assert time.monotonic() - started < CLIENT_SECONDS - 5
        assert server.gettimeout() == 77.0
        # What has ended is not read again.
        incoming.drain(limit=10**6, seconds=0.05)


def test_t43_drain_of_a_silent_client_ends_at_its_time_limit() -> None:
    """T43: the drain of a refused body does not wait for a client that sends no more."""
    with silent_client(b"abc") as (server, stream):
        started = time.monotonic()
        Incoming(stream, 1000, connection=server).drain(limit=10**6, seconds=0.05)
        assert time.monotonic() - started < CLIENT_SECONDS - 5
        assert server.gettimeout() is None


def test_t43_socket_of_a_client_in_time_is_left_as_it_was() -> None:
    """T43: after a body that arrived in time the socket has its old timeout."""
    with silent_client(b"hello") as (server, stream):
        incoming = Incoming(stream, 5, connection=server)
        assert b"".join(pieces(incoming)) == b"hello"
        assert server.gettimeout() is None


@pytest.mark.parametrize("length", [10, None], ids=["length", "chunked"])
def test_t43_timeout_of_the_server_is_a_slow_body(length: int | None) -> None:
    """T43: a server that gives up by itself says that the client was slow."""
    incoming = Incoming(Broken([b"abc"], TimeoutError()), length)
    with pytest.raises(BodyTooSlow):
        list(pieces(incoming))
