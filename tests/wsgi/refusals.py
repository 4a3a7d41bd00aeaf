"""One request or more for each reason to refuse one, and what AWS says of it.

Codes, statuses and messages are written out as AWS documents or returns them, so that a slip in
the tables of the package shows.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

from tests.core import uploads
from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import Signer
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3 as S3_PROFILE
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ZEROS = "0" * 64
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
ECDSA = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
EXPIRED_ID = "ASIAEXPIRED"
DISABLED_ID = "AKIADISABLED"
LIMITED_ID = "AKIALIMITED"
BROKEN_ID = "AKIABROKEN"

Told = tuple[int, str, str]
Sent = Callable[[bool], Message]


def lookup(access_key_id: str) -> Credentials | None:
    """Return the credentials of the keys that the requests are signed with."""
    if access_key_id == BROKEN_ID:
        raise CredentialsUnavailable("no connection to the back end")
    known = {
        ACCESS_KEY_ID: Credentials(SECRET),
        TEMPORARY_ID: Credentials(SECRET, session_token=SESSION_TOKEN),
        EXPIRED_ID: Credentials(SECRET, session_token=SESSION_TOKEN, expires_at=NOW - 1),
        DISABLED_ID: Credentials(SECRET, enabled=False),
        LIMITED_ID: Credentials(SECRET, methods=["PATCH"]),
    }
    return known.get(access_key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request that is refused.

    Attributes:
        leaf: the class of its refusal.
        sent: the request to S3 (True), or to another service.
        s3: status, code and message of S3.
        aws: status, code and message of the other services.
        json_code: the code in the JSON protocols, where they rename it.
        details: further elements of S3's answer.
        verifier: parameters of the verifier.
        options: options of the middleware.
        environ: what the environ has otherwise.
        full_disk: there is no room in the temporary folder.
        name: what tells it from others of its leaf.
    """

    leaf: str
    sent: Callable[[bool], Message]
    s3: Told
    aws: Told
    json_code: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    verifier: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    full_disk: bool = False
    name: str = ""

    def __str__(self) -> str:
        return f"{self.leaf} {self.name}".rstrip()


