"""Rules 9-11, and the way through all of them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import UNSIGNED
from tests.core.signing import Signer
from tests.core.signing import sha256
from wsgi_sigv4 import errors
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.verifier import Verifier

BODY = b'{"name": "x"}'
TOKEN = "AQoDYXdzEPT//EXAMPLE=="
SCOPE = CredentialScope(date="20261121", region="us-east-1", service="items")


def verifier(credentials: Any = SECRET, **parameters: Any) -> Verifier:
    """Return a verifier that knows *credentials* by the usual key id."""
    usual: dict[str, Any] = {"region": "us-east-1", "service": "items", "clock": lambda: NOW}
    return Verifier({ACCESS_KEY_ID: credentials}, **(usual | parameters))


def refusal(
    message: Message, credentials: Any = SECRET, *, now: float = NOW, **parameters: Any
) -> SigV4Error:
    """Return why *message* is refused."""
    with pytest.raises(SigV4Error) as refused:
        verify(verifier(credentials, **parameters), message, now=now)
    return refused.value


def hashed(body: bytes = BODY) -> Message:
    """Return an upload of *body* with its hash."""
    return Message.of("PUT", headers={"X-Amz-Content-Sha256": sha256(body)}, body=body)


#: One request of each payload form, well signed: signer, method and what is signed.
MODES: dict[str, tuple[Signer, str, Message]] = {
    "no hash": (GENERIC_SIGNER, "sign", Message.of("POST", body=BODY)),
    "no hash, presigned": (GENERIC_SIGNER, "presign", Message.of("POST", body=BODY)),
    "hash": (GENERIC_SIGNER, "sign", hashed()),
    "hash, presigned": (GENERIC_SIGNER, "presign", hashed()),
    "hash, S3": (S3_SIGNER, "sign", hashed()),
    "hash, presigned for S3": (S3_SIGNER, "presign", hashed()),
    "unsigned, S3": (S3_SIGNER, "sign", hashed().with_header("X-Amz-Content-Sha256", UNSIGNED)),
    "unsigned, presigned for S3": (S3_PRESIGNER, "presign", Message.of("PUT", body=BODY)),
    "unsigned and said so, presigned for S3": (
        S3_PRESIGNER,
        "presign",
        Message.of("PUT", f"/k?X-Amz-Content-Sha256={UNSIGNED}", body=BODY),
    ),
}
MODE = pytest.mark.parametrize("mode", MODES)


def signed(mode: str) -> Message:
    """Return the request of *mode*, signed."""
    signer, method, message = MODES[mode]
    made: Message = getattr(signer, method)(message)
    return made


def of_mode(mode: str) -> dict[str, Any]:
    """Return the parameters of a verifier for *mode*."""
    return {"service": MODES[mode][0].service}


@MODE
def test_accepted(mode: str) -> None:
    """A well-signed request of each payload form is accepted, as who signed it and what."""
    principal = object()
    made = verifier(Credentials(SECRET, principal=principal), **of_mode(mode))
    message = signed(mode)
    verification = made.verify(message.request(), now=NOW)
    assert verification.feed(BODY[:5]) == BODY[:5]
    assert verification.feed(b"") == b""
    assert verification.feed(BODY[5:]) == BODY[5:]
    identity = verification.finish(now=NOW)
    presigned = "presigned" in mode
    assert identity.access_key_id == ACCESS_KEY_ID
    assert identity.principal is principal
    assert identity.scope == replace(SCOPE, service=MODES[mode][0].service)
    assert identity.signed_headers == verification.attempt.authorization.signed_headers
    assert identity.request_time == NOW
    assert identity.presigned is presigned
    assert identity.expires_at == (NOW + 60 if presigned else None)
    assert (
        identity.payload_form
        is {
            "no hash": PayloadForm.ABSENT,
            "hash": PayloadForm.SHA256,
            "unsigned": PayloadForm.UNSIGNED,
        }[mode.split(",")[0].split(" and")[0]]
    )
    assert identity.is_from(made, message.request())


@MODE
@pytest.mark.parametrize("digit", [0, 31, 63])
def test_wrong_signature(mode: str, digit: int) -> None:
    """T3: one wrong digit of the signature refuses a request of each payload form."""
    message = signed(mode)
    signature = (message.header("authorization") or message.query)[-64:]
    wrong = b"0" if signature[digit : digit + 1] != b"0" else b"1"
    altered = signature[:digit] + wrong + signature[digit + 1 :]
    refused = refusal(message.edited(signature, altered), **of_mode(mode))
    assert isinstance(refused, errors.SignatureMismatch)
    assert refused.signature == altered.decode()


@MODE
@pytest.mark.parametrize(
    ("altered", "shown"),
    [
        (b"\xff" * 64, "\\xff" * 16),
        (b"0" * 63, "0" * 63),
        (b"0" * 65, "0" * 64),
        (b"0" * 128, "0" * 64),
        (b"F" * 64, "F" * 64),
        (b"x", "x"),
    ],
)
def test_odd_signature(mode: str, altered: bytes, shown: str) -> None:
    """T26: a signature of any other form is a mismatch, told before a body is read."""
    message = signed(mode)
    presigned = message.header("authorization") is None
    text = b"".join(b"%%%02x" % byte for byte in altered) if presigned else altered
    message = message.edited((message.header("authorization") or message.query)[-64:], text)
    with pytest.raises(errors.SignatureMismatch) as refused:
        verifier(**of_mode(mode)).verify(message.request(), now=NOW)
    assert refused.value.signature == shown


@MODE
def test_upper_case_signature(mode: str) -> None:
    """T26: the right signature in upper case is a wrong one."""
    message = signed(mode)
    signature = (message.header("authorization") or message.query)[-64:]
    refused = refusal(message.edited(signature, signature.upper()), **of_mode(mode))
    assert isinstance(refused, errors.SignatureMismatch)


@MODE
def test_other_body(mode: str) -> None:
    """T23: another body than the signed one is refused, unless none was signed."""
    message = signed(mode)
    for body in (b"", BODY[:-1], BODY + b"x", BODY.swapcase(), b"x" * 100_000):
        altered = replace(message, body=body)
        if "unsigned" in mode:
            verify(verifier(**of_mode(mode)), altered, now=NOW)
            continue
        refused = refusal(altered, **of_mode(mode))
        if mode.startswith("no hash"):
            assert isinstance(refused, errors.SignatureMismatch)
        else:
            assert isinstance(refused, errors.PayloadHashMismatch)
            assert (refused.declared, refused.computed) == (sha256(BODY), sha256(body))


def test_hash_in_upper_case() -> None:
    """A hash in upper case is signed as it was sent, and compared as a number."""
    message = Message.of("PUT", headers={"X-Amz-Content-Sha256": sha256(BODY).upper()}, body=BODY)
    verify(verifier(), GENERIC_SIGNER.sign(message), now=NOW)


@MODE
def test_request_dies_while_its_body_arrives(mode: str) -> None:
    """T6, T43: the time is checked again when the body has been read, in each payload form."""
    message = signed(mode)
    presigned = "presigned" in mode
    lifetime = 60 if presigned else 900 if "S3" in mode else 300
    last = NOW + lifetime - (1 if presigned else 0)
    verification = verifier(**of_mode(mode)).verify(message.request(), now=NOW)
    verification.feed(BODY)
    verification.finish(now=last)
    with pytest.raises(SigV4Error) as refused:
        verification.finish(now=last + 1)
    error = errors.RequestExpired if presigned else errors.RequestTimeTooSkewed
    assert type(refused.value) is error
    assert refused.value.access_key_id == ACCESS_KEY_ID
    # And at the headers.
    assert type(refusal(message, now=last + 1, **of_mode(mode))) is error


def test_time_limits_of_the_second_check() -> None:
    """T43: the second check knows the verifier's own window."""
    verification = verifier(max_skew=10).verify(GENERIC_SIGNER.sign(Message.of()).request())
    verification.finish(now=NOW + 10)
    with pytest.raises(errors.RequestTimeTooSkewed) as refused:
        verification.finish(now=NOW + 11)
    assert refused.value.max_skew == 10


