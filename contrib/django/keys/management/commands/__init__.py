"""The commands of the app: ``manage.py sigv4_...``."""

from __future__ import annotations
