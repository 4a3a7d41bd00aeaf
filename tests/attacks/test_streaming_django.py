"""Attacks on STREAM: what a view did with a forged body must not show in the refusal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import StreamingHttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from tests.core.messages import Message
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import hostile_changes
from tests.django.signing import send
from tests.django.test_uploads import PIECES
from tests.django.test_uploads import sent
from tests.django.test_uploads import signed
from tests.wsgi.streamed import without_host_id

DATA = b"".join(PIECES)

View = Callable[[Any], Any]

#: The view of a test, and what was seen.
CURRENT: dict[str, View] = {}
SEEN: list[Any] = []


@csrf_exempt
def current(request: HttpRequest) -> Any:
    """Answer as the view of the test does."""
    return CURRENT["view"](request)


urlpatterns = [re_path("", current)]


def outermost(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Look at a request that has been answered."""

    def middleware(request: Any) -> HttpResponse:
        response = get_response(request)
        user = getattr(request.user, "username", "") if hasattr(request, "user") else None
        body = b"gone"
        with suppress(Exception):
            body = request.body
        remote_user = request.META.get("REMOTE_USER")
        SEEN.append((request.sigv4 is not None, user, remote_user, len(body), len(request.POST)))
        return response

    return middleware


class Owner:
    """A user as the project knows it."""

    username = "owner"
    is_active = True


def find_owner(identity: Any, request: Any) -> Owner:
    """Return the user of whatever key."""
    return Owner()


@pytest.fixture(autouse=True)
def _streaming(sigv4: Callable[..., None], settings: Any) -> None:
    """Serve S3 with the view of the test, which reads while the client sends."""
    sigv4(SERVICE="s3", PROFILE="wsgi_sigv4.S3", STREAM=True)
    settings.ROOT_URLCONF = __name__
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    SEEN.clear()


def answer_to(view: View, message: Message) -> tuple[int, bytes, Any]:
    """Return status, body and cookies of the answer of *view*."""
    CURRENT["view"] = view
    response = send(sent(message))
    return response.status_code, b"".join(response), response.cookies


def forged() -> Message:
    """Return an upload whose last chunk is another one."""
    message = signed(*PIECES, form=SIGNED)
    return replace(message, body=message.body.replace(b"\r\nc\r\n", b"\r\nd\r\n"))


def answers_at_once(request: Any) -> HttpResponse:
    """Do not read."""
    return HttpResponse("done")


def swallows(request: Any) -> HttpResponse:
    """Read, whatever it raises."""
    for _ in range(3):
        with suppress(Exception):
            assert request.body
    return HttpResponse("done")


def reads_to_the_length(request: Any) -> HttpResponse:
    """Read what the length says, or less."""
    with suppress(Exception):
        request.read(int(request.META["CONTENT_LENGTH"]))
    return HttpResponse("done")


def reads_and_fails(request: Any) -> HttpResponse:
    """Leave the error of a body to Django."""
    assert request.body
    return HttpResponse("done")


def looks_at_the_form(request: Any) -> HttpResponse:
    """Have Django parse what is no form."""
    with suppress(Exception):
        assert not request.POST
        assert not request.FILES
    return HttpResponse("done")


def streams(request: Any) -> StreamingHttpResponse:
    """Answer with the body while it is read."""
    return StreamingHttpResponse(iter(lambda: request.read(100), b""))


def has_no_content(request: Any) -> HttpResponse:
    """Answer without a body."""
    return HttpResponse(status=204)


def takes_the_stream_apart(request: Any) -> HttpResponse:
    """Take the buffer off the body."""
    request.META["wsgi.input"].detach()
    return HttpResponse("done")


