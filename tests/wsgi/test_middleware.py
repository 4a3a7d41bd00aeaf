"""The middleware: every option, and what the application, the server and caches see of it."""

from __future__ import annotations

import io
import logging
import re
import sys
import time
from collections.abc import Iterable
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.util import is_hop_by_hop
from wsgiref.validate import validator

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from tests.core.messages import Message
from tests.core.signing import GENERIC_SIGNER
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.calls import send
from tests.wsgi.clients import ACCESS_KEY_ID
from tests.wsgi.clients import NOW
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.inputs import Untouched
from tests.wsgi.servers import SERVERS
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.responses import Answer
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

both_profiles = pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
both_forms = pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])


def guarded(app: WSGIApplication, *, s3: bool = False, **options: Any) -> SigV4Middleware:
    """Return *app* behind the middleware."""
    return SigV4Middleware(app, verifier(s3=s3), **options)


def client_arguments(message: Message) -> dict[str, Any]:
    """Return what werkzeug's test client takes to send *message*."""
    return {
        "method": message.method,
        "path": (message.path + (b"?" + message.query if message.query else b"")).decode(),
        "headers": Headers([(name.decode(), value.decode()) for name, value in message.headers]),
        "data": message.body,
    }


# A request from werkzeug's client, signed by botocore.


@both_profiles
@both_forms
@pytest.mark.parametrize("target", ["/items?q=1", "/", "/a%20b/%E3%81%82?x=%2F&y"])
def test_signed_request_reaches_the_application(target: str, presigned: bool, s3: bool) -> None:
    """Each form under each profile passes, with its identity and its body."""

    @WerkzeugRequest.application
    def app(request: WerkzeugRequest) -> Response:
        identity = request.environ["wsgi_sigv4.identity"]
        body = request.get_data()
        return Response(f"{identity.access_key_id} {identity.principal} {body!r}")

    method = "GET" if presigned else "PUT"
    message = sign(method, target, s3=s3, presigned=presigned, body=b"" if presigned else b"hello")
    client = Client(guarded(app, s3=s3))
    answer = client.open(**client_arguments(message), buffered=True)
    assert answer.status_code == 200
    assert answer.text == f"AKIAIOSFODNN7EXAMPLE alice {message.body!r}"
    assert client.open(**client_arguments(forged(message))).status_code == 403


