"""How long good requests take while ten times as many bad ones come in.

One client sends good requests, one after the other; wrk sends the bad ones over eleven connections,
as fast as they are answered. The other arm is given the same requests, and has a middleware that
does nothing. Every answer of the good ones is looked at; the bad ones are all refused.
"""

from __future__ import annotations

import signal
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import signed_requests as kinds
from benchmarks import wrk
from benchmarks.recorded import Recorded
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.servers import HOST
from benchmarks.servers import Server
from benchmarks.servers import gunicorn

CONNECTIONS = 11
DISTINCT = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """What one round came to.

    Attributes:
        good: seconds that each good request took.
        bad: how many bad requests were answered meanwhile, for each good one.
    """

    good: tuple[float, ...]
    bad: float

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 good requests did not exceed."""
        return statistics.quantiles(self.good, n=100, method="inclusive")[98]


def run(scale: Scale) -> Section:
    """Measure both arms in turn."""
    title = "Good requests while 10 times as many bad ones come in, gunicorn sync and Flask"
    ratio_of = "the same requests to a middleware that does nothing"
    if wrk.PROGRAM is None:
        rows: tuple[Row, ...] = (Row(name="flood", note=wrk.SKIPPED),)
    else:
        rows = _rows(scale)
    return Section(name="flood", title=title, ratio_of=ratio_of, rows=rows)


def _rows(scale: Scale) -> tuple[Row, ...]:
    count, rounds = scale.of(1000, 100), scale.of(8, 1)
    verified: list[Flooded] = []
    idle: list[Flooded] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        gunicorn("benchmarks.hello:flask(verified=True)") as verifying,
        gunicorn("benchmarks.hello:flask(verified=False)") as doing_nothing,
    ):
        path = Path(folder, "bad")
        bad = scale.of(DISTINCT, 500)
        wrk.save(kinds.recording(kinds.GENERIC, kinds.bad, bad).requests, path)
        for number in range(rounds):
            good = kinds.recording(kinds.GENERIC, kinds.get_with_query, count).requests
            arms = [(verifying, verified, True), (doing_nothing, idle, False)]
            for server, found, refuses in arms[:: 1 if number % 2 else -1]:
                found.append(_flooded(good, path, server, refuses=refuses))
    return (
        _row("p99 of good requests", verified, idle, "p99", target=Target(limit=2)),
        _row("  to the no-op middleware", idle, None, "p99"),
        _row("median of good requests", verified, idle, "median"),
        _row("  to the no-op middleware", idle, None, "median"),
    )


def _row(
    name: str,
    arm: Sequence[Flooded],
    other: Sequence[Flooded] | None,
    figure: str,
    *,
    target: Target | None = None,
) -> Row:
    def figures(rounds: Sequence[Flooded]) -> list[float]:
        return [one.p99 if figure == "p99" else statistics.median(one.good) for one in rounds]

    ratios = None if other is None else zip(figures(arm), figures(other), strict=True)
    return Row.of(
        name,
        [seconds * 1e3 for seconds in figures(arm)],
        "ms",
        ratio=None if ratios is None else statistics.median(a / b for a, b in ratios),
        target=target,
        note=f"{statistics.median(one.bad for one in arm):.1f} bad for each good one",
    )


def _flooded(good: Sequence[Recorded], bad: Path, server: Server, *, refuses: bool) -> Flooded:
    """Send *good* requests while those of the file *bad* come in."""
    seconds = []
    with wrk.sending(bad, port=server.port, seconds=60, connections=CONNECTIONS) as flood:
        time.sleep(0.2)
        for request in good:
            start = time.perf_counter()
            _get(request, server)
            seconds.append(time.perf_counter() - start)
        assert flood.poll() is None, "the flood ended early"
        # So wrk tells what it has sent.
        flood.send_signal(signal.SIGINT)
        answered = wrk.answered(flood)
    assert answered.refused == (answered.requests if refuses else 0), answered
    return Flooded(good=tuple(seconds), bad=answered.rate * sum(seconds) / len(seconds))


def _get(request: Recorded, server: Server) -> None:
    """Send *request*, and see that it is served."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"{request.method} {request.target} HTTP/1.1\r\n{headers}\r\n"
    with socket.create_connection((HOST, server.port), timeout=30) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
