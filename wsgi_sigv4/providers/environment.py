"""Credentials in environment variables: one key, read when the process starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import is_access_key_id
from wsgi_sigv4.errors import ConfigurationError


class EnvironmentProvider:
    """The one key that environment variables hold.

    They are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN,
    which AWS's own SDKs read as well: a server that calls AWS itself gives its
    clients' key another *prefix*. An empty variable is none.

    Args:
        prefix: what the names begin with.
        principal: who owns the key.
        optional: know no key where the variables are not set, for a chain.
        environ: the variables; None: those of the process.

    Raises:
        ConfigurationError: if they are not set, only half of them are, or the
            key id is none.
    """

    def __init__(
        self,
        *,
        prefix: str = "AWS_",
        principal: object = None,
        optional: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        variables = os.environ if environ is None else environ
        names = [prefix + n for n in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
        key_id, secret, token = (variables.get(name) for name in names)
        self._access_key_id = key_id or None
        self._credentials: Credentials | None = None
        if not (key_id or secret or token) and optional:
            return
        if not key_id or not secret:
            raise ConfigurationError(f"{names[0]} and {names[1]} are not both set")
        if not is_access_key_id(key_id):
            raise ConfigurationError(f"{names[0]} is not an access key id")
        self._credentials = Credentials(secret, session_token=token or None, principal=principal)

    def __repr__(self) -> str:
        return f"EnvironmentProvider(<{'no key' if self._credentials is None else 'one key'}>)"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials, or None where *access_key_id* is another one."""
        return self._credentials if access_key_id == self._access_key_id else None

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Do the same under ASGI: nothing here can block."""
        return self.lookup(access_key_id, scope=scope, session_token=session_token)
