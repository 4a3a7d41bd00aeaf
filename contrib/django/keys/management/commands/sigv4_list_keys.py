"""``manage.py sigv4_list_keys``."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any
from typing import Final

from django.core.management.base import BaseCommand
from django.utils import timezone

from wsgi_sigv4.contrib.django.keys.management.arguments import find_owner
from wsgi_sigv4.contrib.django.keys.models import AccessKey

_HEADINGS: Final = ("ACCESS KEY ID", "OWNER", "STATE", "CREATED", "EXPIRES", "LAST USED", "NOTE")


class Command(BaseCommand):
    """Lists keys, without their secrets."""

    help = "List the access keys, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what narrows the list."""
        parser.add_argument("--owner", metavar="USERNAME", help="only keys of this user")
        parser.add_argument("--valid", action="store_true", help="only keys that are accepted")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list."""
        keys = AccessKey.objects.select_related("owner")
        if options["owner"] is not None:
            keys = keys.filter(owner=find_owner(options["owner"]))
        rows = [_row(key) for key in keys if not options["valid"] or state(key) == "valid"]
        widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
        for row in (_HEADINGS, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def state(key: AccessKey) -> str:
    """Return in one word whether *key* is accepted, or why not."""
    if not key.active:
        return "revoked"
    if not key.is_valid:
        return "expired"
    return "valid" if getattr(key.owner, "is_active", True) else "owner inactive"


def _row(key: AccessKey) -> tuple[str, ...]:
    times = (_time(key.created), _time(key.expires), _time(key.last_used))
    owner, note = _line(str(key.owner.get_username())), _line(key.note)
    return (key.access_key_id, owner, state(key), *times, note)


def _line(text: str) -> str:
    # A line is a key, whatever somebody has noted.
    return "".join(c if c.isprintable() else "?" for c in text)


def _time(when: datetime | None) -> str:
    if when is None:
        return "-"
    if timezone.is_aware(when):
        when = timezone.localtime(when)
    return when.strftime("%Y-%m-%d %H:%M")
