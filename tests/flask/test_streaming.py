"""SIGV4_STREAM: views read while the client sends, and no answer is out too early (T50)."""

from __future__ import annotations

import gc
import hashlib
import logging
import tempfile
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from io import BytesIO
from typing import Any

import pytest
from flask import Blueprint
from flask import Flask
from flask import Response
from flask import abort
from flask import after_this_request
from flask import redirect
from flask import request
from flask import stream_with_context
from werkzeug.exceptions import BadRequest
from werkzeug.test import TestResponse

from tests.core.messages import Message
from tests.core.signing import NOW
from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import SECRET
from tests.flask.signing import make_app
from tests.flask.signing import multipart
from tests.wsgi.inputs import Socket
from tests.wsgi.streamed import DATA
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import changes
from tests.wsgi.streamed import forged
from tests.wsgi.streamed import plain
from tests.wsgi.streamed import uploads
from tests.wsgi.streamed import without_host_id
from wsgi_sigv4 import S3
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.contrib.flask.gate import Gate
from wsgi_sigv4.payload import PayloadForm

BIG = bytes(range(256)) * (3 * 1024 * 4 + 1)
CODES = {
    PayloadForm.SHA256: (400, "XAmzContentSHA256Mismatch"),
    PayloadForm.UNSIGNED: (400, "BadDigest"),
    PayloadForm.STREAMING_SIGNED: (403, "SignatureDoesNotMatch"),
    PayloadForm.STREAMING_SIGNED_TRAILER: (403, "SignatureDoesNotMatch"),
    PayloadForm.STREAMING_UNSIGNED_TRAILER: (400, "BadDigest"),
}
SHA256 = STREAMED[PayloadForm.SHA256]

View = Callable[[], Any]

each_form = pytest.mark.parametrize("form", STREAMED)


def make_s3(**config: object) -> Flask:
    """Return an app that streams, at the time when the uploads were signed."""
    config = {"TESTING": False, "SIGV4_HOSTS": ["api.example.com"], "SIGV4_STREAM": True} | config
    return make_app(SIGV4_SERVICE="s3", SIGV4_CLOCK=lambda: NOW, **config)


def app_with(view: View, **config: object) -> Flask:
    """Return an app that streams, and whose views are all *view*, which is guarded."""
    app = make_s3(**config)
    guarded = sigv4_required(lambda path: app.ensure_sync(view)())
    app.add_url_rule("/<path:path>", "any", guarded, methods=["PUT", "POST"])
    return app


def send(app: Flask, message: Message, *, body: Any = None, **environ: Any) -> TestResponse:
    """Send *message*, whose *body* may be a stream, as gunicorn hands it over."""
    overrides = {
        "SERVER_SOFTWARE": "gunicorn/27.0.1",
        "CONTENT_LENGTH": str(len(message.body)),
        "wsgi.input": body or Socket(message.body),
    }
    return app.test_client().open(
        message.path.decode(),
        method=message.method,
        headers=[(name.decode(), value.decode()) for name, value in message.headers],
        # Else the client encodes a form of its own.
        input_stream=BytesIO(),
        environ_overrides=overrides | environ,
        buffered=True,
    )


def is_refused(answer: TestResponse, form: PayloadForm, label: str = "") -> None:
    """Fail unless *answer* is AWS's refusal of a body that was forged."""
    status, code = CODES[form]
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True), label
    assert b"done" not in without_host_id(answer.data)
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Authorization" in answer.headers["Vary"]


def test_each_form_has_its_refusal() -> None:
    """A new payload form that can be streamed has to say how it is refused."""
    assert set(CODES) == set(STREAMED)


# What is authentic.


