"""The corpus: what real clients sent is accepted, and refused after any one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import verify
from tests.core.records import Record
from tests.core.records import records
from tests.core.tampering import Change
from tests.core.tampering import changes_of_who_signed
from tests.core.tampering import harmless_changes
from tests.core.tampering import hostile_changes
from tests.core.tampering import is_s3
from tests.core.uploads import hostile_changes as hostile_to_uploads
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.verifier import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a record whose arithmetic holds is refused by policy, and the knob that admits it."""

    error: str
    reason: str
    knob: Mapping[str, Any] = field(default_factory=dict)


NO_PAYLOAD_HASH = Refusal(
    error="MissingPayloadHash",
    reason="S3's header form must send x-amz-content-sha256; curl 7.88 does not",
    knob={"profile": replace(S3, payload_header_required=False)},
)
ABOVE_ROOT = Refusal(
    error="MalformedTarget",
    reason="a path above the root is an attack or a mistake; AWS takes it for the root",
)
HIDDEN_DOTS = Refusal(
    error="MalformedTarget",
    reason="an application would resolve the dot segments that %2e%2e hides",
)
UNSIGNED_PAYLOAD = Refusal(
    error="PayloadFormNotAllowed",
    reason="UNSIGNED-PAYLOAD leaves the body open to change; S3 alone takes it unasked",
    knob={"allow_unsigned_payload": True},
)
SIGV4A = Refusal(error="AlgorithmNotImplemented", reason="SigV4A is not implemented")
POST_FORM = Refusal(
    error="MissingAuthentication", reason="the POST policy form, signed in its fields, is not read"
)

POLICY = {
    "0771": ABOVE_ROOT,
    "0209": ABOVE_ROOT,
    "0210": ABOVE_ROOT,
    "0214": HIDDEN_DOTS,
    "0773": HIDDEN_DOTS,
    "0247": Refusal(
        error="MalformedSignedHeaders",
        reason="a WSGI server writes `a_b` and `a-b` to the same key, so neither can be told",
    ),
    "2039": Refusal(
        error="HeadersNotSigned",
        reason="the session token was added after signing (omit_session_token)",
        knob={"allow_unsigned_session_token": True},
    ),
    "2049": Refusal(
        error="MissingParameters",
        reason="a presigned URL of S3 without X-Amz-Expires would have no end of its own",
        knob={"profile": replace(S3, expires_required=False)},
    ),
    "0191": UNSIGNED_PAYLOAD,
    "0253": UNSIGNED_PAYLOAD,
    "0254": UNSIGNED_PAYLOAD,
    "0274": SIGV4A,
    "0290": SIGV4A,
    "0301": SIGV4A,
    **dict.fromkeys(
        ("0993", "0995", "0997", "0999", "1001", "1009", "1013", "1035", "1036"), NO_PAYLOAD_HASH
    ),
    **dict.fromkeys(("0153", "0154", "0155", "0156", "0157", "0158", "0604"), POST_FORM),
}

#: `unknown` records that a knob admits, beside those refused for good.
UNKNOWN_ADMITTED = {"2051": {"allow_unsigned_session_token": True}}


def params(chosen: list[Record]) -> list[Any]:
    """Return *chosen* for parametrize, readable in the output of a run."""
    return [pytest.param(record, id=f"{record.id} {record.title}") for record in chosen]


SOUND = [record for record in records() if record.expected == "accept"]
ACCEPTED = [record for record in SOUND if record.id not in POLICY]
REFUSED = [record for record in SOUND if record.id in POLICY]
STREAMING = [record for record in SOUND if record.streaming]
UNKNOWN = [record for record in records() if record.expected == "unknown"]


def test_corpus_is_whole() -> None:
    """No record is lost on the way to a test, and each table names records that exist."""
    assert (len(records()), len(SOUND), len(UNKNOWN)) == (699, 646, 53)
    assert (len(ACCEPTED), len(REFUSED)) == (616, 30)
    assert len(STREAMING) == 24
    assert {record.id for record in STREAMING} <= {record.id for record in ACCEPTED}
    assert set(POLICY) <= {record.id for record in SOUND}
    assert set(UNKNOWN_ADMITTED) <= {record.id for record in UNKNOWN}


