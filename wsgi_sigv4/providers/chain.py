"""Several providers in a row: the first that knows a key answers for it."""

from __future__ import annotations

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import CredentialSource
from wsgi_sigv4.credentials import as_provider
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.providers.lookups import alookup


class ProviderChain:
    """The first of several providers that knows a key answers for it.

    A disabled key is a known one: no later provider brings it back. Nor does
    one while an earlier provider is down, as that one might know the key.

    Args:
        sources: mappings, callables or providers, in the order they are asked.

    Raises:
        ConfigurationError: if there are none, or one is not of these.
    """

    def __init__(self, *sources: CredentialSource) -> None:
        if not sources:
            raise ConfigurationError("a chain has at least one provider")
        self._providers = tuple(map(as_provider, sources))

    def __repr__(self) -> str:
        names = ", ".join(type(provider).__name__ for provider in self._providers)
        return f"ProviderChain(<{names}>)"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where no provider knows it.

        Raises:
            CredentialsUnavailable: if a provider is down, and no earlier one knows the key.
        """
        for provider in self._providers:
            found = provider.lookup(access_key_id, scope=scope, session_token=session_token)
            if found is not None:
                return found
        return None

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Do the same under ASGI, asking each provider in the way it has for that."""
        for provider in self._providers:
            found = await alookup(provider, access_key_id, scope=scope, session_token=session_token)
            if found is not None:
                return found
        return None
