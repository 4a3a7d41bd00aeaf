"""Providers in a row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.providers.questions import SCOPE
from tests.providers.questions import SECRET
from tests.providers.questions import BackEnd
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.providers import ProviderChain
from wsgi_sigv4.providers.lookups import alookup

Asked = Callable[[CredentialProvider, str], Credentials | None]


def awaited(provider: CredentialProvider, access_key_id: str) -> Credentials | None:
    """Return what *provider* knows of a key, asked under ASGI."""
    return asyncio.run(alookup(provider, access_key_id, scope=SCOPE, session_token=None))


both_ways = pytest.mark.parametrize("asked", [ask, awaited])


@both_ways
def test_first_that_knows_the_key(asked: Asked) -> None:
    """The first provider that knows a key answers for it, of whatever kind it is."""
    back_end = BackEnd()
    chain = ProviderChain({"A": "first", "B": "second"}, back_end, lambda key: {"C": "c"}.get(key))
    assert secret(asked(chain, "A")) == "first"
    assert secret(asked(chain, "B")) == "second"
    assert back_end.asked == []
    assert secret(asked(chain, "C")) == "c"
    assert asked(chain, "D") is None
    assert [key for key, *_ in back_end.asked] == ["C", "D"]
    assert repr(chain) == "ProviderChain(<MappingProvider, BackEnd, CallableProvider>)"


@both_ways
def test_provider_that_is_down(asked: Asked) -> None:
    """A provider that is down may know the key: no later one answers, while an earlier one does."""
    back_end = BackEnd()
    back_end.is_down = True
    chain = ProviderChain({"A": SECRET}, back_end, {"B": SECRET})
    assert secret(asked(chain, "A")) == SECRET
    for key_id in "BC":
        with pytest.raises(CredentialsUnavailable):
            asked(chain, key_id)


@both_ways
def test_disabled_key_is_a_known_one(asked: Asked) -> None:
    """A key that one provider has disabled is not brought back by the next."""
    found = asked(ProviderChain({"A": Credentials(SECRET, enabled=False)}, {"A": SECRET}), "A")
    assert found is not None
    assert found.enabled is False


def test_chain_that_makes_no_sense() -> None:
    """A chain of nothing, or of something else than providers, is the programmer's mistake."""
    with pytest.raises(ConfigurationError, match=r"^a chain has at least one provider$"):
        ProviderChain()
    with pytest.raises(ConfigurationError):
        ProviderChain({"A": SECRET}, None)  # type: ignore[arg-type] # (that is the mistake)


def test_question_is_passed_on() -> None:
    """Every provider of a chain is asked the whole question."""
    back_end = BackEnd()
    ask(ProviderChain(back_end), "B", session_token="T")
    asyncio.run(ProviderChain(back_end).alookup("B", scope=SCOPE, session_token="T"))
    assert back_end.asked == [("B", SCOPE, "T")] * 2


def test_thread_without_asgiref(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where asgiref is not installed, a provider that may block is asked in a thread too."""
    monkeypatch.setitem(__import__("sys").modules, "asgiref.sync", None)
    assert secret(awaited(BackEnd(), "A")) == SECRET
