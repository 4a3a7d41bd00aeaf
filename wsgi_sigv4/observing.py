"""What became of each request, for whoever counts, measures or traces.

A :class:`Verdict` is made only where somebody asked for it: a middleware
without hooks neither reads a clock for it nor asks whether there are any.
There is one verdict for a request that was verified or refused, and none for
one that nobody looked at: an exempt path, a CORS preflight, or a request
without a signature where none is required.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Final
from typing import Literal

from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.callables import is_asynchronous
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import StorageUnavailable
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.explanation import Explanation
    from wsgi_sigv4.explain.telling import Explained
    from wsgi_sigv4.explaining import BodyRecord
    from wsgi_sigv4.explaining import Explainer

logger: Final = logging.getLogger("wsgi_sigv4")

Outcome = Literal["accepted", "refused", "unverified"]
Hook = Callable[["Verdict"], object]

#: Refusals that say nothing of the signature.
_UNVERIFIED: Final = (BodyTooLarge, CredentialsUnavailable, StorageUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one request.

    What a request that is not accepted says of itself is a claim that anybody
    may make: *claimed_access_key_id*, *region*, *service*, *presigned* and
    *payload_form* are then as good as the name on a parcel.

    Attributes:
        outcome: ``"accepted"``; ``"refused"``; or ``"unverified"``, where
            nothing can be said of the signature: the body was too large, the
            keys could not be looked up, there was no room for the body, or,
            with *report_only*, the verification itself has failed.
        code: AWS's error code, as the client is told it; None: accepted.
        error: the name of the class of the reason, in :mod:`wsgi_sigv4.errors`
            but for a verification that failed; None: accepted.
        access_key_id: the key, where it was verified, else None.
        claimed_access_key_id: the key that the request names, verified or not.
        region: that of the credential scope, or None where it was not read.
        service: that of the credential scope, or None where it was not read.
        profile: how the service signs: ``"s3"``, ``"generic"`` or ``"other"``.
        payload_form: how the body is bound to the signature, or None where
            that was not read.
        presigned: it is a presigned URL.
        seconds: that the verification took, the look-up of the key and the
            hashing of the body included, and waiting for the body not. Of a
            body that is verified while the application reads, the headers alone.
        report_only: the request was passed on, whatever the outcome.
        explanation: why it was refused, where ``explain`` asks for that; else None.
    """

    outcome: Outcome
    code: str | None
    error: str | None
    access_key_id: str | None
    claimed_access_key_id: str | None
    region: str | None
    service: str | None
    profile: Literal["s3", "generic", "other"]
    payload_form: PayloadForm | None
    presigned: bool
    seconds: float
    report_only: bool
    explanation: Explanation | None = None

    @property
    def accepted(self) -> bool:
        """Whether the signature is right, and all that it was to verify."""
        return self.outcome == "accepted"


def hook(name: str, function: Hook | None) -> Hook | None:
    """Return *function*, which is to be called with each verdict of its kind.

    Raises:
        ConfigurationError: if it cannot be called, or would have to be awaited.
    """
    if function is None:
        return None
    if not callable(function):
        raise ConfigurationError(f"{name} is a callable of the verdict, or None")
    if is_asynchronous(function):
        raise ConfigurationError(f"{name} cannot be awaited")
    return function


