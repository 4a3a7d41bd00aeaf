"""Attacks on what the WSGI middleware leaves behind: answers in caches, identities, users."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier


def verifier() -> Verifier:
    """Return a verifier with one key."""
    return Verifier({KEY: SECRET}, region="us-east-1", service="items", hosts=["localhost"])


def test_answer_to_a_stranger_is_not_for_signers() -> None:
    """T47: a shared cache may not hand a stranger's answer to who signs."""
    app = SigV4Middleware(Application(), verifier(), required=False)
    assert send(app, Sent()).header("Vary") == "Authorization"
    assert send(app, sign()).header("Vary") == "Authorization"


def test_temporary_key_that_ends_while_the_body_arrives() -> None:
    """A body that is dripped past the end of the credentials is refused, as past that of a URL."""
    moments = iter([0.0, 0.0, 61.0])
    body = b"{}"
    sent = sign("POST", body=body, token="token")
    start = time.time()
    issued = Credentials(SECRET, session_token="token", expires_at=start + 60)
    application = Application()
    verifier = Verifier(
        {KEY: issued}, region="us-east-1", service="items", clock=lambda: start + next(moments)
    )
    assert send(SigV4Middleware(application, verifier), sent).status == 403
    assert application.environs == []


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.k7AwS4-xYaws4-Qq",
        "Bearer Aws4-token",
        "Basic YXdzNC06YQ==",
    ],
)
def test_token_that_happens_to_hold_aws4_is_no_attempt(authorization: str) -> None:
    """A random token of another scheme holds `aws4-` now and then."""
    app = SigV4Middleware(Application(), verifier(), required=False)
    assert send(app, Sent().having(("Authorization", authorization))).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "aws4-hmac-sha256 Credential=x",
        "Bearer x,AWS4-HMAC-SHA256 Credential=x",
        "Bearer x, aws4-whatever y",
        "Bearer x aws4-hmac-sha256 y",
        "xAWS4-HMAC-SHA256 Credential=x",
        "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
    ],
)
def test_t41_joined_and_misspelt_schemes_are_attempts(authorization: str) -> None:
    """T41: what stands for a signature in any spelling is refused, be it behind another scheme."""
    app = SigV4Middleware(Application(), verifier(), required=False)
    assert send(app, Sent().having(("Authorization", authorization))).status in (400, 403)


@pytest.mark.parametrize(
    ("script_name", "path_info", "target", "status"),
    [
        ("/api", "/items", "/api/items", 200),
        ("/api/", "items", "/api/items", 200),
        ("/api", "", "/api", 200),
        ("/api", "admin", "/apiadmin", 400),
        ("/api", "..", "/api..", 400),
        ("", "admin", "/admin", 400),
    ],
)
def test_mount_point_ends_where_a_segment_does(
    script_name: str, path_info: str, target: str, status: int
) -> None:
    """T31: gunicorn and granian cut a mount point off anywhere, and werkzeug adds the slash.

    What was signed as `/apiadmin` would be served as `/admin` below `/api`.
    """
    application = Application()
    environ = sign(target=target).environ(SCRIPT_NAME=script_name, PATH_INFO=path_info)
    assert call(SigV4Middleware(application, verifier()), environ).status == status
    assert application.called == (status == 200)


def test_body_that_another_has_refused() -> None:
    """Who tries one verifier after the other stores no empty object for one that was too large."""
    s3 = Verifier({KEY: SECRET}, region="us-east-1", service="s3")
    application = Application()
    narrow = SigV4Middleware(application, s3, max_body=4)
    wide = SigV4Middleware(application, s3)
    sent = replace(sign("PUT", "/photos/a.jpg", service="s3", presigned=True), body=b"content")
    environ = sent.environ()
    first, second, third = (call(app, environ) for app in (narrow, wide, wide))
    assert (first.status, second.status, third.status) == (413, 400, 400)
    assert "EntityTooLarge" in first.text
    assert "IncompleteBody" in second.text
    assert application.environs == []
    assert send(wide, sent).status == 200


@pytest.mark.parametrize("parameters", [{"explain": True}, {"stream": True}, {}])
def test_body_that_another_has_refused_is_watched(parameters: dict[str, Any]) -> None:
    """What measures, keeps or explains a body stands before it, and hides not that it is gone."""
    verdicts: list[str] = []
    parameters |= {
        name: lambda v: verdicts.append(v.outcome) for name in ("on_accept", "on_refuse")
    }
    s3 = Verifier({KEY: SECRET}, region="us-east-1", service="s3")
    application = Application()
    narrow = SigV4Middleware(application, s3, max_body=4)
    wide = SigV4Middleware(application, s3, **parameters)
    shadow = SigV4Middleware(wide, s3, report_only=True, **parameters)
    sent = replace(sign("PUT", "/photos/a.jpg", service="s3", presigned=True), body=b"content")
    environ = sent.environ()
    assert [call(app, environ).status for app in (narrow, wide, shadow)] == [413, 400, 400]
    assert verdicts == ["refused"] * 3
    assert application.environs == []


def test_request_without_a_body_may_be_tried_by_another() -> None:
    """Nothing of it is lost: the verifier of another region may still accept it."""
    application = Application()
    other = Verifier({KEY: SECRET}, region="eu-west-1", service="items")
    environ = sign().environ()
    assert call(SigV4Middleware(application, other), environ).status == 403
    assert call(SigV4Middleware(application, verifier()), environ).status == 200
