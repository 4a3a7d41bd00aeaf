"""Attacks on `uniform_errors`: telling a known access key id from an unknown one."""

from __future__ import annotations

import hmac
import io
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from tests.wsgi.calls import Application
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import sigv4_required

#: What the attacker has no secret of: unknown, permanent, temporary, ended, and held as a key only.
KEYS = {
    KEY: Credentials(SECRET),
    "TEMPORARY": Credentials(SECRET, session_token="a token"),
    "ENDED": Credentials(SECRET, session_token="a token", expires_at=time.time() - 1),
    "DERIVED": Credentials(signing_key=bytes(32)),
}
SHAPES: dict[str, dict[str, Any]] = {
    "header": {},
    "header, s3": {"service": "s3"},
    "body": {"method": "PUT", "body": b"x" * 100_000},
    "body, s3": {"method": "PUT", "body": b"x" * 100_000, "service": "s3"},
    "presigned": {"presigned": True},
    "presigned, s3": {"presigned": True, "service": "s3"},
    "another token": {"token": "guessed"},
    "the token": {"token": "a token"},
}


def consents(*_: object) -> bool:
    """Fail the test: nobody may be asked for consent to what nobody signed."""
    pytest.fail("authorize was called")


def middleware(service: str) -> Any:
    """Return a guarded WSGI application."""
    return SigV4Middleware(Application(), verifier(service), authorize=consents)


def flask_app(service: str) -> Any:
    """Return a guarded Flask app."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier(service), authorize=consents)
    app.add_url_rule("/", methods=["GET", "PUT"], view_func=sigv4_required(lambda: "secret"))
    return app.wsgi_app


def verifier(service: str) -> Verifier:
    """Return a verifier that tells nobody which keys it has."""
    return Verifier(KEYS, region="us-east-1", service=service, uniform_errors=True)


@pytest.mark.parametrize("make", [middleware, flask_app])
@pytest.mark.parametrize("shape", SHAPES)
def test_t51_every_key_is_refused_alike(
    make: Callable[[str], Any], shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T51: answer, work, and how much of the body is read before the answer are the same."""
    parameters = dict(SHAPES[shape])
    app = make(parameters.get("service", "items"))
    digest = hmac.digest
    calls: list[int] = []
    seen = {}
    for key in ["UNKNOWN", *KEYS]:
        sent = sign(key=key, secret="not the secret", **parameters)
        body = io.BytesIO(sent.body)

        def counted(secret: bytes, message: bytes, name: str, body: io.BytesIO = body) -> bytes:
            calls.append(body.tell())
            return digest(secret, message, name)

        monkeypatch.setattr("hmac.digest", counted)
        calls.clear()
        answer = send(app, sent, **{"wsgi.input": body})
        monkeypatch.undo()
        assert answer.status == 403
        headers = tuple(value for name, value in answer.headers if "id" not in name.lower())
        told = re.sub(rb"<(RequestId|HostId)>[^<]*", b"", answer.body).replace(key.encode(), b"")
        told = re.sub(rb"[0-9a-f]{64}", b"", told)
        length = len(answer.body) - len(key) * answer.body.count(key.encode())
        seen[key] = (headers[:1], told, length, tuple(calls), body.tell())
    assert len(set(seen.values())) == 1, seen
