"""Explanations of refusals, while a server runs.

With ``explain=True`` a skin keeps each request as it arrived, with the
beginning of its body, and hands it to an :class:`Explainer` when it is
refused. That costs some 25 ms, so only so many refusals are explained; the
others are refused as without it. Nothing that goes wrong here changes a refusal.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from functools import partial
from types import EllipsisType
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.decisions import find_credentials
from wsgi_sigv4.decisions import keep_decisions
from wsgi_sigv4.environ import DIRECT
from wsgi_sigv4.environ import SENT
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import HostNotAccepted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain.engine import explain
from wsgi_sigv4.explain.explanation import Explanation
from wsgi_sigv4.explain.refusals import find_refused_cause
from wsgi_sigv4.explain.rules import checks_of
from wsgi_sigv4.explain.showing import shown
from wsgi_sigv4.explain.telling import Explained
from wsgi_sigv4.explain.telling import for_client
from wsgi_sigv4.forks import call_in_child
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger: Final = logging.getLogger("wsgi_sigv4")

#: Bytes of a body that are kept. Of a longer one nothing is known.
BODY_LIMIT: Final = 1024 * 1024
#: Bytes of header values of a request that is looked at; most servers take far less.
HEADERS_LIMIT: Final = 1024 * 1024
#: Refusals that are explained at once, and then in each second.
BURST: Final = 10
PER_SECOND: Final = 1.0

#: Stands for a request that cannot be read.
_UNREADABLE: Final = Request(method="GET", path=b"/", headers=())


class BodyRecord:
    """What was read of a body, as far as :data:`BODY_LIMIT`.

    Args:
        length: its length in bytes; None: it ends with the stream.
    """

    __slots__ = ("_is_ended", "_kept", "_length", "_received")

    def __init__(self, length: int | None) -> None:
        self._length = length
        self._kept = bytearray()
        self._received = 0
        self._is_ended = False

    def keep(self, data: bytes) -> None:
        """Keep *data*, which was read; none: the stream is at its end."""
        self._is_ended = not data
        self._received += len(data)
        if self._received <= BODY_LIMIT:
            self._kept += data
        else:
            self._kept.clear()

    def find_body(self) -> bytes | None:
        """Return the body, or None where not all of it was read, or it is too long."""
        if self._received > BODY_LIMIT:
            return None
        is_whole = self._is_ended if self._length is None else self._received == self._length
        return bytes(self._kept) if is_whole else None


class Sent:
    """One request as it arrived.

    Args:
        request: returns the request, or raises why there is none that can be read.
        body: returns its body, or None where it is not known.
    """

    __slots__ = ("_explained", "_refusal", "body", "request")

    def __init__(
        self, request: Callable[[], Request], body: Callable[[], bytes | None] = lambda: None
    ) -> None:
        self.request = request
        self.body = body
        self._refusal: weakref.ref[SigV4Error] | None = None
        self._explained: Explained | None = None

    def remember(self, refusal: SigV4Error, explained: Explained | None) -> None:
        """Note how *refusal* was explained, or that it was not."""
        # Not the refusal itself: its traceback leads back here.
        self._refusal, self._explained = weakref.ref(refusal), explained

    def is_known(self, refusal: SigV4Error) -> bool:
        """Return whether *refusal* is the one that was dealt with."""
        return self._refusal is not None and self._refusal() is refusal

    @property
    def explained(self) -> Explained | None:
        """How the refusal was explained, or None."""
        return self._explained


class TokenBucket:
    """Counts how many refusals may be explained now.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._renew_lock()
        call_in_child(self, TokenBucket._renew_lock)
        self._left = float(BURST)
        self._filled = clock()
        self._missed = 0

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> int | None:
        """Return how many were missed since the last one, or None where this one is, too."""
        with self._lock:
            now = self._clock()
            self._left = min(BURST, self._left + (now - self._filled) * PER_SECOND)
            self._filled = now
            if self._left < 1:
                self._missed += 1
                return None
            self._left -= 1
            missed, self._missed = self._missed, 0
            return missed


