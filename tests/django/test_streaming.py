"""SIGV4["STREAM"]: views read while the client sends, and no answer is out too early (T50)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import tempfile
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import django
import pytest
from asgiref.sync import iscoroutinefunction
from asgiref.sync import markcoroutinefunction
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseRedirect
from django.http import JsonResponse
from django.http import StreamingHttpResponse
from django.http import UnreadablePostError
from django.template.response import SimpleTemplateResponse
from django.test import RequestFactory
from django.urls import path
from django.urls import re_path
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from werkzeug.test import run_wsgi_app

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.django.signing import Sent
from tests.django.signing import connections_kept
from tests.django.signing import send_async
from tests.wsgi.inputs import Socket
from tests.wsgi.streamed import DATA
from tests.wsgi.streamed import STREAMED
from tests.wsgi.streamed import changes
from tests.wsgi.streamed import forged
from tests.wsgi.streamed import plain
from tests.wsgi.streamed import uploads
from tests.wsgi.streamed import without_host_id
from wsgi_sigv4 import S3
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.django.conf import get_verifier
from wsgi_sigv4.contrib.django.decorators import sigv4_exempt
from wsgi_sigv4.contrib.django.rest_framework import SigV4Authentication
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.payload import PayloadForm

OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
BIG = bytes(range(256)) * (3 * 1024 * 4 + 1)
CODES = {
    PayloadForm.SHA256: (400, "XAmzContentSHA256Mismatch"),
    PayloadForm.UNSIGNED: (400, "BadDigest"),
    PayloadForm.STREAMING_SIGNED: (403, "SignatureDoesNotMatch"),
    PayloadForm.STREAMING_SIGNED_TRAILER: (403, "SignatureDoesNotMatch"),
    PayloadForm.STREAMING_UNSIGNED_TRAILER: (400, "BadDigest"),
}
SHA256 = STREAMED[PayloadForm.SHA256]

#: The view under test, and what it, and the middleware below, have seen.
VIEW: dict[str, Callable[[HttpRequest], Any]] = {}
SEEN: list[Any] = []

each_form = pytest.mark.parametrize("form", STREAMED)


@csrf_exempt
def any_view(request: HttpRequest) -> Any:
    """Be the view under test."""
    return VIEW["view"](request)


@csrf_exempt
async def any_async_view(request: HttpRequest) -> Any:
    """Be the view under test, asynchronously."""
    return await sync_to_async(VIEW["view"])(request)


def protected_view(request: HttpRequest) -> Any:
    """Be the view under test, with CSRF protection."""
    return VIEW["view"](request)


class APIUpload(APIView):
    """Reads the data of a request that REST framework authenticates."""

    authentication_classes = (SigV4Authentication,)

    def put(self, request: Request) -> Response:
        """Answer."""
        SEEN.append(request._request.read())
        return Response("done")


def as_done(request: HttpRequest) -> HttpResponse:
    """Answer failures of the server with a success."""
    return HttpResponse("done")


def as_done_too(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer failures of the client with a success."""
    return HttpResponse("done")


urlpatterns = [
    path("async/key", any_async_view),
    path("exempt/key", csrf_exempt(sigv4_exempt(any_view))),
    path("protected/key", protected_view),
    path("api/key", APIUpload.as_view()),
    re_path("", any_view),
]
#: The same URLs, of a project that answers all errors with a success.
GENEROUS: Any = ModuleType("generous")
GENEROUS.urlpatterns = urlpatterns
GENEROUS.handler400 = GENEROUS.handler403 = GENEROUS.handler404 = as_done_too
GENEROUS.handler500 = as_done


@pytest.fixture(autouse=True)
def _streams(sigv4: Callable[..., None], settings: Any) -> None:
    """Serve S3 to the host, and at the time, that the uploads were signed for."""
    SEEN.clear()
    sigv4(SERVICE="s3", CLOCK=lambda: NOW, STREAM=True)
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["api.example.com"]
    address = "admin@example.com"
    settings.ADMINS = [address] if django.VERSION >= (6,) else [("admin", address)]
    mail.outbox = []


