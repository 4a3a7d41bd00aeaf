"""Key stores on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.postgres import why_no_postgres
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import metadata


@pytest.fixture(scope="session")
def encryption_key() -> str:
    """Return an encryption key."""
    return Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Return a PostgreSQL server."""
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(f"PostgreSQL IS NOT TESTED: {reason}")
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """Return the PostgreSQL server, without the table of keys."""
    yield postgres_server
    postgres_server.start()
    postgres_server.sql("drop table if exists sigv4_access_keys")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'keys.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url


@pytest.fixture
def store(url: str, encryption_key: str) -> Iterator[KeyStore]:
    """Return an empty key store on a database of each kind."""
    store = KeyStore(url, encryption_keys=[encryption_key])
    store.create_tables()
    assert list(metadata.tables) == ["sigv4_access_keys"]
    yield store
    store.usage.wait(10)
    assert store.engine.pool.checkedout() == 0, "a connection has leaked"  # type: ignore[attr-defined]
    store.close()
