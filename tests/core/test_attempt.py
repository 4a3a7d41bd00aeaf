"""Rules 3-8: what a request claims, as far as it alone can tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import TIMESTAMP
from tests.core.signing import Signer
from tests.core.signing import sha256
from wsgi_sigv4 import errors
from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.messages import strings_to_sign
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

HASH = sha256(b"")
STREAMING = (
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
)


def prepare(request: Message | Request, *, now: float = NOW, **parameters: Any) -> Attempt:
    """Return what *request* claims to a verifier with *parameters* that knows no key."""
    parameters = {"region": "us-east-1", "service": "items"} | parameters
    if isinstance(request, Message):
        request = request.request()
    attempt = Verifier({}, **parameters).prepare(request, now=now)
    assert attempt is not None
    return attempt


def refusal(request: Message | Request, *, now: float = NOW, **parameters: Any) -> SigV4Error:
    """Return why *request* is refused before anybody looks for its key."""
    with pytest.raises(SigV4Error) as refused:
        prepare(request, now=now, **parameters)
    return refused.value


def with_headers(**headers: str) -> Message:
    """Return a request with *headers*, whose underscores are hyphens."""
    return Message.of(headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_attempt() -> None:
    """An attempt holds what the request claims, read once."""
    message = GENERIC_SIGNER.sign(Message.of(target="/a%2Fb?q=%31"))
    attempt = prepare(message)
    assert attempt.request == message.request()
    assert attempt.query == ((b"q", b"1"),)
    assert attempt.access_key_id == ACCESS_KEY_ID
    assert attempt.scope == CredentialScope(date="20261121", region="us-east-1", service="items")
    assert (attempt.timestamp.iso, attempt.timestamp.posix) == (TIMESTAMP, NOW)
    assert attempt.lifetime is None
    assert attempt.profile is GENERIC
    assert (attempt.payload.form, attempt.payload.value) == (PayloadForm.ABSENT, "")
    assert attempt.empty_body_only is False
    assert attempt.session_token is None
    assert attempt.path == b"/a/b"


def test_profile_is_that_of_the_service() -> None:
    """T45: a request is judged by the profile that its service was given."""
    parameters: dict[str, Any] = {"service": None, "profile": {"items": GENERIC, "s3": S3}}
    s3 = S3_SIGNER.sign(with_headers(X_Amz_Content_SHA256=HASH))
    assert prepare(s3, **parameters).profile is S3
    assert prepare(GENERIC_SIGNER.sign(Message.of()), **parameters).profile is GENERIC


# Rule 3


def test_host_not_signed() -> None:
    """Rule 3: a request whose Host is not signed would be good for any host."""
    signer = replace(GENERIC_SIGNER, signed_headers=("x-amz-date",))
    assert type(refusal(signer.sign(Message.of()))).__name__ == "HostNotSigned"
    presigner = replace(GENERIC_SIGNER, signed_headers=("x-a",))
    refused = refusal(presigner.presign(with_headers(X_A="1")))
    assert type(refused).__name__ == "HostNotSigned"
    assert refused.presigned is True
    assert (refused.access_key_id, refused.service) == (ACCESS_KEY_ID, "items")


# Rule 4


@pytest.mark.parametrize(
    "date",
    [
        "Sat, 21 Nov 2026 21:30:00 GMT",
        "Saturday, 21-Nov-26 21:30:00 GMT",
        "Sat Nov 21 21:30:00 2026",
        "20261121T213000Z",
    ],
)
def test_date_alone(date: str) -> None:
    """Rule 4: without X-Amz-Date the time is that of Date, in any of its forms."""
    attempt = prepare(GENERIC_SIGNER.authorize(with_headers(Date=date)))
    assert (attempt.timestamp.iso, attempt.timestamp.posix) == (TIMESTAMP, NOW)


@pytest.mark.parametrize("presigned", [False, True])
def test_missing_date(presigned: bool) -> None:
    """T16: a request without a date is refused; there is no time that it is always good at."""
    message = GENERIC_SIGNER.authorize(Message.of())
    error, names = "MissingDate", None
    if presigned:
        message = GENERIC_SIGNER.presign(Message.of()).edited(f"X-Amz-Date={TIMESTAMP}&", "")
        error, names = "MissingParameters", ("X-Amz-Date",)
    refused = refusal(message)
    assert type(refused).__name__ == error
    assert getattr(refused, "names", None) == names


@pytest.mark.parametrize(
    ("headers", "date"),
    [
        ({"X-Amz-Date": "Sat, 21 Nov 2026 21:30:00 GMT"}, "Sat, 21 Nov 2026 21:30:00 GMT"),
        ({"X-Amz-Date": "", "Date": TIMESTAMP}, ""),
        ({"X-Amz-Date": "x" * 70, "Date": TIMESTAMP}, "x" * 64),
        ({"X-Amz-Date": "\u0662", "Date": TIMESTAMP}, "\\xd9\\xa2"),
        ({"X-Amz-Date": f"{TIMESTAMP},{TIMESTAMP}"}, f"{TIMESTAMP},{TIMESTAMP}"),
        ({"Date": "yesterday"}, "yesterday"),
        ({"Date": ""}, ""),
    ],
)
def test_malformed_date(headers: dict[str, str], date: str) -> None:
    """T15: an X-Amz-Date that cannot be read is refused, whatever Date says."""
    refused = refusal(GENERIC_SIGNER.authorize(Message.of(headers=headers)))
    assert isinstance(refused, errors.MalformedDate)
    assert refused.date == date


@pytest.mark.parametrize(
    "date", ["", "2026", "20261121T213000z", "Sat, 21 Nov 2026 21:30:00 GMT", "\xff" * 16]
)
def test_malformed_date_of_a_presigned_url(date: str) -> None:
    """T15: the date of a presigned URL is in the ISO basic form only."""
    message = replace(GENERIC_SIGNER, timestamp=date).presign(Message.of())
    error = errors.MalformedDate if date else errors.MissingParameters
    assert isinstance(refusal(message), error)


def test_one_date_is_used() -> None:
    """T15: X-Amz-Date is the time for skew, scope and signature; a Date beside it is none."""
    stale = with_headers(Date="Mon, 01 Jan 2001 00:00:00 GMT")
    assert prepare(GENERIC_SIGNER.sign(stale)).timestamp.iso == TIMESTAMP
    old = replace(GENERIC_SIGNER, timestamp="20010101T000000Z", date="20010101")
    fresh = with_headers(Date="Sat, 21 Nov 2026 21:30:00 GMT")
    assert isinstance(refusal(old.sign(fresh)), errors.RequestTimeTooSkewed)
    # A presigned URL has its date in the query, and no header counts.
    presigned = GENERIC_SIGNER.presign(stale)
    assert prepare(presigned).timestamp.iso == TIMESTAMP
    assert isinstance(refusal(old.presign(fresh)), errors.RequestExpired)


# Rule 5


@pytest.mark.parametrize(("service", "skew"), [("items", 300), ("s3", 900)])
@pytest.mark.parametrize("side", [-1, 1])
def test_skew(service: str, skew: int, side: int) -> None:
    """T6: the header form holds within the profile's window, on both sides, to the second."""
    signer = replace(GENERIC_SIGNER, service=service)
    message = signer.sign(with_headers(X_Amz_Content_SHA256=HASH))
    prepare(message, service=service, now=NOW + side * skew)
    refused = refusal(message, service=service, now=NOW + side * (skew + 1))
    assert isinstance(refused, errors.RequestTimeTooSkewed)
    assert refused.request_time == NOW
    assert refused.server_time == NOW + side * (skew + 1)
    assert refused.max_skew == skew


