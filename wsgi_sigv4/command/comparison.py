"""Two canonical requests, the client's and the server's: where they part.

Both are redacted before: what neither shows, such as a session token, may
still differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from wsgi_sigv4.command.visible import visible_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first line that differs.

    Attributes:
        line: its number, from 1 on.
        what: the part of the canonical request that it belongs to.
        client: what the client has there, escaped; None: no line.
        server: what the server has there.
        column: of the first character that differs, from 1 on.
    """

    line: int
    what: str
    client: str | None
    server: str | None
    column: int

    def as_dict(self) -> dict[str, Any]:
        """Return this difference, ready for JSON."""
        return {
            "line": self.line,
            "what": self.what,
            "column": self.column,
            "client": self.client,
            "server": self.server,
        }


def find_difference(client: bytes, server: bytes) -> Difference | None:
    """Return the first line in which two canonical requests differ, or None."""
    lines = visible_lines(client), visible_lines(server)
    for number, (one, other) in enumerate(zip_longest(*lines), 1):
        if one != other:
            return Difference(
                line=number,
                what=_part(number, lines[0] if other is None else lines[1]),
                client=one,
                server=other,
                column=_column(one or "", other or ""),
            )
    return None


def _column(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False), 1)
    shorter = min(len(one), len(other))
    return next((at for at, (a, b) in pairs if a != b), shorter + 1)


def _part(number: int, lines: list[str]) -> str:
    """Return what line *number* of the canonical request in *lines* is."""
    first = ("method", "canonical URI", "canonical query string")
    if number <= len(first):
        return first[number - 1]
    # A header that is missing moves the rest up: the end is counted from the end.
    last = {len(lines): "payload hash", len(lines) - 1: "signed headers"}
    return last.get(number, "canonical headers")
