"""The command, run in this process with keys of its own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.core.oracles import TOKEN
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4.command.main import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run of the command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed for machines."""
        told: dict[str, Any] = json.loads(self.out)
        return told


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the tests' key into the environment, and away with what the machine has."""
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return what runs the command; whatever it prints holds no secret, and nothing raw."""

    def run(*arguments: str | Path, stdin: bytes = b"", tells_token: bool = False) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        assert tells_token or TOKEN not in out + err
        # What the user has typed, a curl command repeats.
        typed = "".join(map(str, arguments))
        assert all(c == "\n" or " " <= c <= "~" or c in typed for c in out + err)
        return Ran(code=code, out=out, err=err)

    return run


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return what writes a file, and returns its path."""

    def write(data: bytes) -> Path:
        path = tmp_path / "saved"
        path.write_bytes(data)
        return path

    return write
