"""Host is none of hosts: which of them the client has signed, where the signature tells."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import Client
from tests.explain.clients import request_of
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from tests.wsgi.clients import ACCESS_KEY_ID
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.explain import Finding
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.terms import TERMS

HOST = "api.example.com:8443"
NOT_ACCEPTED = ("host-not-accepted",)


def finding_of(client: Client, host: str, **headers: str) -> Finding:
    """Return the finding on the request of *client* that arrives with *host*."""
    arrived = client.sign().with_header("Host", host)
    for name, value in headers.items():
        arrived = arrived.with_extra_header(name.replace("_", "-"), value)
    explanation = client.explain(arrived)
    assert explanation.refusal == "AccessDenied"
    assert [c.number for c in explanation.checks if c.status == "failed"] == [7]
    assert explanation.finding is not None
    return explanation.finding


def client_of(host: str = HOST, *, hosts: Any = (HOST,), **parts: Any) -> Client:
    """Return a client that signs *host*, and whose server has *hosts*."""
    return Client(host=host, knobs={"hosts": hosts}, **parts)


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize("s3", [False, True])
@pytest.mark.parametrize(
    ("arrived", "cause"),
    [("api.example.com", "host-port-dropped"), ("upstream", "host-configured")],
)
def test_proxy_replaced_host(arrived: str, cause: str, s3: bool, presigned: bool) -> None:
    """What nginx's $host and its default make of Host is told as such, with the remedy."""
    finding = finding_of(client_of(s3=s3, presigned=presigned), arrived)
    assert (finding.causes, finding.party) == ((cause,), "proxy")
    assert finding.summary == (
        f"The signature is right for Host `{HOST}`, but the request arrived with `{arrived}`."
    )
    assert "proxy_set_header Host $http_host;" in finding.remedy


def test_host_in_a_header_of_the_proxy() -> None:
    """Where X-Forwarded-Host has the Host that was signed, the options that read it are told."""
    finding = finding_of(client_of(), "127.0.0.1:5000", X_Forwarded_Host=HOST)
    assert finding.causes == ("host-forwarded",)
    assert "ProxyFix(x_host=1)" in finding.remedy


def test_host_below_a_suffix() -> None:
    """A port that was lost is found where hosts has no name, but what it ends with."""
    client = client_of("a.example.com:80", hosts=(".example.com",))
    finding = finding_of(client, "upstream", X_Forwarded_Host="a.example.com:80")
    assert finding.causes == ("host-forwarded",)


def test_host_and_path() -> None:
    """Two changes at once are found, as without hosts."""
    client = client_of(path="/items/7/")
    arrived = client.sign().with_header("Host", "upstream")
    finding = client.explain(
        Message(
            method=arrived.method, path=b"/items/7", query=arrived.query, headers=arrived.headers
        )
    ).finding
    assert finding is not None
    assert finding.causes == ("host-configured", "path-end")


def test_signature_is_right_for_the_host_that_arrived() -> None:
    """No proxy has touched Host: then hosts lacks it, or the client's endpoint is wrong."""
    finding = finding_of(client_of("www.example.com"), "www.example.com")
    assert (finding.causes, finding.party) == (NOT_ACCEPTED, "server")
    assert "`www.example.com`, which hosts does not name" in finding.summary
    assert "add it to hosts" in finding.remedy
    assert "pointed at the wrong name" in finding.remedy


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(client_of(secret="another-secret"), id="secret"),
        pytest.param(client_of(secret=SECRET + "\n"), id="secret with a blank"),
        pytest.param(client_of("www.example.com:8443"), id="host that is none of hosts"),
        pytest.param(client_of(method="POST", body=b"x=1"), id="body that differs"),
        pytest.param(client_of(hosts=()), id="no hosts"),
    ],
)
def test_nothing_is_found(client: Client) -> None:
    """Where the signature tells nothing, the proxy is named before hosts."""
    arrived = client.sign().with_header("Host", "www.example.com")
    explanation = explain(request_of(arrived), client.verifier(), body=b"changed", now=NOW)
    finding = explanation.finding
    assert finding is not None
    assert finding.causes == NOT_ACCEPTED
    assert finding.remedy.startswith("Where a proxy replaced it: nginx: proxy_set_header Host")


def test_signature_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is searched for a signature that nothing can make right."""
    monkeypatch.delattr(Case, "signs")
    client = client_of()
    arrived = client.sign().with_header("Host", "upstream")
    value = (arrived.header("authorization") or b"").decode()
    finding = client.explain(arrived.with_header("Authorization", value[:-1])).finding
    assert finding is not None
    assert finding.causes == NOT_ACCEPTED


def test_other_rule_refuses_as_well() -> None:
    """A payload form that is refused too leaves it at Host."""
    client = client_of(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert finding_of(client, "upstream").causes == NOT_ACCEPTED


class DownProvider:
    """A provider whose back end is down."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Raise."""
        raise CredentialsUnavailable


