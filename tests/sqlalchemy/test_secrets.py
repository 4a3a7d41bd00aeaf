"""T39: no secret stands in the clear, wherever somebody looks."""

from __future__ import annotations

import logging
import pickle
import sqlite3
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.test_provider import SCOPE
from tests.sqlalchemy.test_provider import UNKNOWN
from tests.sqlalchemy.test_provider import ask
from tests.sqlalchemy.test_provider import make_app
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey
from wsgi_sigv4.contrib.sqlalchemy import store as store_module
from wsgi_sigv4.providers import new_secret_access_key


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Return what all loggers write from now on, at the level DEBUG."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    names = ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "wsgi_sigv4", "psycopg")
    handler = Keep(level=logging.DEBUG)
    logging.getLogger().addHandler(handler)
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield lines
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def life_of_a_key(store: KeyStore) -> list[NewKey]:
    """Make keys, use, rotate and revoke them."""
    app = make_app(store)
    old = store.create("alice")
    assert ask(app, old)[0] == 200
    new = store.rotate(old.key.access_key_id)
    assert ask(app, new)[0] == 200
    store.revoke(old.key.access_key_id)
    assert ask(app, old)[0] == 403
    store.reencrypt()
    store.usage.wait(10)
    return [old, new]


def secrets_of(keys: list[NewKey], encryption_key: str) -> list[str]:
    """Return what must be found nowhere."""
    return [*(new.secret_access_key.reveal() for new in keys), encryption_key]


def dump(url: str, request: pytest.FixtureRequest) -> str:
    """Return everything that is in the database at *url*."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path)) as connection:
            text = "\n".join(connection.iterdump())
        files = path.parent.glob(f"{path.name}*")
        return text + "".join(file.read_bytes().decode("latin-1") for file in files)
    server: Postgres = request.getfixturevalue("postgres")
    return server.dump()


def test_dump_of_the_database(
    store: KeyStore, url: str, encryption_key: str, request: pytest.FixtureRequest
) -> None:
    """A dump of the database has the keys, and none of the secrets."""
    keys = life_of_a_key(store)
    text = dump(url, request)
    assert all(new.key.access_key_id in text for new in keys)
    assert [secret for secret in secrets_of(keys, encryption_key) if secret in text] == []


def test_logs_at_debug(url: str, encryption_key: str, records: list[str]) -> None:
    """The logs at DEBUG, with every statement and row, have the keys, and none of the secrets."""
    store = KeyStore(url, encryption_keys=[encryption_key])
    store.create_tables()
    keys = life_of_a_key(store)
    text = "\n".join(records)
    assert "INSERT INTO sigv4_access_keys" in text
    assert keys[0].key.access_key_id in text
    assert [secret for secret in secrets_of(keys, encryption_key) if secret in text] == []
    store.close()


def test_reprs_and_configuration(store: KeyStore, encryption_key: str) -> None:
    """Nothing that a debugger or an error page prints has a secret."""
    new = store.create("alice")
    app = make_app(store)
    provider = app.config["SIGV4_CREDENTIALS"]
    credentials = provider.lookup(new.key.access_key_id, scope=SCOPE, session_token=None)
    things = (store, provider, new, new.key, credentials, app.config, app.extensions, vars(store))
    text = " ".join(f"{thing!r} {thing!s}" for thing in things)
    assert new.key.access_key_id in text
    assert [secret for secret in secrets_of([new], encryption_key) if secret in text] == []
    with pytest.raises(TypeError):
        pickle.dumps(new)


def traceback_of(step: Callable[[], object]) -> str:
    """Return the traceback of a *step* that fails, with the local variables of each frame."""
    try:
        step()
    except Exception as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(shown.format())
    return ""


def test_traceback_with_locals(store: KeyStore, encryption_key: str) -> None:
    """A traceback that shows local variables shows no secret where making a key fails."""
    made: list[str] = []

    def mint() -> str:
        made.append(new_secret_access_key())
        return made[-1]

    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE sigv4_access_keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_module, "new_secret_access_key", mint)
        text = traceback_of(lambda: store.create("bob"))
    text += traceback_of(lambda: store.find_credentials(UNKNOWN))
    assert "sigv4_access_keys" in text
    assert "Secret(...)" in text
    assert len(made) == 1
    assert [secret for secret in (*made, encryption_key) if secret in text] == []
