"""Refusals for the body of a request: rule 11, and whether it arrives at all."""

from __future__ import annotations

from wsgi_sigv4.errors.root import SigV4Error


class PayloadHashMismatch(SigV4Error):
    """The body is not the one whose hash was signed."""

    declared: str
    computed: str

    summary = "The body does not match its signed hash."
    hint = "curl 7.88 signs the hash of an empty body for -T and -F."


class MalformedChunk(SigV4Error):
    """The body is not aws-chunked, though its payload form says so."""

    fault: str

    def __str__(self) -> str:
        return f"The body is not aws-chunked: {self.fault}."


class InvalidChunkSize(SigV4Error):
    """A signed chunk is too small, and not the last one.

    Attributes:
        chunk: its number, from 1 on.
        size: its size in bytes.
    """

    chunk: int
    size: int

    summary = "A signed chunk is too small, and not the last one."


class ChunkSignatureMismatch(SigV4Error):
    """A chunk, or the trailers, are not the ones that were signed."""

    summary = "A chunk or the trailers do not match their signature."


class MalformedTrailer(SigV4Error):
    """The trailers are not the ones that x-amz-trailer declares, each of them once."""

    summary = "The trailers are not the declared ones."


class UnsupportedTrailer(SigV4Error):
    """x-amz-trailer declares what is no checksum, where only checksums can be."""

    name: str

    def __str__(self) -> str:
        return f"The trailer {self.name!r} is not supported."


class ChecksumMismatch(SigV4Error):
    """The body does not have the checksum that came with it.

    Attributes:
        algorithm: the name of the checksum, such as ``"crc32"``.
    """

    algorithm: str

    summary = "The body does not have the checksum that came with it."


class InvalidChecksum(SigV4Error):
    """A checksum is not the base64 text of as many bytes as its algorithm makes.

    Attributes:
        name: the name of the header or trailer.
        is_trailer: True where it came as a trailer.
    """

    name: str
    is_trailer: bool = False

    summary = "A checksum is not base64 text of the right length."


class SeveralChecksums(SigV4Error):
    """The request carries more than one x-amz-checksum-* value."""

    summary = "The request carries more than one checksum."


class ChecksumNotImplemented(SigV4Error):
    """A checksum is not known, or the library that calculates it is not installed.

    Attributes:
        algorithm: the name of the checksum, such as ``"crc32c"``.
        extra: the extra of this package that installs the library, or None.
    """

    algorithm: str
    extra: str | None = None

    def __str__(self) -> str:
        if self.extra is None:
            return f"The checksum {self.algorithm} is not implemented."
        return f"The checksum {self.algorithm} needs wsgi-sigv4[{self.extra}] on the server."


class LengthRequired(SigV4Error):
    """The body has no length, and the server cannot tell where it ends."""

    summary = "The body has no length."
    hint = "This WSGI server does not decode Transfer-Encoding: chunked."


class InvalidContentLength(SigV4Error):
    """Content-Length is not a number, or contradicts Transfer-Encoding."""

    value: str

    summary = "Content-Length is not usable."


class IncompleteBody(SigV4Error):
    """The body ended before its declared length, or could not be read.

    Attributes:
        expected: declared length in bytes, or None where there was none.
        received: length in bytes that arrived.
    """

    expected: int | None
    received: int

    summary = "The body ended early."


class BodyTooLarge(SigV4Error):
    """The body is larger than accepted.

    Attributes:
        limit: the largest accepted length in bytes; for a body that must be
            read before the signature can be checked, the smaller one.
    """

    limit: int

    summary = "The body is too large."
    hint = "See max_body; without x-amz-content-sha256, unverified_body_limit."


class BodyTooSlow(SigV4Error):
    """The body did not arrive within the time limit."""

    summary = "The body took too long to arrive."


class StorageUnavailable(SigV4Error):
    """The body could not be kept in the temporary folder."""

    summary = "There is no room for the body in the temporary folder."
