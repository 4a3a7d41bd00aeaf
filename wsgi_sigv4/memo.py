"""What was worked out once is remembered, of whatever anybody may send.

A client chooses the values, so what is kept of them is bounded: in their
number, and each in its size. What could not be worked out is not remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sized
from typing import Final
from typing import TypeVar

#: How many values are remembered unless it is said otherwise.
ENTRIES: Final = 512
#: What the sizes of all keys of a memo may come to, in bytes.
ROOM: Final = 1024 * 1024
#: Bytes that a short string takes beside its characters.
_OBJECT: Final = 64

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """A mapping that works out what is missing: ``memo[value]``.

    Threads may share it: two of them may work out the same value, no more.

    Args:
        work_out: makes the value of a key; must depend on nothing else.
        longest: size of the keys that are remembered.
        entries: how many of them.
        size: what the size of a key is.
    """

    __slots__ = ("_entries", "_longest", "_size", "_taken", "_work_out")

    def __init__(
        self,
        work_out: Callable[[K], V],
        *,
        longest: int,
        entries: int = ENTRIES,
        size: Callable[[K], int],
    ) -> None:
        super().__init__()
        self._work_out = work_out
        self._longest = longest
        self._entries = entries
        self._size = size
        self._taken = 0

    def __repr__(self) -> str:
        return f"Memo(<{len(self)} entries>)"

    def __missing__(self, key: K) -> V:
        value = self._work_out(key)
        size = self._size(key)
        if size <= self._longest:
            # All of them: to know which were used last would cost what is to be saved.
            if len(self) >= self._entries or self._taken + size > ROOM:
                self.clear()
            self._taken += size
            self[key] = value
        return value

    def clear(self) -> None:
        """Forget all values."""
        super().clear()
        self._taken = 0


def total_length(parts: tuple[Sized, ...]) -> int:
    """Return about how many bytes a key takes that is a tuple of *parts*."""
    return sum(map(len, parts)) + _OBJECT * len(parts)
