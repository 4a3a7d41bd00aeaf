"""This project, where the application reads the body while it arrives."""

from __future__ import annotations

from benchmarks.arms import package


def arm(service: str) -> package.Served:
    """Return the arm for requests that are signed for *service*."""
    return package.arm(service, stream=True)