def test_skew_of_the_verifier() -> None:
    """The verifier's own window takes the place of the profile's, in both forms."""
    message = GENERIC_SIGNER.sign(Message.of())
    prepare(message, max_skew=1000, now=NOW + 1000)
    assert isinstance(refusal(message, max_skew=10, now=NOW + 11), errors.RequestTimeTooSkewed)
    ahead = refusal(GENERIC_SIGNER.presign(Message.of()), max_skew=10, now=NOW - 11)
    assert isinstance(ahead, errors.RequestNotYetValid)


@pytest.mark.parametrize("expires", ["1", "60", "604800", "000060"])
def test_expires(expires: str) -> None:
    """T21: a presigned URL lives so many seconds, from one to seven days."""
    seconds = int(expires)
    message = replace(GENERIC_SIGNER, expires=expires).presign(Message.of())
    assert prepare(message, now=NOW).lifetime == seconds
    prepare(message, now=NOW + seconds - 1)
    refused = refusal(message, now=NOW + seconds)
    assert isinstance(refused, errors.RequestExpired)
    assert (refused.expires, refused.expired_at) == (seconds, NOW + seconds)
    assert (refused.request_time, refused.server_time) == (NOW, NOW + seconds)
    # Dead at its end, even inside the skew window.
    assert isinstance(refusal(message, now=NOW + seconds + 1), errors.RequestExpired)


@pytest.mark.parametrize(
    "expires",
    [
        "0",
        "-1",
        "604801",
        "999999",
        "1000000",
        "1e3",
        " 60",
        "60 ",
        "60.0",
        "+60",
        "6_0",
        "0x3c",
        "٦٠",
        "x" * 70,
        "",
    ],
)
def test_invalid_expires(expires: str) -> None:
    """T21: X-Amz-Expires is ASCII digits from 1 to 604800, and nothing that int() takes besides."""
    for signer, service in ((GENERIC_SIGNER, "items"), (S3_PRESIGNER, "s3")):
        message = replace(signer, expires=expires).presign(Message.of())
        refused = refusal(message, service=service)
        assert isinstance(refused, errors.InvalidExpires)
        assert refused.expires == expires.encode().decode("ascii", "backslashreplace")[:64]


