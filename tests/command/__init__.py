"""Floor 6.5: the command."""

from __future__ import annotations
