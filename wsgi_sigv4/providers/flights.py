"""Single flight: who asks a back end, and who waits for that answer.

The first thread that asks a question leads; those that ask it meanwhile wait
for what it brings. Tasks of an event loop fly with tasks of that loop only: a
thread that waited for a task might be the one that the task needs.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.providers.entries import Question

#: Seconds that a thread waits for another one's answer; more than a back end's own time limit.
MAX_WAIT: Final = 30.0
#: Seconds that a client is told to wait then.
RETRY_AFTER: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What a flight brought: credentials, None, or nothing at all.

    Attributes:
        question: what was asked.
        credentials: the answer.
        is_news: the answer came from the back end.
        lost: there was no answer; whoever waited for it asks on its own.
        retry_after: where the back end is down, seconds; else None.
    """

    question: Question
    credentials: Credentials | None = None
    is_news: bool = False
    lost: bool = False
    retry_after: int | None = None

    def answers(self, question: Question) -> bool:
        """Return whether this is an answer to *question* too."""
        if self.lost:
            return False
        if self.retry_after is not None or self.question == question:
            return True
        # A secret is one and the same for all scopes; a signing key is not, and
        # another token may be known where this one is not.
        return self.credentials is not None and self.credentials.signing_key is None


class Flight:
    """A question on its way, and those who wait for the answer."""

    __slots__ = ("future", "generation", "name")

    def __init__(
        self, name: Hashable, generation: int, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.name = name
        self.generation = generation
        self.future: asyncio.Future[Landing] | concurrent.futures.Future[Landing]
        self.future = concurrent.futures.Future() if loop is None else loop.create_future()

    def land(self, landing: Landing) -> None:
        """Tell those who wait."""
        self.future.set_result(landing)

    def wait(self, question: Question) -> Landing:
        """Wait, in a thread; a back end that takes too long is down."""
        assert isinstance(self.future, concurrent.futures.Future)  # noqa: S101 (by its loop)
        try:
            return self.future.result(MAX_WAIT)
        except TimeoutError:
            return Landing(question=question, retry_after=RETRY_AFTER)

    async def await_landing(self, question: Question) -> Landing:
        """Wait, in a task; one that is cancelled takes no other with it."""
        assert isinstance(self.future, asyncio.Future)  # noqa: S101 (by its loop)
        try:
            return await asyncio.wait_for(asyncio.shield(self.future), MAX_WAIT)
        except TimeoutError:
            return Landing(question=question, retry_after=RETRY_AFTER)


class Flights:
    """The flights of a caching provider. Its caller has the lock."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight] = {}
        self._generation = 0

    def __len__(self) -> int:
        return len(self._flights)

    def board(
        self, about: Hashable, *, loop: asyncio.AbstractEventLoop | None
    ) -> tuple[Flight, bool]:
        """Return the flight about something, and whether the caller leads it."""
        name = (loop, about)
        flight = self._flights.get(name)
        if flight is not None and flight.generation == self._generation:
            return flight, False
        flight = Flight(name, self._generation, loop)
        self._flights[name] = flight
        return flight, True

    def alone(self, *, loop: asyncio.AbstractEventLoop | None) -> Flight:
        """Return a flight that nobody else can board."""
        return Flight((loop, object()), self._generation, loop)

    def end(self, flight: Flight) -> bool:
        """End *flight*, and return whether what it brings may still be remembered."""
        if self._flights.get(flight.name) is flight:
            del self._flights[flight.name]
        return flight.generation == self._generation

    def outdate(self) -> None:
        """Let nobody board the flights there are: what they bring may be out of date."""
        self._generation += 1
