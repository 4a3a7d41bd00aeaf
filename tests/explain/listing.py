"""The closed list of causes, as docs/explain.md has it: made of the data and of real cases.

    python -m tests.explain.listing

writes it into the page.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from tests.explain.refusal_cases import CASES
from wsgi_sigv4.explain.catalogue import HYPOTHESES
from wsgi_sigv4.explain.causes import CAUSES

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
BEGIN = "<!-- The tables below are made by tests/explain/listing.py. -->\n"
END = "<!-- The end of the tables. -->\n"


def tables() -> str:
    """Return the tables of both lists."""
    lines = ["### When the signature does not match", "", *_head()]
    for hypothesis in HYPOTHESES:
        lines.append(
            _row(
                hypothesis.id,
                f"{hypothesis.title}. {_summary(hypothesis.id)}",
                hypothesis.party,
                hypothesis.remedy,
            )
        )
    lines += ["", "### When another rule refuses the request", "", *_head()]
    for cause in CAUSES:
        lines.append(_row(cause.id, f"{cause.title}.{_said(cause.id)}", cause.party, cause.remedy))
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with the tables of today."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.partition(END)[2]}"


def _head() -> list[str]:
    return [
        "| cause | what went wrong, and what a real case is told | who | remedy |",
        "|---|---|---|---|",
    ]


def _row(*cells: str) -> str:
    first, *others = (cell.replace("|", "\\|") for cell in cells)
    return f"| `{first}` | {' | '.join(others)} |"


def _summary(cause: str) -> str:
    """Return what the first real case of *cause* is told."""
    distortion = next(d for d in DISTORTIONS if d.causes[0] == cause)
    client, arrived = distorted((distortion,), random.Random(1))
    finding = client.explain(arrived).finding
    assert finding is not None
    return f"*{finding.summary}*"


def _said(cause: str) -> str:
    """Return what the first case of the refusal is told, or nothing."""
    for case in CASES:
        if case.causes == cause:
            finding = case.explain().finding
            assert finding is not None
            return f" *{finding.summary}*"
    return ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
