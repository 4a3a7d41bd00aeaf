"""The checksums that a request carries beside its signature.

They say whether the body arrived as it was sent, and where the body is not
signed (``STREAMING-UNSIGNED-PAYLOAD-TRAILER``) nothing else does. A checksum
that cannot be calculated here is refused, never believed.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Final
from typing import Protocol

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.errors import ChecksumMismatch
from wsgi_sigv4.errors import ChecksumNotImplemented
from wsgi_sigv4.errors import InvalidChecksum
from wsgi_sigv4.errors import SeveralChecksums
from wsgi_sigv4.request import Request

#: Bytes of each checksum.
SIZES: Final = {
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "xxhash64": 8,
}
_PREFIX: Final = "x-amz-checksum-"
_MD5: Final = "content-md5"


class Checksum(Protocol):
    """A running checksum, as those of :mod:`hashlib` are."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        ...  # pragma: no cover (a protocol has no body)

    def digest(self) -> bytes:
        """Return the checksum of all that was taken."""
        ...  # pragma: no cover (a protocol has no body)


class _Crc:
    """A CRC whose function takes the data and the value before it."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def checksum(algorithm: str) -> Checksum:
    """Return a new checksum of *algorithm*, one of :data:`SIZES`.

    Raises:
        ChecksumNotImplemented: if its library is not installed.
    """
    match algorithm:
        case "md5":
            return hashlib.md5(usedforsecurity=False)
        case "sha1":
            return hashlib.sha1(usedforsecurity=False)
        case "sha256":
            return hashlib.sha256()
        case "crc32":
            return _Crc(zlib.crc32, 4)
    try:
        return _extra(algorithm)
    except ImportError:
        raise ChecksumNotImplemented(algorithm=algorithm) from None


def _extra(algorithm: str) -> Checksum:
    if algorithm == "xxhash64":
        import xxhash

        return xxhash.xxh64()
    from awscrt import checksums

    if algorithm == "crc32c":
        return _Crc(checksums.crc32c, 4)
    return _Crc(checksums.crc64nvme, 8)


class ChecksumVerifier:
    """Holds the body of one request against the checksums that came with it.

    Args:
        attempt: the request and what it claims.

    Raises:
        SeveralChecksums: if it carries more than one.
        InvalidChecksum: if one cannot be of its kind.
        ChecksumNotImplemented: if the library of one is not installed.
    """

    def __init__(self, attempt: Attempt) -> None:
        trailers = () if attempt.stream is None else attempt.stream.trailers or ()
        self._in_trailer = {name for name in trailers if _algorithm(name) is not None}
        self._sent = _in_headers(attempt.request)
        names = {*self._sent, *self._in_trailer}
        if len(names - {_MD5}) > 1:
            raise SeveralChecksums
        self._checksums = {name: checksum(_algorithm(name) or "") for name in names}

    def update(self, data: bytes) -> None:
        """Take the next bytes of the body, without its framing."""
        for running in self._checksums.values():
            running.update(data)

    def check(self, trailers: Mapping[str, str]) -> None:
        """Compare, now that the body and its *trailers* have been verified.

        Raises:
            ChecksumMismatch: if the body has another checksum.
            InvalidChecksum: if one in the trailers cannot be of its kind.
        """
        for name, running in self._checksums.items():
            if name in self._in_trailer:
                sent = _decoded(name, trailers[name].encode(), is_trailer=True)
            else:
                sent = self._sent[name]
            if not hmac.compare_digest(sent, running.digest()):
                raise ChecksumMismatch(algorithm=_algorithm(name) or "")


def _algorithm(name: str) -> str | None:
    """Return the algorithm that the header *name* is for; others of S3's begin like those."""
    if name == _MD5:
        return "md5"
    algorithm = name.removeprefix(_PREFIX)
    return algorithm if algorithm in SIZES and algorithm not in ("md5", name) else None


def _in_headers(request: Request) -> dict[str, bytes]:
    # Completing a multipart upload names the checksum of the object, not of this body.
    completes = request.method == "POST" and b"uploadId=" in request.query
    found = {}
    for name in request.header_names:
        value = request.header(name)
        if _algorithm(name) is not None and value is not None and not (completes and name != _MD5):
            found[name] = _decoded(name, value)
    return found


def _decoded(name: str, value: bytes, *, is_trailer: bool = False) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != SIZES[_algorithm(name) or ""]:
        raise InvalidChecksum(name=name, is_trailer=is_trailer)
    return decoded
