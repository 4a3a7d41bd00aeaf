"""authenticate(): what is verified, what may pass without an identity, and how much is read."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.core.messages import Message
from tests.wsgi.clients import ACCESS_KEY_ID
from tests.wsgi.clients import NOW
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.inputs import Broken
from tests.wsgi.inputs import Socket
from tests.wsgi.inputs import Untouched
from tests.wsgi.inputs import silent_client
from tests.wsgi.servers import CHEROOT
from tests.wsgi.servers import GEVENT
from tests.wsgi.servers import GRANIAN
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import MOD_WSGI
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import WAITRESS
from tests.wsgi.servers import WERKZEUG
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import Server
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import Identity
from wsgi_sigv4 import Verifier
from wsgi_sigv4 import authentication
from wsgi_sigv4 import spooling
from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import claim
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import PayloadHashMismatch
from wsgi_sigv4.errors import RequestTimeTooSkewed
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import StorageUnavailable
from wsgi_sigv4.errors import UnknownAccessKey
from wsgi_sigv4.exemptions import is_exempt
from wsgi_sigv4.options import Options

OPTIONAL = Options(required=False)
#: Where the drain of a refused body ends.
DRAIN = 10 * 1024 * 1024

Body = bytes


@pytest.fixture(autouse=True)
def _close_bodies(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Close the bodies that tests get, as a skin would."""
    bodies = []
    real: Callable[..., Any] = spooling.spool

    def spool(*arguments: Any, **options: Any) -> Any:
        body, length = real(*arguments, **options)
        bodies.append(body)
        return body, length

    monkeypatch.setattr(authentication, "spool", spool)
    yield
    for body in bodies:
        body.close()


# What is in the environ afterwards.


def test_identity_and_body_are_in_the_environ() -> None:
    """On success the keys of the package, the rewound body and its length are there."""
    environ = environ_of(sign("PUT", body=b"one\ntwo\n"))
    identity = authenticate(environ, verifier(), Options())
    assert isinstance(identity, Identity)
    assert environ["wsgi_sigv4.identity"] is identity
    assert environ["wsgi_sigv4.access_key_id"] == "AKIAIOSFODNN7EXAMPLE"
    assert environ["CONTENT_LENGTH"] == "8"
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.input"].readline() == b"one\n"
    assert list(environ["wsgi.input"]) == [b"two\n"]
    environ["wsgi.input"].seek(0)
    assert environ["wsgi.input"].read(3) == b"one"


def test_identity_says_what_was_signed() -> None:
    """The identity names the key, its owner, the scope, the headers, the time and the form."""
    environ = environ_of(sign("PUT", s3=True, presigned=True, expires=90))
    identity = authenticate(environ, verifier(s3=True), Options())
    assert identity is not None
    assert identity.access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert identity.principal == "alice"
    assert str(identity.scope) == "20261121/us-east-1/s3/aws4_request"
    assert identity.signed_headers == ("host",)
    assert identity.request_time == NOW
    assert identity.presigned
    assert identity.expires_at == NOW + 90


@pytest.mark.parametrize(
    "changes",
    [
        {"required": False},
        {"required": False, "exempt": ("/items",)},
        {"required": False, "exempt": lambda environ: True},
        {"required": False, "preflight": True},
    ],
    ids=["optional", "exempt", "exempt by predicate", "preflight"],
)
def test_t40_inherited_identity_is_removed(changes: dict[str, Any]) -> None:
    """T40: what a weaker verifier outside put into the environ is gone, whatever happens next."""
    environ = environ_of(Message.of())
    stale: dict[str, Any] = {"wsgi_sigv4.identity": "evil", "wsgi_sigv4.access_key_id": "evil"}
    stale |= {"wsgi_sigv4.trailers": {"evil": "yes"}}
    environ.update(stale)
    assert authenticate(environ, verifier(), Options(**changes)) is None
    assert not any(key.startswith("wsgi_sigv4.") for key in environ)


