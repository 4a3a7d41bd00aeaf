"""The checksums that a request carries beside its signature.

They say whether the body arrived as it was sent, and where the body is not
signed (``STREAMING-UNSIGNED-PAYLOAD-TRAILER``) nothing else does. A checksum
that cannot be calculated here is refused, never believed.

In the query of a presigned URL stand the headers that a client has hoisted
there. S3 signs a checksum among them and does not verify it (aws-sdk-go-v2
#2610, localstack #12164); here it is, since who wrote it meant this body. But
for one: the SDK for JavaScript, which does not know the body when it presigns,
writes the checksum of an empty one (aws-sdk-js-v3 #6810). As with S3, that one
says nothing.

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
from wsgi_sigv4.errors import ConflictingValues
from wsgi_sigv4.errors import InvalidChecksum
from wsgi_sigv4.errors import SeveralChecksums
from wsgi_sigv4.errors import UnsupportedTrailer

#: Bytes of each checksum; `md5` is that of Content-MD5 too.
SIZES: Final = {
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "sha512": 64,
    "xxhash128": 16,
    "xxhash3": 8,
    "xxhash64": 8,
}
#: What else of S3's begins with x-amz-checksum-.
_NO_ALGORITHMS: Final = ("algorithm", "mode", "type")
_PREFIX: Final = "x-amz-checksum-"
_MD5: Final = "content-md5"


class Checksum(Protocol):
    """A running checksum, as those of :mod:`hashlib` are."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all that was taken."""


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
        ChecksumNotImplemented: if it is not known, or its library is not installed.
    """
    match algorithm:
        case _ if algorithm not in SIZES:
            raise ChecksumNotImplemented(algorithm=algorithm[:64])
        case "md5":
            return hashlib.md5(usedforsecurity=False)
        case "sha1":
            return hashlib.sha1(usedforsecurity=False)
        case "sha256":
            return hashlib.sha256()
        case "sha512":
            return hashlib.sha512()
        case "crc32":
            return _Crc(zlib.crc32, 4)
    try:
        return _extra(algorithm)
    except ImportError:
        raise ChecksumNotImplemented(algorithm=algorithm, extra="checksums") from None


def _extra(algorithm: str) -> Checksum:
    if algorithm == "crc32c":
        from awscrt.checksums import crc32c

        return _Crc(crc32c, 4)
    if algorithm == "crc64nvme":
        from awscrt.checksums import crc64nvme

        return _Crc(crc64nvme, 8)
    import xxhash

    made: dict[str, Callable[[], Checksum]] = {
        "xxhash64": xxhash.xxh64,
        "xxhash3": xxhash.xxh3_64,
        "xxhash128": xxhash.xxh3_128,
    }
    return made[algorithm]()


def checksums_of(attempt: Attempt) -> ChecksumVerifier | None:
    """Return what verifies the checksums that came with *attempt*, or None where none may have.

    Raises:
        SigV4Error: as :class:`ChecksumVerifier`.
    """
    if (
        attempt.terms.may_hold_checksum
        or attempt.stream is not None
        or attempt.authorization.presigned
    ):
        return ChecksumVerifier(attempt)
    return None


class ChecksumVerifier:
    """Holds the body of one request against the checksums that came with it.

    Args:
        attempt: the request and what it claims.

    Raises:
        SeveralChecksums: if it carries more than one, or one in two places.
        ConflictingValues: if its query says another one than its header.
        InvalidChecksum: if one cannot be of its kind.
        ChecksumNotImplemented: if one is not known, or its library is not installed.
        UnsupportedTrailer: if it declares a trailer that its profile has no use for.
    """

    def __init__(self, attempt: Attempt) -> None:
        trailers = () if attempt.stream is None else attempt.stream.trailers or ()
        self._trailers = tuple(name for name in trailers if _algorithm(name) is not None)
        if attempt.profile.checksum_trailers_only:
            for name in trailers:
                if name == _MD5 or _algorithm(name) not in SIZES:
                    raise UnsupportedTrailer(name=name)
        sent = _in_headers(attempt) | _in_query(attempt)
        names = [*sent, *self._trailers]
        if len([name for name in names if name != _MD5]) > 1 or len(names) > len(set(names)):
            raise SeveralChecksums
        self._checksums = {name: checksum(_algorithm(name) or "") for name in names}
        self._sent = {name: _decoded(name, value) for name, value in sent.items()}

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
            if name in self._trailers:
                sent = _decoded(name, trailers[name].encode(), is_trailer=True)
            else:
                sent = self._sent[name]
            if not hmac.compare_digest(sent, running.digest()):
                raise ChecksumMismatch(algorithm=_algorithm(name) or "")


def _algorithm(name: str) -> str | None:
    """Return the algorithm that the header or trailer *name* is for, known or not."""
    if name == _MD5:
        return "md5"
    if not name.startswith(_PREFIX):
        return None
    algorithm = name.removeprefix(_PREFIX)
    return None if algorithm in _NO_ALGORITHMS else algorithm


def _completes(attempt: Attempt) -> bool:
    """Return whether the checksum is that of a whole multipart upload, and not of this body."""
    return attempt.request.method == "POST" and b"uploadId" in dict(attempt.query)


def _in_headers(attempt: Attempt) -> dict[str, bytes]:
    request = attempt.request
    names = [name for name in request.header_names if _algorithm(name) is not None]
    if names and _completes(attempt):
        names = [name for name in names if name == _MD5]
    return {name: request.header(name) or b"" for name in names}


def _in_query(attempt: Attempt) -> dict[str, bytes]:
    """Return the checksums in the query of a presigned URL, but for those of an empty body."""
    if not attempt.presigned or _completes(attempt):
        return {}
    found: dict[str, bytes] = {}
    for raw_name, value in attempt.query:
        # The SDK for Go writes it in capitals, that for JavaScript does not.
        name = raw_name.decode("ascii", "backslashreplace").lower()
        if not name.startswith(_PREFIX) or _algorithm(name) is None:
            continue
        if name in found:
            raise SeveralChecksums
        if attempt.request.header(name) not in (None, value):
            raise ConflictingValues(name=name)
        found[name] = value
    return {name: value for name, value in found.items() if not _is_of_nothing(name, value)}


def _is_of_nothing(name: str, value: bytes) -> bool:
    return checksum(_algorithm(name) or "").digest() == _decoded(name, value)


def _decoded(name: str, value: bytes, *, is_trailer: bool = False) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error:
        decoded = b""
    if len(decoded) != SIZES[_algorithm(name) or ""]:
        raise InvalidChecksum(name=name, is_trailer=is_trailer)
    return decoded