def test_clock() -> None:
    """Without *now* the verifier's clock is read, at each step."""
    times: Iterator[float] = iter([NOW, NOW, NOW + 301])
    made = verifier(clock=lambda: next(times))
    verification = made.verify(GENERIC_SIGNER.sign(Message.of()).request())
    with pytest.raises(errors.RequestTimeTooSkewed) as refused:
        verification.finish()
    assert refused.value.server_time == NOW + 301


def test_given_time() -> None:
    """The time that is given is the time of every step, and the clock is not read."""

    def unreachable() -> float:
        raise AssertionError

    message = GENERIC_SIGNER.sign(Message.of())
    made = verifier(Credentials(SECRET, expires_at=NOW + 2), clock=unreachable)
    verify(made, message, now=NOW + 1)
    with pytest.raises(errors.ExpiredCredentials):
        verify(made, message, now=NOW + 2)
    # Two requests of one day, and the cache is asked for that day.
    assert len(made._signing_keys) == 1


def test_real_clock() -> None:
    """The clock is the real one by default."""
    made = Verifier({ACCESS_KEY_ID: SECRET}, region=None, service="items")
    old = replace(GENERIC_SIGNER, timestamp="20150830T123600Z", date="20150830")
    with pytest.raises(errors.RequestTimeTooSkewed):
        made.verify(old.sign(Message.of()).request())