def test_t40_inherited_identity_is_removed_from_a_refused_request() -> None:
    """T40: a skin that renders a refusal sees no identity either."""
    environ = environ_of(forged(sign())) | {"wsgi_sigv4.identity": "evil"}
    with pytest.raises(SignatureMismatch):
        authenticate(environ, verifier(), Options())
    assert "wsgi_sigv4.identity" not in environ


def test_identity_is_for_its_own_request_and_verifier() -> None:
    """T40: an identity knows the verifier and the request it was made for."""
    ours = verifier()
    environ = environ_of(sign())
    identity = authenticate(environ, ours, Options())
    assert identity is not None
    attempt = claim(environ_of(sign()), ours, Options())
    other = claim(environ_of(sign(target="/items?q=2")), ours, Options())
    assert attempt is not None
    assert other is not None
    assert identity.is_from(ours, attempt.request)
    assert not identity.is_from(verifier(), attempt.request)
    assert not identity.is_from(ours, other.request)


def test_t36_nothing_of_ours_enters_the_environ_as_a_header() -> None:
    """T36: the environ gains no key but those that are documented."""
    environ = environ_of(sign("PUT", body=b"x"))
    before = set(environ)
    authenticate(environ, verifier(), Options())
    assert set(environ) - before == {"wsgi_sigv4.identity", "wsgi_sigv4.access_key_id"}


def test_skin_that_runs_after_routing_refuses_a_path_that_is_not_normal() -> None:
    """T31: without a rewrite, the normal form that was signed is not the path that was routed."""
    environ = environ_of(sign(target="/a//b"))
    with pytest.raises(PathNotRouted):
        authenticate(environ, verifier(), Options())
    assert environ["PATH_INFO"] == "/a//b"
    assert authenticate(environ_of(sign(target="/a/b")), verifier(), Options()) is not None


# Exempt paths.


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("/health", "/health"),
        ("/health", "/health/"),
        ("/health", "/health/db"),
        ("/health/", "/health/db"),
        ("/health/", "/health/"),
        ("/öffentlich", "/\xc3\xb6ffentlich/a"),
    ],
)
def test_exempt_prefix_covers_whole_segments(prefix: str, path: str) -> None:
    """A prefix covers the path itself and what is below it, also where it is not ASCII."""
    assert is_exempt({"PATH_INFO": path}, (prefix,))


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/healt",
        "/",
        "",
        "/Health",
        "/other/health",
        "/health/../admin",
        "/health/..",
        "/health/./db",
        "/health/.hidden",
        "/health//db",
        "//health",
        "/health/..%2fadmin",
        "/health/%2e%2e/admin",
        "/health\\..\\admin",
        "/health/\x00",
    ],
)
def test_t48_exempt_prefix_never_covers_a_path_of_two_readings(path: str) -> None:
    """T48: dot segments, doubled slashes and left-over escapes may mean another path to others."""
    assert not is_exempt({"PATH_INFO": path}, ("/health",))


def test_exempt_path_without_path_info_is_verified() -> None:
    """bjoern leaves out an empty PATH_INFO."""
    assert not is_exempt({}, ("/health",))
    assert not is_exempt({}, ())


@pytest.mark.parametrize("exempt", [("/health",), lambda environ: True], ids=["prefix", "callable"])
def test_exempt_request_is_left_alone(exempt: Any) -> None:
    """An exempt request keeps its body unread, even with a wrong signature."""
    body = Untouched()
    environ = environ_of(forged(sign(target="/health")), body=body, CONTENT_LENGTH="5")
    assert authenticate(environ, verifier(), Options(exempt=exempt)) is None
    assert environ["wsgi.input"] is body


# Requests without an identity.

