"""When keys were last used: coarse, and never in the way of a request."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine
from sqlalchemy import or_
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from wsgi_sigv4.contrib.sqlalchemy.table import access_keys

#: How exact the notes are: a key is noted no more often, by all processes together.
INTERVAL: Final = timedelta(minutes=5)
#: Keys whose last note is remembered; when there are more, all are forgotten.
MAX_REMEMBERED: Final = 10_000

logger: Final = logging.getLogger("wsgi_sigv4")


class UsageRecorder:
    """Notes in the table when a key was last used.

    A thread does so, with a connection of its own: no request waits for it,
    and no transaction of an application's has part in it. The thread ends when
    there is nothing more to note.

    Args:
        engine: that of the key store.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._noted: dict[str, datetime] = {}
        self._waiting: dict[str, datetime] = {}
        self._thread: threading.Thread | None = None

    def mark(self, access_key_id: str, now: datetime) -> None:
        """Have it noted that *access_key_id* was used, unless it was a short while ago."""
        noted = self._noted.get(access_key_id)
        if noted is not None and now - noted < INTERVAL:
            return
        with self._lock:
            if len(self._noted) >= MAX_REMEMBERED:
                self._noted.clear()
            self._noted[access_key_id] = now
            self._waiting[access_key_id] = now
            # In a forked process that of the parent is not alive.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="sigv4-usage", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:
                    self._thread = None
                    # No thread is to be had: the request is no worse for it.
                    logger.warning("the use of keys is not recorded: %s", error)

    def wait(self, seconds: float) -> None:
        """Wait until everything is noted, or *seconds* have passed."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        while waiting := self._take():
            for access_key_id, used in waiting.items():
                try:
                    self._note(access_key_id, used)
                except SQLAlchemyError as error:
                    logger.warning(
                        "the use of %s is not noted: %s", access_key_id, type(error).__name__
                    )

    def _take(self) -> dict[str, datetime]:
        """Return what is to be noted; nothing: the thread ends."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            if not waiting:
                self._thread = None
            return waiting

    def _note(self, access_key_id: str, used: datetime) -> None:
        columns = access_keys.c
        # Another process may have noted it a moment ago.
        is_stale = or_(columns.last_used_at.is_(None), columns.last_used_at <= used - INTERVAL)
        note = update(access_keys).where(columns.access_key_id == access_key_id, is_stale)
        with self._engine.begin() as connection:
            connection.execute(note.values(last_used_at=used))