def test_presigned_upload_without_unsigned_payload() -> None:
    """Where UNSIGNED-PAYLOAD is not allowed, a presigned URL of S3 takes an empty body only."""
    message = S3_PRESIGNER.presign(Message.of("PUT"))
    parameters: dict[str, Any] = {"service": "s3", "allow_unsigned_payload": False}
    verify(verifier(**parameters), message, now=NOW)
    refused = refusal(replace(message, body=b"x"), **parameters)
    assert isinstance(refused, errors.PayloadFormNotAllowed)
    assert refused.value == UNSIGNED
    verify(verifier(service="s3"), replace(message, body=b"x"), now=NOW)
    in_pieces = verifier(**parameters).verify(message.request(), now=NOW)
    for data in (b"x", b""):
        in_pieces.feed(data)
    with pytest.raises(errors.PayloadFormNotAllowed):
        in_pieces.finish(now=NOW)
    named = S3_PRESIGNER.presign(Message.of("PUT")).with_extra_header(
        "X-Amz-Content-Sha256", UNSIGNED
    )
    assert isinstance(refusal(named, **parameters), errors.PayloadFormNotAllowed)


def rich() -> Message:
    """Return a request with something of everything in it, whose path needs a second encoding."""
    plain = Message.of(
        "PUT",
        "/items/a%252fb/C?a=1&a=2&b=%2F~&flag=",
        headers={
            "Content-Type": "text/plain",
            "X-Amz-Meta-A": "one, two",
            "X-Amz-Content-Sha256": sha256(BODY),
        },
        body=BODY,
    )
    # The signer encodes nothing: it is given the canonical path, and another one is sent.
    return replace(GENERIC_SIGNER.sign(plain), path=b"/items/a%2fb/C", query=b"a=1&a=2&b=%2F~&flag")


def path(new: bytes) -> Callable[[Message], Message]:
    """Return the change of the path to *new*."""
    return lambda message: replace(message, path=new)


def query(new: bytes) -> Callable[[Message], Message]:
    """Return the change of the query to *new*."""
    return lambda message: replace(message, query=new)


def header(name: str, value: str) -> Callable[[Message], Message]:
    """Return the change of the header *name* to *value*."""
    return lambda message: message.with_header(name, value)


def extra(name: str, value: str) -> Callable[[Message], Message]:
    """Return the addition of a header."""
    return lambda message: message.with_extra_header(name, value)


def without(name: str) -> Callable[[Message], Message]:
    """Return the removal of a header."""
    return lambda message: message.without_header(name)


def authorization(old: str, new: str) -> Callable[[Message], Message]:
    """Return the change of *old* to *new* in the Authorization header."""
    return lambda message: message.edited(old, new)


