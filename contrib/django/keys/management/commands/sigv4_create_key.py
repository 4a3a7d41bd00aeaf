"""``manage.py sigv4_create_key``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.core.management.base import CommandError
from django.utils import timezone

from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.management.arguments import duration
from wsgi_sigv4.contrib.django.keys.management.arguments import find_owner
from wsgi_sigv4.contrib.django.keys.profile import credentials_text

_LISTS = {
    "--region": "regions",
    "--service": "services",
    "--method": "methods",
    "--path-prefix": "path_prefixes",
}


class Command(BaseCommand):
    """Makes a key, and prints its secret, which is shown but once."""

    help = "Make an access key for a user, and print the section for ~/.aws/credentials."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the owner, and the limits."""
        parser.add_argument("owner", metavar="USERNAME", help="whose key it is")
        parser.add_argument("--expires-in", type=duration, metavar="90d", help="d, h, m or s")
        parser.add_argument("--note", default="", help="what it is for")
        for option, name in _LISTS.items():
            told = "all that it may use; may be given several times (default: any)"
            parser.add_argument(option, dest=name, action="append", default=[], help=told)
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--presigned-only", dest="presigned", action="store_true", default=None)
        form.add_argument("--header-only", dest="presigned", action="store_false", default=None)
        told = "seconds that presigned URLs may live"
        parser.add_argument("--max-expires", type=int, metavar="SECONDS", help=told)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        owner = find_owner(options["owner"])
        lifetime = options["expires_in"]
        if lifetime is not None and not lifetime:
            raise CommandError("--expires-in is a time to come")
        names = ("note", *_LISTS.values(), "presigned", "max_expires")
        try:
            issued = create_key(
                owner,
                expires=None if lifetime is None else timezone.now() + lifetime,
                **{name: options[name] for name in names},
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stderr.write("The secret is shown this once. For ~/.aws/credentials:")
        self.stdout.write(credentials_text(issued))
