"""Garbage made of aws-chunked bodies: the decoder takes just what a reader of the whole takes.

One input is a tape (tests.fuzz.tape): it makes a body, signed or not, with trailers or without,
changes it, and cuts it into the pieces that the decoder is fed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from tests.core.signing import S3_SIGNER
from tests.core.uploads import EMPTY
from tests.core.uploads import TRAILER_SIGNATURE
from tests.core.uploads import Framed
from tests.core.uploads import framed
from tests.core.uploads import sign
from tests.fuzz.tape import Tape
from wsgi_sigv4.chunked import ChunkedDecoder
from wsgi_sigv4.chunked import Decoded
from wsgi_sigv4.chunked import SignatureChain
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.timestamps import find_iso_basic

SEED = "0" * 64
SCOPE = CredentialScope(date=S3_SIGNER.date, region=S3_SIGNER.region, service=S3_SIGNER.service)
KEY = derive_signing_key(Secret(S3_SIGNER.secret), SCOPE)
TRAILERS = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-meta-z": "1 2"}

_PIECES: tuple[tuple[bytes, ...], ...] = (
    (b"hello",),
    (),
    (b"a" * 8192, b"b" * 8192, b"c"),
    (b"a", b"b"),
    (b"0\r\n\r\n", b"\r\n"),
)
_INSERTS = (
    *(b"", b"\r\n", b"\n", b"\r", b" ", b"\t", b"0", b"1", b"5", b";", b"=", b":", b"0\r\n"),
    *(b"0\r\n\r\n", b"\n\r\n", b";chunk-signature=", b"chunk-signature", b"-", b"+", b"_", b"0x"),
    *(b"x-amz-trailer-signature:", b"x-amz-meta-z:1 2\r\n", b"a" * 64, b"f" * 16, b"0" * 1100),
    *(b"x-amz-checksum-crc32:AAAAAA==\r\n", b"\xff", b"\0", b"ffffffff\r\n"),
)
_HEADER = re.compile(
    rb"([0-9a-fA-F]{1,16})(?:[\t ]*;[\t ]*chunk-signature[\t ]*=[\t ]*([0-9a-f]{64})[\t ]*)?"
)
_LINE = re.compile(rb"([a-z0-9-]+):([\t -~]*)\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a server is sent, and what the headers said of it."""

    raw: bytes
    length: int
    signed: bool
    declared: tuple[str, ...] | None
    seed: str = SEED


def fuzz_one(data: bytes) -> None:
    """Do what the tape *data* says; raise AssertionError where the decoder is wrong."""
    tape = Tape(data)
    body = made(tape)
    expected = read(body)
    sink = Decoded()
    assert decoded(body, sink, pieces(tape, body.raw)) == expected, body
    # What was released is a beginning of what was sent, and signed where it had to be.
    assert sink.verified <= body.length


def made(
    tape: Tape,
    *,
    seed: str = SEED,
    trailers: Callable[[bytes], Mapping[str, str]] = lambda _: TRAILERS,
) -> Body:
    """Return the body that *tape* makes.

    Args:
        tape: the tape.
        seed: the signature before that of the first chunk.
        trailers: returns the trailers of the data.
    """
    signed, has_trailers = bool(tape.byte() % 2), bool(tape.byte() % 2)
    parts = tape.pick(_PIECES)
    named = trailers(b"".join(parts))
    body = framed(
        parts,
        signer=S3_SIGNER,
        seed=seed if signed else None,
        trailers=named if has_trailers else None,
    )
    for _ in range(tape.byte() % 3):
        body = edited(tape, body)
    raw = body.encode()
    for _ in range(tape.byte() % 4):
        at = tape.number() % (len(raw) + 1)
        if tape.byte() % 2:
            # Where lines are is where a parser can be wrong.
            found = [match.start() for match in re.finditer(rb"[\r\n;:=]", raw)]
            at = found[at % len(found)] if found else at
        end = at + tape.pick((0, 0, 1, 2, 4, 64, len(raw)))
        raw = raw[:at] + tape.pick(_INSERTS) + raw[end:]
    length = sum(map(len, parts)) + tape.pick((0, 0, 0, 0, 0, 1, -1, 10**15))
    declared = tuple(named)[: tape.pick((2, 2, 2, 1, 0))] if has_trailers else None
    return Body(raw=raw, length=max(length, 0), signed=signed, declared=declared, seed=seed)