LIST = "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda m: replace(m, method="POST"), "SignatureMismatch", id="method"),
        pytest.param(lambda m: replace(m, method="put"), "SignatureMismatch", id="method case"),
        pytest.param(path(b"/items/a%2Fb/C"), "SignatureMismatch", id="case of an escape"),
        pytest.param(path(b"/items/a/b/C"), "SignatureMismatch", id="escape decoded"),
        pytest.param(path(b"/items/a%252fb/C"), "SignatureMismatch", id="escape escaped"),
        pytest.param(path(b"/items/a%2fb/c"), "SignatureMismatch", id="path case"),
        pytest.param(path(b"/items/a%2fb/%43"), "SignatureMismatch", id="letter escaped"),
        pytest.param(path(b"/items/a%2fb/C/"), "SignatureMismatch", id="slash at the end"),
        pytest.param(path(b"/items/a%2fb"), "SignatureMismatch", id="path cut"),
        pytest.param(path(b"/items/a%2fb/C/.."), "SignatureMismatch", id="path to its parent"),
        pytest.param(query(b"a=1&a=2&b=%2F~"), "SignatureMismatch", id="flag removed"),
        pytest.param(query(b"a=1&b=%2F~&flag"), "SignatureMismatch", id="duplicate removed"),
        pytest.param(query(b"a=1&a=3&b=%2F~&flag"), "SignatureMismatch", id="value"),
        pytest.param(query(b"a=1&a=2&b=%2f~&flag=x"), "SignatureMismatch", id="flag with a value"),
        pytest.param(query(b"a=1&a=2&B=%2F~&flag"), "SignatureMismatch", id="name case"),
        pytest.param(query(b"a=1&a=2&b=%252F~&flag"), "SignatureMismatch", id="value escaped"),
        pytest.param(query(b"a=1&a=2&a=2&b=%2F~&flag"), "SignatureMismatch", id="value again"),
        pytest.param(query(b"a=1&a=2&b=%2F~&flag&c="), "SignatureMismatch", id="flag added"),
        pytest.param(header("Content-Type", "text/html"), "SignatureMismatch", id="header"),
        pytest.param(header("Content-Type", "Text/plain"), "SignatureMismatch", id="header case"),
        pytest.param(header("X-Amz-Meta-A", "one,two"), "SignatureMismatch", id="blank removed"),
        pytest.param(header("X-Amz-Meta-A", ""), "SignatureMismatch", id="header emptied"),
        pytest.param(header("Host", "api.example.com:80"), "SignatureMismatch", id="port"),
        pytest.param(extra("X-Amz-Meta-A", ""), "SignatureMismatch", id="header doubled"),
        pytest.param(
            lambda m: m.with_header("X-Amz-Meta-A", "one").with_extra_header("X-Amz-Meta-A", "two"),
            "SignatureMismatch",
            id="header split in two, joined without a blank",
        ),
        pytest.param(extra("Host", "evil.example"), "MalformedRequest", id="Host doubled"),
        pytest.param(without("X-Amz-Meta-A"), "SignedHeaderMissing", id="header removed"),
        pytest.param(extra("X-Amz-Acl", "x"), "HeadersNotSigned", id="x-amz header added"),
        pytest.param(header("X-Amz-Date", "20261121T213001Z"), "SignatureMismatch", id="date"),
        pytest.param(
            header("X-Amz-Content-Sha256", sha256(BODY).upper()),
            "SignatureMismatch",
            id="hash case",
        ),
        pytest.param(
            header("X-Amz-Content-Sha256", UNSIGNED), "PayloadFormNotAllowed", id="payload form"
        ),
        pytest.param(without("X-Amz-Content-Sha256"), "SignedHeaderMissing", id="hash removed"),
        pytest.param(
            authorization(LIST, LIST.replace("content-type;", "")),
            "SignatureMismatch",
            id="list cut",
        ),
        pytest.param(
            authorization(LIST, LIST.replace(";x-amz-meta-a", "")),
            "HeadersNotSigned",
            id="x-amz-* out of the list",
        ),
        pytest.param(
            authorization(LIST, LIST.replace("host;", "")),
            "HostNotSigned",
            id="host out of the list",
        ),
        pytest.param(
            authorization(LIST, LIST + ";x-z"), "SignedHeaderMissing", id="list longer than headers"
        ),
        pytest.param(
            lambda m: m.edited(LIST, LIST + ";x-z").with_header("X-Z", ""),
            "SignatureMismatch",
            id="list longer, header added",
        ),
        pytest.param(
            authorization(ACCESS_KEY_ID, ACCESS_KEY_ID.lower()), "UnknownAccessKey", id="key id"
        ),
        pytest.param(authorization("/20261121/", "/20261122/"), "ScopeMismatch", id="scope date"),
        pytest.param(authorization("us-east-1", "us-east-2"), "ScopeMismatch", id="scope region"),
        pytest.param(authorization("/items/", "/item/"), "ScopeMismatch", id="scope service"),
        pytest.param(
            authorization("aws4_request", "aws5_request"), "ScopeMismatch", id="terminator"
        ),
        pytest.param(without("Authorization"), "MissingAuthentication", id="Authorization removed"),
        pytest.param(lambda m: replace(m, body=b"{}"), "PayloadHashMismatch", id="body"),
        pytest.param(extra("X-Amz-Security-Token", TOKEN), "HeadersNotSigned", id="token added"),
        pytest.param(
            query(b"a=1&a=2&b=%2F~&flag&X-Amz-Security-Token=t"),
            "InvalidSessionToken",
            id="token added to the query",
        ),
    ],
)
def test_tampered(change: Callable[[Message], Message], error: str) -> None:
    """T18, T29, T30: each single change to what was signed meets its refusal."""
    assert type(refusal(change(rich()))).__name__ == error


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: m, id="none"),
        pytest.param(extra("X-Forwarded-For", "10.0.0.1"), id="unsigned header added"),
        pytest.param(extra("Date", "yesterday"), id="Date added"),
        pytest.param(lambda m: replace(m, headers=m.headers[::-1]), id="header order"),
        pytest.param(
            lambda m: replace(m, headers=tuple((n.upper(), v) for n, v in m.headers)),
            id="header case",
        ),
        pytest.param(header("X-Amz-Meta-A", " one, \t two\t"), id="blanks"),
        pytest.param(authorization(", ", ","), id="no blank after a comma"),
        pytest.param(query(b"flag&b=%2F~&a=2&a=1"), id="query order"),
        pytest.param(query(b"a=1&a=2&b=/%7e&flag="), id="query spelling"),
        pytest.param(query(b"&a=1&&a=2&b=%2F~&flag&"), id="empty items"),
        pytest.param(path(b"//items/./x/../a%2fb//C"), id="path that normalises to it"),
    ],
)
def test_change_that_means_nothing(change: Callable[[Message], Message]) -> None:
    """What AWS does not see either makes no difference."""
    verify(verifier(), change(rich()), now=NOW)


