"""What of an explanation a client may be told.

The log is read by operators, an answer by whoever asks. To a stranger who
tries secrets, "the secret is right but for a blank" would be an answer to a
hundred guesses at once; and a secret that is taken out of what a request says
would be confirmed by the gap. So a client is told nothing that depends on the
secret, unless the signature has shown that it knows it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from dataclasses import replace
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.canonical import folded
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import DisabledAccessKey
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain.engine import SECRET_DIFFERS
from wsgi_sigv4.explain.engine import explain
from wsgi_sigv4.explain.engine import scrubber_of
from wsgi_sigv4.explain.engine import secret_differs
from wsgi_sigv4.explain.explanation import Explanation
from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.readings import payload_hash
from wsgi_sigv4.explain.showing import clipped
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.redaction import redacted
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

#: What the ids of causes begin with that are about the secret itself.
_OF_THE_SECRET: Final = "secret-"  # noqa: S105 (not a secret itself)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A refusal, explained to the operator and to the client.

    Attributes:
        explanation: all of it, for the log.
        told: what the client may be told.
        missed: how many refusals before this one were not explained.
    """

    explanation: Explanation
    told: Explanation
    missed: int = 0

    @property
    def finding(self) -> Finding:
        """What the operator is told first."""
        assert self.explanation.finding is not None  # noqa: S101 (every refusal has one)
        return self.explanation.finding


def for_client(
    explanation: Explanation,
    request: Request,
    verifier: Verifier,
    refusal: SigV4Error,
    *,
    body: bytes | None,
    now: float,
) -> Explanation:
    """Return what of *explanation* the sender of *request* may be told.

    Args:
        explanation: the operator's.
        request: the request as it arrived.
        verifier: the verifier.
        refusal: what the client is told.
        body: the body, or None where it is not known.
        now: POSIX seconds.
    """
    if refusal.underlying is not refusal:
        # Uniform errors: an unknown key is explained as a known one with another secret is, and
        # for as long.
        stranger = _stranger(verifier, request, now)
        explanation = explain(request, verifier, body=body, credentials=stranger, now=now)
    elif isinstance(refusal, DisabledAccessKey):
        explanation = explain(request, verifier, body=body, credentials=None, now=now)
    attempt = _find_attempt(verifier, request, now)
    if explanation.canonical_request is None or attempt is None:
        return replace(explanation, canonical_request=None, string_to_sign=None)
    found = evidence(attempt, payload_hash(attempt, body))
    scrubber = scrubber_of(attempt)
    finding = explanation.finding
    if finding is not None and _depends_on_the_secret(finding):
        finding = secret_differs(folded(attempt.request.values["host"]), scrubber)
    return replace(
        explanation,
        finding=finding,
        canonical_request=clipped(scrubber.scrub(redacted(found.canonical_request))),
        string_to_sign=scrubber.scrub(found.string_to_sign),
    )


def _depends_on_the_secret(finding: Finding) -> bool:
    of_the_secret = any(cause.startswith(_OF_THE_SECRET) for cause in finding.causes)
    return of_the_secret or finding.summary == SECRET_DIFFERS.summary


def _find_attempt(verifier: Verifier, request: Request, now: float) -> Attempt | None:
    try:
        return verifier.prepare(request, now=now)
    except SigV4Error:
        return None


def _stranger(verifier: Verifier, request: Request, now: float) -> Credentials | None:
    """Return credentials that did not sign *request*, and have the token that it carries."""
    attempt = _find_attempt(verifier, request, now)
    token = None if attempt is None else attempt.session_token
    return Credentials(secrets.token_urlsafe(30), session_token=token)