@each_form
def test_view_reads_while_the_client_sends(form: PayloadForm) -> None:
    """The view has seen bytes before the last ones were read from the server."""
    message = STREAMED[form]
    sent = Socket(message.body, short=500)
    seen: list[tuple[int, int]] = []

    def view() -> str:
        assert sent.received == 0
        got = b""
        while piece := request.stream.read(1):
            got += piece
            seen.append((len(got), len(message.body) - sent.received))
        assert got == DATA
        return current_identity.access_key_id

    answer = send(app_with(view), message, body=sent)
    assert (answer.status_code, answer.text) == (200, ACCESS_KEY_ID)
    assert "Authorization" in answer.headers["Vary"]
    first, *_, last = seen
    assert first[1] > len(message.body) / 3
    assert last == (len(DATA), 0)


READS: dict[str, View] = {
    "get_data": lambda: request.get_data(),
    "data": lambda: request.data,
    "stream": lambda: request.stream.read(),
    "stream by length": lambda: request.stream.read(request.content_length or 0),
    "pieces": lambda: b"".join(iter(lambda: request.stream.read(1000), b"")),
    "lines": lambda: b"".join(request.stream),
    "readline": lambda: b"".join(iter(request.stream.readline, b"")),
    "wsgi.input": lambda: request.environ["wsgi.input"].read(),
}


@each_form
@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("limit", [None, 10_000_000], ids=["no limit", "limit"])
def test_body_is_read_in_any_way(form: PayloadForm, how: str, limit: int | None) -> None:
    """However a view reads, it gets the decoded body."""
    app = app_with(lambda: READS[how](), MAX_CONTENT_LENGTH=limit)
    assert send(app, STREAMED[form]).data == DATA


def posts(body: bytes, kind: str) -> dict[PayloadForm, Message]:
    """Return a POST of *body* in each payload form."""
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    made = uploads(*pieces, method="POST", target="/form", headers={"Content-Type": kind})
    return {form: message for form, message in made.items() if isinstance(message, Message)}


@each_form
@pytest.mark.parametrize(
    ("kind", "body", "read"),
    [
        pytest.param("application/json", b'{"a": "1"}', lambda: request.json, id="json"),
        pytest.param("application/x-www-form-urlencoded", b"a=1", lambda: request.form, id="form"),
    ],
)
def test_form_and_json(form: PayloadForm, kind: str, body: bytes, read: View) -> None:
    """A form and JSON are parsed as ever, and a forged one is refused."""
    app = app_with(read)
    message = posts(body, kind)[form]
    assert send(app, message).json == {"a": "1"}
    is_refused(send(app, replace(message, body=message.body.replace(b"1", b"3"))), form)


@each_form
# Flask frees the files of a parser that was interrupted, by any lost client, with the garbage.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
def test_multipart_of_3_mib(form: PayloadForm) -> None:
    """Fields and files of a form of more than 3 MiB are all there, and a forged one is refused."""
    body, kind = multipart({"note": "lämp", "one": BIG, "two": b"x"})

    def view() -> dict[str, str]:
        files = {name: hashlib.sha256(file.read()).hexdigest() for name, file in files_of()}
        return {"note": request.form["note"], **files}

    def files_of() -> Any:
        return request.files.items()

    app = app_with(view)
    message = posts(body, kind)[form]
    assert send(app, message).json == {
        "note": "lämp",
        "one": hashlib.sha256(BIG).hexdigest(),
        "two": hashlib.sha256(b"x").hexdigest(),
    }
    at = len(message.body) // 2
    other = message.body[:at] + b"???" + message.body[at + 3 :]
    is_refused(send(app, replace(message, body=other)), form)
    gc.collect()


@each_form
def test_upload_of_3_mib_comes_whole(form: PayloadForm) -> None:
    """A body above the memory limit is read by a view, or not, and leaves no file open."""
    message = posts(BIG, "application/octet-stream")[form]
    app = app_with(lambda: hashlib.sha256(request.stream.read()).hexdigest())
    assert send(app, message).text == hashlib.sha256(BIG).hexdigest()


