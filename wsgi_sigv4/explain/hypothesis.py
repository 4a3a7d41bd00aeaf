"""A hypothesis: one thing that goes wrong between a client and a server."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from wsgi_sigv4.explain.explanation import Party
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

Propose = Callable[[Case], Iterable[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One thing that goes wrong, and how to find out whether it did.

    Attributes:
        id: its name in findings.
        title: what went wrong, as the documentation lists it.
        party: who has to mend it.
        remedy: how.
        propose: returns the readings under which the signature would be right,
            the likely ones first.
        rare: how much less often than others it is the cause; what is rare is
            tried with fewer of the others.
    """

    id: str
    title: str
    party: Party
    remedy: str
    propose: Propose = field(repr=False)
    rare: int = 0