def test_expires_left_out() -> None:
    """T21: without X-Amz-Expires a URL lives as long as the skew; S3's is refused."""
    message = replace(GENERIC_SIGNER, expires=None).presign(Message.of())
    assert prepare(message).lifetime == 300
    assert prepare(message, max_skew=20).lifetime == 20
    assert isinstance(refusal(message, now=NOW + 300), errors.RequestExpired)
    refused = refusal(replace(S3_PRESIGNER, expires=None).presign(Message.of()), service="s3")
    assert isinstance(refused, errors.MissingParameters)
    assert refused.names == ("X-Amz-Expires",)


def test_presigned_in_the_future() -> None:
    """T21: a URL dated further ahead than the skew is not valid yet."""
    message = replace(S3_PRESIGNER, expires="604800").presign(Message.of())
    prepare(message, service="s3", now=NOW - 900)
    refused = refusal(message, service="s3", now=NOW - 901)
    assert isinstance(refused, errors.RequestNotYetValid)
    assert (refused.request_time, refused.server_time) == (NOW, NOW - 901)
    assert refused.max_skew == 900


# Rule 6


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"date": "20261120"}, ("date",)),
        ({"region": "eu-west-1"}, ("region",)),
        ({"service": "s3"}, ("service",)),
        ({"terminator": "aws4_reques"}, ("terminator",)),
        ({"terminator": "AWS4_REQUEST"}, ("terminator",)),
        (
            {"date": "20261120", "region": "x", "service": "y", "terminator": "z"},
            ("terminator", "region", "service", "date"),
        ),
    ],
)
def test_scope(change: dict[str, Any], faults: tuple[str, ...]) -> None:
    """T7, T35: a scope of another date, region, service or terminator is refused, well signed."""
    signer = replace(GENERIC_SIGNER, **change)
    for message in (signer.sign(Message.of()), signer.presign(Message.of())):
        refused = refusal(message)
        assert isinstance(refused, errors.ScopeMismatch)
        assert refused.faults == faults
        assert (refused.date, refused.region) == (signer.date, signer.region)
        assert (refused.service_sent, refused.terminator) == (signer.service, signer.terminator)
        assert refused.expected_regions == ("us-east-1",)
        assert refused.expected_services == ("items",)
        assert (refused.request_date, refused.request_timestamp) == ("20261121", TIMESTAMP)
        assert refused.service == signer.service


def test_any_region_and_service() -> None:
    """T35: only an operator that says None takes any region, or any service."""
    signer = replace(GENERIC_SIGNER, region="mars-1", service="anything")
    message = signer.sign(Message.of())
    prepare(message, region=None, service=None, profile=GENERIC)
    refused = refusal(message, region=None)
    assert isinstance(refused, errors.ScopeMismatch)
    assert (refused.faults, refused.expected_regions) == (("service",), ())
    refused = refusal(message, service=None, profile=GENERIC)
    assert isinstance(refused, errors.ScopeMismatch)
    assert (refused.faults, refused.expected_services) == (("region",), ())
    several: dict[str, Any] = {"region": ["us-east-1", "mars-1"], "service": ["items", "anything"]}
    prepare(message, **several)


# Rule 7


@pytest.mark.parametrize("presigned", [False, True])
def test_listed_header_is_absent(presigned: bool) -> None:
    """T34: a header that is listed but was not sent is refused, not taken for an empty one."""
    listed = ("host", "x-a", "x-amz-date", "x-z")
    signer = replace(GENERIC_SIGNER, signed_headers=listed)
    message = with_headers(X_A="1", X_Amz_Date=TIMESTAMP)
    refused = refusal(signer.presign(message) if presigned else signer.sign(message))
    assert isinstance(refused, errors.SignedHeaderMissing)
    assert refused.name == "x-z"


def test_listed_header_is_empty() -> None:
    """T34: a header that was sent empty is there."""
    prepare(GENERIC_SIGNER.sign(with_headers(X_A="")))


@pytest.mark.parametrize(
    "name",
    [
        "x-amz-acl",
        "X-AMZ-COPY-SOURCE",
        "x-amz-",
        "x-amz-tagging",
        "X-Amz-Decoded-Content-Length",
        "X-Amz-Trailer",
        "x-amz-sdk-checksum-algorithm",
        "X-Amz-Security-Token",
        "x-amz-meta-\xe9",
        "x_amz_acl",
        "X_Amz-Acl",
        "x-amz_acl",
        "x_amz_content_sha256",
    ],
)
@pytest.mark.parametrize("value", ["public-read", ""])
@pytest.mark.parametrize(
    "sign",
    [GENERIC_SIGNER.sign, GENERIC_SIGNER.presign, S3_PRESIGNER.presign],
    ids=["header", "presigned", "presigned for S3"],
)
def test_unlisted_x_amz_header(name: str, value: str, sign: Any) -> None:
    """T1: an x-amz-* header that is not listed is refused, in any spelling, if empty too."""
    message = sign(Message.of()).with_extra_header(name, value)
    refused = refusal(message, service=["items", "s3"], profile={"items": GENERIC, "s3": S3})
    assert isinstance(refused, errors.HeadersNotSigned)
    assert refused.names == (name.lower().encode().decode("ascii", "backslashreplace"),)


