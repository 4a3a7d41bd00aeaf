"""The chart, drawn from the figures in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A section as it stands in the JSON.
Document = Mapping[str, Any]

OURS = "#1f6f8b"
#: Kinds of request that are drawn, and the arms that are; no PUT, whose body some do not look at.
DRAWN_KINDS = ("header-signed GET", "JSON POST, 1 KiB", "header-signed S3 GET", "presigned S3 GET")
DRAWN_ARMS = {
    "crypto floor": "#e0e0e0",
    "wsgi_sigv4": OURS,
    "botocore, signing again": "#d9c27c",
    "awssig": "#c98b6b",
    "Swift s3api": "#8a8a8a",
}


def draw(document: Document, path: Path) -> None:
    """Write the chart of *document* to *path*, as SVG."""
    mpl.use("svg")
    from matplotlib import pyplot

    sections = {section["name"]: section for section in document["sections"]}
    style: dict[Any, Any] = {
        "svg.hashsalt": "wsgi_sigv4",
        "svg.fonttype": "none",
        "font.size": 9,
        "axes.titlesize": 10,
    }
    with mpl.rc_context(style):
        figure, axes = pyplot.subplots(2, 2, figsize=(12, 8), layout="constrained")
        _draw_verification(axes[0][0], sections["verification"])
        _draw_load(axes[0][1], sections["load"])
        _draw_streaming(axes[1][0], sections["streaming"])
        _draw_growth(axes[1][1], sections["growth"])
        for axis in axes.flat:
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines, which no other file here has.
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(line.rstrip() + "\n" for line in lines), encoding="utf-8")


def _draw_verification(axis: Axes, section: Document) -> None:
    medians = {row["name"]: row["median"] for row in section["rows"]}
    height = 0.8 / len(DRAWN_ARMS)
    for at, (arm, colour) in enumerate(DRAWN_ARMS.items()):
        places = [number + at * height for number in range(len(DRAWN_KINDS))]
        names = [f"{kind}: {arm}" for kind in DRAWN_KINDS]
        widths = [medians.get(name) or 0 for name in names]
        axis.barh(places, widths, height, color=colour, label=arm)
        for place, width, name in zip(places, widths, names, strict=True):
            # An arm that is not there at all refuses nothing.
            text = f"{width:.0f}" if width else "refuses" if name in medians else ""
            axis.text(width + 1, place, text, va="center", fontsize=7)
    middle = 0.4 - height / 2
    axis.set_yticks([number + middle for number in range(len(DRAWN_KINDS))], DRAWN_KINDS)
    axis.invert_yaxis()
    axis.set_title("Verification of one request, µs", loc="left")
    axis.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3)


def _draw_load(axis: Axes, section: Document) -> None:
    rows = [row for row in section["rows"] if row["ratio"] is not None]
    kept = [100 * row["ratio"] for row in rows]
    _bars(axis, [row["name"] for row in rows], kept, "{:.0f} %")
    axis.set_xlim(0, 110)
    axis.set_title("Requests per second that are kept", loc="left")


def _draw_streaming(axis: Axes, section: Document) -> None:
    rows = [row for row in section["rows"] if row["ratio"] is not None]
    _bars(axis, [row["name"] for row in rows], [row["ratio"] for row in rows], "{:.2f}")
    axis.axvline(1, color="black", linewidth=0.6)
    axis.set_title("Throughput of chunked bodies, SHA-256 = 1", loc="left")


def _draw_growth(axis: Axes, section: Document) -> None:
    for name, marker in (("headers", "o"), ("query parameters", "s")):
        sizes, costs = zip(*section["curves"][name], strict=True)
        axis.plot(sizes, costs, marker=marker, markersize=4, label=name)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("how many")
    axis.set_title("Growth of the cost of a request, µs", loc="left")
    axis.legend(fontsize=7, frameon=False)


def _bars(axis: Axes, names: Sequence[str], values: Sequence[float], label: str) -> None:
    bars = axis.barh(range(len(names)), values, color=OURS)
    axis.bar_label(bars, [label.format(value) for value in values], padding=2, fontsize=7)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
