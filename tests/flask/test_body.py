"""The body: verified before the view runs, and readable by it in every way that Flask has."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from collections.abc import Iterator
from io import BytesIO
from typing import IO
from typing import Any

import pytest
from flask import Flask
from flask import Request
from flask import Response
from flask import abort
from flask import request
from werkzeug.test import TestResponse

from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import multipart
from tests.flask.signing import post
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import Identity
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.contrib.flask.current import remember

FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"
MIB = 1024 * 1024
LARGE = bytes(range(256)) * (3 * MIB // 256 + 1)


def app_with(view: Callable[..., Any], **config: object) -> Flask:
    """Return an app whose one view, which is guarded, is *view*."""
    app = make_app(**config)
    app.add_url_rule("/items", view_func=sigv4_required(view), methods=["POST", "PUT"])
    return app


def send_chunked(app: Flask, body: bytes, content_type: str = BYTES) -> TestResponse:
    """Send *body* as gunicorn hands over one that came in chunks: without a length."""
    signed = sign(method="POST", body=body, headers={"Content-Type": content_type})
    del signed.headers["Content-Length"]
    return app.test_client().open(
        "/items",
        method="POST",
        headers=list(signed.headers.items()),
        input_stream=BytesIO(body),
        environ_overrides={
            "CONTENT_LENGTH": "",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "SERVER_SOFTWARE": "gunicorn/27.0.1",
            "wsgi.input_terminated": True,
        },
    )


@pytest.mark.parametrize(
    ("body", "content_type", "read", "expected"),
    [
        pytest.param(b"a=1&a=2", FORM, lambda: request.form.getlist("a"), ["1", "2"], id="form"),
        pytest.param(b"a=1", FORM, lambda: request.values["a"], "1", id="values"),
        pytest.param(b'{"a": 1}', "application/json", lambda: request.json, {"a": 1}, id="json"),
        pytest.param(b"abc", BYTES, lambda: request.get_data().decode(), "abc", id="get_data"),
        pytest.param(b"a=1", FORM, lambda: request.get_data().decode(), "a=1", id="form raw"),
        pytest.param(b"abc", BYTES, lambda: request.data.decode(), "abc", id="data"),
        pytest.param(b"abc", BYTES, lambda: request.stream.read().decode(), "abc", id="stream"),
        pytest.param(
            b"ab\nc", BYTES, lambda: request.stream.readline().decode(), "ab\n", id="line"
        ),
        pytest.param(
            b"abc", BYTES, lambda: request.environ["wsgi.input"].read().decode(), "abc", id="wsgi"
        ),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_is_readable(
    chunked: bool, body: bytes, content_type: str, read: Callable[[], Any], expected: object
) -> None:
    """A view reads the body of a signed request as that of any other."""
    app = app_with(lambda: {"read": read()})
    if chunked:
        answer = send_chunked(app, body, content_type)
    else:
        answer = post(app.test_client(), "/items", body, content_type)
    assert answer.json == {"read": expected}


@pytest.mark.parametrize("size", [3 * MIB, 3 * MIB + 1])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_large_body(chunked: bool, size: int) -> None:
    """A body above the memory limit comes whole."""
    body = LARGE[:size]
    app = app_with(lambda: hashlib.sha256(request.stream.read()).hexdigest())
    client = app.test_client()
    answer = send_chunked(app, body) if chunked else post(client, "/items", body, BYTES)
    assert answer.text == hashlib.sha256(body).hexdigest()


def test_large_files_of_a_form() -> None:
    """The files and the fields of a multipart form of more than 3 MiB are all there."""

    def view() -> dict[str, str]:
        read = {name: file.read() for name, file in request.files.items()}
        return {
            "note": request.form["note"],
            **{name: hashlib.sha256(data).hexdigest() for name, data in read.items()},
        }

    body, content_type = multipart({"note": "lämp", "one": LARGE, "two": b"x"})
    answer = post(app_with(view).test_client(), "/items", body, content_type)
    assert answer.json == {
        "note": "lämp",
        "one": hashlib.sha256(LARGE).hexdigest(),
        "two": hashlib.sha256(b"x").hexdigest(),
    }


@pytest.mark.parametrize("size", [1, 3 * MIB])
def test_altered_body(size: int) -> None:
    """A body that is not the signed one never reaches the view."""
    signed = sign(method="POST", body=LARGE[:size])
    signed.data = b"\xff" + LARGE[1:size]
    app = app_with(lambda: pytest.fail("served"))
    assert send(app.test_client(), signed).status_code in (400, 403)


@pytest.mark.parametrize(
    ("config", "size", "status"),
    [
        pytest.param({"MAX_CONTENT_LENGTH": 100}, 100, 200, id="Flask's limit"),
        pytest.param({"MAX_CONTENT_LENGTH": 100}, 101, 413, id="above Flask's"),
        pytest.param({"SIGV4_MAX_BODY": 100}, 100, 200, id="our limit"),
        pytest.param({"SIGV4_MAX_BODY": 100}, 101, 413, id="above ours"),
        pytest.param(
            {"MAX_CONTENT_LENGTH": 100, "SIGV4_MAX_BODY": 50}, 51, 413, id="above the smaller"
        ),
        pytest.param({"SIGV4_UNVERIFIED_BODY_LIMIT": 100}, 101, 413, id="above what may be hashed"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_limits(config: dict[str, object], size: int, status: int, chunked: bool) -> None:
    """The smallest limit counts, MAX_CONTENT_LENGTH among them, and is AWS's 413."""
    app = app_with(lambda: str(len(request.get_data())), **config)
    body = b"x" * size
    answer = send_chunked(app, body) if chunked else post(app.test_client(), "/items", body, BYTES)
    assert answer.status_code == status
    if status == 200:
        assert answer.text == str(size)
    else:
        assert answer.headers["x-amzn-ErrorType"] == "RequestEntityTooLarge"