TRACES = [
    pytest.param({"Authorization": "AWS AKIAIOSFODNN7EXAMPLE:sig="}, "", id="SigV2 header"),
    pytest.param({"Authorization": "aws4-hmac-sha256 Credential=x"}, "", id="other case"),
    pytest.param({"Authorization": "AWS4-HMAC-SHA256"}, "", id="no parts"),
    pytest.param({"Authorization": "Basic eDp5, AWS4-HMAC-SHA256 x=y"}, "", id="joined second"),
    pytest.param({"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"}, "", id="SigV4A"),
    pytest.param({"X-Amz-Security-Token": "t"}, "", id="lone token"),
    pytest.param({"X-Amz-Date": "20261121T213000Z"}, "", id="lone date"),
    pytest.param({"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}, "", id="payload form"),
    pytest.param(
        {"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, "", id="streaming form"
    ),
    pytest.param({"X-Amz-Decoded-Content-Length": "5"}, "", id="decoded length"),
    pytest.param({"X-Amz-Trailer": "x-amz-checksum-crc32"}, "", id="trailer"),
    pytest.param({}, "X-Amz-Signature=" + "0" * 64, id="lone signature"),
    pytest.param({}, "x-amz-signature=" + "0" * 64, id="signature in other case"),
    pytest.param({}, "X-AMZ-CREDENTIAL=x", id="credential in other case"),
    pytest.param({}, "X-Amz-Algorithm=", id="empty algorithm"),
    pytest.param({}, "X%2DAmz-Date=1", id="escaped name"),
    pytest.param({}, "X-Amz-Expires=1", id="lone expires"),
    pytest.param({}, "AWSAccessKeyId=x&Signature=y&Expires=1", id="SigV2 query"),
]


@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
@pytest.mark.parametrize(("headers", "query"), TRACES)
def test_t41_any_trace_of_a_signature_is_an_attempt(
    headers: dict[str, str], query: str, s3: bool
) -> None:
    """T41: an almost signed request never passes as an anonymous one."""
    environ = environ_of(Message.of(target=f"/items?{query}", headers=headers))
    with pytest.raises(SigV4Error):
        authenticate(environ, verifier(s3=s3), OPTIONAL)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"X-Amzn-Trace-Id": "1"}],
)
def test_request_without_any_trace_is_anonymous(headers: dict[str, str]) -> None:
    """Without a trace of AWS the request passes, its body unread and in its old form."""
    body = Untouched()
    environ = environ_of(Message.of(headers=headers), body=body, CONTENT_LENGTH="5")
    assert authenticate(environ, verifier(), OPTIONAL) is None
    assert environ["wsgi.input"] is body


def form(*fields: str) -> bytes:
    """Return a multipart body with one field for each line of a part's header."""
    parts = [f"--b\r\nContent-Disposition: form-data; {field}\r\n\r\nv\r\n" for field in fields]
    return "".join(parts).encode() + b"--b--\r\n"


def post(body: bytes, kind: str = "multipart/form-data; boundary=b") -> Message:
    """Return an unsigned POST of *body*."""
    return Message.of("POST", "/items", headers={"Content-Type": kind}, body=body)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "field",
    [
        'name="X-Amz-Signature"',
        'name="x-amz-credential"',
        "name=x-amz-algorithm",
        'name="AWSAccessKeyId"',
    ],
)
@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data; boundary=b", "Multipart/Form-Data; boundary=b", "\tmultipart/form-data"],
)
def test_t41_post_policy_form_is_an_attempt(field: str, kind: str, chunked: bool) -> None:
    """T41: a form with the fields of a POST policy is refused, and its body is drained."""
    body = form('name="key"', field, 'name="file"; filename="x"')
    stream = io.BytesIO(body) if chunked else Socket(body)
    environ = environ_of(post(body, kind), body=stream, chunked=chunked)
    with pytest.raises(MissingAuthentication):
        authenticate(environ, verifier(), OPTIONAL)
    if isinstance(stream, Socket):
        assert stream.received == len(body)


