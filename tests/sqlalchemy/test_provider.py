"""The provider over a key store: what it finds is refused or served as it should be."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.awsrequest import AWSRequest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import text

from tests.flask.signing import send
from tests.flask.signing import sign
from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.postgres import count_of_connections
from wsgi_sigv4 import CredentialScope
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4 import signing_key
from wsgi_sigv4 import verifier as verifier_module
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey
from wsgi_sigv4.contrib.sqlalchemy import SQLAlchemyProvider

SCOPE = CredentialScope(date="20261122", region="us-east-1", service="items")
UNKNOWN = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def make_app(store: KeyStore, **config: object) -> Flask:
    """Return an app whose keys are those of *store*."""
    app = Flask("tests.sqlalchemy.app")
    app.config["SIGV4_CREDENTIALS"] = SQLAlchemyProvider(store, stale_seconds=0)
    app.config["SIGV4_REGION"] = ("us-east-1", "eu-west-1")
    app.config["SIGV4_SERVICE"] = ("items", "files")
    app.config["SIGV4_HOSTS"] = ["localhost"]
    app.config.update(config)
    SigV4(app)

    @app.route("/<path:name>", methods=["GET", "PUT"])
    @sigv4_required
    def view(name: str) -> str:
        return str(current_identity.principal)

    return app


def ask(app: Flask, new: NewKey, path: str = "/items", **options: object) -> tuple[int, str]:
    """Send a request that botocore signed with *new*; return the status, and what came."""
    signed = sign(
        path,
        access_key_id=new.key.access_key_id,
        secret=new.secret_access_key.reveal(),
        **options,  # type: ignore[arg-type] # (those of sign)
    )
    answer = send(app.test_client(), signed)
    return answer.status_code, answer.text


def test_key_is_used_by_botocore(store: KeyStore) -> None:
    """A new key signs at once, in the header and in a URL, and the owner is the principal."""
    app = make_app(store)
    new = store.create("alice")
    assert ask(app, new) == (200, "alice")
    assert ask(app, new, expires=60) == (200, "alice")


def test_revoked_key_is_refused_at_once_in_this_process(store: KeyStore) -> None:
    """What the cache knows of a key ends with its revocation, and not before it is over."""
    app = make_app(store)
    new = store.create("alice")
    assert ask(app, new)[0] == 200
    store.revoke(new.key.access_key_id)
    status, text = ask(app, new)
    assert (status, "InvalidClientTokenId" in text or "security token" in text) == (403, True)


def test_both_keys_are_good_for_the_overlap_only(store: KeyStore) -> None:
    """After a rotation both keys sign; when the overlap is over, the new one alone."""
    now = [time.time()]
    app = make_app(store, SIGV4_CLOCK=lambda: now[0], SIGV4_MAX_SKEW=3600)
    old = store.create("alice")
    assert ask(app, old)[0] == 200
    new = store.rotate(old.key.access_key_id, overlap=timedelta(minutes=10))
    assert (ask(app, old)[0], ask(app, new)[0]) == (200, 200)
    now[0] += 660
    assert (ask(app, old)[0], ask(app, new)[0]) == (403, 200)


def test_secret_of_the_new_key_is_not_that_of_the_old(store: KeyStore) -> None:
    """T25: a signature by the secret of one key never verifies under the id of another."""
    app = make_app(store)
    old = store.create("alice")
    new = store.rotate(old.key.access_key_id)
    assert ask(app, old)[0] == 200
    crossed = NewKey(key=new.key, secret_access_key=old.secret_access_key)
    assert ask(app, crossed)[0] == 403


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        pytest.param({"regions": ["us-east-1"]}, {}, {"region": "eu-west-1"}, id="region"),
        pytest.param({"services": ["items"]}, {}, {"service": "files"}, id="service"),
        pytest.param({"methods": ["GET"]}, {}, {"method": "PUT"}, id="method"),
        pytest.param({"path_prefixes": ["/items"]}, {}, {"path": "/itemsx"}, id="path"),
        pytest.param({"presigned": False}, {}, {"expires": 60}, id="header only"),
        pytest.param({"presigned": True}, {"expires": 60}, {}, id="presigned only"),
        pytest.param({"max_expires": 60}, {"expires": 60}, {"expires": 61}, id="expires"),
    ],
)
def test_limit_of_a_key(
    store: KeyStore, limits: dict[str, object], good: dict[str, object], bad: dict[str, object]
) -> None:
    """Each limit that a key was made with serves what keeps to it, and refuses the rest."""
    app = make_app(store)
    new = store.create("alice", **limits)  # type: ignore[arg-type] # (as the table has them)
    assert ask(app, new, **good) == (200, "alice")  # type: ignore[arg-type] # (those of ask)
    assert ask(app, new, **bad)[0] == 403  # type: ignore[arg-type] # (those of ask)


def signed_by(new: NewKey, **headers: str) -> AWSRequest:
    """Return a request signed with *new*, its *headers* signed too."""
    secret = new.secret_access_key.reveal()
    return sign(access_key_id=new.key.access_key_id, secret=secret, headers=headers)


def test_t20_token_with_a_permanent_key(store: KeyStore) -> None:
    """T20: a session token beside a key that has none is refused."""
    app = make_app(store)
    new = store.create("alice")
    signed = signed_by(new, **{"X-Amz-Security-Token": "token"})
    assert send(app.test_client(), signed).status_code == 403
    assert send(app.test_client(), signed_by(new)).status_code == 200


def test_t25_unknown_key_costs_what_a_wrong_signature_costs(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T25: unknown, revoked and known keys are refused with as many HMACs."""
    app = make_app(store)
    known, revoked = store.create("alice"), store.create("alice")
    store.revoke(revoked.key.access_key_id)
    calls: list[object] = []
    real = signing_key.hmac_sha256

    def counted(key: bytes, message: bytes) -> bytes:
        calls.append(message)
        return real(key, message)

    monkeypatch.setattr(signing_key, "hmac_sha256", counted)
    monkeypatch.setattr(verifier_module, "hmac_sha256", counted)
    counts = set()
    for access_key_id in (known.key.access_key_id, revoked.key.access_key_id, UNKNOWN):
        for _ in range(2):
            calls.clear()
            signed = sign(access_key_id=access_key_id, secret=SECRET)
            assert send(app.test_client(), signed).status_code == 403
            counts.add(len(calls))
    assert counts == {5}


