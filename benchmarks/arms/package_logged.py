"""This project, where refusals are logged: formatted, and written to a file that keeps nothing."""

from __future__ import annotations

import logging
import os
from functools import cache

from benchmarks.arms import package


def arm(service: str) -> package.Served:
    """Return the arm for requests that are signed for *service*."""
    served = package.arm(service)
    package.listen(_handler())
    return served


@cache
def _handler() -> logging.Handler:
    handler = logging.FileHandler(os.devnull)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
