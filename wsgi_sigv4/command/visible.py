"""Text of strangers, made fit for a terminal.

What stands in a saved request was written by whoever sent it: escape sequences
that move the cursor, bytes that are no text, letters that turn the reading
direction. Nothing of it reaches the terminal but as an escape in plain ASCII.
"""

from __future__ import annotations

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str | bytes) -> str:
    """Return *text* with everything escaped that is not printable ASCII.

    Of bytes, backslashes are escaped too, so that no two of them look alike; text may have been
    escaped before.
    """
    if isinstance(text, bytes):
        text = text.replace(b"\\", b"\\\\").decode("latin-1")
    return "".join(c if " " <= c <= "~" else _escaped(c) for c in text)


def visible_lines(text: str | bytes) -> list[str]:
    """Return the lines of *text*, each as :func:`visible` shows it."""
    lines = text.split(b"\n") if isinstance(text, bytes) else text.split("\n")
    return [visible(line) for line in lines]


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
