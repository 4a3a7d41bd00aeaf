"""T24, T39: a dump of the database, the logs, Django's error pages and mails hold no secret."""

from __future__ import annotations

import logging
from io import StringIO
from typing import Any

import django
import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.log import AdminEmailHandler

from tests.django.signing import send
from tests.django_keys import settings as project
from tests.django_keys.signing import sign
from tests.django_keys.test_provider import Down
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key

ENCRYPTION_KEY = project.SIGV4_KEY_ENCRYPTION_KEYS[0]


def fails(*args: object, **options: object) -> Any:
    """Fail, as a function of the project's own may."""
    raise RuntimeError("it is broken")


@pytest.fixture(params=["view", "user", "authorize", "database"])
def fault(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Break something on the way, so that other frames stand in the traceback; return its path."""
    changes: dict[str, dict[str, Any]] = {
        "user": {"USER": fails},
        "authorize": {"AUTHORIZE": fails},
    }
    settings.SIGV4 = {**settings.SIGV4, **changes.get(request.param, {})}
    if request.param == "database":
        # Not one of the database's errors: it rises to Django, through all of our frames.
        from wsgi_sigv4.contrib.django.keys.models import AccessKey

        monkeypatch.setattr(AccessKey, "credentials", fails)
    return "/broken" if request.param == "view" else "/whoami"


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_debug_page(settings: Any, issued: Issued, fault: str, accept: str) -> None:
    """Django's debug page shows frames and settings, but no secret and no encryption key."""
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    answer = send(sign(issued, fault).with_header("Accept", accept), client)
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "is broken" in page
    assert "SIGV4_KEY_ENCRYPTION_KEYS" in page
    assert issued.secret.reveal() not in page
    assert ENCRYPTION_KEY not in page


def test_mail_to_the_admins(settings: Any, issued: Issued, fault: str) -> None:
    """Neither does the mail that Django sends of an error."""
    address = "ada@example.com"
    settings.ADMINS = [address] if django.VERSION >= (6,) else [("Ada", address)]
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        send(sign(issued, fault), Client(raise_request_exception=False))
    finally:
        logger.removeHandler(handler)
    sent = [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]
    pages = [str(page) for message in sent for page, _ in message.alternatives]
    assert len(pages) == 1
    text = "".join([*pages, *(str(message.body) for message in sent)])
    assert "is broken" in text
    assert issued.secret.reveal() not in text
    assert ENCRYPTION_KEY not in text


def test_dump_of_the_database(issued: Issued) -> None:
    """A dump holds the keys' ids, and their secrets encrypted only."""
    new = rotate_key(issued.key)
    out = StringIO()
    call_command("dumpdata", stdout=out)
    connection.ensure_connection()
    dump = "\n".join([out.getvalue(), *connection.connection.iterdump()])
    for each in (issued, new):
        assert dump.count(each.key.access_key_id) >= 2
        assert each.secret.reveal() not in dump
    assert ENCRYPTION_KEY not in dump


def test_logs(issued: Issued, caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    """At DEBUG the logs, queries included, of all that happens to a key hold no secret."""
    settings.DEBUG = True
    connection.force_debug_cursor = True
    try:
        caplog.set_level(logging.DEBUG, logger="django.db.backends")
        with caplog.at_level(logging.DEBUG):
            new = rotate_key(issued.key)
            for each in (issued, new):
                assert send(sign(each)).status_code == 200
            send(sign(Issued(key=new.key, secret=issued.secret)))
            rotated = rotate_key(new.key)
            with connection.execute_wrapper(Down()):
                send(sign(rotated, "/key"))
    finally:
        connection.force_debug_cursor = False
    assert "INSERT INTO" in caplog.text
    assert "refused" in caplog.text
    for each in (issued, new, rotated):
        assert each.secret.reveal() not in caplog.text
    assert ENCRYPTION_KEY not in caplog.text
