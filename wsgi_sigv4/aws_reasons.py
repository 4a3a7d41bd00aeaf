"""What the services other than S3 say of each refusal.

The codes are those of the query protocol; the JSON protocols rename some:
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html

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
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.reason import Told
from wsgi_sigv4.reason import checksum_mismatch
from wsgi_sigv4.reason import invalid_checksum
from wsgi_sigv4.reason import iso
from wsgi_sigv4.reason import says
from wsgi_sigv4.timestamps import Timestamp

#: The JSON protocols call these by other names.
JSON_NAMES: Final = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}

_AWS_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_MISSING_TOKEN: Final = says(
    "MissingAuthenticationToken", 403, "Request is missing Authentication Token"
)


def _aws_algorithm(error: errors.UnsupportedAlgorithm) -> Reason:
    if error.presigned:
        return _MISSING_TOKEN(error)
    message = f"Unsupported AWS 'algorithm': '{error.algorithm}'."
    return Reason(code="IncompleteSignature", status=400, message=message)


def _aws_missing(error: errors.MissingParameters) -> Reason:
    if error.presigned:
        parts = [f"AWS query-string parameters must include '{name}'." for name in error.names]
        parts.append("Re-examine the query-string parameters.")
    else:
        parts = [f"Authorization header requires '{name}' parameter." for name in error.names]
        parts.append("Authorization=AWS4-HMAC-SHA256")
    return Reason(code="IncompleteSignature", status=400, message=" ".join(parts))


def _aws_scope(error: errors.ScopeMismatch) -> Reason:
    said = {
        "terminator": "Credential should be scoped with a valid terminator: 'aws4_request', "
        f"not '{error.terminator}'.",
        "region": f"Credential should be scoped to a valid region, not '{error.region}'.",
        "service": "Credential should be scoped to correct service: "
        f"'{', '.join(error.expected_services)}'.",
        "date": "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
        f"from HTTP: '{error.date}' != '{error.request_date}', from "
        f"'{error.request_timestamp}'.",
    }
    order = ("region", "service", "terminator", "date")
    message = " ".join(said[part] for part in order if part in error.faults)
    return Reason(code="SignatureDoesNotMatch", status=403, message=message)


def _aws_skew(error: errors.RequestTimeTooSkewed | errors.RequestNotYetValid) -> Reason:
    sent, now = Timestamp.at(error.request_time).iso, Timestamp.at(error.server_time).iso
    minutes = error.max_skew / 60
    if error.request_time > error.server_time:
        edge = Timestamp.at(error.server_time + error.max_skew).iso
        message = f"Signature not yet current: {sent} is still later than {edge} "
        message += f"({now} + {minutes:g} min.)"
    else:
        edge = Timestamp.at(error.server_time - error.max_skew).iso
        message = f"Signature expired: {sent} is now earlier than {edge} "
        message += f"({now} - {minutes:g} min.)"
    return Reason(code="SignatureDoesNotMatch", status=403, message=message)


def _incomplete(message: str | Callable[[Any], str]) -> Told:
    return says("IncompleteSignature", 400, message)


AWS_REASONS: Final[Mapping[type[errors.SigV4Error], Told]] = {
    errors.MissingAuthentication: _MISSING_TOKEN,
    # AWS gives no message here; an empty one would help nobody.
    errors.AmbiguousAuthentication: says(
        "SignatureDoesNotMatch",
        403,
        "The request carries an Authorization header and a signed query string: only one "
        "auth mechanism is allowed.",
    ),
    errors.UnsupportedAuthorization: _incomplete(
        lambda error: (
            f"Unsupported AWS 'algorithm': '{error.scheme}'."
            if error.scheme
            else "The Authorization header does not begin with AWS4-HMAC-SHA256 and a blank."
        )
    ),
    errors.UnsupportedAlgorithm: _aws_algorithm,
    errors.AlgorithmNotImplemented: says(
        "NotImplemented", 501, "AWS4-ECDSA-P256-SHA256 is not implemented."
    ),
    errors.MalformedAuthorization: _incomplete(
        lambda error: (
            f"'{error.part}' not a valid key=value pair (missing equal-sign) in Authorization "
            "header: 'AWS4-HMAC-SHA256'."
        )
    ),
    errors.MissingParameters: _aws_missing,
    errors.DuplicateParameter: _incomplete(
        lambda error: f"'{error.name}' is given more than once."
    ),
    errors.MalformedCredential: _incomplete(
        lambda error: (
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{error.credential[:256]}'"
        )
    ),
    errors.MalformedSignedHeaders: _incomplete(
        lambda error: (
            f"SignedHeaders must be a sorted list of lower-case names, got '{error.signed_headers}'"
        )
    ),
    errors.HostNotSigned: says(
        "SignatureDoesNotMatch",
        403,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    errors.MissingDate: _incomplete(
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "Authorization=AWS4-HMAC-SHA256"
    ),
    errors.MalformedDate: _incomplete(
        lambda error: (
            f"Date must be in ISO-8601 'basic format'. Got '{error.date}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        )
    ),
    errors.RequestTimeTooSkewed: _aws_skew,
    errors.RequestNotYetValid: _aws_skew,
    errors.InvalidExpires: _incomplete(
        "X-Amz-Expires must be a number of seconds from 1 to 604800."
    ),
    errors.RequestExpired: says(
        "RequestExpired",
        400,
        lambda error: (
            f"Request has expired. Signed at {iso(error.request_time)} for {error.expires} "
            f"seconds, it ended at {iso(error.expired_at)}; now is {iso(error.server_time)}."
        ),
    ),
    errors.ScopeMismatch: _aws_scope,
    errors.SignedHeaderMissing: says("SignatureDoesNotMatch", 403, _AWS_MISMATCH),
    errors.HeadersNotSigned: says(
        "SignatureDoesNotMatch",
        403,
        lambda error: " ".join(
            f"'{name}' must be a 'SignedHeader' in the AWS Authorization." for name in error.names
        ),
    ),
    errors.ConflictingValues: says(
        "InvalidParameterValue",
        400,
        lambda error: f"Conflicting values for '{error.name}' in the query and the headers.",
    ),
    errors.MissingPayloadHash: _incomplete("The request requires x-amz-content-sha256."),
    errors.InvalidPayloadHash: _incomplete(INVALID_HASH),
    errors.PayloadFormNotAllowed: _incomplete(
        lambda error: f"The payload form '{error.value}' is not allowed here."
    ),
    errors.PayloadFormNotImplemented: says(
        "NotImplemented",
        501,
        lambda error: f"The payload form '{error.value}' is not implemented.",
    ),
    errors.UnknownAccessKey: says(
        "InvalidClientTokenId", 403, "The security token included in the request is invalid."
    ),
    errors.InvalidSessionToken: says(
        "InvalidClientTokenId", 403, "The security token included in the request is invalid"
    ),
    errors.ExpiredCredentials: says(
        "ExpiredToken", 403, "The security token included in the request is expired"
    ),
    errors.CredentialsUnavailable: says(
        "ServiceUnavailable",
        503,
        "The request has failed due to a temporary failure of the server.",
    ),
    errors.SignatureMismatch: says("SignatureDoesNotMatch", 403, _AWS_MISMATCH),
    errors.PayloadHashMismatch: says("SignatureDoesNotMatch", 403, HASH_MISMATCH),
    errors.MalformedChunk: says("IncompleteBody", 400, str),
    errors.InvalidChunkSize: says(
        "InvalidChunkSizeError",
        403,
        "Only the last chunk is allowed to have a size less than 8192 bytes",
    ),
    errors.ChunkSignatureMismatch: says("SignatureDoesNotMatch", 403, _AWS_MISMATCH),
    errors.MalformedTrailer: says("MalformedTrailerError", 400, MALFORMED_TRAILER),
    errors.UnsupportedTrailer: says(
        "InvalidRequest", 400, "The value specified in the x-amz-trailer header is not supported"
    ),
    errors.ChecksumMismatch: says("BadDigest", 400, checksum_mismatch),
    errors.InvalidChecksum: says("InvalidRequest", 400, invalid_checksum),
    errors.SeveralChecksums: says(
        "InvalidRequest", 400, "Expecting a single x-amz-checksum- header"
    ),
    errors.ChecksumNotImplemented: says("NotImplemented", 501, str),
    errors.MalformedQuery: says("MalformedQueryString", 400, str),
    errors.MalformedTarget: says("InvalidURI", 400, str),
    errors.PathNotRouted: says("InvalidURI", 400, "The request path is not in its normal form."),
    errors.MalformedRequest: says("ValidationError", 400, str),
    errors.LengthRequired: says(
        "MissingContentLength", 411, "You must provide the Content-Length HTTP header."
    ),
    errors.InvalidContentLength: says(
        "ValidationError", 400, "The Content-Length HTTP header is invalid."
    ),
    errors.IncompleteBody: says("IncompleteBody", 400, "The request body terminated unexpectedly"),
    errors.BodyTooLarge: says(
        "RequestEntityTooLarge",
        413,
        lambda error: f"The request body must not have more than {error.limit} bytes.",
    ),
    errors.BodyTooSlow: says(
        "RequestTimeout", 408, "The request body did not arrive within the timeout period."
    ),
    errors.StorageUnavailable: says(
        "ServiceUnavailable",
        503,
        "The request has failed due to a temporary failure of the server.",
    ),
}