@each_form
def test_answer_may_be_made_from_the_body(form: PayloadForm) -> None:
    """A streamed answer reads what has been verified before it goes out."""

    def pieces() -> Iterator[bytes]:
        while piece := request.stream.read(1000):
            yield piece

    app = app_with(lambda: Response(stream_with_context(pieces())))
    assert send(app, STREAMED[form]).data == DATA
    is_refused(send(app, forged(STREAMED[form])), form)


def test_trailers_are_there_after_the_body() -> None:
    """Trailers of a streamed body are known when it has been read."""
    seen: list[object] = []

    def view() -> str:
        seen.append(dict(request.environ["wsgi_sigv4.trailers"]))
        request.get_data()
        seen.append(list(request.environ["wsgi_sigv4.trailers"]))
        return "done"

    assert send(app_with(view), STREAMED[PayloadForm.STREAMING_SIGNED_TRAILER]).text == "done"
    assert seen == [{}, ["x-amz-checksum-crc32"]]


def test_body_that_was_read_before_is_verified_first() -> None:
    """What somebody has read and kept is not handed on before it is verified."""
    calls: list[bytes] = []

    def view() -> str:
        calls.append(request.get_data())
        return "done"

    app = app_with(view)
    app.before_request(lambda: (request.get_data(), None)[1])
    assert send(app, SHA256).text == "done"
    is_refused(send(app, forged(SHA256)), PayloadForm.SHA256)
    assert calls == [DATA]


def test_without_the_gate_the_body_is_verified_first() -> None:
    """Where only a part of the app is run, nothing is handed on unverified."""
    app = make_s3()
    message = forged(SHA256)
    with (
        app.test_request_context(
            message.path.decode(),
            method="PUT",
            headers=[(n.decode(), v.decode()) for n, v in message.headers],
            input_stream=BytesIO(message.body),
            environ_overrides={"CONTENT_LENGTH": str(len(message.body))},
        ),
        pytest.raises(BadRequest, match="does not match its signed hash"),
    ):
        sigv4_required.check()


# T50: what is not.


def answers() -> str:
    """Answer, and read nothing."""
    return "done"


def reads_all() -> str:
    """Read to the end."""
    request.get_data()
    return "done"


def reads_the_length() -> str:
    """Stop where the length says."""
    request.stream.read(request.content_length or 0)
    return "done"


def reads_one_byte() -> str:
    """Look at the beginning."""
    request.stream.read(1)
    return "done"


def swallows() -> str:
    """Read on after each error."""
    for _ in range(30):
        with suppress(Exception):
            request.stream.read(1000)
    return "done"


def swallows_and_parses() -> str:
    """Ask for everything, and take no error for one."""
    for read in (lambda: request.form, lambda: request.json, lambda: request.get_data()):
        with suppress(Exception):
            read()
    return "done"


def redirects() -> Any:
    """Answer as forms are answered that went well."""
    return redirect("/done", 303)


def aborts_with_a_success() -> str:
    """Raise a response."""
    abort(Response("done"))


def generates() -> Response:
    """Answer first and read later, with the request's context."""

    def pieces() -> Iterator[bytes]:
        yield b"do"
        request.stream.read()
        yield b"ne"

    return Response(stream_with_context(pieces()))


def generates_and_swallows() -> Response:
    """Read later from what was kept of the request, whatever comes."""
    stream = request.environ["wsgi.input"]

    def pieces() -> Iterator[bytes]:
        with suppress(Exception):
            stream.read()
        yield b"done"

    return Response(pieces())


async def awaits() -> str:
    """Read in an asynchronous view."""
    with suppress(OSError):
        request.stream.read()
    return "done"


def reads_in_a_thread() -> str:
    """Have another thread read, and answer meanwhile."""
    stream = request.stream

    def read() -> None:
        with suppress(Exception):
            while stream.read(700):
                pass

    threading.Thread(target=read).start()
    return "done"


