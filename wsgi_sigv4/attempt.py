"""Rules 3-8: what a request claims, as far as the request alone can tell.

In come a request and its authorization, out comes an :class:`Attempt`: parsed
once, so that every later step reads the same time, scope, payload form and
path. Nobody has vouched for any of it yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.authorization import Authorization
from wsgi_sigv4.canonical import has_dot_segments
from wsgi_sigv4.canonical import is_plain
from wsgi_sigv4.canonical import normalize_path
from wsgi_sigv4.credentials import TERMINATOR
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.errors import ConflictingValues
from wsgi_sigv4.errors import HeadersNotSigned
from wsgi_sigv4.errors import HostNotAccepted
from wsgi_sigv4.errors import HostNotSigned
from wsgi_sigv4.errors import InvalidExpires
from wsgi_sigv4.errors import InvalidSessionToken
from wsgi_sigv4.errors import MalformedDate
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.errors import MissingDate
from wsgi_sigv4.errors import MissingParameters
from wsgi_sigv4.errors import MissingPayloadHash
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import PayloadFormNotAllowed
from wsgi_sigv4.errors import PayloadFormNotImplemented
from wsgi_sigv4.errors import RequestExpired
from wsgi_sigv4.errors import RequestNotYetValid
from wsgi_sigv4.errors import RequestTimeTooSkewed
from wsgi_sigv4.errors import ScopeMismatch
from wsgi_sigv4.errors import SignedHeaderMissing
from wsgi_sigv4.framing import Stream
from wsgi_sigv4.limits import MAX_EXPIRES
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length
from wsgi_sigv4.payload import ABSENT
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.payload import PayloadHash
from wsgi_sigv4.policy import PAYLOAD_HASH
from wsgi_sigv4.policy import TOKEN_HEADERS
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.profiles import Profile
from wsgi_sigv4.request import Request
from wsgi_sigv4.timestamps import Timestamp
from wsgi_sigv4.timestamps import find_date
from wsgi_sigv4.timestamps import find_iso_basic
from wsgi_sigv4.timestamps import is_ahead
from wsgi_sigv4.timestamps import is_expired
from wsgi_sigv4.timestamps import is_skewed

# Python 3.11 takes long to find a member of an enum.
_SHA256: Final = PayloadForm.SHA256
_UNSIGNED: Final = PayloadHash(form=PayloadForm.UNSIGNED, value=PayloadForm.UNSIGNED.value)
_TOKEN_HEADERS: Final = frozenset(TOKEN_HEADERS)
_UPLOADS: Final = ("PUT", "POST")
_EXPIRES: Final = re.compile(r"[0-9]{1,6}", re.ASCII)


# Not frozen, as that would take as long as half the rules.
@dataclass(slots=True, kw_only=True)
class Attempt:
    """A request that passed rules 1-8; nobody has vouched for it yet.

    Attributes:
        request: the request.
        query: its decoded parameters, in the order sent.
        authorization: what it says of its signature.
        timestamp: its time.
        lifetime: seconds that a presigned URL lives, None for the header form.
        profile: the profile of its service.
        max_skew: seconds that its time may differ.
        payload: what it says of its body.
        empty_body_only: True where an unsigned body is not allowed, so that
            only an empty one may come.
        session_token: the session token as sent, or None.
        path: the decoded path that the application has to route on.
        stream: how the body is framed as aws-chunked, or None where it is not.
    """

    request: Request
    query: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    authorization: Authorization
    timestamp: Timestamp
    lifetime: int | None
    profile: Profile
    max_skew: int
    payload: PayloadHash
    empty_body_only: bool
    session_token: str | None = field(repr=False)
    path: bytes
    stream: Stream | None = None

    @property
    def access_key_id(self) -> str:
        """The access key id that the request names."""
        return self.authorization.credential.access_key_id

    @property
    def scope(self) -> CredentialScope:
        """The credential scope that the request names."""
        return self.authorization.credential.scope

    @property
    def presigned(self) -> bool:
        """True for a presigned URL."""
        return self.authorization.presigned

    @property
    def payload_form(self) -> PayloadForm:
        """How the body is bound to the signature."""
        return self.payload.form

    @classmethod
    def of(
        cls,
        request: Request,
        query: tuple[tuple[bytes, bytes], ...],
        authorization: Authorization,
        *,
        policy: Policy,
        now: float,
    ) -> Attempt:
        """Return what *request* claims, after rules 3-8.

        Raises:
            SigV4Error: the reason for which the request is refused.
        """
        profile = policy.profile(authorization.credential.scope.service)
        # Rule 3: the Host header is signed.
        if "host" not in authorization.signed_headers:
            raise HostNotSigned
        # Rule 4: one and the same time feeds all that follows.
        timestamp = _timestamp(request, authorization)
        # Rule 5: the request is fresh.
        max_skew = policy.skew(profile)
        lifetime = _lifetime(authorization, profile, max_skew=max_skew)
        check_freshness(timestamp, lifetime=lifetime, max_skew=max_skew, now=now)
        # Rule 6: the scope is ours, and its date that of the request time.
        check_scope(authorization.credential.scope, timestamp, policy)
        # Rule 7: what must be signed is.
        _check_coverage(request, authorization, policy)
        _check_host(request, policy)
        # Rule 8: the payload form is known and allowed.
        payload, empty_body_only = _payload(request, authorization, profile, policy)
        return cls(
            request=request,
            query=query,
            authorization=authorization,
            timestamp=timestamp,
            lifetime=lifetime,
            profile=profile,
            max_skew=max_skew,
            payload=payload,
            empty_body_only=empty_body_only,
            session_token=_session_token(request, authorization),
            path=_routed_path(request, profile),
            stream=Stream.of(request, payload.form) if payload.form.is_streaming else None,
        )


def check_freshness(
    timestamp: Timestamp, *, lifetime: int | None, max_skew: int, now: float
) -> None:
    """Apply rule 5: the request is fresh, by its *lifetime* where it is a presigned URL.

    Raises:
        RequestTimeTooSkewed: if a header-signed request is too old or too new.
        RequestNotYetValid: if a presigned URL is dated too far ahead.
        RequestExpired: if a presigned URL is past its end.
    """
    if lifetime is None:
        if is_skewed(timestamp, now=now, max_skew=max_skew):
            raise RequestTimeTooSkewed(
                request_time=timestamp.posix, server_time=now, max_skew=max_skew
            )
        return
    if is_ahead(timestamp, now=now, max_skew=max_skew):
        raise RequestNotYetValid(request_time=timestamp.posix, server_time=now, max_skew=max_skew)
    if is_expired(timestamp, lifetime=lifetime, now=now):
        raise RequestExpired(
            expires=lifetime,
            expired_at=timestamp.posix + lifetime,
            server_time=now,
            request_time=timestamp.posix,
        )


def check_scope(scope: CredentialScope, timestamp: Timestamp, policy: Policy) -> None:
    """Apply rule 6: the *scope* is one that *policy* accepts, and its date that of the request.

    Raises:
        ScopeMismatch: if it is not.
    """
    regions, services, date = policy.regions, policy.services, timestamp.date
    faults = []
    if scope.terminator != TERMINATOR:
        faults.append("terminator")
    if regions is not None and scope.region not in regions:
        faults.append("region")
    if services is not None and scope.service not in services:
        faults.append("service")
    # A key that leaked for one day must not sign another one's requests.
    if scope.date != date:
        faults.append("date")
    if faults:
        raise ScopeMismatch(
            faults=tuple(faults),
            date=scope.date,
            region=scope.region,
            service_sent=scope.service,
            terminator=scope.terminator,
            expected_regions=regions or (),
            expected_services=services or (),
            request_date=date,
            request_timestamp=timestamp.iso,
        )


def _timestamp(request: Request, authorization: Authorization) -> Timestamp:
    if authorization.presigned:
        text = authorization.date or ""
        timestamp = find_iso_basic(text)
    elif (amz_date := request.values.get("x-amz-date")) is not None:
        text = amz_date.decode("ascii", "backslashreplace")
        timestamp = find_iso_basic(text)
    elif (date := request.values.get("date")) is not None:
        text = date.decode("ascii", "backslashreplace")
        timestamp = find_date(text)
    else:
        raise MissingDate
    if timestamp is None:
        raise MalformedDate(date=text[:64])
    return timestamp


def _lifetime(authorization: Authorization, profile: Profile, *, max_skew: int) -> int | None:
    if not authorization.presigned:
        return None
    expires = authorization.expires
    if expires is None:
        if profile.expires_required:
            raise MissingParameters(names=("X-Amz-Expires",))
        return max_skew
    if _EXPIRES.fullmatch(expires) is None or not 1 <= int(expires) <= MAX_EXPIRES:
        raise InvalidExpires(expires=expires[:64])
    return int(expires)


def _check_coverage(request: Request, authorization: Authorization, policy: Policy) -> None:
    coverage = _COVERAGES[authorization.signed_headers, tuple(request.values)]
    if coverage.missing:
        raise SignedHeaderMissing(name=min(coverage.missing))
    unsigned = coverage.unsigned_amz - policy.may_be_unsigned
    if policy.require_signed:
        unsigned |= (policy.require_signed & coverage.unsigned) - request.doubtful_headers
    if unsigned:
        raise HeadersNotSigned(names=tuple(sorted(unsigned)))


class _Coverage(NamedTuple):
    """How the signed headers and those that were sent stand to each other.

    Attributes:
        missing: names that are signed, but were not sent.
        unsigned_amz: names of AWS's that were sent, but are not signed.
        unsigned: other names that were sent, but are not signed.
    """

    missing: frozenset[str]
    unsigned_amz: frozenset[str]
    unsigned: frozenset[str]

    @classmethod
    def of(cls, signed_and_sent: tuple[tuple[str, ...], tuple[str, ...]]) -> _Coverage:
        """Return how the names of both stand to each other."""
        signed, sent = map(frozenset, signed_and_sent)
        # Whoever holds a presigned URL could add x-amz-copy-source or x-amz-acl
        # to it (CVE-2026-54330); frameworks take `x_amz_acl` for the same header.
        amz = frozenset(n for n in sent - signed if n.replace("_", "-").startswith("x-amz-"))
        return cls(missing=signed - sent, unsigned_amz=amz, unsigned=sent - signed - amz)


#: Clients of one kind send, and sign, the same headers.
_COVERAGES: Final = Memo(_Coverage.of, longest=8192, size=lambda key: sum(map(total_length, key)))


def _check_host(request: Request, policy: Policy) -> None:
    sent = request.values.get("host")
    if not sent or b"," in sent:
        raise MalformedRequest(fault="the Host header is empty or stands twice")
    if policy.hosts is not None:
        host = sent.decode("ascii", "backslashreplace")
        if not policy.accepts_host(host):
            raise HostNotAccepted(host=host[:256])


def _payload(
    request: Request, authorization: Authorization, profile: Profile, policy: Policy
) -> tuple[PayloadHash, bool]:
    """Return what the request says of its body, and whether that must be empty."""
    sent = request.values.get(PAYLOAD_HASH)
    if authorization.content_sha256 is not None:
        sent = _agreed(PAYLOAD_HASH, sent, authorization.content_sha256)
    payload = PayloadHash.parse(sent)
    if payload.form is _SHA256:
        return payload, False
    allowed = policy.allows_unsigned_payload(profile)
    if payload is ABSENT:
        if not authorization.presigned and profile.payload_header_required:
            raise MissingPayloadHash
        if authorization.presigned and profile.presigned_payload_unsigned:
            return _UNSIGNED, not allowed
        return payload, False
    match payload.form:
        case PayloadForm.UNSIGNED if allowed:
            return payload, False
        case PayloadForm.UNSIGNED:
            raise PayloadFormNotAllowed(value=payload.value)
        case PayloadForm.STREAMING_UNSIGNED_TRAILER if not allowed:
            raise PayloadFormNotAllowed(value=payload.value)
        # The query of a URL cannot say how a body is framed that comes later.
        case _ if authorization.presigned or request.method not in _UPLOADS:
            raise PayloadFormNotAllowed(value=payload.value)
        case PayloadForm.STREAMING_UNSIGNED_TRAILER:
            return payload, False
        case PayloadForm.STREAMING_SIGNED | PayloadForm.STREAMING_SIGNED_TRAILER:
            return payload, False
        case _:
            raise PayloadFormNotImplemented(value=payload.value)


def _agreed(name: str, *values: bytes | None) -> bytes | None:
    """Return the one value of *name*, which may stand in a header and in the query.

    Raises:
        ConflictingValues: if it stands in both, and they differ.
    """
    found: bytes | None = None
    for value in values:
        if value is None:
            continue
        if found is not None and value != found:
            raise ConflictingValues(name=name)
        found = value
    return found


def _session_token(request: Request, authorization: Authorization) -> str | None:
    sent = authorization.session_token
    if not _TOKEN_HEADERS.isdisjoint(request.values):
        sent = _agreed(TOKEN_HEADERS[0], sent, *map(request.values.get, TOKEN_HEADERS))
    if sent is None:
        return None
    try:
        return sent.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidSessionToken from None


def _routed_path(request: Request, profile: Profile) -> bytes:
    """Return the decoded path that the application has to route on.

    Raises:
        MalformedTarget: if dot segments reach above the root, or are left
            behind percent escapes.
        PathNotRouted: if the application would route on another path.
    """
    sent = request.path
    as_sent = normal = percent_decode(sent)
    if profile.normalize_path and not is_plain(sent):
        try:
            path = normalize_path(sent)
        except ValueError:
            raise MalformedTarget(fault="the path reaches above the root") from None
        normal = as_sent if path is sent else percent_decode(path)
        # An application, or the file system, would resolve what was not signed.
        if has_dot_segments(normal):
            raise MalformedTarget(fault="the path hides dot segments behind percent escapes")
    routed = request.routed_path
    if routed is not None and routed != as_sent and routed != normal:
        raise PathNotRouted
    return normal