def test_unlisted_headers_are_named() -> None:
    """T1: all that are unlisted are named, sorted."""
    message = GENERIC_SIGNER.sign(Message.of())
    for name in ("X-Amz-B", "X-Amz-A", "x-amz-b"):
        message = message.with_extra_header(name, "1")
    refused = refusal(message)
    assert isinstance(refused, errors.HeadersNotSigned)
    assert refused.names == ("x-amz-a", "x-amz-b")


@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Meta-A"])
def test_x_amz_header_signed_before(name: str) -> None:
    """T1: one that was sent at signing but left out of the list is refused as well."""
    signer = replace(GENERIC_SIGNER, signed_headers=("host",))
    refused = refusal(signer.sign(Message.of(headers={name: TIMESTAMP})))
    assert isinstance(refused, errors.HeadersNotSigned)
    assert name.lower() in refused.names


@pytest.mark.parametrize(
    "name",
    ["x-amzn-trace-id", "X-Forwarded-For", "Content-Type", "amz-sdk-request", "Cookie", "xx-amz-a"],
)
def test_other_header_may_be_unlisted(name: str) -> None:
    """T1, T2: every other header may be unsigned, Content-Type among them."""
    prepare(GENERIC_SIGNER.sign(Message.of()).with_extra_header(name, "x"))


def test_content_sha256_may_be_unlisted() -> None:
    """T1, T2: x-amz-content-sha256 need not be listed; its value is signed in any case."""
    for message in (
        GENERIC_SIGNER.sign(Message.of()),
        GENERIC_SIGNER.presign(Message.of()),
    ):
        prepare(message.with_extra_header("X-Amz-Content-Sha256", HASH))


def test_header_of_an_edge_may_be_unlisted() -> None:
    """T1: a name in the operator's list need not be signed; one that is like it must."""
    message = GENERIC_SIGNER.sign(Message.of()).with_extra_header("X-Amz-Cf-Id", "x")
    prepare(message, allow_unsigned_headers=["x-amz-cf-id"])
    assert isinstance(
        refusal(message, allow_unsigned_headers=["x-amz-cf"]), errors.HeadersNotSigned
    )


def test_required_header() -> None:
    """T2: a header that the operator requires must be listed where it is present."""
    parameters: dict[str, Any] = {"require_signed": ["Content-Type", "X-Absent"]}
    plain = GENERIC_SIGNER.sign(Message.of())
    prepare(plain, **parameters)
    prepare(GENERIC_SIGNER.sign(with_headers(Content_Type="text/plain")), **parameters)
    for signed in (plain, GENERIC_SIGNER.presign(Message.of())):
        refused = refusal(signed.with_extra_header("content-type", ""), **parameters)
        assert isinstance(refused, errors.HeadersNotSigned)
        assert refused.names == ("content-type",)


def test_doubtful_header() -> None:
    """A header that the server may have made up need not be signed, but x-amz-* ones must."""
    message = GENERIC_SIGNER.sign(Message.of()).with_extra_header("Content-Type", "text/plain")
    made_up = replace(message.request(), doubtful_headers=frozenset({"content-type", "x-amz-acl"}))
    prepare(made_up, require_signed=["content-type"])
    added = replace(made_up, headers=(*made_up.headers, (b"X-Amz-Acl", b"x")))
    assert isinstance(refusal(added), errors.HeadersNotSigned)


@pytest.mark.parametrize("hosts", [("", ""), ("a.example", "b.example"), ("a.example,b.example",)])
def test_host_that_is_none(hosts: tuple[str, ...]) -> None:
    """A Host that is empty, or stands twice, is refused: which one would be meant?"""
    message = Message.of().without_header("host")
    for host in hosts:
        message = message.with_extra_header("Host", host)
    signer = replace(GENERIC_SIGNER, signed_headers=("host", "x-amz-date"))
    message = message.with_extra_header("X-Amz-Date", TIMESTAMP).with_extra_header(
        "Authorization", signer.sign(Message.of()).header("authorization") or b""
    )
    refused = refusal(message)
    assert isinstance(refused, errors.MalformedRequest)
    assert refused.fault == "the Host header is empty or stands twice"


