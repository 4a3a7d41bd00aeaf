"""The page on servers says what the tests hold true."""

from __future__ import annotations

import pytest

from tests.servers import nginx
from tests.servers.cases import GROUPS
from tests.servers.make_table import FOOTNOTES
from tests.servers.make_table import PAGE
from tests.servers.make_table import by_name
from tests.servers.make_table import expected_cells
from tests.servers.make_table import parts_of
from tests.servers.roster import SERVERS


def table_of(title: str) -> dict[tuple[str, str], str]:
    """Return the cells of the table under the heading *title*, by server and request."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n### {title}\n")[2]
    lines = text.lstrip("\n").partition("\n\n")[0].splitlines()
    head, _, *rows = [[part.strip() for part in line.strip("|").split(" | ")] for line in lines]
    return {
        (row[0], name): part for row in rows for name, part in zip(head[1:], row[1:], strict=True)
    }


@pytest.mark.parametrize("title", GROUPS)
def test_page_says_of_every_request_what_the_tests_expect(title: str) -> None:
    """No server and no request is missing, and no cell differs from the limits."""
    found = table_of(title)
    names = by_name(GROUPS[title])
    assert list(found) == [(server, name) for server in SERVERS for name in names]
    for (server, name), text in found.items():
        for service, part in parts_of(text, names[name]).items():
            allowed = expected_cells(SERVERS[server], names[name][service])
            assert part in allowed, f"{server}, {service}, {name}"


def test_page_has_every_footnote() -> None:
    """The numbers in the cells are those of the reasons."""
    text = PAGE.read_text(encoding="utf-8")
    for number, why in enumerate(FOOTNOTES, 1):
        assert f"\n{number}. {why}\n" in text


@pytest.mark.parametrize("location", [nginx.TO_GUNICORN, nginx.TO_UWSGI, nginx.STRIPPED_PREFIX])
def test_page_shows_the_configurations_that_were_run(location: str) -> None:
    """What the page tells operators to write is what stood in the configuration of nginx."""
    assert f"```nginx\n{location}```\n" in PAGE.read_text(encoding="utf-8")
