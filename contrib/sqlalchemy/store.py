"""The key store: access keys in a database, their secrets encrypted.

Whatever changes keys does so in one transaction of its own: a crash in the
middle leaves everything as it was. A secret never changes in its row; a key
is rotated by making another one beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Final
from typing import Protocol
from weakref import WeakSet

from sqlalchemy import URL
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import insert
from sqlalchemy import inspect
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from wsgi_sigv4.contrib.encryption import SecretEncryption
from wsgi_sigv4.contrib.encryption import SecretLost
from wsgi_sigv4.contrib.sqlalchemy.engine import PATIENCE
from wsgi_sigv4.contrib.sqlalchemy.engine import has_one_connection
from wsgi_sigv4.contrib.sqlalchemy.engine import make_engine
from wsgi_sigv4.contrib.sqlalchemy.keys import AccessKey
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyNotFound
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyNotRotated
from wsgi_sigv4.contrib.sqlalchemy.keys import NewKey
from wsgi_sigv4.contrib.sqlalchemy.keys import SecretsLost
from wsgi_sigv4.contrib.sqlalchemy.table import access_keys
from wsgi_sigv4.contrib.sqlalchemy.table import metadata
from wsgi_sigv4.contrib.sqlalchemy.usage import last_uses
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.providers import new_access_key_id
from wsgi_sigv4.providers import new_secret_access_key

#: What a key that takes the place of another one has of it.
_INHERITED: Final = (
    *("owner", "regions", "services", "methods"),
    *("path_prefixes", "presigned", "max_expires", "note"),
)
#: How long both keys are good after a rotation, unless said otherwise.
OVERLAP: Final = timedelta(days=1)


class Forgetful(Protocol):
    """Whatever remembers keys."""

    def forget(self, access_key_id: str) -> None:
        """Ask for *access_key_id* again."""


class KeyStore:
    """Access keys in the table ``sigv4_access_keys``, their secrets encrypted.

    Args:
        database: the URL of the database, or an engine of the application's;
            with an engine, the store uses connections of its own all the same.
        encryption_keys: Fernet keys, newest first; the first one encrypts, and
            all of them decrypt.
        clock: POSIX seconds; tests pass their own.

    Raises:
        ConfigurationError: if there is no encryption key, one is no Fernet key,
            or the engine has one connection for everybody.
    """

    def __init__(
        self,
        database: str | URL | Engine,
        *,
        encryption_keys: Sequence[str | bytes | Secret],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._encryption = SecretEncryption(encryption_keys)
        if isinstance(database, Engine) and has_one_connection(database):
            raise ConfigurationError(
                "this engine has one connection, and so one transaction, for the key store and the "
                "application: give the key store a URL, or both a database in a file"
            )
        self._owns_engine = not isinstance(database, Engine)
        self.engine = database if isinstance(database, Engine) else make_engine(database)
        # A look-up is one statement: it needs no BEGIN and no ROLLBACK.
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.usage = last_uses(self.engine)
        self._clock = clock
        self._watchers: WeakSet[Forgetful] = WeakSet()

    def __repr__(self) -> str:
        return f"KeyStore({self.engine.url.render_as_string(hide_password=True)!r})"

    def close(self) -> None:
        """Wait for what is still to be noted, and close the connections that the store has made."""
        self.usage.wait(PATIENCE)
        if self._owns_engine:
            self.engine.dispose()

    def create_tables(self) -> None:
        """Create the table, unless it is there; several processes may do so at once."""
        try:
            metadata.create_all(self.engine)
        except DBAPIError:
            # Another process was first.
            if not inspect(self.engine).has_table(access_keys.name):
                raise

    def create(
        self,
        owner: str,
        *,
        expires_in: timedelta | None = None,
        regions: Sequence[str] | None = None,
        services: Sequence[str] | None = None,
        methods: Sequence[str] | None = None,
        path_prefixes: Sequence[str] | None = None,
        presigned: bool | None = None,
        max_expires: int | None = None,
        note: str = "",
    ) -> NewKey:
        """Make a key for *owner*, and return it with its secret, which nobody can ask for again.

        Args:
            owner: who it is for; the principal of the identity.
            expires_in: how long it is good; None: until it is revoked.
            regions: the regions it may be used for; None: any.
            services: the services it may be used for; None: any.
            methods: the methods it may be used with; None: any.
            path_prefixes: the paths it may be used below; None: any.
            presigned: True for presigned URLs only, False for none; None: both.
            max_expires: the seconds that its presigned URLs may live.
            note: for the operator.

        Raises:
            ConfigurationError: if one of them makes no sense.
        """
        now = self._now()
        _check_text("owner", owner)
        _check_text("note", note)
        if not owner:
            raise ConfigurationError("a key has an owner")
        _check_time("expires_in", expires_in)
        values = {
            "owner": owner,
            "expires_at": None if expires_in is None else now + expires_in,
            "regions": _as_list("regions", regions),
            "services": _as_list("services", services),
            "methods": _as_list("methods", methods),
            "path_prefixes": _as_list("path_prefixes", path_prefixes),
            "presigned": presigned,
            "max_expires": max_expires,
            "note": note,
        }
        with self.engine.begin() as connection:
            return self._insert(connection, new_access_key_id(), values, now)

    def rotate(
        self,
        access_key_id: str,
        *,
        overlap: timedelta = OVERLAP,
        expires_in: timedelta | None = None,
    ) -> NewKey:
        """Make a key to take the place of another one, which is good for *overlap* still.

        The new one has the owner, the limits and the note of the old one, and
        lives as long as that was to live. A key is rotated once: who comes
        second is told which key takes its place.

        Args:
            access_key_id: the old key.
            overlap: how long both are good; the old one ends no later than it did.
            expires_in: how long the new one is good; None: as long as the old one was to be.

        Raises:
            KeyNotFound: if there is no such key.
            KeyNotRotated: if it is revoked, has expired, or was rotated before.
            ConfigurationError: if a time is negative.
        """
        now = self._now()
        if overlap < timedelta(0):
            raise ConfigurationError("overlap cannot be negative")
        _check_time("expires_in", expires_in)
        new_id = new_access_key_id()
        with self.engine.begin() as connection:
            # It comes first: whoever else rotates this key waits here, and then finds it done.
            old = self._claim(connection, access_key_id, new_id, now)
            values = {name: getattr(old, name) for name in _INHERITED}
            ends = now + overlap
            if old.expires_at is not None:
                ends = min(ends, old.expires_at)
                expires_in = expires_in or old.expires_at - old.created_at
            connection.execute(_row(access_key_id).values(expires_at=ends))
            values["expires_at"] = None if expires_in is None else now + expires_in
            new = self._insert(connection, new_id, values, now)
        self._tell_of(access_key_id)
        return new

    def revoke(self, access_key_id: str) -> AccessKey:
        """Have *access_key_id* refused from now on, for good; return it.

        A provider that caches goes on for the time that it says.

        Raises:
            KeyNotFound: if there is no such key.
        """
        with self.engine.begin() as connection:
            connection.execute(_row(access_key_id).values(active=False))
            revoked = _get(connection, access_key_id)
        self._tell_of(access_key_id)
        return revoked

    def get(self, access_key_id: str) -> AccessKey:
        """Return the key of this id, without its secret.

        Raises:
            KeyNotFound: if there is no such key.
        """
        with self._reader.connect() as connection:
            return _get(connection, access_key_id)

    def list(self, *, owner: str | None = None) -> tuple[AccessKey, ...]:
        """Return the keys, newest first, without their secrets.

        Args:
            owner: whose; None: everybody's.
        """
        query = select(access_keys).order_by(access_keys.c.id.desc())
        if owner is not None:
            query = query.where(access_keys.c.owner == owner)
        with self._reader.connect() as connection:
            return tuple(AccessKey.of(row) for row in connection.execute(query))

    def reencrypt(self) -> int:
        """Encrypt with the newest encryption key what an older one encrypted; return how many.

        All or nothing, and it may be run again at any time. Afterwards the
        older keys are needed no more.

        Raises:
            SecretsLost: if there are secrets that none of the keys decrypts.
        """
        query = select(access_keys.c.id, access_keys.c.access_key_id, access_keys.c.secret)
        with self.engine.begin() as connection:
            rows = connection.execute(query.with_for_update()).all()
            stale = [row for row in rows if not self._encryption.is_newest(row.secret)]
            for row, secret in self._decrypted(stale):
                changed = update(access_keys).where(
                    access_keys.c.id == row.id, access_keys.c.secret == row.secret
                )
                encrypted = self._encryption.encrypt(row.access_key_id, secret)
                connection.execute(changed.values(secret=encrypted))
        return len(stale)

    def find_credentials(self, access_key_id: str) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Raises:
            SecretLost: if none of the encryption keys decrypts its secret.
            ConfigurationError: if a limit makes no sense.
            SQLAlchemyError: if the database cannot be asked.
        """
        try:
            row = self._find_row(access_key_id)
        except DBAPIError as error:
            # An application's engine may not have noticed that the database was restarted.
            if not error.connection_invalidated:
                raise
            row = self._find_row(access_key_id)
        # Some databases compare without case.
        if row is None or row.access_key_id != access_key_id:
            return None
        if not row.active:
            # Whatever else is wrong with it: it ends, and nothing remembered goes on for it.
            return Credentials(new_secret_access_key(), enabled=False)
        key = AccessKey.of(row)
        return key.credentials(self._encryption.decrypt(access_key_id, row.secret))

    def mark_used(self, access_key_id: str) -> None:
        """Note that *access_key_id* has verified a request: to five minutes, and never in the way.

        A thread does so with a connection of its own; where that fails, there
        is a warning in the log.
        """
        self.usage.note(access_key_id, self._now())

    def tell_of_changes(self, watcher: Forgetful) -> None:
        """Have *watcher* forget, as long as it is there, each key that is changed by this store."""
        self._watchers.add(watcher)

    def _tell_of(self, access_key_id: str) -> None:
        for watcher in self._watchers:
            watcher.forget(access_key_id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _find_row(self, access_key_id: str) -> Any:
        query = select(access_keys).where(access_keys.c.access_key_id == access_key_id)
        with self._reader.connect() as connection:
            return connection.execute(query).one_or_none()

    def _insert(
        self, connection: Connection, access_key_id: str, values: dict[str, Any], now: datetime
    ) -> NewKey:
        secret = Secret(new_secret_access_key())
        connection.execute(
            insert(access_keys).values(
                access_key_id=access_key_id,
                secret=self._encryption.encrypt(access_key_id, secret),
                active=True,
                created_at=now,
                **values,
            )
        )
        key = _get(connection, access_key_id)
        # Limits that make no sense are found now, and not with the first request.
        key.credentials(secret)
        return NewKey(key=key, secret_access_key=secret)

    def _claim(
        self, connection: Connection, access_key_id: str, new_id: str, now: datetime
    ) -> AccessKey:
        """Take the right to rotate a key, and return it as it is.

        Raises:
            KeyNotFound: if there is no such key.
            KeyNotRotated: if it cannot be rotated.
        """
        columns = access_keys.c
        claimed = connection.execute(
            _row(access_key_id)
            .where(
                columns.active,
                columns.rotated_to.is_(None),
                or_(columns.expires_at.is_(None), columns.expires_at > now),
            )
            .values(rotated_to=new_id)
        )
        key = _get(connection, access_key_id)
        if claimed.rowcount == 1:
            return key
        if key.rotated_to is not None:
            raise KeyNotRotated(key, f"was rotated before: {key.rotated_to} takes its place")
        raise KeyNotRotated(key, "is revoked" if not key.active else "has expired")

    def _decrypted(self, rows: Sequence[Any]) -> Sequence[tuple[Any, Secret]]:
        """Return *rows* with their secrets, or raise SecretsLost."""
        found, lost = [], []
        for row in rows:
            try:
                found.append((row, self._encryption.decrypt(row.access_key_id, row.secret)))
            except SecretLost:
                lost.append(row.access_key_id)
        if lost:
            raise SecretsLost(tuple(lost))
        return found


def _row(access_key_id: str) -> Any:
    return update(access_keys).where(access_keys.c.access_key_id == access_key_id)


def _get(connection: Connection, access_key_id: str) -> AccessKey:
    query = select(access_keys).where(access_keys.c.access_key_id == access_key_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise KeyNotFound(access_key_id)
    return AccessKey.of(row)


def _as_list(name: str, values: Sequence[str] | None) -> Sequence[str] | None:
    # A bare string would become a list of its letters.
    if isinstance(values, str | bytes):
        raise ConfigurationError(f"{name} is a list of strings; None allows any")
    return None if values is None else [*values]


def _check_text(name: str, text: str) -> None:
    # Terminals obey control characters, and the list is printed to one.
    if len(text) > 255 or not text.isprintable():
        raise ConfigurationError(f"{name} has 255 printable characters at most")


def _check_time(name: str, time: timedelta | None) -> None:
    if time is not None and time <= timedelta(0):
        raise ConfigurationError(f"{name} is a time to come")
