"""What a forked process has to begin anew.

Threads do not come along in a fork, but the locks that they hold do, and
nobody gives those back in the child.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

# No WeakMethods: when the interpreter ends, their callbacks may meet what is gone already.
_functions: Final[WeakKeyDictionary[Any, Callable[[Any], object]]] = WeakKeyDictionary()


def call_in_child(owner: T, function: Callable[[T], object]) -> None:
    """Have *function* called with *owner* in each process that is forked while that lives.

    An owner has one function.
    """
    _functions[owner] = function


def _in_child() -> None:  # pragma: no cover (coverage ends with the fork; tests fork)
    for owner, function in list(_functions.items()):
        function(owner)


if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no fork)
    os.register_at_fork(after_in_child=_in_child)