@pytest.mark.parametrize("size", [10, 200_000, 3 * 1024 * 1024])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_form_and_files_of_a_verified_post_stay_readable(size: int, chunked: bool) -> None:
    """werkzeug parses the verified body: its input stream, its length and its type fit."""
    file = b"\0\r\n--x" * (size // 6)
    builder = EnvironBuilder(
        method="POST", data={"name": "käse", "file": (io.BytesIO(file), "a.bin")}
    )
    environ = builder.get_environ()
    with environ["wsgi.input"] as encoded:
        data = encoded.read()
    builder.close()
    message = sign("POST", "/upload", body=data, headers={"Content-Type": environ["CONTENT_TYPE"]})

    @WerkzeugRequest.application
    def app(request: WerkzeugRequest) -> Response:
        assert request.form["name"] == "käse"
        assert request.files["file"].read() == file
        request.close()
        return Response("stored")

    answer = call(guarded(app), environ_of(message, chunked=chunked))
    assert (answer.status, answer.body) == (200, b"stored")


def test_input_stream_of_werkzeug_is_the_whole_body() -> None:
    """get_input_stream() gives the verified body, also where the application knows no length."""
    seen: list[bytes] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(get_input_stream(environ).read())
        start_response("204 No Content", [])
        return []

    message = sign("PUT", body=b"hello" * 1000)
    call(guarded(app), environ_of(message))
    call(guarded(app), environ_of(message, chunked=True))
    call(guarded(app), environ_of(message, UWSGI))
    assert seen == [message.body] * 3


@pytest.mark.parametrize("memory_limit", [10, 10**6], ids=["on disk", "in memory"])
def test_body_is_rewound_and_can_be_read_in_every_way(memory_limit: int) -> None:
    """wsgi.input has read, readline, readlines, iteration and seek."""
    text = b"one\ntwo\n\nfour"

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        assert body.tell() == 0
        assert body.read() == text
        assert body.read() == b""
        body.seek(0)
        assert body.readline() == b"one\n"
        assert body.readline(2) == b"tw"
        body.seek(0)
        assert list(body) == text.splitlines(keepends=True)
        body.seek(4)
        assert body.readlines() == [b"two\n", b"\n", b"four"]
        body.seek(0)
        assert body.read(5) == b"one\nt"
        start_response("200 OK", [])
        return []

    assert send(guarded(app, memory_limit=memory_limit), sign("PUT", body=text)).status == 200


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_empty_body_is_an_empty_stream(server: Server) -> None:
    """Without a body there is one to read all the same, which ends at once."""
    app = Application()
    assert send(guarded(app), sign(), server, body=Untouched()).status == 200
    assert app.body == b""
    assert app.environ.get("CONTENT_LENGTH", "") == ""


def test_length_of_the_body_is_what_the_application_reads() -> None:
    """CONTENT_LENGTH is set anew in its plain form, and Transfer-Encoding is gone."""
    app = Application()
    message = sign("PUT", body=b"hello")
    assert send(guarded(app), message, CONTENT_LENGTH="0005").status == 200
    assert send(guarded(app), message, chunked=True).status == 200
    assert send(guarded(app), sign("PUT"), chunked=True, body=io.BytesIO()).status == 200
    assert [environ["CONTENT_LENGTH"] for environ in app.environs] == ["5", "5", "0"]
    assert not any("HTTP_TRANSFER_ENCODING" in environ for environ in app.environs)


# Paths.


@pytest.mark.parametrize(
    ("target", "path_info"),
    [
        ("/a//b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/a/../../b", None),
        ("/public%2F..%2Fadmin", None),
        ("/public/%2e%2e/admin", None),
        ("/a/.%2e/b", None),
        ("/a%2Fb", "/a/b"),
        ("/a%2F%2Fb", "/a//b"),
        ("/a/%41~", "/a/A~"),
    ],
)
def test_t31_t48_generic_application_routes_on_the_verified_path(
    target: str, path_info: str | None
) -> None:
    """T31, T48: PATH_INFO is the path that was signed; one with hidden dot segments is refused."""
    app = Application()
    answer = send(guarded(app), sign(target=target))
    if path_info is None:
        assert answer.status == 400
        assert not app.called
    else:
        assert answer.status == 200
        assert app.environ["PATH_INFO"] == path_info


@pytest.mark.parametrize("target", ["/a//b", "/a/./b/../c", "/../x", "/a/..", "//"])
def test_t31_s3_path_is_a_key_and_stays_as_it_is(target: str) -> None:
    """T31: S3 normalises nothing, so the application gets the path as it was sent."""
    app = Application()
    assert send(guarded(app, s3=True), sign(target=target, s3=True)).status == 200
    assert app.environ["PATH_INFO"] == target


# required, exempt, preflight.


def test_required_is_the_default() -> None:
    """Without options every request must be signed."""
    app = Application()
    assert send(guarded(app), Message.of()).status == 403
    assert not app.called


def test_optional_anonymous_request_passes_without_an_identity() -> None:
    """required=False hands an anonymous request on as it came."""
    app = Application()
    stream = Untouched()
    environ = environ_of(Message.of("PUT"), body=stream, CONTENT_LENGTH="5")
    assert call(guarded(app, required=False), environ).status == 200
    assert app.environ["wsgi.input"] is stream
    assert "wsgi_sigv4.identity" not in app.environ


@pytest.mark.parametrize(
    "message",
    [
        forged(sign()),
        forged(sign(presigned=True)),
        sign(access_key_id=UNKNOWN_ID),
        sign(age=301),
        sign(region="eu-west-1"),
        sign(token="x"),
    ],
    ids=["forged", "forged presigned", "unknown key", "stale", "region", "token"],
)
def test_optional_attempt_that_fails_is_refused(message: Message) -> None:
    """required=False never makes a failed attempt an anonymous request."""
    app = Application()
    assert send(guarded(app, required=False), message).status == 403
    assert not app.called


def test_exempt_path_passes_and_others_do_not() -> None:
    """exempt covers its own paths, and nothing that only looks like them."""
    app = Application()
    middleware = guarded(app, exempt=("/health",))
    assert send(middleware, Message.of(target="/health/db")).status == 200
    for target in ("/healthz", "/health/../admin", "/health%2F..%2Fadmin", "/health//x"):
        assert send(middleware, Message.of(target=target)).status == 403
    assert len(app.environs) == 1


def test_preflight_passes_by_option() -> None:
    """preflight=True lets a CORS preflight request through to a CORS layer."""
    app = Application()
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    preflight = Message.of("OPTIONS", headers=headers)
    assert send(guarded(app), preflight).status == 403
    assert send(guarded(app, preflight=True), preflight).status == 200
    assert send(guarded(app, preflight=True), Message.of("OPTIONS")).status == 403
    assert len(app.environs) == 1


# authorize, remote_user.


@pytest.mark.parametrize("s3", [True, False])
def test_authorize_refuses(s3: bool) -> None:
    """authorize that says no is 403 AccessDenied, and the application is not called."""
    app = Application()
    answer = send(guarded(app, s3=s3, authorize=lambda *_: False), sign(s3=s3))
    assert answer.status == 403
    assert "AccessDenied" in (answer.text if s3 else answer.header("x-amzn-ErrorType") or "")
    assert not app.called


@pytest.mark.parametrize("word", [None, 1, "yes", object()])
def test_authorize_must_say_true(word: Any) -> None:
    """Nothing but True is consent: what an async function returns would be truthy too."""
    app = Application()
    answer = send(guarded(app, authorize=lambda *_: word), sign())
    assert answer.status == 403
    assert not app.called


class _Asynchronous:
    async def __call__(self, *_: object) -> bool:
        return True


@pytest.mark.parametrize("name", ["authorize", "exempt"])
@pytest.mark.parametrize(
    "answer", [_Asynchronous().__call__, _Asynchronous()], ids=["function", "object"]
)
def test_async_callable_is_a_configuration_error(name: str, answer: Any) -> None:
    """WSGI cannot await it, and its coroutine must not be taken for an answer."""
    with pytest.raises(ConfigurationError, match=f"{name} cannot be awaited"):
        guarded(Application(), **{name: answer})


def test_refused_body_is_out_of_reach() -> None:
    """An error page that looks at the body neither waits for it nor sees it."""
    seen = []

    def look(refusal: SigV4Error, environ: WSGIEnvironment) -> Answer:
        seen.append((environ["wsgi.input"].read(), environ["CONTENT_LENGTH"]))
        return Answer(status=403, headers=(), body=b"")

    message = forged(sign("POST", body=b"a=1"))
    send(guarded(Application(), render_refusal=look), message)
    assert seen == [(b"", "0")]


def test_authorize_sees_identity_and_environ() -> None:
    """authorize decides on the identity and the whole environ."""
    app = Application()

    def authorize(identity: Any, environ: WSGIEnvironment) -> bool:
        return bool(identity.principal == "alice" and environ["REQUEST_METHOD"] == "GET")

    middleware = guarded(app, authorize=authorize)
    assert send(middleware, sign()).status == 200
    assert send(middleware, sign("DELETE")).status == 403
    assert len(app.environs) == 1


def test_authorize_that_raises_is_the_servers_error() -> None:
    """A bug in authorize is answered by the server, never with the application's answer."""
    app = Application()

    def authorize(identity: Any, environ: WSGIEnvironment) -> bool:
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        send(guarded(app, authorize=authorize), sign())
    assert not app.called


def test_t38_remote_user_is_left_alone_by_default() -> None:
    """T38: an inherited REMOTE_USER, as of SSO, neither goes nor comes by itself."""
    app = Application()
    send(guarded(app), sign())
    send(guarded(app), sign(), REMOTE_USER="sso")
    assert "REMOTE_USER" not in app.environs[0]
    assert app.environs[1]["REMOTE_USER"] == "sso"


@pytest.mark.parametrize(
    ("option", "user"), [("access_key_id", "AKIAIOSFODNN7EXAMPLE"), ("principal", "alice")]
)
def test_t38_remote_user_by_option(option: Any, user: str) -> None:
    """T38: by option it is the key or its owner, whatever was inherited."""
    app = Application()
    send(guarded(app, remote_user=option), sign(), REMOTE_USER="evil")
    assert app.environ["REMOTE_USER"] == user


def test_t38_key_without_a_principal_is_nobody() -> None:
    """T38: without an owner there is no REMOTE_USER: not `None`, and not the inherited one."""
    app = Application()
    middleware = guarded(app, remote_user="principal")
    message = sign(access_key_id=TEMPORARY_ID, token=SESSION_TOKEN)
    assert send(middleware, message, REMOTE_USER="evil").status == 200
    assert "REMOTE_USER" not in app.environ


def test_t38_requests_without_identity_keep_remote_user() -> None:
    """T38: on exempt paths and for anonymous requests SSO goes on working."""
    app = Application()
    middleware = guarded(app, remote_user="access_key_id", required=False, exempt=("/health",))
    send(middleware, Message.of(), REMOTE_USER="sso")
    send(middleware, sign(target="/health"), REMOTE_USER="sso")
    assert [environ["REMOTE_USER"] for environ in app.environs] == ["sso", "sso"]


# explain.


@both_profiles
@both_forms
def test_explain_shows_what_was_canonicalised(s3: bool, presigned: bool) -> None:
    """explain=True tells the two strings; off, nothing of them is told."""
    message = forged(sign(target="/items?q=1", s3=s3, presigned=presigned))
    off = send(guarded(Application(), s3=s3), message).text
    assert "AWS4-HMAC-SHA256" not in off
    assert "aws4_request" not in off
    on = send(guarded(Application(), s3=s3, explain=True), message).text
    assert "AWS4-HMAC-SHA256" in on
    assert "20261121T213000Z" in on
    assert "host:api.example.com" in on
    assert "q=1" in on
    if s3:
        assert "<StringToSignBytes>41 57 53 34 2d" in on
        assert "<CanonicalRequestBytes>47 45 54 0a" in on


@both_profiles
@both_forms
def test_t24_explain_redacts_cookies_and_tokens(s3: bool, presigned: bool) -> None:
    """T24: neither the strings nor their bytes hold a cookie or a session token."""
    token = "token/of+the=client"
    headers = {
        "Cookie": "session=cookie-of-the-client",
        "Proxy-Authorization": "Basic proxy-of-the-client",
        "x-amz-server-side-encryption-customer-key": "key-of-the-client",
        "x-amz-copy-source-server-side-encryption-customer-key": "key-of-the-client",
    }
    message = forged(
        sign(s3=s3, presigned=presigned, token=token, access_key_id=TEMPORARY_ID, headers=headers)
    )
    own = verifier(s3=s3, credentials={TEMPORARY_ID: Credentials("other", session_token=token)})
    answer = send(SigV4Middleware(Application(), own, explain=True), message)
    assert answer.status == 403
    assert "cookie:..." in answer.text
    said = answer.text + bytes.fromhex(
        "".join(re.findall("<CanonicalRequestBytes>([0-9a-f ]*)<", answer.text))
    ).decode("latin-1")
    for secret in (
        "cookie-of",
        "proxy-of",
        "key-of",
        "token/of",
        "token%2Fof",
        "of+the",
        "of%2Bthe",
    ):
        assert secret not in said


def signature(message: Message) -> str:
    """Return the signature of *message*."""
    old = message.header("authorization") or message.query
    return old.rpartition(b"Signature=")[2][:64].decode()


@both_profiles
@both_forms
@pytest.mark.parametrize("explain", [False, True], ids=["plain", "explain"])
def test_t24_calculated_signature_is_told_nowhere(
    s3: bool, presigned: bool, explain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """T24: not in the answer, not in the log, and not in the exception or its evidence."""
    message = sign(s3=s3, presigned=presigned)
    right = signature(message)
    refusals = []

    def render(refusal: SigV4Error, environ: WSGIEnvironment) -> Answer:
        refusals.append(refusal)
        return Answer(status=403, headers=(), body=b"")

    with caplog.at_level(logging.DEBUG):
        answer = send(guarded(Application(), s3=s3, explain=explain), forged(message))
        send(guarded(Application(), s3=s3, render_refusal=render), forged(message))
    (refusal,) = refusals
    said = [answer.text, str(answer.headers), caplog.text, repr(refusal), str(refusal)]
    said += [repr(record.__dict__) for record in caplog.records]
    said += [repr(getattr(refusal, "evidence", "")), repr(vars(refusal))]
    assert not any(right in text or SECRET in text for text in said)


def test_explain_is_for_mismatches_only() -> None:
    """Other refusals say what they say."""
    middleware = guarded(Application(), explain=True)
    for message in (sign(age=301), sign(access_key_id=UNKNOWN_ID), Message.of()):
        assert "Canonical" not in send(middleware, message).text


def test_t51_explain_shows_nothing_more_of_an_unknown_key() -> None:
    """T51: with uniform errors the explained answers are alike too, but for what was sent."""
    uniform = SigV4Middleware(Application(), verifier(uniform_errors=True), explain=True)
    unknown = send(uniform, sign(access_key_id=UNKNOWN_ID)).text
    wrong = send(uniform, sign(secret="other")).text
    assert unknown == wrong


# uniform_errors.


@both_profiles
@both_forms
def test_t51_unknown_key_is_answered_as_a_wrong_signature(s3: bool, presigned: bool) -> None:
    """T51: code, status, message, headers and elements are the same; by default they differ."""
    # Keys of one length, so that the answers can be compared whole.
    unknown = sign(s3=s3, presigned=presigned, access_key_id="AKIDOESNOTEXIST7EXAM")
    wrong = sign(s3=s3, presigned=presigned, secret="other")

    def told(parameters: dict[str, Any], message: Message) -> tuple[int, str, list[str]]:
        answer = send(SigV4Middleware(Application(), verifier(s3=s3, **parameters)), message)
        text = re.sub("AKI[A-Z0-9]+", "KEY", answer.text)
        text = re.sub("(?<=Provided>)[0-9a-f]{64}", "SIGNATURE", text)
        text = re.sub("(?<=Id>)[^<]*", "ID", text.replace("KEY", "ID"))
        return answer.status, text, [name for name, _ in answer.headers]

    uniform = {"uniform_errors": True}
    assert told(uniform, unknown) == told(uniform, wrong)
    assert told({}, unknown) != told({}, wrong)


@pytest.mark.parametrize("token", [None, "wrong"], ids=["missing", "wrong"])
def test_t51_wrong_token_is_told_only_to_who_has_the_secret(token: str | None) -> None:
    """T51: with a right signature the token's fault is told, with a wrong one it is a mismatch."""
    middleware = SigV4Middleware(Application(), verifier(s3=True, uniform_errors=True))
    right = sign(s3=True, access_key_id=TEMPORARY_ID, token=token)
    assert "<Code>InvalidToken</Code>" in send(middleware, right).text
    assert "<Code>SignatureDoesNotMatch</Code>" in send(middleware, forged(right)).text


# render_refusal, hosts, limits.


def test_render_refusal_replaces_the_answer() -> None:
    """An operator's answer is sent as it is, and the refusal is logged all the same."""

    def render(refusal: SigV4Error, environ: WSGIEnvironment) -> Answer:
        text = f"{type(refusal).__name__} {environ['PATH_INFO']}"
        return Answer(status=418, headers=(("X-Own", "1"),), body=text.encode())

    app = Application()
    answer = send(guarded(app, render_refusal=render), forged(sign()))
    assert answer.status == 418
    assert answer.headers == (("X-Own", "1"),)
    assert answer.body == b"SignatureMismatch /items"
    assert not app.called


@pytest.mark.parametrize(
    ("hosts", "host", "status"),
    [
        (("api.example.com",), "api.example.com", 200),
        (("api.example.com",), "API.example.com", 200),
        (("api.example.com",), "api.example.com:443", 200),
        (("api.example.com",), "api.example.com:8000", 403),
        (("api.example.com",), "staging.example.com", 403),
        (("api.example.com",), "api.example.com.evil.example", 403),
        ((".example.com",), "staging.example.com", 200),
        ((".example.com",), "example.com", 403),
        (("api.example.com:8000",), "api.example.com:8000", 200),
        ((), "api.example.com", 403),
    ],
)
def test_t46_hosts_pin_the_host(hosts: tuple[str, ...], host: str, status: int) -> None:
    """T46: a request to another host that shares the keys is refused."""
    message = GENERIC_SIGNER.sign(Message.of(headers={"Host": host}))
    app = SigV4Middleware(Application(), verifier(hosts=hosts))
    assert send(app, message).status == status


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"max_body": 4}, 413),
        ({"unverified_body_limit": 4}, 413),
        ({"body_seconds": 0}, 408),
        ({"max_body": 5, "unverified_body_limit": 5, "memory_limit": 0}, 200),
    ],
)
def test_limits_of_the_body(options: dict[str, Any], status: int) -> None:
    """Each limit is an option of the middleware."""
    assert send(guarded(Application(), **options), sign("PUT", body=b"hello")).status == status


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"remote_user": "name"}, "remote_user"),
        ({"exempt": "/health"}, "exempt"),
        ({"path_prefix": "api/"}, "path_prefix"),
        ({"max_body": -1}, "max_body"),
    ],
)
def test_options_that_make_no_sense_are_configuration_errors(
    options: dict[str, Any], said: str
) -> None:
    """A mistake of the programmer's is found when the middleware is made."""
    with pytest.raises(ConfigurationError, match=said):
        guarded(Application(), **options)


