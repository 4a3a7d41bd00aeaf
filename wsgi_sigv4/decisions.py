"""Which credentials a request was refused with, for whoever explains it.

An explanation judges with what the verdict judged with: a provider that is
asked again has more to do, and may say something else, as of a key that was
revoked meanwhile. The credentials are kept beside the refusal, as long as that
lives: not in it, nor in the environ, which error trackers, hooks and pickles
see. And nothing is kept where nobody explains.
"""

from __future__ import annotations

from types import EllipsisType
from weakref import WeakKeyDictionary

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import SigV4Error

_kept: WeakKeyDictionary[SigV4Error, tuple[Attempt, Credentials | None]] | None = None


def keep_decisions() -> None:
    """Have decisions remembered from now on."""
    global _kept
    if _kept is None:
        _kept = WeakKeyDictionary()


def remember(refusal: SigV4Error, attempt: Attempt, credentials: Credentials | None) -> None:
    """Note that *attempt* was refused with *refusal* when its key had *credentials*."""
    if _kept is not None:
        _kept[refusal] = attempt, credentials


def find_credentials(
    refusal: SigV4Error, attempt: Attempt | None
) -> Credentials | EllipsisType | None:
    """Return the credentials that *refusal* was decided with, None for an unknown key.

    An ellipsis: that is not known, or *attempt*, which is to be explained,
    asks for others. Something may have rewritten the request in between.
    """
    decided = None if _kept is None else _kept.get(refusal)
    if decided is None or attempt is None:
        return ...
    judged, credentials = decided
    return credentials if _question(judged) == _question(attempt) else ...


def _question(attempt: Attempt) -> tuple[object, ...]:
    return attempt.access_key_id, attempt.scope, attempt.session_token
