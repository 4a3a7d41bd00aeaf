"""T40: the WSGI middleware around the whole of Django, with the middleware inside as a shim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from werkzeug.test import run_wsgi_app

from tests.django import views
from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import SECOND
from tests.django.signing import Sent
from tests.django.signing import connections_kept
from tests.django.signing import sign
from tests.django.signing import tampered
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.django.conf import get_verifier

Application = Any


def call(application: Application, sent: Sent) -> tuple[int, bytes]:
    """Return status and body of what *application* answers."""
    environ = RequestFactory().request(**sent.environ()).environ
    with connections_kept():
        body, status, _ = run_wsgi_app(application, environ, buffered=True)
    return int(status.split()[0]), b"".join(body)


@pytest.fixture
def verifications() -> Any:
    """Count how often a signature is looked at."""
    with mock.patch.object(
        Verifier, "conclude", autospec=True, side_effect=Verifier.conclude
    ) as conclude:
        yield conclude


@pytest.mark.parametrize("target", ["/whoami", "/echo//a/../b"])
def test_nothing_is_verified_twice(verifications: Any, target: str) -> None:
    """What the wrapper has verified with our verifier is taken over."""
    application = SigV4Middleware(WSGIHandler(), get_verifier())
    assert call(application, sign(target=target))[0] == 200
    assert verifications.call_count == 1


def test_body_is_still_there() -> None:
    """The view reads the body that the wrapper has verified."""
    application = SigV4Middleware(WSGIHandler(), get_verifier())
    body = bytes(range(256)) * 12 * 1024
    status, answer = call(application, sign("POST", "/read", body=body))
    assert status == 200
    assert str(views.digest(body)["sha256"]).encode() in answer


def test_identity_reaches_the_view() -> None:
    """request.sigv4 is what the wrapper found."""
    application = SigV4Middleware(WSGIHandler(), get_verifier())
    assert FIRST.encode() in call(application, sign())[1]
    assert call(application, tampered(sign()))[0] == 403


def test_wrapper_that_requires_nothing() -> None:
    """What the wrapper lets through, the middleware still refuses."""
    application = SigV4Middleware(WSGIHandler(), get_verifier(), required=False)
    assert call(application, Sent(method="GET", target="/whoami"))[0] == 403
    assert call(application, Sent(method="GET", target="/exempt"))[0] == 200


def test_weaker_verifier_is_not_believed(verifications: Any) -> None:
    """T40: an identity from a verifier that takes other keys is verified again, and refused."""
    weak = Verifier({"AKIDWEAK": "known to all"}, region=None, service="items")
    application = SigV4Middleware(WSGIHandler(), weak)
    assert call(application, weakly_signed())[0] == 403
    assert verifications.call_count == 2
    assert views.calls == []


def weakly_signed() -> Sent:
    """Return a request that only the weaker verifier accepts."""
    with mock.patch.dict(KEYS, {"AKIDWEAK": "known to all"}):
        return sign(key="AKIDWEAK")


def test_other_verifier_is_verified_again() -> None:
    """T40: where both would accept it, the body is verified again and still there."""
    application = SigV4Middleware(
        WSGIHandler(), Verifier(KEYS, region="us-east-1", service="items")
    )
    status, answer = call(application, sign("POST", "/read", body=b"abc"))
    assert status == 200
    assert b'"length": 3' in answer


@pytest.mark.parametrize("key", ["PATH_INFO", "RAW_URI"])
def test_path_rewritten_in_between_is_refused(key: str) -> None:
    """T40: an identity says nothing of another path than the one it was made for."""

    def rewriting(environ: dict[str, Any], start_response: Any) -> Any:
        environ[key] = "/required"
        return WSGIHandler()(environ, start_response)

    application = SigV4Middleware(rewriting, get_verifier())
    assert call(application, sign(target="/exempt"))[0] == 400
    assert views.calls == []


def test_authorize_of_the_middleware_is_asked(sigv4: Callable[..., None]) -> None:
    """What the key may not do is refused inside too."""
    sigv4(AUTHORIZE=lambda identity, meta: identity.access_key_id == SECOND)
    application = SigV4Middleware(WSGIHandler(), get_verifier())
    assert call(application, sign(key=FIRST))[0] == 403
    assert call(application, sign(key=SECOND))[0] == 200