@pytest.mark.parametrize(
    "given",
    [{ACCESS_KEY_ID: SECRET}, None, "verifier", Verifier, object(), Application()],
    ids=["mapping", "none", "text", "class", "object", "application"],
)
def test_what_is_no_verifier_is_a_configuration_error(given: Any) -> None:
    """Keys in the place of the verifier show when the middleware is made, and are not told."""
    with pytest.raises(ConfigurationError, match=r"second argument\) is a Verifier\(") as refused:
        SigV4Middleware(Application(), given)
    assert SECRET not in str(refused.value)


def test_verifier_of_a_kind_of_its_own() -> None:
    """Whoever derives from the verifier may hand theirs to the middleware."""

    class Own(Verifier):
        pass

    keys = {ACCESS_KEY_ID: SECRET}
    own = Own(keys, region="us-east-1", service="items", clock=lambda: NOW)
    assert send(SigV4Middleware(Application(), own), sign()).status == 200


# The provider.


@both_profiles
@pytest.mark.parametrize(("raised", "after"), [({}, "5"), ({"retry_after": 30}, "30")])
def test_back_end_that_is_down_is_503_with_retry_after(
    s3: bool, raised: dict[str, int], after: str
) -> None:
    """CredentialsUnavailable is no word about the request."""

    def provider(access_key_id: str) -> str:
        raise CredentialsUnavailable("no connection to 10.0.0.7", **raised)

    app = Application()
    own = verifier(s3=s3, credentials=provider)
    answer = send(SigV4Middleware(app, own), sign(s3=s3))
    assert answer.status == 503
    assert answer.header("Retry-After") == after
    assert "10.0.0.7" not in answer.text
    assert not app.called


