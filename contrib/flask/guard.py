"""How one app verifies its requests.

A guard comes after routing and does not move the path: a path that is not in
normal form is refused. What it verified stays verified for the request, so
that a blueprint's check and a view's do the work once.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import partial
from typing import IO
from typing import TYPE_CHECKING

from flask import Flask
from flask import Response
from flask import after_this_request
from flask import current_app
from flask import request
from werkzeug.exceptions import HTTPException

from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import claim
from wsgi_sigv4.authentication import set_remote_user
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.contrib.flask.bodies import forget_kept
from wsgi_sigv4.contrib.flask.bodies import put_body_back
from wsgi_sigv4.contrib.flask.bodies import turn_away
from wsgi_sigv4.contrib.flask.current import app_itself
from wsgi_sigv4.contrib.flask.current import find_identity
from wsgi_sigv4.contrib.flask.current import find_refusal
from wsgi_sigv4.contrib.flask.current import is_anonymous
from wsgi_sigv4.contrib.flask.current import remember
from wsgi_sigv4.contrib.flask.current import remember_anonymous
from wsgi_sigv4.contrib.flask.current import remember_refused
from wsgi_sigv4.contrib.flask.current import take_identity_away
from wsgi_sigv4.contrib.flask.gate import Settlement
from wsgi_sigv4.contrib.flask.gate import find_settlement
from wsgi_sigv4.contrib.flask.refusals import PresignedNotAllowed
from wsgi_sigv4.contrib.flask.refusals import as_http_exception
from wsgi_sigv4.contrib.flask.refusals import keep_from_caches
from wsgi_sigv4.contrib.flask.signals import request_judged
from wsgi_sigv4.contrib.flask.signals import tell_refused
from wsgi_sigv4.contrib.flask.signals import tell_used
from wsgi_sigv4.contrib.flask.verdicts import conclude
from wsgi_sigv4.contrib.flask.verdicts import is_listened_to
from wsgi_sigv4.contrib.flask.verdicts import judgement
from wsgi_sigv4.contrib.flask.verdicts import observer_of
from wsgi_sigv4.contrib.flask.verdicts import timed
from wsgi_sigv4.environ import IDENTITY
from wsgi_sigv4.environ import TRAILERS
from wsgi_sigv4.environ import has_body
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import naming
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.logs import warn_of_explain
from wsgi_sigv4.observing import Hook
from wsgi_sigv4.observing import Observer
from wsgi_sigv4.options import Options
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.responses import answer_to
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.telling import Explained
    from wsgi_sigv4.explaining import Explainer
    from wsgi_sigv4.responses import Answer

Names = str | Sequence[str] | None


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class Guard:
    """How one app verifies its requests: ``app.extensions["sigv4"]``.

    Attributes:
        verifier: the verifier, which a SigV4Middleware around the app may share.
        options: those that all skins have.
        explain: say what is wrong with refused requests; None: while the app debugs.
        debugs: returns whether it does.
        remote_user: the attribute of the identity that REMOTE_USER is set to, or None.
        render_refusal: makes the answer to a refused request; None: AWS's own.
        on_accept: is told of each accepted request, or None.
        on_refuse: is told of each other verdict, or None.
        note_use: is told of each use of a key, and does not wait for anything; or None.
    """

    verifier: Verifier
    options: Options
    explain: bool | None = None
    debugs: Callable[[], bool] = bool
    remote_user: str | None = None
    render_refusal: Callable[[SigV4Error, WSGIEnvironment], Answer] | None = None
    on_accept: Hook | None = None
    on_refuse: Hook | None = None
    note_use: Callable[[Identity], None] | None = None
    _narrowed: dict[tuple[Names, Names], Verifier] = field(default_factory=dict, repr=False)
    _explainers: dict[str, Explainer] = field(default_factory=dict, repr=False)

    def check(
        self, *, optional: bool | None, presigned: bool, region: Names, service: Names
    ) -> None:
        """Verify the current request, unless that has been done.

        Args:
            optional: let unsigned requests through; None: as the options say.
            presigned: False refuses presigned URLs.
            region: the region accepted, or several, hashable; None: those of the app.
            service: the service accepted, or several, hashable; None: those of the app.

        Raises:
            SigV4Error: the reason for which the request is refused, as an
                instance of HTTPException too.
            RuntimeError: if something has read the body before.
        """
        try:
            if (refused := find_refusal()) is not None:
                raise refused
            verifier = self._narrowed_to(region, service)
            identity = find_identity() or self._authenticate(verifier, optional, presigned)
            if identity is None:
                return
            verifier.check_scope(identity)
            if identity.presigned and not presigned:
                with naming(identity):
                    raise PresignedNotAllowed
        except SigV4Error as refusal:
            settlement = find_settlement(request.environ)
            if settlement is not None:
                settlement.is_told = True
            raise self._http_refusal(refusal) from refusal

    def adopt(self, sender: Flask, **_: object) -> None:
        """Take over the identity that a SigV4Middleware with this verifier put in the environ.

        One from another verifier, or for another path, says nothing of this
        request (T40): a guarded view verifies it again.
        """
        environ = request.environ
        identity = environ.get(IDENTITY)
        if not isinstance(identity, Identity) or not routed_as_verified(environ):
            return
        try:
            sent = request_from_environ(environ, self.options.deployment)
        except SigV4Error:
            return
        authorize = self.options.authorize
        if identity.is_from(self.verifier, sent) and (
            authorize is None or authorize(identity, environ) is True
        ):
            self._accept(identity, body=None)
            body = streamed_body(environ)
            if body is None:
                self._tell_used(identity)
            else:
                after_this_request(partial(self._tell_when_settled, body, identity))

    def _narrowed_to(self, region: Names, service: Names) -> Verifier:
        if region is None and service is None:
            return self.verifier
        found = self._narrowed.get((region, service))
        if found is None:
            found = self.verifier.narrowed(region=region, service=service)
            self._narrowed[region, service] = found
        return found

    def _options(self, optional: bool | None) -> Options:
        """Return the options for the current request."""
        options = self.options
        if optional is not None:
            options = replace(options, required=not optional)
        limit = request.max_content_length
        if limit is not None and limit < options.max_body:
            options = replace(options, max_body=limit)
        return options

    def _authenticate(
        self, verifier: Verifier, optional: bool | None, presigned: bool
    ) -> Identity | None:
        options = self._options(optional)
        environ = request.environ
        if is_anonymous() and claim(environ, verifier, options) is None:
            return None
        settlement = find_settlement(environ)
        if put_body_back() or settlement is None:
            # Who has read it all has the last byte, too.
            options = replace(options, stream=False)
        judged = request_judged.receivers and is_listened_to()
        identity = self._verify(verifier, options, judged=bool(judged))
        if identity is None:
            remember_anonymous(varies=not options.required)
            return None
        body = streamed_body(environ)
        if not routed_as_verified(environ):
            turn_away(identity, body, PathNotRouted())
        if identity.presigned and not presigned:
            turn_away(identity, body, PresignedNotAllowed())
        # The stream above the body may be busy, or in other hands.
        self._accept(identity, body=environ["wsgi.input"] if body is None else body)
        if body is None or settlement is None:
            self._tell_used(identity)
            if judged:
                conclude(self.observer.accepted(identity, judgement().seconds), self.observer)
        else:
            settlement.body = body
            settled = self._settled_and_judged if judged else self._settled
            after_this_request(partial(settled, settlement, identity))
        return identity

    def _verify(self, verifier: Verifier, options: Options, *, judged: bool) -> Identity | None:
        """Do as ``authenticate`` does, and leave no other body than that to the request."""
        environ = request.environ
        loses_body = has_body(environ)
        explainer = self.find_explainer()
        try:
            if judged or explainer is not None:
                return timed(environ, verifier, options, explainer)
            return authenticate(environ, verifier, options)
        except SigV4Error as refusal:
            if loses_body:
                remember_refused(refusal)
            raise
        finally:
            # Who reads the body now gets the verified one, or that of a refused
            # request, which is empty; and not what is left of the raw one.
            forget_kept(framed=TRAILERS in environ)

    def _settled(self, settlement: Settlement, identity: Identity, response: Response) -> Response:
        """Return *response* where the body turns out to be the one that was signed (T50)."""
        if settlement.refusal is not None:
            # An error handler has failed, and Flask answers for that.
            return response
        try:
            settlement.settle(request.environ, failed=response.status_code >= 400)
        except SigV4Error as refusal:
            response.close()
            forget_kept()
            if self.remote_user is not None:
                request.environ.pop("REMOTE_USER", None)
            take_identity_away(refusal)
            settlement.is_logged = True
            error = self._http_refusal(refusal)
            return current_app.make_response(current_app.handle_user_exception(error))
        if settlement.is_abandoned:
            forget_kept()
        self._tell_used(identity)
        return response

    def _settled_and_judged(
        self, settlement: Settlement, identity: Identity, response: Response
    ) -> Response:
        response = self._settled(settlement, identity, response)
        if settlement.body is not None and settlement.body.is_verified:
            conclude(self.observer.accepted(identity, judgement().seconds), self.observer)
        return response

    def _tell_when_settled(
        self, body: StreamedBody, identity: Identity, response: Response
    ) -> Response:
        """Tell of *identity* when the middleware around the app has verified *body*."""
        app = app_itself()

        def tell() -> None:
            if body.refusal is None:
                with app.app_context():
                    self._tell_used(identity)

        response.call_on_close(tell)
        return response

    def _tell_used(self, identity: Identity) -> None:
        if self.note_use is not None:
            self.note_use(identity)
        tell_used(app_itself(), identity)

    @property
    def observer(self) -> Observer:
        """What tells of the verdicts of the current app."""
        return observer_of(
            app_itself(),
            self.verifier,
            report_only=self.options.report_only,
            explainer=self.find_explainer(),
        )

    def find_explainer(self) -> Explainer | None:
        """Return what explains refusals, or None where nothing does."""
        if self.explain is False or (self.explain is None and not self.debugs()):
            return None
        found = self._explainers.get("explainer")
        if found is None:
            from wsgi_sigv4.explaining import Explainer

            if self.explain is None:
                warn_of_explain()
            made = Explainer(self.verifier, self.options.deployment)
            found = self._explainers.setdefault("explainer", made)
        return found

    def explained(self, refusal: SigV4Error, environ: WSGIEnvironment) -> Explained | None:
        """Return why the request of *environ* is refused with *refusal*, where that is asked."""
        explainer = self.find_explainer()
        return None if explainer is None else explainer.explain(refusal, environ)

    def log(self, refusal: SigV4Error, environ: WSGIEnvironment) -> None:
        """Log why the request of *environ* is refused."""
        log_refusal(refusal, environ, explained=self.explained(refusal, environ))

    def _accept(self, identity: Identity, *, body: IO[bytes] | StreamedBody | None) -> None:
        set_remote_user(request.environ, identity, self.remote_user)
        remember(identity, body=body)

    def answer(self, refusal: SigV4Error, environ: WSGIEnvironment) -> Response:
        """Return AWS's answer to *refusal*, or that of ``render_refusal``."""
        answer = answer_to(
            refusal,
            environ,
            self.verifier,
            explain=self.find_explainer() is not None,
            explained=self.explained(refusal, environ),
            render_refusal=self.render_refusal,
        )
        return keep_from_caches(Response(answer.body, answer.status, list(answer.headers)))

    def _http_refusal(self, refusal: SigV4Error) -> HTTPException:
        self.log(refusal, request.environ)
        tell_refused(app_itself(), refusal)
        if is_listened_to():
            explained = self.explained(refusal, request.environ)
            verdict = self.observer.refused(refusal, judgement().seconds, explained)
            conclude(verdict, self.observer)
        after_this_request(keep_from_caches)
        response = self.answer(refusal, request.environ)
        told = reason(refusal, self.verifier.profile(refusal.service).error_format)
        return as_http_exception(refusal, description=told.message, response=response)


def guard_of(app: Flask) -> Guard:
    """Return the guard of *app*.

    Raises:
        ConfigurationError: if *app* has none.
    """
    guard = app.extensions.get("sigv4")
    if not isinstance(guard, Guard):
        raise ConfigurationError("SigV4(app), or init_app, has not been called for this app")
    return guard


def routed_as_verified(environ: WSGIEnvironment) -> bool:
    """Return whether Flask has routed *environ* on the path that is verified."""
    # werkzeug routes on one leading slash, however many were signed.
    return not environ.get("PATH_INFO", "").startswith("//")
