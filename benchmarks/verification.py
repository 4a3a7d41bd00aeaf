"""What the verification of one request costs, in this project and in others.

Every arm is a process that is given the very same requests; they take turns, round by round, and
no request is given to an arm twice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import signed_requests as kinds
from benchmarks.recorded import Recorded
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.results import ratio_of_pairs

ROOT = Path(__file__).parents[1]
#: The environment of verifiers whose dependencies would not live beside ours; made by `make bench`.
PEERS = ROOT / ".venv-peers" / "bin" / "python"

FLOOR = "crypto floor"
PROJECT = "wsgi_sigv4"
STREAM = "wsgi_sigv4, stream=True"
LOGGED = "wsgi_sigv4, logged"
OURS = (PROJECT, STREAM, LOGGED)
SWIFT = "Swift s3api"
#: Each arm's module, and whether it needs the other environment.
ARMS = {
    FLOOR: ("floor", False),
    "no middleware": ("bare", False),
    PROJECT: ("package", False),
    STREAM: ("package_stream", False),
    LOGGED: ("package_logged", False),
    "botocore, signing again": ("resigning", False),
    "awssig": ("python_aws_sig", True),
    SWIFT: ("swift_s3api", True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    Attributes:
        name: what is sent.
        service: for which it is signed.
        make: makes one of a number.
        status: what the project must answer, or another thing would be timed.
        rounds: how often the arms take turns.
        size: requests in a round.
        without: arms that it says nothing about.
        target: what the project's ratio to the floor must reach.
    """

    name: str
    service: str
    make: Callable[[int], Recorded]
    status: str = "200"
    rounds: int = 24
    size: int = 500
    without: tuple[str, ...] = (STREAM, LOGGED)
    target: Target | None = None


#: botocore knows no refusals, the application is not asked who sent what, and Swift knows S3 only:
#: it would refuse the service.
_SILENT = (STREAM, "no middleware", "botocore, signing again", SWIFT)
_REFUSED = (*_SILENT, LOGGED)
GOOD = "header-signed GET"
_TARGET = Target(limit=8, stretch=5)

KINDS = (
    Kind(
        name=GOOD,
        service=kinds.GENERIC,
        make=kinds.generic_get,
        target=_TARGET,
    ),
    Kind(
        name="header-signed GET with a query",
        service=kinds.GENERIC,
        make=kinds.get_with_query,
        target=_TARGET,
    ),
    Kind(name="header-signed S3 GET", service=kinds.S3, make=kinds.s3_get),
    Kind(name="JSON POST, 1 KiB", service=kinds.GENERIC, make=kinds.json_post),
    Kind(name="presigned S3 GET", service=kinds.S3, make=kinds.presigned_get),
    Kind(name="S3 PUT, 1 KiB", service=kinds.S3, make=kinds.put(1024), without=(LOGGED,)),
    Kind(name="S3 PUT, 64 KiB", service=kinds.S3, make=kinds.put(64 * 1024), without=(LOGGED,)),
    Kind(
        name="S3 PUT, 8 MiB",
        service=kinds.S3,
        make=kinds.put(8 * 1024 * 1024),
        rounds=12,
        size=12,
        without=(LOGGED,),
        # 0.9 or more of the throughput of SHA-256 alone.
        target=Target(limit=1 / 0.9),
    ),
    Kind(
        name="unknown key",
        service=kinds.GENERIC,
        make=kinds.unknown_key,
        status="403",
        without=_REFUSED,
    ),
    Kind(
        name="wrong signature",
        service=kinds.GENERIC,
        make=kinds.wrong_signature,
        status="403",
        without=_REFUSED,
    ),
    Kind(
        name="wrong scope",
        service=kinds.GENERIC,
        make=kinds.wrong_scope,
        status="403",
        without=_SILENT,
    ),
    Kind(name="stale", service=kinds.GENERIC, make=kinds.stale, status="403", without=_REFUSED),
    Kind(
        name="malformed",
        service=kinds.GENERIC,
        make=kinds.malformed,
        status="400",
        without=_REFUSED,
    ),
)
#: Refused before any look-up, so at less cost than a good request of the same kind.
GARBAGE = ("wrong scope", "stale", "malformed")
UNHEARD = (
    f"Refusals are logged in the arm {LOGGED!r} only, to a file that keeps nothing; in the others "
    "there is no handler that listens, and no record is made. What a log costs comes on top."
)