@pytest.mark.parametrize("error", [LookupError("a bug"), ValueError("x"), ConnectionError("x")])
def test_other_faults_of_the_provider_rise(error: Exception) -> None:
    """A bug of the provider's is no 403 and no 503, and nothing passes."""

    def provider(access_key_id: str) -> str:
        raise error

    app = Application()
    with pytest.raises(type(error)):
        send(SigV4Middleware(app, verifier(credentials=provider)), sign())
    assert not app.called


# Headers of the answer: caches, HEAD, Date.


@both_forms
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], ["Authorization"]),
        ([("Vary", "Accept")], ["Accept", "Authorization"]),
        ([("vary", "accept, authorization")], ["accept, authorization"]),
        ([("Vary", "Accept"), ("Vary", "Authorization")], ["Accept", "Authorization"]),
        ([("Vary", "*")], ["*"]),
    ],
)
def test_t47_answers_to_signers_vary(
    presigned: bool, sent: list[tuple[str, str]], expected: list[str]
) -> None:
    """T47: a cache must not serve one signer's answer to others."""
    app = Application(headers=[("X-Other", "1"), *sent])
    answer = send(guarded(app), sign(presigned=presigned))
    assert [value for name, value in answer.headers if name.lower() == "vary"] == expected
    assert answer.header("X-Other") == "1"


