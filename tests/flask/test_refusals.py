"""Refusals: exceptions of ours and of werkzeug's at once, and AWS's answer by default."""

from __future__ import annotations

import copy
import logging
import pickle
import time
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask import json
from flask import jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import Forbidden
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import LengthRequired
from werkzeug.exceptions import NotImplemented as NotImplementedError501
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.exceptions import RequestTimeout
from werkzeug.exceptions import ServiceUnavailable

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import SECRET
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import errors
from wsgi_sigv4.contrib.flask import PresignedNotAllowed
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.responses import Answer


def app_with(**config: object) -> Flask:
    """Return an app with one guarded view."""
    app = make_app(**config)
    view = sigv4_required(lambda: "served")
    app.add_url_rule("/items", view_func=view, methods=["GET", "POST"])
    return app


def unavailable(access_key_id: str) -> str:
    """Fail as a back end does that is down."""
    raise CredentialsUnavailable("connection refused", retry_after=7)


def raised_by(app: Flask, signed: Any, **options: Any) -> HTTPException:
    """Return what an error handler gets for *signed*."""
    caught: list[HTTPException] = []

    @app.errorhandler(HTTPException)
    def catch(error: HTTPException) -> ResponseReturnValue:
        caught.append(error)
        return error

    send(app.test_client(), signed, **options)
    (error,) = caught
    return error


CHUNKED = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
SIGV4A = {
    "Authorization": "AWS4-ECDSA-P256-SHA256 Credential=A/20260101/s3/aws4_request, "
    "SignedHeaders=host, Signature=00"
}


@pytest.mark.parametrize(
    ("signed", "options", "config", "leaf", "http"),
    [
        pytest.param(
            partial(sign, secret="wrong"),
            {},
            {},
            errors.SignatureMismatch,
            Forbidden,
            id="signature",
        ),
        pytest.param(
            partial(sign, region="eu-north-1"), {}, {}, errors.ScopeMismatch, Forbidden, id="scope"
        ),
        pytest.param(
            partial(sign, expires=1),
            {},
            {"SIGV4_CLOCK": lambda: time.time() + 60},
            errors.RequestExpired,
            BadRequest,
            id="expired",
        ),
        pytest.param(
            partial(sign, method="POST", body=b"xx"),
            {},
            {"SIGV4_MAX_BODY": 1},
            errors.BodyTooLarge,
            RequestEntityTooLarge,
            id="body",
        ),
        pytest.param(
            sign,
            {},
            {"SIGV4_CREDENTIALS": unavailable},
            errors.CredentialsUnavailable,
            ServiceUnavailable,
            id="back end",
        ),
        pytest.param(
            partial(sign, method="POST"),
            {"environ_overrides": CHUNKED},
            {},
            errors.LengthRequired,
            LengthRequired,
            id="length",
        ),
        pytest.param(
            partial(sign, method="POST", body=b"xx"),
            {},
            {"SIGV4_BODY_SECONDS": 0},
            errors.BodyTooSlow,
            RequestTimeout,
            id="slow body",
        ),
    ],
)
def test_both_classes(
    signed: Any,
    options: dict[str, Any],
    config: dict[str, object],
    leaf: type[SigV4Error],
    http: type[HTTPException],
) -> None:
    """A refusal is an instance of its own class and of werkzeug's for its status."""
    # Signed here, since it may be long after the collection of the tests.
    error = raised_by(app_with(**config), signed(), **options)
    assert isinstance(error, leaf)
    assert isinstance(error, http)
    assert type(error).__name__ == leaf.__name__
    assert error.code == http.code
    assert isinstance(error.__cause__, leaf)


def test_both_classes_of_501() -> None:
    """What is known but not built is werkzeug's NotImplemented."""
    signed = sign()
    signed.headers.replace_header("Authorization", SIGV4A["Authorization"])
    error = raised_by(app_with(), signed)
    assert isinstance(error, errors.AlgorithmNotImplemented)
    assert isinstance(error, NotImplementedError501)


@pytest.mark.parametrize(
    "registered",
    [
        pytest.param(403, id="status"),
        pytest.param(Forbidden, id="class of the status"),
        pytest.param(HTTPException, id="HTTPException"),
        pytest.param(SigV4Error, id="SigV4Error"),
        pytest.param(errors.SignatureMismatch, id="the reason"),
    ],
)
def test_error_handler(registered: Any) -> None:
    """Every way to register an error handler finds the refusal."""
    app = app_with()
    app.register_error_handler(registered, lambda error: (type(error).__name__, 418))
    answer = get(app.test_client(), secret="wrong")
    assert (answer.status_code, answer.text) == (418, "SignatureMismatch")


