"""When a key was last used: noted to some minutes, and in nobody's way."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import text

from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.test_provider import ask
from tests.sqlalchemy.test_provider import make_app
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def updates_of(store: KeyStore) -> list[str]:
    """Return a list of the updates that *store* sends from now on."""
    updates: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("UPDATE"):
            updates.append(statement)

    return updates


def test_verified_request_is_noted(store: KeyStore) -> None:
    """A key that has verified a request was used; one that was merely named was not."""
    app = make_app(store)
    used, named = store.create("alice"), store.create("bob")
    assert ask(app, used)[0] == 200
    assert ask(app, NewKey(key=named.key, secret_access_key=used.secret_access_key))[0] == 403
    store.usage.wait(10)
    at = store.get(used.key.access_key_id).last_used_at
    assert at is not None
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.get(named.key.access_key_id).last_used_at is None


def test_note_is_coarse(url: str, encryption_key: str) -> None:
    """A thousand uses within five minutes are one update, by two processes together."""
    now = [NOW]
    stores = [
        KeyStore(url, encryption_keys=[encryption_key], clock=lambda: now[0].timestamp())
        for _ in range(2)
    ]
    stores[0].create_tables()
    access_key_id = stores[0].create("alice").key.access_key_id
    updates = updates_of(stores[0])

    def use(store: KeyStore, times: int) -> datetime | None:
        for _ in range(times):
            store.mark_used(access_key_id)
        store.usage.wait(10)
        return store.get(access_key_id).last_used_at

    assert use(stores[0], 1000) == NOW
    assert use(stores[0], 1) == NOW
    assert len(updates) == 1
    now[0] += timedelta(minutes=4)
    assert use(stores[1], 10) == NOW
    now[0] += timedelta(minutes=1)
    assert use(stores[0], 10) == NOW + timedelta(minutes=5)
    assert len(updates) == 2
    for store in stores:
        store.close()


def test_note_is_not_in_the_transaction_of_the_application(
    tmp_path: Path, encryption_key: str
) -> None:
    """What an application undoes takes no note with it, and commits nothing of its own."""
    engine = create_engine(f"sqlite:///{tmp_path / 'app.sqlite3'}")
    store = KeyStore(engine, encryption_keys=[encryption_key])
    store.create_tables()
    access_key_id = store.create("alice").key.access_key_id
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE items (name TEXT)"))
    with engine.connect() as application:
        application.execute(text("SELECT * FROM items"))
        store.mark_used(access_key_id)
        store.usage.wait(10)
        application.execute(text("INSERT INTO items VALUES ('lamp')"))
        application.rollback()
    assert store.get(access_key_id).last_used_at is not None
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM items")).scalar() == 0
    engine.dispose()


def test_locked_database_holds_up_nobody(tmp_path: Path, encryption_key: str) -> None:
    """While somebody else writes to the file, requests are served without waiting."""
    path = tmp_path / "keys.sqlite3"
    store = KeyStore(f"sqlite:///{path}", encryption_keys=[encryption_key])
    store.create_tables()
    new = store.create("alice")
    app = make_app(store)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert [ask(app, new)[0] for _ in range(5)] == [200] * 5
    assert time.monotonic() - began < 4
    assert store.get(new.key.access_key_id).last_used_at is None
    writer.execute("COMMIT")
    writer.close()
    store.usage.wait(10)
    assert store.get(new.key.access_key_id).last_used_at is not None
    store.close()


def test_note_that_fails_refuses_nobody(
    postgres: Postgres, encryption_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the database gone after the look-up, the request is served, and the log warns."""
    store = KeyStore(postgres.url, encryption_keys=[encryption_key])
    store.create_tables()
    new = store.create("alice")
    app = make_app(store)
    provider = app.extensions["sigv4"].verifier.provider
    store.usage.note("AKIAOTHER", datetime.now(UTC))
    store.usage.wait(10)
    assert provider.lookup(new.key.access_key_id, scope=None, session_token=None) is not None
    postgres.stop()
    assert ask(app, new) == (200, "alice")
    store.usage.wait(10)
    assert f"the use of {new.key.access_key_id} is not recorded: OperationalError" in caplog.text
    store.close()
