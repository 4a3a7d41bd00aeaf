"""A cache before a provider that has to ask a back end.

What it promises: a back end is asked once for each key and time to live,
however many threads want it; what is revoked there ends here within the time
to live; a back end that is down takes nothing away from the keys that are in
use, for a while that is stated.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from functools import partial

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import CredentialSource
from wsgi_sigv4.credentials import as_provider
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.forks import call_in_child
from wsgi_sigv4.providers.entries import Entries
from wsgi_sigv4.providers.entries import Question
from wsgi_sigv4.providers.flights import Flight
from wsgi_sigv4.providers.flights import Flights
from wsgi_sigv4.providers.flights import Landing
from wsgi_sigv4.providers.lookups import alookup


class CachingProvider:
    """A bounded cache before a provider, with single flight. Needs ``wsgi-sigv4[cache]``.

    Secrets are kept by access key id, which must name one secret whatever the
    scope and the session token; derived signing keys by id and scope. A back
    end that is down (CredentialsUnavailable) is not remembered, but entries go
    on for *stale_seconds* then. Each process has a cache of its own.

    Args:
        source: the provider, or a callable.
        ttl: seconds after which a key is asked for again; what was revoked or
            changed verifies no longer than that.
        negative_ttl: seconds after which an unknown key is asked for again; a
            new key may be refused for so long, if it was named before it was
            there.
        stale_seconds: seconds that an entry goes on after its *ttl* while the
            back end is down; 0: none.
        max_keys: key ids that are kept.
        max_unknown: unknown keys that are kept, apart from those.
        clock: seconds, of which only differences count.

    Raises:
        ConfigurationError: if a number makes no sense, or cachetools is missing.
    """

    def __init__(
        self,
        source: CredentialSource,
        *,
        ttl: float = 30.0,
        negative_ttl: float = 2.0,
        stale_seconds: float = 60.0,
        max_keys: int = 10_000,
        max_unknown: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        seconds = {"negative_ttl": negative_ttl, "stale_seconds": stale_seconds}
        numbers = {"ttl": ttl, "max_keys": max_keys, "max_unknown": max_unknown}
        for name, number in (seconds | numbers).items():
            if not (number > 0 or (name in seconds and number == 0)) or math.isinf(number):
                raise ConfigurationError(f"{name} is a positive number")
        self._provider = as_provider(source)
        self._clock = clock
        self._new_entries = partial(
            Entries,
            ttl=ttl,
            negative_ttl=negative_ttl,
            stale_seconds=stale_seconds,
            max_keys=max_keys,
            max_unknown=max_unknown,
            clock=clock,
        )
        self._begin()
        call_in_child(self, CachingProvider._begin)

    def _begin(self) -> None:
        # In a forked child too: nobody there gives the lock back, or lands a flight.
        self._lock = threading.Lock()
        self._flights = Flights()
        self._entries = self._new_entries()

    def __repr__(self) -> str:
        return f"CachingProvider(<{type(self._provider).__name__}, {len(self._entries)} keys>)"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Raises:
            CredentialsUnavailable: if the back end is down, and the key not in the cache.
        """
        with self._lock:
            fresh = self._entries.fresh(access_key_id, scope)
        if fresh is not None:
            return fresh
        question = Question.of(access_key_id, scope, session_token)
        # A flight for the id serves all scopes, if it brings a secret; else each scope has its own.
        for about in (access_key_id, question):
            boarded = self._board(about, question, loop=None)
            if isinstance(boarded, Landing):
                return boarded.credentials
            flight, leads = boarded
            if leads:
                return self._lead(flight, question, session_token)
            landing = flight.wait(question)
            if landing.answers(question):
                return self._taken(landing, question)
        return self._lead(self._flights.alone(loop=None), question, session_token)

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Do the same under ASGI.

        Raises:
            CredentialsUnavailable: if the back end is down, and the key not in the cache.
        """
        with self._lock:
            fresh = self._entries.fresh(access_key_id, scope)
        if fresh is not None:
            return fresh
        question = Question.of(access_key_id, scope, session_token)
        loop = asyncio.get_running_loop()
        for about in (access_key_id, question):
            boarded = self._board(about, question, loop=loop)
            if isinstance(boarded, Landing):
                return boarded.credentials
            flight, leads = boarded
            if leads:
                return await self._alead(flight, question, session_token)
            landing = await flight.await_landing(question)
            if landing.answers(question):
                return self._taken(landing, question)
        return await self._alead(self._flights.alone(loop=loop), question, session_token)

    def forget(self, access_key_id: str) -> None:
        """Ask for *access_key_id* again, in this process: it was revoked, rotated or issued."""
        with self._lock:
            self._entries.forget(access_key_id)
            self._flights.outdate()

    def _board(
        self, about: str | Question, question: Question, *, loop: asyncio.AbstractEventLoop | None
    ) -> Landing | tuple[Flight, bool]:
        """Return an answer that has come in meanwhile, or a flight and whether to lead it."""
        with self._lock:
            fresh = self._entries.fresh(question.access_key_id, question.scope)
            if fresh is not None or self._entries.is_unknown(question):
                return Landing(question=question, credentials=fresh)
            return self._flights.board(about, loop=loop)

    def _lead(
        self, flight: Flight, question: Question, session_token: str | None
    ) -> Credentials | None:
        landing = Landing(question=question, lost=True)
        asked_at = self._clock()
        try:
            found = self._provider.lookup(
                question.access_key_id, scope=question.scope, session_token=session_token
            )
            landing = Landing(question=question, credentials=found, is_news=True)
        except CredentialsUnavailable as down:
            landing = self._excuse(question, down.retry_after)
            if landing.retry_after is not None:
                raise
        finally:
            self._land(flight, landing, asked_at)
        return landing.credentials

    async def _alead(
        self, flight: Flight, question: Question, session_token: str | None
    ) -> Credentials | None:
        landing = Landing(question=question, lost=True)
        asked_at = self._clock()
        try:
            found = await alookup(
                self._provider,
                question.access_key_id,
                scope=question.scope,
                session_token=session_token,
            )
            landing = Landing(question=question, credentials=found, is_news=True)
        except CredentialsUnavailable as down:
            landing = self._excuse(question, down.retry_after)
            if landing.retry_after is not None:
                raise
        finally:
            self._land(flight, landing, asked_at)
        return landing.credentials

    def _land(self, flight: Flight, landing: Landing, asked_at: float) -> None:
        # In one step: who comes now boards the flight, or finds what it brought.
        with self._lock:
            if self._flights.end(flight) and landing.is_news:
                self._entries.keep(landing.question, landing.credentials, asked_at=asked_at)
        flight.land(landing)

    def _excuse(self, question: Question, retry_after: int) -> Landing:
        """Return what goes on while the back end is down, or else that it is down."""
        with self._lock:
            excused = self._entries.excused(question)
        if excused is None:
            return Landing(question=question, retry_after=retry_after)
        return Landing(question=question, credentials=excused)

    def _taken(self, landing: Landing, question: Question) -> Credentials | None:
        """Return what another's flight brought."""
        if landing.retry_after is not None:
            landing = self._excuse(question, landing.retry_after)
        if landing.retry_after is not None:
            # An exception of its own: whose request it was is written into it.
            raise CredentialsUnavailable(retry_after=landing.retry_after)
        return landing.credentials
