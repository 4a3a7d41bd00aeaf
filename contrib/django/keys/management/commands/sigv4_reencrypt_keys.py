"""``manage.py sigv4_reencrypt_keys``."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.core.management.base import CommandError

from wsgi_sigv4.contrib.django.keys.encryption import SETTING
from wsgi_sigv4.contrib.django.keys.issuing import reencrypt_keys
from wsgi_sigv4.contrib.django.keys.issuing import undecipherable
from wsgi_sigv4.contrib.encryption import SecretLost


class Command(BaseCommand):
    """Encrypts all secrets with the newest encryption key, or none."""

    help = f"Encrypt all secrets with the first key of {SETTING}; all or nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt the secrets anew."""
        try:
            changed = reencrypt_keys()
        except SecretLost:
            lost = ", ".join(undecipherable())
            raise CommandError(
                f"nothing was changed: none of the keys in {SETTING} decrypts the secrets of "
                f"{lost}. Put the missing encryption key back, at the end of the list."
            ) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{changed} secrets encrypted with the newest key")
