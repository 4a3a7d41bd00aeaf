"""The order of MIDDLEWARE, on which more than convenience depends.

Above SigV4Middleware belongs whatever finds ``request.user``, which that
replaces; below it whatever answers, and whatever reads the body.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

OURS: Final = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"

REMOTE_USER: Final = "django.contrib.auth.middleware.RemoteUserMiddleware"

#: What finds a session and its user. Below ours it would put the user of the
#: session in the place of the key's owner.
_FINDS_USER: Final = frozenset(
    {
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        REMOTE_USER,
    }
)
#: What answers from a cache. Above ours it would answer whoever asks.
_ANSWERS: Final = frozenset({"django.middleware.cache.FetchFromCacheMiddleware"})
#: What reads the body, or wants to keep it whole in memory.
_READS_BODY: Final = frozenset(
    {
        "easyaudit.middleware.easyaudit.EasyAuditMiddleware",
        "request_logging.middleware.LoggingMiddleware",
        "silk.middleware.SilkyMiddleware",
    }
)


def check_order() -> None:
    """Refuse to start where the order of MIDDLEWARE would undo the verification.

    Raises:
        ImproperlyConfigured: if it would.
    """
    for fault in user_faults():
        raise ImproperlyConfigured(fault)
    for fault in cache_faults():
        raise ImproperlyConfigured(fault)


def user_faults() -> Iterator[str]:
    """Yield which middleware below ours would replace the key's owner."""
    for path in _listed(_FINDS_USER, above=False):
        yield f"{path} belongs above SigV4Middleware in MIDDLEWARE: below, it replaces request.user"


def cache_faults() -> Iterator[str]:
    """Yield which middleware above ours answers without asking it."""
    for path in _listed(_ANSWERS, above=True):
        yield (
            f"{path} belongs below SigV4Middleware in MIDDLEWARE: above, it answers requests "
            "that nobody has verified"
        )


def body_faults() -> Iterator[str]:
    """Yield which middleware above ours reads the body."""
    for path in _listed(_READS_BODY, above=True):
        yield f"{path} reads the body, and belongs below SigV4Middleware in MIDDLEWARE"


def is_listed(name: str) -> bool:
    """Return whether the class *name*, or one derived from it, is in MIDDLEWARE."""
    return any(name in _names(path) for path in settings.MIDDLEWARE)


def _listed(names: frozenset[str], *, above: bool) -> Iterator[str]:
    """Yield what in MIDDLEWARE has one of *names* and stands above ours, or below it."""
    kinds = [(path, _names(path)) for path in settings.MIDDLEWARE]
    ours = [place for place, (_, kind) in enumerate(kinds) if OURS in kind]
    for place, (path, kind) in enumerate(kinds):
        if ours and not names.isdisjoint(kind) and (place < ours[-1] if above else place > ours[0]):
            yield path


def _names(path: str) -> frozenset[str]:
    """Return the names of the class at *path* and of those that it derives from."""
    try:
        found = import_string(path)
    except ImportError:
        # Django itself will say so.
        return frozenset({path})
    kinds = found.__mro__ if isinstance(found, type) else ()
    return frozenset({path, *(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)})
