"""Prometheus: counts of verdicts, and how long verifications take.

``pip install 'wsgi-sigv4[prometheus]'``; a :class:`Metrics` is a hook::

    metrics = Metrics()
    SigV4Middleware(app, verifier, on_accept=metrics, on_refuse=metrics)

No label holds what a stranger chooses: an outcome, a reason and a profile are
each one of a closed set. So an attack makes no new time series, and no access
key id stands in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Histogram

from wsgi_sigv4 import errors
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.observing import Verdict

#: Seconds; a cached key takes some tens of microseconds, a look-up what a database does.
BUCKETS: Final = (
    *(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
    *(0.5, 1.0, 2.5, 5.0),
)

#: Every reason there is, and the one that Flask's decorator has of its own.
REASONS: Final = frozenset(
    {
        "PresignedNotAllowed",
        *(
            name
            for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, SigV4Error) and kind is not SigV4Error
        ),
    }
)


class Metrics:
    """A hook that counts and measures, for ``on_accept`` and ``on_refuse``.

    It keeps two metrics:

    - ``sigv4_requests_total``, by ``outcome``, ``reason``, ``profile`` and
      ``report_only``. The reason is the name of the class of the refusal, empty
      for an accepted request, and ``other`` where the verification has failed.
    - ``sigv4_verification_seconds``, a histogram by ``outcome``.

    Args:
        registry: where they are registered. None: prometheus-client's own.
        buckets: those of the histogram.
        prefix: what the names of the metrics begin with.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry | None = None,
        buckets: Sequence[float] = BUCKETS,
        prefix: str = "sigv4",
    ) -> None:
        registry = REGISTRY if registry is None else registry
        self._requests = Counter(
            f"{prefix}_requests",
            "Requests that were verified or refused.",
            ("outcome", "reason", "profile", "report_only"),
            registry=registry,
        )
        self._seconds = Histogram(
            f"{prefix}_verification_seconds",
            "Seconds that verifications took, without waiting for bodies.",
            ("outcome",),
            buckets=tuple(buckets),
            registry=registry,
        )

    def __call__(self, verdict: Verdict) -> None:
        """Count *verdict*."""
        self._requests.labels(
            verdict.outcome,
            _reason(verdict.error),
            verdict.profile,
            "true" if verdict.report_only else "false",
        ).inc()
        self._seconds.labels(verdict.outcome).observe(verdict.seconds)


def _reason(error: str | None) -> str:
    if error is None:
        return ""
    # Whatever a provider raises has a name that nobody has counted.
    return error if error in REASONS else "other"