@pytest.mark.parametrize("size", [0, 10, 40_000, 200_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_anonymous_form_stays_readable(size: int, chunked: bool) -> None:
    """A form without such fields passes whole, with and without a length, short and long."""
    body = form('name="comment"') + bytes(size)
    stream = io.BytesIO(body) if chunked else Socket(body)
    environ = environ_of(post(body), body=stream, chunked=chunked)
    assert authenticate(environ, verifier(), OPTIONAL) is None
    assert environ["wsgi.input"].read() == body


def test_anonymous_form_without_a_body_passes() -> None:
    """A form without a length is an empty one."""
    environ = environ_of(post(b""), body=Untouched())
    assert authenticate(environ, verifier(), OPTIONAL) is None
    assert environ["wsgi.input"].read() == b""


def test_anonymous_form_that_ends_early_is_refused() -> None:
    """A lost client is one in an anonymous form too."""
    environ = environ_of(post(form("name=a")), CONTENT_LENGTH="5000")
    with pytest.raises(IncompleteBody):
        authenticate(environ, verifier(), OPTIONAL)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", ""])
def test_other_anonymous_bodies_are_not_looked_at(kind: str) -> None:
    """Only a multipart form can be a POST policy."""
    environ = environ_of(post(b"x-amz-signature=1", kind), body=Untouched())
    assert authenticate(environ, verifier(), OPTIONAL) is None


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_required_request_without_a_signature_is_refused(chunked: bool) -> None:
    """By default an anonymous request is refused, and its body drained."""
    stream = io.BytesIO(b"hello")
    environ = environ_of(Message.of("POST", body=b"hello"), body=stream, chunked=chunked)
    with pytest.raises(MissingAuthentication):
        authenticate(environ, verifier(), Options())
    assert stream.read() == b""


PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}


def test_t42_preflight_passes_by_option_only() -> None:
    """T42: OPTIONS with Origin and Access-Control-Request-Method passes without an identity."""
    message = sign(presigned=True)
    environ = environ_of(Message.of("OPTIONS", headers=PREFLIGHT))
    assert authenticate(environ, verifier(), Options(preflight=True)) is None
    # That of an upload carries the query of a PUT.
    environ["QUERY_STRING"] = message.query.decode()
    environ["RAW_URI"] = f"/items?{message.query.decode()}"
    assert authenticate(environ, verifier(), Options(preflight=True)) is None
    assert "wsgi_sigv4.identity" not in environ
    with pytest.raises(SigV4Error):
        authenticate(environ, verifier(), Options())


@pytest.mark.parametrize(
    ("method", "missing"), [("GET", ""), ("PUT", ""), ("options", ""), ("OPTIONS", "Origin")]
)
@pytest.mark.parametrize("also", [True, False])
def test_t42_nothing_else_is_a_preflight(method: str, missing: str, also: bool) -> None:
    """T42: another method, or one header of the two, is an ordinary request."""
    missing = missing or ("Access-Control-Request-Method" if also else "")
    headers = {name: value for name, value in PREFLIGHT.items() if name != missing}
    if method == "OPTIONS" and not missing:
        pytest.fail("that is a preflight")
    environ = environ_of(Message.of(method, headers=headers))
    with pytest.raises(MissingAuthentication):
        authenticate(environ, verifier(), Options(preflight=True))


# How much is read.


def received(
    message: Message, verifier_: Verifier, *, sent: int, server: Server = GUNICORN, **options: Any
) -> tuple[int, type[SigV4Error]]:
    """Return how much of a body of *sent* bytes is read for a refused request, and the refusal."""
    stream = Socket(bytes(sent))
    environ = environ_of(message, server, body=stream, CONTENT_LENGTH=str(sent))
    with pytest.raises(SigV4Error) as caught:
        authenticate(environ, verifier_, Options(**options))
    return stream.received, type(caught.value)


def waiting(message: Message) -> Message:
    """Return *message* of a client that waits for 100 Continue."""
    return message.with_extra_header("Expect", "100-continue")


LAZY = pytest.mark.parametrize(
    "server", [GEVENT, GRANIAN, UWSGI, WSGIREF], ids=lambda server: server.name
)
EAGER = pytest.mark.parametrize(
    "server", [GUNICORN, WERKZEUG, CHEROOT, WAITRESS, MOD_WSGI], ids=lambda server: server.name
)


@LAZY
def test_rule_20_client_that_waits_for_100_continue_is_not_drained(server: Server) -> None:
    """Rule 20: to read would tell the client to send what is refused already."""
    message = waiting(forged(sign("PUT", hashed=True)))
    assert received(message, verifier(), sent=5000, server=server)[0] == 0


@EAGER
def test_rule_20_client_that_was_told_to_continue_is_drained(server: Server) -> None:
    """Rule 20: these servers have sent 100 Continue before the application is called."""
    message = waiting(forged(sign("PUT", hashed=True)))
    assert received(message, verifier(), sent=5000, server=server)[0] == 5000


@LAZY
@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
def test_t44_unknown_key_reads_nothing(server: Server, hashed: bool, s3: bool) -> None:
    """T44: for an unknown key no byte of the body is asked for."""
    message = waiting(sign("PUT", hashed=hashed, s3=s3, access_key_id=UNKNOWN_ID))
    assert received(message, verifier(s3=s3), sent=5000, server=server) == (0, UnknownAccessKey)


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
def test_t44_unknown_key_spools_nothing(hashed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """T44: what is drained for an unknown key is not kept."""
    monkeypatch.setattr(authentication, "spool", None)
    message = sign("PUT", hashed=hashed, access_key_id=UNKNOWN_ID)
    assert received(message, verifier(), sent=5000) == (5000, UnknownAccessKey)


@LAZY
def test_t44_hash_in_the_header_means_signature_first(server: Server) -> None:
    """T44: with x-amz-content-sha256 a wrong signature is refused before the body is read."""
    message = waiting(forged(sign("PUT", hashed=True)))
    assert received(message, verifier(), sent=5000, server=server) == (0, SignatureMismatch)


def test_t44_without_a_hash_the_body_is_read_up_to_the_unverified_limit() -> None:
    """T44: a body that must be read before its signature is known has a limit of its own."""
    message = waiting(forged(sign("PUT", body=bytes(1000))))
    assert received(message, verifier(), sent=1000, server=GEVENT, unverified_body_limit=1000) == (
        1000,
        SignatureMismatch,
    )
    assert received(message, verifier(), sent=1001, server=GEVENT, unverified_body_limit=1000) == (
        0,
        BodyTooLarge,
    )


def test_t44_limit_for_unverified_bodies_is_10_mib_by_default() -> None:
    """T44: nobody without a right signature makes the server keep more than 10 MiB."""
    message = waiting(forged(sign("PUT")))
    result = received(message, verifier(), sent=10 * 1024 * 1024 + 1, server=GEVENT)
    assert result == (0, BodyTooLarge)
    # A body with a hash is only subject to max_body, once its signature is right.
    body = bytes(11 * 1024 * 1024)
    environ = environ_of(sign("PUT", body=body, hashed=True))
    assert authenticate(environ, verifier(), Options()) is not None


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "length"])
def test_max_body(hashed: bool, chunked: bool) -> None:
    """A body of max_body bytes is taken, one byte more is refused, even of a right signature."""
    body = bytes(1000)
    for limit, accepted in ((1000, True), (999, False)):
        environ = environ_of(sign("PUT", body=body, hashed=hashed), chunked=chunked)
        options = Options(max_body=limit)
        if accepted:
            assert authenticate(environ, verifier(), options) is not None
        else:
            with pytest.raises(BodyTooLarge) as caught:
                authenticate(environ, verifier(), options)
            assert caught.value.limit == 999


