"""docs/bucket.md is true: its commands run as they are written, but for the port and the folder."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import bucket
from tests.docs.pages import ROOT
from tests.docs.pages import blocks
from tests.servers.processes import free_port
from tests.servers.processes import running
from tests.uploads import page
from tests.uploads.test_clients import program
from tests.uploads.test_clients import run

PAGE = ROOT / "docs" / "bucket.md"
COMMAND, GUNICORN, CLIENT = (block.code for block in blocks(PAGE, "shell"))
(BOTO3,) = (block.code for block in blocks(PAGE, "py"))


def moved(code: str, folder: Path, port: int) -> str:
    """Return *code* for another folder and another port."""
    return code.replace("/tmp/", f"{folder}/").replace("8000", str(port))  # noqa: S108


@pytest.fixture(params=[COMMAND, GUNICORN], ids=["python", "gunicorn"])
def served_as_told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of the bucket that runs as the page says."""
    port = free_port()
    command = moved(request.param, tmp_path, port)
    if request.param == GUNICORN:
        command = command.replace("gunicorn", f"python -m gunicorn --bind 127.0.0.1:{port}", 1)
    command = command.replace("python", shlex.quote(sys.executable), 1)
    environment = {"HOME": str(tmp_path)}
    with running(["sh", "-c", command], port=port, log=tmp_path / "log", environment=environment):
        yield port


def test_commands_of_the_page(served_as_told: int, tmp_path: Path) -> None:
    """The commands of the page, word for word, put there and get back what they say."""
    for name in ("README.md", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    readme = (ROOT / "README.md").read_bytes()
    aws = Path(program("aws")).parent
    path = f"{aws}:{Path(shutil.which('sh') or '').parent}"
    told = run(tmp_path, "sh", "-ec", moved(CLIENT, tmp_path, served_as_told), PATH=path)
    assert " bucket.md" in told
    assert (tmp_path / "back.md").read_bytes() == readme
    (tmp_path / "back.md").unlink()
    told = run(tmp_path, sys.executable, "-c", moved(BOTO3, tmp_path, served_as_told))
    assert told == "['a/readme.md', 'b/readme.md']\n"
    assert (tmp_path / "back.md").read_bytes() == readme


def test_help_of_the_command() -> None:
    """The command tells what it takes, and that the folder gives the name."""
    command = [sys.executable, "-m", "examples.bucket", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "its name is that of the bucket" in done.stdout


def test_docstring_has_the_commands_of_the_page() -> None:
    """Whoever reads the example finds the commands that are tested."""
    assert bucket.__doc__ is not None
    assert f"    {COMMAND}" in bucket.__doc__
    assert f"    {GUNICORN}" in bucket.__doc__


def test_table_says_what_is_sent() -> None:
    """The table of the page says of each client what the other tests here expect."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.endswith("|---|---|---|\n" + "\n".join(page.rows()) + "\n")
