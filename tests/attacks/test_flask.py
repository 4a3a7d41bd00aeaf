"""Attacks on Flask apps: where werkzeug reads a request in another way than it was signed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask import request
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import Wire
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from tests.wsgi.calls import call
from wsgi_sigv4 import Identity
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required


def verifier(service: str = "items", **parameters: Any) -> Verifier:
    """Return a verifier with one key."""
    return Verifier({KEY: SECRET}, region="us-east-1", service=service, **parameters)


def keeps_out_of_admin(identity: Identity, environ: dict[str, Any]) -> bool:
    """Allow everything but what is below /admin."""
    return not environ["PATH_INFO"].startswith("/admin")


@pytest.mark.parametrize("merge_slashes", [True, False])
@pytest.mark.parametrize("target", ["/admin", "//admin", "///admin"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_leading_slashes_reach_no_other_view(
    target: str, merge_slashes: bool, wrapped: bool
) -> None:
    """S3 signs `//admin` as it is, and werkzeug would route it as the forbidden `/admin`."""
    app = Flask(__name__)
    app.url_map.merge_slashes = merge_slashes
    sigv4 = SigV4(app, verifier=verifier("s3"), authorize=keeps_out_of_admin)
    app.add_url_rule("/admin", view_func=sigv4_required(lambda: "secret"))
    if wrapped:
        app.wsgi_app = SigV4Middleware(app.wsgi_app, sigv4.verifier)  # type: ignore[method-assign]
    answer = send(app.wsgi_app, sign(target=target, service="s3"))
    assert answer.status in (400, 403)
    assert b"secret" not in answer.body


def test_leading_slashes_give_no_identity() -> None:
    """Inside SigV4Middleware a view without the decorator sees no identity on another path."""
    app = Flask(__name__)
    sigv4 = SigV4(app, verifier=verifier("s3"))
    app.add_url_rule("/who", view_func=lambda: str(bool(current_identity)))
    app.wsgi_app = SigV4Middleware(app.wsgi_app, sigv4.verifier)  # type: ignore[method-assign]
    assert send(app.wsgi_app, sign(target="/who", service="s3")).body == b"True"
    assert send(app.wsgi_app, sign(target="//who", service="s3")).body == b"False"


@pytest.mark.parametrize("touched", ["", "stream", "content_length"])
def test_error_page_that_reads_the_form_never_waits(touched: str) -> None:
    """A handler that looks at the body of a refused request gets none, whatever was touched."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier())
    app.add_url_rule("/", methods=["POST"], view_func=sigv4_required(lambda: "secret"))

    @app.before_request
    def touch() -> None:
        getattr(request, touched, None)

    @app.errorhandler(403)
    def handler(error: Exception) -> tuple[str, int]:
        return f"{request.get_data()!r} {dict(request.form)}", 403

    form = ("Content-Type", "application/x-www-form-urlencoded")
    sent = Sent(method="POST", body=b"a=1").having(form)
    environ = sent.environ(**{"wsgi.input": Wire(sent.body)})
    # As Werkzeug's own server has it.
    del environ["wsgi.input_terminated"]
    answer = call(app.wsgi_app, environ)
    assert (answer.status, answer.body) == (403, b"b'' {}")


def app_that_tells_whom_it_refuses(**parameters: Any) -> Flask:
    """Return an app whose page for a refused request says what is left of it."""
    app = Flask(__name__)
    app.url_map.merge_slashes = False
    parameters |= {"remote_user": "access_key_id", "memory_limit": 1}
    SigV4(app, verifier=verifier("s3"), **parameters)
    view = sigv4_required(presigned=False)(lambda **_: "secret")
    app.add_url_rule("/<path:path>", methods=["PUT"], view_func=view)

    @app.errorhandler(400)
    @app.errorhandler(403)
    def handler(error: HTTPException) -> tuple[str, int]:
        keys = ("REMOTE_USER", "wsgi_sigv4.identity", "wsgi_sigv4.access_key_id")
        kept = [key for key in keys if key in request.environ]
        return f"{request.get_data()!r} {bool(current_identity)} {kept}", error.code or 500

    return app


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("target", "presigned", "status"), [("/url", True, 403), ("//admin", False, 400)]
)
def test_authentic_request_that_is_refused_leaves_nothing(
    target: str, presigned: bool, status: int, stream: bool
) -> None:
    """Neither its identity nor its body, and no page is made from what was closed."""
    app = app_that_tells_whom_it_refuses(stream=stream)
    unsigned = ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    sent = sign(
        "PUT", target, service="s3", presigned=presigned, headers=() if presigned else (unsigned,)
    )
    answer = send(app.wsgi_app, replace(sent, body=b"lamp"))
    assert (answer.status, answer.body) == (status, b"b'' False []")


@pytest.mark.parametrize("stream", [False, True])
def test_swallowed_refusal_loses_no_body(stream: bool) -> None:
    """A request that was refused with its body is not let in by another check without it."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier("s3"), stream=stream, max_body=3)
    app.add_url_rule("/", methods=["PUT"], view_func=sigv4_required(lambda: request.get_data()))

    @app.before_request
    def greet() -> None:
        with suppress(SigV4Error):
            sigv4_required(optional=True).check()

    sent = sign("PUT", service="s3", presigned=True)
    assert send(app.wsgi_app, replace(sent, body=b"cat")).body == b"cat"
    assert send(app.wsgi_app, replace(sent, body=b"lamp")).status == 413


def optional_app() -> Flask:
    """Return an app that greets strangers too."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier(hosts=["localhost"]))
    app.add_url_rule(
        "/", view_func=sigv4_required(optional=True)(lambda: str(bool(current_identity)))
    )
    return app


def test_answer_to_a_stranger_is_not_for_signers() -> None:
    """T47: a shared cache may not hand a stranger's answer to who signs."""
    answer = optional_app().test_client().get("/")
    assert answer.text == "False"
    assert "Authorization" in answer.vary


def test_identity_does_not_outlive_its_request() -> None:
    """Two requests in one application context do not share an identity."""
    app = optional_app()
    with app.app_context():
        client: FlaskClient = app.test_client()
        assert client.get("/", headers=dict(sign().headers)).text == "True"
        assert client.get("/").text == "False"
