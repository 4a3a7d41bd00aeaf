"""The aws-chunked framing: chunks, their signatures, and trailers.

In come the bytes of the body as they arrive, out go the bytes of the object,
into a :class:`Sink`. The sink is told which of them are verified: those of a
signed chunk only when its signature was right, so that a forged or cut chunk
never counts as content (CVE-2021-21390). The grammar, where CRLF ends a line:

    body    = *chunk last [trailers] CRLF
    chunk   = size [";chunk-signature=" 64hex] CRLF data CRLF
    last    = "0" [";chunk-signature=" 64hex] CRLF
    trailer = name ":" value CRLF

Where S3 is lenient, so is this: the last CRLF may be missing, blanks may stand
around a chunk parameter, and a trailer's line may end with LF CRLF (minio-go).

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from enum import Enum
from enum import auto
from typing import Final
from typing import NoReturn
from typing import Protocol

from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ChunkSignatureMismatch
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import InvalidChunkSize
from wsgi_sigv4.errors import MalformedChunk
from wsgi_sigv4.errors import MalformedTrailer
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.payload import EMPTY_SHA256
from wsgi_sigv4.signing_key import hmac_sha256
from wsgi_sigv4.timestamps import Timestamp

#: A header line of S3's is under 110 bytes: a size and a signature.
MAX_LINE: Final = 1024
#: One checksum and its signature are what clients send; two is the most seen.
MAX_TRAILERS: Final = 16
#: S3 lets only the last signed chunk be smaller.
MIN_CHUNK: Final = 8192

TRAILER_SIGNATURE: Final = "x-amz-trailer-signature"

# Compiled when the first such body comes; then re remembers them.
_CHUNK: Final = (
    rb"(?P<size>[0-9A-Fa-f]{1,16})"
    rb"(?:[ \t]*;[ \t]*chunk-signature[ \t]*=[ \t]*(?P<signature>[0-9a-f]{64})[ \t]*)?"
)
_TRAILER: Final = rb"(?P<name>[a-z0-9-]+):(?P<value>[\x20-\x7e\t]*)"


class Sink(Protocol):
    """Where the decoded bytes go."""

    def write(self, data: memoryview, /) -> object:
        """Keep *data*, which is not verified yet."""

    def release(self) -> object:
        """Learn that all that was written so far is verified."""


class Decoded:
    """A sink in memory, emptied piece by piece.

    Attributes:
        verified: how many of all the bytes that were written are verified.
    """

    def __init__(self) -> None:
        self.verified = 0
        self._written = 0
        self._pieces: list[bytes] = []

    def write(self, data: memoryview, /) -> None:
        """Keep *data*, which is not verified yet."""
        self._pieces.append(bytes(data))
        self._written += len(data)

    def release(self) -> None:
        """Count all that was written so far as verified."""
        self.verified = self._written

    def take(self) -> bytes:
        """Return what was written since the last call, verified or not."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


class SignatureChain:
    """The signatures of the chunks, each made over the one before it.

    Args:
        signing_key: the key that made the seed signature.
        timestamp: the time of the request.
        scope: its credential scope.
        seed: the signature of the request's headers.
    """

    def __init__(
        self, signing_key: bytes, *, timestamp: Timestamp, scope: CredentialScope, seed: bytes
    ) -> None:
        self._signing_key = signing_key
        self._prefix = f"{timestamp.iso}\n{scope}\n".encode()
        self._previous = seed

    def is_chunk(self, signature: bytes, digest: str) -> bool:
        """Return whether *signature* is that of the next chunk, whose data has *digest*."""
        message = f"\n{EMPTY_SHA256}\n{digest}".encode()
        return self._is_next(signature, b"AWS4-HMAC-SHA256-PAYLOAD\n", message)

    def is_trailer(self, signature: bytes, digest: str) -> bool:
        """Return whether *signature* is that of the trailers, whose lines have *digest*."""
        return self._is_next(signature, b"AWS4-HMAC-SHA256-TRAILER\n", f"\n{digest}".encode())

    def _is_next(self, signature: bytes, algorithm: bytes, message: bytes) -> bool:
        text = algorithm + self._prefix + self._previous + message
        expected = hmac_sha256(self._signing_key, text).hex().encode("ascii")
        right = hmac.compare_digest(expected, signature)
        if right:
            self._previous = signature
        return right


class _State(Enum):
    HEADER = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()
    LAST_LINE = auto()
    DONE = auto()


