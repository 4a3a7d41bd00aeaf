"""What the callables that a user hands in are."""

from __future__ import annotations

from inspect import iscoroutinefunction


def is_asynchronous(function: object) -> bool:
    """Return whether what *function* returns has to be awaited: a coroutine is always true."""
    if not callable(function):
        return False
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)
