"""Refusals for what a request says of itself: rules 1-8, and the request as such.

They need the request alone, so that whoever sends it may be told the facts.
"""

from __future__ import annotations

from typing import Final

from wsgi_sigv4.errors.root import SigV4Error

#: Characters of a value, and names of a list, that a log needs to tell what is wrong with it.
_MAX_SHOWN: Final = 128
_MAX_NAMES: Final = 8


class MalformedRequest(SigV4Error):
    """The request is not one that can be verified without guessing."""

    fault: str

    def __str__(self) -> str:
        return f"The request is malformed: {self.fault}."


class MalformedTarget(MalformedRequest):
    """The request target is not a clean path."""


class MalformedQuery(MalformedRequest):
    """The query string is not percent-encoded properly."""


class PathNotRouted(SigV4Error):
    """The path that was signed is not the path that the application routes on."""

    summary = "The signed path is not the path that the application would serve."
    hint = (
        "A server or proxy decodes, merges or resolves the path (nginx: proxy_pass without a "
        "URI part), or strips a prefix (path_prefix)."
    )


class MissingAuthentication(SigV4Error):
    """The request carries neither an AWS4 Authorization header nor a presigned query."""

    summary = "The request is not signed."
    hint = (
        "Sign it: curl --aws-sigv4, an SDK or a presigned URL. If it was signed: Apache hides "
        "Authorization unless WSGIPassAuthorization is On, and proxies and redirects lose it too."
    )


class AmbiguousAuthentication(SigV4Error):
    """The request carries more than one form of authentication."""

    summary = "The request is signed in the header and in the query at once."
    hint = "Send an Authorization header or a presigned URL, never both."


class UnsupportedAuthorization(SigV4Error):
    """The Authorization header is of another scheme."""

    #: The name of the scheme; empty where it cannot be told from a token or a secret.
    scheme: str
    #: False where the header has no space, so that nothing follows the scheme.
    has_parameters: bool = True

    summary = "The Authorization header is not AWS4-HMAC-SHA256."
    hint = "Signature Version 2 and other schemes are not verified here."


class UnsupportedAlgorithm(SigV4Error):
    """The algorithm token starts with AWS4 but is not exactly AWS4-HMAC-SHA256."""

    algorithm: str

    summary = "The signing algorithm is not AWS4-HMAC-SHA256."


class AlgorithmNotImplemented(UnsupportedAlgorithm):
    """The request is signed with AWS4-ECDSA-P256-SHA256 (SigV4A)."""

    summary = "SigV4A (AWS4-ECDSA-P256-SHA256) is not implemented."


class MalformedAuthorization(SigV4Error):
    """A part of the Authorization header is not ``name=value`` with a known name."""

    part: str

    summary = "The Authorization header cannot be parsed."
    hint = "A proxy that joins two Authorization headers, or cuts a long one, does this."


class MissingParameters(SigV4Error):
    """Parts of the authorization are absent or empty."""

    names: tuple[str, ...]

    summary = "Parts of the authorization are missing."


class DuplicateParameter(SigV4Error):
    """A part of the authorization stands twice."""

    name: str

    summary = "A part of the authorization is given twice."


class MalformedCredential(SigV4Error):
    """The credential is not ``keyid/date/region/service/aws4_request``."""

    credential: str
    #: The date part where it alone is wrong.
    date: str | None = None

    summary = "The credential is malformed."


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


class MalformedDate(SigV4Error):
    """The date of the request is in none of the accepted forms."""

    date: str

    summary = "The date of the request cannot be read."


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

    @property
    def log_detail(self) -> str:
        """How far the clocks are apart, and how far they may be."""
        return _time_off(self.request_time - self.server_time, self.max_skew)


class InvalidExpires(SigV4Error):
    """X-Amz-Expires is not a number from 1 to 604800."""

    expires: str

    summary = "X-Amz-Expires is not a number from 1 to 604800."


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


