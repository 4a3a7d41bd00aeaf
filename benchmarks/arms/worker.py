"""Run one arm: ``python -m benchmarks.arms.worker NAME``, driven by lines of JSON.

``{"load": PATH}`` takes the requests of that file; ``{"start": 0, "stop": 500}`` verifies some of
them, and answers with the seconds and how often each status came out. What can be made of a
request before it arrives (the environ, the body) is made before the clock starts. The clock is that
of the process: what else the machine does would otherwise be counted, and for the slow arms more.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol
from typing import cast

from benchmarks.recorded import Recorded
from benchmarks.recorded import Recording


class Arm(Protocol):
    """One way to verify requests."""

    def prepare(self, request: Recorded) -> object:
        """Return what the clock should not see made."""
        ...

    def verify(self, prepared: object) -> str:
        """Return the status of the answer: 200, or that of a refusal."""
        ...


class MakeArm(Protocol):
    """What a module of an arm has under the name ``arm``."""

    def __call__(self, service: str) -> Arm:
        """Return the arm for requests that are signed for *service*."""
        ...


def main() -> None:
    """Answer each line of the standard input."""
    module = import_module(f"benchmarks.arms.{sys.argv[1]}")
    make = cast("MakeArm", module.arm)
    arm: Arm | None = None
    recording: Recording | None = None
    for line in sys.stdin:
        task = json.loads(line)
        if "load" in task:
            arm = recording = None
            recording = Recording.load(Path(task["load"]))
            arm = make(recording.service)
            answer: dict[str, object] = {"loaded": len(recording.requests)}
        else:
            assert arm is not None
            assert recording is not None
            answer = _measured(arm, recording.requests[task["start"] : task["stop"]])
        print(json.dumps(answer), flush=True)


def _measured(arm: Arm, requests: Sequence[Recorded]) -> dict[str, object]:
    prepared = [arm.prepare(request) for request in requests]
    # Collections are part of what a verifier costs, but not those of all the requests at hand.
    gc.collect()
    gc.freeze()
    start = time.process_time()
    statuses = [arm.verify(one) for one in prepared]
    seconds = time.process_time() - start
    gc.unfreeze()
    return {"seconds": seconds / len(requests), "statuses": Counter(statuses)}


if __name__ == "__main__":
    main()
