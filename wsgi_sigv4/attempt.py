"""Rules 3-8: what a request claims, as far as the request alone can tell.

In come a request and its authorization, out comes an :class:`Attempt`: parsed
once, so that every later step reads the same time, scope, payload form and
path. Nobody has vouched for any of it yet.
"""

from __future__ import annotations

import re
from typing import Final

from wsgi_sigv4.authorization import Authorization
from wsgi_sigv4.canonical import has_dot_segments
from wsgi_sigv4.canonical import normalize_path
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
from wsgi_sigv4.payload import ABSENT
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.payload import PayloadHash
from wsgi_sigv4.policy import PAYLOAD_HASH
from wsgi_sigv4.policy import TOKEN_HEADERS
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.profiles import Profile
from wsgi_sigv4.request import Request
from wsgi_sigv4.terms import Terms
from wsgi_sigv4.terms import scope_faults
from wsgi_sigv4.timestamps import Timestamp
from wsgi_sigv4.timestamps import find_date
from wsgi_sigv4.timestamps import find_iso_basic
from wsgi_sigv4.timestamps import is_ahead
from wsgi_sigv4.timestamps import is_expired
from wsgi_sigv4.timestamps import is_skewed

# Python 3.11 takes long to find a member of an enum.
_SHA256: Final = PayloadForm.SHA256
_UNSIGNED: Final = PayloadHash(form=PayloadForm.UNSIGNED, value=PayloadForm.UNSIGNED.value)
_UPLOADS: Final = ("PUT", "POST")
# To look for a byte takes a tenth of what it takes to look for bytes.
_COMMA: Final = ord(",")
_EXPIRES: Final = re.compile(r"[0-9]{1,6}", re.ASCII)


# No dataclass: it would take as long to make as three modules, and a frozen one
# as long to fill as half the rules. Its repr shows nothing of what it holds.
class Attempt:
    """A request that passed rules 1-8; nobody has vouched for it yet.

    Attributes:
        request: the request.
        query: its decoded parameters, in the order sent.
        authorization: what it says of its signature.
        terms: what the policy says to requests of its kind.
        timestamp: its time.
        lifetime: seconds that a presigned URL lives, None for the header form.
        payload: what it says of its body.
        empty_body_only: True where an unsigned body is not allowed, so that
            only an empty one may come.
        session_token: the session token as sent, or None.
        path: the decoded path that the application has to route on.
        stream: how the body is framed as aws-chunked, or None where it is not.
    """

    __slots__ = (
        "authorization",
        "empty_body_only",
        "lifetime",
        "path",
        "payload",
        "query",
        "request",
        "session_token",
        "stream",
        "terms",
        "timestamp",
    )

    def __init__(
        self,
        request: Request,
        query: tuple[tuple[bytes, bytes], ...],
        authorization: Authorization,
        terms: Terms,
        timestamp: Timestamp,
        lifetime: int | None,
        payload: PayloadHash,
        empty_body_only: bool,
        session_token: str | None,
        path: bytes,
        stream: Stream | None,
    ) -> None:
        self.request = request
        self.query = query
        self.authorization = authorization
        self.terms = terms
        self.timestamp = timestamp
        self.lifetime = lifetime
        self.payload = payload
        self.empty_body_only = empty_body_only
        self.session_token = session_token
        self.path = path
        self.stream = stream

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
    def profile(self) -> Profile:
        """The profile of the service that the request names."""
        return self.terms.profile

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
        terms: Terms,
        now: float,
    ) -> Attempt:
        """Return what *request* claims, after rules 3-8.

        Raises:
            SigV4Error: the reason for which the request is refused.
        """
        # Rule 3: the Host header is signed.
        if not terms.signs_host:
            raise HostNotSigned
        # Rule 4: one and the same time feeds all that follows.
        timestamp = _timestamp(request, authorization)
        # Rule 5: the request is fresh.
        lifetime = _lifetime(authorization, terms) if authorization.presigned else None
        check_freshness(timestamp, lifetime, terms.max_skew, now)
        # Rule 6: the scope is ours, and its date that of the request time.
        _check_scope(authorization.credential.scope, timestamp, terms.policy, terms.scope_faults)
        # Rule 7: what must be signed is.
        if terms.missing or terms.unsigned_amz or terms.unsigned:
            _check_coverage(request, terms)
        _check_host(request, terms.policy)
        # Rule 8: the payload form is known and allowed.
        payload, empty_body_only = _payload(request, authorization, terms)
        token = authorization.session_token
        if terms.may_hold_token:
            token = _agreed(TOKEN_HEADERS[0], token, *map(request.values.get, TOKEN_HEADERS))
        return cls(
            request,
            query,
            authorization,
            terms,
            timestamp,
            lifetime,
            payload,
            empty_body_only,
            None if token is None else _session_token(token),
            _routed_path(request, terms.profile),
            Stream.of(request, payload.form) if payload.form.is_streaming else None,
        )


