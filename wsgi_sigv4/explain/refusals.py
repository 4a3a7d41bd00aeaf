"""Causes of refusals other than a wrong signature, where the refusal tells one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from wsgi_sigv4 import errors
from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a refusal other than a wrong signature comes from.

    Attributes:
        id: its name in findings.
        title: what went wrong, as the documentation lists it.
        party: who has to mend it.
        remedy: how.
    """

    id: str
    title: str
    party: str
    remedy: str

    def finding(self, summary: str, *, remedy: str = "") -> Finding:
        """Return the finding that this is the cause."""
        return Finding(
            causes=(self.id,), summary=summary, party=self.party, remedy=remedy or self.remedy
        )


def _plain(refusal: errors.SigV4Error) -> Finding:
    return Finding(
        causes=(),
        summary=shown(str(refusal)),
        party="unknown",
        remedy=refusal.hint or "Compare the request with the rule that it failed.",
    )


_FINDERS: Final[Mapping[type[errors.SigV4Error], Callable[[Any, Request], Finding | None]]] = {}


def find_refused_cause(refusal: errors.SigV4Error, request: Request) -> Finding:
    """Return why *request* was refused with *refusal*, which is no wrong signature."""
    for kind in type(refusal).__mro__:
        finder = _FINDERS.get(kind)
        if finder is not None:
            found = finder(refusal, request)
            if found is not None:
                return found
    return _plain(refusal)
