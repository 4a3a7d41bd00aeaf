"""Run all parts, or those named, and print their tables: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Protocol
from typing import cast

from benchmarks.report import as_json
from benchmarks.report import table
from benchmarks.results import Scale
from benchmarks.results import Section

DOCS = Path(__file__).parents[1] / "docs"

#: In the order in which they run; each has a module of its name.
PARTS = (
    "verification",
    "load",
    "flood",
    "streaming",
    "memory",
    "growth",
    "providers",
    "hostile",
    "explanations",
    "imports",
)


class Run(Protocol):
    """What the module of each part has under the name ``run``."""

    def __call__(self, scale: Scale) -> Section:
        """Return what the part has found."""
        ...


def main() -> None:
    """Run the parts."""
    options = _options()
    sections = []
    for name in options.parts or PARTS:
        start = time.monotonic()
        run = cast("Run", import_module(f"benchmarks.{name}").run)
        section = run(Scale(quick=options.quick))
        sections.append(section)
        print(*table(section), sep="\n")
        print(f"{name} took {time.monotonic() - start:.0f} s\n", file=sys.stderr)
    document = as_json(sections, quick=options.quick)
    if options.json is not None:
        options.json.write_text(document, encoding="utf-8")
    if options.save:
        (DOCS / "benchmarks.json").write_text(document, encoding="utf-8")
        _draw()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--quick", action="store_true", help="see that the scripts run; the figures say nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument(
        "--save", action="store_true", help="write figures, page and chart in docs/; all parts only"
    )
    options = parser.parse_args()
    unknown = sorted(set(options.parts).difference(PARTS))
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}")
    if options.save and (options.parts or options.quick):
        parser.error("--save keeps the figures of one run of everything")
    return options


def _draw() -> None:
    """Make the chart and the tables of the page of what was saved."""
    from benchmarks import page

    page.write(DOCS)


if __name__ == "__main__":
    main()
