"""The setting ``SIGV4_KEY_ENCRYPTION_KEYS``: what the secrets at rest are encrypted under.

It is a setting of its own, and never SECRET_KEY: that one is rotated for
other reasons, and whoever did so would lose every access key. Django hides the
setting on its debug page by its name; ``diffsettings`` prints everything, so
the keys are put into a redacting type as well.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

from wsgi_sigv4.contrib.encryption import SecretEncryption
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import ConfigurationError

SETTING: Final = "SIGV4_KEY_ENCRYPTION_KEYS"


def get_encryption() -> SecretEncryption:
    """Return what encrypts and decrypts secrets, as the setting says now.

    Raises:
        ImproperlyConfigured: if the setting is missing or makes no sense.
    """
    redact_setting()
    keys = getattr(settings, SETTING, None)
    if keys is None:
        raise ImproperlyConfigured(f"{SETTING} is missing: a list of Fernet keys, newest first")
    if not isinstance(keys, list | tuple):
        raise ImproperlyConfigured(f"{SETTING} is a list of Fernet keys, newest first")
    return _encryption(tuple(keys))


@lru_cache(maxsize=1)
def _encryption(keys: tuple[Any, ...]) -> SecretEncryption:
    if any(key.reveal() == settings.SECRET_KEY for key in keys if isinstance(key, Secret)):
        raise ImproperlyConfigured(f"{SETTING} holds SECRET_KEY, which is rotated for other ends")
    try:
        return SecretEncryption(keys)
    except ConfigurationError as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}") from None


def redact_setting() -> None:
    """Put the encryption keys into a type that shows them to nobody."""
    keys = getattr(settings, SETTING, None)
    if not isinstance(keys, list | tuple):
        return
    if any(isinstance(key, str | bytes) for key in keys):
        setattr(settings, SETTING, [_secret(key) for key in keys])


def _secret(key: object) -> object:
    if isinstance(key, bytes):
        # What is not ASCII is no Fernet key either, and is refused as one.
        key = key.decode("ascii", "replace")
    return Secret(key) if isinstance(key, str) else key


@receiver(setting_changed)
def forget(*, setting: str, **_: object) -> None:
    """Read the setting anew when a test has changed it."""
    if setting in (SETTING, "SECRET_KEY"):
        _encryption.cache_clear()
