"""A million requests of which no two name the same things: memory stays, and so does the speed.

Whoever sends requests chooses what they name: the scope, the signed headers, the key, the headers.
What is remembered of those must have an end, and must not crowd out what good requests need. Each
kind runs in a process of its own, which begins with good requests and ends with them.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks import signed_requests as kinds
from benchmarks.arms.package import Served
from benchmarks.arms.package import arm
from benchmarks.recorded import Environ
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target

MIB = 1024 * 1024
#: Requests that are made, and timed, at a time.
BATCH = 1000
GOOD = 2000

#: MiB; every cache full takes less.
BOUNDED = Target(limit=16)
NOT_SLOWER = Target(limit=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What hostile requests came to.

    Attributes:
        batches: seconds that each took of one of their batches.
        before: seconds that a good request took before them.
        after: the same, after them.
        growth: bytes by which the process grew meanwhile; None where that cannot be known.
    """

    batches: tuple[float, ...]
    before: float
    after: float
    growth: int | None


def scopes(number: int, environ: Environ) -> Environ:
    """Return *environ* with a scope, signed headers and a header that no other has."""
    scope = f"AKID{number}/20261122/region-{number}/items-{number}/aws4_request"
    return environ | {
        f"HTTP_X_NAME_{number}": "value",
        "HTTP_AUTHORIZATION": _authorization(scope, f"host;x-amz-date;x-name-{number}"),
    }


def keys(number: int, environ: Environ) -> Environ:
    """Return *environ* with a key and signed headers that no other has, but the right scope."""
    scope = f"AKID{number}/{str(environ['HTTP_X_AMZ_DATE'])[:8]}/us-east-1/items/aws4_request"
    return environ | {
        f"HTTP_X_NAME_{number}": "value",
        "HTTP_AUTHORIZATION": _authorization(scope, f"host;x-amz-date;x-name-{number}"),
    }


KINDS: dict[str, tuple[Callable[[int, Environ], Environ], str]] = {
    "distinct scopes and signed headers": (scopes, "403"),
    "distinct keys and signed headers": (keys, "403"),
}


def run(scale: Scale) -> Section:
    """Send each kind."""
    count = scale.of(1_000_000, 4 * BATCH)
    rows: list[Row] = []
    for name in KINDS:
        context = get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            rows.extend(_rows(name, pool.submit(attack, name, count).result()))
    return Section(
        name="hostile",
        title=f"{count:,} requests of which no two name the same things",
        ratio_of="what stands in the row",
        rows=tuple(rows),
    )


def _rows(name: str, outcome: Outcome) -> Iterator[Row]:
    # The first tenth has seen the caches empty.
    share = max(len(outcome.batches) // 10, 1)
    first, last = (
        statistics.median(batches)
        for batches in (outcome.batches[:share], outcome.batches[-share:])
    )
    yield Row.of(
        f"{name}: each",
        [seconds * 1e6 for seconds in outcome.batches],
        "µs",
        ratio=last / first,
        target=NOT_SLOWER,
        note="the last tenth to the first",
    )
    yield Row(
        name="  a good one, after them",
        unit="µs",
        median=outcome.after * 1e6,
        samples=GOOD,
        ratio=outcome.after / outcome.before,
        target=NOT_SLOWER,
        note="to one before them",
    )
    if outcome.growth is None:
        yield Row(name="  memory", note="SKIPPED: there is no /proc here")
    else:
        yield Row(
            name="  memory", unit="MiB", median=outcome.growth / MIB, samples=1, target=BOUNDED
        )


def attack(name: str, count: int) -> Outcome:
    """Send *count* requests of the kind *name*, in this process."""
    change, status = KINDS[name]
    app = arm(kinds.GENERIC)
    environ = kinds.get_with_query(0).environ()
    before = _good(app)
    memory = _resident()
    batches = []
    for start in range(0, count, BATCH):
        prepared = [change(start + number, environ) for number in range(BATCH)]
        began = time.process_time()
        statuses = {app.verify(one) for one in prepared}
        batches.append((time.process_time() - began) / BATCH)
        assert statuses == {status}, statuses
    del prepared
    gc.collect()
    now = _resident()
    return Outcome(
        batches=tuple(batches),
        before=before,
        after=_good(app),
        growth=None if memory is None or now is None else now - memory,
    )


def _good(app: Served) -> float:
    """Return the median of the seconds that good requests take."""
    prepared = [app.prepare(kinds.get_with_query(number)) for number in range(GOOD)]
    seconds = []
    for one in prepared:
        start = time.process_time()
        status = app.verify(one)
        seconds.append(time.process_time() - start)
        assert status == "200"
    return statistics.median(seconds)


def _authorization(credential: str, signed_headers: str) -> str:
    return (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, "
        f"Signature={'0' * 64}"
    )


def _resident() -> int | None:
    """Return the bytes of this process that are in memory."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * 4096
