"""Streams in the place of ``wsgi.input`` that keep watch on how they are read.

They fail the test with pytest.fail, which no ``except Exception`` catches.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest


class Input:
    """A stream of which only ``read`` is used."""

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes."""
        raise NotImplementedError

    def readline(self, size: int = -1) -> bytes:
        """Fail the test."""
        raise AssertionError("readline()")

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Fail the test."""
        raise AssertionError("readlines()")

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("iter()")


class Socket(Input):
    """A stream as a socket is: whoever reads beyond what the client sends waits for ever.

    Here that fails the test instead. It counts what was read.
    """

    def __init__(self, data: bytes = b"", *, short: int | None = None) -> None:
        self._data = io.BytesIO(data)
        self._left = len(data)
        self._short = short
        self.received = 0

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes; a *short* one never gives more than that at once."""
        if not 0 < size <= self._left:
            pytest.fail(f"read({size}) blocks: {self._left} bytes are left")
        piece = self._data.read(size if self._short is None else min(size, self._short))
        self._left -= len(piece)
        self.received += len(piece)
        return piece


class Broken(Input):
    """A stream that gives *pieces*, and then raises *error*."""

    def __init__(self, pieces: Iterable[bytes], error: BaseException) -> None:
        self._pieces = iter(pieces)
        self._error = error

    def read(self, size: int = -1) -> bytes:
        """Return the next piece."""
        for piece in self._pieces:
            return piece
        raise self._error


class Endless(Input):
    """A chunked body that never ends; it counts what was read."""

    def __init__(self) -> None:
        self.received = 0

    def read(self, size: int = -1) -> bytes:
        """Return *size* bytes."""
        if size <= 0:
            pytest.fail(f"read({size}) never ends")
        self.received += size
        return bytes(size)


class Untouched(Input):
    """A stream that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        """Fail the test."""
        pytest.fail(f"read({size}) of a body that was to be left alone")


#: Seconds after which a client leaves that has sent nothing more.
CLIENT_SECONDS = 30.0


@contextmanager
def silent_client(sent: bytes) -> Iterator[tuple[socket.socket, BinaryIO]]:
    """Give the server's end of a connection, on which *sent* came and no more does.

    The client leaves after some seconds, so that a test fails that waits for it.
    """
    client, server = socket.socketpair()
    leaving = threading.Timer(CLIENT_SECONDS, client.shutdown, [socket.SHUT_RDWR])
    leaving.start()
    try:
        with client, server, server.makefile("rb") as stream:
            client.sendall(sent)
            yield server, stream
    finally:
        leaving.cancel()