def test_t47_answers_to_strangers_vary_where_signers_may_be_answered_otherwise() -> None:
    """T47: a cache must not serve a stranger's answer to who signs."""
    answer = send(guarded(Application(), required=False), Message.of())
    assert answer.header("Vary") == "Authorization"


def test_exempt_answers_are_left_alone() -> None:
    """Nothing is added where nobody looks at a signature."""
    answer = send(guarded(Application(), exempt=["/items"]), Message.of(target="/items/1"))
    assert answer.headers == (("Content-Type", "text/plain"),)


@both_profiles
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_t47_refusals_are_never_stored(s3: bool, method: str) -> None:
    """T47: a cache must neither keep a refusal nor serve it to others."""
    answer = send(guarded(Application(), s3=s3), forged(sign(method, s3=s3)))
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Vary") == "Authorization"


@both_profiles
def test_refusal_of_head_has_no_body(s3: bool) -> None:
    """HEAD gets the headers of GET, its length among them, and nothing else."""
    head = send(guarded(Application(), s3=s3), forged(sign("HEAD", s3=s3)))
    get = send(guarded(Application(), s3=s3), forged(sign("GET", s3=s3)))
    assert (head.status, head.body) == (403, b"")
    assert len(get.body) == int(get.header("Content-Length") or 0)
    # The request ids have one length, and the signatures too.
    assert head.header("Content-Length") == get.header("Content-Length")


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_refusals_have_a_date_where_the_server_adds_none(server: Server) -> None:
    """SDKs correct their clock by Date; uWSGI alone leaves it to the application."""
    answer = send(guarded(Application()), forged(sign()), server)
    if server is UWSGI:
        moment = parsedate_to_datetime(answer.header("Date") or "")
        assert abs(moment.timestamp() - time.time()) < 60
    else:
        assert answer.header("Date") is None


