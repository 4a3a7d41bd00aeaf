"""Attacks on a Django project by what stands around SigV4Middleware."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tests.attacks.attacker import Wire
from tests.django.signing import FORM
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import sign
from tests.django.signing import tampered
from wsgi_sigv4.contrib.django.authentication import authenticate
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import IncompleteBody

#: What a middleware above ours has seen of the bodies of refused requests.
logged: list[tuple[bytes, dict[str, str]]] = []


def logs_what_was_refused(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Read body and form of a request whose answer is an error, as audit logs do."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code >= 400:
            logged.append((request.body, request.POST.dict()))
        return response

    return middleware


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("presigned", [False, True])
def test_audit_log_above_never_waits_for_a_refused_body(
    settings: Any, signed: bool, presigned: bool
) -> None:
    """The body of a refused request is gone: who reads it then gets none, and waits for none."""
    settings.MIDDLEWARE = [f"{__name__}.logs_what_was_refused", *settings.MIDDLEWARE]
    logged.clear()
    sent = Sent(method="POST", target="/whoami", body=b"a=1").with_header("Content-Type", FORM)
    if signed:
        sent = tampered(
            sign("POST", "/whoami", body=b"a=1", content_type=FORM, presigned=presigned)
        )
    answer = send(sent, **{"wsgi.input": Wire(sent.body), "CONTENT_LENGTH": "3"})
    assert answer.status_code == 403
    assert logged == [(b"", {})]


@pytest.mark.parametrize("slashes", ["//", "///", "/./", "/x/../"])
@pytest.mark.parametrize("service", ["items", "s3"])
def test_odd_paths_lead_to_no_view_that_was_not_signed(
    exchange: Callable[..., Any], sigv4: Callable[..., None], slashes: str, service: str
) -> None:
    """GENERIC means the normal path, and gets it; S3 means the odd one, and there is none."""
    sigv4(SERVICE=service)
    answer = exchange(sign(target=f"{slashes}whoami", service=service))
    if service == "s3":
        assert answer.status_code == 404
    else:
        assert answer.json()["path_info"] == "/whoami"


def test_stranger_does_not_poison_the_cache_of_signers(settings: Any, sigv4: Any) -> None:
    """T47: where views decide, who asks first without a signature fills no cache for signers."""
    sigv4(REQUIRED=False)
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    cache.clear()
    assert send(Sent(method="GET", target="/whoami")).json()["key"] is None
    assert send(sign(target="/whoami")).json()["key"] is not None
    cache.clear()


@pytest.mark.parametrize("read", [False, True])
def test_refused_body_is_not_taken_for_an_empty_one(sigv4: Callable[..., None], read: bool) -> None:
    """Who looks at what a refusal has left, and verifies again, is refused again."""
    sigv4(SERVICE="s3", MAX_BODY=3)
    sent = sign("PUT", "/whoami", service="s3", presigned=True)
    request = WSGIRequest(sent.environ(**{"wsgi.input": BytesIO(b"lamp"), "CONTENT_LENGTH": "4"}))
    conf = get_configuration()
    with pytest.raises(BodyTooLarge):
        authenticate(request, conf, required=True, rewrite_path=False)
    if read:
        assert request.body == b""
    with pytest.raises(IncompleteBody):
        authenticate(request, conf, required=True, rewrite_path=False)
