"""The app of the access keys, in a project of its own."""

from __future__ import annotations
