"""Shadow mode: requests are verified, and whatever comes of it they are passed on.

For an existing service that is to be switched over: the log and the hooks say
what would have been refused. The application gets the request as it would
without this package: the verification works on a copy of the environ and keeps
what it reads of the body, and the application reads that from its beginning.
No request gets an identity, and those that are inherited are removed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import IO
from typing import TYPE_CHECKING
from typing import Final

from werkzeug.wsgi import ClosingIterator

from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.observing import Observer
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.options import Options
from wsgi_sigv4.recording import Recorder
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.telling import Explained

logger: Final = logging.getLogger("wsgi_sigv4")

#: Where a server shows its socket. A read that has timed out on it could not be
#: repeated by the application.
SOCKETS: Final = ("gunicorn.socket", "werkzeug.socket")


class ReportOnly:
    """Wraps a WSGI application: each request is verified, and reaches it unchanged.

    Args:
        app: the application.
        verifier: the verifier.
        options: those of the skin.
        observer: is told of the verdicts.
    """

    def __init__(
        self, app: WSGIApplication, verifier: Verifier, options: Options, observer: Observer
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._options = options
        self._observer = observer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        verdict, body = examine(
            environ, self._verifier, self._options, self._observer, rewrite_path=True
        )
        if verdict is not None:
            self._observer.tell(verdict)
        if body is None:
            return self._app(environ, start_response)
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            body.close()
            raise
        return ClosingIterator(answer, body.close)


def examine(
    environ: WSGIEnvironment,
    verifier: Verifier,
    options: Options,
    observer: Observer,
    *,
    check: Callable[[Identity], None] | None = None,
    rewrite_path: bool = False,
) -> tuple[Verdict | None, IO[bytes] | None]:
    """Verify the request of *environ*, log the verdict, and leave the request as it was.

    Args:
        environ: the environ. Inherited identities are removed, and its body can
            be read from the beginning; nothing else changes.
        verifier: the verifier.
        options: those of the skin.
        observer: makes the verdict, and is not told of it.
        check: what the skin has against an identity, raised as a refusal.
        rewrite_path: a path that is not in normal form is none to refuse.

    Returns:
        The verdict, None where there is none; and what the caller closes when
        the request is done, or None.
    """
    forget_identity(environ)
    recorder = Recorder(environ["wsgi.input"], memory_limit=options.memory_limit)
    copy = {key: value for key, value in environ.items() if key not in SOCKETS}
    copy["wsgi.input"] = recorder
    started = time.perf_counter()
    verdict: Verdict | None = None
    try:
        identity = _verified(copy, verifier, options, rewrite_path=rewrite_path)
        if identity is not None and check is not None:
            check(identity)
    except SigV4Error as fault:
        refusal = recorder.refusal_behind(fault)
        seconds = _since(started, recorder)
        explained = _explained(refusal, environ, options, observer, recorder)
        verdict = observer.refused(refusal, seconds, explained)
        told = "would have refused" if verdict.outcome == "refused" else "not verified"
        log_refusal(refusal, environ, told=told, explained=explained)
    except Exception as error:
        verdict = observer.failed(error, _since(started, recorder))
        logger.exception("not verified: the verification has failed, the request is passed on")
    else:
        if identity is not None:
            verdict = observer.accepted(identity, _since(started, recorder))
            logger.info("would have accepted a request of %s", identity.access_key_id)
    return verdict, _put_back(environ, recorder, options)


def _verified(
    copy: WSGIEnvironment, verifier: Verifier, options: Options, *, rewrite_path: bool
) -> Identity | None:
    """Return the identity of the request in *copy*, all of its body verified, or None."""
    # Streamed, the body need not be kept twice; but who authorizes may want to read it.
    streams = options.stream or options.authorize is None
    recorder = copy["wsgi.input"]
    try:
        identity = authenticate(
            copy, verifier, replace(options, stream=streams), rewrite_path=rewrite_path
        )
        body = streamed_body(copy)
        if body is not None:
            # Closed, it keeps nothing.
            body.close()
            body.complete()
        return identity
    finally:
        if copy["wsgi.input"] is not recorder:
            copy["wsgi.input"].close()


def _explained(
    refusal: SigV4Error,
    environ: WSGIEnvironment,
    options: Options,
    observer: Observer,
    recorder: Recorder,
) -> Explained | None:
    """Return why the request of *environ*, which is unchanged, would be refused."""
    if observer.explainer is None:
        return None
    from wsgi_sigv4.explaining import Sent

    request = partial(request_from_environ, environ, options.deployment)
    return observer.explainer.explain_sent(
        refusal, Sent(request, partial(_known_body, environ, options, recorder))
    )


def _known_body(environ: WSGIEnvironment, options: Options, recorder: Recorder) -> bytes | None:
    try:
        return recorder.find_whole(body_length(environ, options.deployment))
    except SigV4Error:
        return None


def _since(started: float, recorder: Recorder) -> float:
    return max(time.perf_counter() - started - recorder.waited, 0.0)


def _put_back(environ: WSGIEnvironment, recorder: Recorder, options: Options) -> IO[bytes] | None:
    """Make the application read the body from its beginning; return what is to be closed."""
    if recorder.is_untouched:
        return None
    try:
        length = body_length(environ, options.deployment)
    except SigV4Error:
        # Only a function of the operator's can have read such a body.
        length = None
    body = recorder.rewound(length)
    environ["wsgi.input"] = body
    return body if recorder.is_on_disk else None
