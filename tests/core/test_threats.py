"""Attacks that other verifiers fell for, and that need more than one module to be tried.

The rest of them is tested where the rule is; each test names its T number of the security contract.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
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
from tests.core.signing import sha256
from tests.core.uploads import SIGNED
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import Framed
from tests.core.uploads import upload
from wsgi_sigv4 import errors
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.verifier import Verifier

BODY = b'{"name": "x"}'
UNKNOWN = "AKIAUNKNOWN"
PAYLOADS = [
    None,
    sha256(b""),
    UNSIGNED,
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    "STREAMING-OF-THE-FUTURE",
]


def verifier(**parameters: Any) -> Verifier:
    """Return a verifier of both services that knows one permanent key."""
    usual: dict[str, Any] = {"region": "us-east-1", "service": "items"}
    return Verifier({ACCESS_KEY_ID: SECRET}, **(usual | parameters))


def refusal(made: Verifier, message: Message, *, now: float = NOW) -> SigV4Error:
    """Return why *made* refuses *message*."""
    with pytest.raises(SigV4Error) as refused:
        verify(made, message, now=now)
    return refused.value


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Credential={c}",
        "X-Amz-Credential={c}&X-Amz-Date={t}&X-Amz-SignedHeaders=host&X-Amz-Expires=60",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={c}",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={c}&X-Amz-Date={t}"
        "&X-Amz-SignedHeaders=host&X-Amz-Expires=60",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={c}&X-Amz-Date={t}"
        "&X-Amz-SignedHeaders=host&X-Amz-Expires=60&X-Amz-Signature=",
    ],
)
@pytest.mark.parametrize("service", ["items", "s3"])
def test_credential_without_signature(payload: str | None, query: str, service: str) -> None:
    """T4: a credential in the query without a signature is nobody, whatever the payload form."""
    scope = f"{ACCESS_KEY_ID}/20261121/us-east-1/{service}/aws4_request"
    target = "/?" + query.format(c=scope, t="20261121T213000Z")
    headers = {} if payload is None else {"X-Amz-Content-Sha256": payload}
    refused = refusal(
        verifier(service=service, allow_unsigned_payload=True),
        Message.of("PUT", target, headers=headers),
    )
    assert type(refused).__name__ in ("MissingAuthentication", "MissingParameters")


@pytest.mark.parametrize("payload", [value for value in PAYLOADS if value])
@pytest.mark.parametrize("method", ["sign", "presign"])
@pytest.mark.parametrize("service", ["items", "s3"])
def test_wrong_signature_of_every_payload_form(payload: str, method: str, service: str) -> None:
    """T3: a wrong signature is refused with every value of x-amz-content-sha256 there is."""
    signer = replace(GENERIC_SIGNER, service=service, secret="wrong", payload_hash=payload)
    message = getattr(signer, method)(Message.of("PUT", headers={"X-Amz-Content-Sha256": payload}))
    refusal(verifier(service=service, allow_unsigned_payload=True), message)


@pytest.mark.parametrize("payload", [sha256(b""), UNSIGNED])
@pytest.mark.parametrize("method", ["sign", "presign"])
@pytest.mark.parametrize("now", [NOW - 901, NOW + 901])
def test_replay_in_every_payload_form(payload: str, method: str, now: float) -> None:
    """T6: a captured request dies, with every payload form."""
    signer = replace(S3_SIGNER, payload_hash=payload)
    message = getattr(signer, method)(Message.of("PUT", headers={"X-Amz-Content-Sha256": payload}))
    verify(verifier(service="s3"), message, now=NOW)
    refused = refusal(verifier(service="s3"), message, now=now)
    assert type(refused).__name__ in (
        "RequestTimeTooSkewed",
        "RequestExpired",
        "RequestNotYetValid",
    )


def test_presigned_with_a_payload_hash_added() -> None:
    """T8: an unsigned x-amz-content-sha256 does not choose how a presigned body is verified."""
    plain = S3_PRESIGNER.presign(Message.of("PUT", body=BODY))
    verify(verifier(service="s3"), plain, now=NOW)
    for payload in PAYLOADS[1:]:
        assert payload is not None
        added = plain.with_extra_header("X-Amz-Content-Sha256", payload)
        if payload == UNSIGNED:
            verify(verifier(service="s3"), added, now=NOW)
        else:
            refusal(verifier(service="s3"), added)
    hashed = replace(S3_PRESIGNER, payload_hash=sha256(BODY)).presign(
        Message.of("PUT", headers={"X-Amz-Content-Sha256": sha256(BODY)}, body=BODY)
    )
    verify(verifier(service="s3"), hashed, now=NOW)
    other = refusal(verifier(service="s3"), replace(hashed, body=b"other"))
    assert isinstance(other, errors.PayloadHashMismatch)
    # What the hash says is signed, though the header need not be listed.
    for payload in (sha256(b"other"), UNSIGNED):
        altered = replace(hashed.with_header("X-Amz-Content-Sha256", payload), body=b"other")
        assert isinstance(refusal(verifier(service="s3"), altered), errors.SignatureMismatch)


def test_leaked_signing_key_of_another_day() -> None:
    """T7: the signing key of one day signs no request of another, though all else is right."""
    leaked = replace(GENERIC_SIGNER, date="20261120")
    for message in (leaked.sign(Message.of()), leaked.presign(Message.of())):
        refused = refusal(verifier(), message)
        assert isinstance(refused, errors.ScopeMismatch)
        assert refused.faults == ("date",)


def test_presigned_signature_in_the_header() -> None:
    """T17: the signature of a presigned URL is worth nothing in an Authorization header."""
    message = GENERIC_SIGNER.presign(Message.of())
    *_, signature = message.query.rpartition(b"=")
    authorization = GENERIC_SIGNER.authorize(Message.of()).header("authorization") or b""
    header = authorization[:-64] + signature
    # With its parameters it is signed twice, without them it is another request.
    assert isinstance(
        refusal(verifier(), message.with_extra_header("Authorization", header)),
        errors.AmbiguousAuthentication,
    )
    rest = [
        i for i in message.query_items if not i.startswith((b"X-Amz-S", b"X-Amz-A", b"X-Amz-C"))
    ]
    for items in ([b"q=1"], rest):
        moved = (
            message.with_query_items(items)
            .with_extra_header("Authorization", header)
            .with_extra_header("Date", "20261121T213000Z")
        )
        assert isinstance(refusal(verifier(), moved), errors.SignatureMismatch)


def test_presigned_signature_for_another_endpoint() -> None:
    """T17: a presigned URL holds for its method, host and path alone."""
    message = GENERIC_SIGNER.presign(Message.of())
    for other in (
        replace(message, method="POST"),
        replace(message, path=b"/other"),
        message.with_header("Host", "other.example.com"),
    ):
        assert isinstance(refusal(verifier(), other), errors.SignatureMismatch)


@pytest.mark.parametrize("query", [b"", b"q=2", b"q=1&r=1", b"Q=1", b"q=1&q=1", b"q=1&"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
def test_query_of_a_signed_post(query: bytes, method: str) -> None:
    """T18: the query is signed with every method."""
    message = GENERIC_SIGNER.sign(Message.of(method, "/items?q=1", body=b"a=1"))
    verify(verifier(), message, now=NOW)
    altered = replace(message, query=query)
    if query == b"q=1&":
        verify(verifier(), altered, now=NOW)
    else:
        assert isinstance(refusal(verifier(), altered), errors.SignatureMismatch)


def test_signature_for_another_service_or_region() -> None:
    """T35: what was signed for one service or region is refused by another, same keys or not."""
    message = GENERIC_SIGNER.sign(Message.of())
    for made in (verifier(service="orders"), verifier(region="eu-west-1")):
        assert isinstance(refusal(made, message), errors.ScopeMismatch)
    # Nor is the scope a label that can be changed.
    for old, new, made in (
        ("/items/", "/orders/", verifier(service=["items", "orders"])),
        ("/us-east-1/", "/eu-west-1/", verifier(region=None)),
    ):
        verify(made, message, now=NOW)
        assert isinstance(refusal(made, message.edited(old, new)), errors.SignatureMismatch)


# T24


def exposed(error: BaseException) -> Iterator[str]:
    """Yield every text that a log, a debug page or an error tracker could make of *error*."""
    seen: BaseException | None = error
    while seen is not None:
        yield from (str(seen), repr(seen), repr(seen.args))
        yield from _attributes(seen)
        yield from _locals(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def _attributes(thing: object) -> Iterator[str]:
    names = {*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())}
    for name in names:
        value = getattr(thing, name)
        yield repr(value)
        yield from _attributes(value)


def _locals(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        frame = traceback.tb_frame
        # The frames of this file know the signature: they made it.
        if str(frame.f_globals.get("__name__")).startswith("wsgi_sigv4."):
            yield from (repr(value) for value in frame.f_locals.values())
        traceback = traceback.tb_next


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("form", ["header", "presigned", "body hashed"])
def test_mismatch_shows_nothing_of_the_request(form: str, uniform: bool) -> None:
    """T24, T39: no cookie, token or canonical request is in a mismatch or its traceback's locals.

    The signature as sent is: it is wrong, and S3 repeats it in the answer.
    """
    headers = {"Cookie": "session=c00kie", "X-Note": "n0te"}
    if form == "header":
        headers["X-Amz-Content-Sha256"] = sha256(b"")
    signer = replace(GENERIC_SIGNER, session_token="t0ken", secret="wrong")
    message = Message.of(target="/items?q=par4meter", headers=headers)
    signed = signer.presign(message) if form == "presigned" else signer.sign(message)
    made = Verifier(
        {ACCESS_KEY_ID: Credentials(SECRET, session_token="t0ken")},
        region="us-east-1",
        service="items",
        uniform_errors=uniform,
    )
    with pytest.raises(errors.SignatureMismatch) as refused:
        verify(made, signed, now=NOW)
    evidence = refused.value.evidence
    assert evidence is not None
    said = list(exposed(refused.value))
    digest = sha256(evidence.canonical_request)
    for hidden in ("c00kie", "n0te", "t0ken", "par4meter", digest, "host:"):
        assert not any(hidden in text for text in said), hidden


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("form", ["header", "presigned", "body hashed"])
def test_calculated_signature_is_nowhere(form: str, warm: bool, uniform: bool) -> None:
    """T24: a refusal holds the calculated signature, signing key and secret in no corner of it."""
    made = verifier(uniform_errors=uniform)
    message = Message.of("PUT", body=BODY)
    if form == "body hashed":
        message = message.with_header("X-Amz-Content-Sha256", sha256(BODY))
    right = GENERIC_SIGNER.presign(message) if form == "presigned" else GENERIC_SIGNER.sign(message)
    signature = (right.header("authorization") or right.query)[-64:].decode()
    if warm:
        verify(made, right, now=NOW)
    refused = refusal(made, right.edited(signature, "0" * 64))
    assert isinstance(refused, errors.SignatureMismatch)
    texts = list(exposed(refused))
    assert any("0" * 64 in text for text in texts)
    k_signing = b"AWS4" + SECRET.encode()
    secrets = [SECRET, signature, repr(bytes.fromhex(signature))[2:-1]]
    for part in ("20261121", "us-east-1", "items", "aws4_request"):
        k_signing = hmac.digest(k_signing, part.encode(), "sha256")
        secrets += [k_signing.hex(), repr(k_signing)[2:-1]]
    assert [s for s in secrets for text in texts if s in text] == []


def signing_key_texts() -> list[str]:
    """Return what would give away the signing key of S3_SIGNER."""
    key = b"AWS4" + SECRET.encode()
    for part in (S3_SIGNER.date, S3_SIGNER.region, S3_SIGNER.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return [SECRET, key.hex(), repr(key)[2:-1]]


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER])
def test_calculated_signature_of_a_chunk_is_nowhere(form: str) -> None:
    """T24: the refusal of a chunk, or of the trailers, holds no right signature and no key."""
    message = upload(b"hello", form=form)
    body = Framed.parse(message.body)
    chunk = body.chunks[0].signature or b""
    (trailer,) = [line[-64:] for line in body.trailers[1:]] or [chunk]
    for right in {chunk, trailer}:
        altered = replace(message, body=message.body.replace(right, b"0" * 64))
        refused = refusal(verifier(service="s3"), altered)
        assert isinstance(refused, errors.ChunkSignatureMismatch)
        # The client's own words may be there: the signatures of the other chunks.
        hidden = [*signing_key_texts(), right.decode()]
        texts = [text for text in exposed(refused) if str(altered.body)[2:-1] not in text]
        assert [s for s in hidden for text in texts if s in text] == []


def test_key_is_nowhere_where_only_the_token_is_wrong() -> None:
    """T24: with uniform errors a wrong token is told last, and the key is not with it then."""
    made = verifier(service="s3", uniform_errors=True)
    message = replace(S3_SIGNER, session_token="wrong").sign(
        Message.of(headers={"X-Amz-Content-Sha256": sha256(b"")})
    )
    refused = refusal(made, message)
    assert isinstance(refused, errors.InvalidSessionToken)
    texts = list(exposed(refused))
    assert len(texts) > 10
    assert [s for s in signing_key_texts() for text in texts if s in text] == []


@pytest.mark.parametrize("credentials", [SECRET, Credentials(SECRET, session_token="TOKEN-ISSUED")])
def test_secrets_of_a_key_are_nowhere(credentials: str | Credentials) -> None:
    """T24, T39: a refusal over key or token shows neither the secret nor the token issued."""
    made = Verifier({ACCESS_KEY_ID: credentials}, region="us-east-1", service="items")
    message = replace(GENERIC_SIGNER, session_token="TOKEN-SENT").sign(Message.of())
    refused = refusal(made, message)
    assert isinstance(refused, errors.InvalidSessionToken)
    shown = [text for text in exposed(refused) if SECRET in text or "TOKEN-ISSUED" in text]
    assert shown == []


# T25 and T51


class Counter:
    """Counts what an HMAC is made of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[bytes] = []
        digest = hmac.digest

        def counted(key: bytes, message: bytes, algorithm: str) -> bytes:
            self.messages.append(message)
            return digest(key, message, algorithm)

        monkeypatch.setattr(hmac, "digest", counted)

    def cost(self, made: Verifier, message: Message) -> tuple[int, str]:
        """Return how many HMACs refusing *message* took, and the refusal."""
        self.messages.clear()
        refused = refusal(made, message)
        return len(self.messages), type(refused).__name__


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Count the HMACs of this test."""
    return Counter(monkeypatch)


def requests(form: str, **changes: Any) -> Message:
    """Return a request of *form* that is signed with *changes*."""
    signer = replace(GENERIC_SIGNER, **changes)
    message = Message.of("PUT", body=BODY)
    if form == "body hashed":
        return signer.sign(message.with_header("X-Amz-Content-Sha256", sha256(BODY)))
    return signer.presign(message) if form == "presigned" else signer.sign(message)


FORM = pytest.mark.parametrize("form", ["header", "presigned", "body hashed"])


@FORM
@pytest.mark.parametrize("uniform", [False, True])
def test_unknown_key_costs_what_a_known_one_costs(
    form: str, uniform: bool, counter: Counter
) -> None:
    """T25: unknown key, known key, cached key and wrong token take the same number of HMACs."""
    made = verifier(uniform_errors=uniform)
    unknown = requests(form, access_key_id=UNKNOWN)
    wrong = requests(form, secret="wrong")
    wrong_token = requests(form, secret="wrong", session_token="t")
    costs = {
        "unknown, cold": counter.cost(made, unknown)[0],
        "known, cold": counter.cost(made, wrong)[0],
        "token, cold": counter.cost(made, wrong_token)[0],
    }
    verify(made, requests(form), now=NOW)
    costs |= {
        "unknown, warm": counter.cost(made, unknown)[0],
        "known, warm": counter.cost(made, wrong)[0],
        "token, warm": counter.cost(made, wrong_token)[0],
    }
    assert costs == dict.fromkeys(costs, 5)


@FORM
def test_odd_signature_costs_the_same(form: str, counter: Counter) -> None:
    """T25: a signature that can never be right tells no known key from an unknown one."""
    made = verifier()
    verify(made, requests(form), now=NOW)
    for key_id in (ACCESS_KEY_ID, UNKNOWN):
        message = requests(form, access_key_id=key_id)
        signature = (message.header("authorization") or message.query)[-64:]
        assert counter.cost(made, message.edited(signature, b"x"))[0] == 5


def test_right_signature_is_cheap_when_cached(counter: Counter) -> None:
    """T25: the derivation is saved where the signature is right and the key cached."""
    made = verifier()
    message = requests("header")
    for expected in (5, 1, 1):
        counter.messages.clear()
        verify(made, message, now=NOW)
        assert len(counter.messages) == expected


def test_signing_key_of_a_provider_costs_the_same(counter: Counter) -> None:
    """T25: a provider that hands out signing keys makes a wrong signature no cheaper."""
    made = Verifier(
        lambda access_key_id: (
            Credentials(signing_key=b"K" * 32) if access_key_id == ACCESS_KEY_ID else None
        ),
        region="us-east-1",
        service="items",
    )
    for key_id in (ACCESS_KEY_ID, UNKNOWN):
        assert counter.cost(made, requests("header", access_key_id=key_id))[0] == 5


def test_dummy_key_differs_between_verifiers() -> None:
    """T25: nobody can sign with the key that stands for unknown ones."""
    made, other = verifier(uniform_errors=True), verifier(uniform_errors=True)
    assert made._dummy != other._dummy
    assert len(made._dummy.reveal()) == 40
    guessed = requests("header", access_key_id=UNKNOWN, secret=made._dummy.reveal())
    assert isinstance(refusal(made, guessed), errors.SignatureMismatch)


@FORM
def test_unknown_key_is_answered_as_a_wrong_signature(form: str, counter: Counter) -> None:
    """T51: with uniform errors nothing tells an unknown key, or a wrong token, from a mismatch."""
    made = verifier(uniform_errors=True)
    temporary = Credentials(SECRET, session_token="t")
    made_temporary = Verifier(
        {ACCESS_KEY_ID: temporary}, region="us-east-1", service="items", uniform_errors=True
    )
    outcomes = set()
    for to, message in (
        (made, requests(form, access_key_id=UNKNOWN)),
        (made, requests(form, secret="wrong")),
        (made, requests(form, secret="wrong", session_token="t")),
        (made_temporary, requests(form, secret="wrong")),
        (made_temporary, requests(form, secret="wrong", session_token="u")),
    ):
        counter.messages.clear()
        read = 0
        with pytest.raises(SigV4Error) as refused:  # noqa: PT012 (where it is raised is counted)
            verification = to.verify(message.request(), now=NOW)
            read = len(verification.feed(message.body))
            verification.finish(now=NOW)
        outcomes.add(
            (
                type(refused.value).__name__,
                str(refused.value),
                repr(refused.value),
                refused.value.hint,
                len(counter.messages),
                read,
            )
        )
    (outcome,) = outcomes
    assert outcome[0] == "SignatureMismatch"
    # Only where the body's hash is needed is the body read, for every key.
    assert outcome[-1] == (0 if form == "body hashed" else len(BODY))


def test_keys_are_told_apart_by_default() -> None:
    """T51: as AWS does it, an unknown key is told by default."""
    unknown = refusal(verifier(), requests("header", access_key_id=UNKNOWN))
    assert isinstance(unknown, errors.UnknownAccessKey)
    wrong = refusal(verifier(), requests("header", secret="wrong"))
    assert isinstance(wrong, errors.SignatureMismatch)
