"""Aws-chunked uploads and checksums, under WSGI and ASGI: the views see plain HTTP."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

import pytest
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import JsonResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.core.uploads import FORMS
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import crc32
from tests.core.uploads import hostile_changes
from tests.core.uploads import upload
from tests.django import views
from tests.django.conftest import Exchange
from tests.django.signing import HOST
from tests.django.signing import Sent
from tests.wsgi.boto3_uploads import put_object

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

PIECES = (b"a" * 8192, b"b" * 9000, b"c")
BIG = bytes(range(256)) * (3 * 1024 * 4)
#: What the last view has seen.
SEEN: dict[str, Any] = {}

each_form = pytest.mark.parametrize("form", FORMS)


@csrf_exempt
def note(request: HttpRequest) -> HttpResponse:
    """Keep what there is to see of an upload."""
    SEEN.clear()
    views.calls.append(request.path)
    SEEN["body"] = request.read()
    SEEN["meta"] = dict(request.META)
    SEEN["headers"] = dict(request.headers)
    return HttpResponse("noted")


@csrf_exempt
def count(request: HttpRequest) -> HttpResponse:
    """Answer with what request.POST and request.FILES hold."""
    files = {
        name: hashlib.sha256(cast("UploadedFile[Any]", file).read()).hexdigest()
        for name, file in request.FILES.items()
    }
    return JsonResponse({"fields": request.POST.dict(), "files": files})


urlpatterns = [re_path("^form", count), re_path("", note)]


@pytest.fixture(autouse=True)
def _s3(sigv4: Callable[..., None], settings: Any) -> None:
    """Serve S3, with the views above."""
    sigv4(SERVICE="s3", PROFILE="wsgi_sigv4.S3")
    settings.ROOT_URLCONF = __name__


def sent(message: Message) -> Sent:
    """Return *message* as Django's tests send it."""
    headers = [(name.decode(), value.decode()) for name, value in message.headers]
    if message.header("transfer-encoding") is None and message.header("content-length") is None:
        headers.append(("Content-Length", str(len(message.body))))
    target = message.path + (b"?" + message.query if message.query else b"")
    return Sent(
        method=message.method, target=target.decode(), headers=tuple(headers), body=message.body
    )


def signed(*pieces: bytes, **changes: Any) -> Message:
    """Return an upload that the reference signer signs just now."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signer = replace(S3_SIGNER, timestamp=now, date=now[:8])
    headers = {"Host": HOST, **changes.pop("headers", {})}
    return upload(*pieces, **({"signer": signer} | changes), headers=headers)


def is_plain(body: bytes, trailers: Iterable[str]) -> None:
    """Fail unless the view saw *body* as any client would have sent it."""
    assert SEEN["body"] == body
    meta = SEEN["meta"]
    assert meta["CONTENT_LENGTH"] == str(len(body))
    assert "HTTP_TRANSFER_ENCODING" not in meta
    assert "HTTP_CONTENT_ENCODING" not in meta
    assert list(meta["wsgi_sigv4.trailers"]) == list(trailers)
    assert SEEN["headers"]["Content-Length"] == str(len(body))
    assert "Content-Encoding" not in SEEN["headers"]


@each_form
@pytest.mark.parametrize("pieces", [PIECES, (b"x",), ()], ids=["three", "one", "none"])
def test_view_sees_plain_http(exchange: Exchange, form: str, pieces: tuple[bytes, ...]) -> None:
    """Body, length and headers are those of a plain upload, of no bytes too."""
    response = exchange(sent(signed(*pieces, form=form)))
    assert response.status_code == 200, response.content
    is_plain(b"".join(pieces), ["x-amz-checksum-crc32"] if "TRAILER" in form else [])


@pytest.mark.parametrize("body", [b"", b"hello", BIG], ids=["0", "5", "3M"])
def test_default_put_object_of_boto3(exchange: Exchange, body: bytes) -> None:
    """What boto3 sends over https with all defaults arrives."""
    message = put_object(f"https://{HOST}", body)
    extra = {}
    if message.header("transfer-encoding") and exchange.__name__ == "send":
        # As gunicorn says that it ends the body; Django's test client cannot send one without.
        message = message.without_header("Transfer-Encoding")
        extra = {"CONTENT_LENGTH": str(len(message.body))}
    response = exchange(sent(message), **extra)
    assert response.status_code == 200, response.content
    is_plain(body, ["x-amz-checksum-crc32"])


@each_form
def test_refused_after_one_change(exchange: Exchange, form: str) -> None:
    """T3, T9-T11, T13, T14: no view is called after any one change."""
    for label, changed in hostile_changes(signed(*PIECES, form=form)):
        response = exchange(sent(changed))
        assert 400 <= response.status_code < 500, label
    assert views.calls == []


def test_checksum_in_a_header(exchange: Exchange) -> None:
    """T23: a checksum in a header is verified, where the body itself is not signed too."""
    for name, good, bad in (
        ("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("x-amz-checksum-crc32", crc32(b"hello"), crc32(b"x")),
    ):
        for value, status in ((good, 200), (bad, 400)):
            message = signed(headers={name: value, "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"})
            response = exchange(sent(replace(message, body=b"hello")))
            assert response.status_code == status, response.content
    assert len(views.calls) == 2


def test_form_with_files(exchange: Exchange) -> None:
    """A multipart form of more than 3 MiB, in signed chunks, is parsed as any other."""
    boundary = "b0undary"
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n'
        ).encode()
        + BIG
        + f"\r\n--{boundary}--\r\n".encode()
    )
    pieces = tuple(body[at : at + 65536] for at in range(0, len(body), 65536))
    message = signed(
        *pieces,
        form=SIGNED_TRAILER,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        method="POST",
        target="/form",
    )
    response = exchange(sent(message))
    assert response.json() == {
        "fields": {"a": "1"},
        "files": {"f": hashlib.sha256(BIG).hexdigest()},
    }


@each_form
def test_body_that_was_read_before(exchange: Exchange, form: str, settings: Any) -> None:
    """Where middleware above has read the body, request.body is the decoded one afterwards."""
    settings.MIDDLEWARE = [f"{__name__}.reads_first", *settings.MIDDLEWARE]
    response = exchange(sent(signed(b"hello", form=form)))
    assert response.status_code == 200, response.content
    assert SEEN["body"] == b"hello"
    assert SEEN["meta"]["CONTENT_LENGTH"] == "5"
    assert SEEN["headers"]["Content-Length"] == "5"
    spoilt = signed(b"hello", form=form)
    spoilt = replace(spoilt, body=spoilt.body.replace(b"hello", b"hullo"))
    assert exchange(sent(spoilt)).status_code in (400, 403)
    assert len(views.calls) == 1


def reads_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Middleware that reads the body, and the headers."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert request.body
        assert request.headers["X-Amz-Decoded-Content-Length"] == "5"
        return get_response(request)

    return middleware


def test_limit_is_that_of_the_content(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """max_body counts what the view reads, not the framing around it."""
    data = b"".join(PIECES)
    sigv4(SERVICE="s3", PROFILE="wsgi_sigv4.S3", MAX_BODY=len(data))
    assert exchange(sent(signed(*PIECES))).status_code == 200
    sigv4(SERVICE="s3", PROFILE="wsgi_sigv4.S3", MAX_BODY=len(data) - 1)
    assert exchange(sent(signed(*PIECES))).status_code == 413
    assert len(views.calls) == 1
