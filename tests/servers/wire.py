"""A client that sends exactly the bytes it is given, and reads one answer.

It is patient with servers that answer early: it goes on sending while it can, and what it has
received by then counts. Nothing is retried.
"""

from __future__ import annotations

import contextlib
import io
import select
import socket
import struct
import time
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from http.client import HTTPResponse
from typing import cast

#: Seconds without a byte in either direction after which an exchange has failed.
PATIENCE = 60.0
#: Seconds that a client waits for `100 Continue` before it sends the body all the same.
CONTINUE_SECONDS = 1.0
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: None where the connection ended without an answer.
        headers: names in lower case and values, in the order sent.
        body: decoded of its chunks, if it had any.
        seconds: from the first byte sent to the end of the answer.
    """

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0

    def values(self, name: str) -> list[str]:
        """Return the values of the header *name* (lower-case)."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How the bytes of a request go out.

    Attributes:
        head: request line and headers, with the empty line.
        body: as it goes over the wire, framed.
        method: that of the request; the answer to HEAD has no body.
        awaits_continue: wait for `100 Continue` between the two.
        half_closes: say after the last byte that no more will come.
        drip: bytes of the body that go out at a time, with *pause* seconds between; None: at once.
        pause: see *drip*.
    """

    head: bytes
    body: bytes = b""
    method: str = "GET"
    awaits_continue: bool = False
    half_closes: bool = False
    drip: int | None = None
    pause: float = 0.0


class Connection:
    """One connection, for one request and its answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._received = bytearray()
        self._ended = False

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def exchange(self, sending: Sending) -> Answer:
        """Send a request and return the answer."""
        started = time.monotonic()
        # A server that has answered early may have closed the connection: the answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(sending.head)
            if sending.awaits_continue:
                self._receive_for(CONTINUE_SECONDS)
            for piece in _pieces(sending):
                self._send(piece)
                if sending.drip is not None:
                    self._receive_for(sending.pause)
                    if self._received or self._ended:
                        break
            if sending.half_closes:
                self._socket.shutdown(socket.SHUT_WR)
        answer = self._answer(sending.method)
        return Answer(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            seconds=time.monotonic() - started,
        )

    def send_and_reset(self, sending: Sending) -> None:
        """Send a request and break the connection off, as a client that has crashed."""
        self._send(sending.head + sending.body)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def send_and_read_on(self, sending: Sending) -> bytes:
        """Send a request, say that it was the last, and return all that comes until the end."""
        received = bytearray()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(sending.head + sending.body)
            self._socket.shutdown(socket.SHUT_WR)
            while data := self.receive():
                received += data
        return bytes(received)

    def receive(self) -> bytes:
        """Return the next bytes; none at the end."""
        if self._received:
            data = bytes(self._received)
            self._received.clear()
            return data
        if self._ended:
            return b""
        return self._socket.recv(_PIECE)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._ended:
            readable, writable, _ = select.select([self._socket], [self._socket], [], PATIENCE)
            if readable:
                self._note(self._socket.recv(_PIECE))
            elif writable:
                view = view[self._socket.send(view[:_PIECE]) :]
            else:
                raise TimeoutError("the server neither reads nor answers")

    def _receive_for(self, seconds: float) -> None:
        """Wait for bytes of an answer, so long and no longer."""
        if not self._received and select.select([self._socket], [], [], seconds)[0]:
            self._note(self._socket.recv(_PIECE))

    def _note(self, data: bytes) -> None:
        self._received += data
        self._ended = self._ended or not data

    def _answer(self, method: str) -> Answer:
        # http.client asks of a socket nothing but makefile(); it steps over `100 Continue`.
        response = HTTPResponse(cast("socket.socket", _Readable(self)), method=method)
        try:
            response.begin()
            body = response.read()
        except (HTTPException, ConnectionResetError):
            return Answer(status=None)
        finally:
            response.close()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answer(status=response.status, headers=headers, body=body)


def _pieces(sending: Sending) -> Iterable[bytes]:
    if sending.drip is None:
        return [sending.body]
    return _cut(sending.body, sending.drip)


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class _Readable(io.RawIOBase):
    """What a connection receives, as a file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left = b""

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._left or self._connection.receive()
        count = min(len(data), len(buffer))
        buffer[:count], self._left = data[:count], data[count:]
        return count


def exchange(port: int, sending: Sending) -> Answer:
    """Return the answer of the server on *port*, over a connection of its own."""
    with Connection(port) as connection:
        return connection.exchange(sending)


def send_first(port: int, sending: Sending) -> Answer:
    """Return the answer that a client sees which sends all it has before it looks for one.

    The status is None where none arrived, and also where the connection broke down before.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            plain.sendall(sending.head + sending.body)
        response = HTTPResponse(plain, method=sending.method)
        try:
            response.begin()
            body = response.read()
        except (HTTPException, ConnectionResetError):
            return Answer(status=None)
        finally:
            response.close()
        return Answer(status=response.status, headers=tuple(response.getheaders()), body=body)