@both_profiles
def test_rule_21_refusals_have_no_hop_by_hop_headers(s3: bool) -> None:
    """Rule 21: PEP 3333 forbids Connection: close, and waitress turns it into a 500."""
    answer = send(guarded(Application(), s3=s3), forged(sign(s3=s3)))
    assert not any(is_hop_by_hop(name) for name, _ in answer.headers)


# PEP 3333.


@both_profiles
@both_forms
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("memory_limit", [10, 10**6], ids=["on disk", "in memory"])
@pytest.mark.parametrize("good", [True, False], ids=["good", "forged"])
def test_wsgi_is_conformed_to_on_both_sides(
    s3: bool, presigned: bool, method: str, memory_limit: int, good: bool
) -> None:
    """wsgiref's validator finds nothing wrong between server, middleware and application."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["wsgi.input"].read(10**6) == body
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    body = b"hello" * 10 if method == "PUT" and not (presigned and not s3) else b""
    message = sign(method, s3=s3, presigned=presigned, body=body)
    middleware = guarded(validator(app), s3=s3, memory_limit=memory_limit)
    answer = call_strictly(validator(middleware), environ_of(message if good else forged(message)))
    assert answer == (200 if good else 403)


def call_strictly(app: WSGIApplication, environ: WSGIEnvironment) -> int:
    """Return the status of the answer, from a server that does no more than PEP 3333 asks for."""
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)
        return lambda data: None

    answer = app(environ, start_response)
    try:
        for _ in answer:
            assert statuses
    finally:
        answer.close()  # type: ignore[attr-defined]
    return int(statuses[0][:3])


def test_wsgi_anonymous_form_conforms_too() -> None:
    """A form that was looked at and passes without identity is a proper input as well."""
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--b--\r\n'

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["wsgi.input"].read(10**6) == body
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"served"]

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    message = Message.of("POST", headers=kind, body=body)
    middleware = guarded(validator(app), required=False)
    assert call_strictly(validator(middleware), environ_of(message)) == 200


class Tracked:
    """The iterable of an application, which notes when it is closed."""

    def __init__(self, environ: WSGIEnvironment, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._input = environ["wsgi.input"]
        self.log: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        assert not self._input.closed
        return next(self._pieces)

    def close(self) -> None:
        """Note that the body was still open."""
        self.log.append(f"closed, body open: {not self._input.closed}")


def test_iterable_is_closed_once_and_then_the_body() -> None:
    """close() of the application's iterable is called, and the body closed after it."""
    made: list[Tracked] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        made.append(Tracked(environ, [b"a", b"b"]))
        return made[0]

    environ = environ_of(sign("PUT", body=b"hello"))
    answer = call(guarded(app, memory_limit=1), environ)
    assert answer.body == b"ab"
    assert made[0].log == ["closed, body open: True"]
    assert environ["wsgi.input"].closed


