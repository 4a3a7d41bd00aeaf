"""What a key store tells of its keys, and why it does not do what it was asked to."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import Secret


class KeyStoreError(Exception):
    """The key store does not do what it was asked to, and has changed nothing."""


class KeyNotFound(KeyStoreError):
    """There is no key of this id.

    Attributes:
        access_key_id: the id.
    """

    def __init__(self, access_key_id: str) -> None:
        super().__init__(access_key_id)
        self.access_key_id = access_key_id

    def __str__(self) -> str:
        return f"there is no access key {self.access_key_id}"


class KeyNotRotated(KeyStoreError):
    """The key cannot be rotated: it is revoked, has expired, or was rotated before.

    Attributes:
        key: the key as it is.
    """

    def __init__(self, key: AccessKey, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self._reason = reason

    def __str__(self) -> str:
        return f"the access key {self.key.access_key_id} {self._reason}"


class SecretsLost(KeyStoreError):
    """Secrets were encrypted with none of the encryption keys given.

    Attributes:
        access_key_ids: the keys.
    """

    def __init__(self, access_key_ids: tuple[str, ...]) -> None:
        super().__init__(access_key_ids)
        self.access_key_ids = access_key_ids

    def __str__(self) -> str:
        return (
            f"{len(self.access_key_ids)} secrets were encrypted with none of the encryption keys "
            f"given, and nothing was changed: {', '.join(self.access_key_ids)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key as its store shows it: all but the secret.

    Attributes:
        access_key_id: the id that requests name.
        owner: who it was made for; the principal of the identity.
        active: False once it was revoked.
        created_at: when it was made.
        expires_at: from when on it is refused, or None.
        last_used_at: when it last verified a request, to some minutes, or None.
        rotated_to: the id of the key that takes its place, or None.
        regions: the regions it may be used for; None: any.
        services: the services it may be used for; None: any.
        methods: the methods it may be used with; None: any.
        path_prefixes: the paths it may be used below; None: any.
        presigned: True for presigned URLs only, False for none, None for both.
        max_expires: the seconds that its presigned URLs may live; None: as AWS has it.
        note: the operator's.
    """

    access_key_id: str
    owner: str
    active: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    rotated_to: str | None
    regions: tuple[str, ...] | None
    services: tuple[str, ...] | None
    methods: tuple[str, ...] | None
    path_prefixes: tuple[str, ...] | None
    presigned: bool | None
    max_expires: int | None
    note: str

    @classmethod
    def of(cls, row: Row[Any]) -> AccessKey:
        """Return the key of a *row* of the table."""
        values = {name: getattr(row, name) for name in cls.__slots__}
        for name in ("regions", "services", "methods", "path_prefixes"):
            if isinstance(values[name], list):
                values[name] = tuple(values[name])
        return cls(**values)

    def credentials(self, secret: Secret) -> Credentials:
        """Return what a verifier needs of the key and its *secret*.

        Raises:
            ConfigurationError: if a limit makes no sense.
        """
        return Credentials(
            secret,
            principal=self.owner,
            expires_at=None if self.expires_at is None else self.expires_at.timestamp(),
            enabled=self.active,
            regions=self.regions,
            services=self.services,
            methods=self.methods,
            path_prefixes=self.path_prefixes,
            presigned=self.presigned,
            max_expires=self.max_expires,
        )

    def status(self, now: datetime) -> str:
        """Return "active", "rotated" (it ends soon), "expired" or "revoked"."""
        if not self.active:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active" if self.rotated_to is None else "rotated"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made, with its secret, which the store shows this one time.

    Attributes:
        key: the key.
        secret_access_key: its secret.
    """

    key: AccessKey
    secret_access_key: Secret = field(repr=False)

    def aws_credentials(self, profile: str = "default") -> str:
        """Return the key, with its secret, as it stands in ``~/.aws/credentials``."""
        return (
            f"[{profile}]\n"
            f"aws_access_key_id = {self.key.access_key_id}\n"
            f"aws_secret_access_key = {self.secret_access_key.reveal()}\n"
        )
