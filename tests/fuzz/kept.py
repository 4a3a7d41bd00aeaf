"""Inputs that reached something new, or once did harm: in kept.txt, one a line, in hex."""

from __future__ import annotations

from pathlib import Path

_FILE = Path(__file__).with_name("kept.txt")


def kept_inputs() -> list[bytes]:
    """Return the inputs that are kept."""
    lines = _FILE.read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]
