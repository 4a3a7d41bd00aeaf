"""Requests per second of gunicorn, with and without the verification, by wrk.

The servers of both arms run all the time, and are sent the same signed requests in turn: with,
without, without, with. gunicorn has one worker, and wrk the other processor.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import signed_requests as kinds
from benchmarks import wrk
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.servers import Server
from benchmarks.servers import gunicorn
from benchmarks.servers import wait_for_worker

#: More than are sent in one go, so that none is seen twice while anything might remember it.
REQUESTS = 30_000
CONNECTIONS = 8

FLASK = Target(limit=0.95, stretch=0.97, at_most=False)
FLASK_THREADS = Target(limit=0.92, stretch=0.95, at_most=False)
WORKERS = {"sync": (), "gthread": ("--worker-class", "gthread", "--threads", "4")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One application, with and without the verification.

    Attributes:
        name: of the framework and the skin.
        with_it: the application, as gunicorn is told.
        without: the same, which is signed in vain.
        targets: what is to be left of the requests per second, by worker.
    """

    name: str
    with_it: str
    without: str
    targets: dict[str, Target]


PAIRS = (
    Pair(
        name="Flask, SigV4Middleware",
        with_it="flask(verified=True)",
        without="flask(verified=False, middleware=False)",
        targets={"sync": FLASK, "gthread": FLASK_THREADS},
    ),
    Pair(
        name="Django, SigV4Middleware",
        with_it="django(verified=True)",
        without="django(verified=False)",
        targets={},
    ),
    Pair(
        name="Django, its own middleware",
        with_it="django(verified=True, skin=True)",
        without="django(verified=False)",
        targets={},
    ),
)


def run(scale: Scale) -> Section:
    """Measure each application under each worker."""
    if wrk.PROGRAM is None:
        rows: tuple[Row, ...] = (Row(name="requests per second", note=wrk.SKIPPED),)
    else:
        rows = tuple(
            row
            for worker in WORKERS
            for pair in PAIRS[: scale.of(len(PAIRS), 1)]
            for row in _rows(pair, worker, scale)
        )
    return Section(
        name="load",
        title="Requests per second of gunicorn with one worker, hello-world, signed GET",
        ratio_of="the same application without the verification",
        rows=rows,
    )


def _rows(pair: Pair, worker: str, scale: Scale) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        gunicorn(f"benchmarks.hello:{pair.with_it}", *WORKERS[worker]) as with_it,
        gunicorn(f"benchmarks.hello:{pair.without}", *WORKERS[worker]) as without,
    ):
        path = Path(folder, "requests")
        count = scale.of(REQUESTS, 500)
        wrk.save(kinds.recording(kinds.GENERIC, kinds.get_with_query, count).requests, path)
        verified, bare = _rates(path, with_it, without, scale)
    ratios = [a / b for a, b in zip(verified, bare, strict=True)]
    yield Row.of(
        f"{worker}, {pair.name}",
        verified,
        "req/s",
        ratio=statistics.median(ratios),
        target=pair.targets.get(worker),
    )
    yield Row.of("  without", bare, "req/s")


def _rates(
    path: Path, with_it: Server, without: Server, scale: Scale
) -> tuple[list[float], list[float]]:
    """Return the rates of both, those of one round beside each other."""
    seconds = scale.of(3, 1)
    rates: dict[int, list[float]] = {with_it.port: [], without.port: []}
    for server in (with_it, without):
        wait_for_worker(server)
        wrk.send(path, port=server.port, seconds=1, connections=CONNECTIONS)
    for number in range(scale.of(8, 1)):
        servers = (with_it, without) if number % 2 else (without, with_it)
        for server in servers:
            found = wrk.send(path, port=server.port, seconds=seconds, connections=CONNECTIONS)
            assert not found.refused, found
            rates[server.port].append(found.rate)
    return rates[with_it.port], rates[without.port]
