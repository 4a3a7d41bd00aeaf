"""The key store: keys are made, rotated, revoked, listed and encrypted anew."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4.contrib.sqlalchemy import KeyNotFound
from wsgi_sigv4.contrib.sqlalchemy import KeyNotRotated
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import metadata

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(url: str, key: str, time: datetime) -> KeyStore:
    """Return a key store whose clock stands at *time*."""
    return KeyStore(url, encryption_keys=[key], clock=time.timestamp)


def found(store: KeyStore, access_key_id: str) -> Credentials:
    """Return the credentials of a key that is there."""
    credentials = store.find_credentials(access_key_id)
    assert credentials is not None
    return credentials


def revealed(credentials: Credentials) -> str:
    """Return the secret."""
    assert credentials.secret_access_key is not None
    return credentials.secret_access_key.reveal()


def test_new_key_is_found(store: KeyStore) -> None:
    """A new key is found by its id, with its owner and its secret; no other id is."""
    new = store.create("alice", note="of the laptop")
    credentials = found(store, new.key.access_key_id)
    assert credentials.secret_access_key == new.secret_access_key
    assert (credentials.principal, credentials.expires_at) == ("alice", None)
    assert store.find_credentials(new.key.access_key_id.lower()) is None
    assert store.find_credentials("AKIAIOSFODNN7EXAMPLE") is None


def test_new_key_has_the_form_of_aws(store: KeyStore) -> None:
    """Ids and secrets look as AWS's do, and no two are the same."""
    keys = [store.create("alice") for _ in range(20)]
    for new in keys:
        assert re.fullmatch(r"AKIA[A-Z2-7]{16}", new.key.access_key_id)
        assert re.fullmatch(r"[A-Za-z0-9+/]{40}", new.secret_access_key.reveal())
    assert len({new.secret_access_key.reveal() for new in keys}) == 20


def test_every_column_is_kept(store: KeyStore) -> None:
    """What a key was made with is what the list shows, and what limits its credentials."""
    limits: dict[str, Any] = {
        "regions": ("us-east-1", "eu-west-1"),
        "services": ("items",),
        "methods": ("GET", "HEAD"),
        "path_prefixes": ("/items", "/ä b"),
        "presigned": False,
        "max_expires": 60,
    }
    new = store.create("Zoë", expires_in=timedelta(days=1), note="with a limit", **limits)
    (listed,) = store.list()
    assert listed == new.key == store.get(new.key.access_key_id)
    assert {name: getattr(listed, name) for name in limits} == limits
    assert (listed.owner, listed.note) == ("Zoë", "with a limit")
    assert listed.expires_at == listed.created_at + timedelta(days=1)
    credentials = found(store, new.key.access_key_id)
    assert listed.expires_at is not None
    assert credentials.expires_at == listed.expires_at.timestamp()
    assert credentials.limits is not None
    assert sorted(credentials.limits.regions or ()) == ["eu-west-1", "us-east-1"]
    assert sorted(credentials.limits.methods or ()) == ["GET", "HEAD"]
    assert credentials.limits.path_prefixes == (b"/items", "/ä b".encode())
    assert (credentials.limits.presigned, credentials.limits.max_expires) == (False, 60)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"owner": ""}, id="nobody's"),
        pytest.param({"owner": "a" * 256}, id="a long owner"),
        pytest.param({"note": "\x1b[2J"}, id="a control character"),
        pytest.param({"regions": "us-east-1"}, id="letters for regions"),
        pytest.param({"services": []}, id="no service"),
        pytest.param({"methods": ["get"]}, id="a method in small letters"),
        pytest.param({"path_prefixes": ["items"]}, id="a relative path"),
        pytest.param({"max_expires": 604_801}, id="more than a week"),
        pytest.param({"expires_in": timedelta(0)}, id="at an end"),
    ],
)
def test_key_that_makes_no_sense_is_not_made(store: KeyStore, wrong: dict[str, Any]) -> None:
    """A mistake is told at once, and leaves no key behind."""
    with pytest.raises(ConfigurationError):
        store.create(**{"owner": "alice", **wrong})
    assert store.list() == ()


def test_list_of_one_owner(store: KeyStore) -> None:
    """The newest key comes first, and the keys of others can be left out."""
    ids = [store.create(owner).key.access_key_id for owner in ("alice", "bob", "alice")]
    assert [key.access_key_id for key in store.list()] == ids[::-1]
    assert [key.access_key_id for key in store.list(owner="alice")] == [ids[2], ids[0]]


def test_revoked_key_is_disabled(store: KeyStore) -> None:
    """A revoked key stays in the list, and its credentials are good for nothing."""
    new = store.create("alice")
    assert found(store, new.key.access_key_id).enabled
    for _ in range(2):
        assert store.revoke(new.key.access_key_id).active is False
    assert not found(store, new.key.access_key_id).enabled
    (key,) = store.list()
    assert key.status(datetime.now(UTC)) == "revoked"
    with pytest.raises(KeyNotFound, match="no access key AKIAOTHER"):
        store.revoke("AKIAOTHER")


