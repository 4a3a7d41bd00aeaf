"""Every request of the list on every server: served as it was signed, or refused."""

from __future__ import annotations

import pytest

from tests.servers.cases import CASES
from tests.servers.limits import find_limit
from tests.servers.limits import unknown_names
from tests.servers.outcomes import outcome
from tests.servers.roster import Running
from tests.servers.signing import Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_request_is_served_as_signed_or_refused(running: Running, case: Case) -> None:
    """The application gets the path, query and body that were signed, or is never called.

    Whatever a server can carry is served; whatever it cannot is refused with the status that the
    page on servers gives.
    """
    result = outcome(running, case)
    assert result.faults() == []
    limit = find_limit(running.server, case)
    if limit is None:
        assert result.answer.status in (case.refused or (200,)), result.describe()
        assert result.served is (case.path is not None)
        assert case.code in (None, result.code)
    else:
        assert result.answer.status in limit.statuses, result.describe()
        assert not result.served or result.is_race


def test_limits_name_servers_and_requests_that_there_are() -> None:
    """A limit with a misspelt name would limit nothing."""
    assert unknown_names() == set()