def is_another_application() -> Any:
    """Answer by a WSGI application."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        with suppress(OSError):
            environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"done"]

    return application


def closes() -> str:
    """Close what belongs to the server."""
    request.stream.close()
    return "done"


def throws_away() -> str:
    """Take the body, and all that is ours, out of the environ."""
    for key in [key for key in request.environ if "sigv4" in key]:
        del request.environ[key]
    request.environ["wsgi.input"] = BytesIO()
    return "done"


def answers_later() -> str:
    """Make a success of whatever is answered."""
    after_this_request(lambda _: Response("done"))
    return "done"


VIEWS: tuple[Any, ...] = (
    *(answers, reads_all, reads_the_length, reads_one_byte, swallows, swallows_and_parses),
    *(redirects, aborts_with_a_success, generates, generates_and_swallows, awaits),
    *(reads_in_a_thread, is_another_application, closes, throws_away, answers_later),
)


def handles(*kinds: Any) -> Callable[[Flask], None]:
    """Return what makes an app answer errors of *kinds* with a success."""

    def register(app: Flask) -> None:
        for kind in kinds:
            app.register_error_handler(kind, lambda error: "done")

    register.__name__ = "handles " + " ".join(str(getattr(k, "__name__", k)) for k in kinds)
    return register


def changes_the_status(app: Flask) -> None:
    """Wrap every answer in an envelope, as some APIs do."""

    @app.after_request
    def envelope(response: Response) -> Response:
        response.status_code, response.data = 200, b"done"
        return response


def replaces_the_answer(app: Flask) -> None:
    """Make another answer of every answer."""
    app.after_request(lambda response: Response("done"))


def fails_afterwards(app: Flask) -> None:
    """Fail after each request, and answer failures with a success."""

    @app.after_request
    def fail(response: Response) -> Response:
        raise LookupError("afterwards")

    app.register_error_handler(500, lambda error: "done")


def fails_before_it_is_settled(app: Flask) -> None:
    """Fail before the body could be settled, and answer failures with a success."""

    @app.before_request
    def fail() -> None:
        @after_this_request
        def fail_then(response: Response) -> Response:
            raise LookupError("afterwards")

    app.register_error_handler(500, lambda error: "done")


FLASK = tuple(map(int, version("flask").split(".")[:2]))

APPS = (
    *(handles(400), handles(403), handles(500), handles(Exception), handles(SigV4Error)),
    *(handles(400, 403, OSError), changes_the_status, replaces_the_answer),
    *(fails_afterwards, fails_before_it_is_settled),
)


@each_form
@pytest.mark.parametrize("view", VIEWS)
def test_t50_no_view_turns_a_forged_body_into_a_success(form: PayloadForm, view: View) -> None:
    """T50: whatever is changed and whatever a view does, the client sees a refusal."""
    app = app_with(view)
    for label, message in changes(STREAMED[form]):
        answer = send(app, message)
        assert answer.status_code >= 400, label
        assert "<Code>" in answer.text, label
        assert b"done" not in without_host_id(answer.data), label
        assert "Location" not in answer.headers, label
    assert send(app, STREAMED[form]).status_code in (200, 303)


@each_form
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("register", APPS)
def test_t50_no_handler_turns_a_forged_body_into_a_success(
    form: PayloadForm, view: View, register: Callable[[Flask], None]
) -> None:
    """T50: nor do error handlers, nor functions that run after the request."""
    if register is fails_before_it_is_settled and view is generates and FLASK < (3, 1):
        pytest.skip("Flask 3.0 never closes the answer here, nor its request's context")
    app = app_with(view)
    app.logger.disabled = True
    register(app)
    try:
        is_refused(send(app, forged(STREAMED[form])), form)
    finally:
        app.logger.disabled = False


@each_form
@pytest.mark.parametrize("register", [changes_the_status, replaces_the_answer])
def test_t50_error_of_a_view_that_becomes_a_success(
    form: PayloadForm, register: Callable[[Flask], None]
) -> None:
    """T50: an error that needed no verification needs it when it is made a success."""
    app = app_with(lambda: abort(409))
    register(app)
    assert send(app, STREAMED[form]).text == "done"
    is_refused(send(app, forged(STREAMED[form])), form)


def test_t50_error_that_becomes_a_success_after_the_drain() -> None:
    """T50: what is beyond the drain of an error is verified before the error is made a success."""
    large = bytes(64 * 1024) * 200
    message = plain(hashlib.sha256(large).hexdigest(), large)
    app = app_with(lambda: abort(409))
    changes_the_status(app)
    assert send(app, message).text == "done"
    is_refused(send(app, replace(message, body=large[:-1] + b"x")), PayloadForm.SHA256)


@each_form
@pytest.mark.parametrize("view", VIEWS)
def test_one_record_and_no_traceback(
    form: PayloadForm, view: View, caplog: pytest.LogCaptureFixture
) -> None:
    """One record of ours tells of a forged body, and nothing of the app's own does."""
    is_refused(send(app_with(view), forged(STREAMED[form])), form)
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("wsgi_sigv4", logging.WARNING)
    ]


