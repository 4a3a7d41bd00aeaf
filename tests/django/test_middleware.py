"""The middleware, under WSGI and ASGI: who is let through, and what the views see."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http import HttpResponse
from django.test import RequestFactory

from tests.django import views
from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import FORM
from tests.django.signing import HOST
from tests.django.signing import SECOND
from tests.django.signing import Sent
from tests.django.signing import code_of
from tests.django.signing import send
from tests.django.signing import send_async
from tests.django.signing import sign
from tests.django.signing import tampered
from wsgi_sigv4.contrib.django.middleware import SigV4Middleware
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.responses import Answer

BIG = bytes(range(256)) * (3 * 1024 * 4)
MIDDLEWARE = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("view", ["whoami", "async-whoami"])
def test_signed_request_reaches_its_view(exchange: Exchange, view: str, presigned: bool) -> None:
    """Both forms reach synchronous and asynchronous views, which see who signed."""
    response = exchange(sign(target=f"/{view}", presigned=presigned))
    assert response.status_code == 200
    assert response.json()["key"] == FIRST
    assert response.json()["meta_key"] == FIRST
    assert response.json()["user"] == "AnonymousUser"


@pytest.mark.parametrize("presigned", [False, True])
def test_wrong_signature_is_refused(exchange: Exchange, presigned: bool) -> None:
    """A wrong signature is refused in AWS's words, and the view is not called."""
    response = exchange(tampered(sign(presigned=presigned)))
    assert response.status_code == 403
    assert code_of(response) == "InvalidSignatureException"
    assert views.calls == []


def test_unsigned_request_is_refused(exchange: Exchange) -> None:
    """By default every view needs a signature."""
    response = exchange(Sent(method="GET", target="/whoami"))
    assert response.status_code == 403
    assert code_of(response) == "MissingAuthenticationTokenException"
    assert views.calls == []


def test_page_that_does_not_exist_is_not_told_to_strangers(exchange: Exchange) -> None:
    """An unsigned request for no page at all is refused like any other."""
    assert exchange(Sent(method="GET", target="/no-such-page")).status_code == 403
    assert exchange(sign(target="/no-such-page")).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer abc"),
        ("Authorization", "aws4-hmac-sha256 Credential=x"),
        ("X-Amz-Date", "20260101T000000Z"),
        ("X-Amz-Security-Token", "abc"),
    ],
)
def test_traces_of_a_signature_are_refused(exchange: Exchange, name: str, value: str) -> None:
    """Another scheme, and a request that is signed only in part, are refused."""
    response = exchange(Sent(method="GET", target="/whoami").with_header(name, value))
    assert response.status_code in (400, 403)
    assert views.calls == []


def test_optional_lets_anonymous_requests_through(
    exchange: Exchange, sigv4: Callable[..., None]
) -> None:
    """With REQUIRED False an unsigned request has no identity, and views decide."""
    sigv4(REQUIRED=False)
    response = exchange(Sent(method="GET", target="/whoami"))
    assert response.status_code == 200
    assert response.json()["key"] is None
    assert exchange(sign()).json()["key"] == FIRST


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda: tampered(sign()), id="wrong signature"),
        pytest.param(lambda: tampered(sign(presigned=True)), id="wrong presigned URL"),
        pytest.param(lambda: sign(key=FIRST, secret="wrong"), id="wrong secret"),
        pytest.param(lambda: sign().without("x-amz-date"), id="no date"),
        pytest.param(
            lambda: Sent(method="GET", target="/whoami").with_header("x-amz-date", "x"),
            id="lone date",
        ),
        pytest.param(
            lambda: Sent(method="GET", target="/whoami?x-amz-signature=1"), id="other case"
        ),
        pytest.param(
            lambda: Sent(method="GET", target="/whoami?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE"),
            id="credential alone",
        ),
    ],
)
def test_failed_attempt_is_refused_where_optional(
    exchange: Exchange, sigv4: Callable[..., None], attempt: Callable[[], Sent]
) -> None:
    """T41: any trace of a signature is an attempt, which is refused where it fails."""
    sigv4(REQUIRED=False)
    assert exchange(attempt()).status_code in (400, 403)
    assert views.calls == []


@pytest.mark.parametrize("target", ["/upload", "/exempt"])
def test_post_policy_form_is_no_anonymous_request(
    exchange: Exchange, sigv4: Callable[..., None], target: str
) -> None:
    """T41: a form whose fields carry a signature is refused, however it is sent."""
    sigv4(REQUIRED=False)
    body, content_type = multipart(("X-Amz-Signature", "0" * 64), ("file", "x"))
    sent = unsigned_form(target, body, content_type)
    assert exchange(sent).status_code == 403
    assert views.calls == []


