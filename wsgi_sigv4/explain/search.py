"""The search for the readings under which a signature is right.

Each change alone, and then two of different pieces. What is tried is bounded
in number and in bytes hashed, so that nobody can make a server work on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from collections.abc import Iterator
from itertools import islice
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

#: Readings that are tried; about 5 microseconds each, for a request of common size.
MAX_CANDIDATES: Final = 4500
#: Bytes of canonical requests that are hashed.
MAX_HASHED: Final = 8 * 1024 * 1024
#: Changes that one hypothesis may propose.
MAX_PROPOSALS: Final = 96


class Guess(NamedTuple):
    """One change, and the hypothesis that proposed it.

    Attributes:
        hypothesis: the hypothesis.
        change: the change.
        places: the names of the pieces that it replaces.
        rank: how late it is tried with another; the likely ones come first.
    """

    hypothesis: Hypothesis
    change: Change
    places: frozenset[str]
    rank: int


class Budget:
    """How much may still be tried."""

    def __init__(self, size: int) -> None:
        self.left = min(MAX_CANDIDATES, MAX_HASHED // (size + 256))

    def spend(self) -> bool:
        """Return whether one more reading may be tried, and count it."""
        self.left -= 1
        return self.left >= 0


def find_cause(case: Case, hypotheses: Iterable[Hypothesis]) -> tuple[Guess, ...]:
    """Return the one guess, or the two, that make the signature of *case* right; else none.

    That a secret is nearly right takes as long to find as that it is wrong: whoever waits for the
    answer is not told.
    """
    guesses = list(_guesses(case, hypotheses))
    budget = Budget(len(case.canonical_request()))
    base = _digest(case)
    digests = []
    found: tuple[Guess, ...] = ()
    for guess in guesses:
        if not budget.spend():
            return found
        digest = base if guess.change.is_of_the_key else _digest(case, guess.change)
        if case.signs(digest, guess.change):
            found = found or (guess,)
            if not _is_of_the_secret(found):
                return found
        digests.append(digest)
    pair = _find_pair(case, guesses, digests, budget)
    return found or pair


def _find_pair(
    case: Case, guesses: list[Guess], digests: list[str], budget: Budget
) -> tuple[Guess, ...]:
    found: tuple[Guess, ...] = ()
    for i, j in _pairs(guesses):
        one, other = guesses[i], guesses[j]
        if not one.places.isdisjoint(other.places):
            continue
        if not budget.spend():
            break
        changes = one.change, other.change
        # Those of the key are the last of the list.
        digest = digests[i] if other.change.is_of_the_key else _digest(case, *changes)
        if case.signs(digest, *changes):
            found = found or (one, other)
            if not _is_of_the_secret(found):
                break
    return found


def _is_of_the_secret(guesses: tuple[Guess, ...]) -> bool:
    return any(guess.change.secret is not None for guess in guesses)


def _pairs(guesses: list[Guess]) -> Iterator[tuple[int, int]]:
    """Yield the places of two guesses, the likely ones first."""
    order = sorted(range(len(guesses)), key=lambda at: guesses[at].rank)
    for total in range(1, 2 * len(order)):
        for low in range((total + 1) // 2):
            if total - low < len(order):
                first, second = sorted((order[low], order[total - low]))
                yield first, second


def _digest(case: Case, *changes: Change) -> str:
    return hashlib.sha256(case.canonical_request(*changes)).hexdigest()


def _guesses(case: Case, hypotheses: Iterable[Hypothesis]) -> Iterator[Guess]:
    seen: set[object] = set()
    for hypothesis in hypotheses:
        proposed = islice(hypothesis.propose(case), MAX_PROPOSALS)
        position = 0
        for change in proposed:
            pieces = {k: v for k, v in change.pieces.items() if case.base.get(k) != v}
            key = frozenset(pieces.items()), change.scope, change.key_scope, change.secret
            if key in seen or key == (frozenset(), None, None, None):
                continue
            seen.add(key)
            yield Guess(hypothesis, change, change.places, hypothesis.rare + position)
            position += 1
