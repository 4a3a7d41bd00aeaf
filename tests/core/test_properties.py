"""What botocore signs is accepted, and one change to it is refused: random cases.

The environment variable SIGV4_EXAMPLES says how many requests are drawn for each of the two tests;
the second one changes each of its own in CHANGES_PER_REQUEST ways.
With SIGV4_EXAMPLES=12000, more than 10,000 different ones are accepted, and more than 100,000
changed ones refused.
"""

from __future__ import annotations

import os
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings

from tests.core.changes import CHANGES
from tests.core.changes import HARMLESS
from tests.core.forgeries import FORGERIES
from tests.core.random_requests import signed_requests
from tests.core.reference import is_valid
from tests.core.signed_requests import SignedRequest
from wsgi_sigv4.errors import SigV4Error

EXAMPLES = int(os.environ.get("SIGV4_EXAMPLES", "500"))
ALL_CHANGES = CHANGES + FORGERIES
CHANGES_PER_REQUEST = 14

PROPERTY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

pytestmark = pytest.mark.slow


def is_accepted(sent: SignedRequest) -> bool:
    """Return whether the package accepts *sent*."""
    try:
        verification = sent.verifier().verify(sent.request(), now=sent.now)
        verification.feed(sent.body[:7])
        verification.feed(sent.body[7:])
        verification.finish(now=sent.now)
    except SigV4Error:
        return False
    return True


def test_request_signed_by_botocore_is_accepted() -> None:
    """Whatever botocore signs properly is accepted, header and presigned, for both profiles."""
    accepted: dict[tuple[bool, bool], set[SignedRequest]] = defaultdict(set)

    @PROPERTY
    @given(sent=signed_requests())
    def check(sent: SignedRequest) -> None:
        verification = sent.verifier().verify(sent.request(), now=sent.now)
        verification.feed(sent.body)
        identity = verification.finish(now=sent.now)
        assert identity.principal == identity.access_key_id
        assert identity.presigned == sent.presigned
        # The reference must be as willing, or what it refuses below would say nothing.
        assert is_valid(sent)
        accepted[sent.s3, sent.presigned].add(sent)

    check()
    print(f"{sum(map(len, accepted.values()))} different requests accepted")
    for kind in product([False, True], [False, True]):
        assert len(accepted[kind]) > EXAMPLES / 10


def test_one_change_is_refused_unless_it_means_the_same() -> None:
    """A signed request with one change is accepted just where an independent reading accepts it."""
    refused: Counter[str] = Counter()
    accepted: Counter[str] = Counter()

    @PROPERTY
    @given(sent=signed_requests())
    def check(sent: SignedRequest) -> None:
        for name, changed in changed_requests(sent):
            means_the_same = is_valid(changed)
            assert is_accepted(changed) == means_the_same, (name, changed)
            (accepted if means_the_same else refused)[name] += 1

    check()
    print(f"{refused.total()} refused, {accepted.total()} meant the same")
    for change in ALL_CHANGES:
        name = change.__name__
        print(f"{name:32} {refused[name]:6} refused, {accepted[name]:6} meant the same")
    # Each kind of change was tried, and none that matters only ever missed.
    assert {change.__name__ for change in ALL_CHANGES} - set(refused) == {
        change.__name__ for change in HARMLESS
    }


def changed_requests(sent: SignedRequest) -> Iterator[tuple[str, SignedRequest]]:
    """Yield *sent* with one change each, and what the change is called."""
    # Hypothesis draws small numbers over and over; a signature is as good as a die.
    chance = Random(repr(sent))
    made = 0
    while made < CHANGES_PER_REQUEST:
        change = chance.choice(ALL_CHANGES)
        changed = change(sent, chance)
        if changed is not None and changed != sent:
            made += 1
            yield change.__name__, changed
