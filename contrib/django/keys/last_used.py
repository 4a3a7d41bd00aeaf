"""When keys were last used, in the database: of one process at a time, the thread that writes it.

The thread has a connection of its own, so that it neither joins the
transaction of a view nor waits, nor fails, with the database.
"""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import Final

from django.db import connections
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.providers.last_uses import LastUses

_YEAR: Final = 366 * 24 * 60 * 60


def last_uses(*, seconds: float) -> LastUses:
    """Return what writes down when keys were used, at most once in *seconds* for each.

    Raises:
        ConfigurationError: if that is no positive number.
    """
    if not 0 < seconds <= _YEAR:
        raise ConfigurationError("record_use is a positive number of seconds, or None")
    interval = timedelta(seconds=seconds)

    def write(access_key_id: str, used: datetime) -> None:
        from wsgi_sigv4.contrib.django.keys.models import AccessKey

        connection = _connection()
        if _is_of_a_test(connection):
            return
        # Another process may have written it a moment ago.
        stale = Q(last_used=None) | Q(last_used__lte=used - interval)
        keys = AccessKey.objects.using(connection.alias)
        keys.filter(stale, access_key_id=access_key_id).update(last_used=used)

    return LastUses(write, finish=_close, interval=interval)


def _connection() -> BaseDatabaseWrapper:
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

    return connections[router.db_for_write(AccessKey)]


def _is_of_a_test(connection: BaseDatabaseWrapper) -> bool:
    """Return whether it is in memory: that of the thread that the test runs in."""
    return connection.vendor == "sqlite" and connection.is_in_memory_db()  # type: ignore[attr-defined]


def _close() -> None:
    connection = _connection()
    if not _is_of_a_test(connection):
        connection.close()
