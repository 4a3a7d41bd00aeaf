"""docs/command.md: its outputs, made by running its commands.

``python -m tests.command.page`` writes them anew, where the words of a finding have changed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from botocore.auth import SigV4Auth

from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from tests.servers.processes import ROOT

PAGE: Final = ROOT / "docs" / "command.md"
_EXAMPLE: Final = re.compile(
    r"```shell\n(python -m wsgi_sigv4 [^\n]*)\n```\n\n```text\n((?:[^\n]*\n)*?)```\n"
)
_REQUEST: Final = re.compile(r"```http\n((?:[^\n]*\n)*?)```\n")


def examples(page: str) -> list[tuple[str, str]]:
    """Return the commands of *page*, and what it says that they print."""
    return [(found[1], found[2]) for found in _EXAMPLE.finditer(page)]


def write_files(page: str, folder: Path) -> None:
    """Write the files that the commands read into *folder*."""
    found = _REQUEST.search(page)
    assert found is not None
    (folder / "request.txt").write_text(found[1], encoding="utf-8")
    signed = sign_with_botocore(
        *(SigV4Auth, "GET", "/items?colour=dark%20red"),
        headers=[("Host", "api.example.com:8443")],
    )
    log = f"2026-11-21 21:30:00 botocore.auth [DEBUG] CanonicalRequest:\n{signed.canonical_request}"
    assert f"```log\n{log}\n```\n" in page
    (folder / "client.log").write_text(f"{log}\n", encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that the commands are run with."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "COLUMNS": "100",
        "HOME": str(folder),
    }


def parsed(line: str) -> tuple[list[str], int | None]:
    """Return the words of a command of the page, and how many last lines of it are shown."""
    words = shlex.split(line)
    if "|" not in words:
        return words, None
    at = words.index("|")
    assert words[at + 1 : at + 3] == ["tail", "-n"]
    return words[:at], int(words[at + 3])


def last(lines: int | None, output: str) -> str:
    """Return the last *lines* of *output*, or all of it."""
    return output if lines is None else "".join(output.splitlines(keepends=True)[-lines:])


def comparable(output: str) -> str:
    """Return *output* without what is another one every second."""
    output = re.sub(r"\d{8}(T\d{6}Z|(?=/|%2F))", "DATE", output)
    return re.sub(r"(Signature=)[0-9a-f]{64}", r"\1SIGNATURE", output)


def made(page: str) -> str:
    """Return *page* with what its commands print now."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(page, folder)

        def again(example: re.Match[str]) -> str:
            command, lines = parsed(example[1])
            done = subprocess.run(
                [sys.executable, *command[1:]],
                cwd=folder,
                env={**os.environ, **environment(folder), "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=60,
            )
            output = last(lines, done.stdout)
            if comparable(output) == comparable(example[2]):
                return example[0]
            return f"```shell\n{example[1]}\n```\n\n```text\n{output}```\n"

        return _EXAMPLE.sub(again, page)


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
