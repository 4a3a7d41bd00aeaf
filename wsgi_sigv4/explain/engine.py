"""The explanation of one request: the rules once more, and the search for a cause.

In come the request as it arrived, its verifier and, where they are known, its
body and its credentials; out comes an :class:`Explanation`. It needs the
secret, so it runs where the verifier runs, and only after a refusal: it takes
a thousand times as long as the rules.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from types import EllipsisType
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.authorization import Authorization
from wsgi_sigv4.authorization import find_authorization
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.canonical import folded
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.encoding import is_signature
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import HostNotAccepted
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain.catalogue import hypotheses_of
from wsgi_sigv4.explain.causes import SIGNATURE_FORM
from wsgi_sigv4.explain.explanation import Explanation
from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.readings import HEADER
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import payload_hash
from wsgi_sigv4.explain.refusals import find_refused_cause
from wsgi_sigv4.explain.rules import checks_of
from wsgi_sigv4.explain.search import Guess
from wsgi_sigv4.explain.search import find_cause
from wsgi_sigv4.explain.showing import Scrubber
from wsgi_sigv4.explain.showing import clipped
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.redaction import redacted
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.verification import key_fault
from wsgi_sigv4.verifier import Verifier

#: Nothing on the list makes the signature right.
SECRET_DIFFERS: Final = Finding(
    causes=(),
    summary="No hypothesis matches: most likely the secret differs, or what was signed is lost.",
    party="key",
    remedy=(
        "Compare the secret that the client signs with to the one issued for this access key id: "
        "an old one after a rotation, another key's, or one cut when it was pasted. If they are "
        "the same, compare the client's canonical request with this one: the first line that "
        "differs tells."
    ),
)
#: What the caller knows better: the body that is handed in here is not the whole one.
_CUT: Final = (BodyTooLarge, IncompleteBody)
#: The commonest of what cannot be found out: nginx's own Host, where nothing kept the other one.
_OTHER_HOST: Final = (
    "The Host that arrived is {}: if clients ask for another one, a proxy replaced it (nginx: "
    "proxy_set_header Host $http_host; Apache: ProxyPreserveHost On)."
)
#: What people forget of a URL that was presigned for an upload.
_PRESIGNED_WITH: Final = "The URL signs {}: whoever uses it must send what it was presigned with."
_BODY_UNKNOWN: Final = Finding(
    causes=(),
    summary="The signature covers the body, which is not known here, so it cannot be judged.",
    party="unknown",
    remedy="Explain the request together with its body.",
)
#: The signature shows that no proxy has replaced the Host.
_OWN_HOST: Final = (
    "The signature is right for this Host: add it to hosts where it is yours; else the client was "
    "pointed at the wrong name."
)
_NOT_AGAIN: Final = Finding(
    causes=(),
    summary="The signature is right for the request as it is known here.",
    party="unknown",
    remedy=(
        "What was refused was another request: hand in the request as it arrived, before anything "
        "rewrote it, and its whole body."
    ),
)


class _Outcome:
    """How far a request got: what each step made of it."""

    def __init__(self) -> None:
        self.attempt: Attempt | None = None
        self.credentials: Credentials | None = None
        self.refusal: SigV4Error | None = None
        self.body_checked = False
        #: Where Host is not accepted: the request as if it were.
        self.host_case: Case | None = None


def explain(
    request: Request,
    verifier: Verifier,
    *,
    body: bytes | None = None,
    credentials: Credentials | EllipsisType | None = ...,
    now: float | None = None,
    refusal: SigV4Error | None = None,
) -> Explanation:
    """Return why *verifier* refuses *request*, or that it does not.

    Args:
        request: the request as it arrived.
        verifier: the verifier.
        body: the body, or None where it is not known. The caller bounds it.
        credentials: those of the access key, or None for an unknown one; left
            out, they are looked up.
        now: POSIX seconds; None: the verifier's clock.
        refusal: what the caller was told, for what the rules here cannot find
            again (a limit or a checksum of the body, the operator's own word);
            used where they find nothing, or know a part of the body only.

    Raises:
        Exception: what the provider raises, where that is no refusal.
    """
    now = verifier.clock() if now is None else now
    outcome = _outcome(request, verifier, body=body, credentials=credentials, now=now)
    if outcome.refusal is None or isinstance(refusal, _CUT):
        outcome.refusal = refusal
    if outcome.attempt is None and isinstance(outcome.refusal, HostNotAccepted):
        outcome.host_case = _host_case(
            request, verifier, body=body, credentials=credentials, now=now
        )
    return _explained(request, verifier, outcome, body=body, now=now)


def comparable(
    client: bytes, request: Request, verifier: Verifier, *, body: bytes | None, now: float
) -> tuple[bytes, bytes] | None:
    """Return the canonical request of a *client*, and the server's: whole, without secrets.

    None: *request* is refused before there is one.

    Args:
        client: what the client says that it signed.
        request: the request as it arrived.
        verifier: the verifier.
        body: the body, or None where it is not known.
        now: POSIX seconds.
    """
    outcome = _outcome(request, verifier, body=body, credentials=..., now=now)
    if outcome.attempt is None:
        return None
    scrubber = scrubber_of(outcome.attempt, outcome.credentials)
    ours = evidence(outcome.attempt, payload_hash(outcome.attempt, body)).canonical_request
    return scrubber.scrub(redacted(client)), scrubber.scrub(redacted(ours))


def _outcome(
    request: Request,
    verifier: Verifier,
    *,
    body: bytes | None,
    credentials: Credentials | EllipsisType | None,
    now: float,
) -> _Outcome:
    outcome = _Outcome()
    try:
        attempt = outcome.attempt = verifier.prepare(request, now=now)
        if attempt is None:
            raise unsupported_scheme(request)
        if isinstance(credentials, EllipsisType):
            credentials = verifier.provider.lookup(
                attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
            )
        outcome.credentials = credentials
        verification = verifier.conclude(attempt, credentials, now=now)
        if body is None and not verification.awaits_body:
            return outcome
        verification.feed(body or b"")
        verification.finish(now=now)
        outcome.body_checked = body is not None
    except SigV4Error as refused:
        outcome.refusal = refused
    return outcome


def _host_case(
    request: Request,
    verifier: Verifier,
    *,
    body: bytes | None,
    credentials: Credentials | EllipsisType | None,
    now: float,
) -> Case | None:
    """Return the case that *request* is without hosts; None: another rule refuses it as well.

    Of no key, and of one that rule 9 refuses, there are no credentials that signed it: what a
    client waits for tells it nothing of the key.
    """
    try:
        attempt = verifier.taking_any_host().prepare(request, now=now)
        assert attempt is not None  # noqa: S101 (it was found to be signed)
        if isinstance(credentials, EllipsisType):
            credentials = verifier.provider.lookup(
                attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
            )
    except SigV4Error:
        return None
    if credentials is None or key_fault(attempt, credentials, now) is not None:
        credentials = Credentials(secrets.token_urlsafe(30))
    return _case(attempt, verifier, credentials, body)


def _case(
    attempt: Attempt, verifier: Verifier, credentials: Credentials, body: bytes | None
) -> Case:
    return Case(
        attempt,
        verifier,
        secret=credentials.secret_access_key,
        signing_key=credentials.signing_key,
        body=body,
    )


def _explained(
    request: Request, verifier: Verifier, outcome: _Outcome, *, body: bytes | None, now: float
) -> Explanation:
    refusal, attempt = outcome.refusal, outcome.attempt
    scrubber = scrubber_of(attempt, outcome.credentials)
    canonical = signed = None
    if attempt is not None:
        found = evidence(attempt, payload_hash(attempt, body))
        canonical = clipped(scrubber.scrub(redacted(found.canonical_request)))
        signed = scrubber.scrub(found.string_to_sign)
    code = told = finding = None
    failure = ""
    if refusal is not None:
        code = reason(refusal, verifier.profile(refusal.service).error_format).code
        told = refusal.underlying
        failure = shown(scrubber.scrub_text(str(told)))
        finding = _finding(request, verifier, outcome, told, scrubber, body=body)
    return Explanation(
        checks=checks_of(told, _details(request, outcome, now=now), failed_detail=failure),
        canonical_request=canonical,
        string_to_sign=signed,
        finding=finding,
        refusal=code,
    )


def _finding(
    request: Request,
    verifier: Verifier,
    outcome: _Outcome,
    refusal: SigV4Error,
    scrubber: Scrubber,
    *,
    body: bytes | None,
) -> Finding:
    attempt, credentials = outcome.attempt, outcome.credentials
    if outcome.host_case is not None:
        refused = _scrubbed(find_refused_cause(refusal, request, body=body), scrubber)
        return _host_finding(outcome.host_case, refused)
    if not isinstance(refusal, SignatureMismatch) or attempt is None or credentials is None:
        return _scrubbed(find_refused_cause(refusal, request, body=body), scrubber)
    if not is_signature(attempt.authorization.signature):
        return SIGNATURE_FORM.finding(
            "The signature is not 64 hex digits in lower case, so it cannot match."
        )
    case = _case(attempt, verifier, credentials, body)
    if case.is_signed():
        return _NOT_AGAIN
    guesses = find_cause(case, hypotheses_of(case))
    if guesses:
        return _scrubbed(_matched(guesses, scrubber), scrubber)
    if body is None and attempt.payload.form is PayloadForm.ABSENT:
        return _BODY_UNKNOWN
    return secret_differs(attempt, scrubber)


def _host_finding(case: Case, refused: Finding) -> Finding:
    """Return which of hosts the client of *case* has signed; or *refused*.

    A client is told this: nothing in it is known by who does not know the secret.
    """
    if not is_signature(case.attempt.authorization.signature):
        return refused
    if case.is_signed():
        return replace(refused, remedy=_OWN_HOST)
    guesses = find_cause(case, hypotheses_of(case))
    signed = [guess.change.pieces.get(HEADER + "host") for guess in guesses]
    is_accepted = any(
        host is not None and case.verifier.accepts_host(host.decode("ascii", "backslashreplace"))
        for host in signed
    )
    if not is_accepted or any(guess.change.secret is not None for guess in guesses):
        return refused
    scrubber = scrubber_of(case.attempt, Credentials(case.secret))
    return _scrubbed(_matched(guesses, scrubber), scrubber)


def secret_differs(attempt: Attempt, scrubber: Scrubber) -> Finding:
    """Return that nothing on the list makes the signature of *attempt* right."""
    arrived = _value(folded(attempt.request.values["host"]), scrubber, header="host")
    remedy = f"{SECRET_DIFFERS.remedy} {_OTHER_HOST.format(arrived)}"
    names = [name for name in attempt.authorization.signed_headers if name != "host"]
    if attempt.presigned and names:
        remedy += f" {_PRESIGNED_WITH.format(shown(', '.join(names)))}"
    return replace(SECRET_DIFFERS, remedy=remedy)


def _matched(guesses: tuple[Guess, ...], scrubber: Scrubber) -> Finding:
    changes = [guess.change for guess in guesses]
    rights = [f"{c.what} {_value(c.right, scrubber, header=c.header)}".strip() for c in changes]
    arrivals = [_value(c.arrived, scrubber, header=c.header) for c in changes if c.arrived != ""]
    but = "the server knows another one"
    if arrivals:
        but = f"the request arrived with {' and '.join(arrivals)}"
    hypotheses = [guess.hypothesis for guess in guesses]
    parties = {hypothesis.party for hypothesis in hypotheses}
    return Finding(
        causes=tuple(dict.fromkeys(hypothesis.id for hypothesis in hypotheses)),
        summary=f"The signature is right for {' and '.join(rights)}, but {but}.",
        party=hypotheses[0].party if len(parties) == 1 else "unknown",
        remedy=" ".join(dict.fromkeys(g.change.remedy or g.hypothesis.remedy for g in guesses)),
    )


def _value(value: bytes | str, scrubber: Scrubber, *, header: str) -> str:
    """Return *value* in quotes, or as it is where it is a phrase."""
    if isinstance(value, str):
        return shown(scrubber.scrub_text(value))
    # What is cut first may end with one half of a secret, which nothing finds.
    return f"`{shown(scrubber.scrub(value), header=header)}`"


def scrubber_of(attempt: Attempt | None, credentials: Credentials | None = None) -> Scrubber:
    """Return what takes the secrets of *attempt*, and of *credentials*, out of a text."""
    hidden = []
    if attempt is not None:
        hidden.append(attempt.authorization.signature.decode("ascii", "backslashreplace"))
        hidden.append(attempt.session_token or "")
    if credentials is not None:
        hidden.append(credentials.session_token or "")
        if credentials.secret_access_key is not None:
            hidden.append(credentials.secret_access_key.reveal())
    return Scrubber(hidden)


def _scrubbed(finding: Finding, scrubber: Scrubber) -> Finding:
    return replace(
        finding,
        summary=scrubber.scrub_text(finding.summary),
        remedy=scrubber.scrub_text(finding.remedy),
    )


def _details(request: Request, outcome: _Outcome, *, now: float) -> dict[int, str]:
    """Return what was seen by each rule, for those that passed."""
    attempt = outcome.attempt
    authorization = _authorization(request) if attempt is None else attempt.authorization
    if authorization is None:
        return {}
    details = {
        1: "presigned URL" if authorization.presigned else "Authorization header",
        2: f"AWS4-HMAC-SHA256, access key id {shown(authorization.access_key_id)}",
        6: authorization.scope.text,
        7: shown(";".join(authorization.signed_headers)),
    }
    if attempt is not None:
        away = round(now - attempt.timestamp.posix)
        details[4] = attempt.timestamp.iso
        details[5] = f"{away} s ago, {attempt.lifetime or attempt.terms.max_skew} s accepted"
        details[8] = attempt.payload.form.value or "no payload hash sent"
    if not outcome.body_checked:
        details[11] = "the body is not known here"
    return details


def _authorization(request: Request) -> Authorization | None:
    """Return what *request* says of its signature, where rules 1 and 2 can read it."""
    try:
        return find_authorization(request, parse_query(request.query))
    except SigV4Error:
        return None
