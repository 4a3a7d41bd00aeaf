"""The folder of a bucket: objects, and the parts of uploads that are not complete.

An object is one file: its content, then a record in JSON (key, ETag, headers), then the length of
the record in four bytes. The name of the file is the SHA-256 of the key: no key can name a file
anywhere else, be too long for a file name, or be in the way of another key. A part of an upload is
such a file too, in a folder of the upload.

Whatever is written is written in ``incoming/``, and moved in place when all of it was read without
an exception. Where a body is not the one that was signed, reading it raises one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import IO

#: Bytes that are in memory at a time.
PIECE = 64 * 1024
#: The part that says how an upload began; those of clients are counted from 1.
BEGINNING = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What there is to say of an object, or of a part of one."""

    key: str
    etag: str
    headers: dict[str, str]
    size: int
    modified: datetime

    @classmethod
    def read(cls, file: IO[bytes]) -> Stored:
        """Return what the record at the end of *file* says, and rewind it."""
        end = file.seek(-4, os.SEEK_END)
        length = int.from_bytes(file.read(4))
        file.seek(end - length)
        record = json.loads(file.read(length))
        file.seek(0)
        modified = datetime.fromtimestamp(int(os.fstat(file.fileno()).st_mtime), UTC)
        return cls(**record, size=end - length, modified=modified)


class BucketFolder:
    """Reads and writes objects; what is not there is a FileNotFoundError.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._uploads = folder / "uploads"
        self._incoming = folder / "incoming"
        for path in (self._objects, self._uploads, self._incoming):
            path.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, content: Iterable[bytes], headers: dict[str, str]) -> str:
        """Store an object, and return its ETag."""
        return self._write(self._path(key), key, content, headers)

    def open(self, key: str) -> tuple[IO[bytes], Stored]:
        """Return the file of an object, to be closed, and what it is."""
        file = self._path(key).open("rb")
        try:
            return file, Stored.read(file)
        except BaseException:
            file.close()
            raise

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        self._path(key).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Stored]:
        for path in self._objects.iterdir():
            # It may be deleted at any time.
            with suppress(FileNotFoundError), path.open("rb") as file:
                yield Stored.read(file)

    def begin_upload(self, key: str, headers: dict[str, str]) -> str:
        """Begin an upload in parts, and return its id."""
        upload_id = token_hex(16)
        (self._uploads / upload_id).mkdir()
        try:
            self._write(self._part(upload_id, BEGINNING), key, (), headers)
        except BaseException:
            (self._uploads / upload_id).rmdir()
            raise
        return upload_id

    def put_part(self, upload_id: str, part: int, key: str, content: Iterable[bytes]) -> str:
        """Store a part, and return its ETag."""
        return self._write(self._part(upload_id, part), key, content, {})

    def key(self, upload_id: str) -> str:
        """Return the key that an upload is for."""
        return self.part(upload_id, BEGINNING).key

    def part(self, upload_id: str, part: int) -> Stored:
        """Return what was stored as a part."""
        with self._part(upload_id, part).open("rb") as file:
            return Stored.read(file)

    def complete_upload(self, upload_id: str, parts: Iterable[int], etag: str) -> None:
        """Make an object of *parts*, in their order."""
        begun = self.part(upload_id, BEGINNING)
        content = self._joined(upload_id, parts)
        self._write(self._path(begun.key), begun.key, content, begun.headers, etag=etag)
        self.end_upload(upload_id)

    def end_upload(self, upload_id: str) -> None:
        """Take an upload away in one step: a part that still arrives finds no folder."""
        away = self._incoming / upload_id
        (self._uploads / upload_id).rename(away)
        shutil.rmtree(away)

    def _path(self, key: str) -> Path:
        return self._objects / hashlib.sha256(key.encode()).hexdigest()

    def _part(self, upload_id: str, part: int) -> Path:
        return self._uploads / upload_id / str(part)

    def _joined(self, upload_id: str, parts: Iterable[int]) -> Iterator[bytes]:
        for part in parts:
            with self._part(upload_id, part).open("rb") as file:
                yield from pieces(file, Stored.read(file).size)

    def _write(
        self,
        target: Path,
        key: str,
        content: Iterable[bytes],
        headers: dict[str, str],
        *,
        etag: str | None = None,
    ) -> str:
        temporary = self._incoming / token_hex(16)
        digest = md5()
        try:
            with temporary.open("xb") as file:
                for piece in content:
                    digest.update(piece)
                    file.write(piece)
                etag = etag or digest.hexdigest()
                record = json.dumps({"key": key, "etag": etag, "headers": headers}).encode()
                file.write(record + len(record).to_bytes(4))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return etag


def pieces(stream: IO[bytes], size: int = sys.maxsize) -> Iterator[bytes]:
    """Yield the next *size* bytes of *stream*, or what there is."""
    while size and (piece := stream.read(min(PIECE, size))):
        size -= len(piece)
        yield piece


def md5(data: bytes = b"") -> hashlib._Hash:
    """Return the hash that S3 makes ETags of."""
    return hashlib.md5(data, usedforsecurity=False)
