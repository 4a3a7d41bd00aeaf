"""The system checks, and what keeps the migrations and the model together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from tests.django.signing import send
from tests.django_keys.running import Project
from tests.django_keys.signing import sign
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.provider import AccessKeyProvider


def found(**options: Any) -> list[str]:
    """Return the ids of what the checks have to say."""
    return [str(message.id) for message in run_checks(**options)]


def test_nothing_to_say(issued: Issued) -> None:
    """A project that is set up as it should be passes all checks, its database's included."""
    assert found() == found(databases=["default"]) == []


@pytest.mark.parametrize("keys", [None, [], "no list", ["too short"]])
def test_no_encryption_key(settings: Any, keys: object) -> None:
    """A setting that is missing or makes no sense is found, and stops the server from starting."""
    settings.SIGV4_KEY_ENCRYPTION_KEYS = keys
    assert "wsgi_sigv4_keys.E001" in found()
    settings.SIGV4 = dict(settings.SIGV4)
    with pytest.raises(ImproperlyConfigured, match="SIGV4_KEY_ENCRYPTION_KEYS"):
        get_configuration()


def test_lost_encryption_key(settings: Any, issued: Issued) -> None:
    """Secrets that cannot be decrypted are found, with the keys they are of."""
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert found() == []
    (message,) = run_checks(databases=["default"])
    assert message.id == "wsgi_sigv4_keys.E002"
    assert issued.key.access_key_id in message.msg
    assert "Put the missing encryption key back" in str(message.hint)


def test_not_migrated(issued: Issued) -> None:
    """Before the first migration there is nothing to say."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wsgi_sigv4_keys_accesskey RENAME TO gone")
        try:
            assert found(databases=["default"]) == []
        finally:
            cursor.execute("ALTER TABLE gone RENAME TO wsgi_sigv4_keys_accesskey")


@pytest.mark.parametrize("default", ["BigAutoField", "AutoField"])
def test_migrations(db: None, settings: Any, default: str) -> None:
    """The migrations are those of the model, whatever the project's own keys are."""
    settings.DEFAULT_AUTO_FIELD = f"django.db.models.{default}"
    call_command("makemigrations", "--check", "--dry-run", "wsgi_sigv4_keys", verbosity=0)
    assert apps.get_app_config("wsgi_sigv4_keys").default_auto_field.endswith(".BigAutoField")


def test_provider_of_the_settings(settings: Any, issued: Issued) -> None:
    """The settings may make the provider themselves, with numbers of their own."""
    settings.SIGV4 = {**settings.SIGV4, "CREDENTIALS": AccessKeyProvider(ttl=1, record_use=None)}
    assert send(sign(issued)).status_code == 200


@pytest.mark.parametrize("options", [{"ttl": 0}, {"ttl": -1}, {"record_use": -1}])
def test_numbers_that_make_no_sense(options: dict[str, float]) -> None:
    """A number that makes no sense is refused when the provider is made."""
    from wsgi_sigv4.errors import ConfigurationError

    with pytest.raises(ConfigurationError):
        AccessKeyProvider(**options)


def test_encryption_keys_are_redacted(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """T39: no page and no command prints the encryption keys."""
    key = Fernet.generate_key().decode()
    settings.SIGV4_KEY_ENCRYPTION_KEYS = (key, key.encode())
    assert found() == []
    call_command("diffsettings")
    printed = capsys.readouterr().out
    assert "SIGV4_KEY_ENCRYPTION_KEYS" in printed
    assert key not in printed
    assert key not in repr(django_settings.SIGV4_KEY_ENCRYPTION_KEYS)


def test_encryption_keys_are_redacted_from_the_start(tmp_path: Path) -> None:
    """T39: they are so before anything has asked for them."""
    environment = {"DJANGO_SETTINGS_MODULE": "tests.django_keys.settings"}
    printed = Project(folder=tmp_path, environment=environment).manage("diffsettings")
    assert "SIGV4_KEY_ENCRYPTION_KEYS = [Secret(...)]" in printed


WITHOUT = """
import sys
sys.modules["cryptography"] = sys.modules["cachetools"] = None
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["wsgi_sigv4.contrib.django"],
    SIGV4={"CREDENTIALS": {"a": "b"}, "REGION": None, "SERVICE": "items"},
)
django.setup()
from wsgi_sigv4.contrib.django.conf import get_verifier
import wsgi_sigv4.contrib.django.middleware
print(get_verifier().provider.lookup("a", scope=None, session_token=None))
"""


def test_other_app_needs_no_cryptography(tmp_path: Path) -> None:
    """Without the key app Django's skin needs nothing of what the key app brings along."""
    done = Project(folder=tmp_path, environment={}).run("-c", WITHOUT)
    assert done.stdout.startswith("Credentials("), done.stderr
