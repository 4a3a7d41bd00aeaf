"""What the real servers of tests/servers brought to light, in the small.

A client that falls silent in the middle of a body held a worker of gunicorn for ever: `read(n)`
waits for n bytes, and no time limit is looked at in between. Where the server names the socket, it
waits no longer than the limit.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Input
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import Verifier
from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import refuse_post_policy
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.options import Options
from wsgi_sigv4.streams import Incoming


class Connection:
    """The socket of a request, which keeps a list of the timeouts that it was given."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = [None]

    def gettimeout(self) -> float | None:
        """Return the timeout."""
        return self.timeouts[-1]

    def settimeout(self, value: float | None, /) -> None:
        """Set the timeout."""
        self.timeouts.append(value)


class Silent(Input):
    """The input of a request whose client has sent *data*, and then nothing."""

    def __init__(self, connection: Connection, data: bytes = b"") -> None:
        self._data = io.BytesIO(data)
        self._connection = connection

    def read(self, size: int = -1) -> bytes:
        """Return what is there, or wait as long as the timeout says."""
        piece = self._data.read(size)
        if not piece:
            assert self._connection.gettimeout() is not None, "waits for ever"
            raise TimeoutError("timed out")
        return piece


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("before", [None, 30.0])
def test_t43_silent_client_is_waited_for_as_long_as_the_limit_says(
    pair: tuple[socket.socket, socket.socket], before: float | None
) -> None:
    """T43: a read that gets nothing ends in time, and the socket is then as it was."""
    ours, theirs = pair
    ours.settimeout(before)
    theirs.sendall(b"abc")
    with ours.makefile("rb") as stream:
        incoming = Incoming(stream, 10, connection=ours)
        started = time.monotonic()
        with pytest.raises(BodyTooSlow):
            list(incoming.pieces(limit=10, seconds=0.2))
        assert 0.1 < time.monotonic() - started < 20
        assert ours.gettimeout() == before
        # Nothing is read of it again.
        incoming.drain(limit=10, seconds=60)


def test_t43_each_read_gets_the_rest_of_the_time() -> None:
    """T43: the limit is for the whole body, so that a later read has less of it."""
    connection = Connection()
    stream = Silent(connection, bytes(600))
    with pytest.raises(BodyTooSlow):
        list(Incoming(stream, 1000, connection=connection).pieces(limit=1000, seconds=500.0))
    given = [seconds for seconds in connection.timeouts if seconds is not None]
    assert len(given) == 3
    assert 500.0 >= given[0] > given[1] > given[2] > 400.0
    assert connection.timeouts[::2] == [None] * 4


def test_t43_time_that_is_up_is_no_reason_to_wait_for_ever() -> None:
    """T43: a timeout of 0 would not wait at all, and one below is an error."""
    connection = Connection()
    with pytest.raises(BodyTooSlow):
        list(Incoming(Silent(connection), 10, connection=connection).pieces(limit=10, seconds=-1.0))
    assert connection.timeouts == [None, 0.001, None]


def test_t43_drain_of_a_silent_client_ends() -> None:
    """T43, rule 21: the refusal is sent, whatever becomes of the rest of the body."""
    connection = Connection()
    Incoming(Silent(connection, b"abc"), 10, connection=connection).drain(limit=10, seconds=5.0)
    assert connection.timeouts[-1] is None


def test_t43_timeout_of_the_server_is_a_slow_body() -> None:
    """T43: servers with a timeout of their own (cheroot) raise it without being told to."""
    with pytest.raises(BodyTooSlow) as caught:
        list(Incoming(Broken([b"abc"], TimeoutError("x")), 10).pieces(limit=10, seconds=60.0))
    assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket"])
def test_t43_socket_is_the_one_that_the_server_names(key: str) -> None:
    """T43: gunicorn and werkzeug name it; an unsigned request does not hold their workers."""
    connection = Connection()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/items/1",
        "HTTP_HOST": "api.example.com",
        "CONTENT_LENGTH": "10",
        "wsgi.input": Silent(connection),
        key: connection,
    }
    verifier = Verifier({}, region="us-east-1", service="items", profile=GENERIC)
    with pytest.raises(MissingAuthentication):
        authenticate(environ, verifier, Options())
    assert len(connection.timeouts) == 3


def test_t43_form_that_is_looked_into_is_waited_for_as_long_as_a_body() -> None:
    """T43: the fields of an unsigned form are read before the view is called."""
    connection = Connection()
    environ: dict[str, Any] = {
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": "10",
        "wsgi.input": Silent(connection),
        "gunicorn.socket": connection,
    }
    with pytest.raises(SigV4Error):
        refuse_post_policy(environ, Options(required=False))
    assert len(connection.timeouts) == 3