def test_max_body_is_applied_before_the_key_is_looked_up() -> None:
    """What the headers alone can refuse costs no look-up."""

    def provider(access_key_id: str) -> str:
        raise AssertionError("looked up")

    message = waiting(sign("PUT", hashed=True))
    result = received(
        message, verifier(credentials=provider), sent=1000, server=GEVENT, max_body=999
    )
    assert result == (0, BodyTooLarge)


@pytest.mark.parametrize(
    ("sent", "expect"),
    [
        *((sent, expect) for sent in (0, 1, 1000, 3_000_000) for expect in (True, False)),
        *((sent, False) for sent in (DRAIN, DRAIN + 1, 2 * DRAIN)),
    ],
)
@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
@pytest.mark.parametrize("server", [GUNICORN, GEVENT], ids=lambda server: server.name)
def test_t51_uniform_errors_read_the_same_for_unknown_keys(
    sent: int, hashed: bool, server: Server, expect: bool
) -> None:
    """T51: how much is read tells nobody which keys, or which tokens, exist."""
    uniform = verifier(uniform_errors=True)
    attempts = [
        sign("PUT", hashed=hashed, access_key_id=UNKNOWN_ID),
        forged(sign("PUT", hashed=hashed)),
        forged(sign("PUT", hashed=hashed, access_key_id=TEMPORARY_ID)),
        forged(sign("PUT", hashed=hashed, token="other")),
    ]
    results = [
        received(waiting(attempt) if expect else attempt, uniform, sent=sent, server=server)
        for attempt in attempts
    ]
    assert len(set(results)) == 1
    if sent <= DRAIN:
        assert results[0][1] is SignatureMismatch


