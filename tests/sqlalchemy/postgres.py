"""A real PostgreSQL server, of the package pgserver: it runs as root too, and needs no port."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: The folder of the package, which its binaries stand in.
INSTALLED = find_spec("pgserver")
#: Seconds that a server may take to start, on a machine that is busy with others.
START_SECONDS = 90.0


def why_no_postgres() -> str | None:
    """Return why there is no PostgreSQL to test with, or None."""
    return "pgserver has no wheel for this Python" if INSTALLED is None else None


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other run of the tests on this machine is in here.

    As root, the first server makes a user for all of them: two at once would both make it.
    """
    with (Path(tempfile.gettempdir()) / "sigv4-pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Postgres:
    """A server that is started, stopped and started again on the same socket."""

    def __init__(self) -> None:
        # Not in pytest's folder, which only its owner may enter: as root, the server is not root.
        self._folder = Path(tempfile.mkdtemp(prefix="sigv4-pg-"))
        self._server: Any = None
        self.start()

    @property
    def url(self) -> str:
        """The URL of the database."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder / 'data'}"

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        with one_at_a_time(), warnings.catch_warnings():
            # platformdirs warns where XDG_RUNTIME_DIR is not set.
            warnings.simplefilter("ignore")
            from pgserver.postgres_server import PostgresServer
            from pgserver.postgres_server import get_server

            data = (self._folder / "data").resolve()
            until = time.monotonic() + START_SECONDS
            while True:
                try:
                    self._server = get_server(data, cleanup_mode="stop")
                    return
                except (subprocess.TimeoutExpired, AssertionError):
                    # pgserver waits for ten seconds, and for none that was about to start before;
                    # the server comes up all the same.
                    if time.monotonic() > until:
                        raise
                    PostgresServer._instances.pop(data, None)
                    time.sleep(1)

    def stop(self) -> None:
        """Stop the server: whoever is connected is thrown out."""
        self._server.cleanup()

    def sql(self, command: str) -> str:
        """Return what psql prints for *command*."""
        return str(self._server.psql(command))

    def dump(self) -> str:
        """Return the whole database as pg_dump prints it."""
        assert INSTALLED is not None
        assert INSTALLED.origin is not None
        program = Path(INSTALLED.origin).parent / "pginstall" / "bin" / "pg_dump"
        command = [str(program), self._server.get_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    def remove(self) -> None:
        """Stop the server for good."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def count_of_connections(postgres: Postgres, name: str) -> int:
    """Return how many clients are connected whose application has this *name*."""
    said = postgres.sql(
        f"\\t on\nselect count(*) from pg_stat_activity where application_name = '{name}'"
    )
    return int(said.replace("Tuples only is on.", "").strip())
