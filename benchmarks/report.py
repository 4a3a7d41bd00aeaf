"""The findings as a table on the terminal, and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Row
from benchmarks.results import Section

#: Packages whose version may change a figure.
PACKAGES = ("wsgi-sigv4", "Werkzeug", "Flask", "Django", "gunicorn", "botocore", "awscrt")


def table(section: Section) -> Iterator[str]:
    """Yield the lines of *section*."""
    yield f"== {section.title}"
    width = max((len(row.name) for row in section.rows), default=0)
    ratio = "ratio" if section.ratio_of else ""
    yield f"{'':{width}}{'median':>12}{'IQR':>10} {'unit':8}{ratio:>8}  target"
    for row in section.rows:
        yield _line(row, width).rstrip()
    if section.ratio_of:
        yield f"ratio: to {section.ratio_of}"
    yield from section.notes
    yield ""


def _line(row: Row, width: int) -> str:
    name = f"{row.name:{width}}"
    if row.median is None:
        return f"{name}  {row.note}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[row.is_met]
    target = "" if row.target is None else f"{row.target} {verdict}"
    figures = f"{figure(row.median):>12}{figure(row.spread or 0):>10} {row.unit:8}"
    return f"{name}{figures}{ratio:>8}  {target}  {row.note}"


def figure(value: float) -> str:
    """Return *value* as a table shows it: three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def as_json(sections: Sequence[Section], *, quick: bool) -> str:
    """Return the facts of the machine and all *sections* as JSON."""
    document = {
        "quick": quick,
        "machine": machine(),
        "sections": [
            {
                **asdict(section),
                "rows": [{**asdict(row), "is_met": row.is_met} for row in section.rows],
            }
            for section in sections
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def machine() -> dict[str, object]:
    """Return what the figures depend on beside the code."""
    return {
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split(" ")[0],
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