def plain(**headers: str) -> Message:
    """Return a request with the hash of an empty body, and *headers*."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message.of(headers={"X-Amz-Content-Sha256": EMPTY, **named})


def signer(s3: bool, **changes: Any) -> Signer:
    """Return a signer of the header form."""
    return replace(S3_SIGNER if s3 else GENERIC_SIGNER, **changes)


def signed(message: Message | None = None, **changes: Any) -> Callable[[bool], Message]:
    """Return what signs *message* in the header form, with a signer of such *changes*."""
    return lambda s3: signer(s3, **changes).sign(message or plain())


def presigned(message: Message | None = None, **changes: Any) -> Callable[[bool], Message]:
    """Return what presigns *message*, with a signer of such *changes*."""
    return lambda s3: replace(S3_PRESIGNER if s3 else GENERIC_SIGNER, **changes).presign(
        message or Message.of()
    )


def with_header(
    name: str, value: str, made: Callable[[bool], Message]
) -> Callable[[bool], Message]:
    """Return what makes a request, and then sets a header that is not signed so."""
    return lambda s3: made(s3).with_header(name, value)


def authorized(value: str) -> Callable[[bool], Message]:
    """Return what makes a request with this Authorization header."""
    return lambda s3: plain().with_header("Authorization", value)


def edited(old: str, new: str, made: Callable[[bool], Message]) -> Callable[[bool], Message]:
    """Return what makes a request, and then changes its authorization."""
    return lambda s3: made(s3).edited(old, new)


def upload(**changes: Any) -> Callable[[bool], Message]:
    """Return what signs a PUT of five bytes, without a hash where that may be."""

    def made(s3: bool) -> Message:
        headers = {"X-Amz-Content-Sha256": sha256_of_hello} if s3 else {}
        return signer(s3, **changes).sign(Message.of("PUT", headers=headers, body=b"hello"))

    return made


def chunked(*pieces: bytes, old: bytes = b"", new: bytes = b"", **changes: Any) -> Sent:
    """Return what uploads *pieces* in signed chunks, with *old* in the body replaced by *new*."""

    def made(s3: bool) -> Message:
        message = uploads.upload(*pieces, signer=signer(s3), **changes)
        assert old in message.body
        return replace(message, body=message.body.replace(old, new, 1))

    return made


sha256_of_hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

AWS_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
THREE_COMPONENTS = (
    "The authorization header is malformed; the authorization header requires three components: "
    "Credential, SignedHeaders, and Signature."
)
SIX_PARAMETERS = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
NO_SCHEME = "The Authorization header does not begin with AWS4-HMAC-SHA256 and a blank."
USE_SIGV4 = (
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
)
FIVE_PARTS = (
    'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)
NOT_SIGNED = "There were headers present in the request which were not signed"
HASH_DIFFERS = "The provided 'x-amz-content-sha256' header does not match what was computed."
FORMS = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
    "or a valid sha256 value."
)
MALFORMED = "The authorization header is malformed; "
CREDENTIAL = "Error parsing the X-Amz-Credential parameter; "
HEADER_MALFORMED = "AuthorizationHeaderMalformed"
QUERY_ERROR = "AuthorizationQueryParametersError"
INCOMPLETE = "IncompleteSignatureException"
INVALID_SIGNATURE = "InvalidSignatureException"
TOKEN_MISSING: Told = (403, "MissingAuthenticationToken", "Request is missing Authentication Token")
ISO = "See http://en.wikipedia.org/wiki/ISO_8601"
DENIED: Told = (403, "AccessDenied", "Access Denied")
URI = "Couldn't parse the specified URI."
BUSY = "Service is unable to handle request."
TEMPORARY_FAILURE = "The request has failed due to a temporary failure of the server."
TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
CHECKSUMS_ONLY = replace(GENERIC, checksum_trailers_only=True)
TRAILING_DATA = (
    "The request contained trailing data that was not well-formed or did not conform to our "
    "published schema."
)
HASH_REQUIRED = replace(GENERIC, payload_header_required=True)
LATER = {"clock": lambda: NOW + 1000}
EARLIER = {"clock": lambda: NOW - 1000}

CASES = [
    Case(
        leaf="MissingAuthentication",
        sent=lambda s3: Message.of(),
        s3=DENIED,
        aws=TOKEN_MISSING,
        json_code="MissingAuthenticationTokenException",
    ),
    Case(
        leaf="AmbiguousAuthentication",
        sent=lambda s3: presigned()(s3).with_header("Authorization", "AWS4-HMAC-SHA256 x"),
        s3=(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified",
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "The request carries an Authorization header and a signed query string: only one auth "
            "mechanism is allowed.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="UnsupportedAuthorization",
        sent=authorized("AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl"),
        s3=(400, "InvalidRequest", USE_SIGV4),
        aws=(400, "IncompleteSignature", "Unsupported AWS 'algorithm': 'AWS'."),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="UnsupportedAuthorization",
        name="without a blank",
        sent=authorized("AWSx"),
        s3=(
            400,
            "InvalidArgument",
            "Authorization header is invalid -- one and only one ' ' (space) required.",
        ),
        details={"ArgumentName": "Authorization"},
        aws=(400, "IncompleteSignature", NO_SCHEME),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="UnsupportedAuthorization",
        name="the right scheme without a blank",
        sent=authorized("AWS4-HMAC-SHA256Credential=x"),
        s3=(
            400,
            "InvalidArgument",
            "Authorization header is invalid -- one and only one ' ' (space) required.",
        ),
        details={"ArgumentName": "Authorization"},
        aws=(400, "IncompleteSignature", NO_SCHEME),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="UnsupportedAlgorithm",
        sent=edited("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", signed()),
        s3=(400, "InvalidRequest", USE_SIGV4),
        aws=(400, "IncompleteSignature", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="UnsupportedAlgorithm",
        name="presigned",
        sent=edited("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", presigned()),
        s3=(
            400,
            QUERY_ERROR,
            'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
        ),
        aws=TOKEN_MISSING,
        json_code="MissingAuthenticationTokenException",
    ),
    Case(
        leaf="AlgorithmNotImplemented",
        sent=edited("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", signed()),
        s3=(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        ),
        aws=(501, "NotImplemented", "AWS4-ECDSA-P256-SHA256 is not implemented."),
    ),
    Case(
        leaf="MalformedAuthorization",
        sent=authorized("AWS4-HMAC-SHA256 Credential=a, x, Signature=b"),
        s3=(400, HEADER_MALFORMED, THREE_COMPONENTS),
        aws=(
            400,
            "IncompleteSignature",
            "'x' not a valid key=value pair (missing equal-sign) in Authorization header: "
            "'AWS4-HMAC-SHA256'.",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MissingParameters",
        sent=authorized("AWS4-HMAC-SHA256 Credential=a, Signature="),
        s3=(400, HEADER_MALFORMED, THREE_COMPONENTS),
        aws=(
            400,
            "IncompleteSignature",
            "Authorization header requires 'SignedHeaders' parameter. Authorization header "
            "requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MissingParameters",
        name="presigned",
        sent=edited("X-Amz-SignedHeaders", "x", presigned()),
        s3=(400, QUERY_ERROR, SIX_PARAMETERS),
        aws=(
            400,
            "IncompleteSignature",
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the "
            "query-string parameters.",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="DuplicateParameter",
        sent=authorized("AWS4-HMAC-SHA256 Credential=a, Signature=b, Signature=b"),
        s3=(400, HEADER_MALFORMED, THREE_COMPONENTS),
        aws=(400, "IncompleteSignature", "'Signature' is given more than once."),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="DuplicateParameter",
        name="presigned",
        sent=lambda s3: presigned()(s3).with_parameter(b"X-Amz-Expires=60"),
        s3=(400, QUERY_ERROR, SIX_PARAMETERS),
        aws=(400, "IncompleteSignature", "'X-Amz-Expires' is given more than once."),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedCredential",
        sent=edited("/aws4_request", "", signed()),
        s3=(400, HEADER_MALFORMED, MALFORMED + FIVE_PARTS),
        aws=(
            400,
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got 'AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/SERVICE'",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedCredential",
        name="presigned",
        sent=edited("%2Faws4_request", "", presigned()),
        s3=(400, QUERY_ERROR, CREDENTIAL + FIVE_PARTS),
        aws=(
            400,
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got 'AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/SERVICE'",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedCredential",
        name="date",
        sent=signed(date="2026-11-21"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + 'incorrect date format "2026-11-21". This date in the credential must be '
            'in the format "yyyyMMdd".',
        ),
        aws=(
            400,
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got "
            "'AKIAIOSFODNN7EXAMPLE/2026-11-21/us-east-1/SERVICE/aws4_request'",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedSignedHeaders",
        sent=signed(signed_headers=("x-amz-date", "host")),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED
            + "the SignedHeaders are mal-formed; expecting a sorted list of lower-case names.",
        ),
        aws=(
            400,
            "IncompleteSignature",
            "SignedHeaders must be a sorted list of lower-case names, got 'x-amz-date;host'",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="HostNotSigned",
        sent=signed(signed_headers=("x-amz-content-sha256", "x-amz-date")),
        s3=(403, "AccessDenied", NOT_SIGNED),
        details={"HeadersNotSigned": "host"},
        aws=(
            403,
            "SignatureDoesNotMatch",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="MissingDate",
        sent=lambda s3: signer(s3).authorize(plain()),
        s3=(
            403,
            "AccessDenied",
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        aws=(
            400,
            "IncompleteSignature",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "Authorization=AWS4-HMAC-SHA256",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedDate",
        sent=signed(timestamp="2026-11-21T21:30:00Z"),
        s3=(
            403,
            "AccessDenied",
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        aws=(
            400,
            "IncompleteSignature",
            f"Date must be in ISO-8601 'basic format'. Got '2026-11-21T21:30:00Z'. {ISO}",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="MalformedDate",
        name="presigned",
        sent=presigned(timestamp="yesterday"),
        s3=(
            400,
            QUERY_ERROR,
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ),
        aws=(
            400,
            "IncompleteSignature",
            f"Date must be in ISO-8601 'basic format'. Got 'yesterday'. {ISO}",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="RequestTimeTooSkewed",
        name="old",
        sent=signed(),
        verifier=LATER,
        s3=(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        details={
            "RequestTime": "2026-11-21T21:30:00Z",
            "ServerTime": "2026-11-21T21:46:40Z",
            "MaxAllowedSkewMilliseconds": "900000",
        },
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 20261121T213000Z is now earlier than 20261121T214140Z "
            "(20261121T214640Z - 5 min.)",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="RequestTimeTooSkewed",
        name="ahead",
        sent=signed(),
        verifier=EARLIER,
        s3=(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        details={"RequestTime": "2026-11-21T21:30:00Z", "ServerTime": "2026-11-21T21:13:20Z"},
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Signature not yet current: 20261121T213000Z is still later than 20261121T211820Z "
            "(20261121T211320Z + 5 min.)",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    *(
        Case(
            leaf="InvalidExpires",
            name=expires,
            sent=presigned(expires=expires),
            s3=(400, QUERY_ERROR, f"X-Amz-Expires {said}"),
            aws=(
                400,
                "IncompleteSignature",
                "X-Amz-Expires must be a number of seconds from 1 to 604800.",
            ),
            json_code=INCOMPLETE,
        )
        for expires, said in (
            ("soon", "should be a number"),
            ("1e3", "should be a number"),
            ("-1", "must be non-negative"),
            ("0", "must be non-negative"),
            (
                "604801",
                "must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
                "less than 604800 seconds",
            ),
        )
    ),
    Case(
        leaf="RequestExpired",
        sent=presigned(),
        verifier=LATER,
        s3=(403, "AccessDenied", "Request has expired"),
        details={
            "X-Amz-Expires": "60",
            "Expires": "2026-11-21T21:31:00Z",
            "ServerTime": "2026-11-21T21:46:40Z",
        },
        aws=(
            400,
            "RequestExpired",
            "Request has expired. Signed at 2026-11-21T21:30:00Z for 60 seconds, it ended at "
            "2026-11-21T21:31:00Z; now is 2026-11-21T21:46:40Z.",
        ),
    ),
    Case(
        leaf="RequestNotYetValid",
        sent=presigned(),
        verifier=EARLIER,
        s3=(403, "AccessDenied", "Request is not valid yet"),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Signature not yet current: 20261121T213000Z is still later than 20261121T211820Z "
            "(20261121T211320Z + 5 min.)",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="region",
        sent=signed(region="eu-west-1"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
        ),
        details={"Region": "us-east-1"},
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region, not 'eu-west-1'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="region, presigned",
        sent=presigned(region="eu-west-1"),
        s3=(
            400,
            QUERY_ERROR,
            CREDENTIAL + "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
        ),
        details={"Region": "us-east-1"},
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region, not 'eu-west-1'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="service",
        sent=signed(service="ec2"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + 'incorrect service "ec2". This endpoint belongs to "s3".',
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: 'items'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="terminator",
        sent=signed(terminator="aws5_request"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + 'incorrect terminator "aws5_request". This endpoint uses "aws4_request".',
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not "
            "'aws5_request'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="date",
        sent=signed(date="20261120"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + 'Invalid credential date "20261120". This date is not the same as '
            'X-Amz-Date: "20261121".',
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '20261120' != '20261121', from '20261121T213000Z'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="date, presigned",
        sent=presigned(date="20261120"),
        s3=(
            400,
            QUERY_ERROR,
            'Invalid credential date "20261120". This date is not the same as '
            'X-Amz-Date: "20261121".',
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '20261120' != '20261121', from '20261121T213000Z'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="ScopeMismatch",
        name="all",
        sent=signed(region="eu-west-1", service="ec2", terminator="x", date="20261120"),
        s3=(
            400,
            HEADER_MALFORMED,
            MALFORMED + 'incorrect terminator "x". This endpoint uses "aws4_request".',
        ),
        aws=(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be "
            "scoped to correct service: 'items'. Credential should be scoped with a valid "
            "terminator: 'aws4_request', not 'x'. Date in Credential scope does not match "
            "YYYYMMDD from ISO-8601 version of date from HTTP: '20261120' != '20261121', from "
            "'20261121T213000Z'.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="SignedHeaderMissing",
        sent=lambda s3: signed(plain(X_Other="1"))(s3).without_header("x-other"),
        s3=(403, "SignatureDoesNotMatch", S3_MISMATCH),
        aws=(403, "SignatureDoesNotMatch", AWS_MISMATCH),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="HeadersNotSigned",
        sent=with_header("x-amz-acl", "", with_header("X-Amz-Copy-Source", "/a", signed())),
        s3=(403, "AccessDenied", NOT_SIGNED),
        details={"HeadersNotSigned": "x-amz-acl, x-amz-copy-source"},
        aws=(
            403,
            "SignatureDoesNotMatch",
            "'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization. 'x-amz-copy-source' "
            "must be a 'SignedHeader' in the AWS Authorization.",
        ),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="HostNotAccepted",
        sent=signed(),
        verifier={"hosts": ("other.example",)},
        s3=DENIED,
        aws=DENIED,
        json_code="AccessDeniedException",
    ),
    Case(
        leaf="ConflictingValues",
        sent=lambda s3: signed()(s3).with_parameter(b"X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"),
        s3=(
            400,
            "InvalidRequest",
            "Conflicting values for `x-amz-content-sha256` in query parameters and request headers",
        ),
        aws=(
            400,
            "InvalidParameterValue",
            "Conflicting values for 'x-amz-content-sha256' in the query and the headers.",
        ),
    ),
    Case(
        leaf="MissingPayloadHash",
        sent=signed(Message.of()),
        verifier={"profile": {"s3": S3_PROFILE, "items": HASH_REQUIRED}},
        s3=(
            400,
            "InvalidRequest",
            "Missing required header for this request: x-amz-content-sha256",
        ),
        aws=(400, "IncompleteSignature", "The request requires x-amz-content-sha256."),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="InvalidPayloadHash",
        sent=signed(plain(X_Amz_Content_Sha256="STREAMING-WHATEVER")),
        s3=(400, "InvalidArgument", FORMS),
        details={"ArgumentName": "x-amz-content-sha256", "ArgumentValue": "STREAMING-WHATEVER"},
        aws=(400, "IncompleteSignature", FORMS),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="PayloadFormNotAllowed",
        sent=signed(plain(X_Amz_Content_Sha256="UNSIGNED-PAYLOAD")),
        verifier={"allow_unsigned_payload": False},
        s3=(400, "InvalidRequest", "The value of x-amz-content-sha256 header is invalid."),
        aws=(
            400,
            "IncompleteSignature",
            "The payload form 'UNSIGNED-PAYLOAD' is not allowed here.",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="PayloadFormNotAllowed",
        name="presigned",
        sent=presigned(plain(X_Amz_Content_Sha256=STREAMING), payload_hash=STREAMING),
        s3=(400, "XAmzContentSHA256Mismatch", HASH_DIFFERS),
        aws=(
            400,
            "IncompleteSignature",
            "The payload form 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' is not allowed here.",
        ),
        json_code=INCOMPLETE,
    ),
    Case(
        leaf="PayloadFormNotImplemented",
        sent=signed(Message.of("PUT", headers={"X-Amz-Content-Sha256": ECDSA})),
        s3=(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        ),
        details={"Header": "x-amz-content-sha256"},
        aws=(
            501,
            "NotImplemented",
            "The payload form 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' is not implemented.",
        ),
    ),
    Case(
        leaf="UnknownAccessKey",
        sent=signed(access_key_id="AKIDUNKNOWN"),
        s3=(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        details={"AWSAccessKeyId": "AKIDUNKNOWN"},
        aws=(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        json_code="UnrecognizedClientException",
    ),
    Case(
        leaf="DisabledAccessKey",
        sent=signed(access_key_id=DISABLED_ID),
        s3=(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        details={"AWSAccessKeyId": DISABLED_ID},
        aws=(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        json_code="UnrecognizedClientException",
    ),
    *(
        Case(
            leaf="InvalidSessionToken",
            name=name,
            sent=signed(access_key_id=key, session_token=token),
            s3=(
                400,
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ),
            aws=(
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid",
            ),
            json_code="UnrecognizedClientException",
        )
        for name, key, token in (
            ("wrong", TEMPORARY_ID, "secret-token"),
            ("missing", TEMPORARY_ID, None),
            ("with a permanent key", ACCESS_KEY_ID, "secret-token"),
        )
    ),
    Case(
        leaf="ExpiredCredentials",
        sent=signed(access_key_id=EXPIRED_ID, session_token=SESSION_TOKEN),
        s3=(400, "ExpiredToken", "The provided token has expired."),
        aws=(403, "ExpiredToken", "The security token included in the request is expired"),
        json_code="ExpiredTokenException",
    ),
    Case(
        leaf="CredentialsUnavailable",
        sent=signed(access_key_id=BROKEN_ID),
        s3=(503, "ServiceUnavailable", BUSY),
        aws=(503, "ServiceUnavailable", TEMPORARY_FAILURE),
    ),
    Case(
        leaf="SignatureMismatch",
        sent=lambda s3: signed()(s3).edited(signature_of(signed()(s3)), ZEROS),
        s3=(403, "SignatureDoesNotMatch", S3_MISMATCH),
        details={"AWSAccessKeyId": ACCESS_KEY_ID, "SignatureProvided": ZEROS},
        aws=(403, "SignatureDoesNotMatch", AWS_MISMATCH),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="SignatureMismatch",
        name="not hex",
        sent=lambda s3: signed()(s3).edited(signature_of(signed()(s3)), "\u00ff<&"),
        s3=(403, "SignatureDoesNotMatch", S3_MISMATCH),
        details={"AWSAccessKeyId": ACCESS_KEY_ID, "SignatureProvided": "\\xc3\\xbf<&"},
        aws=(403, "SignatureDoesNotMatch", AWS_MISMATCH),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="MalformedChunk",
        sent=chunked(b"hello", old=b"5;", new=b"+5;"),
        s3=(400, "IncompleteBody", "The request body terminated unexpectedly"),
        aws=(
            400,
            "IncompleteBody",
            "The body is not aws-chunked: a chunk header is not a size and a signature.",
        ),
    ),
    Case(
        leaf="InvalidChunkSize",
        sent=chunked(bytes(8192), b"hello", b"world"),
        s3=(
            403,
            "InvalidChunkSizeError",
            "Only the last chunk is allowed to have a size less than 8192 bytes",
        ),
        details={"Chunk": "2", "BadChunkSize": "5"},
        aws=(
            403,
            "InvalidChunkSizeError",
            "Only the last chunk is allowed to have a size less than 8192 bytes",
        ),
    ),
    Case(
        leaf="ChunkSignatureMismatch",
        sent=chunked(b"hello", old=b"hello", new=b"hullo"),
        s3=(403, "SignatureDoesNotMatch", S3_MISMATCH),
        aws=(403, "SignatureDoesNotMatch", AWS_MISMATCH),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="MalformedTrailer",
        sent=chunked(b"hello", form=TRAILER, old=b"x-amz-checksum-crc32:", new=b"x-amz-a:"),
        s3=(400, "MalformedTrailerError", TRAILING_DATA),
        aws=(400, "MalformedTrailerError", TRAILING_DATA),
    ),
    Case(
        leaf="UnsupportedTrailer",
        sent=chunked(b"hello", form=TRAILER, trailers={"x-amz-meta-a": "b"}),
        verifier={"profile": {"s3": S3_PROFILE, "items": CHECKSUMS_ONLY}},
        s3=(
            400,
            "InvalidRequest",
            "The value specified in the x-amz-trailer header is not supported",
        ),
        aws=(
            400,
            "InvalidRequest",
            "The value specified in the x-amz-trailer header is not supported",
        ),
    ),
    Case(
        leaf="ChecksumMismatch",
        sent=chunked(b"hello", form=TRAILER, trailers={"x-amz-checksum-crc32": "AAAAAA=="}),
        s3=(400, "BadDigest", "The CRC32 you specified did not match the calculated checksum."),
        aws=(400, "BadDigest", "The CRC32 you specified did not match the calculated checksum."),
    ),
    Case(
        leaf="ChecksumMismatch",
        name="of Content-MD5",
        sent=chunked(b"hello", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
        s3=(400, "BadDigest", "The Content-MD5 you specified did not match what we received."),
        aws=(400, "BadDigest", "The Content-MD5 you specified did not match what we received."),
    ),
    Case(
        leaf="InvalidChecksum",
        sent=chunked(b"hello", form=TRAILER, trailers={"x-amz-checksum-crc32": "AAAA"}),
        s3=(400, "InvalidRequest", "Value for x-amz-checksum-crc32 trailing header is invalid."),
        aws=(400, "InvalidRequest", "Value for x-amz-checksum-crc32 trailing header is invalid."),
    ),
    Case(
        leaf="InvalidChecksum",
        name="in a header",
        sent=signed(plain(X_Amz_Checksum_Crc32="%%%%")),
        s3=(400, "InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."),
        aws=(400, "InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid."),
    ),
    Case(
        leaf="InvalidChecksum",
        name="in Content-MD5",
        sent=signed(plain(Content_MD5="5d41402abc4b2a76b9719d911017c592")),
        s3=(400, "InvalidDigest", "The Content-MD5 you specified was invalid."),
        aws=(400, "InvalidDigest", "The Content-MD5 you specified was invalid."),
    ),
    Case(
        leaf="SeveralChecksums",
        sent=signed(plain(X_Amz_Checksum_Crc32="AAAAAA==", X_Amz_Checksum_Crc32c="AAAAAA==")),
        s3=(400, "InvalidRequest", "Expecting a single x-amz-checksum- header"),
        aws=(400, "InvalidRequest", "Expecting a single x-amz-checksum- header"),
    ),
    Case(
        leaf="ChecksumNotImplemented",
        sent=signed(plain(X_Amz_Checksum_Crc128="AAAAAA==")),
        s3=(501, "NotImplemented", "The checksum crc128 is not implemented."),
        aws=(501, "NotImplemented", "The checksum crc128 is not implemented."),
    ),
    Case(
        leaf="PayloadHashMismatch",
        sent=lambda s3: replace(
            signer(s3).sign(
                Message.of("PUT", headers={"X-Amz-Content-Sha256": ZEROS}, body=b"hello")
            )
        ),
        s3=(400, "XAmzContentSHA256Mismatch", HASH_DIFFERS),
        details={
            "ClientComputedContentSHA256": ZEROS,
            "S3ComputedContentSHA256": sha256_of_hello,
        },
        aws=(403, "SignatureDoesNotMatch", HASH_DIFFERS),
        json_code=INVALID_SIGNATURE,
    ),
    Case(
        leaf="MalformedRequest",
        sent=signed(),
        environ={"HTTP_PATH_INFO": "/x"},
        s3=(
            400,
            "InvalidRequest",
            "The request is malformed: a header is named like a key of the server.",
        ),
        aws=(
            400,
            "ValidationError",
            "The request is malformed: a header is named like a key of the server.",
        ),
    ),
    Case(
        leaf="MalformedTarget",
        sent=signed(),
        environ={"RAW_URI": "*", "QUERY_STRING": ""},
        s3=(400, "InvalidURI", URI),
        aws=(
            400,
            "InvalidURI",
            "The request is malformed: the path does not start with a slash.",
        ),
    ),
    Case(
        leaf="MalformedQuery",
        sent=lambda s3: signed()(s3).with_parameter(b"a=%zz"),
        s3=(400, "InvalidURI", URI),
        aws=(
            400,
            "MalformedQueryString",
            "The request is malformed: a percent escape in the query is malformed.",
        ),
    ),
    Case(
        leaf="PathNotRouted",
        sent=signed(),
        environ={"PATH_INFO": "/other"},
        s3=(400, "InvalidURI", URI),
        aws=(400, "InvalidURI", "The request path is not in its normal form."),
    ),
    Case(
        leaf="LengthRequired",
        sent=signed(),
        environ={"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": ""},
        s3=(411, "MissingContentLength", "You must provide the Content-Length HTTP header."),
        aws=(411, "MissingContentLength", "You must provide the Content-Length HTTP header."),
    ),
    Case(
        leaf="InvalidContentLength",
        sent=signed(),
        environ={"CONTENT_LENGTH": "1_0"},
        s3=(400, "InvalidRequest", "The Content-Length HTTP header is invalid."),
        aws=(400, "ValidationError", "The Content-Length HTTP header is invalid."),
    ),
    Case(
        leaf="IncompleteBody",
        sent=upload(),
        environ={"CONTENT_LENGTH": "9"},
        s3=(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ),
        details={"NumberBytesExpected": "9", "NumberBytesProvided": "5"},
        aws=(400, "IncompleteBody", "The request body terminated unexpectedly"),
    ),
    Case(
        leaf="BodyTooLarge",
        sent=upload(),
        options={"max_body": 4},
        s3=(
            413,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ),
        details={"MaxSizeAllowed": "4"},
        aws=(
            413,
            "RequestEntityTooLarge",
            "The request body must not have more than 4 bytes.",
        ),
    ),
    Case(
        leaf="BodyTooSlow",
        sent=upload(),
        options={"body_seconds": 0},
        s3=(
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the "
            "timeout period.",
        ),
        aws=(408, "RequestTimeout", "The request body did not arrive within the timeout period."),
    ),
    Case(
        leaf="StorageUnavailable",
        sent=upload(),
        options={"memory_limit": 0},
        full_disk=True,
        s3=(503, "ServiceUnavailable", BUSY),
        aws=(503, "ServiceUnavailable", TEMPORARY_FAILURE),
    ),
    Case(
        leaf="KeyLimitExceeded",
        sent=signed(access_key_id=LIMITED_ID),
        s3=DENIED,
        aws=DENIED,
        json_code="AccessDeniedException",
    ),
    Case(
        leaf="AccessDenied",
        sent=signed(),
        options={"authorize": lambda identity, environ: False},
        s3=DENIED,
        aws=DENIED,
        json_code="AccessDeniedException",
    ),
]


def signature_of(message: Message) -> bytes:
    """Return the signature of *message*, which is signed in the header."""
    return (message.header("authorization") or b"").rpartition(b"=")[2]
