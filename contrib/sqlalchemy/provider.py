"""The credential provider over a key store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from wsgi_sigv4.contrib.encryption import SecretLost
from wsgi_sigv4.contrib.sqlalchemy.engine import told_by
from wsgi_sigv4.contrib.sqlalchemy.store import KeyStore
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.providers import CachingProvider

if TYPE_CHECKING:
    import click

logger: Final = logging.getLogger("wsgi_sigv4")


class SQLAlchemyProvider:
    """The credentials of a :class:`KeyStore`, remembered for a while.

    A key costs one query in *ttl* seconds, in each process, and a database
    that is down refuses no key that was used lately. What was revoked is
    refused at once by the process that revoked it, and within *ttl* seconds by
    the others.

    Args:
        store: the key store.
        ttl: seconds that a key is remembered.
        negative_ttl: seconds that an unknown key is remembered as such.
        stale_seconds: seconds that a remembered key goes on after its *ttl*
            while the database is down; 0: none.

    Attributes:
        store: the key store.

    Raises:
        ConfigurationError: if a number makes no sense.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        ttl: float = 30.0,
        negative_ttl: float = 2.0,
        stale_seconds: float = 60.0,
    ) -> None:
        self.store = store
        self._cache = CachingProvider(
            _Lookup(store), ttl=ttl, negative_ttl=negative_ttl, stale_seconds=stale_seconds
        )
        store.tell_of_changes(self)

    def __repr__(self) -> str:
        return f"SQLAlchemyProvider({self.store!r})"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Raises:
            CredentialsUnavailable: if the database cannot be asked, or the
                secret cannot be decrypted, and the key is not remembered.
        """
        return self._cache.lookup(access_key_id, scope=scope, session_token=session_token)

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Do the same under ASGI: a thread asks the database.

        Raises:
            CredentialsUnavailable: as :meth:`lookup` does.
        """
        return await self._cache.alookup(access_key_id, scope=scope, session_token=session_token)

    def forget(self, access_key_id: str) -> None:
        """Ask the database for *access_key_id* again, in this process."""
        self._cache.forget(access_key_id)

    def note_use(self, identity: Identity) -> None:
        """Note that the key of *identity* was used; it neither waits nor raises."""
        self.store.mark_used(identity.access_key_id)

    def commands(self) -> click.Group:
        """Return the commands to create, list, rotate and revoke keys, as the group ``sigv4``."""
        from wsgi_sigv4.contrib.sqlalchemy.commands import key_commands

        return key_commands(self.store)


class _Lookup:
    """One query for each look-up."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        try:
            return self._store.find_credentials(access_key_id)
        except SecretLost as lost:
            logger.error("%s", lost)
            raise CredentialsUnavailable("a secret cannot be decrypted") from None
        except ConfigurationError as fault:
            # Somebody has written to the table by hand.
            logger.error("the access key %s cannot be used: %s", access_key_id, fault)
            raise CredentialsUnavailable("a limit makes no sense") from None
        except SQLAlchemyError as error:
            logger.error("the database of access keys cannot be asked: %s", told_by(error))
            raise CredentialsUnavailable("the database cannot be asked") from None
