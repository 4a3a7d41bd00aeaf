"""Requests that are refused for another reason than a wrong signature, and what is found."""

from __future__ import annotations

from dataclasses import replace

from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import sha256
from tests.explain.refusal_case import FORM
from tests.explain.refusal_case import GET
from tests.explain.refusal_case import HOUR
from tests.explain.refusal_case import S3
from tests.explain.refusal_case import SIGV2_URL
from tests.explain.refusal_case import Case
from tests.explain.refusal_case import authorization
from tests.explain.refusal_case import presign
from tests.explain.refusal_case import sign
from tests.explain.refusal_case import then
from wsgi_sigv4.credentials import Credentials

#: Who has to mend each cause, written out once more.
PARTIES = {
    **dict.fromkeys(
        (
            "sigv2",
            "not-signed",
            "post-policy",
            "other-scheme",
            "sigv4a",
            "algorithm",
            "two-authentications",
            "malformed-authorization",
            "signed-headers-list",
            "host-not-signed",
            "no-date",
            "clock-time-zone",
            "clock-off",
            "link-expired",
            "expires-range",
            "wrong-region",
            "wrong-service",
            "wrong-scope-date",
            "wrong-terminator",
            "token-not-signed",
            "conflicting-values",
            "payload-hash-not-sent",
            "payload-form",
            "path-not-clean",
            "query-not-clean",
            "token-missing",
            "token-wrong",
            "credentials-expired",
            "signature-form",
        ),
        "client",
    ),
    **dict.fromkeys(
        ("header-removed", "header-added", "not-chunked"),
        "proxy",
    ),
    **dict.fromkeys(
        ("host-not-accepted", "key-limit"),
        "server",
    ),
    **dict.fromkeys(
        ("unknown-key", "disabled-key"),
        "key",
    ),
}

