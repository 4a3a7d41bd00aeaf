"""The one key of the environment."""

from __future__ import annotations

import asyncio

import pytest

from tests.providers.questions import SCOPE
from tests.providers.questions import SECRET
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.providers import EnvironmentProvider

KEY = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET}


def test_environment() -> None:
    """The key of the environment is known, and no other."""
    provider = EnvironmentProvider(environ=KEY, principal="ci")
    found = ask(provider, "A")
    assert found is not None
    assert secret(found) == SECRET
    assert (found.principal, found.session_token) == ("ci", None)
    assert ask(provider, "B") is None
    assert asyncio.run(provider.alookup("A", scope=SCOPE, session_token=None)) is found
    assert repr(provider) == "EnvironmentProvider(<one key>)"


def test_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are those of the process, with a prefix and a session token if there are."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"ITEMS_{name}", name)
    found = ask(EnvironmentProvider(prefix="ITEMS_"), "ACCESS_KEY_ID")
    assert found is not None
    assert (secret(found), found.session_token) == ("SECRET_ACCESS_KEY", "SESSION_TOKEN")


def test_empty_session_token_is_none() -> None:
    """An empty variable is none: containers set it so."""
    found = ask(EnvironmentProvider(environ={**KEY, "AWS_SESSION_TOKEN": ""}), "A")
    assert found is not None
    assert found.session_token is None


def test_optional() -> None:
    """Where nothing is set and nothing need be, no key is known; half a key is a mistake still."""
    empty = {"AWS_ACCESS_KEY_ID": ""}
    provider = EnvironmentProvider(environ=empty, optional=True)
    assert repr(provider) == "EnvironmentProvider(<no key>)"
    for key_id in ("", "A", "None"):
        assert ask(provider, key_id) is None
    with pytest.raises(ConfigurationError):
        EnvironmentProvider(environ={"AWS_ACCESS_KEY_ID": "A"}, optional=True)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set"),
        (
            {"AWS_ACCESS_KEY_ID": "A"},
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set",
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": SECRET},
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set",
        ),
        (
            {"AWS_ACCESS_KEY_ID": SECRET, "AWS_SECRET_ACCESS_KEY": "A"},
            "AWS_ACCESS_KEY_ID is not an access key id",
        ),
    ],
)
def test_half_a_key(environ: dict[str, str], message: str) -> None:
    """Half a key, or the two halves exchanged, is found at start; no value is in the message."""
    with pytest.raises(ConfigurationError) as refused:
        EnvironmentProvider(environ=environ)
    assert str(refused.value) == message
