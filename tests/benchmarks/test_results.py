"""What the benchmark makes of its samples."""

from __future__ import annotations

import pytest

from benchmarks.report import table
from benchmarks.results import Row
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.results import quartile_distance
from benchmarks.results import ratio_of_pairs


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        pytest.param(Target(limit=8, stretch=5), 8.0, True, id="just enough"),
        pytest.param(Target(limit=8, stretch=5), 8.1, False, id="too much"),
        pytest.param(Target(limit=0.75, at_most=False), 0.75, True, id="at least, enough"),
        pytest.param(Target(limit=0.75, at_most=False), 0.74, False, id="at least, too little"),
    ],
)
def test_target(target: Target, value: float, met: bool) -> None:
    """A target is met up to its limit, on the side that is better."""
    assert Row(name="x", median=1.0, ratio=value, target=target).is_met is met
    assert Row(name="x", median=value, target=target).is_met is met


def test_row_without_a_figure_meets_nothing() -> None:
    """What was not measured neither meets a target nor misses it."""
    assert Row(name="x", target=Target(limit=1), note="not there yet").is_met is None


def test_spread_is_the_distance_between_quartiles() -> None:
    """One outlier does not make a spread."""
    assert quartile_distance([1, 2, 3, 4, 1000]) == 2
    assert quartile_distance([7]) == 0


def test_ratio_is_of_the_same_rounds() -> None:
    """A slow round, which made both slow, does not change the ratio."""
    assert ratio_of_pairs([2, 20, 2], [1, 10, 1]) == 2


def test_table_shows_what_was_missed() -> None:
    """The table says of each target whether it was met, and why a figure is not there."""
    target = Target(limit=8, stretch=5)
    section = Section(
        name="x",
        title="Title",
        ratio_of="the floor",
        rows=(
            Row.of("slow", [20.0, 21.0, 22.0], "µs", ratio=9.7, target=target),
            Row(name="absent", note="refuses"),
        ),
        notes=("A note.",),
    )
    title, _, slow, absent, ratio, note, end = table(section)
    assert title == "== Title"
    assert slow.split() == ["slow", "21", "1", "µs", "9.70", "<=", "8", "[5]", "MISSED"]
    assert absent.split() == ["absent", "refuses"]
    assert (ratio, note, end) == ("ratio: to the floor", "A note.", "")
