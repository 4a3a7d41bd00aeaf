"""The running servers: each is started once for a run, or skipped where nginx is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.servers import nginx
from tests.servers.cases import CASES
from tests.servers.roster import SERVERS
from tests.servers.roster import Running
from tests.servers.roster import Server
from tests.servers.roster import started

#: How the names begin by which the application would note a request that it must never see.
FORBIDDEN = ("forbidden-", *(f"{case.id}-" for case in CASES if case.path is None))


@pytest.fixture(scope="session", params=list(SERVERS))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server of the roster that runs; the tests go through them one after the other.

    When it has ended, its application has been called for nothing that had to be refused: also
    not after the client had gone.
    """
    server: Server = SERVERS[request.param]
    if server.front is not None and nginx.PROGRAM is None:
        pytest.skip(f"{server.name}: nginx is not installed")
    with started(server, tmp_path_factory.mktemp("server")) as found:
        yield found
    calls = map(json.loads, found.calls_file.read_text(encoding="utf-8").splitlines())
    assert [call for call in calls if call["case"].startswith(FORBIDDEN)] == []