# Rule 9


def test_not_signed_at_all() -> None:
    """A request without a signature is refused, and told which scheme it came with."""
    assert type(refusal(Message.of())).__name__ == "MissingAuthentication"
    basic = Message.of(headers={"Authorization": "Basic eDp5"})
    assert type(refusal(basic)).__name__ == "UnsupportedAuthorization"


def test_prepare_anonymous() -> None:
    """Who lets anonymous requests through is told of one, and of attempts that fail."""
    made = verifier()
    assert made.prepare(Message.of().request()) is None
    assert made.prepare(Message.of(headers={"Authorization": "Basic eDp5"}).request()) is None
    with pytest.raises(errors.MissingAuthentication):
        made.prepare(Message.of(headers={"X-Amz-Date": "x"}).request())


@MODE
def test_unknown_key(mode: str) -> None:
    """An unknown key is refused before its body is read."""
    signer, method, message = MODES[mode]
    made = getattr(replace(signer, access_key_id="AKIAUNKNOWN"), method)(message)
    with pytest.raises(errors.UnknownAccessKey) as refused:
        verifier(**of_mode(mode)).verify(made.request(), now=NOW)
    assert refused.value.access_key_id == "AKIAUNKNOWN"
    assert refused.value.presigned is ("presigned" in mode)
    assert refused.value.service == signer.service


@MODE
def test_secret_of_another_key(mode: str) -> None:
    """A signature by another secret is a mismatch."""
    signer, method, message = MODES[mode]
    made = getattr(replace(signer, secret=SECRET + "x"), method)(message)
    refused = refusal(made, **of_mode(mode))
    assert isinstance(refused, errors.SignatureMismatch)
    assert (refused.access_key_id, refused.service) == (ACCESS_KEY_ID, signer.service)
    assert refused.presigned is ("presigned" in mode)


@pytest.mark.parametrize("method", ["sign", "presign"])
@pytest.mark.parametrize(
    ("issued", "sent", "error", "absent"),
    [
        pytest.param(None, TOKEN, "InvalidSessionToken", False, id="token with a permanent key"),
        pytest.param(None, "", "InvalidSessionToken", False, id="empty token, permanent key"),
        pytest.param(TOKEN, None, "InvalidSessionToken", True, id="temporary key without token"),
        pytest.param(TOKEN, "", "InvalidSessionToken", False, id="temporary key, empty token"),
        pytest.param(TOKEN, TOKEN + "x", "InvalidSessionToken", False, id="token of another key"),
        pytest.param(TOKEN, TOKEN[:-1], "InvalidSessionToken", False, id="token cut"),
        pytest.param(TOKEN, TOKEN.lower(), "InvalidSessionToken", False, id="token's case"),
        pytest.param("é", TOKEN, "InvalidSessionToken", False, id="token that none can send"),
        pytest.param(TOKEN, TOKEN, None, False, id="its own token"),
        pytest.param(None, None, None, False, id="permanent key"),
    ],
)
def test_session_token(
    method: str, issued: str | None, sent: str | None, error: str | None, absent: bool
) -> None:
    """T20: a temporary key verifies with its own token only, a permanent one with none only."""
    message = getattr(replace(GENERIC_SIGNER, session_token=sent), method)(Message.of())
    credentials = Credentials(SECRET, session_token=issued)
    if error is None:
        verify(verifier(credentials), message, now=NOW)
        return
    refused = refusal(message, credentials)
    assert type(refused).__name__ == error
    assert getattr(refused, "absent", None) is absent


