"""What a caching provider remembers: known keys and, apart from them, unknown ones.

Known keys are held by their id. Where the provider below returns secrets, that
is all; where it returns signing keys, which are good for one scope, each id
has a few of them. Unknown keys are held by all that was asked, and in a place
of their own: whoever names a million of them pushes out nothing but those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ConfigurationError

#: Signing keys of one key id: a few regions and services, today and yesterday. The client names
#: the scope, so that without this one id could push out all others.
SCOPES_PER_KEY: Final = 16
#: Seconds between two questions for a key while its back end is down.
RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a provider is asked; the session token as its hash."""

    access_key_id: str
    scope: CredentialScope
    token_hash: bytes

    @classmethod
    def of(cls, access_key_id: str, scope: CredentialScope, token: str | None) -> Question:
        """Return the question that these make."""
        token_hash = b"" if token is None else hashlib.sha256(token.encode()).digest()
        return cls(access_key_id=access_key_id, scope=scope, token_hash=token_hash)


@dataclass(slots=True, kw_only=True)
class Entry:
    """Credentials, and how long they go on: fresh, then in need of an excuse, then not at all."""

    credentials: Credentials
    fresh_until: float
    stale_until: float


#: Signing keys by their scope, or a secret by None.
_Scoped = dict[CredentialScope | None, Entry]


class Entries:
    """The entries of a caching provider. Its caller has the lock.

    Args:
        ttl: seconds that an entry is fresh.
        negative_ttl: seconds that an unknown key is taken for one.
        stale_seconds: seconds that it may go on after that, with an excuse.
        max_keys: key ids.
        max_unknown: questions about unknown keys.
        clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        *,
        ttl: float,
        negative_ttl: float,
        stale_seconds: float,
        max_keys: int,
        max_unknown: int,
        clock: Callable[[], float],
    ) -> None:
        try:
            from cachetools import TTLCache
        except ImportError:
            raise ConfigurationError("CachingProvider needs wsgi-sigv4[cache]") from None
        self._ttl = ttl
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._known: MutableMapping[str, _Scoped] = TTLCache(max_keys, ttl + stale_seconds, clock)
        self._unknown: MutableMapping[Question, None] = TTLCache(max_unknown, negative_ttl, clock)

    def __len__(self) -> int:
        return len(self._known)

    def fresh(self, access_key_id: str, scope: CredentialScope) -> Credentials | None:
        """Return the credentials of a known key, or None where they must be asked for."""
        entry = self._entry(access_key_id, scope)
        if entry is None or not self._clock() < entry.fresh_until:
            return None
        return entry.credentials

    def is_unknown(self, question: Question) -> bool:
        """Return whether the answer to *question* was None, a moment ago."""
        return question in self._unknown

    def excused(self, question: Question) -> Credentials | None:
        """Return credentials that may go on while the back end is down, or None.

        They are fresh for another moment then, so that not every request asks
        a back end that is down, and no longer: it may be up again.
        """
        entry = self._entry(question.access_key_id, question.scope)
        now = self._clock()
        if entry is None or not now < entry.stale_until:
            return None
        entry.fresh_until = min(now + RETRY_SECONDS, entry.stale_until)
        return entry.credentials

    def keep(self, question: Question, found: Credentials | None, *, asked_at: float) -> None:
        """Remember that *found* is the answer to *question*.

        Its time counts from *asked_at*: the back end may have read it then, and answered later.
        """
        if found is None:
            self._known_no_more(question)
            self._unknown[question] = None
            return
        fresh_until = asked_at + self._ttl
        stale_until = fresh_until + self._stale_seconds
        entry = Entry(credentials=found, fresh_until=fresh_until, stale_until=stale_until)
        scoped: _Scoped = {}
        if found.signing_key is not None:
            # The newest stands last, and a secret that it takes the place of is gone.
            scoped |= self._known.get(question.access_key_id, {})
            scoped.pop(None, None)
            scoped.pop(question.scope, None)
            while len(scoped) >= SCOPES_PER_KEY:
                del scoped[next(iter(scoped))]
        scoped[None if found.signing_key is None else question.scope] = entry
        self._known[question.access_key_id] = scoped

    def forget(self, access_key_id: str) -> None:
        """Remember nothing of *access_key_id* any more."""
        self._known.pop(access_key_id, None)
        for question in [q for q in self._unknown if q.access_key_id == access_key_id]:
            self._unknown.pop(question, None)

    def _entry(self, access_key_id: str, scope: CredentialScope) -> Entry | None:
        # Not get(), which looks it up twice.
        try:
            scoped = self._known[access_key_id]
        except KeyError:
            return None
        return scoped.get(None) or scoped.get(scope)

    def _known_no_more(self, question: Question) -> None:
        scoped = self._known.get(question.access_key_id, {})
        scoped.pop(None, None)
        scoped.pop(question.scope, None)