VIEWS = (
    *(answers_at_once, swallows, reads_to_the_length, looks_at_the_form, streams),
    *(has_no_content, takes_the_stream_apart, reads_and_fails),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("view", VIEWS)
def test_t50_no_view_turns_a_forged_body_into_a_success(view: View, form: str) -> None:
    """T50: an authentic upload is answered by the view, and each forged one refused."""
    message = signed(*PIECES, form=form)
    status, body, _ = answer_to(view, message)
    assert status in (200, 204)
    if view is streams:
        assert body == DATA
    for label, other in hostile_changes(message):
        status, body, _ = answer_to(view, other)
        assert status >= 400, label
        assert b"done" not in without_host_id(body), label


def test_session_of_a_refused_upload_is_not_handed_out() -> None:
    """A view logs somebody in for an authentic body alone: no cookie says otherwise."""

    def log_in(request: Any) -> HttpResponse:
        request.session["user"] = "admin"
        return HttpResponse("done")

    _, _, cookies = answer_to(log_in, signed(*PIECES, form=SIGNED))
    assert "sessionid" in cookies
    status, _, cookies = answer_to(log_in, forged())
    assert (status, dict(cookies)) == (403, {})


def test_project_without_sessions_refuses_as_well(settings: Any) -> None:
    """Without a session there is nothing to undo."""
    settings.MIDDLEWARE = settings.MIDDLEWARE[-1:]
    status, _, _ = answer_to(answers_at_once, forged())
    assert status == 403


@pytest.mark.parametrize("view", [answers_at_once, lambda _: HttpResponse("no", status=404)])
def test_refused_upload_leaves_neither_identity_nor_body(
    view: View, sigv4: Callable[..., None], settings: Any
) -> None:
    """Middleware outside of ours sees nobody, and an empty body that is not waited for."""
    sigv4(REMOTE_USER="access_key_id", USER=f"{__name__}.find_owner")
    settings.MIDDLEWARE = [f"{__name__}.outermost", *settings.MIDDLEWARE]
    status, _, _ = answer_to(view, signed(*PIECES, form=SIGNED))
    kept = len(DATA) if status == 200 else 0
    assert [(True, "owner", "AKIAIOSFODNN7EXAMPLE", kept, 0)] == SEEN
    SEEN.clear()
    status, _, _ = answer_to(view, forged())
    assert status == 403
    assert SEEN == [(False, "", None, 0, 0)]


class Keeping(FileUploadHandler):
    """An upload handler that keeps what it is given."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece."""
        SEEN.append(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Note the end of a file."""
        SEEN.append("complete")


@pytest.mark.parametrize("form", [SIGNED, UNSIGNED_TRAILER])
def test_upload_handler_sees_no_end_of_a_forged_file(form: str) -> None:
    """A file that ends with the body is not complete for a handler, and no answer a success."""
    head = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    pieces = (head + b"a" * 8192, b"b" * 8192, b"\r\n--edge--")

    def view(request: Any) -> HttpResponse:
        request.upload_handlers = [Keeping(request)]
        with suppress(Exception):
            assert not request.FILES
        return HttpResponse("done")

    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    message = signed(*pieces, form=form, headers=headers, method="POST")
    status, body, _ = answer_to(view, message)
    assert (status, body) == (200, b"done")
    assert SEEN.pop() == "complete"
    assert b"".join(SEEN) == b"a" * 8192 + b"b" * 8192
    SEEN.clear()
    other = replace(message, body=message.body.replace(b"b" * 8192, b"x" * 8192))
    status, _, _ = answer_to(view, other)
    assert status >= 400
    assert "complete" not in SEEN
    assert form != SIGNED or b"x" not in b"".join(SEEN)


def test_upload_that_is_not_allowed_is_drained(sigv4: Callable[..., None]) -> None:
    """A client that sends first sees the refusal, and nothing reads what was not verified."""
    sigv4(AUTHORIZE=f"{__name__}.refuses")
    message = signed(*PIECES, form=SIGNED)
    status, body, _ = answer_to(answers_at_once, message)
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body
    assert SEEN[0].read() == b""


def refuses(identity: Any, environ: dict[str, Any]) -> bool:
    """Allow nobody, and remember the body."""
    SEEN.append(environ["wsgi.input"].raw._incoming._stream)
    return False


def test_authorize_must_not_read_the_body(sigv4: Callable[..., None]) -> None:
    """It would judge by bytes that are not verified, and take them from the view."""
    sigv4(AUTHORIZE=f"{__name__}.reads")
    with pytest.raises(RuntimeError, match="AUTHORIZE has read"):
        answer_to(answers_at_once, signed(*PIECES, form=SIGNED))


def reads(identity: Any, environ: dict[str, Any]) -> bool:
    """Read before anything of the body was verified."""
    return bool(environ["wsgi.input"].read(1))
