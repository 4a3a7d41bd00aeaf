"""The provider: from the name of a key to its credentials, by way of the database.

    SIGV4 = {"CREDENTIALS": "wsgi_sigv4.contrib.django.keys.provider.AccessKeyProvider", ...}

What it finds is cached in the process, so that a key costs one query in
``ttl`` seconds, and a database that is down refuses no key that was used
lately. Revocation takes effect at once in the process that revokes, and within
``ttl`` seconds in the others.

Nothing here imports the model when it is imported, so that the settings may
make a provider themselves: ``"CREDENTIALS": AccessKeyProvider(ttl=10)``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.db import InterfaceError
from django.db import OperationalError
from django.db import connections
from django.db import router
from django.http import HttpRequest
from django.utils import timezone

from wsgi_sigv4.contrib.django.keys import forgetting
from wsgi_sigv4.contrib.django.keys.encryption import get_encryption
from wsgi_sigv4.contrib.django.keys.last_used import last_uses
from wsgi_sigv4.contrib.encryption import SecretLost
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.providers import new_secret_access_key

if TYPE_CHECKING:
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

logger: Final = logging.getLogger("wsgi_sigv4.keys")


class DatabaseProvider:
    """Finds keys in the database, with one query each time it is asked."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Raises:
            CredentialsUnavailable: if the database is down, or the secret was
                encrypted under a key that is not there.
        """
        key = _find(access_key_id)
        # Some databases compare without case.
        if key is None or key.access_key_id != access_key_id:
            return None
        if not key.active or not getattr(key.owner, "is_active", True):
            # Whatever else is wrong with it: it ends, and nothing remembered goes on for it.
            return Credentials(new_secret_access_key(), enabled=False)
        try:
            secret = get_encryption().decrypt(access_key_id, key.encrypted_secret)
            return key.credentials(secret, enabled=True)
        except (SecretLost, ConfigurationError) as error:
            logger.error("the access key %s cannot be used: %s", access_key_id, error)
            raise CredentialsUnavailable from error

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return what :meth:`lookup` does, from the thread of Django's database connections."""
        return await sync_to_async(self.lookup, thread_sensitive=True)(
            access_key_id, scope=scope, session_token=session_token
        )


def _find(access_key_id: str) -> AccessKey | None:
    """Return the key, or None; with a new connection where the old one turns out to be broken."""
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

    if "\0" in access_key_id or len(access_key_id) > 128:
        return None
    connection = connections[router.db_for_read(AccessKey)]
    had_connection = connection.connection is not None
    keys = AccessKey.objects.using(connection.alias).select_related("owner")
    try:
        return keys.filter(access_key_id=access_key_id).first()
    except (OperationalError, InterfaceError) as error:
        # Django does this between two requests. It may be some time until there
        # is another, and a wrapper around the project asks before there is one.
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None and had_connection:
            return _find(access_key_id)
        raise _unavailable(error) from error
    except DatabaseError as error:
        # No such table, say: whatever it is, it is not the client's fault.
        raise _unavailable(error) from error


def _unavailable(error: DatabaseError | InterfaceError) -> CredentialsUnavailable:
    logger.error("the database of the access keys cannot be asked: %s", error)
    return CredentialsUnavailable()


class AccessKeyProvider(CachingProvider):
    """Finds keys in the database, and remembers them for a while.

    Args:
        ttl: seconds that a key is remembered: so long a process may go on to
            accept a key that another one has revoked.
        record_use: seconds between two updates of *last used* for one key, in
            one process; None: it is not recorded.
        options: other parameters of :class:`~wsgi_sigv4.providers.CachingProvider`.

    Raises:
        ConfigurationError: if a number makes no sense.
    """

    def __init__(self, *, ttl: float = 30, record_use: float | None = 300, **options: Any) -> None:
        super().__init__(DatabaseProvider(), ttl=ttl, **options)
        self._last_used = None if record_use is None else last_uses(seconds=record_use)
        forgetting.providers.add(self)

    def check(self) -> None:
        """Refuse to start without an encryption key.

        Not when the provider is made: the settings may not have been read to their end.

        Raises:
            ImproperlyConfigured: if there is none.
        """
        get_encryption()

    def note_use(self, identity: Identity) -> None:
        """Record that the key of *identity* was used just now, later and elsewhere."""
        if self._last_used is not None:
            self._last_used.note(identity.access_key_id, timezone.now())

    def find_user(self, identity: Identity, request: HttpRequest) -> Any:
        """Return the owner of the key: what ``SIGV4["USER"]`` is unless it is given."""
        return owner(identity, request)


def owner(identity: Identity, request: HttpRequest) -> Any:
    """Return the user who owns the key that signed *request*, or None."""
    from django.contrib.auth import get_user_model

    # By the key, not by the principal alone: another provider of a chain may
    # have given its own that happens to be somebody's primary key.
    users = get_user_model()._default_manager
    found = users.filter(sigv4_access_keys__access_key_id=identity.access_key_id).first()
    return found if found is not None and found.pk == identity.principal else None
