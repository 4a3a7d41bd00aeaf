"""Shadow mode: checks that verify, tell, and refuse nothing.

The view gets the request as it came, and ``current_identity`` is falsy.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Final

from flask import Flask
from flask import request

from wsgi_sigv4.contrib.flask.bodies import forget_kept
from wsgi_sigv4.contrib.flask.bodies import put_body_back
from wsgi_sigv4.contrib.flask.current import keep_until_done
from wsgi_sigv4.contrib.flask.guard import Guard
from wsgi_sigv4.contrib.flask.guard import Names
from wsgi_sigv4.contrib.flask.guard import routed_as_verified
from wsgi_sigv4.contrib.flask.refusals import PresignedNotAllowed
from wsgi_sigv4.contrib.flask.verdicts import conclude
from wsgi_sigv4.contrib.flask.verdicts import judgement
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import naming
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.report_only import examine
from wsgi_sigv4.verifier import Verifier

logger: Final = logging.getLogger("wsgi_sigv4")


class ReportingGuard(Guard):
    """A guard that refuses nothing, and gives nobody an identity."""

    __slots__ = ()

    def check(
        self, *, optional: bool | None, presigned: bool, region: Names, service: Names
    ) -> None:
        """Verify the current request, and pass it on whatever comes of it.

        Args:
            optional: an unsigned request would not be refused; None: as the options say.
            presigned: False would refuse presigned URLs.
            region: the region that would be accepted, or several; None: those of the app.
            service: the service that would be accepted, or several; None: those of the app.
        """
        found = judgement()
        if found.is_told:
            return
        try:
            verifier = self._narrowed_to(region, service)
        except ConfigurationError as error:
            logger.exception("not verified: the request is passed on")
            conclude(self.observer.failed(error, found.seconds), self.observer)
            return
        check = partial(_check, verifier, presigned=presigned)
        if found.identity is None:
            self._examine(verifier, optional, check)
            return
        try:
            check(found.identity)
        except SigV4Error as refusal:
            explained = self.explained(refusal, request.environ)
            log_refusal(refusal, request.environ, told="would have refused", explained=explained)
            verdict = self.observer.refused(refusal, found.seconds, explained)
            conclude(verdict, self.observer)

    def adopt(self, sender: Flask, **_: object) -> None:
        """Take over nothing, not even from a SigV4Middleware around the app."""

    def _examine(self, verifier: Verifier, optional: bool | None, check: partial[None]) -> None:
        environ, observer = request.environ, self.observer
        stream = environ["wsgi.input"]
        started = time.perf_counter()
        try:
            is_known = put_body_back()
        except RuntimeError as error:
            logger.exception("not verified: the request is passed on")
            conclude(observer.failed(error, time.perf_counter() - started), observer)
            return

        def remember(identity: Identity) -> None:
            check(identity)
            judgement().identity = identity

        verdict, body = examine(
            environ, verifier, self._options(optional), observer, check=remember
        )
        if is_known:
            # It was read before, and is kept elsewhere.
            environ["wsgi.input"] = stream
        elif environ["wsgi.input"] is not stream:
            forget_kept()
        if body is not None:
            keep_until_done(body)
        if verdict is not None:
            judgement().seconds = verdict.seconds
            conclude(verdict, observer)


def _check(verifier: Verifier, identity: Identity, *, presigned: bool) -> None:
    """Apply what a check has against an *identity*.

    Raises:
        SigV4Error: if it would be refused.
    """
    verifier.check_scope(identity)
    with naming(identity):
        if not routed_as_verified(request.environ):
            raise PathNotRouted
        if identity.presigned and not presigned:
            raise PresignedNotAllowed
