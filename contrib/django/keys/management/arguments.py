"""What the arguments of the commands have in common."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any
from typing import Final

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from wsgi_sigv4.contrib.django.keys.models import AccessKey

_DURATION: Final = re.compile(r"([0-9]{1,6})([dhms])", re.ASCII)
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def duration(text: str) -> timedelta:
    """Return the duration that *text* names: ``90d``, ``24h``, ``30m`` or ``15s``.

    Raises:
        ArgumentTypeError: if it names none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no duration: say 90d, 24h, 30m or 15s")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_key_argument(parser: ArgumentParser, **options: Any) -> None:
    """Add the argument that names an access key."""
    parser.add_argument("access_key_id", metavar="ACCESS_KEY_ID", **options)


def find_key(access_key_id: str) -> AccessKey:
    """Return the key.

    Raises:
        CommandError: if there is none.
    """
    try:
        return AccessKey.objects.select_related("owner").get(access_key_id=access_key_id)
    except AccessKey.DoesNotExist:
        raise CommandError(f"there is no access key {access_key_id}") from None


def find_owner(username: str) -> Any:
    """Return the user.

    Raises:
        CommandError: if there is none.
    """
    users: Any = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(username)
    except users.DoesNotExist:
        raise CommandError(f"there is no user {username!r}") from None