def edited(tape: Tape, body: Framed) -> Framed:
    """Return *body* with whole pieces of it moved, doubled or lost."""
    chunks, lines = body.chunks, body.trailers
    if tape.byte() % 2 and chunks:
        at = tape.byte() % len(chunks)
        chunk = chunks[at]
        ways = (
            (),
            (chunk, chunk),
            (replace(chunk, signature=None),),
            (replace(chunk, signature=b"0" * 64),),
            (replace(chunk, data=chunk.data[:-1]),),
            (replace(chunk, size=b"0" * 11 + chunk.size),),
            (replace(chunk, size=chunk.size.upper()),),
        )
        return replace(body, chunks=(*chunks[:at], *tape.pick(ways), *chunks[at + 1 :]))
    if lines:
        at = tape.byte() % len(lines)
        line = lines[at]
        others = ((), (line, line), (line + b"\n",), (line + b" ",), (line.upper(),), (b"",))
        return replace(body, trailers=(*lines[:at], *tape.pick(others), *lines[at + 1 :]))
    return replace(body, end=tape.pick((b"", b"\r\n\r\n", b"\n", b"x")))


def pieces(tape: Tape, raw: bytes) -> list[bytes]:
    """Return *raw*, cut as *tape* says."""
    size = tape.pick((len(raw) or 1, 1, 2, 3, 7, 64, 1000))
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def decoded(
    body: Body, sink: Decoded, parts: list[bytes]
) -> tuple[bytes, Mapping[str, str]] | None:
    """Return what the decoder makes of *parts*, None where it refuses them."""
    timestamp = find_iso_basic(S3_SIGNER.timestamp)
    assert timestamp is not None
    chain = SignatureChain(KEY, timestamp=timestamp, scope=SCOPE, seed=body.seed.encode())
    decoder = ChunkedDecoder(
        sink,
        decoded_length=body.length,
        chain=chain if body.signed else None,
        trailers=body.declared,
    )
    data = b""
    try:
        for part in parts:
            decoder.feed(part)
            data += sink.take()
            assert sink.verified <= len(data)
        return data, decoder.finish()
    except SigV4Error:
        return None


def read(body: Body) -> tuple[bytes, Mapping[str, str]] | None:
    """Return what *body* is, read as a whole; None where it is to be refused."""
    data, rest, previous, small = b"", body.raw, body.seed, False
    while True:
        header, newline, rest = rest.partition(b"\r\n")
        found = _HEADER.fullmatch(header)
        if not newline or found is None or (body.signed and found[2] is None):
            return None
        size = int(found[1], 16)
        piece, rest = rest[:size], rest[size:]
        if len(piece) < size or (small and size):
            return None
        if body.signed:
            digest = hashlib.sha256(piece).hexdigest()
            previous = sign(S3_SIGNER, "PAYLOAD", previous, EMPTY, digest)
            if found[2] != previous.encode():
                return None
            small = size < 8192
        if not size:
            break
        data += piece
        if not rest.startswith(b"\r\n"):
            return None
        rest = rest[2:]
    trailers = _read_trailers(body, rest, previous)
    return None if trailers is None or len(data) != body.length else (data, trailers)


def _read_trailers(body: Body, rest: bytes, previous: str) -> Mapping[str, str] | None:
    *lines, end = rest.split(b"\r\n")
    if end:
        return None
    if lines and not lines[-1]:
        lines.pop()
    if body.declared is None:
        return None if lines else {}
    found: dict[str, str] = {}
    for at, line in enumerate(lines):
        match = _LINE.fullmatch(line)
        if match is None or len(line) > 1022:
            return None
        name, value = match[1].decode(), match[2].strip(b" \t").decode()
        if body.signed and name.encode() == TRAILER_SIGNATURE:
            text = "".join(f"{name}:{value}\n" for name, value in found.items())
            digest = hashlib.sha256(text.encode()).hexdigest()
            if at + 1 < len(lines) or value != sign(S3_SIGNER, "TRAILER", previous, digest):
                return None
            return found if set(found) == set(body.declared) else None
        if name not in body.declared or name in found or (found and name < max(found)):
            return None
        found[name] = value
    return None if body.signed or set(found) != set(body.declared) else found