CASES = [
    Case("sigv2", "MissingAuthenticationToken", 1, "Signature Version 2", lambda: SIGV2_URL),
    Case("sigv2", "IncompleteSignature", 2, "Signature Version 2", authorization("AWS AKID:c2ln")),
    Case("post-policy", "MissingAuthenticationToken", 1, "form", lambda: FORM),
    Case("not-signed", "MissingAuthenticationToken", 1, "not signed", lambda: GET),
    Case("other-scheme", "IncompleteSignature", 2, "`Bearer`", authorization("Bearer abc")),
    Case(
        "sigv4a",
        "NotImplemented",
        2,
        "SigV4A",
        authorization("AWS4-ECDSA-P256-SHA256 Credential=x"),
    ),
    Case(
        "algorithm",
        "IncompleteSignature",
        2,
        "AWS4-HMAC-SHA256",
        authorization("AWS4-HMAC-SHA1 Credential=x"),
    ),
    Case(
        "two-authentications",
        "SignatureDoesNotMatch",
        1,
        "at once",
        then(presign(), lambda m: m.with_header("Authorization", "Basic eDp5")),
    ),
    Case(
        "malformed-authorization",
        "IncompleteSignature",
        2,
        "(Signature)",
        authorization(
            "AWS4-HMAC-SHA256 Credential=a/20261121/r/s/aws4_request, SignedHeaders=host"
        ),
    ),
    Case(
        "malformed-authorization",
        "IncompleteSignature",
        2,
        "twice (Signature)",
        then(
            sign(),
            lambda m: m.with_header(
                "Authorization", (m.header("authorization") or b"") + b", Signature=00"
            ),
        ),
    ),
    Case(
        "malformed-authorization",
        "IncompleteSignature",
        2,
        "cannot be parsed",
        authorization("AWS4-HMAC-SHA256 nonsense"),
    ),
    Case(
        "malformed-authorization",
        "IncompleteSignature",
        2,
        "`AKID`",
        authorization("AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00"),
    ),
    Case(
        "signed-headers-list",
        "IncompleteSignature",
        2,
        "sorted",
        sign(signed_headers=("x-amz-date", "host")),
    ),
    Case(
        "host-not-signed", "SignatureDoesNotMatch", 3, "Host", sign(signed_headers=("x-amz-date",))
    ),
    Case("no-date", "IncompleteSignature", 4, "no date", lambda: GENERIC_SIGNER.authorize(GET)),
    Case("no-date", "IncompleteSignature", 4, "cannot be read", sign(timestamp="yesterday")),
    Case(
        "no-date",
        "IncompleteSignature",
        4,
        "X-Amz-Date arrived twice",
        then(sign(), lambda m: m.with_extra_header("X-Amz-Date", "20261121T213000Z")),
    ),
    Case(
        "clock-time-zone",
        "SignatureDoesNotMatch",
        5,
        "3 h 00 behind",
        sign(),
        now=NOW + 3 * HOUR + 7,
    ),
    Case(
        "clock-time-zone",
        "SignatureDoesNotMatch",
        5,
        "5 h 30 ahead of",
        sign(),
        now=NOW - 5.5 * HOUR + 3,
    ),
    Case(
        "clock-time-zone",
        "SignatureDoesNotMatch",
        5,
        "2 h 00 ahead of",
        presign(),
        now=NOW - 2 * HOUR,
    ),
    Case("clock-off", "SignatureDoesNotMatch", 5, "8 min 20 s behind", sign(), now=NOW + 500),
    Case("clock-off", "SignatureDoesNotMatch", 5, "2 d 2 h behind", sign(), now=NOW + 50 * HOUR),
    Case(
        "link-expired",
        "RequestExpired",
        5,
        "good for 60 s and ended 1 h 59 ago",
        presign(),
        now=NOW + 2 * HOUR,
    ),
    Case("expires-range", "IncompleteSignature", 5, "604800", presign(expires="604801")),
    Case(
        "wrong-region",
        "SignatureDoesNotMatch",
        6,
        "the region `eu-west-1` where us-east-1 or us-west-2 is accepted",
        sign(region="eu-west-1"),
        knobs={"region": ("us-east-1", "us-west-2")},
    ),
    Case(
        "wrong-service",
        "SignatureDoesNotMatch",
        6,
        "the service `s3` where items is accepted",
        sign(service="s3"),
    ),
    Case(
        "wrong-region wrong-service",
        "SignatureDoesNotMatch",
        6,
        "the region `x` where us-east-1 is accepted and the service",
        sign(region="x", service="y", date="20261120"),
    ),
    Case(
        "wrong-scope-date",
        "SignatureDoesNotMatch",
        6,
        "the date `20261120` where 20261121",
        sign(date="20261120"),
    ),
    Case(
        "wrong-terminator",
        "SignatureDoesNotMatch",
        6,
        "`aws5_request`",
        sign(terminator="aws5_request"),
    ),
    Case(
        "header-removed",
        "SignatureDoesNotMatch",
        7,
        "`x-note` was signed",
        then(sign(Message.of(headers={"X-Note": "1"})), lambda m: m.without_header("X-Note")),
    ),
    Case(
        "header-added",
        "SignatureDoesNotMatch",
        7,
        "`x-amz-cf-id` arrived",
        then(sign(), lambda m: m.with_header("X-Amz-Cf-Id", "abc")),
    ),
    Case(
        "token-not-signed",
        "SignatureDoesNotMatch",
        7,
        "session token",
        then(sign(), lambda m: m.with_header("X-Amz-Security-Token", TOKEN)),
    ),
    Case(
        "host-not-accepted",
        "AccessDenied",
        7,
        "Host `api.example.com`",
        sign(),
        knobs={"hosts": ("other.example.com",)},
    ),
    Case(
        "conflicting-values",
        "InvalidParameterValue",
        8,
        "disagree",
        sign(
            Message.of(
                target=f"/?X-Amz-Content-Sha256={sha256(b'a')}",
                headers={"X-Amz-Content-Sha256": sha256(b"")},
            )
        ),
    ),
    Case(
        "payload-hash-not-sent",
        "InvalidRequest",
        8,
        "x-amz-content-sha256",
        lambda: S3_SIGNER.sign(GET),
        knobs=S3,
    ),
    Case(
        "payload-form",
        "IncompleteSignature",
        8,
        "`nonsense`",
        sign(Message.of(headers={"X-Amz-Content-Sha256": "nonsense"})),
    ),
    Case(
        "payload-form",
        "IncompleteSignature",
        8,
        "`UNSIGNED-PAYLOAD`",
        sign(Message.of(headers={"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"})),
    ),
    Case(
        "path-not-clean",
        "InvalidURI",
        8,
        "above the root",
        sign(Message.of(target="/../x")),
    ),
    Case(
        "query-not-clean",
        "MalformedQueryString",
        1,
        "percent escape",
        then(sign(), lambda m: replace(m, query=b"a=%zz")),
    ),
    Case("unknown-key", "InvalidClientTokenId", 9, "unknown", sign(access_key_id="AKIAOTHER")),
    Case(
        "disabled-key",
        "InvalidClientTokenId",
        9,
        "disabled",
        sign(),
        key=lambda: Credentials(SECRET, enabled=False),
    ),
    Case(
        "token-missing",
        "InvalidClientTokenId",
        9,
        "no session token arrived",
        sign(),
        key=lambda: Credentials(SECRET, session_token=TOKEN),
    ),
    Case(
        "token-wrong",
        "InvalidClientTokenId",
        9,
        "session token",
        sign(session_token="another token"),
        key=lambda: Credentials(SECRET, session_token=TOKEN),
    ),
    Case(
        "credentials-expired",
        "ExpiredToken",
        9,
        "expired",
        sign(),
        key=lambda: Credentials(SECRET, expires_at=NOW - 1),
    ),
    Case(
        "key-limit",
        "AccessDenied",
        9,
        "methods",
        sign(),
        key=lambda: Credentials(SECRET, methods=("PUT",)),
    ),
    Case(
        "signature-form",
        "SignatureDoesNotMatch",
        10,
        "64 hex digits",
        then(
            sign(),
            lambda m: m.with_header("Authorization", (m.header("authorization") or b"")[:-1]),
        ),
    ),
    Case(
        "unknown-key",
        "SignatureDoesNotMatch",
        9,
        "unknown",
        sign(access_key_id="AKIAOTHER"),
        knobs={"uniform_errors": True},
    ),
    Case(
        "payload-form",
        "NotImplemented",
        8,
        "`STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`",
        lambda: S3_SIGNER.sign(
            Message.of(
                "PUT", headers={"X-Amz-Content-Sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}
            )
        ),
        knobs=S3,
    ),
    Case(
        "not-chunked",
        "IncompleteBody",
        11,
        "not aws-chunked",
        lambda: S3_SIGNER.sign(
            Message.of(
                "PUT",
                headers={
                    "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                    "X-Amz-Decoded-Content-Length": "5",
                },
                body=b"hello\r\n",
            )
        ),
        knobs=S3,
    ),
]
