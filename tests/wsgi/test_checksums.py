"""Checksums beside the signature: in a header, in a trailer, and with a library that is missing."""

from __future__ import annotations

import base64
import hashlib
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import xxhash
from awscrt import checksums as awscrt
from botocore import httpchecksum

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import UNSIGNED
from tests.core.signing import sha256
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import upload
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.checksums import SIZES
from wsgi_sigv4.checksums import checksum

BODY = bytes(range(256)) * 300

#: Each algorithm, and the library that says what it makes of a body.
ORACLES: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: awscrt.crc32c(data).to_bytes(4, "big"),
    "crc64nvme": lambda data: awscrt.crc64nvme(data).to_bytes(8, "big"),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "xxhash64": lambda data: xxhash.xxh64_digest(data),
    "xxhash3": lambda data: xxhash.xxh3_64_digest(data),
    "xxhash128": lambda data: xxhash.xxh3_128_digest(data),
}
#: The check values that the catalogues of CRCs and the documentation of xxHash have for these.
PUBLISHED = {
    "crc32": (b"123456789", "cbf43926"),
    "crc32c": (b"123456789", "e3069283"),
    "crc64nvme": (b"123456789", "ae8b14860a799888"),
    "xxhash64": (b"", "ef46db3751d8e999"),
    "xxhash3": (b"", "2d06800538d394c2"),
    "xxhash128": (b"", "99aa06d3014798d86001c324468d497f"),
}
EXTRA = ("crc32c", "crc64nvme", "xxhash64", "xxhash3", "xxhash128")

each_algorithm = pytest.mark.parametrize("algorithm", ORACLES)


def text(algorithm: str, data: bytes = BODY) -> str:
    """Return the checksum of *data* as a header has it."""
    return base64.b64encode(ORACLES[algorithm](data)).decode()


def header(algorithm: str) -> str:
    """Return the name of the header of *algorithm*."""
    return f"x-amz-checksum-{algorithm}"


def plain(
    headers: dict[str, str], *, form: str | None = None, body: bytes = BODY, **changes: Any
) -> Message:
    """Return a PUT that is not aws-chunked."""
    message = Message.of(
        changes.pop("method", "PUT"),
        changes.pop("target", "/bucket/key"),
        headers={"X-Amz-Content-Sha256": form or sha256(body), **headers},
        body=body,
    )
    return S3_SIGNER.sign(message)


def served(message: Message, **options: Any) -> tuple[Application, Answer]:
    """Return the application that *message* came to, or did not, and the answer."""
    app = Application()
    verifier = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3", clock=lambda: NOW
    )
    return app, send(SigV4Middleware(app, verifier, **options), message)


def accepted(message: Message) -> None:
    """Fail unless *message* is served, with its body."""
    app, answer = served(message)
    assert answer.status == 200, answer.text
    assert app.called


def refused(message: Message, status: int, code: str, words: str) -> None:
    """Fail unless *message* is refused with these, and the application was not called."""
    app, answer = served(message)
    assert not app.called
    assert answer.status == status, answer.text
    assert f"<Code>{code}</Code>" in answer.text
    assert f"<Message>{words}</Message>" in answer.text


def test_table_is_whole() -> None:
    """Each algorithm of the package has an oracle, and botocore's are all there."""
    assert set(ORACLES) == set(SIZES)
    assert set(httpchecksum._CHECKSUM_CLS) <= set(ORACLES)


@each_algorithm
@pytest.mark.parametrize("data", [b"", b"x", BODY], ids=["none", "one", "many"])
def test_agrees_with_its_library(algorithm: str, data: bytes) -> None:
    """Fed in any pieces, a checksum is what its library makes of the whole."""
    for size in (1, 7, 4096, len(data) or 1):
        running = checksum(algorithm)
        for at in range(0, len(data), size):
            running.update(data[at : at + size])
        assert running.digest() == ORACLES[algorithm](data)
        assert len(running.digest()) == SIZES[algorithm]


@pytest.mark.parametrize("algorithm", httpchecksum._CHECKSUM_CLS)
def test_agrees_with_botocore(algorithm: str) -> None:
    """What botocore sends as a checksum is what is calculated here."""
    running = checksum(algorithm)
    running.update(BODY)
    expected = httpchecksum._CHECKSUM_CLS[algorithm]().handle(BODY)
    assert base64.b64encode(running.digest()).decode() == expected


