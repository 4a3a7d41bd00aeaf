"""Start a program that listens on loopback, wait until it does, and end it whatever happens."""

from __future__ import annotations

import os
import random
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

#: Seconds that a server may take to accept a connection, on a machine that is busy with others.
START_SECONDS = 90.0
#: Seconds that a server may take to end when it is asked to, and when it is killed.
STOP_SECONDS = 20.0
KILL_SECONDS = 30.0

#: Where Linux says which ports it gives to the connections of clients.
_OF_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: The lowest port that a server here gets.
_LOWEST = 10_000

#: The ports that this process has given out; chance that no test seeds, so that two processes do
#: not give out the same ones.
_given: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and no client is given meanwhile.

    One that the system chooses is among those of its clients: any connection may have it before
    the server does, even the one that looks whether the server is there.
    """
    while True:
        port = _chance.randrange(_LOWEST, _first_of_clients())
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def _first_of_clients() -> int:
    first = int(_OF_CLIENTS.read_text(encoding="ascii").split()[0]) if _OF_CLIENTS.exists() else 0
    # Where clients get nearly all ports, there are none that they do not.
    return first if first > 2 * _LOWEST else 32_768


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
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                # Where clients share the ports of servers, one may be connected with itself.
                if connection.getsockname() != connection.getpeername():
                    return
        except OSError:
            pass
        time.sleep(0.05)
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
    process.wait(KILL_SECONDS)
