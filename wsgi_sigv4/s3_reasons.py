"""What S3 says of each refusal.

Codes and messages are those of S3 where it documents or returns them:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

No text echoes a session token, and none says what was calculated.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import Final

from wsgi_sigv4 import errors
from wsgi_sigv4.reason import HASH_MISMATCH
from wsgi_sigv4.reason import INVALID_HASH
from wsgi_sigv4.reason import MALFORMED_TRAILER
from wsgi_sigv4.reason import Details
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.reason import Told
from wsgi_sigv4.reason import checksum_mismatch
from wsgi_sigv4.reason import invalid_checksum
from wsgi_sigv4.reason import iso
from wsgi_sigv4.reason import says

_QUERY_ERROR: Final = "AuthorizationQueryParametersError"
_HEADER_ERROR: Final = "AuthorizationHeaderMalformed"
_NOT_SUPPORTED: Final = says(
    "InvalidRequest",
    400,
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
)
_CREDENTIAL: Final = (
    'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)


def _malformed(
    header: str | Callable[[Any], str],
    query: str | Callable[[Any], str] | None = None,
    details: Callable[[Any], Details] = lambda error: (),
) -> Told:
    """Say it of the header or of the query parameters; None: the same of both."""
    query = header if query is None else query

    def told(error: errors.SigV4Error) -> Reason:
        text = query if error.presigned else header
        message = text if isinstance(text, str) else text(error)
        if not error.presigned:
            message = f"The authorization header is malformed; {message}"
        code = _QUERY_ERROR if error.presigned else _HEADER_ERROR
        return Reason(code=code, status=400, message=message, details=details(error))

    return told


def _of_credential(text: str) -> str:
    return f"Error parsing the X-Amz-Credential parameter; {text}"


_MISSING: Final = _malformed(
    "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
)


def _s3_authorization(error: errors.UnsupportedAuthorization) -> Reason:
    if error.has_parameters:
        return _NOT_SUPPORTED(error)
    return Reason(
        code="InvalidArgument",
        status=400,
        message="Authorization header is invalid -- one and only one ' ' (space) required.",
        # S3 repeats the header in ArgumentValue: it may be a secret of another kind.
        details=(("ArgumentName", "Authorization"),),
    )


def _s3_algorithm(error: errors.UnsupportedAlgorithm) -> Reason:
    if not error.presigned:
        return _NOT_SUPPORTED(error)
    message = 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
    return Reason(code=_QUERY_ERROR, status=400, message=message)


def _s3_credential(error: errors.MalformedCredential) -> Reason:
    text = _CREDENTIAL
    if error.date is not None:
        text = (
            f'incorrect date format "{error.date}". '
            'This date in the credential must be in the format "yyyyMMdd".'
        )
    return _malformed(text, _of_credential(text))(error)


def _s3_scope(error: errors.ScopeMismatch) -> Reason:
    match error.faults[0]:
        case "terminator":
            text = f'incorrect terminator "{error.terminator}". '
            text += 'This endpoint uses "aws4_request".'
        case "region":
            # botocore signs again for the region that is named here.
            expected = error.expected_regions[0]
            text = f"the region '{error.region}' is wrong; expecting '{expected}'"
            region: Details = (("Region", expected),)
            return _malformed(text, _of_credential(text), lambda _: region)(error)
        case "service":
            service = error.expected_services[0]
            text = f'incorrect service "{error.service_sent}". '
            text += f'This endpoint belongs to "{service}".'
        case _:
            text = f'Invalid credential date "{error.date}". This date is not the same as '
            text += f'X-Amz-Date: "{error.request_date}".'
            return _malformed(text)(error)
    return _malformed(text, _of_credential(text))(error)


def _s3_date(error: errors.MalformedDate) -> Reason:
    if not error.presigned:
        return S3_REASONS[errors.MissingDate](error)
    message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
    return Reason(code=_QUERY_ERROR, status=400, message=message)


def _s3_expires(error: errors.InvalidExpires) -> Reason:
    text = error.expires
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit()):
        message = "X-Amz-Expires should be a number"
    elif text.startswith("-") or not digits.strip("0"):
        message = "X-Amz-Expires must be non-negative"
    else:
        message = (
            "X-Amz-Expires must be less than a week (in seconds); "
            "that is, the given X-Amz-Expires must be less than 604800 seconds"
        )
    return Reason(code=_QUERY_ERROR, status=400, message=message)


def _s3_payload_form(error: errors.PayloadFormNotAllowed) -> Reason:
    if error.presigned and error.value.startswith("STREAMING-"):
        return Reason(code="XAmzContentSHA256Mismatch", status=400, message=HASH_MISMATCH)
    message = "The value of x-amz-content-sha256 header is invalid."
    return Reason(code="InvalidRequest", status=400, message=message)


def _s3_incomplete(error: errors.IncompleteBody) -> Reason:
    details: Details = ()
    if error.expected is not None:
        details = (
            ("NumberBytesExpected", str(error.expected)),
            ("NumberBytesProvided", str(error.received)),
        )
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return Reason(code="IncompleteBody", status=400, message=message, details=details)


def _unsigned(names: tuple[str, ...]) -> Details:
    return (("HeadersNotSigned", ", ".join(names)),)


_NOT_SIGNED: Final = "There were headers present in the request which were not signed"
_S3_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)

S3_REASONS: Final[Mapping[type[errors.SigV4Error], Told]] = {
    errors.AmbiguousAuthentication: says(
        "InvalidArgument",
        400,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query string parameter or the Authorization header should be specified",
    ),
    errors.UnsupportedAuthorization: _s3_authorization,
    errors.UnsupportedAlgorithm: _s3_algorithm,
    errors.AlgorithmNotImplemented: says(
        "NotImplemented",
        501,
        "A header you provided implies functionality that is not implemented",
    ),
    errors.MalformedAuthorization: _MISSING,
    errors.MissingParameters: _MISSING,
    errors.DuplicateParameter: _MISSING,
    errors.MalformedCredential: _s3_credential,
    errors.MalformedSignedHeaders: _malformed(
        "the SignedHeaders are mal-formed; expecting a sorted list of lower-case names."
    ),
    errors.HostNotSigned: says(
        "AccessDenied", 403, _NOT_SIGNED, lambda error: _unsigned(("host",))
    ),
    errors.MissingDate: says(
        "AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"
    ),
    errors.MalformedDate: _s3_date,
    errors.RequestTimeTooSkewed: says(
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
        lambda error: (
            ("RequestTime", iso(error.request_time)),
            ("ServerTime", iso(error.server_time)),
            ("MaxAllowedSkewMilliseconds", str(error.max_skew * 1000)),
        ),
    ),
    errors.InvalidExpires: _s3_expires,
    errors.RequestExpired: says(
        "AccessDenied",
        403,
        "Request has expired",
        lambda error: (
            ("X-Amz-Expires", str(error.expires)),
            ("Expires", iso(error.expired_at)),
            ("ServerTime", iso(error.server_time)),
        ),
    ),
    errors.RequestNotYetValid: says("AccessDenied", 403, "Request is not valid yet"),
    errors.ScopeMismatch: _s3_scope,
    errors.HeadersNotSigned: says(
        "AccessDenied", 403, _NOT_SIGNED, lambda error: _unsigned(error.names)
    ),
    errors.ConflictingValues: says(
        "InvalidRequest",
        400,
        lambda error: (
            f"Conflicting values for `{error.name}` in query parameters and request headers"
        ),
    ),
    errors.MissingPayloadHash: says(
        "InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"
    ),
    errors.InvalidPayloadHash: says(
        "InvalidArgument",
        400,
        INVALID_HASH,
        lambda error: (
            ("ArgumentName", "x-amz-content-sha256"),
            ("ArgumentValue", error.value[:128]),
        ),
    ),
    errors.PayloadFormNotAllowed: _s3_payload_form,
    errors.PayloadFormNotImplemented: says(
        "NotImplemented",
        501,
        "A header you provided implies functionality that is not implemented",
        lambda error: (("Header", "x-amz-content-sha256"),),
    ),
    errors.UnknownAccessKey: says(
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
        lambda error: (("AWSAccessKeyId", error.access_key_id or ""),),
    ),
    errors.InvalidSessionToken: says(
        "InvalidToken", 400, "The provided token is malformed or otherwise invalid."
    ),
    errors.ExpiredCredentials: says("ExpiredToken", 400, "The provided token has expired."),
    errors.CredentialsUnavailable: says(
        "ServiceUnavailable", 503, "Service is unable to handle request."
    ),
    errors.SignedHeaderMissing: says("SignatureDoesNotMatch", 403, _S3_MISMATCH),
    errors.SignatureMismatch: says(
        "SignatureDoesNotMatch",
        403,
        _S3_MISMATCH,
        lambda error: (
            ("AWSAccessKeyId", error.access_key_id or ""),
            ("SignatureProvided", error.signature),
        ),
    ),
    errors.PayloadHashMismatch: says(
        "XAmzContentSHA256Mismatch",
        400,
        HASH_MISMATCH,
        lambda error: (
            ("ClientComputedContentSHA256", error.declared),
            ("S3ComputedContentSHA256", error.computed),
        ),
    ),
    errors.MalformedChunk: says("IncompleteBody", 400, "The request body terminated unexpectedly"),
    errors.InvalidChunkSize: says(
        "InvalidChunkSizeError",
        403,
        "Only the last chunk is allowed to have a size less than 8192 bytes",
        lambda error: (("Chunk", str(error.chunk)), ("BadChunkSize", str(error.size))),
    ),
    errors.ChunkSignatureMismatch: says("SignatureDoesNotMatch", 403, _S3_MISMATCH),
    errors.MalformedTrailer: says("MalformedTrailerError", 400, MALFORMED_TRAILER),
    errors.UnsupportedTrailer: says(
        "InvalidRequest", 400, "The value specified in the x-amz-trailer header is not supported"
    ),
    errors.ChecksumMismatch: says("BadDigest", 400, checksum_mismatch),
    errors.InvalidChecksum: invalid_checksum,
    errors.SeveralChecksums: says(
        "InvalidRequest", 400, "Expecting a single x-amz-checksum- header"
    ),
    errors.ChecksumNotImplemented: says("NotImplemented", 501, str),
    errors.MalformedTarget: says("InvalidURI", 400, "Couldn't parse the specified URI."),
    errors.MalformedQuery: says("InvalidURI", 400, "Couldn't parse the specified URI."),
    errors.MalformedRequest: says("InvalidRequest", 400, str),
    errors.PathNotRouted: says("InvalidURI", 400, "Couldn't parse the specified URI."),
    errors.LengthRequired: says(
        "MissingContentLength", 411, "You must provide the Content-Length HTTP header."
    ),
    errors.InvalidContentLength: says(
        "InvalidRequest", 400, "The Content-Length HTTP header is invalid."
    ),
    errors.IncompleteBody: _s3_incomplete,
    errors.BodyTooLarge: says(
        "EntityTooLarge",
        413,
        "Your proposed upload exceeds the maximum allowed size",
        lambda error: (("MaxSizeAllowed", str(error.limit)),),
    ),
    errors.BodyTooSlow: says(
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the "
        "timeout period.",
    ),
    errors.StorageUnavailable: says(
        "ServiceUnavailable", 503, "Service is unable to handle request."
    ),
}
