"""Encryption at rest: keys are replaced and lost, and no access key is lost with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from tests.sqlalchemy.test_store import crash
from tests.sqlalchemy.test_store import found
from tests.sqlalchemy.test_store import revealed
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import SecretsLost


def test_encryption_key_is_replaced(store: KeyStore, url: str, encryption_key: str) -> None:
    """With a new key before the old one all is found; encrypted anew, the old one can go."""
    before = [store.create("alice") for _ in range(3)]
    newest = Fernet.generate_key().decode()
    both = KeyStore(url, encryption_keys=[newest, encryption_key])
    after = both.create("bob")
    assert both.reencrypt() == 3
    assert both.reencrypt() == 0
    only = KeyStore(url, encryption_keys=[newest])
    for new in (*before, after):
        assert found(only, new.key.access_key_id).secret_access_key == new.secret_access_key
    for other in (both, only):
        other.close()


def test_crash_in_the_middle_of_encrypting_anew(
    store: KeyStore, url: str, encryption_key: str
) -> None:
    """A process that dies after the first of three leaves all three as they were."""
    keys = [store.create("alice") for _ in range(3)]
    newest = Fernet.generate_key().decode()
    crash(url, f"{newest},{encryption_key}", "-", "UPDATE")
    for new in keys:
        assert found(store, new.key.access_key_id).secret_access_key == new.secret_access_key
    both = KeyStore(url, encryption_keys=[newest, encryption_key])
    assert both.reencrypt() == 3
    both.close()


def test_lost_encryption_key_loses_no_key(store: KeyStore, url: str, encryption_key: str) -> None:
    """Secrets that cannot be decrypted are named, and nothing is changed, however often."""
    new = store.create("alice")
    newest = Fernet.generate_key().decode()
    without = KeyStore(url, encryption_keys=[newest])
    without.create("bob")
    for _ in range(2):
        with pytest.raises(SecretsLost) as caught:
            without.reencrypt()
        assert caught.value.access_key_ids == (new.key.access_key_id,)
        assert new.key.access_key_id in str(caught.value)
    assert revealed(found(store, new.key.access_key_id)) == new.secret_access_key.reveal()
    without.close()


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([], id="none"),
        pytest.param(["short"], id="short"),
        pytest.param(["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"], id="not base64"),
        pytest.param("A" * 44, id="a bare string"),
    ],
)
def test_encryption_key_that_is_none(tmp_path: Path, keys: Any) -> None:
    """What is no Fernet key is refused at the start, and is not in the message."""
    with pytest.raises(ConfigurationError) as caught:
        KeyStore(f"sqlite:///{tmp_path / 'a'}", encryption_keys=keys)
    assert not any(len(key) > 1 and key in str(caught.value) for key in keys)
    assert caught.value.__cause__ is None


def test_secret_of_another_key_is_none(store: KeyStore) -> None:
    """Who can write to the table cannot give one key the secret of another."""
    mine = store.create("mallory").key.access_key_id
    other = store.create("alice").key.access_key_id
    swap = text(
        "UPDATE sigv4_access_keys SET secret = "
        "(SELECT secret FROM sigv4_access_keys WHERE access_key_id = :mine) "
        "WHERE access_key_id = :other"
    )
    with store.engine.begin() as connection:
        connection.execute(swap, {"mine": mine, "other": other})
    with pytest.raises(Exception, match="was encrypted with none of the encryption keys"):
        store.find_credentials(other)
