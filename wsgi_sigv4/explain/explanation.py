"""What an explanation says: the checks of the rules, what was canonicalised, and the finding.

All of it may be shown to whoever debugs the server: values are escaped and
cut, and secrets, signatures, session tokens and cookies are taken out before
they get here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from typing import Literal

from wsgi_sigv4.explain.showing import readable

#: Who has to mend what is wrong.
Party = Literal["proxy", "client", "server", "key", "unknown"]


class Status(StrEnum):
    """How a rule ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule, and how it ended.

    Attributes:
        number: its number, from 1 to 11.
        name: what it is about.
        status: whether it passed, failed or was not reached.
        detail: one line on what was seen; empty where there is nothing to say.
    """

    number: int
    name: str
    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The cause of a refusal.

    Attributes:
        causes: ids of what was found, one or two; empty where nothing on the
            list explains the refusal.
        summary: what the signature is right for, and what arrived.
        party: who has to mend it.
        remedy: how.
    """

    causes: tuple[str, ...]
    summary: str
    party: Party
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """Return this finding, ready for JSON."""
        return {
            "causes": list(self.causes),
            "summary": self.summary,
            "party": self.party,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a request was refused, or that it was not.

    Attributes:
        checks: the rules, in order.
        canonical_request: as the server built it, redacted; None where the
            request did not get as far.
        string_to_sign: likewise.
        finding: the cause, or None where the request was accepted.
        refusal: the error code that the client is told, or None where the
            request was accepted.
    """

    checks: tuple[Check, ...]
    canonical_request: bytes | None
    string_to_sign: bytes | None
    finding: Finding | None
    refusal: str | None

    @property
    def accepted(self) -> bool:
        """Whether nothing was found wrong."""
        return self.refusal is None

    def as_dict(self) -> dict[str, Any]:
        """Return this explanation, ready for JSON; every text in it is printable ASCII."""
        return {
            "accepted": self.accepted,
            "refusal": self.refusal,
            "finding": None if self.finding is None else self.finding.as_dict(),
            "checks": [
                {
                    "number": check.number,
                    "name": check.name,
                    "status": check.status.value,
                    "detail": check.detail,
                }
                for check in self.checks
            ],
            "canonical_request": _readable(self.canonical_request),
            "string_to_sign": _readable(self.string_to_sign),
        }

    def as_text(self) -> str:
        """Return this explanation as lines of printable ASCII."""
        lines = ["accepted" if self.accepted else f"refused: {self.refusal}"]
        if self.finding is not None:
            causes = ", ".join(self.finding.causes) or "none on the list"
            lines += [
                self.finding.summary,
                f"cause: {causes} ({self.finding.party})",
                f"remedy: {self.finding.remedy}",
            ]
        for check in self.checks:
            detail = f": {check.detail}" if check.detail else ""
            lines.append(f"{check.number:2} {check.status.value:11} {check.name}{detail}")
        for title, data in (
            ("canonical request", self.canonical_request),
            ("string to sign", self.string_to_sign),
        ):
            if data is not None:
                lines += [f"{title}:", *(f"    {line}" for line in readable(data).split("\n"))]
        return "\n".join(lines)


def _readable(data: bytes | None) -> str | None:
    return None if data is None else readable(data)
