"""The table ``sigv4_access_keys``: one row for each access key, its secret encrypted.

It has a ``MetaData`` of its own, so that an application's migrations can take
it in: ``target_metadata = [Base.metadata, wsgi_sigv4.contrib.sqlalchemy.metadata]``.
"""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import Final

from sqlalchemy import JSON
from sqlalchemy import Boolean
from sqlalchemy import Column
from sqlalchemy import DateTime
from sqlalchemy import Dialect
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A time with its zone, which some databases would drop: kept and returned in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return *value* as the database takes it."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return *value*, as the database gives it, with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: Of the table alone.
metadata: Final = MetaData()

_NAMES: Final = JSON(none_as_null=True)

#: The table. ``secret`` is a Fernet token; limits that are null limit nothing.
access_keys: Final = Table(
    "sigv4_access_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("access_key_id", String(128), nullable=False, unique=True),
    Column("owner", String(255), nullable=False, index=True),
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("rotated_to", String(128)),
    Column("regions", _NAMES),
    Column("services", _NAMES),
    Column("methods", _NAMES),
    Column("path_prefixes", _NAMES),
    Column("presigned", Boolean),
    Column("max_expires", Integer),
    Column("note", String(255), nullable=False),
)
