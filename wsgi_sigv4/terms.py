"""What a policy says to requests of one kind: rules 3, 6 and 7, worked out once.

Clients of one kind send the same headers, sign the same ones, and name the
same scope for a day. What depends on nothing else is found out for the first
of their requests and remembered for the others.
"""

from __future__ import annotations

from typing import Final

from wsgi_sigv4.credentials import TERMINATOR
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length
from wsgi_sigv4.policy import TOKEN_HEADERS
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.request import HeaderNames

_MD5: Final = "content-md5"
_CHECKSUM: Final = "x-amz-checksum-"
_MAX_REMEMBERED: Final = 16384

#: The policy, the text of a credential scope, the signed headers, and those that were sent.
Kind = tuple[Policy, str, tuple[str, ...], HeaderNames]


class Terms:
    """What its policy says to the requests of one :data:`Kind`.

    Attributes:
        policy: the policy.
        profile: the profile of their service.
        max_skew: seconds that their time may differ.
        signs_host: the Host header is signed.
        scope_faults: parts of the scope that the policy does not accept; its
            date is held against the time of a request.
        missing: names that are signed, but were not sent.
        unsigned_amz: names of AWS's that were sent and must be signed, but are not.
        unsigned: other names that were sent and must be signed, but are not.
        may_hold_token: a header that holds a session token was sent.
        may_hold_checksum: a header that holds a checksum may have been sent.
    """

    __slots__ = (
        "max_skew",
        "may_hold_checksum",
        "may_hold_token",
        "missing",
        "policy",
        "profile",
        "scope_faults",
        "signs_host",
        "unsigned",
        "unsigned_amz",
    )

    def __init__(self, kind: Kind) -> None:
        policy, text, signed_headers, names = kind
        date, region, service, terminator = text.split("/")
        scope = CredentialScope(date=date, region=region, service=service, terminator=terminator)
        coverage = _COVERAGES[signed_headers, names]
        self.policy = policy
        self.profile = policy.profile(service)
        self.max_skew = policy.skew(self.profile)
        self.signs_host = coverage.signs_host
        self.scope_faults = scope_faults(scope, policy)
        self.missing = coverage.missing
        self.unsigned_amz = coverage.unsigned_amz - policy.may_be_unsigned
        self.unsigned = coverage.unsigned & policy.require_signed
        self.may_hold_token = coverage.may_hold_token
        self.may_hold_checksum = coverage.may_hold_checksum


def scope_faults(scope: CredentialScope, policy: Policy) -> tuple[str, ...]:
    """Return which parts of *scope*, but for its date, *policy* does not accept (rule 6)."""
    faults = []
    if scope.terminator != TERMINATOR:
        faults.append("terminator")
    if policy.regions is not None and scope.region not in policy.regions:
        faults.append("region")
    if policy.services is not None and scope.service not in policy.services:
        faults.append("service")
    return tuple(faults)


class _Coverage:
    """How the signed headers and those that were sent stand to each other; see :class:`Terms`."""

    __slots__ = (
        "may_hold_checksum",
        "may_hold_token",
        "missing",
        "signs_host",
        "unsigned",
        "unsigned_amz",
    )

    def __init__(self, signed_and_sent: tuple[tuple[str, ...], HeaderNames]) -> None:
        signed, sent = frozenset(signed_and_sent[0]), frozenset(signed_and_sent[1].lower)
        # Whoever holds a presigned URL could add x-amz-copy-source or x-amz-acl
        # to it (CVE-2026-54330); frameworks take `x_amz_acl` for the same header.
        amz = frozenset(n for n in sent - signed if n.replace("_", "-").startswith("x-amz-"))
        self.signs_host = "host" in signed
        self.missing = signed - sent
        self.unsigned_amz = amz
        self.unsigned = sent - signed - amz
        self.may_hold_token = not sent.isdisjoint(TOKEN_HEADERS)
        self.may_hold_checksum = _MD5 in sent or _CHECKSUM in "\n".join(sent)


def _size(signed_and_sent: tuple[tuple[str, ...], HeaderNames]) -> int:
    return total_length(signed_and_sent[0]) + total_length(signed_and_sent[1].lower)


#: Apart from the scopes, of which anybody may make up many.
_COVERAGES: Final = Memo(_Coverage, longest=_MAX_REMEMBERED, size=_size)
#: One for all verifiers: where each view has its own, strangers could fill one for each.
TERMS: Final = Memo(Terms, longest=_MAX_REMEMBERED, size=lambda kind: _size(kind[2:]))
