"""Rules 9-11, and the way through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
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
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.verifier import Verifier

BODY = b'{"name": "x"}'
TOKEN = "AQoDYXdzEPT//EXAMPLE=="
SCOPE = CredentialScope(date="20261121", region="us-east-1", service="items")


def verifier(credentials: Any = SECRET, **parameters: Any) -> Verifier:
    """Return a verifier that knows *credentials* by the usual key id."""
    parameters = {"region": "us-east-1", "service": "items", "clock": lambda: NOW} | parameters
    return Verifier({ACCESS_KEY_ID: credentials}, **parameters)


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


def test_real_clock() -> None:
    """The clock is the real one by default."""
    made = Verifier({ACCESS_KEY_ID: SECRET}, region=None, service="items")
    old = replace(GENERIC_SIGNER, timestamp="20150830T123600Z", date="20150830")
    with pytest.raises(errors.RequestTimeTooSkewed):
        made.verify(old.sign(Message.of()).request())


def test_presigned_upload_without_unsigned_payload() -> None:
    """Where UNSIGNED-PAYLOAD is not allowed, a presigned URL of S3 takes an empty body only."""
    message = S3_PRESIGNER.presign(Message.of("PUT"))
    parameters = {"service": "s3", "allow_unsigned_payload": False}
    verify(verifier(**parameters), message, now=NOW)
    refused = refusal(replace(message, body=b"x"), **parameters)
    assert isinstance(refused, errors.PayloadFormNotAllowed)
    assert refused.value == UNSIGNED
    verify(verifier(service="s3"), replace(message, body=b"x"), now=NOW)
    named = S3_PRESIGNER.presign(Message.of("PUT")).with_extra_header(
        "X-Amz-Content-Sha256", UNSIGNED
    )
    assert isinstance(refusal(named, **parameters), errors.PayloadFormNotAllowed)


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
    for moment in (NOW, NOW - 0.5, 0):
        credentials = Credentials(SECRET, session_token=TOKEN, expires_at=moment)
        assert isinstance(refusal(message, credentials), errors.ExpiredCredentials)
    # A wrong token is told first: who has it not is told nothing of the key.
    wrong = Credentials(SECRET, session_token="other", expires_at=0)
    assert isinstance(refusal(message, wrong), errors.InvalidSessionToken)


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
    knob = {"allow_unsigned_session_token": True}
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
    key = derive_signing_key(Credentials(SECRET).secret_access_key or pytest.fail(), SCOPE)
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
    with pytest.raises(OSError, match="^disk$"):
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
    secret = Credentials(SECRET).secret_access_key
    assert secret is not None
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
            replace(GENERIC_SIGNER, region=f"r{number}", session_token="t"),
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


# Uniform errors


def test_uniform_fault_of_a_right_signature() -> None:
    """T51: a fault of the token or the key's age is told to who has the secret, and to no other."""
    knob = {"uniform_errors": True}
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


# The order of the rules


class Draft:
    """A request with faults: each fault alters one piece, so that any two go together."""

    def __init__(self) -> None:
        self.signer = GENERIC_SIGNER
        self.message = hashed()
        self.parts: dict[str, str | None] = {}
        self.algorithm = "AWS4-HMAC-SHA256"
        self.extra = ""
        self.parameter: bytes | None = None
        self.unlisted: list[str] = []
        self.hosts: tuple[str, ...] | None = None
        self.now: float = NOW

    def outcome(self) -> str:
        """Return the name of the refusal."""
        message = self.message
        listed = {name.decode().lower() for name, _ in message.headers} | {"x-amz-date"}
        listed |= set(self.signer.signed_headers or ())
        signer = replace(self.signer, signed_headers=tuple(sorted(listed - set(self.unlisted))))
        message = signer.sign(message)
        sent = (message.header("authorization") or b"").decode().split(" ", 1)[1]
        parts: dict[str, str | None] = dict(part.split("=", 1) for part in sent.split(", "))
        parts |= self.parts
        text = ", ".join(f"{n}={v}" for n, v in parts.items() if v is not None)
        message = message.with_header("Authorization", f"{self.algorithm} {text}{self.extra}")
        if self.parameter is not None:
            message = message.with_parameter(self.parameter)
        credentials = {ACCESS_KEY_ID: SECRET}
        made = Verifier(credentials, region="us-east-1", service="items", hosts=self.hosts)
        with pytest.raises(SigV4Error) as refused:
            verify(made, message, now=self.now)
        return type(refused.value).__name__


def malformed_target(draft: Draft) -> None:
    draft.message = replace(draft.message, path=b"/a b")


def malformed_query(draft: Draft) -> None:
    draft.message = replace(draft.message, query=draft.message.query + b"&a=%zz")


def both_forms(draft: Draft) -> None:
    draft.parameter = b"X-Amz-Signature=x"


def algorithm(draft: Draft) -> None:
    draft.algorithm = "AWS4-HMAC-SHA512"


def unknown_part(draft: Draft) -> None:
    draft.extra = ", Region=x"


def missing_part(draft: Draft) -> None:
    draft.parts["Signature"] = None


def malformed_credential(draft: Draft) -> None:
    draft.parts["Credential"] = "x"


def malformed_list(draft: Draft) -> None:
    draft.parts["SignedHeaders"] = "x-b;x-a"