@pytest.mark.parametrize("signature", ["", "ff" * 31 + "f", "F" * 64, "\xff" * 64, "0" * 128])
def test_t26_signature_that_is_none(store: KeyStore, signature: str) -> None:
    """T26: what is no signature is refused, and never a fault of the server."""
    app = make_app(store)
    new = store.create("alice")
    signed = signed_by(new)
    head, _, _ = signed.headers["Authorization"].partition("Signature=")
    del signed.headers["Authorization"]
    signed.headers["Authorization"] = f"{head}Signature={signature}"
    assert send(app.test_client(), signed).status_code in (400, 403)


def test_access_key_id_is_not_sql(store: KeyStore) -> None:
    """An id with the characters of SQL is an unknown key."""
    app = make_app(store)
    store.create("alice")
    signed = sign(access_key_id="'OR'1'='1'--", secret=SECRET)
    assert send(app.test_client(), signed).status_code == 403


def test_one_query_for_fifty_threads(store: KeyStore) -> None:
    """Fifty threads that want one key at once cost one query, and no more later."""
    new = store.create("alice")
    provider = SQLAlchemyProvider(store)
    queries: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        queries.append(statement)

    barrier = threading.Barrier(50)
    found = []

    def run() -> None:
        barrier.wait(60)
        for _ in range(20):
            found.append(
                provider.lookup(new.key.access_key_id, scope=SCOPE, session_token=None) is not None
            )

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [True] * 1000
    assert len(queries) == 1


