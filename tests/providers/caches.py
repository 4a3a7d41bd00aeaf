"""A cache as the tests make it, with short times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsgi_sigv4.providers import CachingProvider

TTL, NEGATIVE, STALE = 10.0, 2.0, 30.0


def caching(back_end: object, clock: Callable[[], float], **parameters: Any) -> CachingProvider:
    """Return a cache before *back_end*."""
    usual = {"ttl": TTL, "negative_ttl": NEGATIVE, "stale_seconds": STALE, "clock": clock}
    return CachingProvider(back_end, **(usual | parameters))  # type: ignore[arg-type] # (a back end)
