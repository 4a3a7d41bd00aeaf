"""Each hypothesis: a request signed by botocore, altered as the named proxy or client does."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import Client
from tests.explain.clients import request_of
from tests.explain.distortion import Distortion
from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from wsgi_sigv4 import Credentials
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.catalogue import HYPOTHESES
from wsgi_sigv4.explain.causes import CAUSES

CASES = [
    pytest.param(distortion, id=f"{number} {distortion.causes[0]}")
    for number, distortion in enumerate(DISTORTIONS)
]


def test_every_hypothesis_has_a_case() -> None:
    """No hypothesis is on the list without a request that it explains, and none stands twice."""
    ids = [hypothesis.id for hypothesis in HYPOTHESES] + [cause.id for cause in CAUSES]
    assert len(ids) == len(set(ids))
    assert {hypothesis.id for hypothesis in HYPOTHESES} == {d.causes[0] for d in DISTORTIONS}


@pytest.mark.parametrize("distortion", CASES)
def test_cause_is_named(distortion: Distortion) -> None:
    """What was done to the request is found, with who has to mend it and how."""
    client, arrived = distorted((distortion,), random.Random(1))
    explanation = client.explain(arrived)
    finding = explanation.finding
    assert finding is not None
    assert (explanation.accepted, explanation.refusal) == (False, "SignatureDoesNotMatch")
    assert len(finding.causes) == 1
    assert finding.causes[0] in distortion.causes
    assert finding.party == distortion.party
    assert distortion.remedy in finding.remedy


@pytest.mark.parametrize("distortion", CASES)
def test_request_is_accepted_without_it(distortion: Distortion) -> None:
    """The same request is accepted where the client makes no fault, and nothing alters it."""
    client, _ = distorted((distortion,), random.Random(1))
    sound = replace(client, faults=(), secret=None, key_scope={})
    explanation = sound.explain(sound.sign())
    if explanation.accepted:
        assert explanation.finding is None
        return
    # The client sends what no signer gets right: that is its fault.
    assert explanation.finding is not None
    assert explanation.finding.party == "client"


def test_sentence_of_a_lost_port() -> None:
    """The summary names what the signature is right for, and what arrived."""
    client = Client(host="api.example.com:8443")
    finding = client.explain(client.sign().with_header("Host", "api.example.com")).finding
    assert finding is not None
    assert finding.summary == (
        "The signature is right for Host `api.example.com:8443`, but the request arrived with "
        "`api.example.com`."
    )
    assert "proxy_set_header Host $http_host;" in finding.remedy
    assert finding.as_dict() == {
        "causes": ["host-port-dropped"],
        "summary": finding.summary,
        "party": "proxy",
        "remedy": finding.remedy,
    }


def test_sentence_of_two_causes() -> None:
    """Two causes are told in one sentence, with both remedies, and no one party."""
    client = Client(host="api.example.com:8443", secret=SECRET + "\n")
    finding = client.explain(client.sign().with_header("Host", "api.example.com")).finding
    assert finding is not None
    assert finding.causes == ("host-port-dropped", "secret-blanks")
    assert finding.party == "unknown"
    assert " and the secret with other blanks or line endings" in finding.summary
    assert "$http_host" in finding.remedy
    assert "line end" in finding.remedy


@pytest.mark.parametrize(
    "blank", ["\n", "\r\n", "\t", " ", "\u00a0", "\u200b", "\ufeff"], ids=ascii
)
@pytest.mark.parametrize("side", ["client", "server"])
def test_blank_that_was_copied_with_the_secret(blank: str, side: str) -> None:
    """Whichever side has it, and none of the two shows it."""
    padded = f"{blank}{SECRET}" if blank == "\ufeff" else f"{SECRET}{blank}"
    ours, theirs = (SECRET, padded) if side == "client" else (padded, SECRET)
    client, known = Client(secret=theirs), Credentials(ours)
    sent = request_of(client.sign())
    finding = explain(sent, client.verifier(), body=b"", credentials=known, now=NOW).finding
    assert finding is not None
    assert finding.causes == ("secret-blanks",)


def test_secret_is_the_likely_cause_of_the_rest() -> None:
    """Where nothing on the list matches, the secret is named, and no cause is."""
    client = Client(secret="B" * 40)
    finding = client.explain(client.sign()).finding
    assert finding is not None
    assert (finding.causes, finding.party) == ((), "key")
    assert finding.summary.startswith("No hypothesis matches: most likely the secret")


def test_accepted_request_has_no_finding() -> None:
    """A request that is accepted is explained as such, all rules passed."""
    client = Client()
    explanation = client.explain(client.sign())
    assert explanation.accepted
    assert (explanation.finding, explanation.refusal) == (None, None)
    assert {check.status for check in explanation.checks} == {"passed"}
    assert explanation.as_text().startswith("accepted\n 1 passed")
