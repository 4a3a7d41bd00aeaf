"""Attacks on explanations: secrets that stand where nobody looks for them."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.attacker import HOST
from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import Request
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.logs import RedactingFilter
from wsgi_sigv4.redaction import redacted
from wsgi_sigv4.signing_key import derive_signing_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

OTHER_SECRET = "another-secret-of-forty-characters-at-al"
TOKEN = "FwoGZXIvYXdzEXAMPLE+token/with=signs"
PAGE = ("Accept", "text/html,application/xhtml+xml")


def application(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    """Answer whatever comes."""
    start_response("200 OK", [])
    return [b"let in"]


def told(sent: Sent, caplog: pytest.LogCaptureFixture, *, service: str = "items") -> str:
    """Return all that is answered, shown to a browser, logged and told to hooks of *sent*."""
    caplog.set_level(logging.DEBUG, logger="wsgi_sigv4")
    verdicts: list[Any] = []
    credentials = Credentials(SECRET, session_token=TOKEN)
    verifier = Verifier({KEY: credentials}, region="us-east-1", service=service)
    app = SigV4Middleware(application, verifier, explain=True, on_refuse=verdicts.append)
    answers = [send(app, sent), send(app, sent.having(PAGE))]
    assert not {200, 500} & {answer.status for answer in answers}
    assert all(verdict.explanation is not None for verdict in verdicts)
    return caplog.text + repr(verdicts) + "".join(answer.body.decode() for answer in answers)


def nested(url: str, times: int) -> str:
    """Return *url* as a parameter in a parameter in a parameter has it."""
    for _ in range(times):
        url = quote(url, safe="")
    return url


@pytest.mark.parametrize("times", [1, 2, 3, 4])
@pytest.mark.parametrize("service", ["items", "s3"])
@pytest.mark.parametrize("place", ["path", "query", "header"])
def test_url_within_urls_keeps_its_signature(
    caplog: pytest.LogCaptureFixture, place: str, service: str, times: int
) -> None:
    """A login page gets the link that somebody came with, escaped once more by each redirect."""
    link = sign(target="/b.jpg", presigned=True, service=service)
    signature = link.target.partition("X-Amz-Signature=")[2]
    url = nested(f"https://{HOST}{link.target}", times)
    target = {"path": f"/to/{url}", "query": f"/to?url={url}"}.get(place, "/to")
    headers = (("X-Link", url),) if place == "header" else ()
    presigned = place != "header"
    sent = sign(
        target=target, headers=headers, secret=OTHER_SECRET, service=service, presigned=presigned
    )
    shown = told(sent, caplog, service=service)
    assert "X-Amz-Expires" in shown
    assert signature not in shown


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_access_log_keeps_no_signature_of_a_url_within_urls(times: int) -> None:
    """What the filter knows of `=` and `%3D`, it knows of `%253D`."""
    url = nested("https://a.example/b?X-Amz-Signature=c0ffee&X-Amz-Security-Token=c0ffee", times)
    record = logging.LogRecord("access", logging.INFO, "", 0, "GET /to?url=%s 200", (url,), None)
    assert RedactingFilter().filter(record)
    assert "c0ffee" not in record.getMessage()


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-Authorization",
        "X-Amzn-Remapped-Authorization",
        "X-Original-Cookie",
        "X-Auth-Key",
        "X-Functions-Key",
        "X-Secret-Key",
        "Ocp-Apim-Subscription-Key",
        "X-Session-Id",
        "X-Hub-Signature-256",
        "X-Ms-Client-Principal",
        "X-Amz-Server-Side-Encryption-Customer-Key",
    ],
)
def test_header_that_carries_another_login_is_not_shown(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Gateways rename Authorization and Cookie, and others have keys of their own."""
    headers = ((name, "of-the-victim"), ("X-Note", "of-nobody"))
    shown = told(sign(headers=headers, secret=OTHER_SECRET, token=TOKEN), caplog)
    assert "of-the-victim" not in shown
    assert "of-nobody" in shown