@pytest.mark.parametrize("record", params(ACCEPTED))
def test_accepted(record: Record) -> None:
    """A request of a real client is accepted at the time it was signed, as who signed it."""
    identity = verify(record.verifier(), record.message, now=record.now)
    assert identity.access_key_id == record.access_key_id
    assert identity.presigned is (record.auth_mode == "query")


@pytest.mark.parametrize("record", params(REFUSED))
def test_refused_by_policy(record: Record) -> None:
    """A request whose arithmetic holds is refused for the reason that the table names."""
    with pytest.raises(SigV4Error) as refused:
        verify(record.verifier(), record.message, now=record.now)
    assert type(refused.value).__name__ == POLICY[record.id].error


@pytest.mark.parametrize(
    "record", params([r for r in SOUND if r.id in POLICY and POLICY[r.id].knob])
)
def test_admitted_by_its_knob(record: Record) -> None:
    """The knob that the table names admits the request that policy refuses by default."""
    verifier = record.verifier(**POLICY[record.id].knob)
    assert verify(verifier, record.message, now=record.now).access_key_id == record.access_key_id


@pytest.mark.parametrize("record", params(UNKNOWN))
def test_unknown_is_refused(record: Record) -> None:
    """What only another canonicalisation reproduces, or none, is refused under every knob."""
    for knobs in (
        {},
        {
            "profile": replace(
                S3 if record.service == "s3" else GENERIC, payload_header_required=False
            )
        },
    ):
        with pytest.raises(SigV4Error):
            verify(record.verifier(**knobs), record.message, now=record.now)


@pytest.mark.parametrize(
    "record", params([record for record in UNKNOWN if record.id in UNKNOWN_ADMITTED])
)
def test_unknown_admitted_by_its_knob(record: Record) -> None:
    """A session token that was appended after signing is a knob's matter, in the query too."""
    verifier = record.verifier(**UNKNOWN_ADMITTED[record.id])
    assert verify(verifier, record.message, now=record.now).access_key_id == record.access_key_id


def lenient(record: Record) -> Verifier:
    """Return a verifier that takes any region and service, so that their change is signed for."""
    profile = S3 if is_s3(record) else GENERIC
    keys = {
        key_id: Credentials(secret, session_token=record.session_token)
        for key_id, secret in {
            "AKIAIOSFODNN7EXAMPLF": "another secret",
            record.access_key_id: record.secret_access_key,
        }.items()
    }
    return Verifier(keys, region=None, service=None, profile=profile)


def survivors(verifier: Verifier, changes: list[Change], *, now: float) -> list[str]:
    """Return the names of the *changes* that *verifier* accepts."""
    accepted = []
    for label, changed in changes:
        try:
            verify(verifier, changed, now=now)
        except SigV4Error:
            continue
        accepted.append(label)
    return accepted


@pytest.mark.parametrize("record", params(ACCEPTED))
def test_refused_after_one_change(record: Record) -> None:
    """T1, T23, T28, T29: any one change that alters what was signed is refused."""
    changes = list(hostile_changes(record))
    assert len(changes) > 60
    assert survivors(record.verifier(), changes, now=record.now) == []


@pytest.mark.parametrize("record", params(STREAMING))
def test_upload_refused_after_one_change(record: Record) -> None:
    """T3, T9-T11, T13, T14: any one change to chunks, trailers or what declares them is refused."""
    changes = list(hostile_to_uploads(record.message))
    assert len(changes) > 25
    assert survivors(record.verifier(), changes, now=record.now) == []


@pytest.mark.parametrize("record", params(ACCEPTED))
def test_refused_as_somebody_else(record: Record) -> None:
    """T7, T35: key id and scope are signed for, where any region and service are accepted too."""
    verifier = lenient(record)
    verify(verifier, record.message, now=record.now)
    changes = list(changes_of_who_signed(record))
    assert len(changes) > 10
    assert survivors(verifier, changes, now=record.now) == []


@pytest.mark.parametrize("record", params(ACCEPTED))
def test_accepted_after_a_change_that_means_nothing(record: Record) -> None:
    """A change that AWS does not see either leaves a request accepted."""
    changes = list(harmless_changes(record))
    labels = [label for label, _ in changes]
    assert len(changes) > 10
    assert survivors(record.verifier(), changes, now=record.now) == labels
