"""When keys were last used, in the table."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import Engine
from sqlalchemy import or_
from sqlalchemy import update

from wsgi_sigv4.contrib.sqlalchemy.table import access_keys
from wsgi_sigv4.providers.last_uses import LastUses

#: How exact the notes are: a key is noted no more often, by all processes together.
INTERVAL: Final = timedelta(minutes=5)


def last_uses(engine: Engine) -> LastUses:
    """Return what notes in the table of *engine* when keys were used."""
    return LastUses(partial(_write, engine), interval=INTERVAL)


def _write(engine: Engine, access_key_id: str, used: datetime) -> None:
    columns = access_keys.c
    # Another process may have noted it a moment ago.
    is_stale = or_(columns.last_used_at.is_(None), columns.last_used_at <= used - INTERVAL)
    note = update(access_keys).where(columns.access_key_id == access_key_id, is_stale)
    with engine.begin() as connection:
        connection.execute(note.values(last_used_at=used))