@pytest.mark.parametrize("register", APPS)
def test_one_record_whatever_handles_it(
    register: Callable[[Flask], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal that handlers were given, or failed on, is not logged again."""
    app = app_with(reads_all)
    register(app)
    is_refused(send(app, forged(SHA256)), PayloadForm.SHA256)
    assert [r.name for r in caplog.records].count("wsgi_sigv4") == 1


@pytest.mark.parametrize("testing", [True, False])
def test_fault_that_follows_from_a_forged_body(testing: bool) -> None:
    """A view that fails because its body was refused is answered for by the refusal."""

    def view() -> str:
        try:
            return request.get_data().decode()
        except OSError as error:
            raise LookupError("no body") from error

    app = app_with(view, TESTING=testing)
    app.logger.disabled = True
    try:
        is_refused(send(app, forged(SHA256)), PayloadForm.SHA256)
    finally:
        app.logger.disabled = False


def test_fault_of_a_view_rises() -> None:
    """An exception that has nothing to do with the body is Flask's to deal with."""

    def view() -> str:
        request.stream.read(10)
        raise LookupError("a mistake")

    with pytest.raises(LookupError, match="a mistake"):
        send(app_with(view, TESTING=True), SHA256)


def test_fault_of_an_error_handler_rises() -> None:
    """A handler that fails on a refusal fails as it would without streaming."""
    for stream in (True, False):
        app = app_with(answers, TESTING=True, SIGV4_STREAM=stream)

        @app.errorhandler(SigV4Error)
        def fail(error: SigV4Error) -> str:
            raise LookupError("a mistake")

        with pytest.raises(LookupError, match="a mistake"):
            send(app, forged(SHA256))


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "buffered"])
@pytest.mark.parametrize("kind", [SigV4Error, 400, BadRequest, Exception])
def test_error_handlers_see_the_refusal(stream: bool, kind: Any) -> None:
    """Handlers are given the same exception, streamed or not, and their page goes out."""
    seen: list[Any] = []
    app = app_with(answers, SIGV4_STREAM=stream)

    @app.errorhandler(kind)
    def refused(error: Any) -> tuple[str, int]:
        seen.append((type(error).__name__, error.code, bool(current_identity)))
        assert isinstance(error, SigV4Error)
        assert isinstance(error, BadRequest)
        return "my page", 418

    answer = send(app, forged(SHA256))
    assert (answer.status_code, answer.text) == (418, "my page")
    assert seen == [("PayloadHashMismatch", 400, False)]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Authorization" in answer.headers["Vary"]