@pytest.mark.parametrize("algorithm", PUBLISHED)
def test_published_check_values(algorithm: str) -> None:
    """The check values that are published for an algorithm come out."""
    data, expected = PUBLISHED[algorithm]
    running = checksum(algorithm)
    running.update(data)
    assert running.digest().hex() == expected


@each_algorithm
@pytest.mark.parametrize("form", [None, UNSIGNED])
def test_checksum_in_a_header(algorithm: str, form: str | None) -> None:
    """A checksum in a header is verified, also where nothing else binds the body."""
    accepted(plain({header(algorithm): text(algorithm)}, form=form))
    refused(
        plain({header(algorithm): text(algorithm, b"another")}, form=form),
        400,
        "BadDigest",
        f"The {algorithm.upper()} you specified did not match the calculated checksum."
        if algorithm != "md5"
        else "The Content-MD5 you specified did not match what we received.",
    )


@each_algorithm
@pytest.mark.parametrize("form", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_checksum_in_a_trailer(algorithm: str, form: str) -> None:
    """A checksum in a trailer is verified, in both forms with trailers."""
    accepted(upload(BODY, form=form, trailers={header(algorithm): text(algorithm)}))
    app, answer = served(
        upload(BODY, form=form, trailers={header(algorithm): text(algorithm, b"another")})
    )
    assert (app.called, answer.status) == (False, 400)
    assert "<Code>BadDigest</Code>" in answer.text


@pytest.mark.parametrize("form", [None, UNSIGNED, *FORMS])
def test_content_md5(form: str | None) -> None:
    """Content-MD5 is verified in each form, of the body without its framing."""

    def made(value: str) -> Message:
        headers = {"Content-MD5": value}
        if form in FORMS:
            return upload(BODY, form=form or "", headers=headers)
        return plain(headers, form=form)

    accepted(made(text("md5")))
    words = "The Content-MD5 you specified did not match what we received."
    refused(made(text("md5", b"x")), 400, "BadDigest", words)
    for bad in ("", "x", text("md5")[:-1], text("sha1"), text("md5") + "A", "%" + text("md5")):
        refused(made(bad), 400, "InvalidDigest", "The Content-MD5 you specified was invalid.")


def test_content_md5_that_is_not_signed() -> None:
    """Content-MD5 is held against the body even where nobody signed it."""
    message = plain({})
    accepted(message.with_extra_header("Content-MD5", text("md5")))
    other = message.with_extra_header("Content-MD5", text("md5", b"x"))
    assert served(other)[1].status == 400


@each_algorithm
@pytest.mark.parametrize("form", [None, SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_checksum_that_is_none(algorithm: str, form: str | None) -> None:
    """A checksum that cannot be of its kind is named, and where it stood."""
    name = header(algorithm)
    right = text(algorithm)
    for bad in (
        "",
        "x",
        right[:-4],
        right + right,
        right[:-1],
        "-" + right[1:],
        f"{right},{right}",
        ORACLES[algorithm](BODY).hex(),
    ):
        if form is None:
            words = f"Value for {name} header is invalid."
            refused(plain({name: bad}), 400, "InvalidRequest", words)
        else:
            words = f"Value for {name} trailing header is invalid."
            message = upload(BODY, form=form, trailers={name: bad})
            refused(message, 400, "InvalidRequest", words)


def test_several_checksums() -> None:
    """One x-amz-checksum-* is all that may come, be it in a header or in a trailer."""
    words = "Expecting a single x-amz-checksum- header"
    two = {header("crc32"): text("crc32"), header("sha1"): text("sha1")}
    refused(plain(two), 400, "InvalidRequest", words)
    for form in (SIGNED_TRAILER, UNSIGNED_TRAILER):
        refused(upload(BODY, form=form, trailers=two), 400, "InvalidRequest", words)
        for name in two:
            both = upload(
                BODY,
                form=form,
                headers={name: two[name]},
                trailers={header("crc32"): text("crc32")},
            )
            refused(both, 400, "InvalidRequest", words)
    # Content-MD5 is none of them.
    accepted(plain({header("crc32"): text("crc32"), "Content-MD5": text("md5")}))


def test_checksum_of_a_whole_multipart_upload() -> None:
    """Completing a multipart upload names the checksum of the object, not that of its own body."""
    named = {header("crc32"): text("crc32", b"the object")}
    complete = "/bucket/key?uploadId=1"
    accepted(plain(named, method="POST", target=complete))
    # A part of one has its own, and so has what only looks like one.
    for method, target in (
        ("PUT", "/bucket/key?partNumber=1&uploadId=1"),
        ("POST", "/bucket/key?x-uploadId=1"),
        ("POST", "/bucket/key"),
    ):
        app, answer = served(plain(named, method=method, target=target))
        assert (app.called, answer.status) == (False, 400)
    wrong = named | {"Content-MD5": text("md5", b"x")}
    assert served(plain(wrong, method="POST", target=complete))[1].status == 400


@pytest.mark.parametrize("name", ["algorithm", "type", "mode"])
def test_header_that_only_begins_like_a_checksum(name: str) -> None:
    """S3's other headers of that beginning are no checksums."""
    accepted(plain({f"x-amz-checksum-{name}": "CRC32", "x-amz-sdk-checksum-algorithm": "CRC32"}))


def test_unknown_checksum() -> None:
    """A checksum that nobody here knows is not implemented, and never believed."""
    message = plain({"x-amz-checksum-crc128": "AAAA"})
    refused(message, 501, "NotImplemented", "The checksum crc128 is not implemented.")


@pytest.mark.parametrize("algorithm", EXTRA)
@pytest.mark.parametrize("how", ["header", SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_missing_library(algorithm: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library a checksum is not implemented: the answer names the extra."""
    for name in ("awscrt", "awscrt.checksums", "xxhash"):
        monkeypatch.setitem(sys.modules, name, None)
    named = {header(algorithm): text(algorithm)}
    message = plain(named) if how == "header" else upload(BODY, form=how, trailers=named)
    words = f"The checksum {algorithm} needs wsgi-sigv4[checksums] on the server."
    refused(message, 501, "NotImplemented", words)


@pytest.mark.parametrize("algorithm", [name for name in ORACLES if name not in EXTRA])
def test_missing_library_that_is_not_needed(
    algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the standard library calculates needs no extra."""
    for name in ("awscrt", "awscrt.checksums", "xxhash"):
        monkeypatch.setitem(sys.modules, name, None)
    accepted(plain({header(algorithm): text(algorithm)}))


def test_library_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that does not know an algorithm yet is as good as none."""
    monkeypatch.delattr(awscrt, "crc64nvme")
    named = {header("crc64nvme"): "AAAAAAAAAAA="}
    assert served(plain(named))[1].status == 501


# In the query of a presigned URL.


def presigned(*parameters: str, body: bytes = BODY, **changes: Any) -> Message:
    """Return a presigned PUT with *parameters*, which are signed too, as hoisted headers are."""
    target = changes.pop("target", "/bucket/key")
    target += ("&" if "?" in target else "?") + "&".join(parameters)
    headers = changes.pop("headers", {})
    message = Message.of(changes.pop("method", "PUT"), target, headers=headers, body=body)
    return replace(S3_PRESIGNER, **changes).presign(message)


def parameter(algorithm: str, data: bytes = BODY) -> str:
    """Return the checksum of *data* as a parameter of a query."""
    return f"{header(algorithm)}={quote(text(algorithm, data), safe='')}"


@pytest.mark.parametrize("spelling", [str, str.title], ids=["JavaScript", "Go"])
@pytest.mark.parametrize("algorithm", [name for name in ORACLES if name != "md5"])
def test_checksum_in_the_query(algorithm: str, spelling: Callable[[str], str]) -> None:
    """T23: a checksum that was hoisted into a presigned URL is verified as that in a header."""
    name, _, value = parameter(algorithm).partition("=")
    hoisted = f"x-amz-sdk-checksum-algorithm={algorithm.upper()}"
    right = f"{spelling(name)}={value}"
    accepted(presigned(hoisted, right))
    words = f"The {algorithm.upper()} you specified did not match the calculated checksum."
    refused(presigned(hoisted, right, body=b"another"), 400, "BadDigest", words)
    refused(presigned(hoisted, right, body=b""), 400, "BadDigest", words)
    words = f"Value for {header(algorithm)} header is invalid."
    for bad in ("", quote(text(algorithm)[:-4], safe=""), quote(value), "%20" + value):
        refused(presigned(f"{name}={bad}"), 400, "InvalidRequest", words)


@pytest.mark.parametrize("algorithm", [name for name in ORACLES if name != "md5"])
@pytest.mark.parametrize("body", [b"", BODY], ids=["none", "some"])
def test_checksum_of_an_empty_body_in_the_query(algorithm: str, body: bytes) -> None:
    """An SDK that presigns without the body names the checksum of none: S3 takes any body."""
    assert parameter("crc32", b"") == "x-amz-checksum-crc32=AAAAAA%3D%3D"
    accepted(presigned(parameter(algorithm, b""), "x-id=PutObject", body=body))
    # In a header it is that of the body.
    signed = plain({header(algorithm): text(algorithm, b"")}, form=UNSIGNED, body=body)
    assert served(signed)[1].status == (400 if body else 200)


def test_checksum_in_query_and_header() -> None:
    """Both may say the same; where they do not, neither is believed."""
    both: dict[str, Any] = {"headers": {header("sha1"): text("sha1")}}
    accepted(presigned(parameter("sha1"), **both))
    words = "Conflicting values for `x-amz-checksum-sha1` in query parameters and request headers"
    for data in (b"another", b""):
        refused(presigned(parameter("sha1", data), **both), 400, "InvalidRequest", words)
    words = "Expecting a single x-amz-checksum- header"
    for parameters in (
        (parameter("crc32"), parameter("sha256")),
        (parameter("crc32"), parameter("crc32")),
        (parameter("crc32", b""), parameter("crc32")),
        (parameter("crc32"), parameter("crc32").title()),
    ):
        refused(presigned(*parameters), 400, "InvalidRequest", words)
    refused(presigned(parameter("crc32"), **both), 400, "InvalidRequest", words)
    # The one that says nothing is none.
    accepted(presigned(parameter("crc32", b""), **both))


def test_query_that_only_begins_like_a_checksum() -> None:
    """S3's other parameters of that beginning, and Content-MD5, are no checksums of the body."""
    for other in ("mode=ENABLED", "type=FULL_OBJECT", "algorithm=CRC32"):
        accepted(presigned(f"x-amz-checksum-{other}"))
    accepted(presigned("content-md5=x", "xx-amz-checksum-crc32=x"))


def test_checksum_of_a_whole_multipart_upload_in_the_query() -> None:
    """Completing an upload by a presigned URL names the checksum of the object."""
    of_object = parameter("crc32", b"the object")
    accepted(presigned(of_object, method="POST", target="/bucket/key?uploadId=1"))
    app, answer = served(presigned(of_object, target="/bucket/key?partNumber=1&uploadId=1"))
    assert (app.called, answer.status) == (False, 400)


def test_checksum_in_the_query_of_a_signed_header() -> None:
    """Beside an Authorization header a query holds no headers, and S3 reads none there."""
    accepted(plain({}, target="/bucket/key?" + parameter("crc32", b"another")))


def test_unknown_checksum_in_the_query() -> None:
    """What nobody can calculate is not believed there either."""
    words = "The checksum crc128 is not implemented."
    refused(presigned("x-amz-checksum-crc128=AAAA"), 501, "NotImplemented", words)


@pytest.mark.parametrize("algorithm", EXTRA)
def test_missing_library_for_the_query(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library not even the checksum of an empty body is known."""
    for name in ("awscrt", "awscrt.checksums", "xxhash"):
        monkeypatch.setitem(sys.modules, name, None)
    words = f"The checksum {algorithm} needs wsgi-sigv4[checksums] on the server."
    for data in (b"", BODY):
        refused(presigned(parameter(algorithm, data)), 501, "NotImplemented", words)


def test_signature_is_told_first() -> None:
    """Who has not signed the request is not told of its checksums."""
    for message in (
        plain({header("crc32"): "x"}),
        plain({header("crc32"): text("crc32", b"another")}),
        upload(BODY, form=UNSIGNED_TRAILER, trailers={header("crc128"): "x"}),
    ):
        authorization = message.header("authorization") or b""
        forged = message.with_header("Authorization", authorization[:-1] + b"x")
        app, answer = served(forged)
        assert (app.called, answer.status) == (False, 403)


def test_unsigned_body_is_bound_by_its_checksum_alone() -> None:
    """T23: what comes in place of an unsigned body must have its checksum."""
    message = upload(BODY, form=UNSIGNED_TRAILER)
    other = replace(message, body=message.body.replace(b"\x00\x01", b"\x00\x02", 1))
    app, answer = served(other)
    assert (app.called, answer.status) == (False, 400)
    assert "<Code>BadDigest</Code>" in answer.text
