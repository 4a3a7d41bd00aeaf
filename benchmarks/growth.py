"""How the cost grows with headers, query parameters, keys in the store, and threads."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TypeVar

from benchmarks import signed_requests as kinds
from benchmarks.arms.package import Served
from benchmarks.arms.package import hello
from benchmarks.arms.package import quiet_logs
from benchmarks.hello import NoOp
from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.credentials import CredentialSource

HEADERS = (5, 10, 25, 50, 75, 100)
PARAMETERS = (0, 5, 50, 125, 250, 500)
KEYS = (1, 1000, 100_000, 1_000_000)
QUICK_KEYS = (1, 1000)
THREADS = (1, 2, 4, 8, 16, 32)

#: A straight line explains this share of what is seen, or the growth is not linear.
LINEAR = Target(limit=0.99, at_most=False)
#: What a store of many keys may cost beside one of a single key.
FLAT = Target(limit=1.2)
#: What many threads may lose beside a middleware that does nothing.
UNCONTENDED = Target(limit=0.9, at_most=False)
#: Requests to that middleware for each one that is verified, so that a round takes as long.
NO_OP_FACTOR = 50

Curve = tuple[tuple[float, float], ...]
Arm = TypeVar("Arm", bound=Hashable)


def run(scale: Scale) -> Section:
    """Measure all four."""
    quiet_logs()
    rows: list[Row] = []
    curves: dict[str, Curve] = {}
    app = application({ACCESS_KEY_ID: SECRET_ACCESS_KEY})
    for name, sizes, make in (
        ("headers", HEADERS, kinds.with_headers),
        ("query parameters", PARAMETERS, kinds.with_parameters),
    ):
        found = in_turns({size: (app, make(size)) for size in sizes}, scale)
        curves[name] = _curve(found)
        rows += [_row(f"{size} {name}", found[size]) for size in sizes]
        rows.append(_fit(name, curves[name]))
    found = in_turns(
        {size: (application(kinds.store(size)), kinds.of_key(size)) for size in _keys(scale)},
        scale,
    )
    curves["keys in the store"] = _curve(found)
    for size in found:
        ratio = statistics.median(found[size]) / statistics.median(found[1])
        rows.append(_row(f"{size:,} keys in the store", found[size], ratio=ratio, target=FLAT))
    rows += _threads(app, scale, curves)
    return Section(
        name="growth",
        title="The cost of a signed GET as things grow",
        ratio_of="a store of one key; for threads, what a no-op middleware keeps of its speed",
        rows=tuple(rows),
        curves=curves,
    )


def _keys(scale: Scale) -> Sequence[int]:
    return QUICK_KEYS if scale.quick else KEYS


def application(credentials: CredentialSource) -> Served:
    """Return an application that answers whoever has one of *credentials*."""
    verifier = Verifier(credentials, region=REGION, service=kinds.GENERIC)
    return Served(SigV4Middleware(hello, verifier))


def _row(
    name: str,
    seconds: Sequence[float],
    *,
    ratio: float | None = None,
    target: Target | None = None,
) -> Row:
    return Row.of(name, [each * 1e6 for each in seconds], "µs", ratio=ratio, target=target)


def _curve(found: Mapping[int, Sequence[float]]) -> Curve:
    return tuple((size, statistics.median(seconds) * 1e6) for size, seconds in found.items())


def _fit(name: str, curve: Curve) -> Row:
    """Return how well a straight line fits *curve*."""
    sizes, costs = zip(*curve, strict=True)
    slope, base = statistics.linear_regression(sizes, costs)
    determination = statistics.correlation(sizes, costs) ** 2
    return Row(
        name=f"  a straight line fits, {name}",
        unit="R²",
        median=determination,
        samples=len(curve),
        target=LINEAR,
        note=f"{base:.1f} µs + {slope:.3f} µs for each",
    )


def in_turns(
    arms: Mapping[Arm, tuple[Served, Callable[[int], Recorded]]], scale: Scale
) -> dict[Arm, list[float]]:
    """Return the time of a request in each round, by arm; all arms take turns."""
    rounds, count = scale.of(15, 2), scale.of(200, 10)
    requests = {
        size: [make(number) for number in range(count * (rounds + 1))]
        for size, (_, make) in arms.items()
    }
    found: dict[Arm, list[float]] = {size: [] for size in arms}
    for number in range(rounds + 1):
        for size, (app, _) in arms.items():
            share = requests[size][number * count : (number + 1) * count]
            prepared = [app.prepare(request) for request in share]
            gc.collect()
            gc.freeze()
            start = time.process_time()
            statuses = [app.verify(one) for one in prepared]
            seconds = time.process_time() - start
            gc.unfreeze()
            assert set(statuses) == {"200"}, (size, set(statuses))
            # The first round warms up.
            if number:
                found[size].append(seconds / count)
    return found


def _threads(app: Served, scale: Scale, curves: dict[str, Curve]) -> list[Row]:
    """Return what is kept of the speed of one thread, by number of threads."""
    count, rounds = scale.of(3200, 64), scale.of(9, 1)
    requests = [kinds.get_with_query(number) for number in range(count)]
    idle = Served(NoOp(hello))
    verified: dict[int, list[float]] = {number: [] for number in THREADS}
    nothing: dict[int, list[float]] = {number: [] for number in THREADS}
    for _ in range(rounds):
        for number in THREADS:
            verified[number].append(_in_threads(app, requests, number, times=1))
            nothing[number].append(_in_threads(idle, requests, number, times=NO_OP_FACTOR))
    curves["threads"] = _curve(verified)
    rows = []
    for number in THREADS:
        kept, floor = (
            statistics.median(one / many for one, many in zip(arm[1], arm[number], strict=True))
            for arm in (verified, nothing)
        )
        rows.append(
            Row.of(
                f"{number} threads",
                [seconds * 1e6 for seconds in verified[number]],
                "µs",
                ratio=kept / floor,
                target=UNCONTENDED,
                note=f"keeps {kept:.0%} of the speed of one thread, a no-op middleware {floor:.0%}",
            )
        )
    return rows


def _in_threads(app: Served, requests: Sequence[Recorded], number: int, *, times: int) -> float:
    """Return the seconds that a request took where *number* threads share them."""
    shares = [[request.environ() for request in requests[at::number]] for at in range(number)]
    served: list[int] = []
    ready = threading.Barrier(number + 1)

    def work(share: Sequence[object]) -> None:
        # It remembers the status of its last answer, so each thread has its own.
        mine = app.copy()
        ready.wait()
        served.append(sum(mine.verify(one) == "200" for _ in range(times) for one in share))

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    gc.collect()
    gc.freeze()
    while ready.n_waiting < number:
        time.sleep(0.001)
    start = time.perf_counter()
    ready.wait()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    gc.unfreeze()
    assert sum(served) == len(requests) * times
    return seconds / (len(requests) * times)