def test_rule_21_refused_body_is_drained_up_to_10_mib() -> None:
    """Rule 21: behind nginx the client else gets 502 instead of the refusal."""
    message = forged(sign("PUT", hashed=True))
    assert received(message, verifier(), sent=3 * 1024 * 1024)[0] == 3 * 1024 * 1024
    most, _ = received(message, verifier(), sent=50 * 1024 * 1024)
    assert DRAIN <= most < DRAIN + 64 * 1024


def test_rule_21_body_of_unknown_length_is_not_drained() -> None:
    """Rules 15 and 21: a body whose end nobody knows is left alone."""
    environ = environ_of(forged(sign("PUT")), UWSGI, body=Untouched(), chunked=True)
    with pytest.raises(SigV4Error):
        authenticate(environ, verifier(), Options())


def test_t43_slow_body_is_refused_and_not_drained() -> None:
    """T43: a body that takes too long ends with a refusal at once."""
    environ = environ_of(sign("PUT", body=bytes(5000)))
    with pytest.raises(BodyTooSlow) as caught:
        authenticate(environ, verifier(), Options(body_seconds=0))
    assert caught.value.access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert environ["wsgi.input"].tell() < 5000


@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket"])
def test_t43_silent_client_is_cut_off_where_the_server_shows_its_socket(key: str) -> None:
    """T43: gunicorn and werkzeug hand over the socket, so that a read need not wait for ever."""
    with silent_client(b"hel") as (server, stream):
        environ = environ_of(sign("PUT", body=b"hello"), body=stream) | {key: server}
        with pytest.raises(BodyTooSlow):
            authenticate(environ, verifier(), Options(body_seconds=0.05))


@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
def test_t43_freshness_is_checked_again_after_the_body(hashed: bool) -> None:
    """T43: a request that was fresh at its headers and is stale after its body is refused."""
    times = [NOW + 299, NOW + 299, NOW + 301]
    stepping = verifier(clock=lambda: times.pop(0))
    environ = environ_of(sign("PUT", body=b"x", hashed=hashed))
    with pytest.raises(RequestTimeTooSkewed):
        authenticate(environ, stepping, Options())
    assert times == []


