"""The tree of refusals: one class per reason.

A refusal is raised where a rule fails, carries the facts of the case as
attributes and knows nothing of HTTP. What a client is told for it (AWS code,
status, message) is a table in :mod:`wsgi_sigv4.responses`.

    SigV4Error
        MissingAuthentication           rule 1: nothing to verify
        AmbiguousAuthentication         rule 1: header and query at once
        UnsupportedAuthorization        rule 2: another scheme
        UnsupportedAlgorithm            rule 2: not AWS4-HMAC-SHA256
            AlgorithmNotImplemented     rule 2: SigV4A, known but not built
        MalformedAuthorization          rule 2: the header's grammar
        MissingParameters               rule 2: a part is missing or empty
        DuplicateParameter              rule 2: a part stands twice
        MalformedCredential             rules 2, 6: not keyid/date/region/service/aws4_request
        MalformedSignedHeaders          rules 2, 7: not sorted, unique, lower-case
        HostNotSigned                   rule 3
        MissingDate                     rule 4
        MalformedDate                   rule 4
        RequestTimeTooSkewed            rule 5: header form, either side
        InvalidExpires                  rule 5
        RequestExpired                  rule 5: presigned
        RequestNotYetValid              rule 5: presigned
        ScopeMismatch                   rule 6
        SignedHeaderMissing             rule 7: listed, but not sent
        HeadersNotSigned                rule 7: sent, but not listed
        HostNotAccepted                 rule 7
        ConflictingValues               rule 8: header and query disagree
        MissingPayloadHash              rule 8
        InvalidPayloadHash              rule 8: not one of the closed set of forms
        PayloadFormNotAllowed           rule 8: known, but not here
        PayloadFormNotImplemented       rule 8: known, but not built
        UnknownAccessKey                rule 9
        InvalidSessionToken             rule 9
        ExpiredCredentials              rule 9
        CredentialsUnavailable          rule 9: the back end is down
        SignatureMismatch               rule 10
        PayloadHashMismatch             rule 11
        MalformedChunk                  rule 11: aws-chunked
        InvalidChunkSize                rule 11
        ChunkSignatureMismatch          rule 11
        MalformedTrailer                rule 11: not the declared trailers
        UnsupportedTrailer              rule 11: no checksum
        ChecksumMismatch                rule 11: x-amz-checksum-*, Content-MD5
        InvalidChecksum                 rule 11: no checksum of its kind
        SeveralChecksums                rule 11
        ChecksumNotImplemented          rule 11: unknown, or its library not there
        MalformedRequest                the request itself
            MalformedTarget
            MalformedQuery
        PathNotRouted                   the verified path is not the routed one
        LengthRequired                  the body
        InvalidContentLength
        IncompleteBody
        BodyTooLarge
        BodyTooSlow
        StorageUnavailable
        AccessDenied                    the operator's own word

:class:`ConfigurationError` is no refusal: it is the programmer's fault and is
raised at start-up only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any


class ConfigurationError(ValueError):
    """A parameter of the verifier or of a skin makes no sense."""


class SigV4Error(Exception):
    """Root of all refusals. Never raised itself.

    A refusal can be copied and pickled; what no repr shows stays behind.

    Attributes:
        access_key_id: the key the request names, or None where it names none
            that can be read. Nothing has been verified about it.
        presigned: True where the request was judged as a presigned URL.
        service: the service of the credential scope, or None before rule 6.
    """

    #: One sentence for the log: what happened.
    summary = "The request was refused."
    #: One sentence for the operator: what to look at; empty where there is nothing to say.
    hint = ""

    access_key_id: str | None = None
    presigned: bool = False
    service: str | None = None

    def __str__(self) -> str:
        return self.summary

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made again from its args, which facts are not among.
        return _made_again, (type(self), self.args), self._facts()

    def _facts(self) -> dict[str, object]:
        """Return the attributes that go along with a copy."""
        return dict(vars(self))


def _made_again(kind: type[SigV4Error], args: tuple[object, ...]) -> SigV4Error:
    return kind.__new__(kind, *args)


class MissingAuthentication(SigV4Error):
    """The request carries neither an AWS4 Authorization header nor a presigned query."""

    summary = "The request is not signed."
    hint = "Apache hides Authorization unless WSGIPassAuthorization is On; redirects lose it too."


@dataclass(eq=False, kw_only=True)
class AmbiguousAuthentication(SigV4Error):
    """The request carries more than one form of authentication."""

    summary = "The request is signed in the header and in the query at once."
    hint = "Send an Authorization header or a presigned URL, never both."


@dataclass(eq=False, kw_only=True)
class UnsupportedAuthorization(SigV4Error):
    """The Authorization header is of another scheme."""

    #: The name of the scheme; empty where it cannot be told from a token or a secret.
    scheme: str
    #: False where the header has no space, so that nothing follows the scheme.
    has_parameters: bool = True

    summary = "The Authorization header is not AWS4-HMAC-SHA256."
    hint = "Signature Version 2 and other schemes are not verified here."


@dataclass(eq=False, kw_only=True)
class UnsupportedAlgorithm(SigV4Error):
    """The algorithm token starts with AWS4 but is not exactly AWS4-HMAC-SHA256."""

    algorithm: str

    summary = "The signing algorithm is not AWS4-HMAC-SHA256."


class AlgorithmNotImplemented(UnsupportedAlgorithm):
    """The request is signed with AWS4-ECDSA-P256-SHA256 (SigV4A)."""

    summary = "SigV4A (AWS4-ECDSA-P256-SHA256) is not implemented."


@dataclass(eq=False, kw_only=True)
class MalformedAuthorization(SigV4Error):
    """A part of the Authorization header is not ``name=value`` with a known name."""

    part: str

    summary = "The Authorization header cannot be parsed."
    hint = "A proxy that joins two Authorization headers, or cuts a long one, does this."


@dataclass(eq=False, kw_only=True)
class MissingParameters(SigV4Error):
    """Parts of the authorization are absent or empty."""

    names: tuple[str, ...]

    summary = "Parts of the authorization are missing."


@dataclass(eq=False, kw_only=True)
class DuplicateParameter(SigV4Error):
    """A part of the authorization stands twice."""

    name: str

    summary = "A part of the authorization is given twice."


@dataclass(eq=False, kw_only=True)
class MalformedCredential(SigV4Error):
    """The credential is not ``keyid/date/region/service/aws4_request``."""

    credential: str
    #: The date part where it alone is wrong.
    date: str | None = None

    summary = "The credential is malformed."


@dataclass(eq=False, kw_only=True)
class MalformedSignedHeaders(SigV4Error):
    """The list of signed headers is not sorted, unique and lower-case."""

    signed_headers: str

    summary = "The list of signed headers is not sorted, unique and lower-case."


class HostNotSigned(SigV4Error):
    """``host`` is not among the signed headers."""

    summary = "The Host header is not signed."


class MissingDate(SigV4Error):
    """The request carries no date, or no readable one."""

    summary = "The request carries no date."


@dataclass(eq=False, kw_only=True)
class MalformedDate(SigV4Error):
    """The date of the request is in none of the accepted forms."""

    date: str

    summary = "The date of the request cannot be read."


@dataclass(eq=False, kw_only=True)
class RequestTimeTooSkewed(SigV4Error):
    """The date of a header-signed request is too far from the server's clock.

    Attributes:
        request_time: POSIX seconds of the request.
        server_time: POSIX seconds of the server.
        max_skew: the accepted distance in seconds.
    """

    request_time: int
    server_time: float
    max_skew: int

    summary = "The time of the request is too far from the server's."
    hint = "Compare the clocks of both machines (NTP); a slow upload also ends here."


@dataclass(eq=False, kw_only=True)
class InvalidExpires(SigV4Error):
    """X-Amz-Expires is not a number from 1 to 604800."""

    expires: str

    summary = "X-Amz-Expires is not a number from 1 to 604800."


@dataclass(eq=False, kw_only=True)
class RequestExpired(SigV4Error):
    """A presigned URL is past its end.

    Attributes:
        expires: the lifetime in seconds.
        expired_at: POSIX seconds of its end.
        server_time: POSIX seconds of the server.
        request_time: POSIX seconds of its beginning.
    """

    expires: int
    expired_at: int
    server_time: float
    request_time: int

    summary = "The presigned URL has expired."


@dataclass(eq=False, kw_only=True)
class RequestNotYetValid(SigV4Error):
    """A presigned URL is dated further ahead than the skew allows."""

    request_time: int
    server_time: float
    max_skew: int

    summary = "The presigned URL is not valid yet."
    hint = "Compare the clocks of both machines (NTP)."


@dataclass(eq=False, kw_only=True)
class ScopeMismatch(SigV4Error):
    """The credential scope is not the one this verifier accepts.

    Attributes:
        faults: the parts that are wrong, a non-empty subset of
            ``("terminator", "region", "service", "date")`` in this order.
        date, region, service_sent, terminator: the scope as sent.
        expected_regions, expected_services: what is accepted.
        request_date: the date of the request time, ``YYYYMMDD``.
        request_timestamp: the request time in the ISO basic form.
    """

    faults: tuple[str, ...]
    date: str
    region: str
    service_sent: str
    terminator: str
    expected_regions: tuple[str, ...]
    expected_services: tuple[str, ...]
    request_date: str
    request_timestamp: str

    summary = "The credential scope is not accepted here."
    hint = "Compare the client's region and service with the verifier's."


@dataclass(eq=False, kw_only=True)
class SignedHeaderMissing(SigV4Error):
    """A header is listed as signed but was not sent."""

    name: str

    summary = "A signed header did not arrive."
    hint = "A proxy may have removed it."


@dataclass(eq=False, kw_only=True)
class HeadersNotSigned(SigV4Error):
    """Headers were sent that must be signed and are not."""

    names: tuple[str, ...]

    summary = "Headers that must be signed are not."
    hint = "Where an edge adds them, name them in allow_unsigned_headers."


@dataclass(eq=False, kw_only=True)
class HostNotAccepted(SigV4Error):
    """The Host header is none of the accepted ones."""

    host: str

    summary = "The Host header is none of the accepted ones."
    hint = "Compare `hosts` with the Host that the proxy passes on (nginx: $http_host)."


@dataclass(eq=False, kw_only=True)
class ConflictingValues(SigV4Error):
    """A value is given in the header and in the query, and they differ."""

    name: str

    summary = "A value in the query and its header disagree."


class MissingPayloadHash(SigV4Error):
    """The profile wants x-amz-content-sha256, and it is absent."""

    summary = "x-amz-content-sha256 is missing."


@dataclass(eq=False, kw_only=True)
class InvalidPayloadHash(SigV4Error):
    """x-amz-content-sha256 is none of the known forms."""

    value: str

    summary = "x-amz-content-sha256 is none of the known forms."


@dataclass(eq=False, kw_only=True)
class PayloadFormNotAllowed(SigV4Error):
    """The payload form is known, but not allowed for this request."""

    value: str

    summary = "The payload form is not allowed here."
    hint = "UNSIGNED-PAYLOAD needs allow_unsigned_payload outside S3."


@dataclass(eq=False, kw_only=True)
class PayloadFormNotImplemented(SigV4Error):
    """The payload form is known, but this version cannot verify it."""

    value: str

    summary = "The payload form is not implemented."


class UnknownAccessKey(SigV4Error):
    """No credentials are known for the access key id."""

    summary = "The access key id is unknown."


@dataclass(eq=False, kw_only=True)
class InvalidSessionToken(SigV4Error):
    """The session token is wrong, missing for a temporary key, or given with a permanent one."""

    #: True where the request carries no token at all.
    absent: bool = False

    summary = "The session token does not belong to the access key."


class ExpiredCredentials(SigV4Error):
    """The credentials are past their expiry."""

    summary = "The credentials have expired."


class CredentialsUnavailable(SigV4Error):
    """The back end that holds the credentials cannot be reached.

    Raised by a credential provider; answered with 503 and Retry-After.

    Args:
        retry_after: seconds after which a client may try again.
    """

    summary = "The credentials cannot be looked up at the moment."
    hint = "Look at the credential provider's own log."

    def __init__(self, message: str = "", *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the server canonicalised, for ``explain=True`` only.

    It holds cookies and session tokens as they were signed; whoever shows it
    redacts them, and its repr shows nothing. It never holds the calculated
    signature.
    """

    canonical_request: bytes = field(repr=False)
    string_to_sign: bytes = field(repr=False)


