"""Make the tables of docs/servers.md: ``python -m tests.servers.make_table``.

Every request of the list goes to every server, and the page says what became of it. It stops at
the first request that is misread. The tests hold the page and the limits together.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from tests.servers import nginx
from tests.servers.cases import GROUPS
from tests.servers.cases import with_wrong_signature
from tests.servers.limits import DEFAULT_HOST
from tests.servers.limits import LIMITS
from tests.servers.limits import find_limit
from tests.servers.outcomes import Outcome
from tests.servers.outcomes import outcome
from tests.servers.roster import SERVERS
from tests.servers.roster import Running
from tests.servers.roster import Server
from tests.servers.roster import started
from tests.servers.signing import ITEMS
from tests.servers.signing import S3
from tests.servers.signing import Case
from tests.servers.signing import Request
from tests.servers.wire import send_first

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"
BEGIN = "<!-- Made by python -m tests.servers.make_table; do not edit below. -->\n"
END = "<!-- The end of what was made. -->\n"

TRIES = 15
SIZES = {"200 KB": 200_000, "3 MiB": 3 * 1024 * 1024, "20 MiB": 20 * 1024 * 1024}

#: Each reason once.
FOOTNOTES = list(dict.fromkeys(limit.why for limit in LIMITS))

#: What the two services' requests became, by server and name of the request.
Cells = dict[tuple[str, str], dict[str, str]]
#: How often a client saw what, by server and column.
Drains = dict[tuple[str, str], Counter[int | None]]


def cell(status: int | None, *, served: bool, server: Server, case: Case) -> str:
    """Return what a table says of one request: ok, or the status and the number of a footnote."""
    if served:
        return "ok"
    limit = find_limit(server, case)
    footnote = "" if limit is None else f"<sup>{FOOTNOTES.index(limit.why) + 1}</sup>"
    return f"{'closed' if status is None else status}{footnote}"


def expected_cells(server: Server, case: Case) -> set[str]:
    """Return the cells that the tests allow for one request."""
    limit = find_limit(server, case)
    if limit is not None:
        statuses: Iterable[int | None] = limit.statuses
    elif case.path is not None:
        return {"ok"}
    else:
        statuses = case.refused
    return {cell(status, served=False, server=server, case=case) for status in statuses}


def by_name(cases: Iterable[Case]) -> dict[str, dict[str, Case]]:
    """Return the cases of each name, by service."""
    found: dict[str, dict[str, Case]] = {}
    for case in cases:
        found.setdefault(case.name, {})[case.request.service] = case
    return found


def both(parts: dict[str, str]) -> str:
    """Return one cell for what the requests of the two services became."""
    if len(set(parts.values())) == 1:
        return next(iter(parts.values()))
    return f"{parts[ITEMS]} / {parts[S3]}"


def parts_of(text: str, services: Iterable[str]) -> dict[str, str]:
    """Return what a cell says of each service: the inverse of :func:`both`."""
    pieces = text.split(" / ")
    return dict(zip(services, pieces * 2 if len(pieces) == 1 else pieces, strict=False))


def run(running: Running, cells: Cells) -> None:
    """Send every request to the server, and note in *cells* what became of it."""
    for group in GROUPS.values():
        for name, cases in by_name(group).items():
            for service, case in cases.items():
                result = outcome(running, case)
                stop_if_misread(running.server, result)
                cells.setdefault((running.server.name, name), {})[service] = cell(
                    result.answer.status, served=result.served, server=running.server, case=case
                )


def stop_if_misread(server: Server, result: Outcome) -> None:
    """End the program if the application got anything but what was signed."""
    if result.faults():
        sys.exit(f"{server.name}, {result.case.id}: {'; '.join(result.faults())}")


def drain(running: Running, drains: Drains) -> None:
    """Send bodies with wrong signatures, and count what a client sees that sends first."""
    for title, size in SIZES.items():
        request = Request(service=S3, method="PUT", body=bytes(size))
        for _ in range(TRIES):
            signed = request.sign(prefix=running.server.prefix)
            answer = send_first(running.port, with_wrong_signature(signed).sending())
            drains.setdefault((running.server.name, title), Counter())[answer.status] += 1


def versions() -> str:
    """Return what was run."""
    packages = {server.package for server in SERVERS.values()} | {"botocore", "uvicorn", "h11"}
    found = {name: version(name) for name in packages - {"Python"}}
    assert nginx.PROGRAM is not None
    said = subprocess.run([nginx.PROGRAM, "-v"], capture_output=True, text=True, check=True)
    listed = [f"Python {platform.python_version()}", f"nginx {said.stderr.strip().split('/')[1]}"]
    listed += [f"{name} {found[name]}" for name in sorted(found, key=str.lower)]
    return ", ".join(listed)


def markdown(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def page(cells: Cells, drains: Drains) -> Iterator[str]:
    """Yield the lines of what the script makes."""
    yield f"Run with {versions()}."
    for title, group in GROUPS.items():
        names = list(by_name(group))
        yield from ("", f"### {title}", "")
        yield from markdown(
            ["", *names],
            ([server, *(both(cells[server, name]) for name in names)] for server in SERVERS),
        )
    yield from ("", "### Why", "")
    for number, why in enumerate(FOOTNOTES, 1):
        yield f"{number}. {why}"
    yield from ("", "### The rest of a refused body", "")
    yield f"A PUT with a wrong signature, {TRIES} times each; the client sends all of it before it"
    yield "looks for an answer."
    yield ""
    yield from markdown(
        ["", *SIZES],
        (
            [server, *(counted(drains[server, size]) for size in SIZES)]
            for server in SERVERS
            if (server, next(iter(SIZES))) in drains
        ),
    )
    yield ""


def counted(counter: Counter[int | None]) -> str:
    """Return how often which status was seen."""
    return ", ".join(
        f"{count} × {'no status' if status is None else status}"
        for status, count in sorted(counter.items(), key=lambda item: -item[1])
    )


def main() -> None:
    """Run everything, and write it into the page."""
    cells: Cells = {}
    drains: Drains = {}
    for server in SERVERS.values():
        print(server.name, flush=True)
        with tempfile.TemporaryDirectory() as folder, started(server, Path(folder)) as running:
            run(running, cells)
            if server.name != DEFAULT_HOST:
                drain(running, drains)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    made = "\n".join(page(cells, drains))
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
