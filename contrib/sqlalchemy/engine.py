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
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.pool import QueuePool
from sqlalchemy.pool import SingletonThreadPool
from sqlalchemy.pool import StaticPool

from wsgi_sigv4.errors import ConfigurationError

#: Seconds for which a request waits at most for a connection, or for another writer of SQLite.
PATIENCE: Final = 5
#: Drivers that take the parameters of libpq.
_LIBPQ: Final = ("psycopg", "psycopg2")


def make_engine(url: str | URL) -> Engine:
    """Return an engine for *url* that outlives a restart of the database, and a fork.

    A file of SQLite is shared by several processes: it gets a write-ahead log,
    so that nobody who reads waits for somebody who writes.

    Raises:
        ConfigurationError: if it is an SQLite database in memory.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("a key store needs a database that outlives the process: a file")
    arguments: dict[str, Any] = {}
    if backend == "sqlite":
        arguments["timeout"] = PATIENCE
    elif parsed.get_driver_name() in _LIBPQ:
        arguments |= {"connect_timeout": PATIENCE, "tcp_user_timeout": PATIENCE * 1000}
        arguments = {name: arguments[name] for name in arguments.keys() - parsed.query.keys()}
    engine = create_engine(
        parsed,
        connect_args=arguments,
        poolclass=QueuePool,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    if backend == "sqlite":
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


def told_by(error: SQLAlchemyError) -> str:
    """Return what the database says: one line, without the statement and its parameters."""
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    return f"{type(error).__name__}: {said.partition(chr(10))[0][:200]}"


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
