"""Reading ``wsgi.input``: never beyond the body, never without an end.

In comes whatever a server calls its input, out come the pieces of the body, or
a refusal. A short read is the only sign of a lost client on most servers, and
what a foreign ``read`` may raise is not an ``OSError`` on all of them.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from typing import TYPE_CHECKING
from typing import Final
from typing import Protocol

from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import IncompleteBody

if TYPE_CHECKING:
    from _typeshed import SizedBuffer
    from _typeshed.wsgi import InputStream

#: One read; the pieces are hashed one by one.
MAX_PIECE: Final = 64 * 1024
#: The first read, and those from a slow client: `read(n)` waits for n bytes,
#: and the time limit can only be looked at between two reads.
MIN_PIECE: Final = 256
#: Seconds; a client that takes longer for one piece is asked for smaller ones.
_SLOW_PIECE: Final = 0.5


class Connection(Protocol):
    """What is asked of the socket below ``wsgi.input``."""

    def gettimeout(self) -> float | None:
        """Return the seconds that a read waits, None for no end."""

    def settimeout(self, value: float | None, /) -> None:
        """Set them."""


class Incoming:
    """The body of one request, as it comes in.

    Args:
        stream: ``wsgi.input``.
        length: its length in bytes; None: to the end of the stream.
        connection: the socket below *stream*, where the server tells. Without
            it a client that sends nothing at all is waited for as long as the
            server does.

    Attributes:
        length: as given.
        received: bytes read so far.
    """

    def __init__(
        self, stream: InputStream, length: int | None, *, connection: Connection | None = None
    ) -> None:
        self.length = length
        self.received = 0
        self._stream = stream
        self._connection = connection
        self._ended = length == 0

    def pieces(self, *, limit: int, seconds: float) -> Iterator[bytes]:
        """Yield what is left of the body, piece by piece.

        Args:
            limit: bytes that the whole body may have.
            seconds: that may be spent on waiting for what is left; what is done
                with a piece meanwhile does not count.

        Raises:
            BodyTooLarge: if the body has more than *limit* bytes.
            BodyTooSlow: if it takes longer than *seconds*.
            IncompleteBody: if it ends before its length, or cannot be read.
        """
        if self.length is not None and self.length > limit:
            raise BodyTooLarge(limit=limit)
        size = MIN_PIECE
        waited = 0.0
        while not self._ended:
            before = time.monotonic()
            piece = self._read(size, until=before + seconds - waited)
            if self.received > limit:
                raise BodyTooLarge(limit=limit)
            took = time.monotonic() - before
            waited += took
            yield piece
            if waited > seconds:
                raise BodyTooSlow
            size = _next_size(size, took)

    def drain(self, *, limit: int, seconds: float) -> None:
        """Read and forget a refused body, as far as *limit* more bytes and *seconds* reach.

        A proxy that is still sending takes a closed connection for a failure,
        and tells the client of a bad gateway instead of the refusal.
        """
        size = MIN_PIECE
        started = before = time.monotonic()
        stop = self.received + limit
        while not self._ended and self.received < stop and before - started < seconds:
            try:
                self._read(size, until=started + seconds)
            except (BodyTooSlow, IncompleteBody):
                return
            now = time.monotonic()
            size = _next_size(size, now - before)
            before = now

    def _read(self, size: int, *, until: float) -> bytes:
        if self.length is not None:
            size = min(size, self.length - self.received)
        try:
            if self._connection is None:
                piece = self._stream.read(size)
            else:
                with _waiting(self._connection, until=until):
                    piece = self._stream.read(size)
        except TimeoutError as error:
            self._ended = True
            raise BodyTooSlow from error
        except Exception as error:
            # Servers raise what they like here, classes of their own among it.
            self._ended = True
            raise IncompleteBody(expected=self.length, received=self.received) from error
        self.received += len(piece)
        self._ended = not piece or self.received == self.length
        if not piece and self.length is not None:
            raise IncompleteBody(expected=self.length, received=self.received)
        return piece


@contextmanager
def _waiting(connection: Connection, *, until: float) -> Iterator[None]:
    """Let a read of *connection* that gets nothing end at the time *until*."""
    before = connection.gettimeout()
    # 0 would mean: not at all.
    connection.settimeout(max(until - time.monotonic(), 0.001))
    try:
        yield
    finally:
        # The answer is sent with the server's own timeout.
        connection.settimeout(before)


def _next_size(size: int, seconds: float) -> int:
    """Return how much to read next, where the last piece of *size* bytes took *seconds*."""
    return MIN_PIECE if seconds > _SLOW_PIECE else min(MAX_PIECE, size * 4)


class _Rejoined(io.RawIOBase):
    def __init__(self, head: bytes, rest: InputStream, length: int | None) -> None:
        self._head = head
        self._rest = rest
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: SizedBuffer, /) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        if self._head:
            piece, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            wanted = len(view) if self._left is None else min(len(view), self._left)
            piece = self._rest.read(wanted) if wanted else b""
            self._left = None if self._left is None else self._left - len(piece)
        view[: len(piece)] = piece
        return len(piece)


def rejoin(head: bytes, rest: InputStream, *, length: int | None) -> IO[bytes]:
    """Return a stream of *head* and then *rest*, of which *length* bytes are left.

    It never reads beyond *length*; None means to the end.
    """
    return io.BufferedReader(_Rejoined(head, rest, length))
