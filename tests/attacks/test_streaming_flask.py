"""Attacks on SIGV4_STREAM: what a view did with a forged body must not show in the refusal."""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask import Response
from flask import request
from flask import session
from flask import stream_with_context
from werkzeug.exceptions import HTTPException

from tests.core.messages import Message
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED
from tests.core.uploads import hostile_changes
from tests.flask.test_uploads import DATA
from tests.flask.test_uploads import PIECES
from tests.flask.test_uploads import app_with
from tests.flask.test_uploads import send
from tests.flask.test_uploads import signed
from tests.wsgi.streamed import without_host_id
from wsgi_sigv4.contrib.flask import current_identity

View = Callable[[], Any]


def streaming(view: View, **config: object) -> Flask:
    """Return an app whose views are all *view*, which reads while the client sends."""
    return app_with(view, **({"SIGV4_STREAM": True, "SECRET_KEY": "for tests"} | config))


def forged() -> Message:
    """Return an upload whose last chunk is another one."""
    message = signed(*PIECES, form=SIGNED)
    return replace(message, body=message.body.replace(b"\r\nc\r\n", b"\r\nd\r\n"))


def answers_at_once() -> str:
    """Do not read."""
    return "done"


def swallows() -> str:
    """Read, whatever it raises."""
    for _ in range(3):
        with suppress(Exception):
            request.get_data()
    return "done"


def looks_at_the_form() -> str:
    """Have Flask parse what is no form."""
    with suppress(Exception):
        assert not request.form
    return "done"


def streams() -> Response:
    """Answer with the body while it is read."""

    def pieces() -> Iterator[bytes]:
        yield b"done"
        while piece := request.stream.read(100):
            yield piece

    return Response(stream_with_context(pieces()))


def has_no_content() -> tuple[str, int]:
    """Answer without a body."""
    return "", 204


def takes_the_stream_apart() -> str:
    """Take the buffer off the body."""
    request.stream.read(10)
    request.environ["wsgi.input"].detach()
    return "done"


def reads_text() -> str:
    """Read as text, which closes the body when it is forgotten."""
    with suppress(Exception):
        io.TextIOWrapper(request.stream, encoding="latin-1").readline()
    return "done"


VIEWS = (
    *(answers_at_once, swallows, looks_at_the_form, streams, has_no_content),
    *(takes_the_stream_apart, reads_text),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("view", VIEWS)
def test_t50_no_view_turns_a_forged_body_into_a_success(view: View, form: str) -> None:
    """T50: an authentic upload is answered by the view, and each forged one refused."""
    app = streaming(view)
    message = signed(*PIECES, form=form)
    answer = send(app, message)
    assert answer.status_code in (200, 204)
    if view is streams:
        assert answer.data == b"done" + DATA
    for label, other in hostile_changes(message):
        answer = send(app, other)
        assert answer.status_code >= 400, label
        assert b"done" not in without_host_id(answer.data), label


def test_app_without_sessions_refuses_as_well() -> None:
    """Without a secret key there is nothing to undo."""
    assert send(streaming(answers_at_once, SECRET_KEY=None), forged()).status_code == 403


@pytest.mark.parametrize("permanent", [False, True])
def test_session_of_a_refused_upload_is_not_handed_out(permanent: bool) -> None:
    """A view logs somebody in for an authentic body alone: no cookie says otherwise."""

    def log_in() -> str:
        session["user"] = "admin"
        session.permanent = permanent
        return "done"

    app = streaming(log_in)
    assert send(app, signed(*PIECES, form=SIGNED)).headers.getlist("Set-Cookie") != []
    answer = send(app, forged())
    assert answer.status_code == 403
    assert answer.headers.getlist("Set-Cookie") == []


def test_refused_upload_leaves_no_identity() -> None:
    """Neither error handlers nor what runs after the request see somebody there."""
    seen: list[tuple[str, bool, object]] = []
    app = streaming(answers_at_once, SIGV4_REMOTE_USER="access_key_id")

    @app.errorhandler(403)
    def handle(error: HTTPException) -> Any:
        seen.append(("error", bool(current_identity), request.remote_user))
        return error.get_response()

    @app.after_request
    def log(response: Response) -> Response:
        seen.append(("after", bool(current_identity), request.remote_user))
        return response

    assert send(app, signed(*PIECES, form=SIGNED)).status_code == 200
    assert send(app, forged()).status_code == 403
    known = "AKIAIOSFODNN7EXAMPLE"
    assert seen == [("after", True, known), ("error", False, None), ("after", False, None)]


@pytest.mark.parametrize("reads", [0, 10])
@pytest.mark.parametrize("status", [200, 404])
def test_body_is_looked_at_after_the_answer(status: int, reads: int) -> None:
    """A log of bodies breaks no answer: what was not kept for an error, or refused, is empty."""
    seen = []

    def view() -> tuple[str, int]:
        request.stream.read(reads)
        return "answer", status

    app = streaming(view, PROPAGATE_EXCEPTIONS=False)

    @app.after_request
    def log(response: Response) -> Response:
        seen.append(len(request.get_data()))
        return response

    assert send(app, signed(*PIECES, form=SIGNED)).status_code == status
    assert send(app, forged()).status_code == 403
    assert seen == [len(DATA) - reads if status == 200 else 0, 0]