def send(message: Message, *, body: Any = None, app: Any = None, **extra: Any) -> Any:
    """Return what a server of WSGI would send for *message*, read to its end and closed."""
    environ = RequestFactory().request(REQUEST_METHOD=message.method).environ
    for name, value in message.headers:
        key = name.decode().upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode()
    environ["PATH_INFO"] = environ["RAW_URI"] = message.path.decode()
    if message.query:
        environ["QUERY_STRING"] = message.query.decode()
        environ["RAW_URI"] += "?" + message.query.decode()
    environ["CONTENT_LENGTH"] = str(len(message.body))
    environ["wsgi.input"] = body or Socket(message.body)
    with connections_kept():
        content, status, headers = run_wsgi_app(
            app or WSGIHandler(), environ | extra, buffered=True
        )
    return Answer(int(status.split()[0]), b"".join(content), dict(headers))


class Answer:
    """What was sent."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.status, self.content, self.headers = status, content, headers

    def __repr__(self) -> str:
        return f"{self.status} {self.content!r}"


def served(view: Callable[[HttpRequest], Any], message: Message, **options: Any) -> Any:
    """Return the answer of *view* to *message*."""
    VIEW["view"] = view
    return send(message, **options)


def is_refused(answer: Any, form: PayloadForm, label: str = "") -> None:
    """Fail unless *answer* is AWS's refusal of a body that was forged."""
    status, code = CODES[form]
    found = (answer.status, f"<Code>{code}</Code>".encode() in answer.content)
    assert found == (status, True), (label, answer)
    assert b"done" not in without_host_id(answer.content)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Authorization" in answer.headers["Vary"]
    assert "Location" not in answer.headers


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

    def view(request: HttpRequest) -> HttpResponse:
        assert sent.received == 0
        got = b""
        while piece := request.read(1):
            got += piece
            seen.append((len(got), len(message.body) - sent.received))
        assert got == DATA
        return HttpResponse(request.sigv4.access_key_id)  # type: ignore[attr-defined]

    answer = served(view, message, body=sent)
    assert (answer.status, answer.content) == (200, ACCESS_KEY_ID.encode())
    assert "Authorization" in answer.headers["Vary"]
    first, *_, last = seen
    assert first[1] > len(message.body) / 3
    assert last == (len(DATA), 0)


READS: dict[str, Callable[[HttpRequest], bytes]] = {
    "read": lambda request: request.read(),
    "read by length": lambda request: request.read(len(DATA)),
    "pieces": lambda request: b"".join(iter(lambda: request.read(1000), b"")),
    "readline": lambda request: b"".join(iter(request.readline, b"")),
    "iteration": lambda request: b"".join(request),
    "readlines": lambda request: b"".join(request.readlines()),
    "body": lambda request: request.body,
    "wsgi.input": lambda request: request.META["wsgi.input"].read(),
}


@each_form
@pytest.mark.parametrize("how", READS)
@pytest.mark.parametrize("target", ["/bucket/key", "/exempt/key", "/async/key"])
def test_body_is_read_in_any_way(form: PayloadForm, how: str, target: str) -> None:
    """However a view reads, it gets the decoded body; exempt views too, where it is signed."""
    message = uploaded(DATA, target=target)[form]
    answer = served(lambda request: HttpResponse(READS[how](request)), message)
    assert (answer.status, answer.content) == (200, DATA)


def uploaded(body: bytes, **where: Any) -> dict[PayloadForm, Message]:
    """Return an upload of *body* in each payload form."""
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    return {
        form: message
        for form, message in uploads(*pieces, **where).items()
        if isinstance(message, Message)
    }


def posts(body: bytes, kind: str) -> dict[PayloadForm, Message]:
    """Return a POST of *body* in each payload form."""
    return uploaded(body, method="POST", target="/form", headers={"Content-Type": kind})


MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n%s\r\n--b--\r\n'
)


def show_form(request: HttpRequest) -> HttpResponse:
    """Answer with fields and files."""
    files = {
        name: hashlib.sha256(file.read()).hexdigest()  # type: ignore[union-attr]
        for name, file in request.FILES.items()
    }
    return JsonResponse({"fields": request.POST.dict(), "files": files})


@each_form
def test_form(form: PayloadForm) -> None:
    """A form is parsed as ever, and a forged one is refused."""
    body = urlencode({"a": "1"}).encode()
    message = posts(body, "application/x-www-form-urlencoded")[form]
    assert b'"a": "1"' in served(show_form, message).content
    is_refused(send(replace(message, body=message.body.replace(b"a=1", b"a=2"))), form)


