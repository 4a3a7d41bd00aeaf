"""Aws-chunked uploads of any size, made while they are sent: nothing holds them whole.

botocore signs the headers; the chunks are signed here, by the words of AWS's documentation and
with nothing from the package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from awscrt.checksums import crc32c
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#: The payload form of a body whose hash stands in the header.
HASHED = "SHA-256 in the header"

EMPTY = hashlib.sha256().hexdigest()
PIECE = 64 * 1024
_BLOCK = hashlib.shake_256(b"benchmark").digest(PIECE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What is to be sent.

    Attributes:
        form: the payload form.
        size: bytes of the content.
        chunk: bytes of each chunk but the last.
    """

    form: str
    size: int
    chunk: int

    def __str__(self) -> str:
        if self.form == HASHED:
            return "SHA-256 in the header"
        kind = "signed" if self.form == SIGNED else "unsigned, crc32c trailer"
        return f"{kind}, chunks of {in_binary_units(self.chunk)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An upload with its signed headers.

    Attributes:
        upload: what is to be sent.
        headers: the headers, Host and the length of the body among them.
        seed: the signature in them.
        timestamp: the time that they name.
    """

    upload: Upload
    headers: dict[str, str]
    seed: str
    timestamp: str


def in_binary_units(size: int) -> str:
    """Return *size* in bytes as a human writes it."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift and size % (1 << shift) == 0:
            return f"{size >> shift} {unit}"
    return f"{size} bytes"


def content(start: int, end: int) -> Iterator[bytes]:
    """Yield the content between two offsets, in pieces of which no two are the same."""
    while start < end:
        number, offset = divmod(start, PIECE)
        piece = number.to_bytes(8, "big") + _BLOCK[8:]
        yield piece[offset : offset + end - start]
        start += PIECE - offset


def signed(upload: Upload, *, host: str, path: str) -> Signed:
    """Return *upload* as a PUT to *path* of *host*, signed now."""
    request = AWSRequest(method="PUT", url=f"http://{host}{path}", data=b"")
    request.headers["Host"] = host
    payload_hash = upload.form
    if upload.form == HASHED:
        payload_hash = _digest(upload, 0, upload.size)
    else:
        request.headers["Content-Encoding"] = "aws-chunked"
        request.headers["X-Amz-Decoded-Content-Length"] = str(upload.size)
    if upload.form == UNSIGNED_TRAILER:
        request.headers["X-Amz-Trailer"] = "x-amz-checksum-crc32c"
    _Auth(payload_hash).add_auth(request)
    headers = dict(request.headers.items())
    made = Signed(
        upload=upload,
        headers=headers,
        seed=headers["Authorization"][-64:],
        timestamp=request.context["timestamp"],
    )
    headers["Content-Length"] = str(_wire_length(upload))
    return made


def wire(made: Signed) -> Iterator[bytes]:
    """Yield the body of *made* as it is sent."""
    upload = made.upload
    if upload.form == HASHED:
        yield from content(0, upload.size)
        return
    sign = partial(_chunk_signature, _signing_key(made.timestamp[:8]), made)
    previous, checksum = made.seed, 0
    for start in (*range(0, upload.size, upload.chunk), upload.size):
        end = min(start + upload.chunk, upload.size)
        extension = ""
        if upload.form == SIGNED:
            previous = sign(previous, _digest(upload, start, end))
            extension = f";chunk-signature={previous}"
        yield f"{end - start:x}{extension}\r\n".encode()
        for piece in content(start, end):
            if upload.form == UNSIGNED_TRAILER:
                checksum = crc32c(piece, checksum)
            yield piece
        if end > start:
            yield b"\r\n"
    if upload.form == UNSIGNED_TRAILER:
        value = base64.b64encode(checksum.to_bytes(4, "big")).decode()
        yield f"x-amz-checksum-crc32c:{value}\r\n".encode()
    yield b"\r\n"


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    """botocore's own, but for the payload hash: it never has the body."""

    def __init__(self, payload_hash: str) -> None:
        super().__init__(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY), "s3", REGION)
        self._payload_hash = payload_hash

    def payload(self, request: AWSRequest) -> str:
        return self._payload_hash


def _wire_length(upload: Upload) -> int:
    """Return the bytes of the body as it is sent."""
    if upload.form == HASHED:
        return upload.size
    extension = len(";chunk-signature=") + 64 if upload.form == SIGNED else 0
    whole, rest = divmod(upload.size, upload.chunk)
    sizes = [(upload.chunk, whole), *([(rest, 1)] if rest else [])]
    length = sum((len(f"{size:x}") + extension + 4 + size) * count for size, count in sizes)
    # The last chunk, the trailer (whose value has 8 characters) and the line that ends the body.
    trailer = len("x-amz-checksum-crc32c:") + 8 + 2 if upload.form == UNSIGNED_TRAILER else 0
    return length + 1 + extension + 2 + trailer + 2


def _digest(upload: Upload, start: int, end: int) -> str:
    digest = hashlib.sha256()
    for piece in content(start, end):
        digest.update(piece)
    return digest.hexdigest()


def _signing_key(date: str) -> bytes:
    key = b"AWS4" + SECRET_ACCESS_KEY.encode()
    for part in (date, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _chunk_signature(key: bytes, made: Signed, previous: str, digest: str) -> str:
    scope = f"{made.timestamp[:8]}/{REGION}/s3/aws4_request"
    lines = ("AWS4-HMAC-SHA256-PAYLOAD", made.timestamp, scope, previous, EMPTY, digest)
    return hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()
