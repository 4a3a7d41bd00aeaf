"""docs/command.md: its commands print what it says, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command import page
from tests.command.conftest import Command
from wsgi_sigv4.command.faults import ExitCode
from wsgi_sigv4.command.inputs import READERS

TEXT = page.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("line", "output"), page.examples(TEXT), ids=range(6))
def test_command_prints_what_the_page_says(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, output: str
) -> None:
    """Each command of the page prints what stands below it."""
    page.write_files(TEXT, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in page.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    words, lines = page.parsed(line)
    ran = command(*words[3:])
    assert page.comparable(page.last(lines, ran.out)) == page.comparable(output)
    assert ran.code == (" sign " not in line and " presign " not in line)


def test_exit_codes_are_in_the_table() -> None:
    """The page has each exit code."""
    told = re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)
    assert told == [str(code.value) for code in ExitCode]


def test_formats_are_in_the_table() -> None:
    """The page has each format."""
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(READERS)