@each_form
@pytest.mark.parametrize("size", [3, len(BIG)])
def test_multipart_of_3_mib(form: PayloadForm, size: int, tmp_path: Path, settings: Any) -> None:
    """Fields and files of more than 3 MiB are there with default settings, and then gone."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    message = posts(MULTIPART % BIG[:size], "multipart/form-data; boundary=b")[form]
    answer = served(show_form, message)
    assert answer.status == 200
    assert b'"a": "1"' in answer.content
    assert hashlib.sha256(BIG[:size]).hexdigest().encode() in answer.content
    at = message.body.index(b"\0\1\2") + (0 if size == 3 else len(BIG) // 2)
    other = message.body[:at] + b"???" + message.body[at + 3 :]
    is_refused(send(replace(message, body=other)), form)
    assert not list(tmp_path.iterdir())


@each_form
def test_upload_of_3_mib(form: PayloadForm) -> None:
    """A file of more than 3 MiB, which request.body would not take, is read under the defaults."""
    message = uploaded(BIG)[form]
    answer = served(lambda r: HttpResponse(hashlib.sha256(r.read()).hexdigest()), message)
    assert answer.content == hashlib.sha256(BIG).hexdigest().encode()
    # As Django limits it.
    assert served(lambda request: HttpResponse(request.body), message).status == 400


class Streaming(FileUploadHandler):
    """Passes a file on while it arrives."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Note the data."""
        SEEN.append(len(raw_data))

    def file_complete(self, file_size: int) -> None:
        """Note the end of the file."""

    def upload_complete(self) -> None:
        """Note that the form was read to its end."""
        SEEN.append("complete")

    def upload_interrupted(self) -> None:
        """Note that it was not."""
        SEEN.append("interrupted")


@each_form
def test_upload_handler_that_streams(form: PayloadForm, settings: Any) -> None:
    """A handler gets the file while it arrives, and upload_complete when all is verified."""
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.Streaming"]
    message = posts(MULTIPART % BIG, "multipart/form-data; boundary=b")[form]
    sent = Socket(message.body)
    left: list[int] = []

    def view(request: HttpRequest) -> HttpResponse:
        assert request.POST["a"] == "1"
        left.append(len(message.body) - sent.received)
        return HttpResponse("done")

    assert served(view, message, body=sent).content == b"done"
    assert SEEN.pop() == "complete"
    assert (sum(SEEN), left) == (len(BIG), [0])
    SEEN.clear()
    at = len(message.body) - 400
    is_refused(send(replace(message, body=message.body[:at] + b"?" + message.body[at + 1 :])), form)
    assert SEEN.pop() == "interrupted"
    assert SEEN
    assert not {"complete", "interrupted"} & set(SEEN)


@each_form
def test_answer_may_be_made_from_the_body(form: PayloadForm) -> None:
    """A streamed answer reads what has been verified before it goes out."""

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(iter(lambda: request.read(1000), b""))

    assert served(view, STREAMED[form]).content == DATA
    is_refused(send(forged(STREAMED[form])), form)


def test_trailers_are_there_after_the_body() -> None:
    """Trailers of a streamed body are known when it has been read."""

    def view(request: HttpRequest) -> HttpResponse:
        SEEN.append(dict(request.META["wsgi_sigv4.trailers"]))
        assert request.body == DATA
        SEEN.append(list(request.META["wsgi_sigv4.trailers"]))
        return HttpResponse("done")

    answer = served(view, STREAMED[PayloadForm.STREAMING_SIGNED_TRAILER])
    assert answer.status == 200
    assert SEEN == [{}, ["x-amz-checksum-crc32"]]


def reads_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Middleware that reads the body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert request.body
        return get_response(request)

    return middleware


def reads_all(request: HttpRequest) -> HttpResponse:
    """Read to the end."""
    SEEN.append(len(request.read()))
    return HttpResponse("done")


def test_body_that_was_read_before_is_verified_first(settings: Any) -> None:
    """What somebody above has read is not handed on before it is verified."""
    settings.MIDDLEWARE = [f"{__name__}.reads_first", *settings.MIDDLEWARE]
    assert served(reads_all, SHA256).content == b"done"
    is_refused(send(forged(SHA256)), PayloadForm.SHA256)
    assert [len(DATA)] == SEEN