def test_lookup_under_asgi(store: KeyStore) -> None:
    """The asynchronous look-up finds the same, and asks the database from another thread."""
    new = store.create("alice")
    provider = SQLAlchemyProvider(store)
    asked: list[int] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(*_: object) -> None:
        asked.append(threading.get_ident())

    found = asyncio.run(provider.alookup(new.key.access_key_id, scope=SCOPE, session_token=None))
    assert found is not None
    assert found.secret_access_key == new.secret_access_key
    assert threading.get_ident() not in asked
    assert len(asked) == 1


def test_lost_encryption_key_is_503(
    store: KeyStore, url: str, encryption_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the encryption key a request is 503, the log says why, and putting it back heals."""
    new = store.create("alice")
    other = Fernet.generate_key().decode()
    without = KeyStore(url, encryption_keys=[other])
    assert ask(make_app(without), new)[0] == 503
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.getMessage() == (
        f"the secret of {new.key.access_key_id} was encrypted with none of the encryption keys "
        "given: put the one back that is missing, at the end of the list"
    )
    healed = KeyStore(url, encryption_keys=[other, encryption_key])
    assert ask(make_app(healed), new) == (200, "alice")
    for each in (without, healed):
        each.close()


def test_missing_table_is_503(
    url: str, encryption_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A database without the table is 503, and the log says what the database says."""
    store = KeyStore(url, encryption_keys=[encryption_key])
    provider = SQLAlchemyProvider(store)
    with pytest.raises(CredentialsUnavailable):
        provider.lookup(UNKNOWN, scope=SCOPE, session_token=None)
    assert "sigv4_access_keys" in caplog.text
    assert "SELECT" not in caplog.text
    store.close()


def own_engine(store_url: str, key: str) -> KeyStore:
    """Return a key store on an engine of its own."""
    return KeyStore(store_url, encryption_keys=[key])


def engine_of_the_application(store_url: str, key: str) -> KeyStore:
    """Return a key store on an application's engine that does not look before it asks."""
    return KeyStore(create_engine(store_url), encryption_keys=[key])


@pytest.mark.parametrize("make", [own_engine, engine_of_the_application])
def test_database_that_is_stopped(
    postgres: Postgres, encryption_key: str, make: Callable[[str, str], KeyStore]
) -> None:
    """A stopped database is 503 for who is not known yet; started, all is well by itself."""
    store = make(f"{postgres.url}&application_name=stopped", encryption_key)
    store.create_tables()
    known, fresh = store.create("alice"), store.create("bob")
    app = make_app(store)
    assert ask(app, known)[0] == 200
    store.usage.wait(10)
    postgres.stop()
    began = time.monotonic()
    assert [ask(app, new)[0] for new in (known, fresh, known, fresh)] == [200, 503, 200, 503]
    assert time.monotonic() - began < 5
    postgres.start()
    assert ask(app, fresh) == (200, "bob")
    store.usage.wait(10)
    assert count_of_connections(postgres, "stopped") <= 2
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    store.close()
    store.engine.dispose()


@pytest.mark.parametrize("make", [own_engine, engine_of_the_application])
def test_database_that_was_restarted(
    postgres: Postgres, encryption_key: str, make: Callable[[str, str], KeyStore]
) -> None:
    """The first look-up after a restart is answered, though the pool holds dead connections."""
    store = make(postgres.url, encryption_key)
    store.create_tables()
    new = store.create("alice")
    postgres.stop()
    postgres.start()
    assert store.find_credentials(new.key.access_key_id) is not None
    store.close()
    store.engine.dispose()


def test_failing_lookups_leak_no_connection(postgres: Postgres, encryption_key: str) -> None:
    """A hundred failures use up no connection of the pool, which has fifteen."""
    url = f"{postgres.url}&application_name=leaky"
    store = KeyStore(url, encryption_keys=[encryption_key])
    provider = SQLAlchemyProvider(store)
    for number in range(100):
        with pytest.raises(CredentialsUnavailable):
            provider.lookup(f"AKIA{number}", scope=SCOPE, session_token=None)
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert count_of_connections(postgres, "leaky") == 1
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    store.close()
