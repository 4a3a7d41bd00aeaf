"""Aws-chunked uploads and checksums, in an app with the extension and no middleware around it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask import request
from werkzeug.test import TestResponse

from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.core.uploads import FORMS
from tests.core.uploads import hostile_changes
from tests.core.uploads import upload
from tests.flask.signing import make_app
from tests.wsgi.boto3_uploads import put_object
from wsgi_sigv4.contrib.flask import sigv4_required

PIECES = (b"a" * 8192, b"b" * 9000, b"c")
DATA = b"".join(PIECES)
BIG = bytes(range(256)) * (3 * 1024 * 4)

each_form = pytest.mark.parametrize("form", FORMS)


def app_with(view: Callable[[], Any], **config: object) -> Flask:
    """Return an app of S3 whose views are all *view*, which is guarded."""
    app = make_app(SIGV4_SERVICE="s3", **config)
    guarded = sigv4_required(lambda path: view())
    app.add_url_rule("/<path:path>", "any", guarded, methods=["PUT", "POST"])
    return app


def signed(*pieces: bytes, **changes: Any) -> Message:
    """Return an upload that the reference signer signs just now."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signer = replace(S3_SIGNER, timestamp=now, date=now[:8])
    headers = {"Host": "localhost", **changes.pop("headers", {})}
    return upload(*pieces, **({"signer": signer} | changes), headers=headers)


def send(app: Flask, message: Message, *, chunked: bool = False) -> TestResponse:
    """Send *message*, as gunicorn would hand it over."""
    overrides: dict[str, Any] = {"SERVER_SOFTWARE": "gunicorn/27.0.1"}
    overrides["wsgi.input_terminated"] = True
    overrides["CONTENT_LENGTH"] = "" if chunked else str(len(message.body))
    if chunked:
        overrides["HTTP_TRANSFER_ENCODING"] = "chunked"
    return app.test_client().open(
        message.path.decode() + ("?" + message.query.decode() if message.query else ""),
        method=message.method,
        headers=[(name.decode(), value.decode()) for name, value in message.headers],
        input_stream=BytesIO(message.body),
        environ_overrides=overrides,
        buffered=True,
    )


def seen() -> dict[str, Any]:
    """Return what a view sees of an upload."""
    return {
        "length": request.content_length,
        "encoding": request.content_encoding,
        "transfer": request.headers.get("Transfer-Encoding"),
        "trailers": request.environ["wsgi_sigv4.trailers"],
        "body": hashlib.sha256(request.stream.read()).hexdigest(),
    }


@each_form
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("pieces", [PIECES, (b"x",), ()], ids=["three", "one", "none"])
def test_view_sees_plain_http(form: str, chunked: bool, pieces: tuple[bytes, ...]) -> None:
    """Body, length and headers are those of a plain upload, of no bytes too."""
    answer = send(app_with(seen), signed(*pieces, form=form), chunked=chunked)
    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert shown is not None
    assert bool(shown.pop("trailers")) == ("TRAILER" in form)
    assert shown == {
        "length": sum(map(len, pieces)),
        "encoding": None,
        "transfer": None,
        "body": hashlib.sha256(b"".join(pieces)).hexdigest(),
    }


@pytest.mark.parametrize("body", [b"", b"hello", BIG], ids=["0", "5", "3M"])
@pytest.mark.parametrize("read", ["get_data", "stream", "wsgi.input"])
def test_default_put_object_of_boto3(body: bytes, read: str) -> None:
    """What boto3 sends over https with all defaults arrives, however the view reads it."""
    reads: dict[str, Callable[[], bytes]] = {
        "get_data": lambda: request.get_data(),
        "stream": lambda: request.stream.read(),
        "wsgi.input": lambda: bytes(request.environ["wsgi.input"].read()),
    }
    app = app_with(lambda: hashlib.sha256(reads[read]()).hexdigest())
    message = put_object("https://localhost", body)
    answer = send(app, message, chunked=message.header("transfer-encoding") is not None)
    assert (answer.status_code, answer.text) == (200, hashlib.sha256(body).hexdigest())


@each_form
def test_refused_after_one_change(form: str) -> None:
    """T3, T9-T11, T13, T14: the view is not called after any one change."""
    calls: list[str] = []

    def view() -> str:
        calls.append(request.path)
        return "called"

    app = app_with(view)
    for label, changed in hostile_changes(signed(*PIECES, form=form)):
        assert 400 <= send(app, changed).status_code < 500, label
    assert calls == []
    assert send(app, signed(*PIECES, form=form)).text == "called"


@each_form
def test_body_that_was_read_before(form: str) -> None:
    """Where something has read the framed body, the view reads the decoded one afterwards."""
    app = app_with(lambda: {"data": request.get_data().decode(), "length": request.content_length})

    @app.before_request
    def read() -> None:
        assert request.get_data()

    answer = send(app, signed(b"hello", form=form))
    assert answer.json == {"data": "hello", "length": 5}


def test_limit_is_that_of_the_content() -> None:
    """max_body, and Flask's own limit, count what the view reads and not the framing."""
    for name in ("SIGV4_MAX_BODY", "MAX_CONTENT_LENGTH"):
        for limit, status in ((len(DATA), 200), (len(DATA) - 1, 413)):
            app = app_with(lambda: request.get_data(), **{name: limit})
            assert send(app, signed(*PIECES)).status_code == status, name


def test_checksum_in_a_header() -> None:
    """T23: Content-MD5 is verified before the view, where the body itself is not signed too."""
    for value, status in (
        ("XUFAKrxLKna5cZ2REBfFkg==", 200),
        ("1B2M2Y8AsgTpgAmY7PhCfg==", 400),
    ):
        headers = {"Content-MD5": value, "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
        message = replace(signed(headers=headers), body=b"hello")
        assert send(app_with(lambda: request.get_data()), message).status_code == status