class Explainer:
    """Explains the refusals of one middleware.

    Args:
        verifier: the verifier.
        deployment: what stands between the client and the application.
        clock: returns seconds, for the limit of the rate.
    """

    def __init__(
        self,
        verifier: Verifier,
        deployment: Deployment = DIRECT,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = verifier
        self._deployment = deployment
        self._bucket = TokenBucket(clock)
        keep_decisions()

    def watch(self, environ: WSGIEnvironment) -> BodyRecord | None:
        """Keep the request of *environ* as it is now; return what is told of its body.

        None: a middleware around this one has done so.
        """
        if isinstance(environ.get(SENT), Sent):
            return None
        record = BodyRecord(self.length(environ))
        environ[SENT] = self._sent(environ, record.find_body)
        return record

    def explain(self, refusal: SigV4Error, environ: WSGIEnvironment) -> Explained | None:
        """Return why the request of *environ* is refused with *refusal*; None: it is not said."""
        sent = environ.get(SENT)
        if not isinstance(sent, Sent):
            sent = environ[SENT] = self._sent(environ)
        return self.explain_sent(refusal, sent)

    def explain_sent(
        self,
        refusal: SigV4Error,
        sent: Sent,
        *,
        credentials: Credentials | EllipsisType | None = ...,
        missed: int | EllipsisType | None = ...,
    ) -> Explained | None:
        """Return why *sent* is refused with *refusal*, once for each refusal.

        Args:
            refusal: the refusal.
            sent: the request as it arrived.
            credentials: those of its key; left out, they are those that
                *refusal* was decided with, or else looked up.
            missed: what :meth:`take` has returned; left out, that is called.
        """
        if sent.is_known(refusal):
            return sent.explained
        explained = None
        if isinstance(missed, EllipsisType):
            missed = self.take()
        if missed is not None:
            try:
                explained = self._explained(refusal, sent, credentials, missed)
            except Exception as error:
                _log_failure(error)
        sent.remember(refusal, explained)
        return explained

    def take(self) -> int | None:
        """Return how many refusals were not explained before this; None: nor may this be."""
        return self._bucket.take()

    def find_attempt(self, sent: Sent) -> Attempt | None:
        """Return what *sent* claims, or None where no key is to be looked up for it."""
        try:
            request = sent.request()
            try:
                return self._verifier.prepare(request)
            except HostNotAccepted:
                return self._verifier.taking_any_host().prepare(request)
        except SigV4Error:
            return None

    def find_credentials(
        self, refusal: SigV4Error, sent: Sent
    ) -> Credentials | EllipsisType | None:
        """Return what *refusal* of *sent* was decided with; an ellipsis: that is not known."""
        return find_credentials(refusal, self.find_attempt(sent))

    def length(self, environ: WSGIEnvironment) -> int | None:
        """Return the length of the body of *environ*, or None where it ends with the stream."""
        try:
            return body_length(environ, self._deployment)
        except SigV4Error:
            return None

    def _sent(
        self, environ: WSGIEnvironment, body: Callable[[], bytes | None] = lambda: None
    ) -> Sent:
        return Sent(partial(request_from_environ, dict(environ), self._deployment), body)

    def _explained(
        self,
        refusal: SigV4Error,
        sent: Sent,
        credentials: Credentials | EllipsisType | None,
        missed: int,
    ) -> Explained:
        try:
            request = sent.request()
        except SigV4Error:
            explanation = self._bare(refusal, _UNREADABLE)
            return Explained(explanation=explanation, told=explanation, missed=missed)
        if sum(len(value) for _, value in request.headers) > HEADERS_LIMIT:
            explanation = self._bare(refusal, request)
            return Explained(explanation=explanation, told=explanation, missed=missed)
        verifier, body = self._verifier, sent.body()
        if isinstance(refusal, CredentialsUnavailable):
            # It need not be waited for a second time.
            explanation = self._bare(refusal, request, body=body)
            return Explained(explanation=explanation, told=explanation, missed=missed)
        now = verifier.clock()
        if isinstance(credentials, EllipsisType):
            credentials = self.find_credentials(refusal, sent)
        explanation = explain(
            request, verifier, body=body, credentials=credentials, now=now, refusal=refusal
        )
        if explanation.refusal != self._code(refusal):
            # Without the whole body the rules may stumble over another one.
            explanation = self._bare(refusal, request, body=body)
            return Explained(explanation=explanation, told=explanation, missed=missed)
        told = for_client(explanation, request, verifier, refusal, body=body, now=now)
        return Explained(explanation=explanation, told=told, missed=missed)

    def _bare(
        self, refusal: SigV4Error, request: Request, *, body: bytes | None = None
    ) -> Explanation:
        """Return what *refusal* says by itself."""
        return Explanation(
            checks=checks_of(refusal, {}, failed_detail=shown(str(refusal))),
            canonical_request=None,
            string_to_sign=None,
            finding=find_refused_cause(refusal, request, body=body),
            refusal=self._code(refusal),
        )

    def _code(self, refusal: SigV4Error) -> str:
        return reason(refusal, self._verifier.profile(refusal.service).error_format).code


def _log_failure(error: Exception) -> None:
    # No traceback: who keeps its locals would keep a secret.
    last = traceback.extract_tb(error.__traceback__)[-1]
    logger.error(
        "a refusal could not be explained: %s in %s, line %d",
        type(error).__name__,
        last.name,
        last.lineno or 0,
    )