class ChunkedDecoder:
    """Decodes and verifies one aws-chunked body.

    Args:
        sink: takes the decoded bytes.
        decoded_length: ``x-amz-decoded-content-length``.
        chain: verifies the chunks; None where they are not signed.
        trailers: the names that ``x-amz-trailer`` declares; None where the
            payload form has no trailers.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        decoded_length: int,
        chain: SignatureChain | None,
        trailers: tuple[str, ...] | None,
    ) -> None:
        self._sink = sink
        self._decoded_length = decoded_length
        self._chain = chain
        self._declared = trailers
        self._header = re.compile(_CHUNK)
        self._state = _State.HEADER
        self._refusal: SigV4Error | None = None
        self._line = bytearray()
        self._left = 0
        self._received = 0
        self._signature = b""
        self._hash = hashlib.sha256()
        self._short_chunk: int | None = None
        self._chunks = 0
        self._trailers: dict[str, str] = {}
        self._trailer_lines = bytearray()
        self._trailers_verified = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            MalformedChunk: if they are not aws-chunked.
            InvalidChunkSize: if a signed chunk is too small, and not the last.
            ChunkSignatureMismatch: if a chunk or the trailers are not the signed ones.
            MalformedTrailer: if the trailers are not the declared ones.
            IncompleteBody: if there is more than the decoded length.
        """
        self._refuse_again()
        view = memoryview(data)
        try:
            while view:
                in_data = self._state is _State.DATA
                view = self._take_data(view) if in_data else self._take_line(view)
        except SigV4Error as refusal:
            # Nothing that comes later makes up for it, whoever may have swallowed it.
            self._refusal = refusal
            raise

    def finish(self) -> Mapping[str, str]:
        """Learn that the body has ended; return its verified trailers.

        Raises:
            IncompleteBody: if it ended before its last chunk, or with less
                than the decoded length.
            MalformedTrailer: if declared trailers are missing.
            SigV4Error: what *feed* has refused already.
        """
        self._refuse_again()
        ended = self._state in (_State.TRAILERS, _State.LAST_LINE, _State.DONE)
        if not ended or self._line or self._received != self._decoded_length:
            self._incomplete()
        if self._state is _State.TRAILERS:
            self._end_trailers()
        return self._trailers

    def _refuse_again(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def _take_data(self, view: memoryview) -> memoryview:
        piece, rest = view[: self._left], view[self._left :]
        if self._chain is not None:
            self._hash.update(piece)
        self._sink.write(piece)
        self._left -= len(piece)
        self._received += len(piece)
        if not self._left:
            self._end_chunk()
            self._state = _State.DATA_END
        return rest

    def _take_line(self, view: memoryview) -> memoryview:
        """Take what there is of a line, and act on it when it is whole."""
        data = bytes(view[: MAX_LINE + 1])
        newline = data.find(b"\n")
        taken = data if newline < 0 else data[: newline + 1]
        self._line += taken
        if len(self._line) > MAX_LINE:
            raise MalformedChunk(fault="a line is too long")
        # A bare LF ends no line: it may stand before the CR LF that does.
        if self._line.endswith(b"\r\n"):
            line = bytes(self._line[:-2])
            self._line.clear()
            self._take(line)
        return view[len(taken) :]

    def _take(self, line: bytes) -> None:
        match self._state:
            case _State.HEADER:
                self._begin_chunk(line)
            case _State.DATA_END:
                if line:
                    raise MalformedChunk(fault="a chunk is longer than its size")
                self._state = _State.HEADER
            case _State.TRAILERS if line:
                self._take_trailer(line)
            case _State.TRAILERS:
                self._end_trailers()
                self._state = _State.DONE
            case _State.LAST_LINE if not line:
                self._state = _State.DONE
            case _:
                raise MalformedChunk(fault="there is more after the last chunk")

    def _begin_chunk(self, line: bytes) -> None:
        match = self._header.fullmatch(line)
        if match is None:
            raise MalformedChunk(fault="a chunk header is not a size and a signature")
        # An unsigned stream may carry signatures all the same; S3 ignores them.
        self._signature = match["signature"] or b""
        if self._chain is not None and not self._signature:
            raise MalformedChunk(fault="a chunk of a signed stream has no signature")
        self._left = int(match["size"], 16)
        if self._received + self._left > self._decoded_length:
            self._incomplete(self._received + self._left)
        if self._left:
            self._check_size()
            self._state = _State.DATA
        else:
            self._end_chunk()
            last = self._declared is None
            self._state = _State.LAST_LINE if last else _State.TRAILERS

    def _check_size(self) -> None:
        if self._chain is None:
            return
        if self._short_chunk is not None:
            raise InvalidChunkSize(chunk=self._chunks, size=self._short_chunk)
        self._chunks += 1
        self._short_chunk = self._left if self._left < MIN_CHUNK else None

    def _end_chunk(self) -> None:
        if self._chain is not None:
            if not self._chain.is_chunk(self._signature, self._hash.hexdigest()):
                raise ChunkSignatureMismatch
            self._hash = hashlib.sha256()
        self._sink.release()

    def _take_trailer(self, line: bytes) -> None:
        match = re.fullmatch(_TRAILER, line.removesuffix(b"\n"))
        if match is None or len(self._trailers) >= MAX_TRAILERS or self._trailers_verified:
            raise MalformedTrailer
        name, value = match["name"].decode(), match["value"].strip(b" \t")
        if name == TRAILER_SIGNATURE and self._chain is not None:
            self._check_trailers(self._chain, value)
        elif name not in (self._declared or ()) or any(name <= seen for seen in self._trailers):
            # Undeclared, or not in order: a name that stands twice is neither.
            raise MalformedTrailer
        else:
            self._trailers[name] = value.decode("ascii")
            self._trailer_lines += name.encode() + b":" + value + b"\n"

    def _check_trailers(self, chain: SignatureChain, signature: bytes) -> None:
        digest = hashlib.sha256(self._trailer_lines).hexdigest()
        if not chain.is_trailer(signature, digest):
            raise ChunkSignatureMismatch
        self._trailers_verified = True

    def _end_trailers(self) -> None:
        missing = set(self._declared or ()).difference(self._trailers)
        if missing or (self._chain is not None and not self._trailers_verified):
            raise MalformedTrailer

    def _incomplete(self, received: int | None = None) -> NoReturn:
        received = self._received if received is None else received
        raise IncompleteBody(expected=self._decoded_length, received=received)