@dataclass(eq=False, kw_only=True)
class SignatureMismatch(SigV4Error):
    """The signature is not the one that the request and the secret make.

    Attributes:
        signature: the signature as sent.
        explain: makes the evidence out of the request, or None. A function, so
            that what shows the attributes of an exception shows no cookies.
    """

    signature: str = field(repr=False)
    explain: Callable[[], Evidence] | None = field(default=None, repr=False)

    summary = "The signature does not match."
    hint = (
        "The secret differs, or something between the client and this server changed the Host "
        "header (nginx: proxy_set_header Host $http_host), the path, the query or a signed header."
    )

    def _facts(self) -> dict[str, object]:
        # The signature of a presigned URL is a key, once what broke it is mended.
        return super()._facts() | {"signature": "", "explain": None}

    @property
    def evidence(self) -> Evidence | None:
        """What the server canonicalised, made when it is asked for; None where nothing can be."""
        return None if self.explain is None else self.explain()


@dataclass(eq=False, kw_only=True)
class PayloadHashMismatch(SigV4Error):
    """The body is not the one whose hash was signed."""

    declared: str
    computed: str

    summary = "The body does not match its signed hash."
    hint = "curl 7.88 signs the hash of an empty body for -T and -F."


@dataclass(eq=False, kw_only=True)
class MalformedChunk(SigV4Error):
    """The body is not aws-chunked, though its payload form says so."""

    fault: str

    def __str__(self) -> str:
        return f"The body is not aws-chunked: {self.fault}."


