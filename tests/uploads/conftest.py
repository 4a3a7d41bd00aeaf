"""The servers of the whole run: over http and over https, each buffering and streaming."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.uploads.running import Served
from tests.uploads.running import served

#: How bodies are read: every test of this folder runs in both modes.
MODES = [pytest.param(False, id="buffered"), pytest.param(True, id="stream")]


@pytest.fixture(scope="session", params=MODES)
def stream(request: pytest.FixtureRequest) -> bool:
    """Whether bodies are read while they arrive."""
    return bool(request.param)


@pytest.fixture(scope="session")
def plain(stream: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bucket that is served over http."""
    with served(tmp_path_factory.mktemp("http"), stream=stream) as server:
        yield server
    assert server.left_behind() == []


@pytest.fixture(scope="session")
def secure(stream: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bucket that is served over https."""
    with served(tmp_path_factory.mktemp("https"), stream=stream, https=True) as server:
        yield server
    assert server.left_behind() == []


@pytest.fixture(params=["http", "https"])
def either(request: pytest.FixtureRequest, plain: Served, secure: Served) -> Served:
    """A bucket that is served over http, then one over https."""
    return plain if request.param == "http" else secure
