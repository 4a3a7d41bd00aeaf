"""AWS's name for a refusal, and how a table of them is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.errors import ChecksumMismatch
from wsgi_sigv4.errors import InvalidChecksum
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.timestamps import Timestamp

Details = tuple[tuple[str, str], ...]
# Each entry of a table is for one class of error, which mypy cannot say of a dict.
Told = Callable[[Any], "Reason"]


class Reason(NamedTuple):
    """AWS's name for a refusal.

    Attributes:
        code: the error code.
        status: the HTTP status.
        message: the message.
        details: further elements of the S3 rendering.
    """

    code: str
    status: int
    message: str
    details: Details = ()


def says(
    code: str,
    status: int,
    message: str | Callable[[Any], str],
    details: Callable[[Any], Details] = lambda error: (),
) -> Told:
    """Return an entry of a table: *code*, *status* and *message*, with *details* for S3."""

    def told(error: SigV4Error) -> Reason:
        text = message if isinstance(message, str) else message(error)
        return Reason(code=code, status=status, message=text, details=details(error))

    return told


DENIED: Final = says("AccessDenied", 403, "Access Denied")


def iso(posix: float) -> str:
    """Return *posix* seconds in the ISO 8601 extended form."""
    basic = Timestamp.at(posix).iso
    return f"{basic[:4]}-{basic[4:6]}-{basic[6:11]}:{basic[11:13]}:{basic[13:]}"


INVALID_HASH: Final = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
    "or a valid sha256 value."
)
HASH_MISMATCH: Final = (
    "The provided 'x-amz-content-sha256' header does not match what was computed."
)
MALFORMED_TRAILER: Final = (
    "The request contained trailing data that was not well-formed or did not conform to our "
    "published schema."
)


def checksum_mismatch(error: ChecksumMismatch) -> str:
    """Return what is said of a body with another checksum."""
    if error.algorithm == "md5":
        return "The Content-MD5 you specified did not match what we received."
    return f"The {error.algorithm.upper()} you specified did not match the calculated checksum."


def invalid_checksum(error: InvalidChecksum) -> Reason:
    """Return AWS's name for a checksum that cannot be of its kind."""
    if error.name == "content-md5":
        # S3's answer as versitygw #1526 quotes it.
        message = "The Content-MD5 you specified was invalid."
        return Reason(code="InvalidDigest", status=400, message=message)
    where = "trailing header" if error.is_trailer else "header"
    message = f"Value for {error.name} {where} is invalid."
    return Reason(code="InvalidRequest", status=400, message=message)
