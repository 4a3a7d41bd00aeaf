"""What a finding says, where real servers showed that it has to say it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.messages import Message
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import Client
from tests.explain.clients import request_of
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain import Finding
from wsgi_sigv4.explain import explain


def finding_of(client: Client, arrived: Message) -> Finding:
    """Return the finding on what *arrived* of the request of *client*."""
    finding = client.explain(arrived).finding
    assert finding is not None
    return finding


def test_host_is_told_where_nothing_matches() -> None:
    """The Host of nginx itself is told where nobody can know the one that was signed."""
    client = Client(host="api.example.com:8443")
    finding = finding_of(client, client.sign().with_header("Host", "upstream"))
    assert finding.causes == ()
    assert "The Host that arrived is `upstream`" in finding.remedy
    assert "proxy_set_header Host $http_host;" in finding.remedy


@pytest.mark.parametrize(
    ("header", "value", "told"),
    [
        ("X-Forwarded-Host", "public.example.org", "ProxyFix(x_host=1) or header_overrides"),
        ("X-Original-Host", "public.example.org", "header_overrides={'host': 'x-original-host'}"),
        # header_overrides takes the whole value, which is no host here.
        ("X-Forwarded-Host", "public.example.org, edge.example.org", None),
        ("Forwarded", "host=public.example.org", None),
    ],
)
def test_options_that_would_read_the_header(header: str, value: str, told: str | None) -> None:
    """An option of ours is told only where it would take the very host that was signed."""
    client = Client(host="public.example.org")
    arrived = client.sign().with_header("Host", "app").with_extra_header(header, value)
    finding = finding_of(client, arrived)
    assert finding.causes == ("host-forwarded",)
    assert "proxy_set_header Host $http_host;" in finding.remedy
    if told is None:
        assert "header_overrides" not in finding.remedy
        assert "ProxyFix" not in finding.remedy
    else:
        assert told in finding.remedy


def test_forwarded_port_needs_proxy_fix() -> None:
    """Host and port from two headers are put together by ProxyFix, and by no override."""
    client = Client(host="public.example.org:444")
    arrived = client.sign().with_header("Host", "app")
    arrived = arrived.with_extra_header("X-Forwarded-Host", "public.example.org")
    finding = finding_of(client, arrived.with_extra_header("X-Forwarded-Port", "444"))
    assert "ProxyFix(x_host=1, x_port=1)" in finding.remedy
    assert "header_overrides" not in finding.remedy


@pytest.mark.parametrize(
    ("value", "cause", "told"),
    [
        ("Basic eDp5", "other-scheme", "`Basic`"),
        ("s3cr3t-without-a-scheme", "other-scheme", "`unknown`"),
        ("AWS AKID:c2ln", "sigv2", "Version 2"),
        ("AWS4-HMAC-SHA1 x", "algorithm", "AWS4-HMAC-SHA256"),
        ("", "not-signed", "not signed"),
    ],
)
def test_replaced_authorization(value: str, cause: str, told: str) -> None:
    """What stands in the place of the signature is told; what may be a secret is not shown."""
    client = Client()
    finding = finding_of(client, client.sign().with_header("Authorization", value))
    assert finding.causes == (cause,)
    assert told in finding.summary
    assert "s3cr3t" not in finding.summary


def test_date_that_is_sent_twice() -> None:
    """A second X-Amz-Date is told as such, also where a proxy has joined the two."""
    client = Client()
    sent = client.sign()
    date = (sent.header("x-amz-date") or b"").decode()
    for arrived in (
        sent.with_extra_header("X-Amz-Date", "20261121T000000Z"),
        sent.with_header("X-Amz-Date", f"{date}, {date}"),
    ):
        finding = finding_of(client, arrived)
        assert finding.causes == ("no-date",)
        assert finding.summary == "X-Amz-Date arrived twice."
        assert "leave out the one set by hand (curl: -H)" in finding.remedy
    finding = finding_of(client, sent.with_header("X-Amz-Date", "Sat, 21 Nov 2026 21:30:00 GMT"))
    assert "Let the client send X-Amz-Date" in finding.remedy


def test_request_that_is_not_signed() -> None:
    """Most often nobody signed it: that comes before what hides a signature."""
    client = Client()
    finding = finding_of(client, client.sign().without_header("authorization"))
    assert (finding.causes, finding.party) == (("not-signed",), "client")
    assert finding.remedy.startswith("Sign it: curl --aws-sigv4, an SDK, or a presigned URL")
    assert "WSGIPassAuthorization On" in finding.remedy


def test_underscore_among_the_signed_headers() -> None:
    """A signed name with an underscore is named, which sorting would not mend."""
    client = Client(headers={"X_Note": "1"})
    finding = finding_of(client, client.sign())
    assert finding.causes == ("signed-headers-list",)
    assert "`x_note`" in finding.summary
    assert "with a hyphen" in finding.remedy


def test_obeyed_override() -> None:
    """Where the override was obeyed before the verifier, POST is what was signed."""
    client = Client(method="POST", headers={"X-HTTP-Method-Override": "PUT"})
    finding = finding_of(client, replace(client.sign(), method="PUT"))
    assert finding.causes == ("method-override",)
    assert "`POST`" in finding.summary
    assert "behind the verifier" in finding.remedy


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        (IncompleteBody(expected=5, received=3), "body-incomplete"),
        (BodyTooLarge(limit=3), "body-too-large"),
    ],
)
def test_part_of_a_body(refusal: SigV4Error, cause: str) -> None:
    """What is known of a body that was not read to its end is not taken for another body."""
    client = Client(method="PUT", body=b"hello", s3=True)
    explanation = explain(
        request_of(client.sign()), client.verifier(), body=b"hel", now=NOW, refusal=refusal
    )
    assert explanation.finding is not None
    assert explanation.finding.causes == (cause,)


def test_braces_that_nginx_encodes() -> None:
    """The punctuation that nginx encodes since 1.21.1 is found as it was sent."""
    client = Client(path='/items/{x}%20"y"')
    finding = finding_of(client, replace(client.sign(), path=b"/items/%7Bx%7D%20%22y%22"))
    assert finding.causes == ("path-encoded",)


def test_sentence_of_a_secret() -> None:
    """Nothing that arrives can be set against a secret."""
    finding = finding_of(Client(), Client(secret=SECRET + "\n").sign())
    assert finding.summary == (
        "The signature is right for the secret with other blanks or line endings around it, but "
        "the server knows another one."
    )


def test_sentence_of_a_canonical_path() -> None:
    """Of a path that arrived as it was signed, the canonical form is told."""
    client = Client(path="/items/a+b")

    def verbatim(canonical: object) -> None:
        canonical.path = "/items/a+b"  # type: ignore[attr-defined]

    finding = finding_of(client, client.with_fault(verbatim).sign())
    assert finding.causes == ("path-verbatim",)
    assert "but the request arrived with one whose canonical form is `/items/a%2Bb`" in (
        finding.summary
    )