def test_provider_that_is_down() -> None:
    """Without credentials the finding is what the rule says; those handed in are used."""
    client = client_of()
    down = Verifier(DownProvider(), region="us-east-1", service="items", hosts=(HOST,))
    arrived = client.sign().with_header("Host", "upstream")
    explanation = explain(request_of(arrived), down, body=b"", now=NOW)
    assert explanation.refusal == "AccessDenied"
    assert explanation.finding is not None
    assert explanation.finding.causes == NOT_ACCEPTED
    key = Credentials(SECRET)
    known = explain(request_of(arrived), down, body=b"", credentials=key, now=NOW).finding
    assert known is not None
    assert known.causes == ("host-configured",)


def test_narrowed_verifier_stays_narrow() -> None:
    """What takes any Host for an explanation takes no other service for it, and is one."""
    wide = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service=("items", "things"), hosts=(HOST,)
    )
    wide.taking_any_host()
    narrow = wide.narrowed(service="things")
    assert narrow.taking_any_host().services == ("things",)
    assert narrow.taking_any_host() is narrow.taking_any_host()
    assert (narrow.hosts, narrow.taking_any_host().hosts) == ((HOST,), None)
    assert not wide.accepts_host("www.example.com")


def explaining(**parameters: Any) -> SigV4Middleware:
    """Return a middleware that explains, and accepts one Host."""
    known = verifier(hosts=(HOST,), **parameters)
    return SigV4Middleware(Application(), known, explain=True)


def asked(host: str = "api.example.com", **parameters: Any) -> Message:
    """Return a request for HOST that arrives with *host*."""
    return sign(host=HOST, **parameters).with_header("Host", host)


def test_answer_and_log(caplog: pytest.LogCaptureFixture) -> None:
    """The answer and the log tell the cause; the refusal is the one of before."""
    with caplog.at_level(logging.WARNING, "wsgi_sigv4"):
        answer = send(explaining(), asked())
    told = json.loads(answer.body)["explanation"]
    assert answer.status == 403
    assert "Access Denied" in answer.text
    assert told["causes"] == ["host-port-dropped"]
    assert HOST in told["summary"]
    causes = [r.sigv4_causes for r in caplog.records if hasattr(r, "sigv4_causes")]
    assert causes == [("host-port-dropped",)]


def test_explanations_fill_no_memo() -> None:
    """However many are explained, no more is remembered of their kind."""
    middleware = explaining()
    send(middleware, asked())
    before = len(TERMS)
    for _ in range(3):
        send(middleware, asked())
    assert len(TERMS) == before


@pytest.mark.parametrize("uniform_errors", [False, True])
def test_nothing_is_told_of_a_key(monkeypatch: pytest.MonkeyPatch, uniform_errors: bool) -> None:
    """Whoever lacks the secret is told the same of every key and token, after the same work."""
    worked: Counter[str] = Counter()
    signs = Case.signs

    def counted(self: Case, digest: str, *changes: Change) -> bool:
        worked["signs"] += 1
        return signs(self, digest, *changes)

    monkeypatch.setattr(Case, "signs", counted)
    # Another alphabet would make another number of spellings.
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: SECRET[::-1])
    keys = {
        ACCESS_KEY_ID: Credentials(SECRET),
        TEMPORARY_ID: Credentials(SECRET, session_token=SESSION_TOKEN),
        "AKIADISABLED": Credentials(SECRET, enabled=False),
    }
    told, work = [], []
    for guess in ("another-secret", f"{SECRET} "):
        for key in (*keys, UNKNOWN_ID):
            worked.clear()
            app = explaining(credentials=keys, uniform_errors=uniform_errors)
            answer = send(app, asked(access_key_id=key, secret=guess))
            told.append(json.loads(answer.body)["explanation"])
            work.append(worked["signs"])
    assert told == [told[0]] * 8
    assert told[0]["causes"] == ["host-not-accepted"]
    assert work == [work[0]] * 8
    assert work[0] > 50


@pytest.mark.parametrize("uniform_errors", [False, True])
def test_wrong_token_is_not_searched_with_the_secret(uniform_errors: bool) -> None:
    """A key whose token did not arrive explains nothing, though the secret be right."""
    sent = asked(access_key_id=TEMPORARY_ID)
    answer = send(explaining(uniform_errors=uniform_errors), sent)
    assert json.loads(answer.body)["explanation"]["causes"] == ["host-not-accepted"]
