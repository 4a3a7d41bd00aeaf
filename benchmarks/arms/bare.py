"""The application without a middleware: what the way to it costs by itself."""

from __future__ import annotations

from benchmarks.arms import package


def arm(service: str) -> package.Served:
    """Return the arm."""
    return package.Served(package.hello)