@pytest.mark.skipif(
    Request.max_content_length.fset is None,  # type: ignore[attr-defined]
    reason="can be set from Flask 3.1 on",
)
def test_limit_of_one_request() -> None:
    """A limit that is set on the request itself counts too."""
    app = app_with(lambda: "served")

    @app.before_request
    def limit() -> None:
        request.max_content_length = 10

    assert post(app.test_client(), "/items", b"x" * 11, BYTES).status_code == 413
    assert post(app.test_client(), "/items", b"x" * 10, BYTES).status_code == 200


READS: dict[str, Callable[[], object]] = {
    "get_data": lambda: request.get_data(),
    "json": lambda: request.get_json(silent=True),
    "data": lambda: request.data,
    "form": lambda: request.form,
    "get_data, then form": lambda: (request.get_data(), request.form),
    "form, then get_data": lambda: (request.form, request.get_data()),
    "form, then data": lambda: (request.form, request.data),
    "stream": lambda: request.stream.read(),
    "a byte of stream": lambda: request.stream.read(1),
    "a byte, then get_data": lambda: (request.stream.read(1), request.get_data()),
    "stream, not read": lambda: request.stream,
}
FORM_BODY = b"a=1&b=2"
#: The bodies that can be put back, by what has read them; the rest is an error.
PUT_BACK = {
    "get_data": {"json", "bytes", "form"},
    "json": {"json", "bytes", "form"},
    "data": {"json", "bytes"},
    "form": {"json", "bytes"},
    "get_data, then form": {"json", "bytes", "form"},
    "form, then get_data": {"json", "bytes"},
    "form, then data": {"json", "bytes"},
    "stream, not read": {"json", "bytes", "form"},
}


@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize(
    ("kind", "body", "content_type"),
    [
        pytest.param("json", b'{"a": 1}', "application/json", id="json"),
        pytest.param("bytes", b"abc", BYTES, id="bytes"),
        pytest.param("form", FORM_BODY, FORM, id="form"),
    ],
)
def test_body_read_before(kind: str, body: bytes, content_type: str, how: str) -> None:
    """What was read before is put back, or is a clear error: never a refusal of a good request."""
    app = app_with(lambda: hashlib.sha256(request.get_data()).hexdigest())
    app.before_request(lambda: (READS[how](), None)[1])
    client = app.test_client()
    if kind in PUT_BACK.get(how, ()):
        assert post(client, "/items", body, content_type).status_code == 200
        assert post(client, "/items", body, content_type, secret="wrong").status_code == 403
    else:
        with pytest.raises(RuntimeError, match="Verify first"):
            post(client, "/items", body, content_type)
        app.testing = False
        assert post(client, "/items", body, content_type).status_code == 500