@each_form
@pytest.mark.parametrize("config", [{}, {"SIGV4_REMOTE_USER": "access_key_id"}], ids=["", "user"])
def test_no_identity_after_the_refusal(form: PayloadForm, config: dict[str, object]) -> None:
    """Whoever looks after the refusal finds neither identity, nor user, nor body."""
    seen: list[Any] = []

    def view() -> str:
        seen.append(bool(current_identity))
        with suppress(OSError):
            request.stream.read(1)
        return "done"

    app = app_with(view, **config)

    @app.after_request
    def look(response: Response) -> Response:
        names = [key for key in request.environ if key.startswith("wsgi_sigv4.")]
        seen.append((bool(current_identity), names, request.remote_user, request.get_data()))
        return response

    app.teardown_request(lambda error: seen.append(bool(current_identity)))
    is_refused(send(app, forged(STREAMED[form])), form)
    assert seen == [True, (False, [], None, b""), False]


def test_refused_request_is_refused_again() -> None:
    """An error handler that asks once more is told the same."""
    app = app_with(answers)
    message = plain("UNSIGNED-PAYLOAD", b"abc")

    @app.errorhandler(SigV4Error)
    def again(error: SigV4Error) -> tuple[str, int]:
        with pytest.raises(BadRequest) as refused:
            sigv4_required(optional=True).check()
        return type(refused.value).__name__, 418

    answer = send(app, message, body=BytesIO(b"ab"))
    assert (answer.status_code, answer.text) == (418, "IncompleteBody")


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "buffered"])
def test_path_that_werkzeug_routes_otherwise(stream: bool) -> None:
    """A path with two slashes in front is refused, and its body drained and closed."""
    app = make_s3(SIGV4_STREAM=stream)
    app.before_request(sigv4_required.check)
    message = plain(hashlib.sha256(DATA).hexdigest(), target="//key")
    sent = Socket(message.body)
    environ = {"PATH_INFO": "//key", "REQUEST_URI": "//key", "RAW_URI": "//key"}
    answer = send(app, message, body=sent, **environ)
    assert (answer.status_code, sent.received) == (400, len(DATA))


def test_error_after_the_answer_is_out_is_the_servers_to_see() -> None:
    """The second start_response, with its exception, reaches the server, and so does a fault."""
    seen: list[str] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("500 Late", [], (LookupError, LookupError("late"), None))
        raise LookupError("late")

    gate = Gate(application, lambda refusal, environ: Response(), lambda refusal, environ: None)
    with pytest.raises(LookupError, match="late"):
        gate({}, lambda status, *_: seen.append(status))  # type: ignore[arg-type]
    assert seen == ["200 OK", "500 Late"]


def test_blueprint_that_is_checked() -> None:
    """A check before each request settles the body as the decorator does."""
    app = make_s3()
    blueprint = Blueprint("files", __name__)
    blueprint.before_request(sigv4_required.check)
    blueprint.add_url_rule("/<path:p>", "any", lambda p: "done", methods=["PUT"])
    app.register_blueprint(blueprint)
    for form, message in STREAMED.items():
        assert send(app, message).text == "done"
        is_refused(send(app, forged(message)), form)


# Errors of the view's own.


@each_form
@pytest.mark.parametrize("status", [403, 507])
def test_error_of_a_view_is_its_answer(form: PayloadForm, status: int) -> None:
    """A view that refuses an authentic upload is not overruled."""
    app = app_with(lambda: ("no", status))
    answer = send(app, STREAMED[form])
    assert (answer.status_code, answer.text) == (status, "no")


@pytest.mark.parametrize("status", [403, 507])
def test_early_error_reads_no_more_than_the_drain(status: int) -> None:
    """A large upload that a view refuses at once is not read to its end."""
    large = bytes(64 * 1024) * 512
    message = plain("UNSIGNED-PAYLOAD", large)
    sent = Socket(message.body)
    answer = send(app_with(lambda: ("no", status)), message, body=sent)
    assert (answer.status_code, answer.text) == (status, "no")
    assert 10 * 1024 * 1024 <= sent.received < 11 * 1024 * 1024


