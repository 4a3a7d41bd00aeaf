"""The page lists what the package tries, and says of real cases what it is told of them."""

from __future__ import annotations

from tests.explain import listing
from wsgi_sigv4.explain.catalogue import HYPOTHESES
from wsgi_sigv4.explain.causes import CAUSES


def test_page_is_up_to_date() -> None:
    """The tables of the page are those that the data and the cases make today.

    Write them anew with: python -m tests.explain.listing
    """
    assert listing.PAGE.read_text(encoding="utf-8") == listing.page()


def test_page_lists_each_cause_once() -> None:
    """Every hypothesis and every cause has one row."""
    rows = [line for line in listing.tables().splitlines() if line.startswith("| `")]
    assert len(rows) == len({row.split("`")[1] for row in rows})
    assert len(rows) == len(HYPOTHESES) + len(CAUSES)