class RequestNotYetValid(SigV4Error):
    """A presigned URL is dated further ahead than the skew allows."""

    request_time: int
    server_time: float
    max_skew: int

    summary = "The presigned URL is not valid yet."
    hint = "Compare the clocks of both machines (NTP)."

    @property
    def log_detail(self) -> str:
        """How far the clocks are apart, and how far they may be."""
        return _time_off(self.request_time - self.server_time, self.max_skew)


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

    @property
    def log_detail(self) -> str:
        """Each part that is wrong, and what it should be."""
        parts = {
            "terminator": (self.terminator, ("aws4_request",)),
            "region": (self.region, self.expected_regions),
            "service": (self.service_sent, self.expected_services),
            "date": (self.date, (self.request_date,)),
        }
        wrong = [
            f"the {fault} {_shown(parts[fault][0])} where {_listed(parts[fault][1])} is accepted"
            for fault in self.faults
        ]
        return f"The client signed for {' and '.join(wrong)}."


class SignedHeaderMissing(SigV4Error):
    """A header is listed as signed but was not sent."""

    name: str

    summary = "A signed header did not arrive."
    hint = "A proxy may have removed it."


class HeadersNotSigned(SigV4Error):
    """Headers were sent that must be signed and are not."""

    names: tuple[str, ...]

    summary = "Headers that must be signed are not."
    hint = "Where an edge adds them, name them in allow_unsigned_headers."


class HostNotAccepted(SigV4Error):
    """The Host header is none of the accepted ones.

    Attributes:
        host: the Host header, cut.
        accepted: the verifier's, for its operator: no answer tells it.
    """

    host: str
    accepted: tuple[str, ...] = ()

    summary = "The Host header is none of the accepted ones."
    hint = "Compare `hosts` with the Host that the proxy passes on (nginx: $http_host)."

    @property
    def log_detail(self) -> str:
        """The Host that came, and those that are accepted."""
        # Who takes it from a URL as it is may send the password that stands there.
        _, at, name = self.host.rpartition("@")
        host = _shown(f"...@{name}" if at else name)
        return f"The Host is {host}; accepted: {_listed(self.accepted) or 'none'}."


class ConflictingValues(SigV4Error):
    """A value is given in the header and in the query, and they differ."""

    name: str

    summary = "A value in the query and its header disagree."


class MissingPayloadHash(SigV4Error):
    """The profile wants x-amz-content-sha256, and it is absent."""

    summary = "x-amz-content-sha256 is missing."


class InvalidPayloadHash(SigV4Error):
    """x-amz-content-sha256 is none of the known forms."""

    value: str

    summary = "x-amz-content-sha256 is none of the known forms."


class PayloadFormNotAllowed(SigV4Error):
    """The payload form is known, but not allowed for this request."""

    value: str

    summary = "The payload form is not allowed here."
    hint = "UNSIGNED-PAYLOAD needs allow_unsigned_payload outside S3."


class PayloadFormNotImplemented(SigV4Error):
    """The payload form is known, but this version cannot verify it."""

    value: str

    summary = "The payload form is not implemented."


def _time_off(seconds: float, max_skew: int) -> str:
    side = "ahead of" if seconds > 0 else "behind"
    return (
        f"The request is dated {abs(seconds):.0f} s {side} the server's clock; {max_skew} s are "
        "accepted."
    )


def _listed(names: tuple[str, ...]) -> str:
    """Return the *names* that an operator has written, or the first of them."""
    return ", ".join(names if len(names) <= _MAX_NAMES else (*names[:_MAX_NAMES], "..."))


def _shown(sent: str) -> str:
    """Return what was *sent* in quotes, as printable ASCII, cut."""
    escaped = ascii(sent[: _MAX_SHOWN + 1])[1:-1]
    return f"'{escaped}'" if len(escaped) <= _MAX_SHOWN else f"'{escaped[:_MAX_SHOWN]}...'"
