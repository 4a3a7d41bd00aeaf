"""The commands of the app, and what their arguments have in common."""

from __future__ import annotations