def test_expired_credentials() -> None:
    """T20: credentials are refused from their expiry on."""
    message = replace(GENERIC_SIGNER, session_token=TOKEN).sign(Message.of())
    verify(verifier(Credentials(SECRET, session_token=TOKEN, expires_at=NOW + 1)), message, now=NOW)
    for moment in (NOW, NOW - 0.5, 0, float("nan")):
        credentials = Credentials(SECRET, session_token=TOKEN, expires_at=moment)
        assert isinstance(refusal(message, credentials), errors.ExpiredCredentials)
    # A wrong token is told first: who has it not is told nothing of the key.
    wrong = Credentials(SECRET, session_token="other", expires_at=0)
    assert isinstance(refusal(message, wrong), errors.InvalidSessionToken)


@MODE
def test_credentials_expire_while_the_body_arrives(mode: str) -> None:
    """T20, T43: temporary credentials that end before the body does are refused."""
    made = verifier(Credentials(SECRET, expires_at=NOW + 2), **of_mode(mode))
    verification = made.verify(signed(mode).request(), now=NOW)
    verification.feed(BODY)
    verification.finish(now=NOW + 1)
    with pytest.raises(errors.ExpiredCredentials) as refused:
        verification.finish(now=NOW + 2)
    assert refused.value.access_key_id == ACCESS_KEY_ID


@pytest.mark.parametrize("method", ["sign", "presign"])
def test_token_appended_after_signing(method: str) -> None:
    """T20: a token that was appended unsigned is accepted by its knob only, and must be right."""
    message: Message = getattr(GENERIC_SIGNER, method)(Message.of())
    if method == "sign":
        appended = message.with_extra_header("X-Amz-Security-Token", TOKEN)
        error = "HeadersNotSigned"
    else:
        appended = message.with_parameter(b"X-Amz-Security-Token=" + TOKEN.encode())
        error = "SignatureMismatch"
    credentials = Credentials(SECRET, session_token=TOKEN)
    assert type(refusal(appended, credentials)).__name__ == error
    knob: dict[str, Any] = {"allow_unsigned_session_token": True}
    verify(verifier(credentials, **knob), appended, now=NOW)
    # Signed tokens are accepted with the knob too.
    whole: Message = getattr(replace(GENERIC_SIGNER, session_token=TOKEN), method)(Message.of())
    verify(verifier(credentials, **knob), whole, now=NOW)
    other = Credentials(SECRET, session_token="other")
    assert isinstance(refusal(appended, other, **knob), errors.InvalidSessionToken)
    assert isinstance(refusal(appended, SECRET, **knob), errors.InvalidSessionToken)
    assert isinstance(refusal(message, credentials, **knob), errors.InvalidSessionToken)
    # Nothing else may be appended.
    added = appended.with_parameter(b"a=1")
    assert isinstance(refusal(added, credentials, **knob), errors.SignatureMismatch)


def test_signing_key_of_a_provider() -> None:
    """A provider may hand out the signing key in place of the secret; it is not cached."""
    key = derive_signing_key(Secret(SECRET), SCOPE)
    made = verifier(Credentials(signing_key=key))
    message = GENERIC_SIGNER.sign(Message.of())
    for _ in range(2):
        assert verify(made, message, now=NOW).access_key_id == ACCESS_KEY_ID
    assert len(made._signing_keys) == 0
    assert isinstance(
        refusal(message, Credentials(signing_key=b"K" * 32)), errors.SignatureMismatch
    )


def test_provider_is_told_what_is_claimed() -> None:
    """A provider is asked for the key id with scope and token; its faults rise."""

    class Provider:
        def __init__(self) -> None:
            self.asked: list[object] = []

        def lookup(
            self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
        ) -> Credentials | None:
            self.asked.append((access_key_id, scope, session_token))
            if len(self.asked) == 2:
                raise errors.CredentialsUnavailable
            if len(self.asked) == 3:
                raise OSError("disk")
            return Credentials(SECRET, session_token=session_token)

    provider = Provider()
    made = Verifier(provider, region=None, service="items")
    assert made.provider is provider
    message = replace(GENERIC_SIGNER, session_token=TOKEN).sign(Message.of())
    verify(made, message, now=NOW)
    with pytest.raises(errors.CredentialsUnavailable):
        verify(made, message, now=NOW)
    with pytest.raises(OSError, match=r"^disk$"):
        verify(made, message, now=NOW)
    assert provider.asked == [(ACCESS_KEY_ID, SCOPE, TOKEN)] * 3


def test_provider_is_not_asked_in_vain() -> None:
    """What rules 1-8 refuse never reaches the provider."""

    def unreachable(access_key_id: str) -> str:
        raise AssertionError(access_key_id)

    made = Verifier(unreachable, region="mars-1", service="items")
    with pytest.raises(errors.ScopeMismatch):
        made.verify(GENERIC_SIGNER.sign(Message.of()).request(), now=NOW)


