"""Where a body is kept until it is read: in memory, and past a limit on disk.

What is on disk has no name there: it is gone when closed, or when the process dies.
"""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from typing import IO
from typing import Final

from wsgi_sigv4.errors import StorageUnavailable


class _Room:
    """Refuses the body where the disk has no room for it."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if isinstance(error, OSError) and error.errno in full:
            raise StorageUnavailable from error


_ROOM: Final = _Room()


class Spool:
    """Bytes that come out in the order in which they were put in.

    What has been read makes room, where what is left fits into memory: a stream
    of any length takes no more than its largest chunk does.

    Args:
        memory_limit: bytes above which they are kept in a temporary file.
    """

    def __init__(self, *, memory_limit: int) -> None:
        self._memory_limit = memory_limit
        self._file: IO[bytes] = io.BytesIO()
        self._is_on_disk = False
        self._read = 0
        self._written = 0

    @property
    def size(self) -> int:
        """How many bytes are still to be read."""
        return self._written - self._read

    def write(self, data: bytes) -> None:
        """Put *data* in.

        Raises:
            StorageUnavailable: if the disk is full.
        """
        with _ROOM:
            self._make_room(len(data))
            self._file.seek(self._written)
            self._file.write(data)
        self._written += len(data)

    def read(self, size: int) -> bytes:
        """Take out the next *size* bytes, or what there is."""
        with _ROOM:
            self._file.seek(self._read)
            data = self._file.read(size)
        self._read += len(data)
        if self._read == self._written:
            self.clear()
        return data

    def clear(self) -> None:
        """Forget what was not read."""
        self._file.seek(0)
        self._file.truncate()
        self._read = self._written = 0

    def close(self) -> None:
        """Give the room back, that on disk included."""
        _give_back(self._file)

    def _make_room(self, size: int) -> None:
        """Forget what was read, or go to disk, where *size* more bytes are too many for memory."""
        if self._written + size <= self._memory_limit:
            return
        # So nothing is moved more often than as much has been read.
        if self._read >= self.size and self.size + size <= self._memory_limit:
            self._move(io.BytesIO(), is_on_disk=False)
        elif not self._is_on_disk:
            file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
            self._move(file, is_on_disk=True)

    def _move(self, file: IO[bytes], *, is_on_disk: bool) -> None:
        """Keep what is still to be read in *file*."""
        self._file.seek(self._read)
        rest = self._file.read(self.size)
        self._file.close()
        self._file, self._is_on_disk = file, is_on_disk
        self._read, self._written = 0, len(rest)
        file.write(rest)


def spool(
    body: Iterator[bytes], *, memory_limit: int, feed: Callable[[bytes], bytes]
) -> tuple[IO[bytes], int]:
    """Return a file with the whole *body*, rewound, and its length in bytes.

    Args:
        body: the pieces.
        memory_limit: bytes above which the file is on disk. Up to it the file
            is a :class:`io.BytesIO`.
        feed: called with each piece, returns what is to be kept of it.

    Raises:
        StorageUnavailable: if the disk is full.
        SigV4Error: whatever *body* and *feed* raise; the file is gone then.
    """
    kept: IO[bytes] = io.BytesIO()
    size, is_on_disk = 0, False
    try:
        for piece in body:
            data = feed(piece)
            size += len(data)
            with _ROOM:
                if size > memory_limit and not is_on_disk:
                    kept, is_on_disk = _on_disk(kept), True
                kept.write(data)
        with _ROOM:
            # What is still in a buffer is written now.
            kept.seek(0)
    except BaseException:
        _give_back(kept)
        raise
    return kept, size


def _on_disk(kept: IO[bytes]) -> IO[bytes]:
    """Return what is *kept* as a temporary file, at its end."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by whoever reads it)
    kept.seek(0)
    try:
        file.write(kept.read())
    except BaseException:
        _give_back(file)
        raise
    kept.close()
    return file


def _give_back(file: IO[bytes]) -> None:
    """Close *file*, and so give its room back."""
    # Closing writes what is in a buffer, and fails once more on a full disk.
    with suppress(OSError):
        file.close()