def test_error_that_is_logged_with_its_body() -> None:
    """Who logs the bodies of failed requests finds none, and no fault."""
    seen: list[bytes] = []

    def view() -> tuple[str, int]:
        request.stream.read(1)
        return "no", 409

    app = app_with(view)

    @app.after_request
    def log(response: Response) -> Response:
        seen.append(request.get_data())
        return response

    assert send(app, SHA256).status_code == 409
    assert seen == [b""]


def test_check_that_refuses_after_another(caplog: pytest.LogCaptureFixture) -> None:
    """A second requirement that is not met is the only refusal, whatever the body is."""
    app = make_s3()
    app.before_request(sigv4_required.check)
    view = sigv4_required(region="eu-west-1")(lambda path: "done")
    app.add_url_rule("/<path:path>", "any", view, methods=["PUT"])
    for message in (SHA256, forged(SHA256)):
        sent = Socket(message.body)
        answer = send(app, message, body=sent)
        assert (answer.status_code, "AuthorizationHeaderMalformed" in answer.text) == (400, True)
        assert sent.received == len(message.body)
    assert len(caplog.records) == 2


# Room.


@pytest.mark.parametrize("is_forged", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_temporary_files_are_closed(
    view: View, is_forged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a view does, nothing is left of a body that was kept on disk."""
    opened: list[Any] = []
    real = tempfile.TemporaryFile

    def remembered(**options: Any) -> Any:
        opened.append(real(**options))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    message = STREAMED[PayloadForm.STREAMING_SIGNED]
    app = app_with(view, SIGV4_MEMORY_LIMIT=10)
    send(app, forged(message) if is_forged else message)
    # Nobody can read the body any more: what is left of it is not kept.
    assert opened or view in (closes, throws_away)
    assert all(file.closed for file in opened)


# T40: inside a middleware.


class Counting:
    """A provider that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def lookup(self, access_key_id: str, **_: object) -> Any:
        """Return the credentials of *access_key_id*."""
        self.asked += 1
        return Credentials(SECRET)


def wrapped(app: Flask, verifier: Verifier | None = None) -> Flask:
    """Return *app* inside a middleware that streams, by default with the app's own verifier."""
    own = app.extensions["sigv4"].verifier
    app.wsgi_app = SigV4Middleware(app.wsgi_app, verifier or own, stream=True)  # type: ignore[method-assign]
    return app


@each_form
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("stream", [False, True])
def test_t40_wrapped_app(form: PayloadForm, view: View, stream: bool) -> None:
    """T40: an app that takes the identity over is served once verified, and never too early."""
    provider = Counting()
    app = wrapped(app_with(view, SIGV4_CREDENTIALS=provider, SIGV4_STREAM=stream))
    assert send(app, STREAMED[form]).status_code in (200, 303)
    assert provider.asked == 1
    is_refused_outside(send(app, forged(STREAMED[form])), form)


def is_refused_outside(answer: TestResponse, form: PayloadForm) -> None:
    """Fail unless *answer* is the middleware's refusal."""
    status, code = CODES[form]
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True)


@each_form
@pytest.mark.parametrize("stream", [False, True])
def test_t40_other_verifier_outside(form: PayloadForm, stream: bool) -> None:
    """T40: what another verifier hands on is verified again, and a forged body is no success."""
    provider = Counting()
    other = Verifier(
        {ACCESS_KEY_ID: SECRET}, region=None, service="s3", profile=S3, clock=lambda: NOW
    )
    for view in (answers, reads_all, swallows, generates):
        app = wrapped(app_with(view, SIGV4_CREDENTIALS=provider, SIGV4_STREAM=stream), other)
        for message in (STREAMED[form], forged(STREAMED[form])):
            answer = send(app, message)
            is_framed = message.header("content-encoding") is not None
            # The framing is gone, so that nobody can verify the signed request any more.
            assert (answer.status_code == 200) == (message is STREAMED[form] and not is_framed)
            assert answer.status_code == 200 or "<Code>" in answer.text
