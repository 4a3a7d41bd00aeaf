"""What the server would say to a saved request: the request, the verifier, the explanation."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import Final

from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Profile
from wsgi_sigv4 import Verifier
from wsgi_sigv4.command.comparison import Difference
from wsgi_sigv4.command.comparison import find_difference
from wsgi_sigv4.command.faults import CommandFault
from wsgi_sigv4.command.inputs import Chosen
from wsgi_sigv4.command.keys import Keys
from wsgi_sigv4.command.saved import SavedRequest
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.engine import comparable
from wsgi_sigv4.profiles import S3_SERVICES
from wsgi_sigv4.redaction import redacted_parameters
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.timestamps import Timestamp
from wsgi_sigv4.timestamps import find_date

PROFILES: Final[dict[str, Profile]] = {"s3": S3, "generic": GENERIC}
_SERVICE: Final = re.compile(
    rb"(?:Credential=|X-Amz-Credential=)[^/%,&\s]{1,128}(?:/|%2F)[0-9]{8}(?:/|%2F)"
    rb"[A-Za-z0-9-]{1,64}(?:/|%2F)([A-Za-z0-9-]{1,64})(?:/|%2F)",
    re.IGNORECASE,
)
#: POSIX seconds that a date can be made of.
_POSIX: Final = re.compile(r"[0-9]{1,11}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the command line says of the server that is to judge.

    Attributes:
        keys: the keys that it knows.
        region: the region that it accepts; None: any.
        service: the service that it accepts; None: the one that was signed for.
        profile: a name of :data:`PROFILES`; None: by the service.
        hosts: the Host values that it accepts; empty: any.
        path_prefix: what a proxy strips from the path.
        now: POSIX seconds; None: the time of the request.
    """

    keys: Keys
    region: str | None = None
    service: str | None = None
    profile: str | None = None
    hosts: tuple[str, ...] = ()
    path_prefix: str = ""
    now: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the server would say, and why.

    Attributes:
        chosen: the request.
        explanation: what the server says to it.
        now: the POSIX seconds it was judged at.
        notes: what is in doubt.
        compared: whether there was a canonical request of the client's to
            compare with.
        difference: where that one differs from the server's, or None.
    """

    chosen: Chosen
    explanation: Explanation
    now: float
    notes: tuple[str, ...]
    compared: bool
    difference: Difference | None

    @property
    def path(self) -> bytes:
        """The path, as far as it may be shown: a query may stand in it whose ? was escaped."""
        return redacted_parameters(self.chosen.saved.path)

    def as_dict(self) -> dict[str, Any]:
        """Return this judgement, ready for JSON."""
        return {
            "format": self.chosen.format,
            "entry": self.chosen.entry,
            "method": self.chosen.saved.method,
            "path": self.path.decode("latin-1"),
            "judged_at": Timestamp.at(self.now).iso,
            "notes": list(self.notes),
            **self.explanation.as_dict(),
            "client_canonical_request": {
                "compared": self.compared,
                "difference": None if self.difference is None else self.difference.as_dict(),
            },
        }


def judge(chosen: Chosen, server: Server, *, client: bytes | None = None) -> Judgement:
    """Return what *server* says to a request.

    Args:
        chosen: the request.
        server: the server.
        client: the client's canonical request; None: that of the file, if any.

    Raises:
        CommandFault: if the arguments make no sense together.
        UnreadableInput: if no server takes such a request.
    """
    saved = chosen.saved
    request = saved.request(path_prefix=server.path_prefix)
    now, notes = _time(saved, server)
    verifier = _verifier(saved, server)
    explanation = explain(request, verifier, body=saved.body, now=now)
    if saved.body_doubt is not None and _is_unexplained(explanation):
        # It is no finding that another body does not fit.
        explanation = explain(request, verifier, body=None, now=now)
    if saved.body is None and explanation.accepted:
        notes = (*notes, "the signature is right; the body was not there to be checked")
    client = saved.client_canonical_request if client is None else client
    compared = None
    if client is not None:
        compared = comparable(client, request, verifier, body=saved.body, now=now)
        if compared is None:
            notes = (*notes, "the request is refused before its canonical request is built")
    return Judgement(
        chosen=chosen,
        explanation=explanation,
        now=now,
        notes=(*chosen.notes, *saved.notes, *_doubts(saved), *notes),
        compared=compared is not None,
        difference=None if compared is None else find_difference(*compared),
    )


def _is_unexplained(explanation: Explanation) -> bool:
    return explanation.finding is not None and not explanation.finding.causes


def _doubts(saved: SavedRequest) -> tuple[str, ...]:
    return () if saved.body_doubt is None else (saved.body_doubt,)


def parse_time(text: str) -> float:
    """Return the POSIX seconds of *text*: ISO 8601, a Date header, or seconds.

    Raises:
        ValueError: if it is none of these.
    """
    found = find_date(text)
    if found is not None:
        return found.posix
    if _POSIX.fullmatch(text) is not None:
        return float(text)
    moment = datetime.fromisoformat(text)
    # In UTC it may be no date any more.
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).timestamp()


def _time(saved: SavedRequest, server: Server) -> tuple[float, tuple[str, ...]]:
    """Return when the request is judged, and what that leaves in doubt."""
    if server.now is not None:
        return server.now, ()
    told = _own_time(saved)
    if told is None:
        return time.time(), ()
    note = f"judged as of its own time, {told.iso}; --at-clock judges as of now"
    return told.posix, (note,)


def _own_time(saved: SavedRequest) -> Timestamp | None:
    try:
        dates = [value for name, value in parse_query(saved.query) if name == b"X-Amz-Date"]
    except MalformedQuery:
        dates = []
    dates += saved.values(b"x-amz-date") + saved.values(b"date")
    found = [find_date(value.decode("latin-1")) for value in dates]
    return next((timestamp for timestamp in found if timestamp is not None), None)


def _verifier(saved: SavedRequest, server: Server) -> Verifier:
    service = server.service or _signed_service(saved)
    name = server.profile or ("s3" if service in S3_SERVICES else "generic")
    now = server.now
    try:
        return Verifier(
            server.keys.credentials,
            region=server.region,
            service=service,
            profile=PROFILES[name],
            hosts=server.hosts or None,
            clock=time.time if now is None else lambda: now,
        )
    except ConfigurationError as fault:
        raise CommandFault(str(fault)) from None


def _signed_service(saved: SavedRequest) -> str | None:
    """Return the service of the credential scope, or None where it cannot be told."""
    for text in (*saved.values(b"authorization"), saved.query):
        found = _SERVICE.search(text)
        if found is not None:
            return found[1].decode("ascii")
    return None