def test_error_handler_of_a_blueprint() -> None:
    """A handler of the blueprint comes first, as for any other error."""
    from flask import Blueprint

    app = make_app()
    blueprint = Blueprint("items", __name__)
    blueprint.before_request(sigv4_required.check)
    blueprint.register_error_handler(SigV4Error, lambda error: ("of the blueprint", 403))
    blueprint.add_url_rule("/items", view_func=lambda: "served")
    app.register_blueprint(blueprint)
    app.register_error_handler(SigV4Error, lambda error: ("of the app", 403))
    assert app.test_client().get("/items").text == "of the blueprint"


def test_error_handler_of_flasks_documentation() -> None:
    """The JSON handler that Flask's pages show works, and says AWS's message."""
    app = app_with()

    @app.errorhandler(HTTPException)
    def handle(error: HTTPException) -> Any:
        response = error.get_response()
        told = {"code": error.code, "name": error.name, "description": error.description}
        response.data = json.dumps(told)
        response.content_type = "application/json"
        return response

    answer = app.test_client().get("/items")
    assert answer.json == {
        "code": 403,
        "name": "Forbidden",
        "description": "Request is missing Authentication Token",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_facts_of_a_refusal() -> None:
    """The handler finds the facts of the case; *name* is werkzeug's."""
    signed = sign(headers={"X-Signed": "x"})
    del signed.headers["X-Signed"]
    error: Any = raised_by(app_with(), signed)
    assert isinstance(error, errors.SignedHeaderMissing)
    assert (error.access_key_id, error.service, error.presigned) == (ACCESS_KEY_ID, "items", False)
    assert error.name == "Forbidden"
    assert vars(error.__cause__)["name"] == "x-signed"


@pytest.mark.parametrize("made", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])  # noqa: S301
def test_refusal_can_be_copied(made: Any) -> None:
    """What an error handler gets goes to another process, without the answer to the client."""
    caught = raised_by(app_with(SIGV4_EXPLAIN=True), sign(secret="wrong"))
    again = made(caught)
    assert isinstance(again, errors.SignatureMismatch)
    assert isinstance(again, Forbidden)
    assert type(again) is type(caught)
    assert (again.code, again.description) == (403, caught.description)
    assert (again.access_key_id, again.service) == (ACCESS_KEY_ID, "items")
    assert (again.response, again.evidence, again.signature) == (None, None, "")
    assert isinstance(caught, errors.SignatureMismatch)
    assert caught.signature.encode() not in pickle.dumps(caught)
    assert caught.evidence is not None


def test_presigned_not_allowed_is_access_denied() -> None:
    """A presigned URL where none may be is the operator's own no."""
    app = make_app()
    app.add_url_rule("/items", view_func=sigv4_required(presigned=False)(lambda: ""))
    error = raised_by(app, sign(expires=60))
    assert isinstance(error, PresignedNotAllowed)
    assert isinstance(error, errors.AccessDenied)
    assert isinstance(error, Forbidden)
    assert (error.access_key_id, error.service, error.presigned) == (ACCESS_KEY_ID, "items", True)


@pytest.mark.parametrize(
    ("service", "content_type", "kind", "text"),
    [
        pytest.param("items", None, "application/json", '{"message": "', id="rest-json"),
        pytest.param(
            "items",
            "application/x-amz-json-1.0",
            "application/x-amz-json-1.0",
            '{"__type": "MissingAuthenticationTokenException"',
            id="json",
        ),
        pytest.param(
            "items",
            "application/x-www-form-urlencoded",
            "text/xml",
            "<Code>MissingAuthenticationToken</Code>",
            id="query",
        ),
        pytest.param("s3", None, "application/xml", "<Code>AccessDenied</Code>", id="s3"),
    ],
)
def test_answer_of_aws(service: str, content_type: str | None, kind: str, text: str) -> None:
    """Without a handler, the answer is AWS's in the protocol of the request."""
    client = app_with(SIGV4_SERVICE=service).test_client()
    answer = client.post("/items", content_type=content_type)
    assert answer.status_code == 403
    assert answer.mimetype == kind
    assert text in answer.text


