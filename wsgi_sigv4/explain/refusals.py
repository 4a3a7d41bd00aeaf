"""Causes of refusals other than a wrong signature: what the refusal and the request tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from typing import Final

from wsgi_sigv4 import errors
from wsgi_sigv4.authorization import TOKEN_NAMES
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.explain import causes
from wsgi_sigv4.explain.bodies import body_forms
from wsgi_sigv4.explain.causes import Cause
from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.payloads import PAYLOADS
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.policy import TOKEN_HEADERS
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query

#: Clocks that are wrong by their zone are so by quarters of an hour; and by some seconds more.
_QUARTER: Final = 15 * 60
_ZONE_TOLERANCE: Final = 60
_MAX_ZONE: Final = 14 * 3600 + _ZONE_TOLERANCE

_TOKENS: Final = frozenset(name.encode() for name in TOKEN_NAMES)
#: A slash of a credential, which some escape too often; and the date in one.
_SLASH: Final = re.compile(r"/|%(?:25)*2F", re.IGNORECASE)
_DATE: Final = re.compile(rf"(?:{_SLASH.pattern})[0-9]{{8}}(?:{_SLASH.pattern}|\Z)", re.IGNORECASE)

#: What a presigned URL is refused with whose parameters hang together.
_OF_A_CUT_URL: Final = (
    errors.MissingAuthentication,
    errors.MissingParameters,
    errors.UnsupportedAlgorithm,
)
#: How HTML and JSON write &, and who escapes a URL for the second time but for its =.
_AMPERSAND: Final = re.compile(
    rb"(&amp;|(?:\\|%5C)u0026|%26(?:amp(?:;|%3B))?)X-Amz-(?:Algorithm|Credential|Signature)=",
    re.IGNORECASE,
)
_AS_IT_IS: Final = (
    "Use the URL as it was made: &amp; in HTML and \\u0026 in JSON are the letter &, so take it "
    "out of them with a parser; and decode nothing in it, or the + of a session token is lost."
)

_TWO_DATES: Final = re.compile(rb"[0-9]{8}T[0-9]{6}Z(?:\s*,\s*[0-9]{8}T[0-9]{6}Z)+")

_Finder = Callable[[Any, Request, bytes | None], Finding]


def find_refused_cause(
    refusal: errors.SigV4Error, request: Request, *, body: bytes | None
) -> Finding:
    """Return why *request* was refused with *refusal*, which is no wrong signature."""
    if isinstance(refusal, _OF_A_CUT_URL) and (escaped := _AMPERSAND.search(request.query)):
        return causes.MALFORMED.finding(
            f"The URL is presigned, but its & arrived as `{shown(escaped[1])}`.", remedy=_AS_IT_IS
        )
    for kind in type(refusal).__mro__:
        finder = _FINDERS.get(kind)
        if finder is not None:
            return finder(refusal, request, body)
    return Finding(
        causes=(),
        summary=shown(str(refusal)),
        party="unknown",
        remedy=refusal.hint or "Compare the request with the rule that it failed.",
    )


def _told(cause: Cause) -> _Finder:
    """Return a finder of *cause* whose summary is the refusal's own sentence."""

    def find(refusal: errors.SigV4Error, request: Request, body: bytes | None) -> Finding:
        return cause.finding(shown(str(refusal)))

    return find


def _not_signed(refusal: errors.SigV4Error, request: Request, body: bytes | None) -> Finding:
    names = {item.partition(b"=")[0] for item in request.query.split(b"&")}
    if {b"AWSAccessKeyId", b"Signature"} <= names:
        return causes.SIGV2.finding("The URL is presigned with Signature Version 2.")
    if (request.header("content-type") or b"").startswith(b"multipart/form-data"):
        return causes.POST_POLICY.finding(
            "The request is a form, signed in its fields if at all: no header and no query is."
        )
    if request.header("authorization"):
        return find_refused_cause(unsupported_scheme(request), request, body=body)
    return causes.NOT_SIGNED.finding(str(refusal))


def _other_scheme(
    refusal: errors.UnsupportedAuthorization, request: Request, body: bytes | None
) -> Finding:
    if refusal.scheme == "AWS":
        return causes.SIGV2.finding("The request is signed with Signature Version 2.")
    scheme = shown(refusal.scheme) or "unknown"
    return causes.OTHER_SCHEME.finding(f"The Authorization header is of the scheme `{scheme}`.")


def _parts(refusal: errors.SigV4Error, request: Request, body: bytes | None) -> Finding:
    names = getattr(refusal, "names", None) or (getattr(refusal, "name", ""),)
    told = f" ({', '.join(names)})" if any(names) else ""
    return causes.MALFORMED.finding(f"{str(refusal).rstrip('.')}{shown(told)}.")


