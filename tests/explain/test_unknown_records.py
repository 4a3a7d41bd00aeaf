"""The corpus: what only another canonicalisation reproduces is explained by its client's fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.core.records import Record
from tests.core.records import records
from tests.explain.clients import request_of
from wsgi_sigv4.explain import Finding
from wsgi_sigv4.explain import explain
from wsgi_sigv4.profiles import S3

#: By the number of the record: the cause, as why_unknown of the corpus says it.
CAUSE_OF: Mapping[str, str] = {
    # urllib3 upper-cases the percent escapes after botocore signed the lower-case ones.
    "0213": "path-escapes-case",
    "0233": "query-escapes-case",
    # botocore canonicalises the empty query items as well.
    "0228": "query-empty-items",
    # urllib3 percent-encodes [ ] after botocore signed them raw.
    "0229": "query-encoding",
    # botocore signs the query, and the path for S3, of a raw URL verbatim.
    **dict.fromkeys(("0220", "0222", "0223", "0230", "0231", "0251"), "query-verbatim"),
    **dict.fromkeys(("0972", "0975", "0976", "0977", "0988"), "query-verbatim"),
    **dict.fromkeys(("0960", "0962", "0964", "0966"), "path-verbatim"),
    # aws-c-auth with single encoding signs the S3 path as it is on the wire.
    "0285": "path-verbatim",
    # requests-aws4auth normalises the path for S3 too.
    "0324": "path-normalization",
    # aws4 reads + in an S3 path as a space, and signs only one value of a repeated key there.
    "0762": "path-plus",
    **dict.fromkeys(("0778", "0780", "0806"), "query-repeated"),
    # aws4 special-cases CodeCommit: no date at all.
    "0827": "no-date",
    # curl 7.88 signs path and query verbatim: it does not normalise ...
    **dict.fromkeys(("0996", "1027"), "path-normalization"),
    # ... nor encode again: where escapes are all there is, that is to encode once ...
    **dict.fromkeys(("0998", "1000"), "path-encoding"),
    **dict.fromkeys(("1002", "1004", "1006", "1010"), "path-verbatim"),
    **dict.fromkeys(("1020", "1022", "1023", "1024"), "query-verbatim"),
    # ... nor sort, and it signs a flag without =.
    **dict.fromkeys(("1014", "1016"), "query-unsorted"),
    "1017": "query-flag",
    # curl 7.88 sends no x-amz-content-sha256 to S3: what else is wrong comes after that.
    **dict.fromkeys(("1003", "1005", "1007", "1011", "1031", "1032"), "payload-hash-not-sent"),
    # curl 7.88 lists a repeated header twice, and an empty one with two semicolons.
    "1040": "signed-headers-list",
    # curl 7.88 signs the hash of an empty body for -F.
    "1042": "body-empty",
    # omit_session_token: the token was appended after signing.
    "2051": "token-unsigned",
}

#: Where S3 does without x-amz-content-sha256, the next fault of curl 7.88 shows.
CAUSE_WITHOUT_HEADER: Mapping[str, str] = {
    **dict.fromkeys(("1003", "1005", "1007", "1011"), "path-verbatim"),
    # -T signs the hash of an empty body.
    **dict.fromkeys(("1031", "1032"), "body-empty"),
}

#: What was signed is not in the request any more, and nothing tells what it was.
LOST = {
    "0144": "the dot segments that python-requests took out of the path (dots/../up/./x)",
    "0207": "what stood behind the ; that urllib cut off the path",
    "0246": "the first of two equal headers, which http.client did not send",
}

UNKNOWN = [record for record in records() if record.expected == "unknown"]


def finding_of(record: Record, **knobs: Any) -> Finding:
    """Return the finding on *record* at the time it was signed."""
    explanation = explain(
        request_of(record.message),
        record.verifier(**knobs),
        body=record.message.body,
        now=record.now,
    )
    assert not explanation.accepted
    assert explanation.finding is not None
    return explanation.finding


def params(ids: Mapping[str, str]) -> list[Any]:
    """Return the records *ids* for parametrize."""
    return [pytest.param(r, id=f"{r.id} {r.title}") for r in UNKNOWN if r.id in ids]


def test_table_is_whole() -> None:
    """Each of the 53 records stands in one table."""
    assert {record.id for record in UNKNOWN} == set(CAUSE_OF) | set(LOST)
    assert len(UNKNOWN) == 53
    assert not set(CAUSE_OF) & set(LOST)


@pytest.mark.parametrize("record", params(CAUSE_OF))
def test_client_is_at_fault(record: Record) -> None:
    """The finding is the fault of the client that the corpus names, and its own to mend."""
    finding = finding_of(record)
    assert finding.causes == (CAUSE_OF[record.id],)
    assert finding.party == "client"


@pytest.mark.parametrize("record", params(CAUSE_WITHOUT_HEADER))
def test_next_fault_of_curl(record: Record) -> None:
    """A profile that wants no payload hash shows what else curl signs wrongly for S3."""
    finding = finding_of(record, profile=replace(S3, payload_header_required=False))
    assert finding.causes == (CAUSE_WITHOUT_HEADER[record.id],)
    assert "curl" in finding.remedy


@pytest.mark.parametrize("record", params(LOST))
def test_what_is_lost_is_not_guessed(record: Record) -> None:
    """Where what was signed is gone, no cause is made up, and the summary says so."""
    finding = finding_of(record)
    assert finding.causes == ()
    assert "what was signed is lost" in finding.summary


@pytest.mark.parametrize(
    ("record_id", "words"),
    [("1014", "curl"), ("1031", "payload_header_required"), ("1042", "--data-binary")],
)
def test_remedy_for_curl(record_id: str, words: str) -> None:
    """The remedy for a fault of curl 7.88 names what to do with curl."""
    (record,) = (record for record in UNKNOWN if record.id == record_id)
    remedy = finding_of(record).remedy
    assert words in remedy
    assert "curl" in remedy
