"""Every part of the benchmark runs, in a form so short that its figures say nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import PARTS

ROOT = Path(__file__).parents[2]
#: What stands in the place of a figure, where something is not installed.
SKIPPED = ("SKIPPED", "not there yet", "refuses")

pytestmark = pytest.mark.slow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark, without the development mode, which worker processes would inherit."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDEVMODE"}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a quick run of all parts writes."""
    path = tmp_path_factory.mktemp("figures") / "figures.json"
    done = run("--quick", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("part", PARTS)
def test_part_has_a_figure_in_every_row(document: dict[str, Any], part: str) -> None:
    """A part measures each of its rows, or says why it does not."""
    (section,) = (found for found in document["sections"] if found["name"] == part)
    assert section["rows"]
    for row in section["rows"]:
        assert row["median"] is not None or row["note"].startswith(SKIPPED), row


def test_figures_are_those_of_this_project(document: dict[str, Any]) -> None:
    """Without any other verifier, the project itself and the floor are measured.

    Which of them took longer says nothing after ten requests.
    """
    (section,) = (found for found in document["sections"] if found["name"] == "verification")
    medians = {row["name"]: row["median"] for row in section["rows"]}
    gets = ("header-signed GET", "header-signed GET with a query", "presigned S3 GET")
    for kind in (*gets, "S3 PUT, 8 MiB", "wrong scope"):
        for arm in ("crypto floor", "wsgi_sigv4"):
            assert medians[f"{kind}: {arm}"] > 0
    assert "wrong scope: wsgi_sigv4, logged" in medians


def test_facts_of_the_machine_are_kept(document: dict[str, Any]) -> None:
    """A reader learns what the figures were measured on, and that these say nothing."""
    assert document["quick"] is True
    assert document["machine"]["python"] == sys.version.split(" ")[0]
    assert document["machine"]["packages"]["Werkzeug"]


def test_page_and_chart_are_made_of_the_figures(document: dict[str, Any], tmp_path: Path) -> None:
    """The tables of the page, and the chart, come from the JSON alone, and again the same."""
    pytest.importorskip("matplotlib")
    from benchmarks import page

    (tmp_path / "benchmarks.json").write_text(json.dumps(document), encoding="utf-8")
    shutil.copy(ROOT / "docs" / "benchmarks.md", tmp_path)
    page.write(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(made) == {"benchmarks.json", "benchmarks.md", "benchmarks.svg"}
    assert b"Verification of one request" in made["benchmarks.svg"]
    assert b"| header-signed GET: wsgi_sigv4 |" in made["benchmarks.md"]
    page.write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made


@pytest.mark.parametrize("arguments", [("--save", "--quick"), ("--save", "imports"), ("nothing",)])
def test_wrong_choice_is_refused(arguments: tuple[str, ...]) -> None:
    """Figures of a part or of a quick run are not kept in docs/, and parts have to exist."""
    assert run(*arguments).returncode == 2