def _credential(
    refusal: errors.MalformedCredential, request: Request, body: bytes | None
) -> Finding:
    text = refusal.credential
    date = _DATE.search(text)
    key_id = text[: date.start()] if date else ""
    if _SLASH.search(key_id):
        return causes.MALFORMED.finding(
            f"The access key id of the credential `...{shown(text[len(key_id) :])}` holds a slash, "
            "as a secret does: the two may have been exchanged."
        )
    # What is neither scope nor an id of AWS's may be all secret: nothing of it is said again.
    is_harmless = date or text.endswith("/aws4_request") or re.fullmatch(r"[A-Z0-9]+", text)
    told = f"`{shown(text)}`" if is_harmless else "that was sent"
    return causes.MALFORMED.finding(
        f"The credential {told} is not keyid/date/region/service/aws4_request."
    )


def _date(refusal: errors.MalformedDate, request: Request, body: bytes | None) -> Finding:
    if _TWO_DATES.fullmatch(request.header("x-amz-date") or b""):
        return causes.NO_DATE.finding(
            "X-Amz-Date arrived twice.",
            remedy="The signer adds its own X-Amz-Date: leave out the one set by hand (curl: -H).",
        )
    return causes.NO_DATE.finding(str(refusal))


def _clock(refusal: Any, request: Request, body: bytes | None) -> Finding:
    ahead = refusal.request_time - refusal.server_time
    side = "ahead of" if ahead > 0 else "behind"
    off = abs(ahead)
    in_quarter = min(off % _QUARTER, _QUARTER - off % _QUARTER)
    is_zone = off + _ZONE_TOLERANCE >= _QUARTER and off <= _MAX_ZONE
    cause = causes.CLOCK
    if is_zone and in_quarter <= _ZONE_TOLERANCE:
        cause = causes.TIME_ZONE
        off = round(off / _QUARTER) * _QUARTER
    return cause.finding(
        f"The request is dated {_span(off)} {side} the server's clock; {refusal.max_skew} s are "
        "accepted."
    )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02}"
    return f"{minutes} min {rest:02} s"


def _expired(refusal: errors.RequestExpired, request: Request, body: bytes | None) -> Finding:
    since = _span(refusal.server_time - refusal.expired_at)
    return causes.LINK_EXPIRED.finding(
        f"The presigned URL was good for {refusal.expires} s and ended {since} ago."
    )


def _scope(refusal: errors.ScopeMismatch, request: Request, body: bytes | None) -> Finding:
    told = {
        "region": (causes.WRONG_REGION, refusal.region, _names(refusal.expected_regions)),
        "service": (causes.WRONG_SERVICE, refusal.service_sent, _names(refusal.expected_services)),
        "date": (causes.SCOPE_DATE, refusal.date, refusal.request_date),
        "terminator": (causes.TERMINATOR, refusal.terminator, "aws4_request"),
    }
    found = [told[fault] for fault in refusal.faults][:2]
    wrong = [
        f"the {fault} `{shown(sent)}` where {accepted} is accepted"
        for fault, (_, sent, accepted) in zip(refusal.faults, found, strict=False)
    ]
    return Finding(
        causes=tuple(cause.id for cause, _, _ in found),
        summary=f"The client signed for {' and '.join(wrong)}.",
        party="client",
        remedy=" ".join(cause.remedy for cause, _, _ in found),
    )


def _names(accepted: tuple[str, ...]) -> str:
    return " or ".join(accepted[:8])


def _removed(refusal: errors.SignedHeaderMissing, request: Request, body: bytes | None) -> Finding:
    name = shown(refusal.name)
    finding = causes.HEADER_REMOVED.finding(f"The header `{name}` was signed, but did not arrive.")
    if not refusal.presigned:
        return finding
    remedy = (
        f"Whoever uses the URL must send {name.title()} with the value that it was presigned with; "
        "or presign it without (boto3: no ContentType or the like in Params)."
    )
    return replace(finding, party="client", remedy=remedy)


def _added(refusal: errors.HeadersNotSigned, request: Request, body: bytes | None) -> Finding:
    names = ", ".join(refusal.names)
    if set(refusal.names) & set(TOKEN_HEADERS):
        return causes.TOKEN_NOT_LISTED.finding("The session token arrived, but was not signed.")
    return causes.HEADER_ADDED.finding(f"`{shown(names)}` arrived, but was not signed.")


def _listed(
    refusal: errors.MalformedSignedHeaders, request: Request, body: bytes | None
) -> Finding:
    names = [name for name in refusal.signed_headers.split(";") if "_" in name]
    if names:
        return causes.SIGNED_HEADERS.finding(
            f"`{shown(', '.join(names))}` is signed: no server tells an underscore from a hyphen."
        )
    return causes.SIGNED_HEADERS.finding(str(refusal))


def _host(refusal: errors.HostNotAccepted, request: Request, body: bytes | None) -> Finding:
    return causes.HOST_NOT_ACCEPTED.finding(
        f"The request arrived with Host `{shown(refusal.host)}`, which hosts does not name."
    )


