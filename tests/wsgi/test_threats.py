"""What other verifiers fell for, tried on a whole WSGI application.

The same numbers are tested on the core alone in tests/core; here it is the application that must
not be called. Those of paths, headers, bodies and logs stand beside their modules' tests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import Signer
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.payload import PayloadForm

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#: Every value that selects a way to verify the body, the unknown ones and none among them.
PAYLOADS = [
    *(form.value for form in PayloadForm if form is not PayloadForm.SHA256),
    EMPTY,
    "STREAMING-OF-THE-FUTURE",
    "unsigned-payload",
]

both_profiles = pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
both_forms = pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
each_payload = pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload or "absent")


def attack(message: Message, *, s3: bool, **parameters: Any) -> Answer:
    """Return the answer to *message*, after which the application was not called."""
    app = Application()
    answer = send(SigV4Middleware(app, verifier(s3=s3, **parameters)), message)
    assert not app.called
    assert 400 <= answer.status < 500 or answer.status == 501
    return answer


def passes(message: Message, *, s3: bool, **parameters: Any) -> Application:
    """Return the application that was called with *message*."""
    app = Application()
    answer = send(SigV4Middleware(app, verifier(s3=s3, **parameters)), message)
    assert answer.status == 200, answer.text
    return app


def with_payload(payload: str, *, presigned: bool, s3: bool, **changes: Any) -> Message:
    """Return a request that is signed right, with this x-amz-content-sha256."""
    headers = {"X-Amz-Content-Sha256": payload} if payload else {}
    message = Message.of("PUT", headers=headers)
    signer: Signer = replace(S3_SIGNER if s3 else GENERIC_SIGNER, **changes)
    if not presigned:
        return signer.sign(message)
    hashed = payload or ("UNSIGNED-PAYLOAD" if s3 else None)
    return replace(signer, payload_hash=hashed).presign(message)


@both_profiles
@both_forms
@pytest.mark.parametrize(
    "name", ["x-amz-acl", "X-Amz-Copy-Source", "X-AMZ-TAGGING", "x-amz-sdk-checksum-algorithm"]
)
@pytest.mark.parametrize("value", ["public-read", ""], ids=["value", "empty"])
def test_t1_unlisted_amz_header(name: str, value: str, presigned: bool, s3: bool) -> None:
    """T1: whoever holds a signed PUT or a presigned URL can add no x-amz-* header to it."""
    message = sign("PUT", s3=s3, presigned=presigned)
    passes(message, s3=s3)
    answer = attack(message.with_extra_header(name, value), s3=s3)
    assert answer.status == 403
    if s3:
        assert f"<HeadersNotSigned>{name.lower()}</HeadersNotSigned>" in answer.text


@both_profiles
def test_t1_t2_headers_that_may_stay_unsigned(s3: bool) -> None:
    """T1, T2: x-amzn-*, content-type and an edge's header by name pass unsigned."""
    message = sign("PUT", s3=s3).with_extra_header("Content-Type", "text/plain")
    message = message.with_extra_header("X-Amzn-Trace-Id", "1")
    passes(message, s3=s3)
    edge = message.with_extra_header("X-Amz-Cf-Id", "1")
    attack(edge, s3=s3)
    passes(edge, s3=s3, allow_unsigned_headers=("x-amz-cf-id",))
    attack(message, s3=s3, require_signed=("content-type",))


@both_profiles
@both_forms
@each_payload
def test_t3_wrong_signature_in_every_payload_form(payload: str, presigned: bool, s3: bool) -> None:
    """T3: no payload form skips the check of the signature."""
    message = with_payload(payload, presigned=presigned, s3=s3, secret="wrong")
    attack(message, s3=s3, allow_unsigned_payload=True)


