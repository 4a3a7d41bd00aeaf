"""The page of an explained refusal: who gets it, and what can stand on it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.core.messages import Message
from tests.wsgi.calls import Answer
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.servers import UWSGI
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.explain import Check
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import Finding
from wsgi_sigv4.explain import Status
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.refusal_page import as_page

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


def answered(accept: str | None, *, method: str = "GET", **options: Any) -> Answer:
    """Return the answer to a bad link that a client opens that accepts *accept*."""
    link = forged(sign(method, s3=True, presigned=True))
    if accept is not None:
        link = link.with_header("Accept", accept)
    guard = SigV4Middleware(Application(), verifier(s3=True), explain=True)
    return send(guard, link, **options)


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        pytest.param(CHROMIUM, True, id="Chromium"),
        pytest.param(FIREFOX, True, id="Firefox and Safari"),
        pytest.param(JAVA, False, id="Java"),
        pytest.param("*/*", False, id="curl"),
        pytest.param(None, False, id="botocore"),
        pytest.param("application/json, text/html;q=0.5", False, id="fetch"),
        pytest.param("application/xml", False, id="XML"),
        pytest.param("a" * 60_000 + ",text/html", False, id="long"),
    ],
)
def test_who_gets_the_page(accept: str | None, is_page: bool) -> None:
    """A navigation does, and no client of another kind."""
    answer = answered(accept)
    kind = "text/html; charset=utf-8" if is_page else "application/xml"
    assert answer.header("Content-Type") == kind
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Vary") == "Authorization, Accept"
    assert (answer.header("Content-Security-Policy") is not None) is is_page
    assert answer.header("x-amz-request-id")


def test_other_methods_get_no_page() -> None:
    """A form that was posted is answered as AWS does, and HEAD without a body."""
    assert answered(CHROMIUM, method="POST").header("Content-Type") == "application/xml"
    head = answered(CHROMIUM, method="HEAD")
    assert (head.header("Content-Type"), head.body) == ("text/html; charset=utf-8", b"")
    assert int(head.header("Content-Length") or 0) > 1000


def test_signed_header_gets_no_page() -> None:
    """No browser sends an authorization of AWS's: whoever does is told in AWS's words."""
    message = forged(sign(s3=True)).with_header("Accept", CHROMIUM)
    guard = SigV4Middleware(Application(), verifier(s3=True), explain=True)
    assert send(guard, message).header("Content-Type") == "application/xml"


def test_headers_of_the_page() -> None:
    """Nothing is loaded, run, embedded, sniffed, stored or referred to."""
    answer = answered(CHROMIUM)
    policy = answer.header("Content-Security-Policy") or ""
    style = re.findall(r"style-src 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert policy.startswith("default-src 'none'; ")
    assert len(style) == 1
    assert "unsafe" not in policy
    for part in ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "sandbox"):
        assert part in policy
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Cache-Control") == "no-store"
    assert b"http://" not in answer.body
    assert b"https://" not in answer.body
    assert b"url(" not in answer.body


def test_page_behind_uwsgi() -> None:
    """What is added for a server is added to the page, too."""
    link = forged(sign(s3=True, presigned=True)).with_header("Accept", CHROMIUM)
    guard = SigV4Middleware(Application(), verifier(s3=True), explain=True)
    assert send(guard, link, UWSGI).header("Date")


def test_unsigned_visit() -> None:
    """Who opens a guarded URL without any signature is told so; nothing was canonicalised."""
    guard = SigV4Middleware(Application(), verifier(s3=True), explain=True)
    answer = send(guard, Message.of().with_header("Accept", CHROMIUM))
    assert "The request is not signed." in answer.text
    assert "Canonical request" not in answer.text


EVIL = "<script>alert(1)</script>\"'&\x00\x1b\x7f\xff\u202e+ADw-"


def test_hostile_page_is_escaped_and_capped() -> None:
    """Every text is escaped, every byte is ASCII, and there are at most 64 KiB of them."""
    told = Explanation(
        checks=(Check(number=1, name=EVIL, status=Status.FAILED, detail=EVIL * 5000),),
        canonical_request=EVIL.encode() * 5000,
        string_to_sign=EVIL.encode() * 5000,
        finding=Finding(
            causes=(EVIL,),
            summary=EVIL,
            party=EVIL,  # type: ignore[arg-type] # (nobody has it so, and it is escaped)
            remedy=EVIL,
        ),
        refusal="Code",
    )
    found = Reason(code=EVIL, status=403, message=EVIL * 5000)
    headers, body = as_page(found, told, limit=64 * 1024)
    text = body.decode("ascii")
    assert len(body) <= 64 * 1024
    assert dict(headers)["Content-Length"] == str(len(body))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 5
    tags = set(re.findall("<([a-z0-9]+)", text))
    known = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd"}
    assert tags <= known | {"ol", "li", "i", "b", "span", "pre", "code", "footer"}


def test_page_without_a_finding() -> None:
    """What nothing was found for is a page all the same."""
    told = Explanation(
        checks=(),
        canonical_request=None,
        string_to_sign=None,
        finding=None,
        refusal="Code",
    )
    _, body = as_page(Reason(code="Code", status=403, message="No."), told, limit=0)
    assert b"<dl>" not in body
    assert b"403 Code" in body