def check_freshness(timestamp: Timestamp, lifetime: int | None, max_skew: int, now: float) -> None:
    """Apply rule 5: the request is fresh, by its *lifetime* where it is a presigned URL.

    Raises:
        RequestTimeTooSkewed: if a header-signed request is too old or too new.
        RequestNotYetValid: if a presigned URL is dated too far ahead.
        RequestExpired: if a presigned URL is past its end.
    """
    if lifetime is None:
        if is_skewed(timestamp, now, max_skew):
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
    _check_scope(scope, timestamp, policy, scope_faults(scope, policy))


def _check_scope(
    scope: CredentialScope, timestamp: Timestamp, policy: Policy, faults: tuple[str, ...]
) -> None:
    # A key that leaked for one day must not sign another one's requests.
    if scope.date != timestamp.date:
        faults = (*faults, "date")
    if faults:
        raise ScopeMismatch(
            faults=faults,
            date=scope.date,
            region=scope.region,
            service_sent=scope.service,
            terminator=scope.terminator,
            expected_regions=policy.regions or (),
            expected_services=policy.services or (),
            request_date=timestamp.date,
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


def _lifetime(authorization: Authorization, terms: Terms) -> int:
    """Return the seconds that a presigned URL lives."""
    expires = authorization.expires
    if expires is None:
        if terms.profile.expires_required:
            raise MissingParameters(names=("X-Amz-Expires",))
        return terms.max_skew
    if _EXPIRES.fullmatch(expires) is None or not 1 <= int(expires) <= MAX_EXPIRES:
        raise InvalidExpires(expires=expires[:64])
    return int(expires)


def _check_coverage(request: Request, terms: Terms) -> None:
    if terms.missing:
        raise SignedHeaderMissing(name=min(terms.missing))
    unsigned = terms.unsigned_amz | (terms.unsigned - request.doubtful_headers)
    if unsigned:
        raise HeadersNotSigned(names=tuple(sorted(unsigned)))


def _check_host(request: Request, policy: Policy) -> None:
    sent = request.values.get("host")
    if not sent or _COMMA in sent:
        raise MalformedRequest(fault="the Host header is empty or stands twice")
    if policy.hosts is not None:
        host = sent.decode("ascii", "backslashreplace")
        if not policy.accepts_host(host):
            raise HostNotAccepted(host=host[:256], accepted=policy.hosts)


def _payload(
    request: Request, authorization: Authorization, terms: Terms
) -> tuple[PayloadHash, bool]:
    """Return what the request says of its body, and whether that must be empty."""
    sent = request.values.get(PAYLOAD_HASH)
    if authorization.content_sha256 is not None:
        sent = _agreed(PAYLOAD_HASH, sent, authorization.content_sha256)
    profile, policy = terms.profile, terms.policy
    if sent is None:
        if authorization.presigned and profile.presigned_payload_unsigned:
            return _UNSIGNED, not policy.allows_unsigned_payload(profile)
        if not authorization.presigned and profile.payload_header_required:
            raise MissingPayloadHash
        return ABSENT, False
    payload = PayloadHash.parse(sent)
    if payload.form is _SHA256:
        return payload, False
    allowed = policy.allows_unsigned_payload(profile)
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


def _session_token(sent: bytes) -> str:
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
    routed = request.routed_path
    sent = request.path
    if request.is_plain:
        as_sent = normal = sent
    else:
        as_sent = percent_decode(sent)
        normal = _normal_path(sent) if profile.normalize_path else as_sent
    if routed is not None and routed != as_sent and routed != normal:
        raise PathNotRouted
    return normal


def _normal_path(sent: bytes) -> bytes:
    try:
        normal = percent_decode(normalize_path(sent))
    except ValueError:
        raise MalformedTarget(fault="the path reaches above the root") from None
    # An application, or the file system, would resolve what was not signed.
    if has_dot_segments(normal):
        raise MalformedTarget(fault="the path hides dot segments behind percent escapes")
    return normal
