"""Keys in databases and in key services that are not as they should be."""

from __future__ import annotations

import json
import threading
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.core.management import call_command
from sqlalchemy import text

from examples import key_service
from examples.remote_signing_keys import RemoteSigningKeys
from tests.django.signing import send
from tests.django_keys.conftest import _project as _project
from tests.django_keys.conftest import ada as ada
from tests.django_keys.conftest import issued as issued
from tests.django_keys.signing import sign
from tests.providers.questions import SCOPE
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.contrib.django.keys.provider import DatabaseProvider
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import SQLAlchemyProvider
from wsgi_sigv4.signer import Signer

ALICE = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """Return an empty key store."""
    key = Fernet.generate_key()
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.sqlite3'}", encryption_keys=[key])
    store.create_tables()
    yield store
    store.close()


def look_up(provider: Any, access_key_id: str) -> Credentials | None:
    """Return what *provider* knows."""
    found: Credentials | None = provider.lookup(access_key_id, scope=SCOPE, session_token=None)
    return found


def test_revoked_key_with_a_lost_secret(issued: Issued) -> None:
    """A revoked key is refused, and not held for one that goes on while something is out of order.

    Django: what is remembered goes on while the back end is down.
    """
    AccessKey.objects.update(active=False, encrypted_secret="lost")
    found = look_up(DatabaseProvider(), issued.key.access_key_id)
    assert found is not None
    assert not found.enabled
    assert send(sign(issued)).status_code == 403


def test_revoked_key_with_a_lost_secret_in_a_store(store: KeyStore) -> None:
    """The same over SQLAlchemy, where the key was in use."""
    new = store.create("ada")
    provider = SQLAlchemyProvider(store, ttl=0.01)
    assert look_up(provider, new.key.access_key_id) is not None
    with store.engine.begin() as connection:
        connection.execute(text("update sigv4_access_keys set active = false, secret = 'lost'"))
    threading.Event().wait(0.05)
    found = look_up(provider, new.key.access_key_id)
    assert found is not None
    assert not found.enabled


@pytest.mark.parametrize(
    "value", ['"GET"', "[]", "{}", "false", "[1]", '["get"]', '{"GET": 1}', "7"]
)
def test_limit_that_was_written_by_hand(
    store: KeyStore, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit that makes no sense neither lets everything in, nor takes the process by surprise."""
    new = store.create("ada", methods=["GET"])
    with store.engine.begin() as connection:
        connection.execute(text("update sigv4_access_keys set methods = :v"), {"v": value})
    with pytest.raises(CredentialsUnavailable):
        look_up(SQLAlchemyProvider(store), new.key.access_key_id)
    assert "cannot be used: methods" in caplog.text


def test_database_that_compares_without_case(issued: Issued, monkeypatch: Any) -> None:
    """Who writes an id otherwise names another key, whatever the database thinks."""
    key = AccessKey.objects.select_related("owner").get()
    monkeypatch.setattr("wsgi_sigv4.contrib.django.keys.provider._find", lambda _: key)
    assert look_up(DatabaseProvider(), key.access_key_id.lower()) is None


@pytest.mark.parametrize("kind", ["django", "sqlalchemy"])
def test_no_thread_is_to_be_had(
    kind: str, store: KeyStore, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request is answered though its key's last use cannot be noted."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    if kind == "django":
        assert send(sign(issued)).status_code == 200
    else:
        store.mark_used(ALICE)


def test_expiry_of_no_time(ada: User) -> None:
    """A key that was never to live is a slip, told in one line."""
    with pytest.raises(CommandError, match="a time to come"):
        call_command("sigv4_create_key", "ada", "--expires-in", "0d")
    assert not AccessKey.objects.exists()


def test_list_is_a_line_for_each_key(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither an owner's name nor a note writes to the terminal what it obeys."""
    create_key(User.objects.create_user("a\x1b[2Jda\nAKIAFAKE"), note="n\x1b]0;t\x07\r")
    call_command("sigv4_list_keys")
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 2
    assert not {"\x1b", "\r", "\x07"} & set(told)


def asked(**more: str) -> dict[str, str]:
    """Return a question for the key of alice."""
    today = datetime.now(UTC)
    scope = {"date": f"{today:%Y%m%d}", "region": "us-east-1", "service": "items"}
    return {"access_key_id": ALICE, **scope, **more}


def remote(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes) -> RemoteSigningKeys:
    """Return a provider whose key service answers so."""
    signer = Signer("AKIAWEBTIEREXAMPLE00", "secret", region="local", service="keys")
    provider = RemoteSigningKeys("http://127.0.0.1:1", signer)
    monkeypatch.setattr(provider, "_get", lambda _: (status, body))
    return provider


def test_key_service_hands_out_nothing_of_an_expired_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary credentials end in the web tier too."""
    ended = Credentials("secret", expires_at=0.0)
    monkeypatch.setattr(key_service, "CLIENTS", {ALICE: ended})
    assert key_service.signing_key(asked()) is None


def test_key_service_tells_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a key may be used for, and until when, holds where only its signing key is known."""
    limits: dict[str, Any] = {
        "regions": ["us-east-1"],
        "services": ["items"],
        "methods": ["GET", "HEAD"],
        "path_prefixes": ["/bücher"],
        "presigned": False,
        "max_expires": 60,
    }
    end = datetime.now(UTC) + timedelta(hours=1)
    client = Credentials("secret", expires_at=end.timestamp(), **limits)
    monkeypatch.setattr(key_service, "CLIENTS", {ALICE: client})
    answer = json.dumps(key_service.signing_key(asked())).encode()
    found = look_up(remote(monkeypatch, 200, answer), ALICE)
    assert found is not None
    assert (found.limits, found.expires_at) == (client.limits, end.timestamp())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"signing_key": "zz", "session_token": null, "principal": "a"}',
        b'{"signing_key": "aa", "session_token": null, "principal": "a", "expires_at": null,'
        b' "limits": {}}',
        b'{"signing_key": "%s", "session_token": null, "principal": "a", "expires_at": null,'
        b' "limits": {"methods": []}}' % (b"aa" * 32),
        b'{"signing_key": "%s", "session_token": null, "principal": "a"}' % (b"aa" * 32),
    ],
)
def test_key_service_that_talks_nonsense(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """An answer that is none is one of a service that is down, and not a key without limits."""
    with pytest.raises(CredentialsUnavailable):
        look_up(remote(monkeypatch, 200, body), ALICE)
