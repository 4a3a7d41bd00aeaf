"""When keys were last used: coarse, and never in the way of a request."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import or_
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from wsgi_sigv4.contrib.sqlalchemy.table import access_keys

#: How exact the notes are: a key is noted no more often, by all processes together.
INTERVAL: Final = timedelta(minutes=5)
#: How long nothing is noted after it has failed.
PAUSE: Final = timedelta(seconds=30)
#: Milliseconds that a request waits for whoever else writes to the row.
LOCK_MILLISECONDS: Final = 100
#: Keys whose last note is remembered: a few megabytes.
MAX_REMEMBERED: Final = 10_000

logger: Final = logging.getLogger("wsgi_sigv4")


class UsageRecorder:
    """Notes in the table when a key was last used.

    Args:
        engine: of the key store; each note is a transaction of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: dict[str, datetime] = {}
        self._paused_until: datetime | None = None

    def mark(self, access_key_id: str, now: datetime) -> None:
        """Note that *access_key_id* was used, unless that was noted a short while ago."""
        noted = self._noted.get(access_key_id)
        if noted is not None and now - noted < INTERVAL:
            return
        if self._paused_until is not None and now < self._paused_until:
            return
        # Other threads need not note the same, and nobody tries again at once what fails.
        if len(self._noted) >= MAX_REMEMBERED:
            self._noted.clear()
        self._noted[access_key_id] = now
        try:
            self._note(access_key_id, now)
        except SQLAlchemyError as error:
            self._paused_until = now + PAUSE
            logger.warning(
                "the last use of access keys is not noted for %d seconds: %s",
                PAUSE.total_seconds(),
                type(error).__name__,
            )

    def _note(self, access_key_id: str, now: datetime) -> None:
        columns = access_keys.c
        note = (
            update(access_keys)
            .where(
                columns.access_key_id == access_key_id,
                or_(columns.last_used_at.is_(None), columns.last_used_at < now - INTERVAL),
            )
            .values(last_used_at=now)
        )
        with self._engine.connect() as connection, _impatient(connection):
            connection.execute(note)
            connection.commit()


@contextmanager
def _impatient(connection: Connection) -> Iterator[None]:
    """Make *connection* wait a short time only for whoever holds the row, or SQLite's file."""
    match connection.dialect.name:
        case "postgresql":
            # They end with the transaction.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {10 * LOCK_MILLISECONDS}")
            yield
        case "sqlite":
            usual = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS}")
            try:
                yield
            finally:
                connection.rollback()
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(usual)}")
        case _:
            yield
