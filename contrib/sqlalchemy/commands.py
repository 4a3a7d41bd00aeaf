"""The commands of a key store: ``flask sigv4 create``, ``list``, ``rotate``, ``revoke`` and more.

A secret is printed once, to the standard output and nowhere else, in the form
that ``~/.aws/credentials`` has; what else there is to say goes to the standard
error, so that the one can be appended to the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from wsgi_sigv4.contrib.sqlalchemy.engine import told_by
from wsgi_sigv4.contrib.sqlalchemy.keys import AccessKey
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyStoreError
from wsgi_sigv4.contrib.sqlalchemy.keys import NewKey
from wsgi_sigv4.contrib.sqlalchemy.store import OVERLAP
from wsgi_sigv4.contrib.sqlalchemy.store import KeyStore
from wsgi_sigv4.errors import ConfigurationError

_DURATION: Final = re.compile(r"([0-9]{1,5})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PROFILE: Final = re.compile(r"[A-Za-z0-9_.@+-]{1,128}", re.ASCII)
_HEADINGS: Final = ("ACCESS KEY ID", "STATUS", "CREATED", "EXPIRES", "LAST USED", "OWNER", "NOTE")


def key_commands(store: KeyStore) -> click.Group:
    """Return the commands for the keys of *store*."""
    group = click.Group("sigv4", help="Create, list, rotate and revoke access keys.")
    group.context_settings["obj"] = store
    for command in (_create_tables, _create, _list, _rotate, _revoke, _reencrypt):
        group.add_command(command)
    return group


def _duration(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    if value is None:
        return None
    found = _DURATION.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a time such as 90d, 12h, 30m or 45s")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _profile_name(_: click.Context, __: click.Parameter, value: str) -> str:
    if _PROFILE.fullmatch(value) is None:
        raise click.BadParameter(f"{value!r} cannot stand in brackets in ~/.aws/credentials")
    return value


_expires_in = click.option(
    "--expires-in", callback=_duration, metavar="TIME", help="How long it is good, such as 90d."
)
_profile = click.option(
    *("--profile", "profile"),
    callback=_profile_name,
    default="default",
    show_default=True,
    help="The profile it is printed as.",
)


@click.command("create-tables")
@click.pass_obj
def _create_tables(store: KeyStore) -> None:
    """Create the table of access keys, unless it is there."""
    with _explained():
        store.create_tables()


@click.command("create")
@click.argument("owner")
@_expires_in
@click.option("--region", "regions", multiple=True, help="A region it may be used for.")
@click.option("--service", "services", multiple=True, help="A service it may be used for.")
@click.option("--method", "methods", multiple=True, help="A method it may be used with.")
@click.option("--path-prefix", "path_prefixes", multiple=True, help="A path it may be used below.")
@click.option(
    "--presigned-only/--no-presigned", "presigned", default=None, help="For URLs only, or for none."
)
@click.option("--max-expires", type=int, help="Seconds that its presigned URLs may live.")
@click.option("--note", default="", help="For the list.")
@_profile
@click.pass_obj
def _create(
    store: KeyStore,
    *,
    owner: str,
    expires_in: timedelta | None,
    regions: tuple[str, ...],
    services: tuple[str, ...],
    methods: tuple[str, ...],
    path_prefixes: tuple[str, ...],
    presigned: bool | None,
    max_expires: int | None,
    note: str,
    profile: str,
) -> None:
    """Make a key for OWNER, and print it with its secret.

    What may be given several times limits the key to all of these.
    """
    with _explained():
        new = store.create(
            owner,
            expires_in=expires_in,
            regions=regions or None,
            services=services or None,
            methods=methods or None,
            path_prefixes=path_prefixes or None,
            presigned=presigned,
            max_expires=max_expires,
            note=note,
        )
    _show(new, profile)


@click.command("list")
@click.option("--owner", help="Only the keys of this owner.")
@click.pass_obj
def _list(store: KeyStore, *, owner: str | None) -> None:
    """Print the keys, newest first, without their secrets."""
    with _explained():
        keys = store.list(owner=owner)
    now = datetime.now(UTC)
    rows = [_HEADINGS, *(_cells(key, now) for key in keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@click.command("rotate")
@click.argument("access_key_id")
@click.option(
    "--overlap",
    callback=_duration,
    metavar="TIME",
    default=f"{int(OVERLAP.total_seconds()) // 3600}h",
    show_default=True,
    help="How long the old key stays good.",
)
@_expires_in
@_profile
@click.pass_obj
def _rotate(
    store: KeyStore,
    *,
    access_key_id: str,
    overlap: timedelta,
    expires_in: timedelta | None,
    profile: str,
) -> None:
    """Make a key to take the place of ACCESS_KEY_ID, and print it with its secret."""
    with _explained():
        new = store.rotate(access_key_id, overlap=overlap, expires_in=expires_in)
        old = store.get(access_key_id)
    click.echo(f"{access_key_id} ends at {_time(old.expires_at)}.", err=True)
    _show(new, profile)


@click.command("revoke")
@click.argument("access_key_id")
@click.pass_obj
def _revoke(store: KeyStore, *, access_key_id: str) -> None:
    """Have ACCESS_KEY_ID refused, for good."""
    with _explained():
        key = store.revoke(access_key_id)
    click.echo(f"{key.access_key_id} of {key.owner} is revoked.", err=True)


@click.command("reencrypt")
@click.pass_obj
def _reencrypt(store: KeyStore) -> None:
    """Encrypt with the newest encryption key what an older one encrypted."""
    with _explained():
        count = store.reencrypt()
    click.echo(f"{count} secrets encrypted anew; the older keys are needed no more.", err=True)


@contextmanager
def _explained() -> Iterator[None]:
    """Say what is wrong in one line, without a traceback."""
    try:
        yield
    except (KeyStoreError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database says: {told_by(error)}") from error


def _show(new: NewKey, profile: str) -> None:
    click.echo(
        f"The key of {new.key.owner} is {new.key.access_key_id}; it ends: "
        f"{_time(new.key.expires_at)}. Nobody can be shown its secret again.",
        err=True,
    )
    click.echo(new.aws_credentials(profile), nl=False)


def _cells(key: AccessKey, now: datetime) -> tuple[str, ...]:
    times = map(_time, (key.created_at, key.expires_at, key.last_used_at))
    return (key.access_key_id, key.status(now), *times, key.owner, key.note)


def _time(time: datetime | None) -> str:
    return "never" if time is None else time.strftime("%Y-%m-%d %H:%M:%SZ")
