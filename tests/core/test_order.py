"""The order of the rules: of two faults at once, which one is told.

The order is public behaviour: a client must be told the same for the same request, and who lacks
the secret must be told nothing of the key that an earlier rule could have said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import SECRET
from tests.core.signing import sha256
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.verifier import Verifier

BODY = b'{"name": "x"}'


class Draft:
    """A request with faults: each fault alters one piece, so that any two go together."""

    def __init__(self) -> None:
        self.signer = GENERIC_SIGNER
        self.message = Message.of("PUT", headers={"X-Amz-Content-Sha256": sha256(BODY)}, body=BODY)
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
        if self.signer.session_token is not None:
            listed.add("x-amz-security-token")
        signer = replace(self.signer, signed_headers=tuple(sorted(listed - set(self.unlisted))))
        message = signer.sign(message)
        sent = (message.header("authorization") or b"").decode().split(" ", 1)[1]
        pieces = (part.split("=", 1) for part in sent.split(", "))
        parts = {name: self.parts.get(name, value) for name, value in pieces}
        text = ", ".join(f"{name}={value}" for name, value in parts.items() if value is not None)
        message = message.with_header("Authorization", f"{self.algorithm} {text}{self.extra}")
        if self.parameter is not None:
            message = message.with_parameter(self.parameter)
        return refusal(message, hosts=self.hosts, now=self.now)


def refusal(message: Message, *, now: float, **parameters: Any) -> str:
    """Return the name of the refusal that *message* meets."""
    usual: dict[str, Any] = {"region": "us-east-1", "service": "items"}
    made = Verifier({ACCESS_KEY_ID: SECRET}, **(usual | parameters))
    with pytest.raises(SigV4Error) as refused:
        verify(made, message, now=now)
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
EXCLUSIVE = {(malformed_target, hidden_dots), (token_beyond_ascii, token)}


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


def test_order_of_presigned_faults() -> None:
    """Rules 2-6 of a presigned URL come in this order: each next one shows when one is mended."""
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
        assert refusal(message, now=now, service="s3") == error