@each_form
def test_asgi_is_verified_first(form: PayloadForm) -> None:
    """Under ASGI, where Django has the body before anybody, no view is called too early."""
    VIEW["view"] = reads_all

    def sent(message: Message) -> Sent:
        headers = tuple((name.decode(), value.decode()) for name, value in message.headers)
        headers += (("Content-Length", str(len(message.body))),)
        target = message.path.decode()
        return Sent(method=message.method, target=target, headers=headers, body=message.body)

    assert send_async(sent(STREAMED[form]), pieces=5).content == b"done"
    assert send_async(sent(forged(STREAMED[form])), pieces=5).status_code == CODES[form][0]
    assert [len(DATA)] == SEEN


@each_form
def test_rest_framework_alone_verifies_first(form: PayloadForm, settings: Any) -> None:
    """Without the middleware nobody could hold an answer back: the body is verified first."""
    settings.MIDDLEWARE = []
    message = uploaded(DATA, target="/api/key")[form]
    assert send(message).status == 200
    assert send(forged(message)).status == CODES[form][0]
    assert SEEN == [DATA]


@each_form
def test_rest_framework_below_the_middleware(form: PayloadForm) -> None:
    """With the middleware the body is streamed to views of REST framework, too."""
    message = uploaded(DATA, target="/api/key")[form]
    assert send(message).content == b'"done"'
    is_refused(send(forged(message)), form)


# T50: what is not.


def answers(request: HttpRequest) -> HttpResponse:
    """Answer, and read nothing."""
    return HttpResponse("done")


def reads_the_length(request: HttpRequest) -> HttpResponse:
    """Stop where the length says."""
    request.read(int(request.META["CONTENT_LENGTH"]))
    return HttpResponse("done")


def reads_one_byte(request: HttpRequest) -> HttpResponse:
    """Look at the beginning."""
    request.read(1)
    return HttpResponse("done")


def swallows(request: HttpRequest) -> HttpResponse:
    """Take a lost client for the end of the body."""
    for _ in range(30):
        with suppress(UnreadablePostError):
            request.read(1000)
    return HttpResponse("done")


def swallows_everything(request: HttpRequest) -> HttpResponse:
    """Ask for everything, and take no error for one."""
    for name in ("POST", "FILES", "body"):
        with suppress(Exception):
            getattr(request, name)
    return HttpResponse("done")


def asks_for_the_body(request: HttpRequest) -> HttpResponse:
    """Have Django keep the body."""
    assert request.body
    return HttpResponse("done")


def redirects(request: HttpRequest) -> HttpResponse:
    """Answer as forms are answered that went well."""
    return HttpResponseRedirect("/done")


def generates(request: HttpRequest) -> StreamingHttpResponse:
    """Answer first and read later."""

    def pieces() -> Iterator[bytes]:
        yield b"do"
        with suppress(Exception):
            request.read()
        yield b"ne"

    return StreamingHttpResponse(pieces())


def renders_later(request: HttpRequest) -> SimpleTemplateResponse:
    """Read while the answer is rendered."""

    class Late(SimpleTemplateResponse):
        @property
        def rendered_content(self) -> str:
            request.read()
            return "done"

    return Late("none")


def reads_in_a_thread(request: HttpRequest) -> HttpResponse:
    """Have another thread read, and answer meanwhile."""

    def read() -> None:
        with suppress(Exception):
            while request.read(700):
                pass

    threading.Thread(target=read).start()
    return HttpResponse("done")


def closes(request: HttpRequest) -> HttpResponse:
    """Close what belongs to the server."""
    request._stream.close()
    return HttpResponse("done")


def throws_away(request: HttpRequest) -> HttpResponse:
    """Take the body, and all that is ours, out of the request."""
    for key in [key for key in request.META if "sigv4" in key]:
        del request.META[key]
    request.META["wsgi.input"] = io.BytesIO()
    request._stream = io.BytesIO()
    request.sigv4 = None  # type: ignore[attr-defined]
    return HttpResponse("done")


def fails_on_what_it_got(request: HttpRequest) -> HttpResponse:
    """Fail since the body is not there."""
    try:
        return HttpResponse(request.body)
    except OSError as error:
        raise LookupError("no body") from error


