"""``manage.py sigv4_rotate_key``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.core.management.base import CommandError

from wsgi_sigv4.contrib.django.keys.issuing import OVERLAP
from wsgi_sigv4.contrib.django.keys.issuing import KeyNotRotated
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.management.arguments import add_key_argument
from wsgi_sigv4.contrib.django.keys.management.arguments import duration
from wsgi_sigv4.contrib.django.keys.management.arguments import find_key
from wsgi_sigv4.contrib.django.keys.profile import credentials_text


class Command(BaseCommand):
    """Makes a new key beside an old one, which expires."""

    help = "Make a new key beside an old one, which expires when the overlap has passed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the key, and the overlap."""
        add_key_argument(parser)
        told = "how long the old key goes on to work (default: 1d)"
        parser.add_argument("--overlap", type=duration, default=OVERLAP, metavar="1d", help=told)

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate the key."""
        key = find_key(options["access_key_id"])
        try:
            issued = rotate_key(key, overlap=options["overlap"])
        except (KeyNotRotated, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from None
        old = issued.key.replaces
        if old is not None and old.expires is not None:
            self.stderr.write(f"{old} works until {old.expires:%Y-%m-%d %H:%M:%S %Z}".rstrip())
        self.stderr.write("The secret is shown this once. For ~/.aws/credentials:")
        self.stdout.write(credentials_text(issued))
