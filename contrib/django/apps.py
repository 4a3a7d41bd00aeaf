"""The app: it redacts the settings and registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags
from django.core.checks import register

from wsgi_sigv4.contrib.django.checks import CHECKS
from wsgi_sigv4.contrib.django.conf import redact_settings


class SigV4Config(AppConfig):
    """``"wsgi_sigv4.contrib.django"`` in INSTALLED_APPS; it has no models."""

    name = "wsgi_sigv4.contrib.django"
    # The last part of the name would stand for Django itself.
    label = "wsgi_sigv4"
    verbose_name = "AWS Signature Version 4"

    def ready(self) -> None:
        """Take the secrets out of sight, and register the checks."""
        redact_settings()
        for check in CHECKS:
            register(check, Tags.security)
