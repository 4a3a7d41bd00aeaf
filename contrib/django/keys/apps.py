"""The app of the access keys."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags
from django.core.checks import register

from wsgi_sigv4.contrib.django.keys.checks import check_keys
from wsgi_sigv4.contrib.django.keys.checks import check_setting
from wsgi_sigv4.contrib.django.keys.encryption import redact_setting
from wsgi_sigv4.contrib.django.keys.forgetting import connect


class SigV4KeysConfig(AppConfig):
    """``"wsgi_sigv4.contrib.django.keys"`` in INSTALLED_APPS."""

    name = "wsgi_sigv4.contrib.django.keys"
    label = "wsgi_sigv4_keys"
    verbose_name = "Access keys (AWS Signature Version 4)"
    # Whatever the project says: the migrations are written for this one.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Take the encryption keys out of sight, listen for changes, register the checks."""
        redact_setting()
        connect()
        register(check_setting, Tags.security)
        register(check_keys, Tags.database)