def test_host_that_is_empty() -> None:
    """An empty Host is none."""
    refused = refusal(GENERIC_SIGNER.sign(with_headers(Host="")))
    assert isinstance(refused, errors.MalformedRequest)
    assert refused.fault == "the Host header is empty or stands twice"


def test_host_that_is_not_accepted() -> None:
    """T46: a request to another host is refused, though well signed."""
    message = GENERIC_SIGNER.sign(with_headers(Host="evil.example" + "x" * 300))
    refused = refusal(message, hosts=["api.example.com"])
    assert isinstance(refused, errors.HostNotAccepted)
    assert refused.host == "evil.example" + "x" * 244
    prepare(GENERIC_SIGNER.sign(Message.of()), hosts=["api.example.com"])
    odd = refusal(GENERIC_SIGNER.sign(with_headers(Host="\xe9")), hosts=["api.example.com"])
    assert isinstance(odd, errors.HostNotAccepted)
    assert odd.host == "\\xc3\\xa9"


# Rule 8


def payload_of(attempt: Attempt) -> tuple[PayloadForm, str, bool]:
    """Return form and value of what *attempt* says of its body, and whether it must be empty."""
    return attempt.payload.form, attempt.payload.value, attempt.empty_body_only


def test_payload_of_the_header_form() -> None:
    """Rule 8: S3 wants x-amz-content-sha256; elsewhere the body's hash is computed."""
    absent = Message.of()
    assert payload_of(prepare(GENERIC_SIGNER.sign(absent))) == (PayloadForm.ABSENT, "", False)
    refused = refusal(S3_SIGNER.sign(absent), service="s3")
    assert type(refused).__name__ == "MissingPayloadHash"
    lenient = replace(S3, payload_header_required=False)
    attempt = prepare(S3_SIGNER.sign(absent), service="s3", profile=lenient)
    assert payload_of(attempt) == (PayloadForm.ABSENT, "", False)
    hashed = with_headers(X_Amz_Content_SHA256=HASH.upper())
    for signer in (GENERIC_SIGNER, S3_SIGNER):
        attempt = prepare(signer.sign(hashed), service=signer.service)
        assert payload_of(attempt) == (PayloadForm.SHA256, HASH.upper(), False)


