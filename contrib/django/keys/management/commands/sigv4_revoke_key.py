"""``manage.py sigv4_revoke_key``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from wsgi_sigv4.contrib.django.keys.issuing import revoke_key
from wsgi_sigv4.contrib.django.keys.management.arguments import add_key_argument
from wsgi_sigv4.contrib.django.keys.management.arguments import find_key


class Command(BaseCommand):
    """Revokes keys."""

    help = "Revoke access keys. Each process refuses them when what it has cached has ended."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the keys."""
        add_key_argument(parser, nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke the keys, once each of them is known to exist."""
        for key in [find_key(access_key_id) for access_key_id in options["access_key_id"]]:
            told = "is revoked" if revoke_key(key) else "had been revoked before"
            self.stdout.write(f"{key} {told}")