@dataclass(eq=False, kw_only=True)
class InvalidChunkSize(SigV4Error):
    """A signed chunk is too small, and not the last one.

    Attributes:
        chunk: its number, from 1 on.
        size: its size in bytes.
    """

    chunk: int
    size: int

    summary = "A signed chunk is too small, and not the last one."


class ChunkSignatureMismatch(SigV4Error):
    """A chunk, or the trailers, are not the ones that were signed."""

    summary = "A chunk or the trailers do not match their signature."


class MalformedTrailer(SigV4Error):
    """The trailers are not the ones that x-amz-trailer declares, each of them once."""

    summary = "The trailers are not the declared ones."


@dataclass(eq=False, kw_only=True)
class UnsupportedTrailer(SigV4Error):
    """x-amz-trailer declares what is no checksum, where only checksums can be."""

    name: str

    def __str__(self) -> str:
        return f"The trailer {self.name!r} is not supported."


@dataclass(eq=False, kw_only=True)
class ChecksumMismatch(SigV4Error):
    """The body does not have the checksum that came with it.

    Attributes:
        algorithm: the name of the checksum, such as ``"crc32"``.
    """

    algorithm: str

    summary = "The body does not have the checksum that came with it."


@dataclass(eq=False, kw_only=True)
class InvalidChecksum(SigV4Error):
    """A checksum is not the base64 text of as many bytes as its algorithm makes.

    Attributes:
        name: the name of the header or trailer.
        is_trailer: True where it came as a trailer.
    """

    name: str
    is_trailer: bool = False

    summary = "A checksum is not base64 text of the right length."