def test_application_may_start_and_read_late() -> None:
    """A generator starts its answer, and reads the body, when it is iterated."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        yield from ()
        start_response("200 OK", [("X-Late", "1")])
        yield environ["wsgi.input"].read(2)
        yield environ["wsgi.input"].read()

    answer = send(guarded(app), sign("PUT", body=b"hello"))
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.header("Vary") == "Authorization"
    assert answer.header("X-Late") == "1"


def test_write_callable_of_the_server_is_handed_on() -> None:
    """Old applications write through what start_response returns."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"written, ")
        return [b"returned"]

    assert send(guarded(app), sign()).body == b"written, returned"


def test_application_may_start_again_after_an_error() -> None:
    """exc_info is handed on, so that an error page can replace the answer."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            raise LookupError
        except LookupError:
            start_response("500 Oops", [("X-Error", "1")], sys.exc_info())
        return [b"error page"]

    answer = send(guarded(app), sign())
    assert (answer.status, answer.header("X-Error")) == (500, "1")
    assert answer.header("Vary") == "Authorization"


@pytest.mark.parametrize("late", [False, True], ids=["when called", "when iterated"])
def test_error_of_the_application_rises_and_closes_the_body(late: bool) -> None:
    """Whether it raises at once or while it is iterated, no file is left open."""

    def failing() -> Iterator[bytes]:
        yield b"a"
        raise LookupError("a bug")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not late:
            raise LookupError("a bug")
        start_response("200 OK", [])
        return failing()

    environ = environ_of(sign("PUT", body=b"hello"))
    with pytest.raises(LookupError, match="a bug"):
        call(guarded(app, memory_limit=1), environ)
    assert environ["wsgi.input"].closed


def test_application_may_close_or_replace_the_body() -> None:
    """An application that closes wsgi.input, or puts another one there, harms nobody."""

    def closing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"].close()
        start_response("200 OK", [])
        return [b"closed"]

    bodies = []

    def replacing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        bodies.append(environ["wsgi.input"])
        environ["wsgi.input"] = io.BytesIO()
        start_response("200 OK", [])
        return [b"replaced"]

    message = sign("PUT", body=b"hello")
    assert send(guarded(closing, memory_limit=1), message).body == b"closed"
    assert send(guarded(replacing, memory_limit=1), message).body == b"replaced"
    assert bodies[0].closed


@pytest.mark.parametrize("memory_limit", [0, 100], ids=["body on disk", "body in memory"])
def test_file_wrapper_still_serves_files(memory_limit: int) -> None:
    """A file wrapped for sendfile is sent and closed; without a body the server sees its wrapper.

    A server sends a file in the fast way only where the iterable is an instance of its own class.
    """
    file = io.BytesIO(b"file")

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return wrapped

    middleware = guarded(app, memory_limit=memory_limit)
    environ = environ_of(sign()) | {"wsgi.file_wrapper": FileWrapper}
    assert isinstance(middleware(environ, lambda *_: len), FileWrapper)
    environ = environ_of(sign("PUT", body=b"hello")) | {"wsgi.file_wrapper": FileWrapper}
    assert call(middleware, environ).body == b"file"
    assert file.closed


def test_two_middlewares_verify_twice() -> None:
    """An inner middleware verifies the request that an outer one has verified and rewritten."""
    app = Application()
    inner = guarded(app)
    message = sign("PUT", "/a//b", body=b"hello" * 100)
    answer = send(guarded(inner, memory_limit=10), message, chunked=True)
    assert answer.status == 200
    assert app.body == message.body
    assert [value for name, value in answer.headers if name == "Vary"] == ["Authorization"]
    other = SigV4Middleware(app, verifier(credentials={ACCESS_KEY_ID: "other"}))
    assert send(guarded(other), message).status == 403
    assert len(app.environs) == 1


def test_one_record_is_logged_for_each_refusal(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is logged once, and a served request not at all."""
    send(guarded(Application()), sign())
    assert caplog.records == []
    send(guarded(Application()), forged(sign()))
    assert len(caplog.records) == 1


def test_clock_is_asked_of_the_verifier() -> None:
    """Time is the verifier's clock, never the machine's."""
    times = iter([NOW, NOW, NOW, NOW + 10_000])
    own = verifier(clock=lambda: next(times))
    assert send(SigV4Middleware(Application(), own), sign()).status == 200
    assert send(SigV4Middleware(Application(), own), sign()).status == 403


def test_wsgiref_input_is_never_read_without_a_length() -> None:
    """Under wsgiref a read of a request without a body would hang the server."""
    answer = send(guarded(Application()), forged(sign("PUT")), WSGIREF, body=Untouched())
    assert answer.status == 403
