"""What a forked process has to begin anew.

Threads do not come along in a fork, but the locks that they hold do, and
nobody gives those back in the child.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from typing import Final
from weakref import WeakMethod

_methods: Final[set[WeakMethod[Callable[[], Any]]]] = set()


def call_in_child(method: Callable[[], Any]) -> None:
    """Have a bound *method* called in each process that is forked while its object lives."""
    _methods.add(WeakMethod(method, _methods.discard))


def _in_child() -> None:  # pragma: no cover (coverage ends with the fork; tests fork)
    for reference in list(_methods):
        method = reference()
        if method is not None:
            method()


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no fork)
    os.register_at_fork(after_in_child=_in_child)
