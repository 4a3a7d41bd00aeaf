"""What all tests of providers have."""

from __future__ import annotations

import pytest

from tests.providers.questions import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()
