"""Aws-chunked uploads through the middleware: the application sees plain HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.records import Record
from tests.core.records import records
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import Framed
from tests.core.uploads import crc32
from tests.core.uploads import hostile_changes
from tests.core.uploads import upload
from tests.wsgi.boto3_uploads import put_object
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Endless
from tests.wsgi.inputs import Socket
from tests.wsgi.inputs import Untouched
from tests.wsgi.servers import CHEROOT
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import SERVERS
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.payload import PayloadForm

PIECES = (b"a" * 8192, b"b" * 8192, b"c" * 100)
DATA = b"".join(PIECES)
STREAMED = [record for record in records() if record.streaming]

each_form = pytest.mark.parametrize("form", FORMS)


def served(
    message: Message, *, server: Server = GUNICORN, environ: Any = None, **options: Any
) -> tuple[Application, Answer]:
    """Return the application that *message* came to, or did not, and the answer."""
    app = Application()
    verifier = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3", clock=lambda: NOW
    )
    made = environ_of(message, server, **(environ or {}))
    return app, call(SigV4Middleware(app, verifier, **options), made)


def accepted(message: Message, **changes: Any) -> Application:
    """Return the application that *message* came to."""
    app, answer = served(message, **changes)
    assert answer.status == 200, answer.text
    return app


def refused(message: Message, **changes: Any) -> Answer:
    """Return the answer to *message*, which came to no application."""
    app, answer = served(message, **changes)
    assert not app.called
    assert answer.status >= 400
    return answer


def is_plain(app: Application, data: bytes) -> None:
    """Fail unless the application saw *data* as any client would have sent it."""
    environ = app.environ
    assert app.body == data
    assert environ["CONTENT_LENGTH"] == str(len(data))
    assert environ["wsgi.input_terminated"] is True
    assert "HTTP_TRANSFER_ENCODING" not in environ
    assert "aws-chunked" not in environ.get("HTTP_CONTENT_ENCODING", "")


@each_form
@pytest.mark.parametrize("pieces", [PIECES, (b"x",), ()], ids=["three", "one", "none"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_application_sees_plain_http(form: str, pieces: tuple[bytes, ...], chunked: bool) -> None:
    """Body, length and headers are those of a plain upload, of no bytes too."""
    message = upload(*pieces, form=form)
    app = accepted(message, environ={"chunked": chunked})
    is_plain(app, b"".join(pieces))
    assert "HTTP_CONTENT_ENCODING" not in app.environ
    assert app.environ["wsgi_sigv4.identity"].payload_form is PayloadForm(form)
    trailers = {"x-amz-checksum-crc32": crc32(b"".join(pieces))} if form != SIGNED else {}
    assert app.environ["wsgi_sigv4.trailers"] == trailers


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("aws-chunked", None),
        ("AWS-Chunked", None),
        ("gzip,aws-chunked", "gzip"),
        ("aws-chunked, gzip", "gzip"),
        ("aws-chunked,gzip , br", "gzip, br"),
        ("gzip", "gzip"),
        ("aws-chunked-2", "aws-chunked-2"),
    ],
)
def test_content_encoding(sent: str, seen: str | None) -> None:
    """T13: aws-chunked is taken out of Content-Encoding, and every other coding stays."""
    app = accepted(upload(b"hello", headers={"Content-Encoding": sent}))
    assert app.environ.get("HTTP_CONTENT_ENCODING") == seen


def test_content_encoding_without_a_streaming_form() -> None:
    """Without a streaming form the header, and what is framed, stay as they were sent."""
    message = upload(b"hello").without_header("Authorization")
    head = S3_SIGNER.authorize(message.with_header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"))
    app = accepted(head)
    assert app.body == message.body
    assert app.environ["HTTP_CONTENT_ENCODING"] == "aws-chunked"
    assert "wsgi_sigv4.trailers" not in app.environ


def test_no_content_encoding() -> None:
    """minio-go sends no Content-Encoding, and none is seen."""
    (record, *_) = (record for record in STREAMED if "restic" in record.title)
    assert record.message.header("content-encoding") is None
    app = Application()
    middleware = SigV4Middleware(app, record.verifier(clock=lambda: record.now))
    chunked = record.message.header("transfer-encoding") is not None
    call(middleware, environ_of(record.message, chunked=chunked))
    assert "HTTP_CONTENT_ENCODING" not in app.environ


def test_inherited_trailers_are_forgotten() -> None:
    """Trailers that something outside left in the environ are not taken for verified ones."""
    message = upload(b"hello").without_header("Authorization")
    head = S3_SIGNER.authorize(message.with_header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"))
    app = accepted(head, environ={"wsgi_sigv4.trailers": {"a": "b"}})
    assert "wsgi_sigv4.trailers" not in app.environ


@pytest.mark.parametrize("server", [s for s in SERVERS if s is not CHEROOT], ids=lambda s: s.name)
@each_form
def test_under_every_server(form: str, server: Server) -> None:
    """Whatever a server makes of the request, the upload arrives."""
    is_plain(accepted(upload(*PIECES, form=form), server=server), DATA)


def test_length_that_a_server_gives_twice() -> None:
    """A second Content-Length, which is that of the framed body, does not reach the application."""
    message = upload(b"hello")
    app = accepted(message, environ={"HTTP_CONTENT_LENGTH": str(len(message.body))})
    is_plain(app, b"hello")
    assert "HTTP_CONTENT_LENGTH" not in app.environ


@pytest.mark.parametrize("record", STREAMED, ids=lambda record: f"{record.id} {record.title}")
def test_recorded_upload(record: Record) -> None:
    """The recorded upload of a real client arrives, and its data is what it framed."""
    app = Application()
    middleware = SigV4Middleware(app, record.verifier(clock=lambda: record.now))
    message = record.message
    # The record's body is what a server hands on: Transfer-Encoding is decoded.
    chunked = message.header("transfer-encoding") is not None
    answer = call(middleware, environ_of(message, chunked=chunked))
    assert answer.status == 200, answer.text
    is_plain(app, Framed.parse(message.body).data)


@each_form
def test_refused_after_one_change(form: str) -> None:
    """T3, T9-T11, T13, T14: the application is not called after any one change."""
    message = upload(*PIECES, form=form)
    for label, changed in hostile_changes(message):
        app, answer = served(changed)
        assert not app.called, label
        assert 400 <= answer.status < 500, label


@each_form
@pytest.mark.parametrize("short", [1, 7, None])
def test_body_in_pieces(form: str, short: int | None) -> None:
    """However little a read gives, and never is more asked for than there is."""
    message = upload(*PIECES, form=form)
    is_plain(accepted(message, environ={"body": Socket(message.body, short=short)}), DATA)


@each_form
def test_client_that_goes_away(form: str) -> None:
    """T9: a body that breaks off anywhere is refused, though the server hides it."""
    message = upload(b"hello", form=form)
    raw = message.body
    for end in range(len(raw) - 2):
        for body in (BytesIO(raw[:end]), Broken([raw[:end]] if end else [], OSError())):
            refused(message, environ={"body": body, "chunked": True})


@each_form
def test_wrong_signature_reads_nothing(form: str) -> None:
    """Whatever the headers alone can refuse is refused before the body is read."""
    message = upload(b"hello", form=form, signer=replace(S3_SIGNER, secret="wrong"))
    environ = {"body": Untouched(), "HTTP_EXPECT": "100-continue", "SERVER_SOFTWARE": "other"}
    assert refused(message, environ=environ).status == 403


# Limits.


@each_form
def test_limit_is_that_of_the_content(form: str) -> None:
    """max_body counts what the application reads, not the framing around it."""
    message = upload(*PIECES, form=form)
    assert len(message.body) > len(DATA)
    for chunked in (False, True):
        is_plain(accepted(message, max_body=len(DATA), environ={"chunked": chunked}), DATA)
        environ = {"chunked": chunked, "body": Untouched(), "HTTP_EXPECT": "100-continue"}
        environ["SERVER_SOFTWARE"] = "other"
        answer = refused(message, max_body=len(DATA) - 1, environ=environ)
        assert answer.status == 413


def test_framing_has_a_limit() -> None:
    """T12: framing that never ends is not read without end, announced or not."""
    message = upload(b"hello", form=UNSIGNED_TRAILER)
    body = Endless()
    answer = refused(message, environ={"body": body, "chunked": True})
    assert answer.status == 400
    long = replace(message, body=b"1" * 100_000)
    assert refused(long).status == 413
    # One byte a chunk is the most framing that a client may need.
    tiny = upload(*(bytes([byte]) for byte in b"hello" * 200), form=UNSIGNED_TRAILER)
    is_plain(accepted(tiny, max_body=1000), b"hello" * 200)


def test_chunks_that_only_frame() -> None:
    """T12: endless trailer lines end at the limit of the framing, in constant memory."""
    message = upload(b"hello", form=UNSIGNED_TRAILER)
    lines = message.body[: message.body.index(b"x-amz")] + b"x-a:1\r\n" * 10_000
    assert refused(replace(message, body=lines)).status in (400, 413)


# boto3.


@pytest.mark.parametrize("body", [b"", b"hello", bytes(range(256)) * 8192], ids=["0", "5", "2M"])
@pytest.mark.parametrize("algorithm", [None, "CRC32C", "CRC64NVME", "SHA256", "XXHASH64"])
def test_default_put_object_of_boto3(body: bytes, algorithm: str | None) -> None:
    """What boto3 sends over https with all defaults, and with other checksums, arrives."""
    named = {} if algorithm is None else {"ChecksumAlgorithm": algorithm}
    message = put_object("https://bucket.example.com", BytesIO(body), **named)
    assert message.header("x-amz-content-sha256") == UNSIGNED_TRAILER.encode()
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3", clock=time.time)
    app = Application()
    chunked = message.header("transfer-encoding") is not None
    answer = call(SigV4Middleware(app, verifier), environ_of(message, chunked=chunked))
    assert answer.status == 200, answer.text
    is_plain(app, body)
    trailer = message.header("x-amz-trailer") or b""
    assert list(app.environ["wsgi_sigv4.trailers"]) == [trailer.decode()]
    if body:
        spoilt = message.body.replace(body[:4], body[1:4] + b"x", 1)
        other = replace(message, body=spoilt)
        answer = call(SigV4Middleware(app, verifier), environ_of(other, chunked=chunked))
        assert answer.status == 400
        assert len(app.bodies) == 1


def test_signed_trailer_is_seen() -> None:
    """The application is told of the trailers that were signed."""
    trailers = {"x-amz-checksum-crc32": crc32(DATA)}
    app = accepted(upload(*PIECES, form=SIGNED_TRAILER, trailers=trailers))
    assert app.environ["wsgi_sigv4.trailers"] == trailers
