"""`make demo`: every answer as expected, and a status that says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from examples import demo
from examples.demo import Row

pytestmark = pytest.mark.servers

ROOT = Path(demo.__file__).parent.parent


def test_demo_ends_well() -> None:
    """The demonstration as it stands ends with status 0, and leaves no row out."""
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith(("curl ", "botocore "))]
    assert len(rows) == (15 if demo.why_no_curl() else 19)
    assert all(row.endswith(" ok") for row in rows)
    assert f"{len(rows)} of {len(rows)} answers are as expected." in done.stdout


def failing() -> str:
    """Be a request that the server does not answer."""
    raise TimeoutError("timed out")


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        pytest.param(
            Row(client="botocore", what="x", expected="403 X", send=lambda: "200"),
            "200",
            id="another answer",
        ),
        pytest.param(
            Row(client="botocore", what="x", expected="200", send=failing),
            "no answer: timed out",
            id="no answer",
        ),
    ],
)
def test_row_that_is_off_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], row: Row, shown: str
) -> None:
    """One answer that is not the one expected makes the status 1."""
    monkeypatch.setattr(demo, "botocore_rows", lambda host: [row])
    monkeypatch.setattr(demo, "why_no_curl", lambda: "there is no curl")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert demo.main() == 1
    printed = capsys.readouterr().out
    assert [shown in line for line in printed.splitlines() if line.endswith("OFF")] == [True]
    assert "Skipped what curl would have sent: there is no curl." in printed
    assert "0 of 1 answers are as expected." in printed


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("curl 7.75.0 (x86_64-pc-linux-gnu) libcurl/7.75.0", None),
        ("curl 8.5.0 (x86_64-pc-linux-gnu)", None),
        ("curl 7.74.0 (x86_64)", "--aws-sigv4 came with curl 7.75, and this is curl 7.74.0"),
    ],
)
def test_old_curl_is_told(monkeypatch: pytest.MonkeyPatch, said: str, why: str | None) -> None:
    """curl signs from 7.75 on; an older one is named."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    version = subprocess.CompletedProcess[str](args=[], returncode=0, stdout=said)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: version)
    assert demo.why_no_curl() == why


def test_missing_curl_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without curl the demonstration goes on, and says so."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert demo.why_no_curl() == "there is no curl"
