"""System checks: what ``manage.py check`` has to say of the encryption keys.

``wsgi_sigv4_keys.E001`` the setting is missing or makes no sense
``wsgi_sigv4_keys.E002`` secrets in the database that none of the keys decrypts;
with ``manage.py check --database default`` and before ``migrate``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db import connections
from django.db import router

from wsgi_sigv4.contrib.django.keys.encryption import SETTING
from wsgi_sigv4.contrib.django.keys.encryption import get_encryption


def check_setting(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with the setting."""
    try:
        get_encryption()
    except ImproperlyConfigured as error:
        hint = (
            "Make one with: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'"
        )
        return [Error(str(error), hint=hint, id="wsgi_sigv4_keys.E001")]
    return []


def check_keys(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return which keys have a secret that cannot be decrypted any more."""
    from wsgi_sigv4.contrib.django.keys.issuing import undecipherable
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

    alias = router.db_for_read(AccessKey)
    if alias not in (databases or ()) or check_setting():
        return []
    try:
        if AccessKey._meta.db_table not in connections[alias].introspection.table_names():
            return []
        lost = undecipherable()
    except DatabaseError:
        # Not migrated yet, or not there: Django itself will say so.
        return []
    if not lost:
        return []
    message = f"{SETTING} decrypts the secrets of all access keys but {_listed(lost)}"
    hint = "Put the missing encryption key back, at the end of the list."
    return [Error(message, hint=hint, id="wsgi_sigv4_keys.E002")]


def _listed(names: Sequence[str], shown: int = 10) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
