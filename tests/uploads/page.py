"""The table of docs/bucket.md."""

from __future__ import annotations

from collections.abc import Iterator

from tests.uploads.forms import SENT


def rows() -> Iterator[str]:
    """Yield the rows that say how each client sends a body."""
    for client in dict.fromkeys(client for client, _ in SENT):
        forms = [SENT.get((client, scheme)) for scheme in ("http", "https")]
        told = ["-" if form is None else form if form == "hash" else f"`{form}`" for form in forms]
        yield f"| {client} | {' | '.join(told)} |"


if __name__ == "__main__":
    print("\n".join(rows()))
