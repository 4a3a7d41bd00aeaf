"""wrk, the load generator: it sends the requests of a file, and tells how many were answered."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recorded import Recorded
from benchmarks.servers import HOST

PROGRAM = shutil.which("wrk")
SCRIPT = Path(__file__).with_name("load.lua")
SKIPPED = "SKIPPED: wrk is not installed (Debian has it)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back.

    Attributes:
        requests: answered, whatever the status.
        seconds: in which they were.
        refused: how many of them had a status of 400 or above.
    """

    requests: int
    seconds: float
    refused: int

    @property
    def rate(self) -> float:
        """Requests in a second."""
        return self.requests / self.seconds


def save(requests: Iterable[Recorded], path: Path) -> None:
    """Write *requests*, which have no bodies, to *path*."""
    with path.open("w", encoding="ascii") as file:
        for request in requests:
            headers = (f"{name}: {value}" for name, value in request.headers.items())
            print(request.method, request.target, *headers, sep="\t", file=file)


def send(requests: Path, *, port: int, seconds: float, connections: int) -> Answered:
    """Send the *requests* of a file over and over for some *seconds*."""
    with sending(requests, port=port, seconds=seconds, connections=connections) as process:
        return answered(process)


@contextmanager
def sending(
    requests: Path,
    *,
    port: int,
    seconds: float,
    connections: int,
) -> Iterator[subprocess.Popen[str]]:
    """Send the *requests* of a file over and over while the block runs.

    Args:
        requests: the file.
        port: of the server.
        seconds: after which this ends, unless it is told to before.
        connections: that are open at a time.
    """
    assert PROGRAM is not None
    command = [
        *(PROGRAM, "--threads", "1", "--connections", str(connections)),
        *("--duration", f"{max(round(seconds), 1)}s", "--timeout", "30s"),
        *("--script", str(SCRIPT), f"http://{HOST}:{port}/", "--", str(requests)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def answered(process: subprocess.Popen[str]) -> Answered:
    """Wait for the end of *process*, and return what its script printed.

    Raises:
        RuntimeError: if a request was not answered.
    """
    output, _ = process.communicate(timeout=600)
    told = json.loads(output.splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise RuntimeError(f"not every request was answered: {told}")
    return Answered(
        requests=told["requests"], seconds=told["microseconds"] / 1e6, refused=told["refused"]
    )