@both_profiles
@each_payload
@pytest.mark.parametrize("where", ["header", "query"])
def test_t4_credential_without_a_signature(payload: str, where: str, s3: bool) -> None:
    """T4: a key id in the query is no identity."""
    credential = "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261121%2Fus-east-1%2Fs3%2Faws4_request"
    message = Message.of("PUT", f"/items?{credential}")
    if payload and where == "header":
        message = message.with_header("x-amz-content-sha256", payload)
    elif payload:
        message = message.with_parameter(f"X-Amz-Content-Sha256={payload}".encode())
    app = Application()
    middleware = SigV4Middleware(app, verifier(s3=s3), required=False)
    assert send(middleware, message).status in (400, 403)
    assert not app.called
    attack(message, s3=s3)


@both_profiles
@both_forms
@pytest.mark.parametrize(
    "payload", ["STREAMING-OF-THE-FUTURE", "STREAMING-", "UNSIGNED", "0" * 63, "0" * 65, "x" * 64]
)
def test_t5_unknown_payload_form(payload: str, presigned: bool, s3: bool) -> None:
    """T5: a form that is not known is refused, however well it is signed."""
    attack(with_payload(payload, presigned=presigned, s3=s3), s3=s3, allow_unsigned_payload=True)


@both_profiles
@both_forms
@each_payload
@pytest.mark.parametrize("moved", [-100_000, 100_000], ids=["ahead", "stale"])
def test_t6_replay_in_every_payload_form(
    payload: str, presigned: bool, s3: bool, moved: int
) -> None:
    """T6: no payload form skips the check of the time."""
    message = with_payload(payload, presigned=presigned, s3=s3)
    attack(message, s3=s3, clock=lambda: NOW + moved, allow_unsigned_payload=True)


@both_profiles
@both_forms
def test_t7_scope_of_another_day(presigned: bool, s3: bool) -> None:
    """T7: a signing key that leaked for one day signs nothing on another."""
    attack(with_payload(EMPTY, presigned=presigned, s3=s3, date="20261120"), s3=s3)


@both_profiles
@pytest.mark.parametrize("form", [form for form in PayloadForm if form.is_streaming])
def test_t8_streaming_form_beside_a_presigned_url(form: PayloadForm, s3: bool) -> None:
    """T8: the unsigned x-amz-content-sha256 cannot select another way to verify."""
    message = sign("PUT", s3=s3, presigned=True)
    attack(message.with_extra_header("x-amz-content-sha256", form.value), s3=s3)


def test_t8_hash_beside_a_presigned_url_is_checked() -> None:
    """T8: a hex hash in the header of a presigned request is one that the body must have."""
    signer = replace(S3_PRESIGNER, payload_hash=EMPTY)
    message = signer.presign(Message.of("PUT")).with_extra_header("x-amz-content-sha256", EMPTY)
    passes(message, s3=True)
    attack(replace(message, body=b"hello"), s3=True)


@both_profiles
@pytest.mark.parametrize(
    ("amz", "date"),
    [
        ("20261121T213000Z", "Sat, 21 Nov 2020 21:30:00 GMT"),
        ("20201121T213000Z", "Sat, 21 Nov 2026 21:30:00 GMT"),
    ],
)
def test_t15_only_one_date_counts(amz: str, date: str, s3: bool) -> None:
    """T15: x-amz-date is the date of freshness, string to sign and scope; Date is not asked."""
    signer = replace(S3_SIGNER if s3 else GENERIC_SIGNER, timestamp=amz, date=amz[:8])
    message = signer.sign(Message.of(headers={"X-Amz-Content-Sha256": EMPTY, "Date": date}))
    if amz.startswith("2026"):
        passes(message, s3=s3)
    else:
        attack(message, s3=s3)


@both_profiles
def test_t16_no_date_is_no_pass(s3: bool) -> None:
    """T16: without a date nothing is fresh."""
    signer = S3_SIGNER if s3 else GENERIC_SIGNER
    attack(signer.authorize(Message.of(headers={"X-Amz-Content-Sha256": EMPTY})), s3=s3)