class SeveralChecksums(SigV4Error):
    """The request carries more than one x-amz-checksum-* value."""

    summary = "The request carries more than one checksum."


@dataclass(eq=False, kw_only=True)
class ChecksumNotImplemented(SigV4Error):
    """A checksum is not known, or the library that calculates it is not installed.

    Attributes:
        algorithm: the name of the checksum, such as ``"crc32c"``.
        extra: the extra of this package that installs the library, or None.
    """

    algorithm: str
    extra: str | None = None

    def __str__(self) -> str:
        if self.extra is None:
            return f"The checksum {self.algorithm} is not implemented."
        return f"The checksum {self.algorithm} needs wsgi-sigv4[{self.extra}] on the server."


@dataclass(eq=False, kw_only=True)
class MalformedRequest(SigV4Error):
    """The request is not one that can be verified without guessing."""

    fault: str

    def __str__(self) -> str:
        return f"The request is malformed: {self.fault}."


class MalformedTarget(MalformedRequest):
    """The request target is not a clean path."""


class MalformedQuery(MalformedRequest):
    """The query string is not percent-encoded properly."""


@dataclass(eq=False, kw_only=True)
class PathNotRouted(SigV4Error):
    """The path that was signed is not the path that the application routes on."""

    summary = "The signed path is not the path that the application would serve."
    hint = (
        "A server or proxy decodes, merges or resolves the path (nginx: proxy_pass without a "
        "URI part), or strips a prefix (path_prefix)."
    )


class LengthRequired(SigV4Error):
    """The body has no length, and the server cannot tell where it ends."""

    summary = "The body has no length."
    hint = "This WSGI server does not decode Transfer-Encoding: chunked."


@dataclass(eq=False, kw_only=True)
class InvalidContentLength(SigV4Error):
    """Content-Length is not a number, or contradicts Transfer-Encoding."""

    value: str

    summary = "Content-Length is not usable."


@dataclass(eq=False, kw_only=True)
class IncompleteBody(SigV4Error):
    """The body ended before its declared length, or could not be read.

    Attributes:
        expected: declared length in bytes, or None where there was none.
        received: length in bytes that arrived.
    """

    expected: int | None
    received: int

    summary = "The body ended early."


@dataclass(eq=False, kw_only=True)
class BodyTooLarge(SigV4Error):
    """The body is larger than accepted.

    Attributes:
        limit: the largest accepted length in bytes; for a body that must be
            read before the signature can be checked, the smaller one.
    """

    limit: int

    summary = "The body is too large."
    hint = "See max_body; without x-amz-content-sha256, unverified_body_limit."


class BodyTooSlow(SigV4Error):
    """The body did not arrive within the time limit."""

    summary = "The body took too long to arrive."


class StorageUnavailable(SigV4Error):
    """The body could not be kept in the temporary folder."""

    summary = "There is no room for the body in the temporary folder."


class AccessDenied(SigV4Error):
    """The request is authentic, but the operator does not allow it."""

    summary = "The operator's authorize refused the request."
