"""What holds for the whole run: markers by folder, and a word about the development mode."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck
from hypothesis import settings

TESTS = Path(__file__).parent

#: Every test in one of these folders carries the marker, so that a quick run can leave it out.
FOLDER_MARKERS = {
    "clients": pytest.mark.clients,
    "servers": pytest.mark.servers,
    "uploads": pytest.mark.clients,
}

#: How long an example takes says nothing on a busy machine, and a run tells of a commit what every
#: other run tells of it. `make fuzz` is what tries something new.
settings.register_profile(
    "the same everywhere",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("the same everywhere")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let botocore sign nothing at the time of day yet: the tests may run long after that."""
    fault = AssertionError("signed while the tests are collected")
    with mock.patch("botocore.auth.get_current_datetime", side_effect=fault):
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start servers and clients by the folder they are in."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDER_MARKERS:
            item.add_marker(FOLDER_MARKERS[folder])


def pytest_report_header() -> list[str]:
    """Say where unclosed files and sockets would go unseen."""
    if sys.flags.dev_mode:
        return []
    return ["hint: PYTHONDEVMODE=1, which make test sets, shows unclosed files and sockets"]
