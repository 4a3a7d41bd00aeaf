"""When a key was last used, give or take some minutes.

Never in the request: a thread with a connection of its own writes it down, so
that it neither joins the transaction of a view nor waits, nor fails, with the
database. The thread ends when it has nothing more to write. One UPDATE for a
key in some minutes is all that the database sees, of all processes together.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from datetime import timedelta
from typing import Final

from django.db import connections
from django.db import router
from django.db.models import Q
from django.utils import timezone

from wsgi_sigv4.errors import ConfigurationError

#: Keys whose last use is remembered; when there are more, all are forgotten.
MAX_REMEMBERED: Final = 10_000

logger: Final = logging.getLogger("wsgi_sigv4.keys")


class LastUsed:
    """Writes down when keys were used.

    Args:
        seconds: between two updates for one key.

    Raises:
        ConfigurationError: if that is no positive number.
    """

    def __init__(self, *, seconds: float) -> None:
        if not 0 < seconds < float("inf"):
            raise ConfigurationError("record_use is a positive number of seconds, or None")
        self._seconds = seconds
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, datetime] = {}
        self._thread: threading.Thread | None = None

    def note(self, access_key_id: str) -> None:
        """Note that *access_key_id* was used just now."""
        now = time.monotonic()
        noted = self._noted.get(access_key_id)
        if noted is not None and now - noted < self._seconds:
            return
        with self._lock:
            if len(self._noted) >= MAX_REMEMBERED:
                self._noted.clear()
            self._noted[access_key_id] = now
            self._waiting[access_key_id] = timezone.now()
            # Not alive either where the process was forked from one that had it.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._write, name="wsgi_sigv4 last used", daemon=True
                )
                try:
                    self._thread.start()
                except RuntimeError as error:
                    self._thread = None
                    # No thread is to be had: the request is no worse for it.
                    logger.warning("the use of keys is not recorded: %s", error)

    def wait(self, seconds: float = 10) -> None:
        """Wait until what was noted is written: for tests, and before a process ends."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _write(self) -> None:
        from wsgi_sigv4.contrib.django.keys.models import AccessKey

        connection = connections[router.db_for_write(AccessKey)]
        if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
            # It is that of a test, and of the thread that the test runs in.
            self._taken()
            return
        try:
            while waiting := self._taken():
                for access_key_id, used in waiting.items():
                    self._update(connection.alias, access_key_id, used)
        finally:
            connection.close()

    def _taken(self) -> dict[str, datetime]:
        """Return what is to be written; nothing: the thread has to end."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if not waiting:
                self._thread = None
            return waiting

    def _update(self, alias: str, access_key_id: str, used: datetime) -> None:
        from wsgi_sigv4.contrib.django.keys.models import AccessKey

        # Another process may have written it a moment ago.
        stale = Q(last_used=None) | Q(last_used__lte=used - timedelta(seconds=self._seconds))
        keys = AccessKey.objects.using(alias).filter(stale, access_key_id=access_key_id)
        try:
            keys.update(last_used=used)
        except Exception as error:
            # Whatever it is, nobody waits for this thread, and a key that works is no fault.
            logger.warning("the use of %s is not recorded: %s", access_key_id, error)
