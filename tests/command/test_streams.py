"""What the command is started with in the place of a terminal: pipes, full disks, nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.files import RECORDINGS
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4.__main__ import run as run_command
from wsgi_sigv4.command.main import main

ROOT = Path(__file__).parents[2]
TRACE = str(RECORDINGS / "curl-7.88.trace")
FULL = Path("/dev/full")


def run(*arguments: str, stdout: int) -> tuple[int, bytes]:
    """Run the command in a process of its own; return its exit code and what it complains of."""
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    done = subprocess.run(
        [sys.executable, "-m", "wsgi_sigv4", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--json", "--at-clock"), 1)])
def test_reader_who_has_enough_changes_no_verdict(options: tuple[str, ...], code: int) -> None:
    """A pipe that is closed is no traceback, and neither good nor bad news of the request."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run("explain", *options, TRACE, stdout=writer) == (code, b"")
    finally:
        os.close(writer)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_full_disk_is_told() -> None:
    """Output that cannot be written is a fault of its own, and no traceback."""
    with FULL.open("wb") as full:
        code, said = run("verify", TRACE, stdout=full.fileno())
    told = b"wsgi_sigv4: the output cannot be written: No space left on device\n"
    assert (code, said) == (3, told)


@pytest.mark.parametrize("form", [("--json",), ()])
def test_nothing_to_print_on(monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]) -> None:
    """Without a standard output, which Python says with None, there is still an exit code."""
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["verify", *form, TRACE]) == 0
    assert main(["verify", *form, "--at-clock", TRACE]) == 1


def test_nothing_to_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a standard input there is no file."""
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["verify", "-"]) == 3
    assert capsys.readouterr().err == "wsgi_sigv4: -: there is no standard input\n"


def test_file_of_windows_is_read(tmp_path: Path) -> None:
    """PowerShell writes what a program prints as UTF-16, with CR LF."""
    text = Path(TRACE).read_text(encoding="ascii").replace("\n", "\r\n")
    for encoding in ("utf-16", "utf-16-be", "utf-8-sig"):
        mark = "\ufeff" if encoding == "utf-16-be" else ""
        (tmp_path / "saved").write_bytes((mark + text).encode(encoding))
        assert main(["verify", str(tmp_path / "saved")]) == 0


def test_bytes_that_are_no_utf_16_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two bytes at the beginning of something else make it no text."""
    (tmp_path / "saved").write_bytes(b"\xff\xfe\x00\xd8\x00")
    assert main(["verify", str(tmp_path / "saved")]) == 3
    assert "neither a raw request" in capsys.readouterr().err


def test_interruption_while_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no traceback before the command has begun, either."""

    class Interrupting:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "wsgi_sigv4.command.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "wsgi_sigv4.command.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    assert run_command() == 130