def run(scale: Scale) -> Section:
    """Measure each kind of request with each arm."""
    rows: list[Row] = []
    good: float | None = None
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(_worker(module, PEERS if foreign else Path(sys.executable)))
            for name, (module, foreign) in ARMS.items()
            if not foreign or PEERS.exists()
        }
        for kind in KINDS:
            found = _measured(kind, workers, scale)
            target = Target(limit=good) if kind.name in GARBAGE and good else kind.target
            rows.extend(_rows(kind, found, target))
            if kind.name == GOOD:
                good = ratio_of_pairs(found[PROJECT].seconds, found[FLOOR].seconds)
    notes = [UNHEARD]
    if not PEERS.exists():
        notes.append("SKIPPED awssig and Swift: make bench makes .venv-peers")
    return Section(
        name="verification",
        title="Verification of one request",
        ratio_of="the crypto floor: SHA-256 of body and canonical request, and one HMAC",
        rows=tuple(rows),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one arm did with one kind of request.

    Attributes:
        seconds: for a request, in each round.
        statuses: that came out.
    """

    seconds: tuple[float, ...]
    statuses: frozenset[str]


class Worker:
    """A process of :mod:`benchmarks.arms.worker`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **task: object) -> dict[str, object]:
        """Return its answer to *task*."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        answer: dict[str, object] = json.loads(line)
        return answer


@contextmanager
def _worker(module: str, python: Path) -> Iterator[Worker]:
    command = [str(python), "-m", "benchmarks.arms.worker", module]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Worker(process)
        finally:
            process.terminate()


def _measured(kind: Kind, workers: Mapping[str, Worker], scale: Scale) -> dict[str, Found]:
    """Return what each arm did with *kind*."""
    rounds, size = scale.of(kind.rounds, 2), scale.of(kind.size, 5)
    recorded = kinds.recording(kind.service, kind.make, (rounds + 1) * size)
    taking_part = {name: worker for name, worker in workers.items() if name not in kind.without}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requests.json")
        recorded.save(path)
        for worker in taking_part.values():
            worker.ask(load=str(path))
    answers: dict[str, list[dict[str, object]]] = {name: [] for name in taking_part}
    for number in range(rounds + 1):
        # Every other round the other way about: no arm always comes after the same one.
        for name in sorted(taking_part, reverse=bool(number % 2)):
            asked = taking_part[name].ask(start=number * size, stop=(number + 1) * size)
            answers[name].append(asked)
    return {name: _found(given) for name, given in answers.items()}


def _found(answers: Sequence[dict[str, object]]) -> Found:
    statuses: set[str] = set()
    seconds = []
    for answer in answers:
        assert isinstance(answer["seconds"], float)
        assert isinstance(answer["statuses"], dict)
        statuses.update(answer["statuses"])
        seconds.append(answer["seconds"])
    # The first round warms up.
    return Found(seconds=tuple(seconds[1:]), statuses=frozenset(statuses))


def _rows(kind: Kind, found: Mapping[str, Found], target: Target | None) -> Iterator[Row]:
    floor = found[FLOOR].seconds
    for name, result in found.items():
        label = f"{kind.name}: {name}"
        note = _note(kind, name, result)
        if note == "refuses":
            yield Row(name=label, note=note)
            continue
        yield Row.of(
            label,
            [seconds * 1e6 for seconds in result.seconds],
            "µs",
            ratio=ratio_of_pairs(result.seconds, floor),
            target=target if name in (PROJECT, STREAM) else None,
            note=note,
        )


def _note(kind: Kind, name: str, result: Found) -> str:
    """Return what is wrong with the statuses of a peer; those of the project must be right."""
    if name in OURS:
        assert result.statuses == {kind.status}, (kind.name, result.statuses)
    if name in (FLOOR, "no middleware"):
        return ""
    accepted = result.statuses == {"200"}
    if kind.status == "200":
        return "" if accepted else "refuses"
    return "ACCEPTS" if "200" in result.statuses else ""