def test_retry_after() -> None:
    """A back end that is down is 503 and says when to come back."""
    answer = get(app_with(SIGV4_CREDENTIALS=unavailable).test_client())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_fault_of_the_provider_is_no_refusal() -> None:
    """A provider that fails is a failure of the server."""

    def fail(access_key_id: str) -> str:
        raise LookupError("a mistake")

    app = app_with(SIGV4_CREDENTIALS=fail)
    app.testing = False
    assert get(app.test_client()).status_code == 500


@pytest.mark.parametrize("handler", [False, True], ids=["AWS's answer", "a handler's"])
def test_t47_refusal_is_not_cached(handler: bool) -> None:
    """T47: a refusal says no-store and Vary: Authorization, whoever renders it."""
    app = app_with()
    if handler:
        app.register_error_handler(SigV4Error, lambda error: (jsonify(no=True), 403))
    answer = app.test_client().get("/items")
    assert answer.cache_control.no_store
    assert answer.vary.as_set() == {"authorization"}


def test_t47_answer_varies() -> None:
    """T47: the answer to a signed request is for its signer, and a stranger's not for signers."""
    app = make_app()
    app.add_url_rule("/items", view_func=sigv4_required(optional=True)(lambda: "served"))
    assert get(app.test_client()).vary.as_set() == {"authorization"}
    assert get(app.test_client()).headers.get("Cache-Control") is None
    assert app.test_client().get("/items").vary.as_set() == {"authorization"}


def test_exempt_answer_does_not_vary() -> None:
    """Where nobody looks at a signature, the answer is for everybody."""
    assert "Vary" not in app_with(SIGV4_EXEMPT=["/items"]).test_client().get("/items").headers


def explained(client: FlaskClient) -> str:
    """Return the answer to a request whose signature is wrong."""
    return get(client, "/items?q=1", secret="wrong").text


def test_explain() -> None:
    """SIGV4_EXPLAIN shows what the server canonicalised; off, nothing does."""
    told = explained(app_with(SIGV4_EXPLAIN=True).test_client())
    assert r"GET\n/items\nq=1\nhost:localhost" in told
    assert SECRET not in told
    assert "host:localhost" not in explained(app_with().test_client())


def test_explain_follows_the_debug_mode_unless_it_is_set() -> None:
    """Unset it is on while the app debugs, be it later than SigV4(app); False stays off."""
    assert "host:localhost" in explained(app_with(DEBUG=True).test_client())
    assert "host:localhost" not in explained(
        app_with(DEBUG=True, SIGV4_EXPLAIN=False).test_client()
    )
    app = app_with()
    assert "host:localhost" not in explained(app.test_client())
    app.debug = True
    assert "host:localhost" in explained(app.test_client())


@pytest.mark.parametrize("status", [403, 404, 499])
def test_render_refusal(status: int) -> None:
    """SIGV4_RENDER_REFUSAL makes the answer, of any status, and handlers still see the class."""

    def render(refusal: SigV4Error, environ: Any) -> Answer:
        body = f"{type(refusal).__name__} {environ['PATH_INFO']}".encode()
        return Answer(status=status, headers=(("Content-Type", "text/plain"),), body=body)

    app = app_with(SIGV4_RENDER_REFUSAL=render)
    answer = app.test_client().get("/items")
    assert (answer.status_code, answer.text) == (status, "MissingAuthentication /items")
    app = app_with(SIGV4_RENDER_REFUSAL=render)
    assert raised_by(app, sign(secret="wrong")).code == status


def test_one_log_record_per_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal leaves one record, with reason and key id, and no secret."""
    get(app_with().test_client(), secret="wrong")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("wsgi_sigv4", logging.WARNING)
    assert vars(record)["sigv4_reason"] == "SignatureMismatch"
    assert ACCESS_KEY_ID in caplog.text
    assert SECRET not in caplog.text


def test_date_where_the_server_adds_none() -> None:
    """Under uWSGI a refusal carries the Date that SDKs correct their clock by."""
    client = app_with().test_client()
    answer = client.get("/items", environ_overrides={"uwsgi.version": b"2"})
    assert answer.date is not None
    assert "Date" not in client.get("/items").headers


def test_refused_body_is_drained() -> None:
    """What a refused client still sends is read, as far as it is small, so that it hears why."""
    from io import BytesIO

    stream = BytesIO(b"x" * 100_000)
    answer = app_with().test_client().post("/items", input_stream=stream)
    assert answer.status_code == 403
    assert stream.tell() == 100_000
