"""gunicorn on loopback, with one worker, for as long as a block runs."""

from __future__ import annotations

import http.client
import sys
import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import free_port
from tests.servers.processes import running

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A gunicorn that runs.

    Attributes:
        port: of loopback.
        pids: a file with the process id of gunicorn, whose child is the worker.
    """

    port: int
    pids: Path

    @property
    def worker(self) -> int:
        """The process id of the worker."""
        parent = self.pids.read_text(encoding="ascii").strip()
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        (worker,) = children.split()
        return int(worker)


@contextmanager
def gunicorn(
    application: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run *application*, named as gunicorn does, while the block runs."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        pids = Path(folder, "pid")
        command = [
            *(sys.executable, "-m", "gunicorn", "--workers", "1", "--bind", f"{HOST}:{port}"),
            *("--no-control-socket", "--pid", str(pids), "--timeout", "300", "--log-level"),
            *("error", *arguments, application),
        ]
        log = Path(folder, "log")
        with running(command, port=port, log=log, environment=environment or {}):
            yield Server(port=port, pids=pids)


def wait_for_worker(server: Server) -> None:
    """Wait until the worker answers, whatever it says; gunicorn listens before it has one."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()
