"""Write docs/explain-cases.md from what was found: ``python -m tests.explain.cases.table``."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.explain.cases.by_hand import KEPT
from tests.explain.cases.case import NOTHING
from tests.explain.cases.case import TWO
from tests.explain.cases.case import Live
from tests.explain.cases.fronts import PROGRAMS
from tests.explain.cases.roster import LIVE
from tests.explain.cases.roster import Running
from tests.explain.cases.roster import started
from tests.explain.cases.roster import why_not
from tests.servers.processes import ROOT
from wsgi_sigv4.explain.canonical_paths import CANONICAL_PATHS
from wsgi_sigv4.explain.causes import CAUSES
from wsgi_sigv4.explain.causes import Cause
from wsgi_sigv4.explain.header_forms import HEADER_FORMS
from wsgi_sigv4.explain.headers import HEADERS
from wsgi_sigv4.explain.hosts import HOSTS
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.keys import KEYS
from wsgi_sigv4.explain.methods import METHODS
from wsgi_sigv4.explain.paths import PATHS
from wsgi_sigv4.explain.payloads import PAYLOADS
from wsgi_sigv4.explain.queries import QUERIES

PAGE = ROOT / "docs" / "explain-cases.md"
HEAD = """\
# Real cases of each cause

What is found for requests that really were sent, or kept, and refused: one case at least for each
cause of the list in [explain.md](explain.md). Made by `python -m tests.explain.cases.table` from
what it ran; the tests run the same.

Where the text says nginx, Apache, HAProxy or Caddy, the request went over the wire through the
real program in front of gunicorn, set up with these lines and else as
[deployment.md](deployment.md) has it: {versions}.
Other proxies are not run: what botocore signed is altered as they are known to do. *Accepted with*
names what was then done of the remedy's words; the same request, or the one that the remedy asks
for, was accepted. Where it names nothing, the remedy lies outside of what can be run here. What a
client signs wrongly by a fault built in is accepted without it.
"""
COLUMNS = (
    "| cause | case | found | remedy, as it is told | accepted with |\n|---|---|---|---|---|\n"
)
#: The headings, and the causes below them.
PARTS: tuple[tuple[str, Sequence[Hypothesis | Cause]], ...] = (
    ("Host", HOSTS),
    ("Path", (*CANONICAL_PATHS, *PATHS)),
    ("Query", QUERIES),
    ("Method", METHODS),
    ("Headers", (*HEADERS, *HEADER_FORMS)),
    ("Body", PAYLOADS),
    ("Secret, scope and time", KEYS),
    ("What other rules refuse", CAUSES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case that was run."""

    cause: str
    how: str
    finding: Mapping[str, Any]
    proofs: tuple[str, ...] = ()

    def __str__(self) -> str:
        cells = (
            f"`{self.cause}`" if self.cause else "none can be found",
            self.how,
            self.finding["summary"],
            f"({self.finding['party']}) {self.finding['remedy']}",
            "; ".join(f"*{proof}*" for proof in self.proofs),
        )
        return "| " + " | ".join(_cell(cell) for cell in cells) + " |\n"


def _cell(text: str) -> str:
    """Return *text* for a table, without what differs from run to run."""
    text = re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "ID", text)
    return text.replace("|", "\\|").strip()


def parts() -> dict[str, list[str]]:
    """Return the causes of the list in order, by heading."""
    found = {title: [cause.id for cause in causes] for title, causes in PARTS}
    found["Host"].append(NOTHING)
    found["Path"].extend(TWO)
    return found


def page(rows: list[Row]) -> str:
    """Return the page about *rows*."""
    text = [HEAD.format(versions=", ".join(program.version() for program in PROGRAMS))]
    for title, causes in parts().items():
        found = "".join(str(row) for cause in causes for row in rows if row.cause == cause)
        text.append(f"## {title}\n\n{COLUMNS}{found}")
    return "\n".join(text)


def row(case: Live, running: Running) -> Row:
    """Run *case* with its remedies."""
    finding = running.told(case.way)["finding"]
    proofs = tuple(r.says for r in case.remedies if running.told(r.way)["accepted"])
    return Row(cause=case.cause, how=case.how, finding=finding, proofs=proofs)


def main() -> None:
    """Run each case and write the page."""
    for case in LIVE:
        if reason := why_not(case):
            sys.exit(f"{case.how}: {reason}")
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as running:
        rows = [row(case, running) for case in LIVE]
    for kept in KEPT:
        finding = kept.explain().finding
        assert finding is not None
        rows.append(Row(cause=kept.cause, how=kept.how, finding=finding.as_dict()))
    PAGE.write_text(page(rows), encoding="utf-8")
    print(f"{len(rows)} cases; wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