def refuses_what_it_got(request: HttpRequest) -> HttpResponse:
    """Refuse since the body is not there."""
    try:
        return HttpResponse(request.body)
    except OSError as error:
        raise AccessDenied from error


VIEWS = (
    *(answers, reads_all, reads_the_length, reads_one_byte, swallows, swallows_everything),
    *(asks_for_the_body, redirects, generates, renders_later, reads_in_a_thread, closes),
    *(throws_away, fails_on_what_it_got, refuses_what_it_got),
)


@sync_and_async_middleware
def makes_a_success(get_response: Any) -> Any:
    """Middleware below ours that answers everything with a success."""
    if iscoroutinefunction(get_response):

        async def later(request: HttpRequest) -> HttpResponse:
            await get_response(request)
            return HttpResponse("done")

        return later

    def middleware(request: HttpRequest) -> HttpResponse:
        get_response(request)
        return HttpResponse("done")

    return middleware


class Handles:
    """Middleware below ours that answers exceptions with a success."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """Answer."""
        return HttpResponse("done")


class OnlyAsync:
    """Middleware that makes the chain above it asynchronous."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        await asyncio.sleep(0)
        return await self.get_response(request)


BELOW = {
    "nothing": [],
    "makes_a_success": [f"{__name__}.makes_a_success"],
    "handles": [f"{__name__}.Handles"],
    "async": [f"{__name__}.OnlyAsync"],
    "async success": [f"{__name__}.makes_a_success", f"{__name__}.OnlyAsync"],
}


@each_form
@pytest.mark.parametrize("view", VIEWS)
def test_t50_no_view_turns_a_forged_body_into_a_success(
    form: PayloadForm, view: Callable[[HttpRequest], Any], settings: Any
) -> None:
    """T50: whatever is changed and whatever a view does, the client sees a refusal."""
    settings.ROOT_URLCONF = GENEROUS
    VIEW["view"] = view
    app = WSGIHandler()
    for label, message in changes(STREAMED[form]):
        answer = send(message, app=app)
        assert answer.status >= 400, label
        assert b"<Code>" in answer.content, label
        assert b"done" not in without_host_id(answer.content), label
    assert send(STREAMED[form], app=app).status in (200, 302)


@each_form
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("target", ["/bucket/key", "/async/key", "/exempt/key"])
def test_t50_no_middleware_turns_a_forged_body_into_a_success(
    form: PayloadForm,
    view: Callable[[HttpRequest], Any],
    below: str,
    target: str,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T50: nor does middleware below ours; and it is a refusal, no fault and no mail."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *BELOW[below]]
    finished: list[object] = []

    def finish(sender: object, **_: object) -> None:
        finished.append(sender)

    request_finished.connect(finish)
    message = uploaded(DATA, target=target)[form]
    is_refused(served(view, forged(message)), form)
    request_finished.disconnect(finish)
    assert finished == [WSGIHandler]
    levels = [(record.name, record.levelno) for record in caplog.records]
    assert levels.count(("wsgi_sigv4", logging.WARNING)) == 1
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]
    assert mail.outbox == []


@each_form
@pytest.mark.parametrize("view", VIEWS)
def test_t50_debug_page(
    form: PayloadForm, view: Callable[[HttpRequest], Any], settings: Any
) -> None:
    """T50: with DEBUG it is the refusal, too, and no debug page."""
    settings.DEBUG = True
    is_refused(served(view, forged(STREAMED[form])), form)


@each_form
def test_t50_refusal_that_becomes_a_success(form: PayloadForm, settings: Any) -> None:
    """T50: nothing is verified after a view has refused, so the refusal stays one."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.makes_a_success"]

    def denies(request: HttpRequest) -> HttpResponse:
        raise AccessDenied

    answer = served(denies, forged(STREAMED[form]))
    assert (answer.status, b"<Code>AccessDenied</Code>" in answer.content) == (403, True)


@each_form
def test_t50_middleware_below_that_reads(form: PayloadForm, settings: Any) -> None:
    """T50: what Django makes of an error that middleware below lets rise is replaced."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.reads_first"]
    settings.ROOT_URLCONF = GENEROUS
    assert served(answers, STREAMED[form]).content == b"done"
    is_refused(send(forged(STREAMED[form])), form)


