"""The WSGI skin: only requests with a right signature reach the application.

:class:`SigV4Middleware` belongs outermost, with nothing outside it but
werkzeug's ProxyFix: whatever else rewrites the path, a header or the body in
between breaks signatures.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from copy import copy
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from typing import Literal

from werkzeug.wsgi import ClosingIterator

from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import dismiss
from wsgi_sigv4.authentication import set_remote_user
from wsgi_sigv4.authentication import settle
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.callables import is_asynchronous
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.held_answer import HeldAnswer
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.logs import warn_of_explain
from wsgi_sigv4.logs import warn_of_report_only
from wsgi_sigv4.options import BODY_SECONDS
from wsgi_sigv4.options import MAX_BODY
from wsgi_sigv4.options import MEMORY_LIMIT
from wsgi_sigv4.options import UNVERIFIED_BODY_LIMIT
from wsgi_sigv4.options import Exempt
from wsgi_sigv4.options import Options
from wsgi_sigv4.responses import Answer
from wsgi_sigv4.responses import answer_to
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explaining import Explainer
    from wsgi_sigv4.observing import Hook
    from wsgi_sigv4.observing import Observer


class SigV4Middleware:
    """Wraps a WSGI application: only requests with a right signature reach it.

    On success the environ gains ``wsgi_sigv4.access_key_id`` and
    ``wsgi_sigv4.identity`` (an :class:`Identity`), ``wsgi.input`` is the
    verified body, and PATH_INFO the verified path. Without an identity the
    keys are absent.

    Not verified: headers that were not signed, and that a request was not sent
    before.

    Args:
        app: the application.
        verifier: the verifier, which other skins may share.
        required: False lets requests without any trace of an AWS signature
            through without an identity, so that views decide. An attempt that
            fails is always refused.
        exempt: path prefixes (whole segments) that are passed on unverified,
            or a callable of the environ that returns True for those.
        authorize: called with the identity and the environ; anything but True
            is 403.
        preflight: let CORS preflight requests through without an identity, for
            a CORS layer in *app*.
        max_body: bytes that a body may have; more is 413.
        memory_limit: bytes above which a body is kept in a temporary file.
        unverified_body_limit: bytes that are read for a request without a
            payload hash, whose signature needs the body.
        stream: call *app* while the body still arrives. A signed chunk is
            handed on when its signature was right, and whatever only the end of
            the body can verify when it comes, but for the last byte; the answer
            is held back until all is verified, or becomes the refusal. A body
            without a payload hash or without a length is verified first.
        path_prefix: a path that a proxy strips before this server sees it.
        remote_user: set REMOTE_USER to the ``"access_key_id"`` or, as text,
            the ``"principal"`` (of a key without one: remove it); None leaves
            it alone.
        explain: say in the log and in the answer what is wrong with a refused
            request, and what the server canonicalised, without cookies and
            session tokens. For development, and not for production.
        body_seconds: seconds that may be spent on waiting for a body.
        header_overrides: names of headers that a proxy rewrites, each with the
            name of the header where it keeps the client's value.
        raw_target: a callable of the environ that returns the request target
            as sent, where the server hides it.
        report_only: verify and log, and refuse nothing: *app* gets each request
            as it came, without an identity. For switching a service over.
        on_accept: called with the :class:`~wsgi_sigv4.observing.Verdict` of
            each accepted request, once all of it was verified.
        on_refuse: called with each other verdict. A hook that raises is
            logged, and changes nothing.
        length_of_chunked: the proxy gives a true Content-Length beside
            ``Transfer-Encoding: chunked``.
        render_refusal: a callable of the refusal and the environ that returns
            the :class:`Answer`; None: AWS's own.

    Raises:
        ConfigurationError: if a parameter makes no sense.
    """

    def __init__(
        self,
        app: WSGIApplication,
        verifier: Verifier,
        *,
        required: bool = True,
        exempt: Exempt = (),
        authorize: Callable[[Identity, WSGIEnvironment], bool] | None = None,
        preflight: bool = False,
        max_body: int = MAX_BODY,
        memory_limit: int = MEMORY_LIMIT,
        unverified_body_limit: int = UNVERIFIED_BODY_LIMIT,
        stream: bool = False,
        path_prefix: str = "",
        remote_user: Literal["access_key_id", "principal"] | None = None,
        explain: bool = False,
        body_seconds: float = BODY_SECONDS,
        header_overrides: Mapping[str, str] | None = None,
        raw_target: Callable[[WSGIEnvironment], str | None] | None = None,
        length_of_chunked: bool = False,
        render_refusal: Callable[[SigV4Error, WSGIEnvironment], Answer] | None = None,
        report_only: bool = False,
        on_accept: Hook | None = None,
        on_refuse: Hook | None = None,
    ) -> None:
        # Not the mapping of keys that a verifier is made of.
        if not isinstance(verifier, Verifier):
            raise ConfigurationError("verifier (the second argument) is a Verifier(...)")
        if remote_user not in (None, "access_key_id", "principal"):
            raise ConfigurationError("remote_user is 'access_key_id', 'principal' or None")
        # Django may await it, WSGI cannot.
        if is_asynchronous(authorize):
            raise ConfigurationError("authorize cannot be awaited")
        # From the environment of a process "false" may come, which is true.
        if not isinstance(explain, bool):
            raise ConfigurationError("explain is True or False")
        self._app = app
        self._verifier = verifier
        self._remote_user = remote_user
        self._explainer: Explainer | None = None
        self._render_refusal = render_refusal
        self._options = Options(
            required=required,
            exempt=exempt,
            authorize=authorize,
            preflight=preflight,
            max_body=max_body,
            memory_limit=memory_limit,
            unverified_body_limit=unverified_body_limit,
            body_seconds=body_seconds,
            stream=stream,
            report_only=report_only,
            deployment=Deployment(
                path_prefix=path_prefix,
                header_overrides=dict(header_overrides or {}),
                raw_target=raw_target,
                length_of_chunked=length_of_chunked,
            ),
        )
        if report_only or explain or on_accept is not None or on_refuse is not None:
            self._observe(on_accept, on_refuse, explain=explain)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            identity = authenticate(environ, self._verifier, self._options, rewrite_path=True)
        except SigV4Error as refusal:
            return self._refuse(refusal, environ, start_response)
        if identity is None:
            # Who signs may be answered otherwise than a stranger, but for exempt paths.
            varies = not self._options.required
            return self._app(environ, _varying(start_response) if varies else start_response)
        if self._remote_user is not None:
            set_remote_user(environ, identity, self._remote_user)
        if isinstance(environ["wsgi.input"], io.BytesIO):
            # Nothing to close: the server still knows what came out of its wsgi.file_wrapper.
            return self._app(environ, _varying(start_response))
        return self._serve(environ, start_response)

    def _observe(self, on_accept: Hook | None, on_refuse: Hook | None, *, explain: bool) -> None:
        """Leave every request to a layer below, so that nobody else pays for what it does."""
        from wsgi_sigv4.observing import Observer
        from wsgi_sigv4.report_only import ReportOnly

        if explain:
            from wsgi_sigv4.explaining import Explainer

            warn_of_explain()
            self._explainer = Explainer(self._verifier, self._options.deployment)
        observer = Observer(
            self._verifier,
            on_accept=on_accept,
            on_refuse=on_refuse,
            report_only=self._options.report_only,
            explainer=self._explainer,
        )
        if self._options.report_only:
            warn_of_report_only()
            self._app = ReportOnly(self._app, self._verifier, self._options, observer)
        else:
            self._app = partial(copy(self)._serve_observed, observer)
        self._options = Options(exempt=_is_anything)

    def _serve_observed(
        self, observer: Observer, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Do what a call does, and tell *observer* of it."""
        stopwatch = observer.start(environ)
        try:
            identity = authenticate(environ, self._verifier, self._options, rewrite_path=True)
        except SigV4Error as refusal:
            observer.refuse(refusal, stopwatch.stop(), environ)
            return self._refuse(refusal, environ, start_response)
        seconds = stopwatch.stop()
        if identity is None:
            varies = not self._options.required
            return self._app(environ, _varying(start_response) if varies else start_response)
        set_remote_user(environ, identity, self._remote_user)
        body = streamed_body(environ)
        if body is None:
            observer.accept(identity, seconds)
            return self._serve(environ, start_response)
        try:
            return self._serve(environ, start_response)
        finally:
            observer.settle(body, identity, seconds, environ)

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        streamed = streamed_body(environ)
        if streamed is not None:
            return self._serve_streamed(streamed, environ, start_response)
        try:
            answer = self._app(environ, _varying(start_response))
        except BaseException:
            body.close()
            raise
        return ClosingIterator(answer, body.close)

    def _serve_streamed(
        self, body: StreamedBody, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let no answer out before the body is verified, whatever the application does (T50)."""
        held = HeldAnswer(
            _varying(start_response), lambda failed: settle(body, environ, failed=failed)
        )
        answer: Iterable[bytes] = ()
        try:
            answer = self._app(environ, held.start)
            pieces = iter(answer)
            # A generator does nothing before it is asked for its first piece.
            first = next(pieces, b"")
            held.let_out()
        except BaseException as error:
            refusal = body.refusal
            if refusal is None or held.is_out or not isinstance(error, Exception):
                body.close()
                _close(answer)
                raise
        else:
            return ClosingIterator(chain((first,), pieces), partial(_close_both, answer, body))
        dismiss(body, environ)
        if self._remote_user is not None:
            environ.pop("REMOTE_USER", None)
        _close(answer)
        return self._refuse(refusal, environ, start_response)

    def _refuse(
        self, refusal: SigV4Error, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        explainer = self._explainer
        explained = None if explainer is None else explainer.explain(refusal, environ)
        log_refusal(refusal, environ, explained=explained)
        answer = answer_to(
            refusal,
            environ,
            self._verifier,
            explain=explainer is not None,
            explained=explained,
            render_refusal=self._render_refusal,
        )
        start_response(answer.status_line, list(answer.headers))
        return [answer.body]


def _is_anything(environ: WSGIEnvironment) -> bool:
    return True


def _close(answer: Iterable[bytes]) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()


def _close_both(answer: Iterable[bytes], body: StreamedBody) -> None:
    try:
        _close(answer)
    finally:
        body.close()


def _names_authorization(vary: str) -> bool:
    names = {name.strip().lower() for name in vary.split(",")}
    return not names.isdisjoint(("*", "authorization"))


def _varying(start_response: StartResponse) -> StartResponse:
    """Return *start_response* that tells caches that the answer is for one signer only."""

    def start(
        status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
    ) -> Callable[[bytes], object]:
        for key, value in headers:
            if key.lower() == "vary" and _names_authorization(value):
                break
        else:
            headers = [*headers, ("Vary", "Authorization")]
        return start_response(status, headers, exc_info)

    return start