def test_rotation_leaves_both_keys_good_for_the_overlap(url: str, encryption_key: str) -> None:
    """The new key has what the old one had, and the old one ends when the overlap is over."""
    store = at(url, encryption_key, NOW)
    store.create_tables()
    old = store.create("alice", services=["items"], methods=["GET"], note="x").key
    new = store.rotate(old.access_key_id, overlap=timedelta(hours=2)).key
    before = store.get(old.access_key_id)
    assert before.expires_at == NOW + timedelta(hours=2)
    assert before.rotated_to == new.access_key_id
    assert (new.owner, new.services, new.methods, new.note) == ("alice", ("items",), ("GET",), "x")
    assert (new.expires_at, new.rotated_to, new.active) == (None, None, True)
    assert revealed(found(store, old.access_key_id)) != revealed(found(store, new.access_key_id))
    assert before.status(NOW) == "rotated"
    assert before.status(NOW + timedelta(hours=2)) == "expired"
    store.close()


def test_rotated_key_lives_as_long_as_it_was_to(url: str, encryption_key: str) -> None:
    """A key for 30 days gets one for 30 days; the old one does not live longer for that."""
    store = at(url, encryption_key, NOW)
    store.create_tables()
    old = store.create("alice", expires_in=timedelta(days=30)).key
    store.close()
    late = at(url, encryption_key, NOW + timedelta(days=29))
    new = late.rotate(old.access_key_id, overlap=timedelta(days=7)).key
    assert new.expires_at == NOW + timedelta(days=59)
    assert late.get(old.access_key_id).expires_at == old.expires_at
    other = late.rotate(new.access_key_id, expires_in=timedelta(days=1)).key
    assert other.expires_at == NOW + timedelta(days=30)
    late.close()


def test_key_that_is_over_is_not_rotated(url: str, encryption_key: str) -> None:
    """A revoked, an expired, a rotated and an unknown key are each told apart."""
    store = at(url, encryption_key, NOW)
    store.create_tables()
    revoked = store.revoke(store.create("a").key.access_key_id).access_key_id
    expired = store.create("a", expires_in=timedelta(hours=1)).key.access_key_id
    rotated = store.create("a").key.access_key_id
    successor = store.rotate(rotated).key.access_key_id
    store.close()
    later = at(url, encryption_key, NOW + timedelta(hours=1))
    before = later.list()
    for access_key_id, reason in (
        (revoked, "is revoked"),
        (expired, "has expired"),
        (rotated, f"was rotated before: {successor} takes its place"),
    ):
        with pytest.raises(KeyNotRotated, match=reason):
            later.rotate(access_key_id)
    with pytest.raises(KeyNotFound):
        later.rotate("AKIAOTHER")
    with pytest.raises(ConfigurationError):
        later.rotate(successor, overlap=timedelta(seconds=-1))
    assert later.list() == before
    later.close()


def race(count: int, step: Callable[[], object]) -> list[object]:
    """Run *step* in *count* threads at once; return what each of them returned or raised."""
    barrier = threading.Barrier(count)
    outcomes: list[object] = []

    def run() -> None:
        barrier.wait(60)
        try:
            outcomes.append(step())
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_of_two_rotations_at_once_one_wins(store: KeyStore) -> None:
    """However many rotate one key at the same time, one new key is made, and the others told."""
    for _ in range(5):
        old = store.create("alice").key.access_key_id
        count = len(store.list())
        outcomes = race(6, lambda old=old: store.rotate(old))  # type: ignore[misc] # (a default)
        lost = [outcome for outcome in outcomes if isinstance(outcome, KeyNotRotated)]
        assert len(outcomes) == 6
        assert len(lost) == 5, outcomes
        assert len(store.list()) == count + 1
        successor = store.list()[0].access_key_id
        assert all(successor in str(error) for error in lost)


def test_tables_are_created_by_several_at_once(url: str, encryption_key: str) -> None:
    """Workers that start together may all create the table."""
    stores = [KeyStore(url, encryption_keys=[encryption_key]) for _ in range(6)]
    waiting = list(stores)
    assert race(6, lambda: waiting.pop().create_tables()) == [None] * 6
    stores[0].create("alice")
    assert len(stores[5].list()) == 1
    for store in stores:
        store.close()


CRASH = """
import os, sys
from sqlalchemy import event
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
url, key, access_key_id, verb = sys.argv[1:]
store = KeyStore(url, encryption_keys=key.split(","))
@event.listens_for(store.engine, "before_cursor_execute")
def crash(connection, cursor, statement, parameters, context, many):
    global seen
    if statement.startswith(verb):
        seen += 1
    if seen == 2 or (seen and verb == "INSERT"):
        os._exit(9)
seen = 0
store.reencrypt() if access_key_id == "-" else store.rotate(access_key_id)
"""


