"""Readings that seldom matter: repeated headers, odd originals, keys without a secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import Signer
from tests.core.signing import sha256
from tests.explain.clients import Client
from tests.explain.clients import request_of
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.hosts import HOSTS
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.search import find_cause
from wsgi_sigv4.explain.showing import Scrubber
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.verifier import Verifier

Alter = Callable[[Message], Message]


def sets(name: str, value: str | bytes) -> Alter:
    """Return what sets a header."""
    return lambda message: message.with_header(name, value)


def moved(path: str, *, query: str = "", **headers: str) -> Alter:
    """Return what gives a request another target, and headers that tell the old one."""

    def alter(message: Message) -> Message:
        message = replace(message, path=path.encode(), query=query.encode())
        for name, value in headers.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return alter


def repeated(*values: str) -> Alter:
    """Return what sends the header x-list once for each of *values*."""

    def alter(message: Message) -> Message:
        message = message.without_header("x-list")
        for value in values:
            message = message.with_extra_header("x-list", value)
        return message

    return alter


ODD = [
    pytest.param(
        Client(headers={"x-list": "a, b"}), repeated("a", "b"), ("header-joined",), id="joined"
    ),
    pytest.param(
        Client(headers={"x-list": "b,a"}), repeated("a", "b"), ("header-joined",), id="order"
    ),
    pytest.param(
        Client(headers={"x-list": "b"}), repeated("a", "b"), ("header-joined",), id="one of two"
    ),
    pytest.param(
        Client(path="/new/7", query="a=1"),
        moved("/old", query="b=2", X_Original_URL="http://api.example.com/new/7?a=1"),
        ("path-forwarded",),
        id="whole URL",
    ),
    pytest.param(
        Client(path="/new/7", query=""),
        moved("/old", X_Original_URI="not-a-path", X_Rewrite_URL="/new/7?%zz"),
        ("path-forwarded",),
        id="query cannot be read",
    ),
    pytest.param(
        Client(path="/api", query=""),
        moved("/", X_Script_Name="api"),
        ("path-prefix-stripped",),
        id="root of a prefix",
    ),
    pytest.param(
        Client(path="/docs/", query=""), moved("/docs/index.html"), ("path-end",), id="index page"
    ),
    pytest.param(
        Client(host="public.example.org"),
        lambda m: m.with_header("Host", "app").with_header(
            "X-Forwarded-Host", "public.example.org:81"
        ),
        ("host-forwarded",),
        id="port of a forwarded host",
    ),
    pytest.param(
        Client(host="s3.example.com", path="/photos/a", s3=True),
        lambda m: replace(m, path=b"/a").with_header("Host", "photos.s3.example.com"),
        ("host-bucket",),
        id="bucket put into the host",
    ),
    pytest.param(
        Client(method="POST", query=""),
        moved("/items/7", query="_method=put"),
        ("query-added",),
        id="method of a form, and a parameter",
    ),
    pytest.param(
        Client(method="PUT", query="_method=put"),
        lambda m: replace(m, method="POST"),
        ("method-override",),
        id="method in the query",
    ),
    pytest.param(
        Client(headers={"x-note": "caf\xe9"}),
        sets("x-note", b"caf\xc3\x83\xc2\xa9"),
        ("header-charset",),
        id="encoded twice",
    ),
    pytest.param(
        Client(headers={"x-note": "caf???"}),
        sets("x-note", "caf\u20ac"),
        ("header-charset",),
        id="euro sign",
    ),
    pytest.param(
        Client(headers={"x-amzn-trace-id": "Root=1-2"}),
        sets("x-amzn-trace-id", "Self=3;Root=1-2"),
        None,
        id="botocore does not sign the trace",
    ),
    pytest.param(
        Client(path="/../x", s3=True, secret="x" * 40), lambda m: m, (), id="above the root of S3"
    ),
    pytest.param(
        Client(path="/a%25zz", secret="x" * 40), lambda m: m, (), id="escape of no escape"
    ),
    pytest.param(
        Client(path="/%2525", query=""), moved("/%25"), ("path-decoded",), id="escaped percent sign"
    ),
]


@pytest.mark.parametrize(("client", "alter", "causes"), ODD)
def test_odd_request(client: Client, alter: Alter, causes: tuple[str, ...] | None) -> None:
    """An odd request is explained by what was done to it, or by nothing."""
    explanation = client.explain(alter(client.sign()))
    assert (explanation.finding and explanation.finding.causes) == causes


def explained(signer: Signer, message: Message, alter: Alter, **parts: Any) -> Any:
    """Return the causes for *message*, signed by the tests' own client and altered."""
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service=signer.service)
    arrived = alter(signer.sign(message))
    finding = explain(
        request_of(arrived), verifier, body=parts.get("body", arrived.body), now=NOW
    ).finding
    return finding and finding.causes


def test_trace_of_a_load_balancer() -> None:
    """What a load balancer puts before a signed X-Amzn-Trace-Id is found."""
    message = Message.of(headers={"X-Amzn-Trace-Id": "Root=1-67891233-abcdef"})
    alter = sets("X-Amzn-Trace-Id", "Self=1-6789-12;Root=1-67891233-abcdef")
    assert explained(GENERIC_SIGNER, message, alter) == ("header-forwarding",)