# The cache of signing keys


def test_key_is_cached_after_a_right_signature() -> None:
    """T45: a signing key is kept when a signature made with it was right, and used again."""
    made = verifier()
    message = GENERIC_SIGNER.sign(Message.of())
    for _ in range(3):
        verify(made, message, now=NOW)
        assert len(made._signing_keys) == 1
    secret = Secret(SECRET)
    cached = made._signing_keys.get(ACCESS_KEY_ID, secret, SCOPE, now=NOW)
    assert cached == derive_signing_key(secret, SCOPE)


def test_key_is_cached_for_its_scope() -> None:
    """T45: a cached key verifies in its own scope only, and the scopes are kept apart."""
    made = verifier(region=None)
    for region in ("us-east-1", "eu-west-1", "us-east-1"):
        verify(made, replace(GENERIC_SIGNER, region=region).sign(Message.of()), now=NOW)
    assert len(made._signing_keys) == 2


@pytest.mark.parametrize("uniform", [False, True])
def test_wrong_signatures_fill_no_cache(uniform: bool) -> None:
    """T25, T45: endless scopes, unknown keys and wrong signatures leave nothing behind."""
    made = verifier(region=None, service=None, profile=GENERIC, uniform_errors=uniform)
    for number in range(20):
        for signer in (
            replace(GENERIC_SIGNER, region=f"r{number}", secret="wrong"),
            replace(GENERIC_SIGNER, service=f"s{number}", access_key_id=f"AKIA{number}"),
            replace(GENERIC_SIGNER, region=f"r{number}", session_token="t", secret="wrong"),
        ):
            with pytest.raises(SigV4Error):
                verify(made, signer.sign(hashed()), now=NOW)
    assert len(made._signing_keys) == 0


def test_changed_secret() -> None:
    """A key whose secret was changed is not verified with the old one's signing key."""
    secrets = {"secret": SECRET}
    made = Verifier(lambda access_key_id: secrets["secret"], region=None, service="items")
    old = GENERIC_SIGNER.sign(Message.of())
    verify(made, old, now=NOW)
    secrets["secret"] = "changed"
    with pytest.raises(errors.SignatureMismatch):
        verify(made, old, now=NOW)
    verify(made, replace(GENERIC_SIGNER, secret="changed").sign(Message.of()), now=NOW)


def test_cache_is_empty_after_midnight() -> None:
    """Signing keys are gone at midnight UTC."""
    made = verifier()
    late = replace(GENERIC_SIGNER, timestamp="20261121T235959Z")
    early = replace(GENERIC_SIGNER, timestamp="20261122T000000Z", date="20261122")
    midnight = NOW + 9000
    verify(made, late.sign(Message.of()), now=midnight - 1)
    verify(made, early.sign(Message.of()), now=midnight)
    assert len(made._signing_keys) == 1


def test_secret_key_is_that_of_the_key_id() -> None:
    """One key's signature is not accepted under another key's id."""
    made = Verifier({ACCESS_KEY_ID: SECRET, "AKIAOTHER": "other"}, region=None, service="items")
    message = GENERIC_SIGNER.sign(Message.of())
    verify(made, message, now=NOW)
    with pytest.raises(errors.SignatureMismatch):
        verify(made, message.edited(ACCESS_KEY_ID, "AKIAOTHER"), now=NOW)


# A narrowed verifier


def test_narrowed_verifier() -> None:
    """A narrowed verifier refuses more, shares the keys, and vouches in its own name."""
    wide = verifier(region=["us-east-1", "eu-west-1"], service=["items", "orders"])
    narrow = wide.narrowed(region="us-east-1", service="items")
    message = GENERIC_SIGNER.sign(Message.of())
    identity = verify(narrow, message, now=NOW)
    assert identity.is_from(narrow, message.request())
    assert not identity.is_from(wide, message.request())
    assert len(wide._signing_keys) == 1
    assert narrow.provider is wide.provider
    for signer in (
        replace(GENERIC_SIGNER, region="eu-west-1"),
        replace(GENERIC_SIGNER, service="orders"),
    ):
        other = signer.sign(Message.of())
        verify(wide, other, now=NOW)
        with pytest.raises(errors.ScopeMismatch):
            verify(narrow, other, now=NOW)
    assert wide.narrowed().narrowed(region="eu-west-1").provider is wide.provider
    with pytest.raises(ConfigurationError):
        narrow.narrowed(region="eu-west-1")


