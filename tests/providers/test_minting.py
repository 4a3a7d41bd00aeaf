"""New access keys."""

from __future__ import annotations

import re
import secrets

import pytest

from wsgi_sigv4.credentials import is_access_key_id
from wsgi_sigv4.providers import new_access_key_id
from wsgi_sigv4.providers import new_secret_access_key


def test_form() -> None:
    """A new key looks as AWS's own do."""
    for _ in range(1000):
        assert re.fullmatch(r"AKIA[A-Z2-7]{16}", new_access_key_id(), re.ASCII)
        assert re.fullmatch(r"[A-Za-z0-9+/]{40}", new_secret_access_key(), re.ASCII)
        assert is_access_key_id(new_access_key_id())


def test_no_two_are_alike() -> None:
    """New keys differ, and each of their characters takes every value of its alphabet."""
    ids = {new_access_key_id() for _ in range(2000)}
    made = {new_secret_access_key() for _ in range(2000)}
    assert (len(ids), len(made)) == (2000, 2000)
    assert all(len({text[n] for text in ids}) == 32 for n in range(4, 20))
    assert all(len({text[n] for text in made}) == 64 for n in range(40))


def test_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bit comes from `secrets`: 80 for an id, 240 for a secret, and none is lost."""
    asked = []

    def token_bytes(size: int) -> bytes:
        asked.append(size)
        return b"\xff" * size

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)
    assert new_access_key_id() == "AKIA" + "7" * 16
    assert new_secret_access_key() == "/" * 40
    assert asked == [10, 30]