def test_body_read_before_and_kept() -> None:
    """After the body was put back, the form that was parsed of it is still there."""
    app = app_with(lambda: {**request.form, "raw": request.get_data().decode()})
    app.before_request(lambda: (request.get_data(), None)[1])
    answer = post(app.test_client(), "/items", FORM_BODY, FORM)
    assert answer.json == {"a": "1", "b": "2", "raw": "a=1&b=2"}


def test_chunked_body_read_before() -> None:
    """A body without a length that was kept whole is put back; one that became a form is not."""
    app = app_with(lambda: request.get_data())
    app.before_request(lambda: (request.get_data(), None)[1])
    assert send_chunked(app, b"abc").text == "abc"
    app = app_with(lambda: request.get_data())
    app.before_request(lambda: (request.form, request.get_data(), None)[2])
    with pytest.raises(RuntimeError, match="Verify first"):
        send_chunked(app, FORM_BODY, FORM)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}], ids=["none", "zero"])
def test_no_body_read_before(headers: dict[str, str]) -> None:
    """Who reads a body that is not there does no harm."""
    app = make_app()
    app.before_request(lambda: (request.form, request.get_data(), None)[2])
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert send(app.test_client(), sign(), environ_overrides={}).text == "served"
    assert get(app.test_client()).text == "served"


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[IO[bytes]]:
    """The files that bodies were kept in."""
    kept: list[IO[bytes]] = []

    def seen(identity: Identity, *, body: IO[bytes]) -> None:
        kept.append(body)
        remember(identity, body=body)

    monkeypatch.setattr("wsgi_sigv4.contrib.flask.guard.remember", seen)
    return kept


def fails() -> str:
    """Fail as a view with a mistake does."""
    raise LookupError("a mistake")


@pytest.mark.parametrize("testing", [True, False])
@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda: "served", id="answer"),
        pytest.param(lambda: request.stream.read(1), id="half read"),
        pytest.param(lambda: abort(409), id="abort"),
        pytest.param(fails, id="failure"),
    ],
)
def test_body_is_closed(bodies: list[IO[bytes]], view: Callable[[], object], testing: bool) -> None:
    """However a view ends, nothing is left of a large body."""
    app = app_with(view)
    app.testing = testing
    try:
        post(app.test_client(), "/items", LARGE, BYTES)
    except LookupError:
        assert testing
    assert [body.closed for body in bodies] == [True]


def test_body_of_a_presigned_url_that_is_refused(bodies: list[IO[bytes]]) -> None:
    """A body that one check took, for a request that another refuses, is closed too."""
    app = make_app()
    app.before_request(sigv4_required.check)
    view = sigv4_required(presigned=False)(lambda: "served")
    app.add_url_rule("/items", view_func=view, methods=["PUT"])
    signed = sign(method="PUT", body=LARGE, expires=60)
    assert send(app.test_client(), signed).status_code == 403
    assert [body.closed for body in bodies] == [True]


def test_streamed_answer_reads_the_body(bodies: list[IO[bytes]]) -> None:
    """An answer that is made from the body as it goes out still finds it, and closes it."""

    def view() -> Response:
        def pieces(stream: IO[bytes]) -> Iterator[bytes]:
            while piece := stream.read(MIB):
                yield piece

        return Response(pieces(request.stream))

    answer = send(app_with(view).test_client(), sign(method="POST", body=LARGE), buffered=False)
    assert hashlib.sha256(answer.data).hexdigest() == hashlib.sha256(LARGE).hexdigest()
    assert [body.closed for body in bodies] == [False]
    answer.close()
    assert [body.closed for body in bodies] == [True]


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_small_body_needs_no_closing() -> None:
    """A test that leaves the answer open is not warned of a file: there is none."""
    app = app_with(lambda: Response(iter([request.get_data()])))
    send(app.test_client(), sign(method="POST", body=b"x" * 1000), buffered=False)
    gc.collect()
