"""Aws-chunked uploads in pieces that a test can change one by one, and a signer of them.

The signer follows the words of AWS's documentation and shares nothing with the package; AWS's
published examples hold it to them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.core.signing import Signer

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
FORMS = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)
EMPTY = hashlib.sha256().hexdigest()
TRAILER_SIGNATURE = b"x-amz-trailer-signature"

Change = tuple[str, Message]


def crc32(data: bytes) -> str:
    """Return the value of x-amz-checksum-crc32 for *data*."""
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One chunk as it is framed; the last has no data."""

    size: bytes
    signature: bytes | None
    data: bytes

    def encode(self) -> bytes:
        """Return its bytes."""
        extension = b"" if self.signature is None else b";chunk-signature=" + self.signature
        end = self.data + b"\r\n" if self.data else b""
        return self.size + extension + b"\r\n" + end


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """An aws-chunked body.

    Attributes:
        chunks: the chunks, the last one of no bytes among them.
        trailers: the lines after it, without their ends.
        end: what stands after those.
    """

    chunks: tuple[Chunk, ...]
    trailers: tuple[bytes, ...] = ()
    end: bytes = b"\r\n"

    @classmethod
    def parse(cls, body: bytes) -> Framed:
        """Return the pieces of *body*, which is well-formed."""
        chunks: list[Chunk] = []
        while not chunks or chunks[-1].data:
            header, _, body = body.partition(b"\r\n")
            size, _, extension = header.partition(b";chunk-signature=")
            length = int(size, 16)
            chunks.append(Chunk(size=size, signature=extension or None, data=body[:length]))
            body = body[length + 2 :] if length else body
        *lines, end = body.split(b"\r\n")
        assert end == b""
        if lines and not lines[-1]:
            return cls(chunks=tuple(chunks), trailers=tuple(lines[:-1]))
        return cls(chunks=tuple(chunks), trailers=tuple(lines), end=b"")

    @property
    def data(self) -> bytes:
        """What is framed."""
        return b"".join(chunk.data for chunk in self.chunks)

    def encode(self) -> bytes:
        """Return its bytes."""
        chunks = b"".join(chunk.encode() for chunk in self.chunks)
        return chunks + b"".join(line + b"\r\n" for line in self.trailers) + self.end

    def with_chunk(self, at: int, *chunks: Chunk) -> Framed:
        """Return this body with *chunks* in the place of the one there."""
        return replace(self, chunks=(*self.chunks[:at], *chunks, *self.chunks[at + 1 :]))


def framed(
    pieces: Sequence[bytes],
    *,
    signer: Signer,
    seed: str | None,
    trailers: Mapping[str, str] | None = None,
) -> Framed:
    """Return *pieces*, each as a chunk, with the last chunk and the *trailers*.

    Args:
        pieces: the data of the chunks.
        signer: signs them.
        seed: the signature of the headers; None: chunks and trailers are not signed.
        trailers: names and values; None: none.
    """
    chunks, previous = [], seed
    for piece in (*pieces, b""):
        signature = None
        if previous is not None:
            digest = hashlib.sha256(piece).hexdigest()
            previous = sign(signer, "PAYLOAD", previous, EMPTY, digest)
            signature = previous.encode()
        chunks.append(Chunk(size=b"%x" % len(piece), signature=signature, data=piece))
    lines = [f"{name}:{value}" for name, value in (trailers or {}).items()]
    if trailers is not None and previous is not None:
        text = "".join(f"{line}\n" for line in lines)
        digest = hashlib.sha256(text.encode()).hexdigest()
        lines.append(f"{TRAILER_SIGNATURE.decode()}:{sign(signer, 'TRAILER', previous, digest)}")
    return Framed(chunks=tuple(chunks), trailers=tuple(line.encode() for line in lines))


def sign(signer: Signer, what: str, previous: str, *digests: str) -> str:
    """Return the signature of a chunk ("PAYLOAD") or of the trailers ("TRAILER")."""
    lines = (f"AWS4-HMAC-SHA256-{what}", signer.timestamp, signer.scope, previous, *digests)
    key = b"AWS4" + signer.secret.encode()
    for part in (signer.date, signer.region, signer.service, signer.terminator):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def upload(
    *pieces: bytes,
    form: str = SIGNED,
    trailers: Mapping[str, str] | None = None,
    declared: str | None = None,
    decoded_length: str | None = None,
    headers: Mapping[str, str] | None = None,
    signer: Signer = S3_SIGNER,
    method: str = "PUT",
    target: str = "/bucket/key",
) -> Message:
    """Return a signed upload of *pieces*, each in a chunk.

    Args:
        pieces: the data of the chunks.
        form: the payload form.
        trailers: the trailers; None: a CRC-32 where the form has trailers.
        declared: what x-amz-trailer says; None: the names of the trailers.
        decoded_length: what x-amz-decoded-content-length says; None: the truth.
        headers: further headers, which are signed.
        signer: signs all of it.
        method: the method.
        target: path and query.
    """
    data = b"".join(pieces)
    if trailers is None and form.endswith("-TRAILER"):
        trailers = {"x-amz-checksum-crc32": crc32(data)}
    if declared is None and trailers is not None:
        declared = ",".join(trailers)
    named = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-Sha256": form,
        "X-Amz-Decoded-Content-Length": decoded_length or str(len(data)),
    }
    if declared is not None:
        named["X-Amz-Trailer"] = declared
    head = signer.sign(Message.of(method, target, headers=named | dict(headers or {})))
    seed = None if form == UNSIGNED_TRAILER else signature_of(head)
    body = framed(pieces, signer=signer, seed=seed, trailers=trailers)
    return replace(head, body=body.encode())