@pytest.mark.parametrize("memory_limit", [0, 10, 10_000])
@pytest.mark.parametrize("hashed", [True, False], ids=["hashed", "not hashed"])
def test_t23_changed_body_is_refused_and_not_kept(memory_limit: int, hashed: bool) -> None:
    """T23: a body that is not the signed one is refused, in memory and on disk."""
    message = sign("PUT", body=b"a" * 1000, hashed=hashed)
    environ = environ_of(message, body=io.BytesIO(b"b" * 1000))
    kind = PayloadHashMismatch if hashed else SignatureMismatch
    with pytest.raises(kind):
        authenticate(environ, verifier(), Options(memory_limit=memory_limit))
    assert "wsgi_sigv4.identity" not in environ


def test_rule_16_short_body_is_incomplete_before_any_hash() -> None:
    """Rule 16: a cut body is told as that, not as a wrong hash or signature."""
    for hashed in (True, False):
        message = sign("PUT", body=b"hello", hashed=hashed)
        with pytest.raises(IncompleteBody):
            authenticate(environ_of(message, body=io.BytesIO(b"hell")), verifier(), Options())


def test_t44_full_disk_is_503_and_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    """T44: where the temporary folder is full, the rest of the body is drained all the same."""

    def full(**_: object) -> io.BytesIO:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    body = bytes(100_000)
    stream = Socket(body)
    environ = environ_of(sign("PUT", body=body), body=stream)
    with pytest.raises(StorageUnavailable) as caught:
        authenticate(environ, verifier(), Options(memory_limit=10))
    assert caught.value.access_key_id == ACCESS_KEY_ID
    assert stream.received == len(body)


def test_fault_of_the_server_in_the_drain_is_swallowed() -> None:
    """A refusal stays what it was where the rest of the body cannot be read."""
    environ = environ_of(
        forged(sign("PUT", hashed=True)), body=Broken([], ValueError("x")), CONTENT_LENGTH="5"
    )
    with pytest.raises(SignatureMismatch):
        authenticate(environ, verifier(), Options())


# Whose request it was.


@pytest.mark.parametrize("presigned", [True, False], ids=["presigned", "header"])
def test_refusals_outside_the_core_name_the_request_too(presigned: bool) -> None:
    """Faults of body, provider and operator name key, service and form, for log and rendering."""

    def down(access_key_id: str) -> str:
        raise CredentialsUnavailable

    message = sign("PUT", body=b"hello", presigned=presigned, s3=True)
    cases: list[tuple[dict[str, Any], Options, dict[str, Any]]] = [
        ({"credentials": down}, Options(), {}),
        ({}, Options(max_body=1), {}),
        ({}, Options(body_seconds=0), {}),
        ({}, Options(authorize=lambda identity, environ: False), {}),
        ({}, Options(), {"CONTENT_LENGTH": "9"}),
        ({}, Options(), {"CONTENT_LENGTH": "x"}),
        ({}, Options(), {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}),
    ]
    for parameters, options, changes in cases:
        environ = environ_of(message, WSGIREF, **changes)
        with pytest.raises(SigV4Error) as caught:
            authenticate(environ, verifier(s3=True, **parameters), options)
        refusal = caught.value
        assert (refusal.access_key_id, refusal.service) == (ACCESS_KEY_ID, "s3")
        assert refusal.presigned is presigned


def test_verifier_with_two_profiles_renders_faults_of_the_body_by_the_service() -> None:
    """Under several profiles the service of the request decides how its refusal is rendered."""
    both = Verifier(
        {ACCESS_KEY_ID: SECRET},
        region="us-east-1",
        service=("items", "s3"),
        profile={"items": GENERIC, "s3": S3},
        clock=lambda: NOW,
    )
    with pytest.raises(BodyTooLarge) as caught:
        authenticate(environ_of(sign("PUT", body=b"xx", s3=True)), both, Options(max_body=1))
    assert both.profile(caught.value.service) is S3


# The operator's word.


