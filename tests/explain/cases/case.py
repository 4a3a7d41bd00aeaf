"""A real case of a cause: how it is made, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.explain.cases.fronts import Front
from tests.explain.cases.senders import Send

#: In place of a cause, where none can be found.
NOTHING = ""
#: Two causes in one request.
TWO = ("host-port-dropped path-prefix-stripped", "host-forwarded path-decoded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a request gets to the application.

    Attributes:
        send: the client.
        front: the proxy; None: there is none.
        place: the name of what stands behind it.
    """

    send: Send
    front: Front | None = None
    place: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What the finding says, done: the request is accepted then.

    Attributes:
        says: words of the finding's remedy.
        way: the way with the remedy.
    """

    says: str
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A request that is really sent.

    Attributes:
        cause: what is found; two with a blank between them.
        how: how the case is made, for the page.
        way: the way with the fault.
        remedies: each of them mends it.
    """

    cause: str
    how: str
    way: Way
    remedies: tuple[Remedy, ...] = ()


def direct(send: Send, place: str = "plain") -> Way:
    """Return the way without a proxy."""
    return Way(send=send, place=place)


def case(cause: str, how: str, way: Way, *remedies: tuple[str, Way]) -> Live:
    """Return a case; of each remedy the words and the way."""
    mended = tuple(Remedy(says=says, way=way) for says, way in remedies)
    return Live(cause=cause, how=how, way=way, remedies=mended)
