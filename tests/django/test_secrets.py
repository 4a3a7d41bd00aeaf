"""T39 and T24: no secret in error pages, mails to the admins and logs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import django
import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter
from django.views.debug import technical_500_response

from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import send
from tests.django.signing import sign

#: The frames of the middleware stand in the traceback of these, and not of the view's.
FAULTS = ["view", "provider", "user", "authorize", "render"]


def fails(*args: object) -> Any:
    """Fail, as a function of the project's own may."""
    raise RuntimeError("it is broken")


def broken(kind: str, sigv4: Callable[..., None]) -> Any:
    """Return a client, and a signed request that it fails for."""
    changes: dict[str, Any] = {
        "view": {},
        "provider": {"CREDENTIALS": SecretiveProvider()},
        "user": {"USER": fails},
        "authorize": {"AUTHORIZE": fails},
        "render": {"RENDER_REFUSAL": fails},
    }
    sigv4(**changes[kind])
    target = "/broken" if kind == "view" else "/whoami"
    secret = "wrong" if kind == "render" else None
    return Client(raise_request_exception=False), sign(target=target, secret=secret)


class SecretiveProvider:
    """Fails, and has nothing to hide."""

    def lookup(self, *args: object, **kwargs: object) -> None:
        """Fail."""
        fails()


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_debug_page(settings: Any, sigv4: Callable[..., None], kind: str, accept: str) -> None:
    """T39: Django's debug page shows the settings, but no secret."""
    settings.DEBUG = True
    client, sent = broken(kind, sigv4)
    response = send(sent.with_header("Accept", accept), client)
    assert response.status_code == 500
    page = response.content.decode()
    assert "it is broken" in page or "the view is broken" in page
    assert "SIGV4" in page
    for secret in KEYS.values():
        assert secret not in page


@pytest.mark.parametrize("kind", FAULTS)
def test_mail_to_the_admins(settings: Any, sigv4: Callable[..., None], kind: str) -> None:
    """T39: neither does the mail that Django sends of an error, as text and as HTML."""
    address = "ada@example.com"
    settings.ADMINS = [address] if django.VERSION >= (6,) else [("Ada", address)]
    client, sent = broken(kind, sigv4)
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        send(sent, client)
    finally:
        logger.removeHandler(handler)
    sent_mail = [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]
    pages = [str(page) for message in sent_mail for page, _ in message.alternatives]
    assert len(pages) == 1
    text = "".join([*pages, *(str(message.body) for message in sent_mail)])
    assert "is broken" in text
    assert "SIGV4" in text
    for secret in KEYS.values():
        assert secret not in text


def test_page_would_show_it_without_us(settings: Any) -> None:
    """The test above can fail: a plain mapping in another setting is shown in clear."""
    settings.DEBUG = True
    settings.OTHER = {"CREDENTIALS": dict(KEYS)}
    page = send(sign(target="/broken"), Client(raise_request_exception=False)).content.decode()
    assert KEYS[FIRST] in page


def test_command_that_prints_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """T39: `manage.py diffsettings` prints everything, but no secret."""
    call_command("diffsettings")
    printed = capsys.readouterr().out
    assert "SIGV4" in printed
    for secret in KEYS.values():
        assert secret not in printed


def test_bad_secret_is_not_shown(settings: Any, sigv4: Callable[..., None]) -> None:
    """T39: nor is it where the setting itself is at fault."""
    import sys

    from django.core.exceptions import ImproperlyConfigured

    from wsgi_sigv4.contrib.django.conf import get_configuration

    settings.DEBUG = True
    sigv4(CREDENTIALS={"a": KEYS[FIRST], "b": 5})
    try:
        get_configuration()
    except ImproperlyConfigured:
        kind, error, traceback = sys.exc_info()
    request = HttpRequest()
    request.META = {"SERVER_NAME": "x", "SERVER_PORT": "80"}
    page = technical_500_response(request, kind, error, traceback).content.decode()
    text = ExceptionReporter(request, kind, error, traceback).get_traceback_text()
    assert KEYS[FIRST] not in page + text


def test_logs(sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """T24: at DEBUG the logs of accepted and refused requests hold no secret and no signature."""
    with caplog.at_level(logging.DEBUG):
        for sent in (sign(), sign(secret="wrong"), sign(presigned=True)):
            send(sent)
    for secret in KEYS.values():
        assert secret not in caplog.text
    assert "Signature=" not in caplog.text
    assert "CREDENTIALS" in django_settings.SIGV4
