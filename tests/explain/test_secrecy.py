"""What an explanation shows: no secret, no signature, no token, no cookie, nothing that obeys."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import Client
from tests.explain.clients import request_of
from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from tests.explain.leaks import COOKIE
from tests.explain.leaks import leaks
from tests.explain.leaks import texts
from tests.explain.refusal_cases import CASES
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.explain import explain
from wsgi_sigv4.verifier import Verifier

HOSTILE = "\x1b[31m\x07\x9b2J\u202egnp.exe\u2066\x7f<script>alert(1)</script>`${x}`"
PRINTABLE = re.compile(r"[\n\x20-\x7e]*")


def test_no_case_shows_a_secret() -> None:
    """No explanation of any case holds secret, signing key, signature, token or cookie."""
    chance = random.Random(0)
    for distortion in DISTORTIONS:
        client, _ = distorted((distortion,), chance)
        client = replace(client, token=TOKEN).with_header("Cookie", COOKIE)
        message = distortion.alter(client.sign())
        assert leaks(client, message, client.explain(message)) == []


@pytest.mark.parametrize("case", [pytest.param(c, id=f"{n}") for n, c in enumerate(CASES)])
def test_no_refusal_shows_a_secret(case: Any) -> None:
    """No explanation of another refusal holds secret, token or signature."""
    shown = texts(case.explain())
    assert SECRET not in shown
    assert TOKEN not in shown
    sent = (case.make().header("authorization") or b"").rpartition(b"Signature=")[2].decode()
    assert len(sent) < 60 or sent not in shown


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        pytest.param("cookie", COOKIE, COOKIE, id="cookie"),
        pytest.param(
            "x-amz-server-side-encryption-customer-key",
            "c2VjcmV0LWtleQ==",
            "c2VjcmV0LWtleQ==",
            id="sse-c",
        ),
        pytest.param(
            "referer", f"https://h/?X-Amz-Signature={'ab' * 32}&x=1", "ab" * 32, id="referer"
        ),
        pytest.param(
            "x-link", f"https://h/?X-Amz-Security-Token={TOKEN}", TOKEN, id="token in a link"
        ),
    ],
)
def test_secret_header(name: str, value: str, secret: str) -> None:
    """A secret header is shown neither as canonicalised nor as what was altered."""
    client = Client(headers={name: value})
    explanation = client.explain(client.sign().with_header(name, value.upper()))
    shown = texts(explanation).lower()
    assert secret.lower() not in shown
    assert f"{name}:" in shown


def test_cookie_that_was_altered() -> None:
    """Of a cookie that makes the difference only the name of the header is told."""
    client = Client(headers={"cookie": "a=1; b=2"})
    finding = client.explain(client.sign().with_header("cookie", "A=1; B=2")).finding
    assert finding is not None
    finding = client.explain(
        client.with_fault(lambda c: c.headers.update(cookie="")).sign()
    ).finding
    assert finding is not None
    assert finding.causes == ("header-missing",)
    assert finding.summary == (
        "The signature is right for the header cookie empty, but the request arrived with `...`."
    )


@pytest.mark.parametrize("where", ["x-note", "path", "query", "host"])
def test_secret_in_a_strange_place(where: str) -> None:
    """A client that sends its secret or its signature where it does not belong is not quoted."""
    for leaked in (SECRET, "signature"):
        client = Client()
        message = client.sign()
        if leaked == "signature":
            leaked = (message.header("authorization") or b"")[-64:].decode()
        spelt = quote(leaked, safe="")
        if where == "path":
            message = replace(message, path=b"/" + spelt.encode())
        elif where == "query":
            message = replace(message, query=b"q=" + spelt.encode())
        elif where == "host":
            message = message.with_header("Host", leaked)
        elif leaked == SECRET:
            client = client.with_header("x-note", leaked)
            message = client.sign().with_header("Host", "other.example.net")
        shown = texts(client.explain(message))
        assert leaked not in shown
        assert spelt not in shown


def test_hostile_text_is_escaped() -> None:
    """Control characters, bidi marks and escapes of terminals come out as printable ASCII."""
    client = Client(headers={"x-note": "plain"})
    hostile = HOSTILE.replace("\x07", "").encode()
    message = client.sign().with_header("x-note", hostile).with_header("Host", hostile)
    explanation = client.explain(message)
    assert PRINTABLE.fullmatch(explanation.as_text())
    for text in strings(explanation.as_dict()):
        assert PRINTABLE.fullmatch(text)
    assert "\\x1b[31m" in explanation.as_text()


def strings(value: Any) -> list[str]:
    """Return every string in *value*, as JSON has it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    return [text for part in value for text in strings(part)] if isinstance(value, list) else []


def test_summary_quotes_no_line_break() -> None:
    """A summary is one line, whatever the values in it hold."""
    client = Client(host="a.example.com:8443")
    message = client.sign().with_header("Host", "a.example.com")
    finding = client.explain(message).finding
    assert finding is not None
    assert "\n" not in finding.summary + finding.remedy


@pytest.mark.parametrize("byte", [b"\\", b"a", b"\xff", b'"'])
def test_output_is_capped(byte: bytes) -> None:
    """Whatever a request holds, its explanation stays below 64 KiB, and each value is cut."""
    headers = {"X-Big": (byte * 60_000).decode("latin-1"), "X-Other": "1"}
    message = GENERIC_SIGNER.sign(
        Message.of(target="/?q=" + "a" * 60_000, headers={"X-Other": "1"})
    )
    message = message.with_header("X-Big", headers["X-Big"].encode("latin-1"))
    listed = (message.header("authorization") or b"").replace(b"x-other", b"x-big;x-other")
    message = message.with_header("Authorization", listed)
    verifier = Verifier({ACCESS_KEY_ID: Credentials(SECRET)}, region="us-east-1", service="items")
    explanation = explain(request_of(message), verifier, body=b"", now=NOW)
    assert len(json.dumps(explanation.as_dict())) < 64 * 1024
    assert len(explanation.as_text()) < 64 * 1024
    assert explanation.finding is not None
    assert len(explanation.finding.summary) < 2048
    assert "... (60" in explanation.as_text()


def test_long_prefix_is_cut() -> None:
    """A prefix in a header that is the cause is told in the remedy, escaped and cut."""
    prefix = "/" + "long'" * 900
    client = Client(path=f"{prefix}/items")
    message = replace(client.sign(), path=b"/items").with_header("X-Forwarded-Prefix", prefix)
    finding = client.explain(message).finding
    assert finding is not None
    assert finding.causes == ("path-prefix-stripped",)
    assert len(finding.summary + finding.remedy) < 2048


def test_half_a_secret_is_not_shown() -> None:
    """A secret that a value is cut within is taken out before the value is cut."""
    client = Client(path="/items")
    for length in range(190, 246, 9):
        value = "a" * length + SECRET
        message = client.with_header("x-note", value + " ").with_fault(
            lambda canonical: canonical.headers.update({"x-note": ""})
        )
        shown = texts(client.explain(message.sign()))
        assert "header-missing" in shown
        assert SECRET[:12] not in shown
