"""Inputs that reached something new, or once did harm: one a line, in hex."""

from __future__ import annotations

from pathlib import Path


def kept_inputs(name: str = "kept.txt") -> list[bytes]:
    """Return the inputs that are kept in the file *name*."""
    lines = Path(__file__).with_name(name).read_text(encoding="ascii").splitlines()
    return [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]