def crash(url: str, keys: str, access_key_id: str, verb: str) -> None:
    """Rotate a key, or encrypt anew, in a process that dies in the middle."""
    command = [sys.executable, "-c", CRASH, url, keys, access_key_id, verb]
    assert subprocess.run(command, timeout=120, check=False).returncode == 9


def test_crash_in_the_middle_of_a_rotation(store: KeyStore, url: str, encryption_key: str) -> None:
    """A process that dies between the steps leaves the key as it was; it is rotated later."""
    old = store.create("alice").key
    crash(url, encryption_key, old.access_key_id, "INSERT")
    assert store.list() == (old,)
    assert store.rotate(old.access_key_id).key.owner == "alice"


def test_engine_of_the_application(tmp_path: Path, encryption_key: str) -> None:
    """On an engine of the application, what the store does is not undone with what that does."""
    engine = create_engine(f"sqlite:///{tmp_path / 'app.sqlite3'}")
    store = KeyStore(engine, encryption_keys=[encryption_key])
    store.create_tables()
    with engine.connect() as application:
        new = store.create("alice")
        application.execute(text("CREATE TABLE items (name TEXT)"))
        application.rollback()
    assert store.list() == (new.key,)
    engine.dispose()


@pytest.mark.parametrize("shared", ["sqlite://", "sqlite:///:memory:", "engine"])
def test_database_in_memory_is_refused(shared: str, encryption_key: str) -> None:
    """Keys in memory would be gone with the process, and share the application's transaction."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with pytest.raises(ConfigurationError):
        KeyStore(engine if shared == "engine" else shared, encryption_keys=[encryption_key])
    engine.dispose()


def test_sqlite_is_shared(tmp_path: Path, encryption_key: str) -> None:
    """Who writes to the file waits for another writer, and holds up nobody who reads."""
    path = tmp_path / "keys.sqlite3"
    store = KeyStore(f"sqlite:///{path}", encryption_keys=[encryption_key])
    store.create_tables()
    new = store.create("alice")
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN EXCLUSIVE")
    assert store.find_credentials(new.key.access_key_id) is not None
    release = threading.Timer(0.5, writer.execute, ["COMMIT"])
    release.start()
    store.create("bob")
    release.join()
    writer.close()
    assert [key.owner for key in store.list()] == ["bob", "alice"]
    store.close()


def ask_in_child(store: KeyStore, access_key_id: str, results: Any) -> None:
    """Ask for a key in a forked process."""
    results.put(store.find_credentials(access_key_id) is not None)


@pytest.mark.skipif(not hasattr(multiprocessing, "get_context"), reason="no fork")
def test_fork_shares_no_connection(store: KeyStore) -> None:
    """Workers that are forked after the first query have connections of their own."""
    new = store.create("alice")
    connects: list[object] = []
    event.listen(store.engine, "connect", lambda *_: connects.append(1))
    context = multiprocessing.get_context("fork")
    results: Any = context.SimpleQueue()
    arguments = (store, new.key.access_key_id, results)
    children = [context.Process(target=ask_in_child, args=arguments) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert [results.get() for _ in children] == [True] * 3
    assert store.find_credentials(new.key.access_key_id) is not None
    assert connects == []


def test_id_is_compared_with_its_case(tmp_path: Path, encryption_key: str) -> None:
    """Where the database compares without case, as some do, another case is another key."""
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.sqlite3'}", encryption_keys=[encryption_key])
    table = str(CreateTable(metadata.tables["sigv4_access_keys"]).compile(store.engine))
    with store.engine.begin() as connection:
        connection.exec_driver_sql(table.replace("VARCHAR(128)", "VARCHAR(128) COLLATE NOCASE"))
    new = store.create("alice")
    assert store.find_credentials(new.key.access_key_id) is not None
    assert store.get(new.key.access_key_id.lower()) == new.key
    assert store.find_credentials(new.key.access_key_id.lower()) is None
    store.close()


def test_store_says_where_it_is(encryption_key: str) -> None:
    """The repr of a store names its database, without the password."""
    store = KeyStore("postgresql+psycopg://u:hidden@db/x", encryption_keys=[encryption_key])
    assert repr(store) == "KeyStore('postgresql+psycopg://u:***@db/x')"


def test_failing_statement_shows_no_parameters(store: KeyStore) -> None:
    """What the database refuses is told without what it was given."""
    new = store.create("alice")
    with pytest.raises(DBAPIError) as caught, store.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO sigv4_access_keys (access_key_id) VALUES (:a)"),
            {"a": new.key.access_key_id},
        )
    assert "parameters hidden" in str(caught.value)
