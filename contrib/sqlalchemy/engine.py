"""The engine that a key store makes for itself from a URL."""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import closing
from contextlib import suppress
from typing import Any
from typing import Final

from sqlalchemy import URL
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

#: Seconds for which a request waits at most for a connection, or for another writer of SQLite.
PATIENCE: Final = 5


def make_engine(url: str | URL) -> Engine:
    """Return an engine for *url* that outlives a restart of the database, and a fork.

    A file of SQLite is shared by several processes: it gets a write-ahead log,
    so that nobody who reads waits for somebody who writes.
    """
    parsed = make_url(url)
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True}
    arguments: dict[str, Any] = {}
    backend = parsed.get_backend_name()
    in_memory = backend == "sqlite" and parsed.database in (None, "", ":memory:")
    if in_memory:
        arguments["check_same_thread"] = False
        options["poolclass"] = StaticPool
    else:
        options["pool_timeout"] = PATIENCE
    if backend == "sqlite":
        arguments["timeout"] = PATIENCE
    elif backend == "postgresql" and "connect_timeout" not in parsed.query:
        arguments["connect_timeout"] = PATIENCE
    engine = create_engine(parsed, connect_args=arguments, **options)
    if backend == "sqlite" and not in_memory:
        event.listen(engine, "connect", _share_file)
    _forget_in_children(engine)
    return engine


def _share_file(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    with closing(connection.cursor()) as cursor, suppress(sqlite3.OperationalError):
        # Where another process holds the file, it is switched by the next connection.
        cursor.execute("PRAGMA journal_mode=WAL")


def has_one_connection(engine: Engine) -> bool:
    """Return whether whoever connects shares one transaction, as with SQLite in memory."""
    return isinstance(engine.pool, StaticPool | SingletonThreadPool)


def _forget_in_children(engine: Engine) -> None:
    """Let no child use a connection of its parent, such as a worker of gunicorn --preload."""
    if not hasattr(os, "register_at_fork"):
        return
    known = weakref.ref(engine)

    def forget() -> None:
        inherited = known()
        if inherited is not None:
            inherited.dispose(close=False)

    os.register_at_fork(after_in_child=forget)
