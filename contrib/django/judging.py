"""One verdict for each request, for the hooks and for the signal ``request_judged``.

What the middleware accepts a view may still refuse. So that a request is
accepted is told when there is a response, and that it is refused at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.explaining import find_explained
from wsgi_sigv4.contrib.django.explaining import watch
from wsgi_sigv4.contrib.django.streaming import find_streamed
from wsgi_sigv4.environ import IDENTITY
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.observing import Observer
from wsgi_sigv4.observing import Stopwatch
from wsgi_sigv4.observing import Verdict

_KEPT: Final = "_sigv4_judgement"


@dataclass(slots=True, kw_only=True, eq=False)
class Judgement:
    """What is known of one request.

    Attributes:
        seconds: that its verification took.
        verdict: what came of it, where it was only reported on.
        is_told: nothing more is to be told.
    """

    seconds: float = 0.0
    verdict: Verdict | None = None
    is_told: bool = False


def judgement(request: HttpRequest) -> Judgement:
    """Return what is known of *request*."""
    found: Judgement = vars(request).setdefault(_KEPT, Judgement())
    return found


def is_judged(request: HttpRequest) -> bool:
    """Return whether *request*, which is only reported on, has a verdict."""
    return judgement(request).verdict is not None


class Timing:
    """Measures the verification of *request*, as long as the ``with`` statement lasts."""

    def __init__(self, request: HttpRequest, conf: Configuration) -> None:
        self._request = request
        self._inherited = request.META.get(IDENTITY)
        self._stopwatch = Stopwatch(request.META, watch(request, conf))

    def __enter__(self) -> Timing:
        return self

    def __exit__(self, *_: object) -> None:
        judgement(self._request).seconds = self._stopwatch.stop()

    def is_of(self, identity: Identity) -> bool:
        """Return whether *identity* was verified here, and not by a middleware around."""
        return identity is not self._inherited


def observer_of(conf: Configuration) -> Observer:
    """Return what tells the hooks of *conf*."""
    return Observer(
        conf.verifier,
        on_accept=conf.on_accept,
        on_refuse=conf.on_refuse,
        report_only=conf.report_only,
    )


def accepted(request: HttpRequest, identity: Identity, conf: Configuration) -> Verdict | None:
    """Return the verdict on *request*, accepted as that of *identity*.

    None: the answer is an error, and the end of the body has not come.
    """
    body = find_streamed(request)
    if body is not None and not body.is_verified:
        return None
    return observer_of(conf).accepted(identity, judgement(request).seconds)


def refused(request: HttpRequest, refusal: SigV4Error, conf: Configuration) -> Verdict:
    """Return the verdict on *request*, refused with *refusal*."""
    explained = find_explained(refusal, request)
    return observer_of(conf).refused(refusal, judgement(request).seconds, explained)
