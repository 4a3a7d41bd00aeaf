"""The credential provider over a key store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import SQLAlchemyError

from wsgi_sigv4.contrib.encryption import SecretLost
from wsgi_sigv4.contrib.sqlalchemy.store import KeyStore
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.identity import Identity

if TYPE_CHECKING:
    import click

logger: Final = logging.getLogger("wsgi_sigv4")


class SQLAlchemyProvider:
    """The credentials of a :class:`KeyStore`: one query for each look-up.

    Args:
        store: the key store.

    Attributes:
        store: the key store.
    """

    def __init__(self, store: KeyStore) -> None:
        self.store = store

    def __repr__(self) -> str:
        return f"SQLAlchemyProvider({self.store!r})"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Raises:
            CredentialsUnavailable: if the database cannot be asked, or the
                secret cannot be decrypted.
        """
        try:
            return self.store.find_credentials(access_key_id)
        except SecretLost as lost:
            logger.error("%s", lost)
            raise CredentialsUnavailable("a secret cannot be decrypted") from None
        except SQLAlchemyError as error:
            logger.error("the database of access keys cannot be asked: %s", _told(error))
            raise CredentialsUnavailable("the database cannot be asked") from None

    def note_use(self, identity: Identity) -> None:
        """Note that the key of *identity* has verified a request; never raises."""
        self.store.mark_used(identity.access_key_id)

    def commands(self) -> click.Group:
        """Return the commands to create, list, rotate and revoke keys; the Flask extension adds
        them to ``flask`` as ``flask sigv4``.
        """
        from wsgi_sigv4.contrib.sqlalchemy.commands import key_commands

        return key_commands(self.store)


def _told(error: SQLAlchemyError) -> str:
    """Return what the database says: one line, without statement and parameters."""
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    return f"{type(error).__name__}: {said.partition(chr(10))[0][:200]}"