@both_profiles
def test_t17_presigned_signature_is_good_for_nothing_else(s3: bool) -> None:
    """T17: it opens neither another path, method or host, nor the header form."""
    message = sign("PUT", s3=s3, presigned=True)
    passes(message, s3=s3)
    attack(replace(message, path=b"/other"), s3=s3)
    attack(replace(message, method="DELETE"), s3=s3)
    attack(message.with_header("Host", "other.example"), s3=s3)
    query = dict(item.split(b"=", 1) for item in message.query_items)
    header = b"AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s" % (
        query[b"X-Amz-Credential"].replace(b"%2F", b"/"),
        query[b"X-Amz-SignedHeaders"],
        query[b"X-Amz-Signature"],
    )
    moved = replace(message, query=b"q=1").with_header("Authorization", header)
    moved = moved.with_header("X-Amz-Date", query[b"X-Amz-Date"])
    attack(moved.with_header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), s3=s3)


@both_profiles
@pytest.mark.parametrize("query", [b"q=2", b"q=1&q=1", b"q=1&admin=", b"", b"Q=1"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_t18_t29_query_is_signed(query: bytes, method: str, s3: bool) -> None:
    """T18, T29: another query, or one parameter more, is another request; for POST too."""
    message = sign(method, "/items?q=1", s3=s3)
    passes(message, s3=s3)
    attack(replace(message, query=query), s3=s3)


@both_profiles
@both_forms
@pytest.mark.parametrize(
    "changes",
    [
        {"token": "x"},
        {"access_key_id": TEMPORARY_ID},
        {"access_key_id": TEMPORARY_ID, "token": "x"},
        {"access_key_id": TEMPORARY_ID, "token": SESSION_TOKEN + "x"},
    ],
    ids=["permanent with token", "without token", "another's", "longer"],
)
def test_t20_token_belongs_to_the_key(changes: dict[str, Any], presigned: bool, s3: bool) -> None:
    """T20: a token with a permanent key, a temporary key without its own: refused."""
    attack(sign(s3=s3, presigned=presigned, **changes), s3=s3)
    good = sign(s3=s3, presigned=presigned, access_key_id=TEMPORARY_ID, token=SESSION_TOKEN)
    passes(good, s3=s3)


@both_profiles
def test_t20_token_appended_after_signing(s3: bool) -> None:
    """T20: a token that is not signed passes only where a knob allows it."""
    message = sign(s3=s3, access_key_id=TEMPORARY_ID)
    message = message.with_extra_header("X-Amz-Security-Token", SESSION_TOKEN)
    attack(message, s3=s3)
    passes(message, s3=s3, allow_unsigned_session_token=True)


@both_profiles
@pytest.mark.parametrize(
    ("expires", "age", "good"),
    [
        (1, 0, True),
        (1, 1, False),
        (60, 59, True),
        (60, 60, False),
        (604_800, 604_799, True),
        (604_800, 604_800, False),
        (604_801, 0, False),
        (60, -299, True),
        (60, -901, False),
    ],
)
def test_t21_life_of_a_presigned_url(expires: int, age: int, good: bool, s3: bool) -> None:
    """T21: it lives its seconds and not one more, and skew never extends them."""
    message = sign(s3=s3, presigned=True, expires=expires, age=age)
    if good:
        passes(message, s3=s3)
    else:
        attack(message, s3=s3)


@both_profiles
@pytest.mark.parametrize("expires", ["0", "-1", "+60", "1e3", " 60", "60.0", "٦٠", "", "6_0"])
def test_t21_expires_is_digits(expires: str, s3: bool) -> None:
    """T21: what is not a plain number is refused, however well it is signed."""
    signer = replace(S3_PRESIGNER if s3 else GENERIC_SIGNER, expires=expires)
    attack(signer.presign(Message.of()), s3=s3)


@both_profiles
@both_forms
@pytest.mark.parametrize(
    "signature", [b"\xff" * 64, b"", b"0" * 63, b"0" * 65, b"A" * 64, b"0" * 128, b"\xc3\xa9"]
)
def test_t26_odd_signature_is_no_crash(signature: bytes, presigned: bool, s3: bool) -> None:
    """T26: whatever stands for a signature is refused as such, 400 where it is missing."""
    message = sign(s3=s3, presigned=presigned)
    old = (message.header("authorization") or message.query).rpartition(b"Signature=")[2]
    if presigned:
        signature = b"".join(b"%%%02X" % byte for byte in signature)
    answer = attack(message.edited(old, signature), s3=s3)
    assert answer.status == (403 if signature else 400)


@both_profiles
@both_forms
@pytest.mark.parametrize(
    "token", ["AWS4-HMAC-SHA256x", "aws4-hmac-sha256", "AWS4-HMAC-SHA512", "AWS4-ECDSA-P256-SHA256"]
)
def test_t27_algorithm_is_pinned(token: str, presigned: bool, s3: bool) -> None:
    """T27: the algorithm token is exactly one."""
    message = sign(s3=s3, presigned=presigned).edited("AWS4-HMAC-SHA256", token)
    attack(message, s3=s3)


@both_profiles
def test_t28_one_authentication_only(s3: bool) -> None:
    """T28: both forms, a second form's parameters or a foreign scheme beside it are refused."""
    header, query = sign(s3=s3), sign(s3=s3, presigned=True)
    good = header.header("authorization")
    assert good is not None
    attack(query.with_header("Authorization", good), s3=s3)
    attack(query.with_header("Authorization", "Bearer x"), s3=s3)
    attack(header.with_parameter(b"X-Amz-Signature=" + b"0" * 64), s3=s3)
    attack(header.with_parameter(b"X-Amz-Algorithm=AWS4-HMAC-SHA256"), s3=s3)
    attack(header.with_parameter(b"x-amz-signature=" + b"0" * 64), s3=s3)
    attack(query.with_parameter(b"X-Amz-Signature=" + b"0" * 64), s3=s3)
    attack(query.with_parameter(b"X-Amz-Expires=604800"), s3=s3)
    attack(replace(query, query=query.query.replace(b"X-Amz-Date", b"x-amz-date")), s3=s3)


@both_profiles
@pytest.mark.parametrize(
    ("sent", "good"),
    [
        ("a=1&b=2", True),
        ("b=2&a=1", True),
        ("b=2&&a=1&", True),
        ("%61=1&b=%32", True),
        ("a=1&b=2&c", False),
        ("a=2&b=1", False),
        ("a=1;b=2", False),
        ("a=1&B=2", False),
    ],
)
def test_t30_query_is_compared_by_meaning(sent: str, good: bool, s3: bool) -> None:
    """T30: order and superfluous escapes do not matter, everything else does."""
    message = sign(target="/items?a=1&b=2", s3=s3)
    changed = replace(message, query=sent.encode())
    if good:
        passes(changed, s3=s3)
    else:
        attack(changed, s3=s3)


@both_profiles
@both_forms
def test_t34_signed_header_that_did_not_arrive(presigned: bool, s3: bool) -> None:
    """T34: a header that is listed and absent is no empty one."""
    message = sign(s3=s3, presigned=presigned, headers={"X-Amz-Meta-A": ""})
    passes(message, s3=s3)
    attack(message.without_header("x-amz-meta-a"), s3=s3)


@both_profiles
@both_forms
@pytest.mark.parametrize("changes", [{"service": "other"}, {"region": "eu-west-1"}])
def test_t35_scope_is_pinned(changes: dict[str, Any], presigned: bool, s3: bool) -> None:
    """T35: a signature for another service or region is refused, though the key is the same."""
    attack(sign(s3=s3, presigned=presigned, **changes), s3=s3)


@both_profiles
@both_forms
def test_t45_endless_scopes_leave_no_trace(presigned: bool, s3: bool) -> None:
    """T45: a client that names one scope after the other fills no cache."""
    own = verifier(s3=s3, region=None)
    app = Application()
    middleware = SigV4Middleware(app, own)
    for number in range(20):
        message = forged(sign(s3=s3, presigned=presigned, region=f"region-{number}"))
        assert send(middleware, message).status == 403
    assert len(own._signing_keys) == 0
    assert not app.called
