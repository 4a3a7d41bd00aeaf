"""The aws-chunked decoder by itself: its grammar, its leniencies, limits and signatures."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest

from tests.core.signing import S3_SIGNER
from tests.core.uploads import EMPTY
from tests.core.uploads import Framed
from tests.core.uploads import framed
from wsgi_sigv4 import errors
from wsgi_sigv4.chunked import MAX_LINE
from wsgi_sigv4.chunked import MAX_TRAILERS
from wsgi_sigv4.chunked import ChunkedDecoder
from wsgi_sigv4.chunked import Decoded
from wsgi_sigv4.chunked import SignatureChain
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.timestamps import find_iso_basic

SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
PIECES = (b"a" * 8192, b"b" * 9000, b"\r\n0;chunk-signature=\r\n\r\n")
DATA = b"".join(PIECES)
TRAILERS = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-meta-z": "1 2"}


def chain() -> SignatureChain:
    """Return the chain of signatures that begins with SEED."""
    scope = CredentialScope(
        date=S3_SIGNER.date,
        region=S3_SIGNER.region,
        service=S3_SIGNER.service,
        terminator=S3_SIGNER.terminator,
    )
    timestamp = find_iso_basic(S3_SIGNER.timestamp)
    assert timestamp is not None
    key = derive_signing_key(Secret(S3_SIGNER.secret), scope)
    return SignatureChain(key, timestamp=timestamp, scope=scope, seed=SEED.encode())


def decoder(
    sink: Decoded, *, signed: bool = False, trailers: tuple[str, ...] | None = None, length: int
) -> ChunkedDecoder:
    """Return a decoder into *sink*."""
    return ChunkedDecoder(
        sink, decoded_length=length, chain=chain() if signed else None, trailers=trailers
    )


def decode(
    *pieces: bytes, signed: bool = False, trailers: tuple[str, ...] | None = None, length: int = 5
) -> tuple[bytes, dict[str, str]]:
    """Return data and trailers of the body that comes in *pieces*."""
    sink = Decoded()
    made = decoder(sink, signed=signed, trailers=trailers, length=length)
    for piece in pieces:
        made.feed(piece)
    found = dict(made.finish())
    assert sink.verified == length
    return sink.take(), found


def refused(
    *pieces: bytes, signed: bool = False, trailers: tuple[str, ...] | None = None, length: int = 5
) -> SigV4Error:
    """Return why the body that comes in *pieces* is refused."""
    with pytest.raises(SigV4Error) as refusal:
        decode(*pieces, signed=signed, trailers=trailers, length=length)
    return refusal.value


def body(*, signed: bool, trailers: bool) -> Framed:
    """Return DATA in three chunks."""
    return framed(
        PIECES,
        signer=S3_SIGNER,
        seed=SEED if signed else None,
        trailers=TRAILERS if trailers else None,
    )


def splits(raw: bytes, chance: Random) -> Iterator[list[bytes]]:
    """Yield ways to cut *raw*: whole, byte by byte, at random, and near each line's end."""
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for _ in range(20):
        cuts = sorted({0, len(raw), *(chance.randrange(len(raw)) for _ in range(8))})
        yield [raw[a:b] for a, b in pairwise(cuts)]
    for at in range(len(raw)):
        if b"\n" in raw[max(0, at - 4) : at + 4] or b";" in raw[max(0, at - 2) : at + 70]:
            yield [raw[:at], b"", raw[at:]]