def test_csrf_protection_that_reads_the_form() -> None:
    """A forged form of a presigned URL is a refusal, though CSRF protection swallows the error."""
    body = b"csrfmiddlewaretoken=x&a=1"
    kind = "application/x-www-form-urlencoded"
    message = uploaded(body, method="POST", target="/protected/key", headers={"Content-Type": kind})
    for form, sent in message.items():
        assert served(answers, sent).content == b"done"
        is_refused(send(replace(sent, body=sent.body.replace(b"a=1", b"a=2"))), form)


# After a refusal.


def looks_on(get_response: Any) -> Any:
    """Middleware above ours that looks at the request when it has been answered."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        SEEN.append(
            {
                "status": response.status_code,
                "sigv4": request.sigv4 and request.sigv4.access_key_id,
                "user": str(request.user),
                "remote": request.META.get("REMOTE_USER"),
                "keys": [key for key in request.META if key.startswith("wsgi_sigv4.")],
                "body": request.read(),
            }
        )
        return response

    return middleware


class Owner:
    """A user who owns a key."""

    is_active = True

    def __str__(self) -> str:
        return "ada"


def owner(identity: object, request: HttpRequest) -> Owner:
    """Return the user."""
    return Owner()


@each_form
@pytest.mark.parametrize("view", [answers, asks_for_the_body, swallows])
def test_nobody_is_left_after_a_refusal(
    form: PayloadForm,
    view: Callable[[HttpRequest], Any],
    settings: Any,
    sigv4: Callable[..., None],
) -> None:
    """Middleware above finds neither identity, nor user, nor body."""
    sigv4(USER=owner, REMOTE_USER="access_key_id")
    settings.MIDDLEWARE = [f"{__name__}.looks_on", *settings.MIDDLEWARE]
    is_refused(served(view, forged(STREAMED[form])), form)
    assert [
        {
            "status": CODES[form][0],
            "sigv4": None,
            "user": "AnonymousUser",
            "remote": None,
            "keys": [],
            "body": b"",
        }
    ] == SEEN
    SEEN.clear()
    assert served(answers, STREAMED[form]).status == 200
    assert (SEEN[0]["sigv4"], SEEN[0]["user"]) == (ACCESS_KEY_ID, "ada")
    assert SEEN[0]["remote"] == ACCESS_KEY_ID


@each_form
def test_response_of_the_view_is_closed(form: PayloadForm) -> None:
    """A file that the view opened for its answer is closed with the refusal."""
    file = io.BytesIO(b"done")

    def view(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(file)

    is_refused(served(view, forged(STREAMED[form])), form)
    assert file.closed


# Errors of the view's own.


@each_form
@pytest.mark.parametrize("status", [403, 507])
def test_error_of_a_view_is_its_answer(form: PayloadForm, status: int) -> None:
    """A view that refuses an authentic upload is not overruled."""
    answer = served(lambda request: HttpResponse("no", status=status), STREAMED[form])
    assert (answer.status, answer.content) == (status, b"no")


def test_early_error_reads_no_more_than_the_drain() -> None:
    """A large upload that a view refuses at once is not read to its end."""
    message = plain("UNSIGNED-PAYLOAD", bytes(64 * 1024) * 512)
    sent = Socket(message.body)
    answer = served(lambda request: HttpResponse("no", status=403), message, body=sent)
    assert (answer.status, answer.content) == (403, b"no")
    assert 10 * 1024 * 1024 <= sent.received < 11 * 1024 * 1024


def test_error_that_is_logged_with_its_body(settings: Any) -> None:
    """Middleware above that reads the body of a failed request finds none, and no fault."""
    settings.MIDDLEWARE = [f"{__name__}.looks_on", *settings.MIDDLEWARE]
    assert served(lambda request: HttpResponse("no", status=409), SHA256).status == 409
    assert SEEN[0]["body"] == b""


def test_fault_of_a_view_is_one(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that has nothing to do with the body is Django's to deal with."""

    def view(request: HttpRequest) -> HttpResponse:
        request.read(10)
        raise LookupError("a mistake")

    assert served(view, SHA256).status == 500
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("django.request", "ERROR")
    ]
    assert len(mail.outbox) == 1