def test_unsigned_payload_of_the_header_form() -> None:
    """Rule 8: UNSIGNED-PAYLOAD is S3's, and elsewhere the operator's choice."""
    unsigned = with_headers(X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")
    refused = refusal(GENERIC_SIGNER.sign(unsigned))
    assert isinstance(refused, errors.PayloadFormNotAllowed)
    assert refused.value == "UNSIGNED-PAYLOAD"
    expected = (PayloadForm.UNSIGNED, "UNSIGNED-PAYLOAD", False)
    assert (
        payload_of(prepare(GENERIC_SIGNER.sign(unsigned), allow_unsigned_payload=True)) == expected
    )
    assert payload_of(prepare(S3_SIGNER.sign(unsigned), service="s3")) == expected
    refused = refusal(S3_SIGNER.sign(unsigned), service="s3", allow_unsigned_payload=False)
    assert isinstance(refused, errors.PayloadFormNotAllowed)


def test_payload_of_the_presigned_form() -> None:
    """Rule 8: S3's presigned URLs sign UNSIGNED-PAYLOAD, others the hash of the body."""
    plain = Message.of()
    assert payload_of(prepare(GENERIC_SIGNER.presign(plain))) == (PayloadForm.ABSENT, "", False)
    unsigned = (PayloadForm.UNSIGNED, "UNSIGNED-PAYLOAD")
    presigned = S3_PRESIGNER.presign(plain)
    assert payload_of(prepare(presigned, service="s3")) == (*unsigned, False)
    strict = prepare(presigned, service="s3", allow_unsigned_payload=False)
    assert payload_of(strict) == (*unsigned, True)


@pytest.mark.parametrize("in_query", [False, True])
def test_presigned_payload_that_is_named(in_query: bool) -> None:
    """T8: a presigned request may name its payload, in the query or in a header."""

    def name(value: str, signer: Signer) -> Message:
        if in_query:
            return signer.presign(Message.of(target=f"/?X-Amz-Content-Sha256={value}"))
        return signer.presign(Message.of()).with_extra_header("X-Amz-Content-Sha256", value)

    for signer in (GENERIC_SIGNER, S3_PRESIGNER):
        attempt = prepare(name(HASH, signer), service=signer.service)
        assert payload_of(attempt) == (PayloadForm.SHA256, HASH, False)
        for value in STREAMING:
            refused = refusal(
                name(value, signer), service=signer.service, allow_unsigned_payload=True
            )
            assert isinstance(refused, errors.PayloadFormNotAllowed)
            assert refused.value == value
    unsigned = prepare(name("UNSIGNED-PAYLOAD", S3_PRESIGNER), service="s3")
    assert payload_of(unsigned) == (PayloadForm.UNSIGNED, "UNSIGNED-PAYLOAD", False)
    refused = refusal(name("UNSIGNED-PAYLOAD", GENERIC_SIGNER))
    assert isinstance(refused, errors.PayloadFormNotAllowed)


@pytest.mark.parametrize("value", STREAMING)
@pytest.mark.parametrize("signer", [GENERIC_SIGNER, S3_SIGNER])
def test_streaming_payload_of_no_upload(value: str, signer: Signer) -> None:
    """Rule 8: only PUT and POST have bodies that are aws-chunked."""
    message = signer.sign(with_headers(X_Amz_Content_SHA256=value))
    refused = refusal(message, service=signer.service, allow_unsigned_payload=True)
    assert isinstance(refused, errors.PayloadFormNotAllowed)
    assert refused.value == value


@pytest.mark.parametrize("value", [value for value in STREAMING if "ECDSA" in value])
@pytest.mark.parametrize("signer", [GENERIC_SIGNER, S3_SIGNER])
def test_streaming_payload_of_sigv4a(value: str, signer: Signer) -> None:
    """Rule 8: chunks that SigV4A signs are known, and not implemented."""
    message = Message.of("PUT", headers={"X-Amz-Content-SHA256": value})
    message = signer.sign(message)
    refused = refusal(message, service=signer.service, allow_unsigned_payload=True)
    assert isinstance(refused, errors.PayloadFormNotImplemented)
    assert refused.value == value


def streamed(value: str, trailers: str | None = None, length: str = "5") -> Message:
    """Return an upload that frames its body as aws-chunked."""
    headers = {"X-Amz-Content-Sha256": value, "X-Amz-Decoded-Content-Length": length}
    if trailers is not None:
        headers["X-Amz-Trailer"] = trailers
    return Message.of("PUT", headers=headers)


def test_unsigned_streaming_payload() -> None:
    """T3: a stream that no signature binds needs the same knob as UNSIGNED-PAYLOAD."""
    value = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    message = GENERIC_SIGNER.sign(streamed(value, "x-amz-checksum-crc32"))
    refused = refusal(message)
    assert isinstance(refused, errors.PayloadFormNotAllowed)
    assert refused.value == value
    attempt = prepare(message, allow_unsigned_payload=True)
    assert payload_of(attempt) == (PayloadForm.STREAMING_UNSIGNED_TRAILER, value, False)
    for_s3 = S3_SIGNER.sign(streamed(value, "x-amz-checksum-crc32"))
    prepare(for_s3, service="s3")
    strict = refusal(for_s3, service="s3", allow_unsigned_payload=False)
    assert isinstance(strict, errors.PayloadFormNotAllowed)


def test_signed_streaming_payload() -> None:
    """A stream that is signed chunk by chunk needs no knob."""
    for value, trailers in (
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", None),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-checksum-crc32"),
    ):
        attempt = prepare(GENERIC_SIGNER.sign(streamed(value, trailers)))
        assert payload_of(attempt) == (PayloadForm(value), value, False)
        assert attempt.stream is not None
        assert attempt.stream.decoded_length == 5


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        ("", ""),
        ("+5", "+5"),
        ("5_0", "5_0"),
        ("-1", "-1"),
        ("9" * 70, "9" * 64),
        ("٥", "\\xd9\\xa5"),
    ],
)
def test_decoded_length_that_is_none(length: str, shown: str) -> None:
    """T13: a decoded length that is no plain number is refused, and told."""
    message = GENERIC_SIGNER.sign(streamed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", length=length))
    refused = refusal(message)
    assert isinstance(refused, errors.InvalidContentLength)
    assert refused.value == shown


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ("x-a", ("x-a",)),
        ("X-A\t, x-b ,", ("x-a", "x-b")),
        (",".join(f"x-{n}" for n in range(16)), tuple(f"x-{n}" for n in range(16))),
        (",".join(f"x-{n}" for n in range(17)), None),
        ("x-a,x-A", None),
        ("", None),
        (",", None),
        ("x-a,,x-b", None),
        ("x-a\x0b", None),
        ("x_a", None),
        ("x-é", None),
    ],
)
def test_declared_trailers(declared: str, names: tuple[str, ...] | None) -> None:
    """T12, T14: up to 16 names of trailers are declared, each once; a comma may end the list."""
    form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    message = GENERIC_SIGNER.sign(streamed(form, declared))
    if names is None:
        assert isinstance(refusal(message), errors.MalformedTrailer)
        return
    attempt = prepare(message)
    assert attempt.stream is not None
    assert attempt.stream.trailers == names


@pytest.mark.parametrize("value", ["", "x", "STREAMING-AWS9-HMAC-SHA999-PAYLOAD", "\xff" * 64])
def test_unknown_payload(value: str) -> None:
    """T5: an unknown payload form is refused in each form of authorization."""
    hashed = with_headers(X_Amz_Content_SHA256=value)
    for message in (S3_SIGNER.sign(hashed), S3_PRESIGNER.presign(hashed)):
        assert isinstance(refusal(message, service="s3"), errors.InvalidPayloadHash)