@pytest.mark.parametrize("trailers", [False, True], ids=["plain", "trailers"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_split_makes_no_difference(signed: bool, trailers: bool) -> None:
    """However the bytes arrive, the same data and trailers come out."""
    raw = body(signed=signed, trailers=trailers).encode()
    declared = tuple(TRAILERS) if trailers else None
    ways = 0
    for pieces in splits(raw, Random(3)):
        found = decode(*pieces, signed=signed, trailers=declared, length=len(DATA))
        assert found == (DATA, TRAILERS if trailers else {})
        ways += 1
    assert ways > 40


def test_empty_body() -> None:
    """No bytes at all are one chunk: the last one."""
    assert decode(b"0\r\n\r\n", length=0) == (b"", {})
    raw = framed((), signer=S3_SIGNER, seed=SEED).encode()
    assert decode(raw, signed=True, length=0) == (b"", {})


# What S3 is lenient about, and so this is.


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("trailers", [False, True])
def test_last_line_may_be_missing(signed: bool, trailers: bool) -> None:
    """Leniency: a body may end after the last chunk, or trailer, without its final CR LF."""
    raw = body(signed=signed, trailers=trailers).encode().removesuffix(b"\r\n")
    declared = tuple(TRAILERS) if trailers else None
    assert decode(raw, signed=signed, trailers=declared, length=len(DATA))[0] == DATA


@pytest.mark.parametrize("mark", [b" ; ", b"\t;\t ", b"; ", b" ;"])
@pytest.mark.parametrize("sign", [b" = ", b"=\t", b" ="])
def test_blanks_around_a_parameter(mark: bytes, sign: bytes) -> None:
    """Leniency: blanks may stand around a chunk's parameter."""
    plain = framed((b"hello",), signer=S3_SIGNER, seed=SEED).encode()
    plain = plain.replace(b";chunk-signature=", mark + b"chunk-signature" + sign)
    plain = plain.replace(b"\r\nhello", b" \t\r\nhello")
    assert decode(plain, signed=True)[0] == b"hello"


def test_bare_lf_before_the_end_of_a_trailer() -> None:
    """Leniency: minio-go ends a trailer with LF CR LF."""
    raw = body(signed=True, trailers=True).encode()
    head, _, tail = raw.rpartition(b"x-amz-checksum-crc32")
    lines = tail.replace(b"\r\n", b"\n\r\n", 2)
    raw = head + b"x-amz-checksum-crc32" + lines
    found = decode(raw, signed=True, trailers=tuple(TRAILERS), length=len(DATA))
    assert found == (DATA, TRAILERS)


def test_blanks_around_the_value_of_a_trailer() -> None:
    """A trailer's value is trimmed, as that of a header is."""
    raw = b"5\r\nhello\r\n0\r\nx-a: \t1 2\t \r\n\r\n"
    assert decode(raw, trailers=("x-a",)) == (b"hello", {"x-a": "1 2"})


def test_signatures_of_an_unsigned_stream_are_ignored() -> None:
    """An unsigned stream may carry chunk signatures all the same, right or wrong."""
    raw = framed((b"hello",), signer=S3_SIGNER, seed="0" * 64).encode()
    assert decode(raw)[0] == b"hello"
    assert decode(raw.replace(b";chunk-signature=", b" ; chunk-signature = "))[0] == b"hello"


# And nothing else.


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"+5\r\nhello\r\n0\r\n\r\n", id="sign"),
        pytest.param(b"-5\r\nhello\r\n0\r\n\r\n", id="minus"),
        pytest.param(b"0_5\r\nhello\r\n0\r\n\r\n", id="underscore"),
        pytest.param(b"0x5\r\nhello\r\n0\r\n\r\n", id="0x"),
        pytest.param(b" 5\r\nhello\r\n0\r\n\r\n", id="blank before"),
        pytest.param(b"5 \r\nhello\r\n0\r\n\r\n", id="blank after"),
        pytest.param(b"\r\nhello\r\n0\r\n\r\n", id="no size"),
        pytest.param("٥\r\nhello\r\n0\r\n\r\n".encode(), id="other digits"),
        pytest.param(b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n", id="17 digits"),
        pytest.param(b"5;\r\nhello\r\n0\r\n\r\n", id="empty extension"),
        pytest.param(b"5;a=b\r\nhello\r\n0\r\n\r\n", id="another extension"),
        pytest.param(b"5;chunk-signature=\r\nhello\r\n0\r\n\r\n", id="empty signature"),
        pytest.param(b"5;Chunk-Signature=" + b"0" * 64 + b"\r\nhello\r\n0\r\n\r\n", id="case"),
        pytest.param(b"5;chunk-signature=" + b"0" * 65 + b"\r\nhello\r\n0\r\n\r\n", id="65"),
        pytest.param(b"5;chunk-signature=" + b"g" * 64 + b"\r\nhello\r\n0\r\n\r\n", id="no hex"),
        pytest.param(
            b"5" + b";chunk-signature=" * 2 + b"0" * 64 + b"\r\nhello\r\n0\r\n\r\n", id="twice"
        ),
        pytest.param(b"5\n\r\nhello\r\n0\r\n\r\n", id="LF before CR LF of a header"),
        pytest.param(b"5\r\r\nhello\r\n0\r\n\r\n", id="CR before CR LF"),
        pytest.param(b"5\r\nhello!\r\n0\r\n\r\n", id="more data than its size"),
        pytest.param(b"5\r\nhello\n\r\n0\r\n\r\n", id="LF after data"),
        pytest.param(b"5\r\nhello0\r\n\r\n", id="no end of data"),
        pytest.param(b"5\r\nhello\r\n\r\n0\r\n\r\n", id="empty line between chunks"),
        pytest.param(b"5\r\nhello\r\n0\r\nx-a:b\r\n\r\n", id="trailer where none may be"),
        pytest.param(b"5\r\nhello\r\n0\r\n\n\r\n", id="LF before the last CR LF"),
        pytest.param(b"5\r\nhello\r\n0\r\n\r\n\r\n", id="one more line"),
        pytest.param(b"5\r\nhello\r\n0\r\n\r\n0\r\n\r\n", id="a second last chunk"),
        pytest.param(b"5\r\nhello\r\n0\r\n\r\n" + b"x" * 2000, id="a lot more"),
    ],
)
def test_t12_malformed(raw: bytes) -> None:
    """T12: what is not the grammar is refused, whole and byte by byte."""
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        assert isinstance(refused(*pieces), errors.MalformedChunk)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"5\nhello\n0\n\n", id="bare LF throughout"),
        pytest.param(b"5\rhello\r0\r\r", id="bare CR throughout"),
        pytest.param(b"5\r\nhello\r\n0\r\n\r\nx", id="one byte more"),
        pytest.param(b"5\r\nhello\r\n0\r\n\r", id="half a last line"),
        pytest.param(b"5\r\nhello\r\n0\r\n\n", id="LF at the end"),
        pytest.param(b"6\r\nhello!\r\n0\r\n\r\n", id="more than the decoded length"),
        pytest.param(b"4\r\nhell\r\n0\r\n\r\n", id="less than the decoded length"),
        pytest.param(b"f" * 16 + b"\r\nhello", id="a size beyond all bounds"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_t13_incomplete(raw: bytes) -> None:
    """T9, T13: a body that ends too early, or holds more than announced, is refused."""
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        assert isinstance(refused(*pieces), errors.IncompleteBody)


@pytest.mark.parametrize("trailers", [False, True], ids=["plain", "trailers"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_t9_cut_anywhere(signed: bool, trailers: bool) -> None:
    """T9: a body that is cut anywhere but before its last CR LF is refused, never a clean end."""
    declared = ("x-a",) if trailers else None
    named = {"x-a": "1"} if trailers else None
    raw = framed(
        (b"hello",), signer=S3_SIGNER, seed=SEED if signed else None, trailers=named
    ).encode()
    whole = {len(raw), len(raw) - 2}
    for end in range(len(raw) + 1):
        if end in whole:
            assert decode(raw[:end], signed=signed, trailers=declared)[0] == b"hello"
        else:
            refused(raw[:end], signed=signed, trailers=declared)


def test_t9_no_byte_counts_before_its_signature() -> None:
    """T9: data is released when the signature of its chunk was right, and not a byte before."""
    sink = Decoded()
    made = decoder(sink, signed=True, length=len(DATA))
    ends = [len(PIECES[0]), len(PIECES[0] + PIECES[1]), len(DATA)]
    written = 0
    for byte in body(signed=True, trailers=False).encode():
        made.feed(bytes([byte]))
        written += len(sink.take())
        assert sink.verified == max((end for end in ends if end <= written), default=0)
    made.finish()
    forged = bytearray(body(signed=True, trailers=False).encode())
    forged[9000] ^= 1
    sink = Decoded()
    with pytest.raises(errors.ChunkSignatureMismatch):
        decoder(sink, signed=True, length=len(DATA)).feed(bytes(forged))
    assert sink.verified == len(PIECES[0])


@pytest.mark.parametrize("at", range(4))
def test_t10_each_chunk_signature_counts(at: int) -> None:
    """T10: a wrong signature of any chunk is refused, that of the last one too."""
    whole = body(signed=True, trailers=False)
    raw = whole.encode().replace(whole.chunks[at].signature or b"", b"0" * 64)
    refusal = refused(raw, signed=True, length=len(DATA))
    assert isinstance(refusal, errors.ChunkSignatureMismatch)


@pytest.mark.parametrize("at", range(4))
def test_t11_signature_stripped(at: int) -> None:
    """T11: a chunk of a signed stream without a signature is refused."""
    whole = body(signed=True, trailers=False)
    raw = whole.encode().replace(b";chunk-signature=" + (whole.chunks[at].signature or b""), b"")
    assert isinstance(refused(raw, signed=True, length=len(DATA)), errors.MalformedChunk)


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_t11_trailer_signature_dropped(end: bytes) -> None:
    """T11: signed trailers without their signature are refused, where no trailer is left too."""
    raw = body(signed=True, trailers=True).encode()
    for mark in (b"x-amz-trailer-signature", b"x-amz-checksum-crc32"):
        refusal = refused(
            raw[: raw.index(mark)] + end,
            signed=True,
            trailers=tuple(TRAILERS),
            length=len(DATA),
        )
        assert isinstance(refusal, errors.MalformedTrailer)


@pytest.mark.parametrize(
    ("lines", "declared"),
    [
        pytest.param(b"x-b:1\r\n", ("x-a",), id="undeclared"),
        pytest.param(b"x-a:1\r\nx-b:1\r\n", ("x-a",), id="one undeclared"),
        pytest.param(b"", ("x-a",), id="missing"),
        pytest.param(b"x-a:1\r\n", ("x-a", "x-b"), id="one missing"),
        pytest.param(b"x-a:1\r\nx-a:1\r\n", ("x-a",), id="twice"),
        pytest.param(b"X-A:1\r\n", ("x-a",), id="wrong case"),
        pytest.param(b"x-b:1\r\nx-a:1\r\n", ("x-a", "x-b"), id="unsorted"),
        pytest.param(b"x-a\r\n", ("x-a",), id="no colon"),
        pytest.param(b"x-a :1\r\n", ("x-a",), id="blank before the colon"),
        pytest.param(b" x-a:1\r\n", ("x-a",), id="blank before the name"),
        pytest.param(b"x-a:1\r\n x-a:2\r\n", ("x-a",), id="folded"),
        pytest.param(b"x-a:\x001\r\n", ("x-a",), id="NUL"),
        pytest.param(b"x-a:1\r\r\n", ("x-a",), id="CR"),
        pytest.param(b"x-a:1\n\n\r\n", ("x-a",), id="two LF"),
        pytest.param(b"x-a:1\nx-b:1\r\n", ("x-a", "x-b"), id="bare LF between trailers"),
        pytest.param(b"\n\r\n", ("x-a",), id="LF alone"),
        pytest.param(b"x-a:\xff\r\n", ("x-a",), id="no ASCII"),
        pytest.param(b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n", ("x-a",), id="signature"),
    ],
)
def test_t14_trailers(lines: bytes, declared: tuple[str, ...]) -> None:
    """T14: trailers are the declared ones, each once, in order, in lower case."""
    raw = b"5\r\nhello\r\n0\r\n" + lines + b"\r\n"
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        assert isinstance(refused(*pieces, trailers=declared), errors.MalformedTrailer)


def test_t14_trailers_are_signed() -> None:
    """T14: signed trailers are refused after a change of name, value or signature."""
    raw = body(signed=True, trailers=True).encode()
    for old, new in ((b":AAAAAA==", b":AAAAAB=="), (b":1 2", b":1 3"), (b":1 2", b":1  2")):
        refusal = refused(
            raw.replace(old, new), signed=True, trailers=tuple(TRAILERS), length=len(DATA)
        )
        assert isinstance(refusal, errors.ChunkSignatureMismatch)
    start = raw.index(b"x-amz-trailer-signature:") + 24
    flipped = raw[:start] + (b"1" if raw[start : start + 1] != b"1" else b"2") + raw[start + 1 :]
    for bad in (flipped, raw[:start] + b"\r\n\r\n", raw[:start] + b"0" * 64 + raw[start:]):
        refusal = refused(bad, signed=True, trailers=tuple(TRAILERS), length=len(DATA))
        assert isinstance(refusal, errors.ChunkSignatureMismatch)
    # Nothing may follow the signature, and it may not stand twice.
    line = raw[start - 24 :].removesuffix(b"\r\n")
    twice = raw[: start - 24] + line + line + b"\r\n"
    refusal = refused(twice, signed=True, trailers=tuple(TRAILERS), length=len(DATA))
    assert isinstance(refusal, errors.MalformedTrailer)


def test_signature_of_no_trailers_is_another_one() -> None:
    """The signature of a chunk is none of trailers, nor the reverse, over the same bytes."""
    signatures = chain()
    last = framed((), signer=S3_SIGNER, seed=SEED).chunks[-1].signature or b""
    assert not signatures.is_trailer(last, EMPTY)
    assert signatures.is_chunk(last, EMPTY)
    assert not signatures.is_chunk(last, EMPTY)


def test_small_chunk_before_another() -> None:
    """A signed chunk below 8192 bytes can only be the last; the refusal says which it was."""
    for first, good in ((8192, True), (8191, False)):
        raw = framed((bytes(first), b"x"), signer=S3_SIGNER, seed=SEED).encode()
        if good:
            decode(raw, signed=True, length=first + 1)
            continue
        refusal = refused(raw, signed=True, length=first + 1)
        assert isinstance(refusal, errors.InvalidChunkSize)
        assert (refusal.chunk, refusal.size) == (1, first)
    assert decode(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", length=2)[0] == b"ab"


# Limits.


def test_t12_line_that_never_ends() -> None:
    """T12: a line is refused when it is too long, long before it ends."""
    for trickle in (b"0", b"\n", b";"):
        made = decoder(Decoded(), length=5)
        for _ in range(MAX_LINE):
            made.feed(trickle)
        with pytest.raises(errors.MalformedChunk):
            made.feed(trickle)
    assert isinstance(refused(b"5" + b" " * 10**7 + b"\r\n"), errors.MalformedChunk)


def test_t12_ten_thousand_trailers() -> None:
    """T12: trailers are counted, and no more are kept than anybody needs."""
    names = tuple(f"x-{number:05}" for number in range(10_000))
    lines = b"".join(name.encode() + b":1\r\n" for name in names)
    refusal = refused(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n", trailers=names)
    assert isinstance(refusal, errors.MalformedTrailer)
    few = names[:MAX_TRAILERS]
    lines = b"".join(name.encode() + b":1\r\n" for name in few)
    found = decode(b"5\r\nhello\r\n0\r\n" + lines + b"\r\n", trailers=few)
    assert tuple(found[1]) == few


def test_t12_huge_chunk_in_constant_memory() -> None:
    """T12: a chunk of a gigabyte is decoded in the memory of one piece of it."""
    length = 1024**3
    sink = Decoded()
    made = decoder(sink, length=length)
    made.feed(b"%x\r\n" % length)
    piece = bytes(64 * 1024)
    tracemalloc.start()
    try:
        for _ in range(256):
            made.feed(piece)
            assert len(sink.take()) == len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1024 * 1024


@pytest.mark.parametrize(
    "raw", [b"x\r\n", b"6\r\n", b"5\r\nhello!\r\n", b"5\r\nhello\r\n0\r\n\r\nx\r\n"]
)
def test_refused_once_is_refused_for_good(raw: bytes) -> None:
    """Whoever swallows a refusal gets it again, whatever comes later."""
    made = decoder(Decoded(), length=5)
    with pytest.raises(SigV4Error) as first:
        made.feed(raw)
    with pytest.raises(SigV4Error) as again:
        made.feed(b"5\r\nhello\r\n0\r\n\r\n")
    with pytest.raises(SigV4Error) as at_last:
        made.finish()
    assert first.value is again.value is at_last.value