class Observer:
    """Makes verdicts, and tells the hooks of them.

    Args:
        verifier: whose verdicts these are.
        on_accept: called with each verdict that a request is accepted.
        on_refuse: called with each other verdict.
        report_only: the requests are passed on all the same.
        explainer: explains refusals, or None.

    Attributes:
        explainer: as given.
    """

    __slots__ = ("_on_accept", "_on_refuse", "_report_only", "_verifier", "explainer")

    def __init__(
        self,
        verifier: Verifier,
        *,
        on_accept: Hook | None = None,
        on_refuse: Hook | None = None,
        report_only: bool = False,
        explainer: Explainer | None = None,
    ) -> None:
        self.explainer = explainer
        self._verifier = verifier
        self._on_accept = hook("on_accept", on_accept)
        self._on_refuse = hook("on_refuse", on_refuse)
        self._report_only = report_only

    def start(self, environ: WSGIEnvironment) -> Stopwatch:
        """Begin to measure the verification of the request of *environ*."""
        return Stopwatch(environ, None if self.explainer is None else self.explainer.watch(environ))

    def accept(self, identity: Identity, seconds: float) -> None:
        """Tell that the request of *identity* is accepted."""
        self.tell(self.accepted(identity, seconds))

    def refuse(self, refusal: SigV4Error, seconds: float, environ: WSGIEnvironment) -> None:
        """Tell that the request of *environ* is refused."""
        self.tell(self.refused(refusal, seconds, self.explained(refusal, environ)))

    def explained(self, refusal: SigV4Error, environ: WSGIEnvironment) -> Explained | None:
        """Return why the request of *environ* is refused with *refusal*, where that is asked."""
        return None if self.explainer is None else self.explainer.explain(refusal, environ)

    def tell(self, verdict: Verdict) -> None:
        """Tell the hook of its kind of *verdict*; where that raises, nothing changes."""
        function = self._on_accept if verdict.accepted else self._on_refuse
        if function is None:
            return
        try:
            function(verdict)
        except Exception:
            logger.exception("a hook has failed; the request goes on as it would have")

    def accepted(self, identity: Identity, seconds: float) -> Verdict:
        """Return the verdict that the request of *identity* is accepted."""
        return Verdict(
            outcome="accepted",
            code=None,
            error=None,
            access_key_id=identity.access_key_id,
            claimed_access_key_id=identity.access_key_id,
            region=identity.scope.region,
            service=identity.scope.service,
            profile=self._profile(identity.scope.service),
            payload_form=identity.payload_form,
            presigned=identity.presigned,
            seconds=seconds,
            report_only=self._report_only,
        )

    def refused(
        self, refusal: SigV4Error, seconds: float, explained: Explained | None = None
    ) -> Verdict:
        """Return the verdict that a request is refused."""
        error_format = self._verifier.profile(refusal.service).error_format
        return self._unaccepted(
            refusal,
            outcome="unverified" if isinstance(refusal, _UNVERIFIED) else "refused",
            code=reason(refusal, error_format).code,
            error=type(refusal.underlying).__name__,
            seconds=seconds,
            explanation=None if explained is None else explained.explanation,
        )

    def failed(self, error: Exception, seconds: float) -> Verdict:
        """Return the verdict that the verification itself has failed, with *error*."""
        return self._unaccepted(
            SigV4Error(),
            outcome="unverified",
            code="InternalError",
            error=type(error).__name__,
            seconds=seconds,
        )

    def settle(
        self, body: StreamedBody, identity: Identity, seconds: float, environ: WSGIEnvironment
    ) -> None:
        """Tell what became of a *body* that was verified while the application read it.

        Nothing, where the application has failed before its end came: that is
        no verdict.
        """
        if body.refusal is not None:
            self.refuse(body.refusal, seconds, environ)
        elif body.is_verified:
            self.accept(identity, seconds)

    def _unaccepted(
        self,
        refusal: SigV4Error,
        *,
        outcome: Outcome,
        code: str,
        error: str,
        seconds: float,
        explanation: Explanation | None = None,
    ) -> Verdict:
        form = refusal.payload_form
        return Verdict(
            outcome=outcome,
            code=code,
            error=error,
            access_key_id=None,
            claimed_access_key_id=refusal.access_key_id,
            region=refusal.region,
            service=refusal.service,
            profile=self._profile(refusal.service),
            payload_form=None if form is None else PayloadForm[form],
            presigned=refusal.presigned,
            seconds=seconds,
            report_only=self._report_only,
            explanation=explanation,
        )

    def _profile(self, service: str | None) -> Literal["s3", "generic", "other"]:
        profile = self._verifier.profile(service)
        if profile == S3:
            return "s3"
        return "generic" if profile == GENERIC else "other"


class Stopwatch:
    """Measures a verification, but for what it waits for the body.

    It stands in the place of ``wsgi.input`` meanwhile.

    Args:
        environ: the environ, whose body is verified.
        record: is told what is read of the body; or None.

    Attributes:
        is_lost: there is no body any more: it went with a refusal.
    """

    __slots__ = ("_environ", "_record", "_started", "_stream", "_waited", "is_lost")

    def __init__(self, environ: WSGIEnvironment, record: BodyRecord | None = None) -> None:
        self._environ = environ
        self._record = record
        self._stream: InputStream | None = environ.get("wsgi.input")
        self.is_lost = getattr(self._stream, "is_lost", False)
        if self._stream is not None:
            environ["wsgi.input"] = self
        self._waited = 0.0
        self._started = time.perf_counter()

    def read(self, size: int = -1) -> bytes:
        """Return what the stream returns."""
        assert self._stream is not None  # noqa: S101 (it stands for one)
        before = time.perf_counter()
        try:
            data = self._stream.read(size)
        finally:
            self._waited += time.perf_counter() - before
        if self._record is not None:
            self._record.keep(data)
        return data

    def stop(self) -> float:
        """Return the seconds, and leave the place to the stream where nothing else has taken it."""
        seconds = time.perf_counter() - self._started - self._waited
        if self._environ.get("wsgi.input") is self:
            self._environ["wsgi.input"] = self._stream
        return max(seconds, 0.0)