@pytest.mark.parametrize("name", ["api_key", "x-amz-sso_bearer_token", "auth_token"])
def test_header_with_an_underscore_is_not_shown(name: str) -> None:
    """Clients sign such names, and their own canonical request is compared with ours."""
    assert redacted(f"GET\n/\n\n{name}:hidden\n".encode()) == f"GET\n/\n\n{name}:...\n".encode()


@pytest.mark.parametrize("service", ["items", "s3"])
@pytest.mark.parametrize("spelt", [TOKEN, quote(TOKEN, safe="")])
def test_session_token_is_shown_nowhere(
    caplog: pytest.LogCaptureFixture, service: str, spelt: str
) -> None:
    """An answer takes it out wherever it stands, as the page and the log do."""
    headers = (("X-Note", f"of {spelt}"),)
    sent = sign(headers=headers, secret=OTHER_SECRET, token=TOKEN, service=service)
    shown = told(sent, caplog, service=service)
    assert "x-note:of ..." in shown
    assert spelt not in shown


@pytest.mark.parametrize("scope", ["/20261121/us-east-1/items/aws4_request", ""])
def test_secret_in_the_place_of_the_key_id_is_not_logged(
    caplog: pytest.LogCaptureFixture, scope: str
) -> None:
    """Who exchanges the two sends the secret in clear; the log does not keep it, and says so."""
    assert "/" in SECRET
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={SECRET}{scope}, SignedHeaders=host, Signature={'0' * 64}"
    )
    told(Sent().having(("Authorization", authorization)), caplog)
    assert "malformed-authorization" in caplog.text
    assert ("may have been exchanged" in caplog.text) == bool(scope)
    for piece in SECRET.split("/"):
        assert piece not in caplog.text


class Minting:
    """A provider that hands out signing keys, and no secret."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the signing key of the one key that there is."""
        if access_key_id != KEY:
            return None
        return Credentials(signing_key=derive_signing_key(Secret(SECRET), scope))


@pytest.mark.parametrize("provider", [Minting(), {KEY: SECRET}], ids=("signing keys", "secrets"))
def test_search_for_a_key_that_exists_takes_no_less(
    monkeypatch: pytest.MonkeyPatch, provider: Any
) -> None:
    """With uniform errors as much is tried, and as many keys derived, for a key that is unknown."""
    worked: Counter[str] = Counter()
    signs = Case.signs

    def counted_signs(self: Case, digest: str, *changes: Change) -> bool:
        worked["signs"] += 1
        return signs(self, digest, *changes)

    def counted_derive(secret: Secret, scope: CredentialScope) -> bytes:
        worked["derive"] += 1
        return derive_signing_key(secret, scope)

    monkeypatch.setattr(Case, "signs", counted_signs)
    monkeypatch.setattr("wsgi_sigv4.explain.readings.derive_signing_key", counted_derive)
    # Another alphabet would make another number of spellings.
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: SECRET[::-1])
    verifier = Verifier(provider, region="us-east-1", service="items", uniform_errors=True)
    app = SigV4Middleware(application, verifier, explain=True)
    answers, work = [], []
    for key in (KEY, "AKIAOTHER"):
        worked.clear()
        answers.append(send(app, sign(target="/a?b=c", key=key, secret=OTHER_SECRET)))
        work.append((worked["signs"], worked["derive"]))
    assert work[0] == work[1]
    assert min(work[0]) > 50
    told = [json.loads(answer.body)["explanation"] for answer in answers]
    assert told[0] == told[1]


def test_disabled_key_is_explained_as_an_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told the same of both, after the same work."""
    found: Counter[str | None] = Counter()

    def counted(request: Request, *arguments: Any, **more: Any) -> Explanation:
        told = explain(request, *arguments, **more)
        found[told.refusal] += 1
        return told

    monkeypatch.setattr("wsgi_sigv4.explain.telling.explain", counted)
    verifier = Verifier(
        {KEY: Credentials(SECRET, enabled=False)}, region="us-east-1", service="items"
    )
    app = SigV4Middleware(application, verifier, explain=True)
    answers = []
    for key in (KEY, "AKIAOTHER"):
        answers.append(send(app, sign(key=key)).body.decode().replace(key, "..."))
        assert found == {"InvalidClientTokenId": len(answers)}
    assert answers[0] == answers[1]
    assert "unknown-key" in answers[0]