def _form(refusal: Any, request: Request, body: bytes | None) -> Finding:
    return causes.PAYLOAD_FORM.finding(
        f"{str(refusal).rstrip('.')}: the request says `{shown(refusal.value)}`."
    )


def _unknown_key(refusal: errors.UnknownAccessKey, request: Request, body: bytes | None) -> Finding:
    return causes.UNKNOWN_KEY.finding(
        f"The access key id `{shown(refusal.access_key_id or '')}` is unknown, so that there is no "
        "secret to try anything with."
    )


def _token(refusal: errors.InvalidSessionToken, request: Request, body: bytes | None) -> Finding:
    if refusal.absent:
        return causes.TOKEN_MISSING.finding("The key is temporary, and no session token arrived.")
    if any(name in _TOKENS and b" " in value for name, value in parse_query(request.query)):
        return causes.TOKEN_WRONG.finding(
            "The session token arrived with blanks: its + were not escaped as %2B.",
            remedy=_AS_IT_IS,
        )
    return causes.TOKEN_WRONG.finding(str(refusal))


def _key_limit(refusal: errors.KeyLimitExceeded, request: Request, body: bytes | None) -> Finding:
    return causes.KEY_LIMIT.finding(shown(str(refusal)))


def _body(refusal: errors.PayloadHashMismatch, request: Request, body: bytes | None) -> Finding:
    for form in () if body is None else body_forms(body):
        if form.payload_hash == refusal.declared.lower():
            (hypothesis,) = (h for h in PAYLOADS if h.id == form.cause)
            return Finding(
                causes=(form.cause,),
                summary=f"The payload hash is right for {form.phrase}, but another body arrived.",
                party=hypothesis.party,
                remedy=hypothesis.remedy,
            )
    return causes.BODY_CHANGED.finding(
        f"The body hashes to `{refusal.computed}`, but `{shown(refusal.declared)}` was signed."
    )


_FINDERS: Final[Mapping[type[errors.SigV4Error], _Finder]] = {
    errors.MissingAuthentication: _not_signed,
    errors.AmbiguousAuthentication: _told(causes.TWO_AUTHENTICATIONS),
    errors.UnsupportedAuthorization: _other_scheme,
    errors.AlgorithmNotImplemented: _told(causes.SIGV4A),
    errors.UnsupportedAlgorithm: _told(causes.ALGORITHM),
    errors.MalformedAuthorization: _parts,
    errors.MissingParameters: _parts,
    errors.DuplicateParameter: _parts,
    errors.MalformedCredential: _credential,
    errors.MalformedSignedHeaders: _listed,
    errors.HostNotSigned: _told(causes.HOST_NOT_SIGNED),
    errors.MissingDate: _told(causes.NO_DATE),
    errors.MalformedDate: _date,
    errors.RequestTimeTooSkewed: _clock,
    errors.RequestNotYetValid: _clock,
    errors.RequestExpired: _expired,
    errors.InvalidExpires: _told(causes.EXPIRES),
    errors.ScopeMismatch: _scope,
    errors.SignedHeaderMissing: _removed,
    errors.HeadersNotSigned: _added,
    errors.HostNotAccepted: _host,
    errors.ConflictingValues: _told(causes.CONFLICT),
    errors.MissingPayloadHash: _told(causes.NO_PAYLOAD_HASH),
    errors.InvalidPayloadHash: _form,
    errors.PayloadFormNotAllowed: _form,
    errors.PayloadFormNotImplemented: _form,
    errors.MalformedTarget: _told(causes.PATH_NOT_CLEAN),
    errors.MalformedQuery: _told(causes.QUERY_NOT_CLEAN),
    errors.PathNotRouted: _told(causes.PATH_NOT_ROUTED),
    errors.DisabledAccessKey: _told(causes.DISABLED_KEY),
    errors.UnknownAccessKey: _unknown_key,
    errors.InvalidSessionToken: _token,
    errors.ExpiredCredentials: _told(causes.CREDENTIALS_EXPIRED),
    errors.CredentialsUnavailable: _told(causes.PROVIDER_DOWN),
    errors.KeyLimitExceeded: _key_limit,
    errors.AccessDenied: _told(causes.DENIED),
    errors.PayloadHashMismatch: _body,
    errors.ChunkSignatureMismatch: _told(causes.BODY_CHANGED),
    errors.MalformedChunk: _told(causes.NOT_CHUNKED),
    errors.MalformedTrailer: _told(causes.NOT_CHUNKED),
    errors.ChecksumMismatch: _told(causes.BODY_CHANGED),
    errors.IncompleteBody: _told(causes.BODY_INCOMPLETE),
    errors.BodyTooLarge: _told(causes.BODY_TOO_LARGE),
}
