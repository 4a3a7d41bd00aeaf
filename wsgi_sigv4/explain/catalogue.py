"""The closed list of hypotheses, in the order in which they are tried."""

from __future__ import annotations

from typing import Final

from wsgi_sigv4.explain.hosts import HOSTS
from wsgi_sigv4.explain.hypothesis import Hypothesis

HYPOTHESES: Final[tuple[Hypothesis, ...]] = HOSTS
