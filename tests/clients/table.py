"""Write docs/clients.md from what the clients did: ``python -m tests.clients.table``."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from tests.clients.running import PROGRAMS
from tests.clients.running import Exchange
from tests.clients.running import server
from tests.servers.processes import ROOT

PAGE = ROOT / "docs" / "clients.md"
HEAD = """\
# Clients

What real clients sent to a server under gunicorn, and what they were told. Made by
`python -m tests.clients.table` from what it ran; the tests run the same, and compare. 200 means
that the client got the answer it wanted and that its content was right; a code is that of the
error which the client itself raised or received.

All of it over plain http on loopback, with the defaults of the clients. How S3 clients send large
bodies, in parts, in signed chunks and with trailing checksums, over http and https, is tested
with the bucket of the examples: [bucket.md](bucket.md).
"""


def page(exchanges: Iterable[Exchange]) -> str:
    """Return the page about *exchanges*."""
    parts = [HEAD]
    for (client, version), rows in groupby(exchanges, key=lambda e: (e.client, e.version)):
        lines = [f"| {row.sent} | {row.told} |" for row in rows]
        table = "\n".join(["| sent | told |", "|---|---|", *lines])
        parts.append(f"## {client}\n\nRun with {version}.\n\n{table}\n")
    return "\n".join(parts)


def told(text: str) -> dict[str, dict[str, str]]:
    """Return what the page *text* says that each client was told, by what it sent."""
    found: dict[str, dict[str, str]] = {}
    for section in text.split("\n## ")[1:]:
        client, _, rest = section.partition("\n")
        rows = re.findall(r"^\| (.+) \| (.+) \|$", rest, re.MULTILINE)
        found[client] = {sent: answer for sent, answer in rows if sent != "sent"}
    return found


def main() -> None:
    """Run every program and write the page."""
    exchanges = []
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url:
        for program in PROGRAMS:
            if reason := program.why_not():
                sys.exit(f"{program.name}: {reason}")
            exchanges += program.run(url)
    PAGE.write_text(page(exchanges), encoding="utf-8")
    print(f"{len(exchanges)} exchanges; wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