@pytest.mark.parametrize("memory_limit", [10, 10_000])
def test_authorize_may_read_the_verified_body(memory_limit: int) -> None:
    """authorize() sees the verified body, and whoever comes after it sees it again."""
    seen = []

    def authorize(identity: Identity, environ: dict[str, Any]) -> bool:
        assert identity.access_key_id == ACCESS_KEY_ID
        seen.append(environ["wsgi.input"].read())
        return True

    environ = environ_of(sign("PUT", body=b"hello" * 100))
    options = Options(authorize=authorize, memory_limit=memory_limit)
    authenticate(environ, verifier(), options)
    assert seen == [b"hello" * 100]
    assert environ["wsgi.input"].read() == b"hello" * 100


@pytest.mark.parametrize("word", [False, None, 0, ""])
def test_authorize_that_does_not_say_yes_denies(word: Any) -> None:
    """Whatever is not true is no."""
    environ = environ_of(sign())
    with pytest.raises(AccessDenied) as caught:
        authenticate(environ, verifier(), Options(authorize=lambda identity, environ: word))
    assert caught.value.access_key_id == ACCESS_KEY_ID
    assert "wsgi_sigv4.identity" not in environ


def test_authorize_is_asked_only_about_authentic_requests() -> None:
    """A forged request, or a wrong body, is refused before the operator is asked."""

    def authorize(identity: Identity, environ: dict[str, Any]) -> bool:
        raise AssertionError("asked")

    for message in (forged(sign()), sign("PUT", body=b"x", secret="other")):
        with pytest.raises(SignatureMismatch):
            authenticate(environ_of(message), verifier(), Options(authorize=authorize))


def test_fault_of_authorize_rises() -> None:
    """An exception of the operator's code is not turned into a refusal."""

    def authorize(identity: Identity, environ: dict[str, Any]) -> bool:
        raise LookupError("a bug")

    environ = environ_of(sign("PUT", body=b"x"))
    with pytest.raises(LookupError, match="a bug"):
        authenticate(environ, verifier(), Options(authorize=authorize))
    assert environ["wsgi.input"].closed


# The provider.


def test_fault_of_the_provider_rises() -> None:
    """A bug of the provider's is no 403, and no 503."""

    def provider(access_key_id: str) -> str:
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        authenticate(environ_of(sign()), verifier(credentials=provider), Options())


def test_provider_is_asked_with_scope_and_token() -> None:
    """A provider learns the claimed scope and session token."""
    asked = []

    class Provider:
        def lookup(self, access_key_id: str, *, scope: Any, session_token: str | None) -> Any:
            asked.append((access_key_id, str(scope), session_token))
            return Credentials(SECRET, session_token="t", principal=7)

    identity = authenticate(
        environ_of(sign(token="t")), verifier(credentials=Provider()), Options()
    )
    assert asked == [(ACCESS_KEY_ID, "20261121/us-east-1/items/aws4_request", "t")]
    assert identity is not None
    assert identity.principal == 7


# Options.


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_body": -1}, "max_body is not negative"),
        ({"memory_limit": -1}, "memory_limit is not negative"),
        ({"unverified_body_limit": -1}, "unverified_body_limit is not negative"),
        ({"body_seconds": -0.5}, "body_seconds is not negative"),
        ({"exempt": "/health"}, "exempt is a list"),
        ({"exempt": ("health",)}, "'health' is not a path below the root"),
        ({"exempt": ("/health", "/")}, "'/' is not a path below the root"),
        ({"exempt": ("//",)}, "'//' is not a path below the root"),
        ({"exempt": ("",)}, "'' is not a path below the root"),
        ({"deployment": Deployment(path_prefix="api")}, "path_prefix starts with a slash"),
        ({"deployment": Deployment(path_prefix="/api/")}, "path_prefix starts with a slash"),
    ],
)
def test_options_that_make_no_sense_are_configuration_errors(
    options: dict[str, Any], said: str
) -> None:
    """A mistake of the programmer's is found at start-up."""
    with pytest.raises(ConfigurationError, match=said):
        Options(**options)
