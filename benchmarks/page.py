"""The chart and the tables of docs/benchmarks.md, made of docs/benchmarks.json.

``python -m benchmarks.page`` makes them again, without measuring.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import figure
from benchmarks.results import Target

DOCS = Path(__file__).parents[1] / "docs"
#: Between these lines of the page stands what is made here.
BEGIN = "<!-- figures: made by the benchmark -->\n"
END = "<!-- end of figures -->\n"


def write(docs: Path) -> None:
    """Write chart and tables into the folder *docs*, of the figures there."""
    document = json.loads((docs / "benchmarks.json").read_text(encoding="utf-8"))
    page = docs / "benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "".join(f"{line}\n" for line in _lines(document))
    page.write_text(before + BEGIN + text + END + after, encoding="utf-8")
    if find_spec("matplotlib") is None:
        print("SKIPPED the chart: matplotlib is not installed", file=sys.stderr)
        return
    from benchmarks.chart import draw

    draw(document, docs / "benchmarks.svg")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    machine = document["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    yield f"Measured on {machine['cpus']} processors ({machine['cpu']}), {machine['system']},"
    yield f"Python {machine['python']}, {packages}."
    for section in document["sections"]:
        yield ""
        yield f"### {section['title']}"
        yield ""
        yield "| | median | IQR | unit | ratio | target | |"
        yield "|---|---:|---:|---|---:|---|---|"
        yield from map(_line, section["rows"])
        if section["ratio_of"]:
            yield ""
            yield f"Ratio: to {section['ratio_of']}."
        for note in section["notes"]:
            yield ""
            yield note


def _line(row: Mapping[str, Any]) -> str:
    if row["median"] is None:
        return f"| {row['name'].strip()} | | | | | | {row['note']} |"
    spread = "" if row["samples"] < 2 else figure(row["spread"] or 0)
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    verdict = {True: "met", False: "missed", None: ""}[row["is_met"]]
    target = "" if row["target"] is None else f"{Target(**row['target'])} {verdict}"
    cells = (row["name"].strip(), figure(row["median"]), spread, row["unit"], ratio, target)
    return f"| {' | '.join(cells)} | {row['note']} |"


if __name__ == "__main__":
    write(DOCS)
