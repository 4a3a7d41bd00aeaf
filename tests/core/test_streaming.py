"""Uploads in chunks, through the verifier: from the signature of the headers to the trailers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.records import Record
from tests.core.records import records
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import Signer
from tests.core.signing import sha256
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import TRAILER_SIGNATURE
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import Framed
from tests.core.uploads import crc32
from tests.core.uploads import framed
from tests.core.uploads import hostile_changes
from tests.core.uploads import signature_of
from tests.core.uploads import upload
from wsgi_sigv4 import errors
from wsgi_sigv4.checksums import ChecksumVerifier
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.verifier import Verifier

PIECES = (b"a" * 8192, b"b" * 8200, b"c" * 8192, b"d" * 10)
DATA = b"".join(PIECES)
STREAMED = [record for record in records() if record.streaming]

each_form = pytest.mark.parametrize("form", FORMS)
each_record = pytest.mark.parametrize("record", STREAMED, ids=lambda record: record.id)


def verifier(**parameters: Any) -> Verifier:
    """Return a verifier of S3 that knows one key."""
    usual: dict[str, Any] = {"region": "us-east-1", "service": "s3", "clock": lambda: NOW}
    return Verifier({ACCESS_KEY_ID: SECRET}, **(usual | parameters))


def refusal(message: Message, **parameters: Any) -> SigV4Error:
    """Return why *message* is refused."""
    with pytest.raises(SigV4Error) as refused:
        verify(verifier(**parameters), message, now=NOW)
    return refused.value


def decoded(made: Verifier, message: Message, cuts: list[int], *, now: float) -> bytes:
    """Return the data of *message*, whose body comes in pieces that end at *cuts*."""
    verification = made.verify(message.request(), now=now)
    checksums = ChecksumVerifier(verification.attempt)
    data, before = b"", 0
    for cut in (*cuts, len(message.body)):
        piece = verification.feed(message.body[before:cut])
        checksums.update(piece)
        data, before = data + piece, cut
    verification.finish(now=now)
    checksums.check(verification.trailers)
    return data


# AWS's published examples: an upload of 66,560 bytes.

AWS_SIGNER = Signer(
    secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    timestamp="20130524T000000Z",
    date="20130524",
    service="s3",
)
AWS_TIME = 1_369_353_600
AWS_PIECES = (b"a" * 65536, b"a" * 1024)


def aws_upload(**headers: str) -> Message:
    """Return the head of AWS's example."""
    named = {
        "Host": "s3.amazonaws.com",
        "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": "66560",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return AWS_SIGNER.sign(Message.of("PUT", "/examplebucket/chunkObject.txt", headers=named))


def aws_example(message: Message, trailers: dict[str, str] | None) -> Framed:
    """Return the body of AWS's example, which is accepted."""
    body = framed(AWS_PIECES, signer=AWS_SIGNER, seed=signature_of(message), trailers=trailers)
    message = replace(message, body=body.encode())
    identity = verify(verifier(), message, now=AWS_TIME)
    assert identity.access_key_id == "AKIAIOSFODNN7EXAMPLE"
    return body


def test_published_example() -> None:
    """The seed and each chunk signature of AWS's example are accepted."""
    message = aws_upload(Content_Length="66824", X_Amz_Content_Sha256=SIGNED)
    assert signature_of(message) == (
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    )
    body = aws_example(message, None)
    assert [chunk.signature for chunk in body.chunks] == [
        b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ]
    assert len(body.encode()) == 66824


def test_published_example_with_a_trailer() -> None:
    """The seed, each chunk signature and the trailer's of AWS's other example are accepted."""
    message = aws_upload(X_Amz_Content_Sha256=SIGNED_TRAILER, X_Amz_Trailer="x-amz-checksum-crc32c")
    assert signature_of(message) == (
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    )
    body = aws_example(message, {"x-amz-checksum-crc32c": "sOO8/Q=="})
    assert [chunk.signature for chunk in body.chunks] == [
        b"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        b"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        b"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]
    assert body.trailers[1] == (
        b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    )


# Every form, accepted and refused.


@each_form
@pytest.mark.parametrize("pieces", [PIECES, (b"x",), ()], ids=["four", "one", "none"])
def test_upload_is_accepted(form: str, pieces: tuple[bytes, ...]) -> None:
    """What the reference signer makes is accepted, in each form, and comes out unframed."""
    message = upload(*pieces, form=form)
    assert decoded(verifier(), message, [], now=NOW) == b"".join(pieces)
    assert verify(verifier(), message, now=NOW).payload_form is PayloadForm(form)


def test_every_streaming_form_is_here() -> None:
    """A new payload form cannot be forgotten: each that frames the body is tried below, or 501."""
    streaming = {form.value for form in PayloadForm if form.is_streaming}
    ecdsa = {form for form in streaming if "ECDSA" in form}
    assert streaming - ecdsa == set(FORMS)
    for form in ecdsa:
        refused = refusal(upload(form=form, trailers={"x-amz-checksum-crc32": "AAAAAA=="}))
        assert isinstance(refused, errors.PayloadFormNotImplemented)


@each_form
@pytest.mark.parametrize("pieces", [PIECES, (b"x",), ()], ids=["four", "one", "none"])
def test_refused_after_one_change(form: str, pieces: tuple[bytes, ...]) -> None:
    """T3, T9-T11, T13, T14, T23: any one change to an upload is refused."""
    made = verifier()
    changes = list(hostile_changes(upload(*pieces, form=form)))
    accepted = []
    for label, message in changes:
        try:
            verify(made, message, now=NOW)
        except SigV4Error:
            continue
        accepted.append(label)
    assert accepted == []
    assert len(changes) > 20


@each_form
def test_t23_other_data(form: str) -> None:
    """T23: another body of the same length is refused, whatever binds it in this form."""
    message = upload(b"hello", form=form)
    refused = refusal(replace(message, body=message.body.replace(b"hello", b"hullo")))
    wanted = errors.ChecksumMismatch if form == UNSIGNED_TRAILER else errors.ChunkSignatureMismatch
    assert isinstance(refused, wanted)


@each_form
def test_t3_wrong_signature_of_the_headers(form: str) -> None:
    """T3: chunks that are signed right do not make up for headers that are not."""
    message = upload(*PIECES, form=form)
    assert isinstance(
        refusal(message.edited(signature_of(message), "0" * 64)), errors.SignatureMismatch
    )
    other = upload(*PIECES, form=form, signer=replace(S3_SIGNER, secret="wrong"))
    assert isinstance(refusal(other), errors.SignatureMismatch)
    # Chunks of another upload with the same bytes and the same key.
    if form != UNSIGNED_TRAILER:
        seed = upload(*PIECES, form=form, target="/bucket/other")
        mixed = replace(message, body=seed.body)
        assert isinstance(refusal(mixed), errors.ChunkSignatureMismatch)


@each_form
@pytest.mark.parametrize("late", [-901, 901])
def test_t6_replay(form: str, late: int) -> None:
    """T6: a captured upload dies like any other request; so does one that takes too long."""
    message = upload(*PIECES, form=form)
    with pytest.raises(errors.RequestTimeTooSkewed):
        verify(verifier(), message, now=NOW + late)
    verification = verifier().verify(message.request(), now=NOW)
    verification.feed(message.body)
    with pytest.raises(errors.RequestTimeTooSkewed):
        verification.finish(now=NOW + late)


@each_form
@pytest.mark.parametrize("other", [*FORMS, "UNSIGNED-PAYLOAD", sha256(DATA)])
def test_t5_t8_form_is_part_of_the_signature(form: str, other: str) -> None:
    """T5, T8: the form cannot be exchanged for another, though its header may stay unsigned."""
    if form == other:
        return
    message = upload(*PIECES, form=form).with_header("X-Amz-Content-Sha256", other)
    if "TRAILER" in other and message.header("x-amz-trailer") is None:
        message = message.with_header("X-Amz-Trailer", "x-amz-checksum-crc32")
    if "TRAILER" not in other and other in FORMS:
        message = message.without_header("X-Amz-Trailer")
    assert isinstance(
        refusal(message),
        errors.SignatureMismatch | errors.HeadersNotSigned | errors.SignedHeaderMissing,
    )


@each_form
@pytest.mark.parametrize("name", ["X-Amz-Decoded-Content-Length", "X-Amz-Trailer"])
def test_t1_what_frames_the_body_is_signed(form: str, name: str) -> None:
    """T1: the decoded length and the declared trailers must be signed."""
    if name == "X-Amz-Trailer" and form == SIGNED:
        return
    message = upload(b"hello", form=form)
    value = message.header(name.lower()) or b""
    listed = sorted(
        header.decode().lower()
        for header, _ in message.headers
        if header not in (b"Authorization", name.encode())
    )
    bare = message.without_header("authorization").without_header(name)
    head = replace(S3_SIGNER, signed_headers=tuple(listed)).authorize(bare)
    refused = refusal(head.with_extra_header(name, value))
    assert isinstance(refused, errors.HeadersNotSigned)
    assert refused.names == (name.lower(),)


@pytest.mark.parametrize(
    "value", ["+5", "5_0", "-5", "0x5", "5.0", "5e0", " ", "", "5,5", "٥", "9" * 19, "5 5"]
)
@each_form
def test_t13_decoded_length_that_is_none(form: str, value: str) -> None:
    """T13: the decoded length is plain digits, and stands once."""
    message = upload(b"hello", form=form, decoded_length=value or "x")
    assert isinstance(refusal(message), errors.InvalidContentLength)


@each_form
@pytest.mark.parametrize("value", ["4", "6", "0", "50", "9" * 18])
def test_t13_decoded_length_that_is_signed_and_wrong(form: str, value: str) -> None:
    """T13: a decoded length that is not the real one is refused, though it is signed."""
    assert isinstance(
        refusal(upload(b"hello", form=form, decoded_length=value)), errors.IncompleteBody
    )


@each_form
def test_t13_decoded_length_twice(form: str) -> None:
    """T13: two decoded lengths are refused, and none is."""
    twice = upload(b"hello", form=form).with_extra_header("X-Amz-Decoded-Content-Length", "5")
    assert isinstance(refusal(twice), errors.InvalidContentLength)
    none = upload(b"hello", form=form).without_header("X-Amz-Decoded-Content-Length")
    assert isinstance(refusal(none), errors.SignedHeaderMissing)
    head = none.without_header("Authorization")
    assert isinstance(refusal(S3_SIGNER.authorize(head)), errors.LengthRequired)


# The declared trailers.


def declared(value: str, **changes: Any) -> Message:
    """Return an upload whose x-amz-trailer is *value*, and signed."""
    return upload(b"hello", **({"form": SIGNED_TRAILER} | changes), declared=value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        " ",
        "x-amz-checksum-crc32,,",
        ",x-amz-checksum-crc32",
        "x-amz-checksum-crc32 x-amz-checksum-sha1",
        "x-amz-checksum-crc32;x-amz-checksum-sha1",
        "x-amz-checksum-crc32,x-amz-checksum-crc32",
        "x-amz-checksum-crc32,X-AMZ-CHECKSUM-CRC32",
        "x_amz_checksum_crc32",
        "x" * 129,
        ",".join(f"x-{number:02}" for number in range(17)),
    ],
)
@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_t14_declaration_that_is_none(form: str, value: str) -> None:
    """T14: x-amz-trailer is a list of names, none twice, and not of endless ones."""
    message = upload(b"hello", form=form).without_header("Authorization")
    message = S3_SIGNER.authorize(message.with_header("X-Amz-Trailer", value))
    assert isinstance(refusal(message), errors.MalformedTrailer)


@pytest.mark.parametrize(
    "value",
    [
        "x-amz-checksum-crc32",
        "x-amz-checksum-crc32,",
        "X-Amz-Checksum-CRC32 ,",
    ],
)
@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_t14_declaration_as_clients_write_it(form: str, value: str) -> None:
    """Leniency: case and blanks mean nothing, and a comma may end the list."""
    message = upload(b"hello", form=form).without_header("Authorization")
    head = S3_SIGNER.authorize(message.with_header("X-Amz-Trailer", value))
    seed = None if form == UNSIGNED_TRAILER else signature_of(head)
    trailers = {"x-amz-checksum-crc32": crc32(b"hello")}
    body = framed((b"hello",), signer=S3_SIGNER, seed=seed, trailers=trailers)
    verify(verifier(), replace(head, body=body.encode()), now=NOW)


def test_two_trailer_headers() -> None:
    """Leniency: several X-Amz-Trailer headers are one list, signed with a comma."""
    trailers = {"x-a": "1", "x-amz-checksum-crc32": crc32(b"hello")}
    message = upload(b"hello", form=SIGNED_TRAILER, trailers=trailers, signer=GENERIC_SIGNER)
    at = [name for name, _ in message.headers].index(b"X-Amz-Trailer")
    lines = ((b"X-Amz-Trailer", b"x-a"), (b"X-Amz-Trailer", b"x-amz-checksum-crc32"))
    split = replace(message, headers=(*message.headers[:at], *lines, *message.headers[at + 1 :]))
    made = verifier(service="items")
    verification = made.verify(split.request(), now=NOW)
    assert verification.feed(split.body) == b"hello"
    assert verification.trailers == {}
    verification.finish(now=NOW)
    assert verification.trailers == trailers


def test_declaration_without_trailers() -> None:
    """T14: x-amz-trailer beside a form without trailers is refused, and so is its absence."""
    assert isinstance(
        refusal(upload(b"hello", form=SIGNED, declared="x-amz-checksum-crc32")),
        errors.MalformedTrailer,
    )
    for form in (SIGNED_TRAILER, UNSIGNED_TRAILER):
        bare = upload(b"hello", form=form).without_header("Authorization")
        bare = S3_SIGNER.authorize(bare.without_header("X-Amz-Trailer"))
        assert isinstance(refusal(bare), errors.MalformedTrailer)


@pytest.mark.parametrize(
    "name", ["x-amz-meta-a", "content-md5", "x-amz-checksum-type", "x-amz-checksum-crc128", "date"]
)
def test_trailer_that_s3_has_no_use_for(name: str) -> None:
    """To S3 only checksums can be trailers; to others anything that is no unknown checksum."""
    for form in (SIGNED_TRAILER, UNSIGNED_TRAILER):
        message = upload(b"hello", form=form, trailers={name: "AAAA"})
        assert isinstance(refusal(message), errors.UnsupportedTrailer)
    other = upload(b"hello", form=SIGNED_TRAILER, trailers={name: "x"}, signer=GENERIC_SIGNER)
    if name == "x-amz-checksum-crc128":
        assert isinstance(refusal(other, service="items"), errors.ChecksumNotImplemented)
    elif name == "content-md5":
        assert isinstance(refusal(other, service="items"), errors.InvalidChecksum)
    else:
        verify(verifier(service="items"), other, now=NOW)


def test_md5_in_two_places() -> None:
    """A checksum in the header cannot be overruled by one of its name in the trailer."""
    md5 = "XUFAKrxLKna5cZ2REBfFkg=="
    for header in (md5, "1B2M2Y8AsgTpgAmY7PhCfg=="):
        message = upload(
            b"hello",
            form=SIGNED_TRAILER,
            headers={"Content-MD5": header},
            trailers={"content-md5": md5},
            signer=GENERIC_SIGNER,
        )
        assert isinstance(refusal(message, service="items"), errors.SeveralChecksums)


# The way the bytes come.


@each_record
def test_recorded_upload_in_pieces(record: Record) -> None:
    """A recorded upload comes out the same, whole, byte by byte, and cut at random."""
    message = record.message
    made = record.verifier()
    whole = decoded(made, message, [], now=record.now)
    assert len(whole) == int(message.header("x-amz-decoded-content-length") or b"")
    assert whole == Framed.parse(message.body).data
    chance = Random(record.id)
    ways = [sorted(chance.randrange(len(message.body)) for _ in range(9)) for _ in range(5)]
    if len(message.body) < 20_000:
        ways.append(list(range(1, len(message.body))))
    for cuts in ways:
        assert decoded(made, message, cuts, now=record.now) == whole


@each_form
def test_upload_in_pieces(form: str) -> None:
    """An upload of several chunks comes out the same, byte by byte, and cut at random."""
    message = upload(*PIECES, form=form)
    chance = Random(form)
    ways = [sorted(chance.randrange(len(message.body)) for _ in range(9)) for _ in range(20)]
    for cuts in (*ways, list(range(1, len(message.body)))):
        assert decoded(verifier(), message, cuts, now=NOW) == DATA


def test_mixed_form() -> None:
    """An unsigned stream may carry chunk signatures, which nobody looks at, as S3 does not."""
    message = upload(b"hello", form=UNSIGNED_TRAILER)
    body = Framed.parse(message.body)
    chunks = tuple(replace(chunk, signature=b"0" * 64) for chunk in body.chunks)
    verify(verifier(), replace(message, body=replace(body, chunks=chunks).encode()), now=NOW)
    # It is bound by its checksum alone; a signature of the trailers is one trailer too many.
    signed = replace(body, trailers=(*body.trailers, TRAILER_SIGNATURE + b":" + b"0" * 64))
    refused = refusal(replace(message, body=signed.encode()))
    assert isinstance(refused, errors.MalformedTrailer)


def test_swallowed_refusal() -> None:
    """Whoever swallows the refusal of a chunk does not get an identity."""
    message = upload(b"hello")
    verification = verifier().verify(message.request(), now=NOW)
    with pytest.raises(errors.ChunkSignatureMismatch) as first:
        verification.feed(message.body.replace(b"hello", b"hullo"))
    with pytest.raises(errors.ChunkSignatureMismatch) as last:
        verification.finish(now=NOW)
    assert first.value is last.value
    assert first.value.access_key_id == ACCESS_KEY_ID


@each_form
def test_faults_of_the_headers_come_first(form: str) -> None:
    """An unknown key and a wrong signature are told before a byte of the body was read."""
    for signer, wanted in (
        (replace(S3_SIGNER, access_key_id="AKIDUNKNOWN"), errors.UnknownAccessKey),
        (replace(S3_SIGNER, secret="wrong"), errors.SignatureMismatch),
    ):
        message = upload(b"hello", form=form, signer=signer)
        with pytest.raises(wanted):
            verifier().verify(message.request(), now=NOW)


def test_signed_hash_of_the_framed_body_is_no_stream() -> None:
    """T8: with a plain hash the body is what it is, framing and all."""
    message = upload(b"hello").without_header("Authorization")
    message = message.with_header("X-Amz-Content-Sha256", sha256(message.body))
    verification = verifier().verify(S3_SIGNER.authorize(message).request(), now=NOW)
    assert verification.feed(message.body) == message.body
    verification.finish(now=NOW)
    assert hashlib.sha256(message.body).hexdigest() == sha256(message.body)