def test_view_that_denies_an_upload(caplog: pytest.LogCaptureFixture) -> None:
    """What a view refuses is refused once, whatever the body is, and drained."""

    def denies(request: HttpRequest) -> HttpResponse:
        raise AccessDenied

    for message in (SHA256, forged(SHA256)):
        caplog.clear()
        sent = Socket(message.body)
        answer = served(denies, message, body=sent)
        assert (answer.status, b"<Code>AccessDenied</Code>" in answer.content) == (403, True)
        assert sent.received == len(message.body)
        assert [record.name for record in caplog.records].count("wsgi_sigv4") == 1


def test_missing_page_stays_missing() -> None:
    """Django's own answers to what a view raises are its answers."""

    def missing(request: HttpRequest) -> HttpResponse:
        raise Http404

    assert served(missing, SHA256).status == 404
    is_refused(served(missing, forged(SHA256)), PayloadForm.SHA256)


# AUTHORIZE.


@pytest.mark.parametrize("below", ["nothing", "async"])
def test_authorize_that_refuses_drains(
    below: str, sigv4: Callable[..., None], settings: Any
) -> None:
    """What a key may not do is refused at the headers, and the body is drained."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, *BELOW[below]]
    sigv4(AUTHORIZE=lambda identity, meta: False)
    sent = Socket(SHA256.body)
    answer = served(reads_all, SHA256, body=sent)
    assert (answer.status, b"<Code>AccessDenied</Code>" in answer.content) == (403, True)
    assert (sent.received, SEEN) == (len(SHA256.body), [])


def test_authorize_must_not_read_the_body(
    sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """It would judge by bytes that are not verified, and take them from the view."""
    sigv4(AUTHORIZE=lambda identity, meta: bool(meta["wsgi.input"].read(1)))
    served(reads_all, SHA256)
    assert "AUTHORIZE has read" in caplog.text
    assert SEEN == []


# Room.


@pytest.mark.parametrize("is_forged", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_temporary_files_are_closed(
    view: Callable[[HttpRequest], Any],
    is_forged: bool,
    sigv4: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a view does, nothing is left of a body that was kept on disk."""
    opened: list[Any] = []
    real = tempfile.TemporaryFile

    def remembered(**options: Any) -> Any:
        opened.append(real(**options))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remembered)
    sigv4(MEMORY_LIMIT=10)
    message = STREAMED[PayloadForm.STREAMING_SIGNED]
    served(view, forged(message) if is_forged else message)
    assert opened or view is closes
    assert all(file.closed for file in opened)


# T40: inside a wrapper.


@each_form
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("stream", [False, True])
def test_t40_wrapped_project(
    form: PayloadForm,
    view: Callable[[HttpRequest], Any],
    stream: bool,
    sigv4: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T40: a project that takes the identity over is served once verified, and never too early."""
    concluded: list[object] = []
    real = Verifier.conclude

    def conclude(self: Verifier, *args: Any, **options: Any) -> Any:
        concluded.append(self)
        return real(self, *args, **options)

    monkeypatch.setattr(Verifier, "conclude", conclude)
    sigv4(STREAM=stream)
    app = SigV4Middleware(WSGIHandler(), get_verifier(), stream=True)
    assert served(view, STREAMED[form], app=app).status in (200, 302)
    assert len(concluded) == 1
    answer = send(forged(STREAMED[form]), app=app)
    status, code = CODES[form]
    assert (answer.status, f"<Code>{code}</Code>".encode() in answer.content) == (status, True)
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]
    assert [record.name for record in caplog.records].count("wsgi_sigv4") == 1


@each_form
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("view", [answers, reads_all, swallows, generates])
def test_t40_other_verifier_outside(
    form: PayloadForm,
    stream: bool,
    view: Callable[[HttpRequest], Any],
    sigv4: Callable[..., None],
) -> None:
    """T40: what another verifier hands on is verified again, and a forged body is no success."""
    sigv4(STREAM=stream)
    other = Verifier(
        {ACCESS_KEY_ID: SECRET}, region=None, service="s3", profile=S3, clock=lambda: NOW
    )
    app = SigV4Middleware(WSGIHandler(), other, stream=True)
    for message in (STREAMED[form], forged(STREAMED[form])):
        answer = served(view, message, app=app)
        is_framed = message.header("content-encoding") is not None
        # The framing is gone, so that nobody can verify the signed request any more.
        assert (answer.status == 200) == (message is STREAMED[form] and not is_framed)
        assert answer.status == 200 or b"<Code>" in answer.content
