"""One verdict for each request of an app, however many checks it passes.

A request that one check accepts another may refuse. So that it is accepted is
told when there is a response, and that it is refused at once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from typing import Final

from flask import Flask
from flask import Response
from flask import after_this_request

from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.contrib.flask.current import app_itself
from wsgi_sigv4.contrib.flask.current import request_itself
from wsgi_sigv4.contrib.flask.signals import request_judged
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.observing import Hook
from wsgi_sigv4.observing import Observer
from wsgi_sigv4.observing import Stopwatch
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.options import Options
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explaining import Explainer

logger: Final = logging.getLogger("wsgi_sigv4")

_KEPT: Final = "_sigv4_judgement"


@dataclass(slots=True, kw_only=True, eq=False)
class Judgement:
    """What is known of one request.

    Attributes:
        seconds: that its verification took.
        identity: who signed it, as far as it was accepted; nobody is told.
        accepted: the verdict that is told unless another check refuses.
        is_told: nothing more is to be told.
    """

    seconds: float = 0.0
    identity: Identity | None = None
    accepted: Verdict | None = None
    is_told: bool = False

    def tell(self, verdict: Verdict, observer: Observer) -> None:
        """Tell *observer* of *verdict*, unless it was told of another."""
        if not self.is_told:
            self.is_told = True
            observer.tell(verdict)


def judgement() -> Judgement:
    """Return what is known of the current request."""
    found: Judgement = vars(request_itself()).setdefault(_KEPT, Judgement())
    return found


def conclude(verdict: Verdict, observer: Observer) -> None:
    """Tell *observer* of the *verdict* of the current request: when there is a response."""
    found = judgement()
    if not verdict.accepted:
        found.tell(verdict, observer)
    elif found.accepted is None:
        found.accepted = verdict
        after_this_request(partial(_tell_accepted, found, observer))


def observer_of(
    app: Flask, verifier: Verifier, *, report_only: bool, explainer: Explainer | None
) -> Observer:
    """Return what tells whoever listens to the signal."""
    tell = partial(_send, app)
    return Observer(
        verifier, on_accept=tell, on_refuse=tell, report_only=report_only, explainer=explainer
    )


def is_listened_to() -> bool:
    """Return whether somebody wants to know of the verdicts of the current app."""
    return request_judged.has_receivers_for(app_itself())


def connect(app: Flask, *, on_accept: Hook | None, on_refuse: Hook | None) -> None:
    """Have the hooks of *app* listen to the signal."""
    if on_accept is None and on_refuse is None:
        return

    def tell(sender: Flask, *, verdict: Verdict) -> None:
        function = on_accept if verdict.accepted else on_refuse
        if function is not None:
            function(verdict)

    request_judged.connect(tell, app, weak=False)


def timed(
    environ: WSGIEnvironment, verifier: Verifier, options: Options, explainer: Explainer | None
) -> Identity | None:
    """Do as ``authenticate`` does, and note how long that takes, and for *explainer* what came."""
    stopwatch = Stopwatch(environ, None if explainer is None else explainer.watch(environ))
    try:
        return authenticate(environ, verifier, options)
    finally:
        judgement().seconds = stopwatch.stop()


def _tell_accepted(found: Judgement, observer: Observer, response: Response) -> Response:
    assert found.accepted is not None  # noqa: S101 (conclude has set it)
    found.tell(found.accepted, observer)
    return response


def _send(app: Flask, verdict: Verdict) -> None:
    """Tell each listener, also where another fails."""
    for receiver in request_judged.receivers_for(app):
        try:
            receiver(app, verdict=verdict)
        except Exception:
            logger.exception("a receiver of request_judged has failed")