def test_decoded_length() -> None:
    """A signed Content-Length that was that of the decoded body is found."""
    headers = {"Content-Length": "5", "X-Amz-Decoded-Content-Length": "5"}
    headers["X-Amz-Content-Sha256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    alter = sets("Content-Length", "93")
    message = Message.of("PUT", headers=headers)
    assert explained(S3_SIGNER, message, alter) == ("header-content-length",)


def test_body_that_is_not_known() -> None:
    """A signature that covers a body nobody knows is not judged; that of no body is."""
    message = Message.of("POST", body=b"hello")
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items")
    request = request_of(GENERIC_SIGNER.sign(message))
    finding = explain(request, verifier, now=NOW).finding
    assert finding is not None
    assert (finding.causes, finding.party) == ((), "unknown")
    assert "not known here" in finding.summary
    explanation = explain(request_of(GENERIC_SIGNER.sign(Message.of())), verifier, now=NOW)
    assert explanation.accepted
    assert explanation.checks[10].status == "not reached"
    assert explanation.checks[10].detail == "the body is not known here"


def test_length_of_a_body_that_is_not_known() -> None:
    """A signed Content-Length is tried as zero where the body is not known, too."""
    message = Message.of(
        "PUT", headers={"Content-Length": "0", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    )
    request = request_of(S3_SIGNER.sign(message).with_header("Content-Length", "9"))
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3")
    finding = explain(request, verifier, now=NOW).finding
    assert finding is not None
    assert finding.causes == ("header-content-length",)


def test_body_whose_hash_is_sent() -> None:
    """With x-amz-content-sha256 the signature is judged without the body, which is not."""
    headers = {"X-Amz-Content-Sha256": sha256(b"hello")}
    request = request_of(GENERIC_SIGNER.sign(Message.of("PUT", headers=headers)))
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items")
    explanation = explain(request, verifier, now=NOW)
    assert explanation.accepted
    assert [check.status for check in explanation.checks[9:]] == ["passed", "not reached"]


def test_key_without_a_secret() -> None:
    """Where only a signing key is known, a changed Host is found all the same."""
    message = GENERIC_SIGNER.sign(Message.of())
    verifier = Verifier({}, region="us-east-1", service="items")
    attempt = verifier.prepare(request_of(message), now=NOW)
    assert attempt is not None
    key = Credentials(signing_key=derive_signing_key(Secret(SECRET), attempt.scope))
    for host, causes in (("api.example.com:8443", ("host-port-not-signed",)), ("x", ())):
        request = request_of(message.with_header("Host", host))
        finding = explain(request, verifier, body=b"", credentials=key, now=NOW).finding
        assert finding is not None
        assert finding.causes == causes


def test_verifiers_own_clock() -> None:
    """Without a time the verifier's clock is read."""
    verifier = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items", clock=lambda: NOW
    )
    request = request_of(GENERIC_SIGNER.sign(Message.of()))
    assert explain(request, verifier, body=b"").accepted


def test_server_s_own_reading_is_what_the_verifier_reads() -> None:
    """The canonical request that readings start from is the one that the rules make."""
    client = Client(
        query="b=%20x&a&c=%2F", headers={"x-note": " a  b\tc "}, token=TOKEN, method="PUT"
    )
    message = client.sign()
    attempt = client.verifier().prepare(request_of(message), now=NOW)
    assert attempt is not None
    case = Case(attempt, client.verifier(), secret=Secret(SECRET), signing_key=None, body=b"")
    assert case.canonical_request() == evidence(attempt, case.payload_hash).canonical_request
    assert TOKEN not in repr(case)


def test_two_headers_of_one_cause() -> None:
    """Two headers that the same thing was done to are one cause, and both are named."""
    client = Client(headers={"accept": "*/*", "cache-control": "no-cache"})
    message = client.sign().with_header("accept", "a/b").with_header("cache-control", "max-age=9")
    finding = client.explain(message).finding
    assert finding is not None
    assert finding.causes == ("header-hop",)
    assert "the header cache-control `no-cache` and the header accept `*/*`" in finding.summary


def test_mismatch_that_is_none() -> None:
    """A request whose signature is right here, though the caller says not, is told as such."""
    request = request_of(GENERIC_SIGNER.sign(Message.of()))
    verifier = Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items")
    refusal = SignatureMismatch(signature="")
    finding = explain(request, verifier, body=b"", now=NOW, refusal=refusal).finding
    assert finding is not None
    assert (finding.causes, finding.party) == ((), "unknown")
    assert "as it is known here" in finding.summary


def test_search_that_tries_everything() -> None:
    """A search ends when all pairs were tried."""
    client = Client(secret="x" * 40)
    attempt = client.verifier().prepare(request_of(client.sign()), now=NOW)
    assert attempt is not None
    case = Case(attempt, client.verifier(), secret=Secret(SECRET), signing_key=None, body=b"")
    assert find_cause(case, HOSTS) == ()


def test_scrubber_shows_nothing_itself() -> None:
    """A repr of what knows the secrets holds none, and without secrets it changes nothing."""
    assert repr(Scrubber([SECRET])) == "Scrubber(...)"
    assert Scrubber(["", "short"]).scrub(b"a short text") == b"a short text"
    assert shown("caf\u00e9\n") == "caf\\xc3\\xa9\\x0a"
