"""Start a program that listens on loopback, wait until it does, and end it whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Seconds that a server may take to accept a connection, and to end when it is asked to.
START_SECONDS = 30.0
STOP_SECONDS = 5.0


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str],
    more_ports: Iterable[int] = (),
) -> Iterator[None]:
    """Run *command* while the block runs; it accepts connections on *port* by then.

    Args:
        command: the program and its arguments.
        port: of loopback.
        log: file for what the program prints.
        environment: variables for it, beside those of this process.
        more_ports: others on which it accepts them by then.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: servers have workers, which must not outlive them.
            start_new_session=True,
        )
    try:
        for each in (port, *more_ports):
            _wait_until_it_accepts(process, each, log)
        yield
    finally:
        _stop(process)


def _wait_until_it_accepts(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    raise RuntimeError(f"{process.args!r} does not listen on {port}:\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        # The leader has gone; workers that did not follow get the second signal.
    process.wait(STOP_SECONDS)