def signature_of(message: Message) -> str:
    """Return the signature in the Authorization header of *message*."""
    return (message.header("authorization") or b"")[-64:].decode()


def changed(message: Message, body: Framed) -> Message:
    """Return *message* with another body."""
    return replace(message, body=body.encode())


def hostile_changes(message: Message) -> Iterator[Change]:
    """Yield each change to the upload *message* after which it must be refused, and its name."""
    body = Framed.parse(message.body)
    for label, other in _changed_bodies(body):
        yield label, changed(message, other)
    raw = message.body
    for label, bytes_ in (
        ("byte appended", raw + b"x"),
        ("line appended", raw + b"\r\n"),
        ("chunk appended after the last one", raw + body.chunks[0].encode()),
        ("emptied", b""),
        ("unframed", body.data + b"x"),
    ):
        yield label, replace(message, body=bytes_)
    length = int(message.header("x-amz-decoded-content-length") or b"")
    for other_length in (length + 1, length - 1, 0 if length else 7):
        value = str(other_length)
        yield (
            f"decoded length {value}",
            message.with_header("x-amz-decoded-content-length", value),
        )
    yield "no decoded length", message.without_header("x-amz-decoded-content-length")
    declared = message.header("x-amz-trailer")
    for value in ("x-amz-checksum-sha512", "x-amz-checksum-crc32,x-amz-checksum-sha512", ""):
        yield f"declares {value!r}", message.with_header("x-amz-trailer", value)
    if declared is not None:
        yield "declares nothing", message.without_header("x-amz-trailer")


def _changed_bodies(body: Framed) -> Iterator[tuple[str, Framed]]:
    last = len(body.chunks) - 1
    for at in sorted({0, last // 2, last}):
        chunk = body.chunks[at]
        size = int(chunk.size, 16)
        for other in {size + 1, size - 1} - {-1, 0}:
            yield f"size of chunk {at}", body.with_chunk(at, replace(chunk, size=b"%x" % other))
        if chunk.data:
            for where in (0, len(chunk.data) // 2, len(chunk.data) - 1):
                data = bytearray(chunk.data)
                data[where] ^= 1
                yield (
                    f"data of chunk {at} at {where}",
                    body.with_chunk(at, replace(chunk, data=bytes(data))),
                )
            yield f"chunk {at} cut", body.with_chunk(at, replace(chunk, data=chunk.data[:-1]))
        if chunk.signature is not None:
            for label, signature in (
                ("changed", _flipped(chunk.signature, 0)),
                ("changed at its end", _flipped(chunk.signature, 63)),
                ("in capitals", chunk.signature.upper()),
                ("cut", chunk.signature[:-1]),
                ("empty", b""),
                ("removed", None),
            ):
                yield (
                    f"signature of chunk {at} {label}",
                    body.with_chunk(at, replace(chunk, signature=signature)),
                )
    if last > 1:
        yield "chunks swapped", replace(body, chunks=(*body.chunks[1::-1], *body.chunks[2:]))
    yield "no last chunk", replace(body, chunks=body.chunks[:-1], trailers=(), end=b"")
    yield "no last chunk, but trailers", replace(body, chunks=body.chunks[:-1])
    if last:
        yield "a chunk removed", body.with_chunk(last - 1)
        first = body.chunks[0]
        yield "a chunk twice", body.with_chunk(0, first, first)
        yield "a chunk appended", body.with_chunk(last, first, body.chunks[last])
    else:
        extra = Chunk(size=b"1", signature=body.chunks[0].signature, data=b"x")
        yield "a chunk appended", body.with_chunk(0, extra, body.chunks[0])
    if body.chunks[0].signature is not None:
        bare = tuple(replace(chunk, signature=None) for chunk in body.chunks)
        yield "no signatures", replace(body, chunks=bare)
    yield from _changed_trailers(body)


def _changed_trailers(body: Framed) -> Iterator[tuple[str, Framed]]:
    lines = body.trailers
    for at, line in enumerate(lines):
        name, _, value = line.partition(b":")
        for label, other in (
            ("value changed", name + b":" + _flipped(value, 0)),
            ("value emptied", name + b":"),
            ("renamed", name[:-1] + b"z:" + value),
            ("in other case", name.upper() + b":" + value),
            ("without a colon", name + value),
            ("with a blank before the colon", name + b" :" + value),
            ("with a bare CR", name + b":\r" + value),
        ):
            new = (*lines[:at], other, *lines[at + 1 :])
            yield f"trailer {at} {label}", replace(body, trailers=new)
        yield f"trailer {at} removed", replace(body, trailers=lines[:at] + lines[at + 1 :])
        yield f"trailer {at} twice", replace(body, trailers=(*lines[:at], line, *lines[at:]))
    if len(lines) > 1:
        yield "trailers reversed", replace(body, trailers=lines[::-1])
    more = b"x-amz-checksum-sha256:" + b"A" * 43 + b"="
    yield "a trailer before", replace(body, trailers=(more, *lines))
    yield "a trailer after", replace(body, trailers=(*lines, more))
    if lines:
        yield "no trailers", replace(body, trailers=())


def _flipped(text: bytes, at: int) -> bytes:
    """Return *text* with another digit there."""
    return text[:at] + (b"1" if text[at : at + 1] != b"1" else b"2") + text[at + 1 :]