def test_scope_of_an_identity() -> None:
    """An identity of the wide verifier is held to the narrowed one's region and service."""
    wide = verifier(region=None)
    narrow = wide.narrowed(region="us-east-1")
    narrow.check_scope(verify(wide, GENERIC_SIGNER.sign(Message.of()), now=NOW))
    signer = replace(GENERIC_SIGNER, region="mars-1", expires="60")
    identity = verify(wide, signer.presign(Message.of()), now=NOW)
    with pytest.raises(errors.ScopeMismatch) as refused:
        narrow.check_scope(identity)
    assert refused.value.faults == ("region",)
    assert refused.value.request_timestamp == "20261121T213000Z"
    assert (refused.value.access_key_id, refused.value.service) == (ACCESS_KEY_ID, "items")
    assert refused.value.presigned is True


# Uniform errors


def test_uniform_fault_of_a_right_signature() -> None:
    """T51: a fault of the token or the key's age is told to who has the secret, and to no other."""
    knob: dict[str, Any] = {"uniform_errors": True}
    for mode in ("no hash", "hash"):
        signer, method, message = MODES[mode]
        right: Message = getattr(signer, method)(message)
        wrong: Message = getattr(replace(signer, secret="wrong"), method)(message)
        temporary = Credentials(SECRET, session_token=TOKEN)
        expired = Credentials(SECRET, expires_at=NOW)
        for credentials, error in (
            (temporary, errors.InvalidSessionToken),
            (expired, errors.ExpiredCredentials),
        ):
            assert isinstance(refusal(right, credentials, **knob), error)
            if mode == "hash":
                # Nothing of the body is read for it.
                with pytest.raises(error):
                    verifier(credentials, **knob).verify(right.request(), now=NOW)
            assert isinstance(refusal(wrong, credentials, **knob), errors.SignatureMismatch)
            assert isinstance(refusal(wrong, credentials), error)


def test_uniform_acceptance() -> None:
    """T51: uniform errors refuse no good request."""
    for mode in MODES:
        verify(verifier(uniform_errors=True, **of_mode(mode)), signed(mode), now=NOW)


# Evidence


@MODE
def test_evidence(mode: str) -> None:
    """A mismatch carries what the server canonicalised, for who explains it."""
    message = signed(mode)
    query = b"&".join(sorted(i for i in message.query_items if b"Signature=" not in i))
    altered = message.with_parameter(b"zz=1")
    refused = refusal(altered, **of_mode(mode))
    assert isinstance(refused, errors.SignatureMismatch)
    shown = refused.evidence
    assert shown is not None
    payload = UNSIGNED if "unsigned" in mode else sha256(BODY)
    lines = shown.canonical_request.split(b"\n")
    assert lines[:3] == [message.method.encode(), message.path, query + b"&zz=1"]
    assert lines[-1] == payload.encode()
    assert shown.string_to_sign.endswith(b"\n" + sha256(shown.canonical_request).encode())


# Identity


def test_identity_is_for_its_request_and_verifier_alone() -> None:
    """T40: an identity vouches for one verifier and one method, path and query."""
    made = verifier()
    message = GENERIC_SIGNER.sign(Message.of())
    identity = verify(made, message, now=NOW)
    assert identity.is_from(made, message.request())
    assert not identity.is_from(verifier(), message.request())
    assert not identity.is_from(None, message.request())
    for other in (
        replace(message, method="POST"),
        replace(message, path=b"/other"),
        replace(message, query=b"q=2"),
    ):
        assert not identity.is_from(made, other.request())
    for routed, same in ((b"/items", True), (b"/other", False), (b"", False)):
        request = replace(message.request(), routed_path=routed)
        assert identity.is_from(made, request) is same


def test_identity_shows_no_more_than_it_should() -> None:
    """T49: an identity's repr holds neither signature nor token, and no verifier."""
    message = replace(GENERIC_SIGNER, session_token=TOKEN).presign(Message.of())
    identity = verify(verifier(Credentials(SECRET, session_token=TOKEN)), message, now=NOW)
    text = repr(identity)
    for hidden in (SECRET, TOKEN, "X-Amz-Signature", "Verifier"):
        assert hidden not in text
    assert ACCESS_KEY_ID in text


def test_identities_of_one_request_are_equal() -> None:
    """Identities compare by what they say, whoever said it."""
    message = GENERIC_SIGNER.sign(Message.of())
    one = verify(verifier(), message, now=NOW)
    other = verify(verifier(), replace(message, headers=message.headers[::-1]), now=NOW)
    assert isinstance(one, Identity)
    assert one == other
