"""The rules of a verifier by number, and which of them a refusal comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wsgi_sigv4 import errors
from wsgi_sigv4.explain.explanation import Check
from wsgi_sigv4.explain.explanation import Status

#: Their names, in order: the first is rule 1.
RULES: Final = (
    "exactly one authorization",
    "its algorithm and its parts",
    "host is signed",
    "request time",
    "freshness",
    "credential scope",
    "signed headers and Host",
    "payload form and path",
    "access key and session token",
    "signature",
    "body",
)

#: The number of the rule that a refusal is of; one of a class below counts as its parent.
_RULE_OF: Final[Mapping[type[errors.SigV4Error], int]] = {
    errors.MissingAuthentication: 1,
    errors.AmbiguousAuthentication: 1,
    errors.UnsupportedAuthorization: 2,
    errors.UnsupportedAlgorithm: 2,
    errors.MalformedAuthorization: 2,
    errors.MissingParameters: 2,
    errors.DuplicateParameter: 2,
    errors.MalformedCredential: 2,
    errors.MalformedSignedHeaders: 2,
    errors.MalformedQuery: 1,
    errors.HostNotSigned: 3,
    errors.MissingDate: 4,
    errors.MalformedDate: 4,
    errors.RequestTimeTooSkewed: 5,
    errors.InvalidExpires: 5,
    errors.RequestExpired: 5,
    errors.RequestNotYetValid: 5,
    errors.ScopeMismatch: 6,
    errors.SignedHeaderMissing: 7,
    errors.HeadersNotSigned: 7,
    errors.HostNotAccepted: 7,
    errors.MalformedTarget: 8,
    errors.MalformedRequest: 7,
    errors.ConflictingValues: 8,
    errors.MissingPayloadHash: 8,
    errors.InvalidPayloadHash: 8,
    errors.PayloadFormNotAllowed: 8,
    errors.PayloadFormNotImplemented: 8,
    errors.PathNotRouted: 8,
    errors.UnknownAccessKey: 9,
    errors.InvalidSessionToken: 9,
    errors.ExpiredCredentials: 9,
    errors.CredentialsUnavailable: 9,
    errors.KeyLimitExceeded: 9,
    errors.SignatureMismatch: 10,
}
_BODY: Final = len(RULES)
_SIGNATURE: Final = 10


def rule_of(refusal: errors.SigV4Error) -> int | None:
    """Return the number of the rule that *refusal* is of; None for the operator's own word."""
    for kind in type(refusal).__mro__:
        if kind is errors.AccessDenied:
            return None
        if kind in _RULE_OF:
            return _RULE_OF[kind]
    return _BODY


def checks_of(
    refusal: errors.SigV4Error | None, details: Mapping[int, str], *, failed_detail: str
) -> tuple[Check, ...]:
    """Return the rules as they ended when a request was refused with *refusal*.

    Args:
        refusal: the reason, or None.
        details: what was seen, by the number of the rule.
        failed_detail: what is said of the rule that failed.
    """
    failed = None if refusal is None else rule_of(refusal)
    checks = []
    for number, name in enumerate(RULES, 1):
        status, detail = Status.PASSED, details.get(number, "")
        if number == failed:
            status, detail = Status.FAILED, failed_detail
        elif failed is not None and number > failed:
            # What a key may be used for is rule 9's, but told only after rule 10.
            told_late = isinstance(refusal, errors.KeyLimitExceeded) and number == _SIGNATURE
            if not told_late:
                status, detail = Status.NOT_REACHED, ""
        elif number == _BODY and number in details:
            status = Status.NOT_REACHED
        checks.append(Check(number=number, name=name, status=status, detail=detail))
    return tuple(checks)