@pytest.mark.parametrize("presigned", [False, True])
def test_payload_in_query_and_header(presigned: bool) -> None:
    """Rule 8: header and query may both name the payload, if they name the same."""
    message = Message.of(
        target=f"/?X-Amz-Content-Sha256={HASH}", headers={"X-Amz-Content-Sha256": HASH}
    )
    sign = S3_PRESIGNER.presign if presigned else S3_SIGNER.sign
    prepare(sign(message), service="s3")
    refused = refusal(
        sign(message.with_header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")), service="s3"
    )
    assert isinstance(refused, errors.ConflictingValues)
    assert refused.name == "x-amz-content-sha256"


def test_payload_in_the_query_of_the_header_form() -> None:
    """Rule 8: the header form may name its payload in the query too."""
    message = S3_SIGNER.sign(Message.of(target="/?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"))
    assert prepare(message, service="s3").payload.form is PayloadForm.UNSIGNED


# The session token


def test_session_token() -> None:
    """The token is taken from the header or the query, by either of its names."""
    signer = replace(GENERIC_SIGNER, session_token="to/k+en=")
    assert prepare(signer.sign(Message.of())).session_token == "to/k+en="
    assert prepare(signer.presign(Message.of())).session_token == "to/k+en="
    express = GENERIC_SIGNER.sign(with_headers(X_Amz_S3session_Token="t"))
    assert prepare(express).session_token == "t"
    both = GENERIC_SIGNER.sign(
        Message.of(target="/?X-Amz-Security-Token=t", headers={"X-Amz-Security-Token": "t"})
    )
    assert prepare(both).session_token == "t"


def test_session_tokens_that_disagree() -> None:
    """T20: a token in the header and another one in the query are refused."""
    target = "/?X-Amz-Security-Token=t"
    for headers in (
        {"X-Amz-Security-Token": "u"},
        {"X-Amz-S3session-Token": "u"},
        {"X-Amz-Security-Token": "t", "X-Amz-S3session-Token": "u"},
        {"X-Amz-Security-Token": ""},
    ):
        message = GENERIC_SIGNER.sign(Message.of(target=target, headers=headers))
        refused = refusal(message)
        assert isinstance(refused, errors.ConflictingValues)
        assert refused.name == "x-amz-security-token"


def test_session_token_beyond_ascii() -> None:
    """T20: a token that no issuer can have made is refused."""
    for target in ("/?X-Amz-Security-Token=%ff", "/?X-Amz-Security-Token=%C3%A9"):
        refused = refusal(GENERIC_SIGNER.sign(Message.of(target=target)))
        assert isinstance(refused, errors.InvalidSessionToken)
        assert refused.absent is False
        assert refused.__cause__ is None
        assert refused.__suppress_context__ is True


# The path


@pytest.mark.parametrize(
    ("path", "generic", "s3"),
    [
        (b"/a/b", b"/a/b", b"/a/b"),
        (b"/a%20b/%C3%A9", b"/a b/\xc3\xa9", b"/a b/\xc3\xa9"),
        (b"/a//b/./c/../d", b"/a/b/d", b"/a//b/./c/../d"),
        (b"/a%2Fb", b"/a/b", b"/a/b"),
        (b"/a+b", b"/a+b", b"/a+b"),
        (b"/a%5C..%5Cb", b"/a\\..\\b", b"/a\\..\\b"),
        (b"/a%252e", b"/a%2e", b"/a%2e"),
    ],
)
def test_path_to_route_on(path: bytes, generic: bytes, s3: bytes) -> None:
    """T31: the path to route on is the decoded one; where the rules normalise, its normal form."""
    message = replace(Message.of(), path=path)
    assert prepare(GENERIC_SIGNER.sign(message)).path == generic
    assert prepare(S3_PRESIGNER.presign(message), service="s3").path == s3


@pytest.mark.parametrize(
    "path",
    [
        b"/public%2F..%2Fadmin",
        b"/x/%2e%2e/y",
        b"/x/.%2E/y",
        b"/%2e",
        b"/a%2F.",
        b"/a/%2e%2F",
        b"/..%2Fx",
        b"/a//%2E./b",
    ],
)
def test_hidden_dot_segments(path: bytes) -> None:
    """T48: dot segments that an escape hides are refused where the rules normalise."""
    refused = refusal(GENERIC_SIGNER.sign(replace(Message.of(), path=path)))
    assert isinstance(refused, errors.MalformedTarget)
    assert refused.fault == "the path hides dot segments behind percent escapes"
    # S3 keys may hold them.
    prepare(S3_PRESIGNER.presign(replace(Message.of(), path=path)), service="s3")


@pytest.mark.parametrize("path", [b"/..", b"/a/../../b", b"/../a"])
def test_path_above_the_root(path: bytes) -> None:
    """T31: a path above the root is refused where the rules normalise."""
    refused = refusal(GENERIC_SIGNER.sign(replace(Message.of(), path=path)))
    assert isinstance(refused, errors.MalformedTarget)
    assert refused.fault == "the path reaches above the root"
    assert refused.__suppress_context__ is True
    prepare(S3_PRESIGNER.presign(replace(Message.of(), path=path)), service="s3")


@pytest.mark.parametrize(
    ("path", "routed", "accepted"),
    [
        (b"/a", None, True),
        (b"/a", b"/a", True),
        (b"/a%20b", b"/a b", True),
        (b"/a//b", b"/a//b", True),
        (b"/a//b", b"/a/b", True),
        (b"/a%2Fb", b"/a/b", True),
        (b"/a", b"/b", False),
        (b"/a", b"/a/", False),
        (b"/a", b"a", False),
        (b"/a", b"", False),
        (b"/a%20b", b"/a%20b", False),
        (b"/a/../b", b"/a/b", False),
        (b"/a%252Fb", b"/a/b", False),
        (b"/a", b"/A", False),
    ],
)
def test_routed_path(path: bytes, routed: bytes | None, accepted: bool) -> None:
    """T31: what the application routes on is what was signed, as sent or in normal form."""
    message = GENERIC_SIGNER.sign(replace(Message.of(), path=path))
    request = replace(message.request(), routed_path=routed)
    if accepted:
        prepare(request)
    else:
        assert isinstance(refusal(request), errors.PathNotRouted)


def test_routed_path_of_s3() -> None:
    """T31: S3's path is routed as sent, for nothing of it is normalised."""
    message = S3_PRESIGNER.presign(replace(Message.of(), path=b"/a//b"))
    prepare(replace(message.request(), routed_path=b"/a//b"), service="s3")
    merged = replace(message.request(), routed_path=b"/a/b")
    assert isinstance(refusal(merged, service="s3"), errors.PathNotRouted)


# What is signed


def strings(request: Request, **parameters: Any) -> list[bytes]:
    """Return the strings to sign that *request* may have."""
    unsigned = bool(parameters.get("allow_unsigned_session_token"))
    attempt = prepare(request, **parameters)
    return list(strings_to_sign(attempt, HASH, token_may_be_unsigned=unsigned))


def test_one_string_to_sign() -> None:
    """A request has one string to sign, and the evidence is what it was made of."""
    message = GENERIC_SIGNER.sign(with_headers(X_A="1, 2"))
    (only,) = strings(message.request())
    shown = evidence(prepare(message), HASH)
    assert shown.string_to_sign == only
    assert shown.canonical_request == (
        b"GET\n/items\nq=1\nhost:api.example.com\nx-a:1, 2\nx-amz-date:20261121T213000Z\n\n"
        b"host;x-a;x-amz-date\n" + HASH.encode()
    )
    assert only.startswith(
        b"AWS4-HMAC-SHA256\n20261121T213000Z\n20261121/us-east-1/items/aws4_request\n"
    )
    assert only.endswith(sha256(shown.canonical_request).encode())


def test_headers_that_the_server_joined() -> None:
    """Where the server joins repeated headers with a blank, both readings are tried, no more."""
    message = GENERIC_SIGNER.sign(with_headers(X_A="1, 2,3"))
    joined = replace(message.request(), joined_with_blank=True)
    as_sent, without = strings(joined)
    assert [as_sent] == strings(message.request())
    assert [without] == strings(GENERIC_SIGNER.sign(with_headers(X_A="1,2,3")).request())


@pytest.mark.parametrize("name", ["X-Amz-Security-Token", "X-Amz-S3session-Token"])
def test_token_appended_after_signing(name: str) -> None:
    """T20: without its knob a token in the query is signed; with it, it may not be."""
    plain = GENERIC_SIGNER.presign(Message.of())
    with_token = plain.with_parameter(f"{name}=t".encode())
    assert len(strings(with_token.request())) == 1
    signed, unsigned = strings(with_token.request(), allow_unsigned_session_token=True)
    assert [signed] == strings(with_token.request())
    assert [unsigned] == strings(plain.request())
    # There is no second reading without a token in the query.
    assert len(strings(plain.request(), allow_unsigned_session_token=True)) == 1
    in_header = GENERIC_SIGNER.sign(Message.of(headers={name: "t"}))
    assert len(strings(in_header.request(), allow_unsigned_session_token=True)) == 1


def test_every_reading() -> None:
    """T20: both doubts together make four readings."""
    message = GENERIC_SIGNER.presign(Message.of()).with_parameter(b"X-Amz-Security-Token=t")
    joined = replace(message.request(), joined_with_blank=True)
    assert len(strings(joined, allow_unsigned_session_token=True)) == 4