def host_not_signed(draft: Draft) -> None:
    draft.unlisted.append("host")


def malformed_date(draft: Draft) -> None:
    draft.signer = replace(draft.signer, timestamp="20261121")


def skewed(draft: Draft) -> None:
    draft.now = NOW + 301


def scope(draft: Draft) -> None:
    draft.signer = replace(draft.signer, region="mars-1")


def signed_header_missing(draft: Draft) -> None:
    draft.signer = replace(draft.signer, signed_headers=("x-gone",))


def header_not_signed(draft: Draft) -> None:
    draft.message = draft.message.with_extra_header("X-Amz-Acl", "x")
    draft.unlisted.append("x-amz-acl")


def host_not_accepted(draft: Draft) -> None:
    draft.hosts = ("other.example",)


def payload_form(draft: Draft) -> None:
    draft.message = draft.message.with_header("X-Amz-Content-Sha256", "STREAMING-X")


def token_beyond_ascii(draft: Draft) -> None:
    draft.message = draft.message.with_extra_header("X-Amz-S3session-Token", "é")


def hidden_dots(draft: Draft) -> None:
    draft.message = replace(draft.message, path=b"/a/%2e%2e/b")


def unknown_key(draft: Draft) -> None:
    draft.signer = replace(draft.signer, access_key_id="AKIAUNKNOWN")


def token(draft: Draft) -> None:
    draft.signer = replace(draft.signer, session_token="t")


def signature(draft: Draft) -> None:
    draft.signer = replace(draft.signer, secret="wrong")


def body(draft: Draft) -> None:
    draft.message = replace(draft.message, body=b"other")


#: The rules as they are applied: a fault that breaks each, and the refusal that it meets.
ORDER = [
    (malformed_target, "MalformedTarget"),
    (malformed_query, "MalformedQuery"),
    (both_forms, "AmbiguousAuthentication"),
    (algorithm, "UnsupportedAlgorithm"),
    (unknown_part, "MalformedAuthorization"),
    (missing_part, "MissingParameters"),
    (malformed_credential, "MalformedCredential"),
    (malformed_list, "MalformedSignedHeaders"),
    (host_not_signed, "HostNotSigned"),
    (malformed_date, "MalformedDate"),
    (skewed, "RequestTimeTooSkewed"),
    (scope, "ScopeMismatch"),
    (signed_header_missing, "SignedHeaderMissing"),
    (header_not_signed, "HeadersNotSigned"),
    (host_not_accepted, "HostNotAccepted"),
    (payload_form, "InvalidPayloadHash"),
    (token_beyond_ascii, "InvalidSessionToken"),
    (hidden_dots, "MalformedTarget"),
    (unknown_key, "UnknownAccessKey"),
    (token, "InvalidSessionToken"),
    (signature, "SignatureMismatch"),
    (body, "PayloadHashMismatch"),
]
#: Pairs that cannot be had: one piece cannot be wrong in both ways, or one fault is the other.
EXCLUSIVE = {(malformed_target, hidden_dots), (unknown_key, token)}


@pytest.mark.parametrize(
    ("fault", "error"), ORDER, ids=lambda value: getattr(value, "__name__", "")
)
def test_order_of_one(fault: Any, error: str) -> None:
    """Each fault alone meets the refusal of its rule."""
    draft = Draft()
    fault(draft)
    assert draft.outcome() == error


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        pytest.param(first, second, error, id=f"{first.__name__}, {second.__name__}")
        for at, (first, error) in enumerate(ORDER)
        for second, _ in ORDER[at + 1 :]
        if (first, second) not in EXCLUSIVE
    ],
)
def test_order_of_two(first: Any, second: Any, error: str) -> None:
    """Of two faults at once the one of the earlier rule is told."""
    draft = Draft()
    first(draft)
    second(draft)
    assert draft.outcome() == error


def test_unknown_key_is_told_before_its_token() -> None:
    """Rule 9: an unknown key is told as such, whatever token comes with it."""
    signer = replace(GENERIC_SIGNER, access_key_id="AKIAUNKNOWN", session_token=TOKEN)
    assert isinstance(refusal(signer.sign(Message.of())), errors.UnknownAccessKey)


def test_order_of_presigned_faults() -> None:
    """Rules 2-6 of a presigned URL come in this order: each next one shows when one is mended."""
    service = {"service": "s3", "profile": S3}
    faulty = replace(
        S3_PRESIGNER, timestamp="x", expires=None, region="mars-1", signed_headers=("x-a",)
    )
    steps = [
        (faulty, NOW, "HostNotSigned"),
        (faulty := replace(faulty, signed_headers=("host", "x-a")), NOW, "MalformedDate"),
        (faulty := replace(faulty, timestamp="20261121T213000Z"), 0, "MissingParameters"),
        (faulty := replace(faulty, expires="0"), 0, "InvalidExpires"),
        (faulty := replace(faulty, expires="60"), 0, "RequestNotYetValid"),
        (faulty, NOW + 60, "RequestExpired"),
        (faulty, NOW, "ScopeMismatch"),
        (faulty := replace(faulty, region="us-east-1"), NOW, "SignedHeaderMissing"),
    ]
    for signer, now, error in steps:
        message = signer.presign(Message.of())
        assert type(refusal(message, now=now, **service)).__name__ == error
    assert len({step[2] for step in steps}) == len(list(pairwise(steps))) + 1