def test_anonymous_form_stays_readable(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """The form that was looked at for a signature is still there for the view."""
    sigv4(REQUIRED=False)
    body, content_type = multipart(("name", "Zoë"), ("text", "x" * 50_000))
    response = exchange(unsigned_form("/upload", body, content_type))
    assert response.json()["fields"] == {"name": "Zoë", "text": "x" * 50_000}


def test_anonymous_form_of_the_test_client_stays_readable(sigv4: Callable[..., None]) -> None:
    """Django's asynchronous client sends a body that cannot be rewound."""
    from django.test import AsyncClient

    sigv4(REQUIRED=False)
    post = async_to_sync(AsyncClient().post)
    response = post("/upload", {"name": "Zoë"})
    assert response.json()["fields"] == {"name": "Zoë"}
    assert post("/upload", "x", content_type="text/plain").status_code == 200


def multipart(*fields: tuple[str, str]) -> tuple[bytes, str]:
    """Return the body of a form, and its content type."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    return "".join([*parts, "--b--\r\n"]).encode(), "multipart/form-data; boundary=b"


def unsigned_form(target: str, body: bytes, content_type: str) -> Sent:
    """Return a POST that nobody has signed."""
    headers = (
        ("Host", HOST),
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
    )
    return Sent(method="POST", target=target, headers=headers, body=body)


@pytest.mark.parametrize("length", ["+5", "1_0", "five", "5, 5", "-1"])
def test_length_that_is_no_number(exchange: Exchange, length: str) -> None:
    """It is refused, before the view asks for the body and Django fails."""
    sent = sign("POST", "/whoami", body=b"hello").without("content-length")
    response = exchange(sent.with_header("Content-Length", length))
    assert response.status_code == 400, response.content


PATHS = [
    pytest.param("/echo/plain", "/echo/plain", "/echo/plain", id="plain"),
    pytest.param("/echo/a%2Fb", "/echo/a/b", "/echo/a/b", id="escaped slash"),
    pytest.param("/echo/a%20b", "/echo/a%20b", "/echo/a b", id="space"),
    pytest.param("/echo/%E3%81%82", "/echo/%E3%81%82", "/echo/あ", id="unicode"),
    pytest.param("/echo/%7Ex", "/echo/~x", "/echo/~x", id="superfluous escape"),
    pytest.param("/echo/a+b", "/echo/a%2Bb", "/echo/a+b", id="plus"),
]


@pytest.mark.parametrize("service", ["items", "s3"])
@pytest.mark.parametrize(("target", "canonical", "routed"), PATHS)
def test_path_is_routed_as_it_was_signed(
    exchange: Exchange,
    sigv4: Callable[..., None],
    service: str,
    target: str,
    canonical: str,
    routed: str,
) -> None:
    """The view sees the decoded form of the path that was signed."""
    sigv4(SERVICE=service)
    # botocore signs a path of S3 as it is given, so it is given as S3 reads it.
    spelt = canonical if service == "s3" else target
    response = exchange(replace(sign(target=spelt, service=service), target=target))
    assert response.status_code == 200
    assert response.json()["path_info"] == routed


@pytest.mark.parametrize(
    ("target", "routed"),
    [
        ("/echo//a///b", "/echo/a/b"),
        ("/echo/a/./b/../c/", "/echo/a/c/"),
        ("/echo/%C3%A9//x", "/echo/é/x"),
    ],
)
def test_generic_path_is_routed_in_normal_form(
    exchange: Exchange, target: str, routed: str
) -> None:
    """Where the rules normalise, Django routes on the form that was signed."""
    response = exchange(sign(target=target))
    assert response.json()["path_info"] == routed


def test_normal_form_stands_everywhere(exchange: Exchange) -> None:
    """Whoever asks for the path after us gets one answer."""
    seen = exchange(sign(target="/nothing/..//whoami")).json()
    assert [seen["path"], seen["path_info"], seen["meta_path"]] == ["/whoami"] * 3


def test_s3_path_is_routed_as_sent(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """S3 normalises nothing."""
    sigv4(SERVICE="s3")
    response = exchange(sign(target="/echo//a/./b/../c", service="s3"))
    assert response.json()["path_info"] == "/echo//a/./b/../c"


@pytest.mark.parametrize("target", ["/echo/%2e%2e/whoami", "/echo%2F..%2Fwhoami", "/../whoami"])
def test_hidden_dot_segments_are_refused(exchange: Exchange, target: str) -> None:
    """T48: what another layer would resolve is refused, though it is signed."""
    assert exchange(sign(target=target)).status_code == 400
    assert views.calls == []


@pytest.mark.parametrize("target", ["/echo/%FF", "/echo/%25FF"])
def test_two_paths_are_not_routed_as_one(exchange: Exchange, target: str) -> None:
    """Django shows bytes that are no UTF-8 as it shows their escape: only one is served."""
    response = exchange(sign(target=target))
    expected = 200 if target == "/echo/%25FF" else 403
    assert response.status_code in (expected, 400)
    if expected == 200:
        assert response.json()["path_info"] == "/echo/%FF"


def test_routed_path_other_than_the_signed_one_is_refused() -> None:
    """T31: a server that routes on another path than the one on the wire is found out."""
    sent = sign(target="/exempt")
    assert send(sent, PATH_INFO="/whoami").status_code == 400
    assert send_async(sent, path="/whoami").status_code == 400
    assert views.calls == []


def test_path_rewritten_by_other_middleware_is_refused(settings: Any) -> None:
    """T31: what stands above may not move a signed request to another view."""
    settings.MIDDLEWARE = [f"{__name__}.to_whoami", MIDDLEWARE]
    assert send(sign(target="/exempt")).status_code == 400
    assert views.calls == []


def to_whoami(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Route everything to one view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.path_info = "/whoami"
        return get_response(request)

    return middleware


def test_query_order_and_spelling(exchange: Exchange) -> None:
    """The query is verified as it was sent."""
    assert exchange(sign(target="/whoami?b=2&a=1&a=0&empty=&c=x%20y")).status_code == 200
    sent = sign(target="/whoami?a=1")
    assert exchange(replace(sent, target="/whoami?a=2")).status_code == 403


def test_unsigned_amz_header_is_refused(exchange: Exchange) -> None:
    """T1: an x-amz header that was added after signing is refused."""
    response = exchange(sign().with_header("X-Amz-Acl", "public-read"))
    assert response.status_code == 403
    assert views.calls == []


@pytest.mark.parametrize("name", [b"x_amz_acl", b"X_Amz_Acl", b"x-amz_date"])
def test_header_with_underscore_counts_as_the_other(name: bytes) -> None:
    """T33: under ASGI, where Django drops such names, they are held against the signature."""
    sent = sign()
    headers = [*sent.scope()["headers"], (name, b"a")]
    assert send_async(sent, headers=headers).status_code in (400, 403)
    assert views.calls == []


def test_header_with_underscore_breaks_the_signature_of_the_other() -> None:
    """T33: where another layer might join them, neither is believed."""
    sent = sign(headers=(("X-Tenant", "a"),))
    assert send_async(sent).status_code == 200
    headers = [*sent.scope()["headers"], (b"x_tenant", b"b")]
    assert send_async(sent, headers=headers).status_code == 403


def test_repeated_header_is_verified_as_sent() -> None:
    """Under ASGI each line of a header is there, and they are signed joined by a comma."""
    sent = sign(headers=(("X-Amz-Meta-A", "one,two"),)).without("x-amz-meta-a")
    lines = [(b"x-amz-meta-a", b"one"), (b"x-amz-meta-a", b" two ")]
    assert send_async(sent, headers=[*sent.scope()["headers"], *lines]).status_code == 200


@pytest.mark.parametrize("kind", ["generic", "s3"])
def test_scope_without_raw_path_is_rebuilt(sigv4: Callable[..., None], kind: str) -> None:
    """A server of ASGI that hides the raw path is believed as far as that loses nothing."""
    service = "s3" if kind == "s3" else "items"
    sigv4(SERVICE=service)
    sent = sign(target="/echo/a%20b", service=service)
    assert send_async(sent, raw_path=None).json()["path_info"] == "/echo/a b"
    assert send_async(tampered(sent), raw_path=None).status_code == 403


def test_absolute_form_must_name_the_host(exchange: Exchange) -> None:
    """The authority of an absolute target is refused where it is not the Host."""
    sent = sign()
    assert exchange(replace(sent, target=f"http://{HOST}/whoami")).status_code == 200
    assert exchange(replace(sent, target="http://other/whoami")).status_code in (200, 400)


class TestMount:
    """A project below a prefix."""

    def test_script_name(self) -> None:
        """Under WSGI the prefix of the server is part of what was signed."""
        sent = sign(target="/pfx/whoami")
        response = send(sent, SCRIPT_NAME="/pfx", PATH_INFO="/whoami")
        assert response.json()["path"] == "/pfx/whoami"
        assert send(sign(), SCRIPT_NAME="/pfx", PATH_INFO="/whoami").status_code == 400

    def test_normal_form_below_a_prefix(self) -> None:
        """The path is made normal below the prefix."""
        sent = sign(target="/pfx//whoami")
        seen = send(sent, SCRIPT_NAME="/pfx", PATH_INFO="//whoami").json()
        assert (seen["path"], seen["path_info"]) == ("/pfx/whoami", "/whoami")

    def test_mount_point_itself(self, settings: Any) -> None:
        """A request for the mount point, which Django reads as its root, is served."""
        settings.ROOT_URLCONF = __name__
        response = send(sign(target="/pfx"), SCRIPT_NAME="/pfx", PATH_INFO="")
        assert response.json()["path_info"] == "/"
        response = send(sign(target="/pfx/"), SCRIPT_NAME="/pfx", PATH_INFO="/")
        assert response.json()["path_info"] == "/"
        assert send(sign(target="/other"), SCRIPT_NAME="/pfx", PATH_INFO="").status_code == 400

    def test_prefix_that_a_proxy_strips(
        self, exchange: Exchange, sigv4: Callable[..., None], settings: Any
    ) -> None:
        """PATH_PREFIX puts back what the client signed; FORCE_SCRIPT_NAME may name it too."""
        sigv4(PATH_PREFIX="/api")
        stripped = replace(sign(target="/api/whoami"), target="/whoami")
        assert exchange(stripped).status_code == 200
        assert exchange(sign()).status_code == 403
        settings.FORCE_SCRIPT_NAME = "/api"
        assert exchange(stripped).json()["path"] == (
            "/api/whoami" if exchange is send else "/whoami"
        )

    def test_root_path_that_the_operator_names(self, settings: Any) -> None:
        """Under ASGI a root path counts where FORCE_SCRIPT_NAME says it too."""
        settings.FORCE_SCRIPT_NAME = "/pfx"
        response = send_async(sign(target="/pfx/whoami"), root_path="/pfx")
        assert response.json()["path_info"] == "/whoami"

    def test_root_path_that_nobody_names_is_refused(self) -> None:
        """Daphne takes the root path from a header: it would choose the view of a signed path."""
        response = send_async(sign(target="/echo/whoami"), root_path="/echo")
        assert response.status_code == 400
        assert views.calls == []


def root(request: HttpRequest) -> Any:
    """Answer for the root."""
    return views.seen(request)


from django.urls import path  # noqa: E402

urlpatterns = [path("", root)]


class TestBody:
    """The body is verified before anybody reads it, and readable after."""

    @pytest.mark.parametrize("hashed", [False, True])
    @pytest.mark.parametrize("view", ["read", "body"])
    @pytest.mark.parametrize("length", [1, 70_000])
    def test_body_is_readable(
        self, exchange: Exchange, view: str, length: int, hashed: bool
    ) -> None:
        """Piece by piece and as a whole, with and without a hash in the header."""
        body = BIG[:length]
        response = exchange(sign("POST", f"/{view}", body=body, hashed=hashed))
        assert response.json() == {"length": length, "sha256": hashlib.sha256(body).hexdigest()}

    def test_big_body_is_readable(self, exchange: Exchange) -> None:
        """A body of 3 MiB, which lies in a file on disk, is handed on whole."""
        response = exchange(sign("PUT", "/read", body=BIG))
        assert response.json()["sha256"] == hashlib.sha256(BIG).hexdigest()

    def test_body_is_readable_while_the_answer_goes_out(self) -> None:
        """The file is closed with the response, not before."""
        response = send(sign("POST", "/stream", body=BIG))
        assert b"".join(response.streaming_content) == BIG

    def test_form(self, exchange: Exchange) -> None:
        """The fields of a form are those that were signed."""
        sent = sign("POST", "/upload", body=b"a=1&b=%C3%A9", content_type=FORM)
        assert exchange(sent).json()["fields"] == {"a": "1", "b": "é"}

    def test_big_upload(self, exchange: Exchange) -> None:
        """T44: a file of 3 MiB in a form, under Django's default settings."""
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
        body = head + BIG + b"\r\n--b--\r\n"
        kind = "multipart/form-data; boundary=b"
        response = exchange(sign("POST", "/upload", body=body, content_type=kind))
        assert response.json()["files"] == {"f": views.digest(BIG)}

    def test_django_limits_forms_itself(self, exchange: Exchange) -> None:
        """A form above DATA_UPLOAD_MAX_MEMORY_SIZE is refused by Django's own rule."""
        body = b"a=" + b"x" * (2_621_440 + 1)
        assert exchange(sign("POST", "/upload", body=body, content_type=FORM)).status_code in (
            400,
            413,
        )

    @pytest.mark.parametrize("hashed", [False, True])
    def test_changed_body_is_refused(self, exchange: Exchange, hashed: bool) -> None:
        """T23: another body than the one that was signed never reaches the view."""
        sent = replace(sign("POST", "/body", body=b"a=1", hashed=hashed), body=b"a=2")
        assert exchange(sent).status_code in (400, 403)
        assert views.calls == []

    def test_big_changed_body_is_refused(self, exchange: Exchange) -> None:
        """T23: the same where the body lies on disk."""
        sent = replace(sign("POST", "/body", body=BIG), body=b"x" + BIG[1:])
        assert exchange(sent).status_code == 403

    @pytest.mark.parametrize("hashed", [False, True])
    def test_limits(self, exchange: Exchange, sigv4: Callable[..., None], hashed: bool) -> None:
        """T44: MAX_BODY and UNVERIFIED_BODY_LIMIT are kept."""
        sigv4(UNVERIFIED_BODY_LIMIT=10, MAX_BODY=20)
        status = 200 if hashed else 413
        assert exchange(sign("POST", "/body", body=b"x" * 11, hashed=hashed)).status_code == status
        assert exchange(sign("POST", "/body", body=b"x" * 21, hashed=hashed)).status_code == 413

    def test_body_that_was_too_big_is_not_looked_up(
        self, exchange: Exchange, sigv4: Callable[..., None]
    ) -> None:
        """Above MAX_BODY nobody is asked for the key."""
        asked: list[str] = []
        sigv4(MAX_BODY=20, CREDENTIALS=asked.append)
        assert exchange(sign("POST", "/body", body=b"x" * 21)).status_code == 413
        assert asked == []

    def test_chunked_body_is_readable(self) -> None:
        """A body without a length is readable, where the server says where it ends."""
        sent = sign("POST", "/upload", body=b"a=1", content_type=FORM).without("content-length")
        chunked = sent.with_header("Transfer-Encoding", "chunked")
        ended: dict[str, Any] = {
            "wsgi.input": BytesIO(b"a=1"),
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "gunicorn/23",
        }
        assert send(chunked, None, **ended).json()["fields"] == {"a": "1"}
        assert send_async(chunked).json()["fields"] == {"a": "1"}

    def test_chunked_form_with_files_is_readable(self) -> None:
        """Under ASGI Django parses it only where it is told the length."""
        body, kind = multipart(("a", "1"))
        sent = sign("POST", "/upload", body=body, content_type=kind).without("content-length")
        chunked = sent.with_header("Transfer-Encoding", "chunked")
        assert send_async(chunked).json()["fields"] == {"a": "1"}

    def test_body_in_pieces(self) -> None:
        """Under ASGI it does not matter how the body arrives."""
        sent = sign("POST", "/read", body=BIG)
        assert send_async(sent, pieces=50).json()["length"] == len(BIG)

    @pytest.mark.parametrize("length", [10, 300 * 1024])
    def test_body_of_the_asynchronous_test_client(self, length: int) -> None:
        """A body that cannot be rewound is verified as well, and kept."""
        from django.test import AsyncClient

        sent = sign("POST", "/body", body=BIG[:length], content_type="text/plain")
        headers = dict(sent.without("host", "content-type", "content-length").headers)
        post = async_to_sync(AsyncClient().post)
        answer = post("/body", sent.body, content_type="text/plain", headers=headers)
        assert answer.json()["length"] == length
        answer = post("/body", b"x" + sent.body, content_type="text/plain", headers=headers)
        assert answer.status_code == 403

    def test_temporary_file_is_closed(self) -> None:
        """The verified body is closed with the response."""
        request = send(sign("POST", "/read", body=BIG)).wsgi_request
        assert request._stream is request.META["wsgi.input"]
        assert request._stream.closed

    def test_body_that_was_kept_is_verified(self, exchange: Exchange, settings: Any) -> None:
        """Where something above has read request.body, just that is verified, and kept."""
        settings.MIDDLEWARE = [f"{__name__}.reads_body", MIDDLEWARE]
        body = b"x" * 100
        assert exchange(sign("POST", "/body", body=body)).json() == views.digest(body)
        assert exchange(sign("POST", "/read", body=body)).json() == views.digest(body)
        changed = replace(sign("POST", "/body", body=body), body=b"y" * 100)
        assert exchange(changed).status_code == 403

    def test_anonymous_body_that_was_kept(
        self, exchange: Exchange, settings: Any, sigv4: Callable[..., None]
    ) -> None:
        """The same where nothing is signed, and the form is looked at."""
        sigv4(REQUIRED=False)
        settings.MIDDLEWARE = [f"{__name__}.reads_body", MIDDLEWARE]
        sent = unsigned_form("/upload", *multipart(("a", "1")))
        assert exchange(sent).json()["fields"] == {"a": "1"}

    def test_body_that_is_gone_is_the_programmers_fault(
        self, exchange: Exchange, settings: Any
    ) -> None:
        """Where something above has consumed the body, nobody guesses what it was."""
        settings.MIDDLEWARE = [f"{__name__}.reads_files", MIDDLEWARE]
        body, kind = multipart(("a", "1"))
        sent = sign("POST", "/upload", body=body, content_type=kind)
        if exchange is send:
            with pytest.raises(ImproperlyConfigured, match="belongs above whatever reads"):
                send(sent)
        else:
            assert send_async(sent).status_code == 500


def reads_body(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Read the body, as loggers do."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert isinstance(request.body, bytes)
        return get_response(request)

    return middleware


def reads_files(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Parse the form."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert request.FILES is not None
        return get_response(request)

    return middleware


def notes(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Note each request."""

    def middleware(request: HttpRequest) -> HttpResponse:
        views.calls.append(request.path_info)
        return get_response(request)

    return middleware


class TestSynchronousMiddleware:
    """A neighbour that is only synchronous, or only asynchronous, moves us to the other side."""

    @pytest.mark.parametrize("neighbour", ["sync_only", "async_only"])
    def test_every_mode(self, exchange: Exchange, settings: Any, neighbour: str) -> None:
        """Both kinds of request are verified by both kinds of code."""
        settings.MIDDLEWARE = [MIDDLEWARE, f"{__name__}.{neighbour}"]
        assert exchange(sign()).json()["key"] == FIRST
        assert exchange(tampered(sign())).status_code == 403
        assert exchange(Sent(method="GET", target="/whoami")).status_code == 403
        assert exchange(Sent(method="GET", target="/exempt")).status_code == 200
        answer = exchange(sign("PUT", "/read", body=BIG))
        assert answer.json()["length"] == len(BIG)


def sync_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Do nothing, synchronously."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    return middleware


class async_only:
    """Do nothing, asynchronously."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        from asgiref.sync import markcoroutinefunction

        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        """Hand on."""
        return await self.get_response(request)


class TestProvider:
    """Where the keys come from."""

    def test_callable(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """A function of the key id is asked."""
        sigv4(CREDENTIALS={SECOND: "a-second-secret/OF+ANOTHEREXAMPLE"}.get)
        assert exchange(sign(key=SECOND)).json()["key"] == SECOND
        assert exchange(sign(key=FIRST)).status_code == 403

    def test_awaited_provider(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """Under ASGI alookup is awaited; under WSGI lookup is called."""
        provider = Provider()
        sigv4(CREDENTIALS=provider)
        assert exchange(sign()).status_code == 200
        assert provider.asked == (["lookup"] if exchange is send else ["alookup"])

    def test_synchronous_provider_runs_in_a_thread(self, sigv4: Callable[..., None]) -> None:
        """Under ASGI a provider that waits does not hold up the event loop."""
        running: list[bool] = []

        def provider(access_key_id: str) -> str:
            running.append(has_running_loop())
            return "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

        sigv4(CREDENTIALS=provider)
        assert send_async(sign()).status_code == 200
        assert running == [False]

    def test_provider_that_is_down(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """A back end that is down is answered with 503 and Retry-After."""
        sigv4(CREDENTIALS=down)
        response = exchange(sign())
        assert response.status_code == 503
        headers = {name.lower(): value for name, value in response.headers.items()}
        assert headers["retry-after"] == "7"

    def test_service_of_a_late_refusal_selects_its_rendering(
        self, exchange: Exchange, sigv4: Callable[..., None]
    ) -> None:
        """A refusal that comes from elsewhere is told in the words of the request's service."""
        from wsgi_sigv4 import GENERIC
        from wsgi_sigv4 import S3

        sigv4(SERVICE=("items", "s3"), PROFILE={"items": GENERIC, "s3": S3}, CREDENTIALS=down)
        assert exchange(sign(service="s3")).content.startswith(b"<?xml")
        assert exchange(sign()).content.startswith(b"{")


def has_running_loop() -> bool:
    """Return whether this thread runs an event loop."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def down(access_key_id: str) -> str:
    """Fail as a back end that is down."""
    raise CredentialsUnavailable("down", retry_after=7)


class Provider:
    """Finds keys in both ways."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Find it."""
        self.asked.append("lookup")
        return Credentials("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Find it, asynchronously."""
        self.asked.append("alookup")
        return Credentials("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


class TestAuthorize:
    """AUTHORIZE has the last word."""

    @pytest.mark.parametrize("kind", ["plain", "coroutine", "object"])
    @pytest.mark.parametrize("key", [FIRST, SECOND])
    def test_key_that_may_not(
        self, exchange: Exchange, sigv4: Callable[..., None], kind: str, key: str
    ) -> None:
        """False is AccessDenied, also where it has to be awaited: a coroutine is no consent."""
        sigv4(AUTHORIZE={"plain": only_first, "coroutine": aonly_first, "object": Only()}[kind])
        response = exchange(sign(key=key))
        assert response.status_code == (200 if key == FIRST else 403)
        if key == SECOND:
            assert code_of(response) == "AccessDeniedException"
            assert views.calls == []

    def test_refusal_names_the_key(
        self, exchange: Exchange, sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log says whose request was denied."""
        sigv4(AUTHORIZE=only_first)
        exchange(sign(key=SECOND))
        (record,) = (record for record in caplog.records if record.name == "wsgi_sigv4")
        assert vars(record)["sigv4_access_key_id"] == SECOND


def only_first(identity: Identity, meta: dict[str, Any]) -> bool:
    """Allow the first key."""
    assert meta["REQUEST_METHOD"] == "GET"
    return identity.access_key_id == FIRST


async def aonly_first(identity: Identity, meta: dict[str, Any]) -> bool:
    """Allow the first key, asynchronously."""
    return identity.access_key_id == FIRST


class Only:
    """Allows the first key, asynchronously, without looking like it."""

    async def __call__(self, identity: Identity, meta: dict[str, Any]) -> bool:
        """Allow."""
        return identity.access_key_id == FIRST


class TestExempt:
    """EXEMPT and the decorator of that name."""

    @pytest.mark.parametrize("target", ["/exempt", "/async-exempt", "/exempt-class"])
    def test_exempt_view_is_open(self, exchange: Exchange, target: str) -> None:
        """An unsigned request reaches an exempt view, and no identity with it."""
        response = exchange(Sent(method="GET", target=target))
        assert response.status_code == 200
        assert response.json()["key"] is None

    def test_other_url_of_the_same_view_is_closed(self, exchange: Exchange) -> None:
        """The decorator opens the function it returns, not the one it was given."""
        assert exchange(Sent(method="GET", target="/not-exempt")).status_code == 403
        assert views.calls == []

    def test_signed_request_for_an_exempt_view_is_verified(self, exchange: Exchange) -> None:
        """Who signs is known there too, and a wrong signature refused."""
        assert exchange(sign(target="/exempt")).json()["key"] == FIRST
        assert exchange(tampered(sign(target="/exempt"))).status_code == 403
        assert exchange(tampered(sign(target="/exempt", presigned=True))).status_code == 403

    @pytest.mark.parametrize("authorization", ["Bearer abc", "Basic YTpi"])
    def test_other_scheme_reaches_an_exempt_view(
        self, exchange: Exchange, authorization: str
    ) -> None:
        """Where no signature is needed, views may authenticate in another way."""
        sent = Sent(method="GET", target="/exempt").with_header("Authorization", authorization)
        assert exchange(sent).status_code == 200

    def test_exempt_path(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """An exempt path is not verified at all, and covers whole segments."""
        sigv4(EXEMPT=["/who", "/session", "/echo/é"])
        assert exchange(Sent(method="GET", target="/whoami")).status_code == 403
        assert exchange(tampered(sign(target="/session"))).json()["key"] is None
        assert exchange(Sent(method="GET", target="/echo/%C3%A9/x")).status_code == 200
        assert exchange(Sent(method="GET", target="/session/../whoami")).status_code == 403
        assert exchange(Sent(method="GET", target="//session")).status_code == 403

    def test_predicate(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """A predicate of META decides too."""
        sigv4(EXEMPT=lambda meta: meta.get("HTTP_X_PROBE") == "1")
        sent = Sent(method="GET", target="/whoami")
        assert exchange(sent).status_code == 403
        assert exchange(sent.with_header("X-Probe", "1")).status_code == 200

    def test_answers_to_exempt_paths_do_not_vary(
        self, exchange: Exchange, sigv4: Callable[..., None]
    ) -> None:
        """T47: who is not verified need not be told apart by a cache."""
        sigv4(EXEMPT=["/body"])
        headers = exchange(Sent(method="GET", target="/body")).headers
        assert "authorization" not in headers.get("vary", "").lower()

    @pytest.mark.parametrize("moved", ["moves_urls", "moves_path"])
    def test_view_that_is_moved_after_us_is_guarded(self, settings: Any, moved: str) -> None:
        """What stands below cannot lead a request for an exempt view to another one."""
        settings.MIDDLEWARE = [MIDDLEWARE, f"{__name__}.{moved}"]
        response = send(Sent(method="GET", target="/exempt"))
        assert response.status_code == 403
        assert code_of(response) == "MissingAuthenticationTokenException"
        assert views.calls == []

    def test_exempt_path_that_is_moved_after_us_is_guarded(
        self, settings: Any, sigv4: Callable[..., None]
    ) -> None:
        """The same for an exempt path."""
        sigv4(EXEMPT=["/session"])
        settings.MIDDLEWARE = [MIDDLEWARE, f"{__name__}.moves_path"]
        assert send(Sent(method="GET", target="/session")).status_code == 403
        assert views.calls == []


def moves_path(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Route everything to one view."""
    return to_whoami(get_response)


def moves_urls(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Give each path another view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = (path("exempt", views.whoami),)  # type: ignore[assignment]
        return get_response(request)

    return middleware


class TestDecorators:
    """sigv4_required, with REQUIRED False."""

    @pytest.mark.parametrize(
        "target",
        [
            "/required",
            "/required-class",
            "/required-method",
            "/async-required",
            "/async-required-class",
            "/required-and-exempt",
            "/exempt-and-required",
        ],
    )
    @pytest.mark.parametrize("exempt", [(), ["/"], lambda meta: True], ids=["", "root", "all"])
    def test_required_view_is_closed(
        self, exchange: Exchange, sigv4: Callable[..., None], target: str, exempt: Any
    ) -> None:
        """An unsigned request is refused in AWS's words, whatever else is open."""
        if exempt == ["/"]:
            exempt = [target]
        sigv4(REQUIRED=False, EXEMPT=exempt)
        response = exchange(Sent(method="GET", target=target))
        assert response.status_code == 403
        assert code_of(response) == "MissingAuthenticationTokenException"
        assert views.calls == []

    @pytest.mark.parametrize(
        "target",
        [
            "/required",
            "/required-class",
            "/required-method",
            "/async-required",
            "/async-required-class",
        ],
    )
    def test_required_view_is_open_to_who_signs(
        self, exchange: Exchange, sigv4: Callable[..., None], target: str
    ) -> None:
        """A signed request reaches it."""
        sigv4(REQUIRED=False)
        assert exchange(sign(target=target)).json()["key"] == FIRST

    def test_middleware_below_does_not_see_what_is_refused(self, settings: Any) -> None:
        """A view that is marked both ways is closed before anything below is asked."""
        settings.MIDDLEWARE = [MIDDLEWARE, f"{__name__}.notes"]
        for target in ("/required-and-exempt", "/exempt-and-required", "/whoami"):
            assert send(Sent(method="GET", target=target)).status_code == 403
        assert views.calls == []

    def test_method_of_a_class_can_be_guarded_alone(
        self, exchange: Exchange, sigv4: Callable[..., None]
    ) -> None:
        """The other methods stay open."""
        sigv4(REQUIRED=False)
        assert exchange(Sent(method="HEAD", target="/required-method")).status_code == 200

    def test_without_the_middleware_nothing_is_open(
        self, exchange: Exchange, settings: Any
    ) -> None:
        """A guarded view fails where the middleware is missing, and does not answer."""
        settings.MIDDLEWARE = []
        for target in ("/required", "/async-required-class"):
            if exchange is send:
                with pytest.raises(ImproperlyConfigured, match="needs SigV4Middleware"):
                    send(Sent(method="GET", target=target))
            else:
                assert send_async(Sent(method="GET", target=target)).status_code == 500
        assert views.calls == []


def test_preflight(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """T42: a preflight passes where it may, but reaches no view that needs a signature."""
    preflight = Sent(method="OPTIONS", target="/whoami")
    preflight = preflight.with_header("Origin", "https://app.example").with_header(
        "Access-Control-Request-Method", "PUT"
    )
    assert exchange(preflight).status_code == 403
    sigv4(PREFLIGHT=True)
    assert exchange(preflight).status_code == 403
    assert views.calls == []
    assert exchange(replace(preflight, target="/exempt")).status_code == 200
    sigv4(PREFLIGHT=True, REQUIRED=False)
    assert exchange(preflight).json()["key"] is None
    assert exchange(replace(preflight, target="/required")).status_code == 403


class TestRefusals:
    """What a refused request is told."""

    def test_refusal_is_for_no_cache(self, exchange: Exchange) -> None:
        """T47: no cache keeps a refusal."""
        headers = {n.lower(): v for n, v in exchange(tampered(sign())).headers.items()}
        assert headers["cache-control"] == "no-store"
        assert headers["vary"] == "Authorization"

    def test_answer_varies_by_signer(self, exchange: Exchange) -> None:
        """T47: a cache tells answers to different signers apart."""
        assert exchange(sign()).headers["vary"] == "Authorization"

    def test_head_has_no_body(self, exchange: Exchange) -> None:
        """A refused HEAD is answered without a body."""
        response = exchange(tampered(sign("HEAD")))
        assert response.status_code == 403
        assert response.content == b""

    def test_s3_is_told_in_its_own_words(
        self, exchange: Exchange, sigv4: Callable[..., None]
    ) -> None:
        """The profile selects the rendering."""
        sigv4(SERVICE="s3")
        response = exchange(tampered(sign(service="s3")))
        assert b"<Code>SignatureDoesNotMatch</Code>" in response.content
        assert response.headers["content-type"] == "application/xml"

    def test_explain(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """T24: what was canonicalised is shown with EXPLAIN, and not otherwise."""
        assert b"String-to-Sign" not in exchange(tampered(sign())).content
        sigv4(EXPLAIN=True)
        content = exchange(tampered(sign())).content
        assert b"StringToSign" in content
        assert b"CanonicalRequest" in content

    def test_own_rendering(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """RENDER_REFUSAL makes the answer, which no cache keeps either."""
        sigv4(RENDER_REFUSAL=teapot)
        response = exchange(tampered(sign()))
        assert response.status_code == 418
        assert response.content == b"SignatureMismatch of /whoami"
        headers = {n.lower(): v for n, v in response.headers.items()}
        assert headers["cache-control"] == "no-store"
        assert headers["vary"] == "Authorization"

    def test_view_may_refuse_too(self, exchange: Exchange) -> None:
        """A refusal that a view raises is answered as AWS would, and any other fault rises."""
        response = exchange(sign(target="/denied"))
        assert response.status_code == 403
        assert code_of(response) == "AccessDeniedException"
        if exchange is send:
            with pytest.raises(RuntimeError, match="the view is broken"):
                send(sign(target="/broken"))

    def test_one_record_for_each(
        self, exchange: Exchange, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The log tells the operator why, once, and holds no key material."""
        with caplog.at_level(logging.INFO):
            exchange(tampered(sign()))
        (record,) = [record for record in caplog.records if record.name == "wsgi_sigv4"]
        assert "SignatureMismatch" in record.getMessage()
        assert vars(record)["sigv4_access_key_id"] == FIRST
        assert "Signature=" not in caplog.text

    def test_date_where_the_server_adds_none(self) -> None:
        """SDKs correct their clock by the Date of a refusal: uWSGI and Daphne leave it to us."""
        uvicorn = {"version": "3.0", "spec_version": "2.3"}
        assert "date" not in send_async(tampered(sign()), asgi=uvicorn).headers
        assert "date" in send_async(tampered(sign()), asgi={"version": "3.0"}).headers
        assert "Date" not in send(tampered(sign()))
        assert "Date" in send(tampered(sign()), None, **{"uwsgi.version": b"2"})

    def test_unreadable_request(self, exchange: Exchange) -> None:
        """What cannot be read for certain is refused, and where nobody need sign too."""
        sent = sign().with_header("X-Odd", "a\x00b")
        assert exchange(sent).status_code == 400


def teapot(refusal: SigV4Error, meta: dict[str, Any]) -> Answer:
    """Render a refusal."""
    body = f"{type(refusal).__name__} of {meta['PATH_INFO']}".encode()
    return Answer(status=418, headers=(("Content-Type", "text/plain"),), body=body)


def test_path_that_is_no_text_is_refused() -> None:
    """A path that cannot have come over the wire is refused."""
    assert send_async(sign(), path="/whoami\udcff").status_code in (400, 403)


def test_refusal_after_us_survives_an_unreadable_request(settings: Any) -> None:
    """process_view refuses what it cannot read."""
    settings.MIDDLEWARE = [MIDDLEWARE, f"{__name__}.breaks_path"]
    assert send(Sent(method="GET", target="/exempt")).status_code in (400, 403)


def breaks_path(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Route on another path, and hide the raw one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.path_info = "/whoami"
        request.META["RAW_URI"] = "/a b"
        return get_response(request)

    return middleware


def test_header_override(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """HEADER_OVERRIDES names where an edge keeps the client's value."""
    sigv4(HEADER_OVERRIDES={"Accept-Encoding": "X-Original-Accept-Encoding"})
    signed = sign(headers=(("Accept-Encoding", "identity"),)).without("accept-encoding")
    rewritten = signed.with_header("Accept-Encoding", "gzip")
    assert exchange(rewritten).status_code == 403
    kept = rewritten.with_header("X-Original-Accept-Encoding", "identity")
    assert exchange(kept).status_code == 200
    wrong = rewritten.with_header("X-Original-Accept-Encoding", "br")
    assert exchange(wrong).status_code == 403


def test_raw_target(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """RAW_TARGET finds the target where an edge keeps it."""
    sigv4(RAW_TARGET=lambda environ: environ.get("HTTP_X_TARGET"))
    sent = sign(target="/nothing/../whoami").with_header("X-Target", "/nothing/../whoami")
    assert exchange(replace(sent, target="/whoami")).status_code == 200


class TestRemoteUser:
    """T38: REMOTE_USER is somebody else's."""

    def test_it_is_left_alone(self) -> None:
        """What the server says of the user stays, signed or not."""
        assert send(sign(), REMOTE_USER="kerberos").json()["remote_user"] == "kerberos"
        exempt = Sent(method="GET", target="/exempt")
        assert send(exempt, REMOTE_USER="kerberos").json()["remote_user"] == "kerberos"

    def test_opt_in(self, exchange: Exchange, sigv4: Callable[..., None]) -> None:
        """With the setting it names the key, or the principal."""
        sigv4(REMOTE_USER="access_key_id")
        assert exchange(sign()).json()["remote_user"] == FIRST
        secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        sigv4(REMOTE_USER="principal", CREDENTIALS={FIRST: Credentials(secret, principal="ada")})
        assert exchange(sign()).json()["remote_user"] == "ada"

    def test_key_without_a_principal_is_nobody(self, sigv4: Callable[..., None]) -> None:
        """A signed request is not the server's user's."""
        sigv4(REMOTE_USER="principal")
        assert send(sign(), REMOTE_USER="kerberos").json()["remote_user"] is None


def test_bad_setting_shows_when_the_server_starts(sigv4: Callable[..., None]) -> None:
    """A fault in the setting does not wait for a request."""
    sigv4(REGION="")
    with pytest.raises(ImproperlyConfigured):
        WSGIHandler()


def test_inherited_identity_is_removed_from_exempt_paths(sigv4: Callable[..., None]) -> None:
    """T40: also where nothing is verified at all."""
    sigv4(EXEMPT=["/whoami"])
    keys = {"wsgi_sigv4.access_key_id": "forged", "wsgi_sigv4.identity": "forged"}
    assert send(Sent(method="GET", target="/whoami"), None, **keys).json()["meta_key"] is None


def test_inherited_identity_is_removed() -> None:
    """T40: keys of ours that somebody put into the environ mean nothing."""
    keys = {"wsgi_sigv4.access_key_id": "forged", "wsgi_sigv4.identity": "forged"}
    assert send(Sent(method="GET", target="/exempt"), None, **keys).json()["meta_key"] is None
    assert send(sign(), None, **keys).json()["meta_key"] == FIRST
    assert send(tampered(sign()), None, **keys).status_code == 403


def test_middleware_twice_verifies_once(exchange: Exchange, settings: Any) -> None:
    """What one middleware has verified the next one takes over."""
    settings.MIDDLEWARE = [MIDDLEWARE, MIDDLEWARE]
    with mock.patch(
        "wsgi_sigv4.verifier.Verifier.conclude",
        autospec=True,
        side_effect=__import__("wsgi_sigv4").Verifier.conclude,
    ) as conclude:
        assert exchange(sign("POST", "/read", body=b"abc")).json()["length"] == 3
    assert conclude.call_count == 1


def test_json_body(exchange: Exchange) -> None:
    """A JSON document, as an API gets it."""
    body = json.dumps({"a": [1, "é"]}).encode()
    sent = sign("POST", "/body", body=body, content_type="application/json")
    assert exchange(sent).json()["length"] == len(body)


def test_middleware_can_be_called_by_itself() -> None:
    """Without a handler around it, as unit tests of projects call middleware."""
    middleware = SigV4Middleware(lambda request: HttpResponse("ok"))
    request = RequestFactory().get("/whoami")
    response = middleware(request)
    assert isinstance(response, HttpResponse)
    assert response.status_code == 403
