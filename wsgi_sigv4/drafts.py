"""Frozen objects that are filled before they are frozen.

``__init__`` of a frozen dataclass sets its fields one by one past its own
``__setattr__``, which takes four times as long as all else that makes an
object. A draft has the same slots and no lock on them; when all are filled,
it becomes an object of the frozen class.
"""

from __future__ import annotations

from typing import Any


def draft_of(frozen: type) -> type[Any]:
    """Return a class whose objects may become those of the slotted dataclass *frozen*."""
    return type(f"{frozen.__name__}Draft", (), {"__slots__": frozen.__slots__})  # type: ignore[attr-defined] # (made by dataclass)
