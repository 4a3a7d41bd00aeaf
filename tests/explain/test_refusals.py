"""Refusals other than a wrong signature: the cause that the refusal and the request tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import request_of
from tests.explain.refusal_case import GET
from tests.explain.refusal_case import Case
from tests.explain.refusal_cases import CASES
from tests.explain.refusal_cases import PARTIES
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.causes import CAUSES
from wsgi_sigv4.verifier import Verifier


def verifier_of(credentials: Any = SECRET, **knobs: Any) -> Verifier:
    """Return a verifier that knows one key."""
    return Verifier({ACCESS_KEY_ID: credentials}, region="us-east-1", service="items", **knobs)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{at} {case.causes}") for at, case in enumerate(CASES)]
)
def test_cause_of_a_refusal(case: Case) -> None:
    """The refusal's cause is named, with the rule that failed and the code that is told."""
    explanation = case.explain()
    finding = explanation.finding
    assert finding is not None
    assert " ".join(finding.causes) == case.causes
    assert finding.party == PARTIES[finding.causes[0]]
    assert case.says in finding.summary
    assert finding.remedy
    assert explanation.refusal == case.code
    assert [c.number for c in explanation.checks if c.status == "failed"] == [case.rule]


@pytest.mark.parametrize(
    ("refusal", "causes", "code"),
    [
        pytest.param(
            BodyTooLarge(limit=10), ("body-too-large",), "RequestEntityTooLarge", id="large"
        ),
        pytest.param(
            IncompleteBody(expected=9, received=1), ("body-incomplete",), "IncompleteBody", id="cut"
        ),
        pytest.param(AccessDenied(), ("denied",), "AccessDenied", id="authorize"),
        pytest.param(LengthRequired(), (), "MissingContentLength", id="nothing to say"),
    ],
)
def test_refusal_of_the_caller(refusal: Any, causes: tuple[str, ...], code: str) -> None:
    """What only the caller can refuse is explained where all rules pass."""
    request = request_of(GENERIC_SIGNER.sign(GET))
    explanation = explain(request, verifier_of(), body=b"", now=NOW, refusal=refusal)
    assert explanation.finding is not None
    assert (explanation.finding.causes, explanation.refusal) == (causes, code)
    assert not explanation.accepted


class DownProvider:
    """A provider whose back end is down."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Raise."""
        raise CredentialsUnavailable


def test_provider_that_is_down() -> None:
    """That the credentials cannot be looked up is a finding, not a fault of the explanation."""
    verifier = Verifier(DownProvider(), region="us-east-1", service="items")
    explanation = explain(request_of(GENERIC_SIGNER.sign(GET)), verifier, body=b"", now=NOW)
    assert explanation.finding is not None
    assert explanation.finding.causes == ("provider-down",)
    assert explanation.finding.party == "server"


def test_credentials_are_handed_in() -> None:
    """Credentials that the caller found are used; the provider is not asked."""
    verifier = Verifier(DownProvider(), region="us-east-1", service="items")
    request = request_of(GENERIC_SIGNER.sign(GET))
    explanation = explain(request, verifier, body=b"", credentials=Credentials(SECRET), now=NOW)
    assert explanation.accepted
    explanation = explain(request, verifier, body=b"", credentials=None, now=NOW)
    assert explanation.finding is not None
    assert explanation.finding.causes == ("unknown-key",)


def test_path_that_is_not_routed() -> None:
    """A path that the application would not route on is told as such."""
    message = GENERIC_SIGNER.sign(GET)
    request = type(request_of(message))(
        method="GET",
        path=message.path,
        query=message.query,
        headers=message.headers,
        routed_path=b"/other",
    )
    explanation = explain(request, verifier_of(), body=b"", now=NOW)
    assert explanation.finding is not None
    assert explanation.finding.causes == ("path-not-routed",)


def test_checks_say_what_they_saw() -> None:
    """Each rule that passed says what it saw, also where a later one refused the request."""
    case = next(case for case in CASES if case.causes == "wrong-service")
    checks = case.explain().checks
    assert [(c.number, c.status, c.detail) for c in checks[:2]] == [
        (1, "passed", "Authorization header"),
        (2, "passed", "AWS4-HMAC-SHA256, access key id AKIAIOSFODNN7EXAMPLE"),
    ]
    assert (checks[5].status, checks[6].status, checks[6].detail) == ("failed", "not reached", "")
    presigned = next(case for case in CASES if case.causes == "link-expired").explain()
    assert presigned.checks[0].detail == "presigned URL"
    accepted = explain(request_of(GENERIC_SIGNER.sign(GET)), verifier_of(), body=b"", now=NOW + 9)
    assert [check.detail for check in accepted.checks[3:8]] == [
        "20261121T213000Z",
        "9 s ago, 300 s accepted",
        "20261121/us-east-1/items/aws4_request",
        "host;x-amz-date",
        "no payload hash sent",
    ]


def test_every_cause_has_a_case() -> None:
    """No cause is on the list that no test shows."""
    shown = {cause for case in CASES for cause in case.causes.split()}
    shown |= {"body-changed", "body-too-large", "denied", "provider-down", "path-not-routed"}
    shown |= {"body-incomplete"}
    assert {cause.id for cause in CAUSES} == shown
