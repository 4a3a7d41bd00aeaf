"""The application under gunicorn, and proxies in front of it with a port for each case."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.explain.cases.fronts import PROGRAMS
from tests.explain.cases.fronts import Front
from tests.servers.processes import free_port
from tests.servers.processes import running

#: In place of a front: the port behind the proxies.
DIRECT = None


@contextmanager
def serving(fronts: Iterable[Front | None], folder: Path) -> Iterator[Mapping[Front | None, int]]:
    """Run all while the block runs; yield the port of each of *fronts*, and the one behind them.

    Args:
        fronts: the proxies; DIRECT is the application.
        folder: for configuration, logs and temporary files.
    """
    found = [front for front in dict.fromkeys(fronts) if front is not DIRECT]
    behind, *before = (free_port() for _ in range(1 + len(found)))
    ports: dict[Front | None, int] = {DIRECT: behind, **dict(zip(found, before, strict=True))}
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{behind}", "--threads=4"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            running(
                [*gunicorn, "tests.explain.cases.application:application"],
                port=behind,
                log=folder / "gunicorn.log",
                environment={"HOME": str(folder)},
            )
        )
        for program in PROGRAMS:
            texts = {front.text: ports[front] for front in found if front.program is program}
            if texts:
                port, *more = texts.values()
                stack.enter_context(
                    running(
                        program.command(texts, upstream=behind, folder=folder),
                        port=port,
                        more_ports=more,
                        log=folder / f"{program.name}.log",
                        environment=program.environment(folder),
                    )
                )
        yield ports
