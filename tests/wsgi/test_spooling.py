"""What is kept until it is read: in order, in memory up to a limit, and then on disk."""

from __future__ import annotations

import errno
import io
import os
import random
import subprocess
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import StorageUnavailable
from wsgi_sigv4.spooling import Spool
from wsgi_sigv4.spooling import spool

BODY = bytes(range(256)) * 1200


def same(piece: bytes) -> bytes:
    """Keep all of a piece."""
    return piece


@pytest.mark.parametrize(
    ("memory_limit", "on_disk"), [(10**6, False), (1000, False), (999, True), (0, True)]
)
def test_spool_keeps_bodies_in_memory_up_to_the_limit(memory_limit: int, on_disk: bool) -> None:
    """Above the limit the body is on disk; a limit of 0 means always."""
    pieces = [b"a" * 500, b"b" * 500]
    file, length = spool(iter(pieces), memory_limit=memory_limit, feed=same)
    with file:
        assert isinstance(file, io.BytesIO) is not on_disk
        assert length == 1000
        assert file.read() == b"".join(pieces)


def test_spool_has_no_name_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body on disk is gone with its process, and nobody else can open it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file, _ = spool(iter([BODY]), memory_limit=10, feed=same)
    with file:
        assert list(tmp_path.iterdir()) == []


def test_spool_keeps_what_feed_returns() -> None:
    """A framed body is kept without its frame, and its length is that of the content."""
    file, length = spool(iter([b"3;ab", b"3;cd"]), memory_limit=100, feed=lambda p: p[2:])
    with file:
        assert (file.read(), length) == (b"abcd", 4)


@pytest.fixture(params=["tmpfs", "errors"])
def full_disk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A temporary folder with room for 64 KiB, a real one where root can mount it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if request.param == "errors":
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullFile())
        yield tmp_path
        return
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if os.name != "posix" or os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


class FullFile(io.BytesIO):
    """A file on a disk with room for 64 KiB."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take *data*, or say that there is no room."""
        if self.tell() + len(data) > 65536:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


# Sizes at which the write, the flush at the end or only the close has no room.
@pytest.mark.parametrize(
    "sizes", [[10**6], [65536] * 3, [65000, 1000], [4096] * 16 + [10]], ids=["at once", *"abc"]
)
@pytest.mark.usefixtures("full_disk")
def test_t44_full_disk_is_storage_unavailable(sizes: list[int], full_disk: Path) -> None:
    """T44: a full temporary folder is 503 whenever it shows, and nothing is left behind."""
    with pytest.raises(StorageUnavailable):
        spool((bytes(size) for size in sizes), memory_limit=10, feed=same)
    assert list(full_disk.iterdir()) == []
    # The room is free again.
    file, _ = spool(iter([bytes(60_000)]), memory_limit=10, feed=same)
    file.close()


def test_t44_full_disk_while_memory_is_moved_to_it(full_disk: Path) -> None:
    """T44: what was in memory and does not fit on the disk is 503, and the file is closed."""
    with pytest.raises(StorageUnavailable) as refused:
        spool(iter([bytes(1_000_000), b"1"]), memory_limit=1_000_000, feed=same)
    # The traceback still holds what was not closed.
    assert refused.tb is not None
    file, _ = spool(iter([bytes(60_000)]), memory_limit=10, feed=same)
    file.close()
    assert list(full_disk.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EFBIG])
def test_t44_quota_is_storage_unavailable(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """T44: a quota, or a limit of the process, is no room either."""

    def no_room(**_: object) -> io.BytesIO:
        raise OSError(code, "no room")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    with pytest.raises(StorageUnavailable):
        spool(iter([BODY]), memory_limit=10, feed=same)


def test_other_faults_of_the_disk_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken disk is no fault of the request's."""

    def broken(**_: object) -> io.BytesIO:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(tempfile, "TemporaryFile", broken)
    with pytest.raises(OSError, match="Input/output error"):
        spool(iter([BODY]), memory_limit=10, feed=same)


def failing(error: BaseException) -> Iterator[bytes]:
    """Yield a piece that is kept on disk, and raise *error*."""
    yield BODY
    raise error


@pytest.mark.parametrize("error", [BodyTooSlow(), KeyboardInterrupt()])
def test_spool_closes_the_file_of_a_refused_body(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind of a body that did not arrive."""
    opened: list[io.IOBase] = []
    real: Callable[..., io.IOBase] = tempfile.TemporaryFile

    def remembered(**options: object) -> io.IOBase:
        opened.append(real(**options))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    with pytest.raises(type(error)):
        spool(failing(error), memory_limit=10, feed=same)
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("memory_limit", [0, 1000, 10**6])
def test_spool_gives_back_in_order_what_was_put_in(memory_limit: int) -> None:
    """Reads and writes in any mixture, in memory, on disk and across the limit."""
    random_number = random.Random(memory_limit)
    kept = Spool(memory_limit=memory_limit)
    put, got = b"", b""
    for _ in range(300):
        piece = random_number.randbytes(random_number.randrange(200))
        kept.write(piece)
        put += piece
        got += kept.read(random_number.randrange(200))
        assert kept.size == len(put) - len(got)
    assert got + kept.read(10**6) == put
    assert kept.size == 0
    kept.close()


def test_spool_holds_no_more_than_is_still_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long stream of small chunks takes the room of one, in memory and on disk."""
    files: list[io.IOBase] = []
    real: Callable[..., io.IOBase] = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def remembered(**options: object) -> io.IOBase:
        files.append(real(**options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    kept = Spool(memory_limit=1000)
    for _ in range(50):
        kept.write(bytes(900))
        assert kept.read(900) == bytes(900)
    assert files == []
    for _ in range(50):
        kept.write(bytes(2000))
        assert kept.read(2000) == bytes(2000)
    (file,) = files
    assert os.fstat(file.fileno()).st_size == 0
    kept.close()
    assert file.closed


def test_spool_forgets_what_it_is_told_to() -> None:
    """What was cleared does not come back, and what comes later does."""
    kept = Spool(memory_limit=10)
    kept.write(b"abc")
    kept.clear()
    kept.write(b"def")
    assert (kept.size, kept.read(10)) == (3, b"def")
    kept.close()


@pytest.mark.usefixtures("full_disk")
def test_t44_full_disk_in_a_stream_is_storage_unavailable() -> None:
    """T44: a spool that is read while it is written finds the disk full as well."""
    kept = Spool(memory_limit=10)

    def fill() -> None:
        for _ in range(30):
            kept.write(bytes(4096))
            kept.read(10)

    with pytest.raises(StorageUnavailable):
        fill()
    kept.close()
