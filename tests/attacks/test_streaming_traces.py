"""Attacks on stream=True: no file, memory or name is left behind, whatever an application does."""

from __future__ import annotations

import errno
import gc
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.attacks.test_streaming import FORGED
from tests.attacks.test_streaming import fails
from tests.attacks.test_streaming import forged
from tests.core.uploads import SIGNED
from tests.core.uploads import upload
from tests.wsgi.calls import call
from tests.wsgi.inputs import Socket
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import DATA
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import Start
from tests.wsgi.streamed import Streaming
from tests.wsgi.streamed import generates
from tests.wsgi.streamed import never_reads
from tests.wsgi.streamed import reads_all
from tests.wsgi.streamed import reads_the_length
from tests.wsgi.streamed import swallows
from tests.wsgi.test_streaming import Deal
from tests.wsgi.test_streaming import served
from tests.wsgi.test_streaming import verifier
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import dismiss
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.options import Options
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.spooling import Spool


def open_files() -> int:
    """Return how many file descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))


class Unclosable:
    """An answer whose close fails."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"done"])

    def close(self) -> None:
        """Fail."""
        raise LookupError("close")


def cannot_be_closed(environ: Any, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer with what cannot be closed."""
    start("200 OK", [])
    return Unclosable()


def raises_late(environ: Any, start: Start, app: Streaming) -> Iterator[bytes]:
    """Fail when a part of the answer is out."""
    start("200 OK", [])
    yield b"do"
    raise LookupError("late")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="nothing tells the open files")
@pytest.mark.parametrize(
    "deal", [reads_all, never_reads, swallows, generates, fails, cannot_be_closed, raises_late]
)
@pytest.mark.parametrize("is_forged", [False, True], ids=["authentic", "forged"])
def test_no_file_is_left_open(deal: Deal, is_forged: bool) -> None:
    """The temporary file is gone with the answer, and not when somebody collects garbage."""
    message = (forged if is_forged else STREAMED.__getitem__)(PayloadForm.STREAMING_SIGNED)
    gc.collect()
    gc.disable()
    try:
        before = open_files()
        for _ in range(5):
            with suppress(LookupError):
                served(message, deal, memory_limit=100)
        assert open_files() == before
    finally:
        gc.enable()


def test_chunks_that_were_read_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long upload in chunks is kept chunk by chunk, and not as a whole."""
    sizes: list[int] = []
    write = Spool.write

    def noting(self: Spool, data: bytes) -> None:
        write(self, data)
        sizes.append(self._written)

    def no_file(**_: object) -> None:
        pytest.fail("a chunk below the limit went to disk")

    monkeypatch.setattr(Spool, "write", noting)
    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    message = upload(*[b"x" * 10_000] * 500, form=SIGNED)
    app, answer = served(message, reads_all, memory_limit=200_000)
    assert (answer.status, len(app.got)) == (200, 5_000_000)
    assert max(sizes) <= 200_000


def test_file_of_large_chunks_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """On disk there is no more than one chunk, and what has come of the next one."""
    sizes: list[int] = []
    write = Spool.write

    def noting(self: Spool, data: bytes) -> None:
        write(self, data)
        sizes.append(self._written)

    monkeypatch.setattr(Spool, "write", noting)
    message = upload(*[bytes([n]) * 300_000 for n in range(20)], form=SIGNED)
    app, answer = served(message, reads_the_length, memory_limit=200_000)
    assert (answer.status, len(app.got)) == (200, 6_000_000)
    assert (
        hashlib.sha256(app.got).digest()
        == hashlib.sha256(b"".join(bytes([n]) * 300_000 for n in range(20))).digest()
    )
    assert max(sizes) < 500_000


def test_refused_upload_does_not_stay_the_remote_user() -> None:
    """What stands outside the middleware, a log say, sees nobody."""
    environ = environ_of(FORGED)
    middleware = SigV4Middleware(
        Streaming(deal=never_reads), verifier(), stream=True, remote_user="access_key_id"
    )
    answer = call(middleware, environ)
    assert answer.status == 400
    assert "REMOTE_USER" not in environ


@pytest.mark.parametrize(("server", "received"), [(GUNICORN, len(DATA)), (UWSGI, 0)])
def test_refused_client_is_not_asked_for_its_body(server: Server, received: int) -> None:
    """A body that a client sends when it is asked to is not asked for to be drained."""
    message = STREAMED[PayloadForm.SHA256]
    sent = Socket(message.body)
    environ = environ_of(message, server, body=sent, HTTP_EXPECT="100-continue")
    environ["CONTENT_LENGTH"] = str(len(DATA))
    assert authenticate(environ, verifier(), Options(stream=True)) is not None
    body = streamed_body(environ)
    assert body is not None
    dismiss(body, environ)
    assert (sent.received, body.closed, environ["wsgi.input"].read()) == (received, True, b"")


class Full(io.BytesIO):
    """A file on a disk that turns out to be full, once, when it is read."""

    failed = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Fail the first time."""
        if not self.failed:
            self.failed = True
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(size)


@pytest.mark.parametrize("deal", [swallows, reads_all])
def test_disk_that_is_full_when_read_makes_no_success(
    deal: Deal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T44: a file may tell only on reading that it could not be written; there is no second try."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    app, answer = served(STREAMED[PayloadForm.STREAMING_SIGNED], deal, memory_limit=10)
    assert answer.status == 503
    assert all(isinstance(error, OSError) for error in app.errors)
