"""A body that can be read twice: once to look at it, and once by the application.

What is read goes on to the reader, and is kept. The application then reads the
same bytes, and after them what nobody has read yet; where reading has failed,
it fails for the application at the same place.
"""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import suppress
from typing import IO
from typing import TYPE_CHECKING

from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import StorageUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import InputStream


class Recorder:
    """Stands in the place of ``wsgi.input``, and keeps what is read of it.

    Args:
        stream: ``wsgi.input``.
        memory_limit: bytes that are kept in memory; what follows goes to disk.

    Attributes:
        waited: seconds that were spent on reading *stream*.
        is_lost: there is no body any more: it went with a refusal.
    """

    def __init__(self, stream: InputStream, *, memory_limit: int) -> None:
        self.waited = 0.0
        self.is_lost = getattr(stream, "is_lost", False)
        self._stream = stream
        self._memory_limit = memory_limit
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._on_disk = 0
        #: What came when the disk was full: it is not lost, and nothing more is read.
        self._overflow = b""
        self._is_ended = False
        self._fault: Exception | None = None

    @property
    def received(self) -> int:
        """How many bytes have been read."""
        return len(self._memory) + self._on_disk + len(self._overflow)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing has been asked of the stream."""
        return not self.received and not self._is_ended and self._fault is None

    @property
    def is_on_disk(self) -> bool:
        """Whether there is something to close."""
        return self._file is not None

    def read(self, size: int = -1) -> bytes:
        """Return the next *size* bytes of the stream, and keep them.

        Raises:
            StorageUnavailable: if there is no room to keep them.
        """
        before = time.perf_counter()
        try:
            data = self._stream.read(size)
        except Exception as fault:
            self._fault = fault
            raise
        finally:
            self.waited += time.perf_counter() - before
        self._is_ended = not data and size != 0
        self._keep(data)
        return data

    def seekable(self) -> bool:
        """Return False."""
        return False

    def rewound(self, length: int | None) -> IO[bytes]:
        """Return a stream of the whole body, from its beginning.

        Args:
            length: its length in bytes, beyond which nothing is read; None: to the end.
        """
        return io.BufferedReader(_Replay(self, length))

    def recorded(self, start: int, size: int) -> bytes:
        """Return up to *size* of the bytes kept from *start* on; none: all has been returned."""
        if start < len(self._memory):
            return bytes(self._memory[start : start + size])
        start -= len(self._memory)
        if self._file is not None and start < self._on_disk:
            self._file.seek(start)
            return self._file.read(min(size, self._on_disk - start))
        start -= self._on_disk
        return self._overflow[start : start + size]

    def find_whole(self, length: int | None) -> bytes | None:
        """Return the body of *length* bytes, or None where not all of it was kept in memory.

        Args:
            length: its length; None: it ends with the stream.
        """
        is_whole = self._is_ended if length is None else len(self._memory) == length
        return bytes(self._memory) if is_whole and self._file is None else None

    def read_on(self, size: int) -> bytes:
        """Return the next *size* bytes of the stream, without keeping them."""
        if self._fault is not None:
            raise self._fault
        return b"" if self._is_ended else self._stream.read(size)

    def refusal_behind(self, refusal: SigV4Error) -> SigV4Error:
        """Return why there is *refusal*: where a body seems cut, there may have been no room."""
        cause = refusal.__cause__
        if not isinstance(cause, StorageUnavailable):
            return refusal
        for name in ("access_key_id", "presigned", "service", "region", "payload_form"):
            setattr(cause, name, getattr(refusal, name))
        return cause

    def close(self) -> None:
        """Give the room on disk back."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _keep(self, data: bytes) -> None:
        if self._file is None and len(self._memory) + len(data) <= self._memory_limit:
            self._memory += data
            return
        try:
            if self._file is None:
                # Not buffered: a buffer that cannot be written would take its bytes with it.
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (see close)
            while data:
                self._file.seek(self._on_disk)
                written = self._file.write(data)
                self._on_disk += written
                data = data[written:]
        except OSError as error:
            self._overflow += data
            raise StorageUnavailable from error


class _Replay(io.RawIOBase):
    def __init__(self, recorder: Recorder, length: int | None) -> None:
        self._recorder = recorder
        self._length = length
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        size = len(view)
        if self._length is not None:
            size = min(size, self._length - self._read)
        if size <= 0:
            return 0
        if self._read < self._recorder.received:
            piece = self._recorder.recorded(self._read, size)
        else:
            piece = self._recorder.read_on(size)
        self._read += len(piece)
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._recorder.close()
        super().close()
