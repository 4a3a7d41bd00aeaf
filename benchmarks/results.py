"""What a part of the benchmark has found: rows of medians, with their spread, ratio and target."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much a part does; the quick scale only shows that the script runs."""

    quick: bool

    def of(self, full: int, quick: int) -> int:
        """Return *full*, or *quick* where the run is a quick one."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the ratio of a row, or without one its median, is held to.

    Attributes:
        limit: the value that it must reach.
        stretch: the value that it should reach, or None.
        at_most: True where less is better.
    """

    limit: float
    stretch: float | None = None
    at_most: bool = True

    def is_met(self, value: float) -> bool:
        """Return whether *value* reaches the limit."""
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        stretch = "" if self.stretch is None else f" [{self.stretch:.3g}]"
        return f"{sign} {self.limit:.3g}{stretch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        unit: of the median and the spread.
        median: of the samples; None where nothing could be measured.
        spread: the distance between the quartiles of the samples.
        samples: how many there were.
        ratio: to what the section says, where there is such a thing.
        target: what the ratio, or without one the median, must reach.
        note: why there is no figure, or what it does not show by itself.
    """

    name: str
    unit: str = ""
    median: float | None = None
    spread: float | None = None
    samples: int = 0
    ratio: float | None = None
    target: Target | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        samples: Sequence[float],
        unit: str,
        *,
        ratio: float | None = None,
        target: Target | None = None,
        note: str = "",
    ) -> Row:
        """Return the row of *samples*."""
        return cls(
            name=name,
            unit=unit,
            median=statistics.median(samples),
            spread=quartile_distance(samples),
            samples=len(samples),
            ratio=ratio,
            target=target,
            note=note,
        )

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without a target or a figure."""
        value = self.median if self.ratio is None else self.ratio
        return None if self.target is None or value is None else self.target.is_met(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The findings of one part.

    Attributes:
        name: by which the part is chosen on the command line.
        title: what it is about.
        ratio_of: what the ratios are to; empty without ratios.
        rows: the lines.
        notes: what one has to know to read them.
        curves: points of a growing cost, for the chart: by name, pairs of size and cost.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    ratio_of: str = ""
    notes: tuple[str, ...] = ()
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)


def quartile_distance(samples: Sequence[float]) -> float:
    """Return the distance between the quartiles of *samples*; 0 for a single one."""
    if len(samples) < 2:
        return 0.0
    first, _, third = statistics.quantiles(samples, n=4, method="inclusive")
    return third - first


def ratio_of_pairs(samples: Sequence[float], baseline: Sequence[float]) -> float:
    """Return the median of the ratios of *samples* to what was measured in the same round."""
    return statistics.median(a / b for a, b in zip(samples, baseline, strict=True))
