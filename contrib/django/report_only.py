"""Shadow mode: requests are verified, and reach the views as they came.

The verification works on a copy of the request, and what it reads of the body
is there for the view from the beginning.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import BinaryIO
from typing import Final
from typing import cast

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest

from wsgi_sigv4.contrib.django.bodies import close_with
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.explaining import aexplain
from wsgi_sigv4.contrib.django.explaining import explain
from wsgi_sigv4.contrib.django.explaining import watch
from wsgi_sigv4.contrib.django.judging import judgement
from wsgi_sigv4.contrib.django.judging import observer_of
from wsgi_sigv4.contrib.django.outcome import adopt
from wsgi_sigv4.contrib.django.outcome import remember_report_only
from wsgi_sigv4.contrib.django.streaming import find_streamed
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.observing import Verdict
from wsgi_sigv4.recording import Recorder
from wsgi_sigv4.report_only import SOCKETS

if TYPE_CHECKING:
    from wsgi_sigv4.explain.telling import Explained

logger: Final = logging.getLogger("wsgi_sigv4")


class Shadow:
    """A copy of a request, which is verified in its place.

    Attributes:
        request: the copy.
        refusal: what it would be refused with, or None.
        identity: what was verified of it; nobody is given it.
        verdict: what came of it; None: nothing was to be verified.
    """

    def __init__(self, request: HttpRequest, conf: Configuration) -> None:
        self.identity: Identity | None = None
        self.verdict: Verdict | None = None
        self.refusal: SigV4Error | None = None
        self._sent, self._conf = request, conf
        self._position = 0
        kind = type(request)
        # A copy made by copy.copy() has no body.
        self.request = kind.__new__(kind)
        vars(self.request).update(vars(request))
        vars(self.request).pop("headers", None)
        self.request.META = {k: v for k, v in request.META.items() if k not in SOCKETS}
        self._recorder = self._record()
        watch(self.request, conf, body=None if self._recorder is None else self._whole)
        self._body = self.request._stream
        self._started = time.perf_counter()

    def complete(self) -> None:
        """Verify what is left of a body that may be verified while it is read.

        Raises:
            SigV4Error: if it is refused.
        """
        body = find_streamed(self.request)
        if body is not None:
            body.close()
            body.complete()

    @property
    def seconds(self) -> float:
        """Seconds that the verification has taken so far, but for waiting for the body."""
        waited = 0.0 if self._recorder is None else self._recorder.waited
        return max(time.perf_counter() - self._started - waited, 0.0)

    def refusal_behind(self, refusal: SigV4Error) -> SigV4Error:
        """Return why there is *refusal*, be it for want of room."""
        return refusal if self._recorder is None else self._recorder.refusal_behind(refusal)

    def _record(self) -> Recorder | None:
        """Have the copy read a recorded body; return the recorder, None where it can be rewound."""
        sent, limit = self._sent, self._conf.strict.memory_limit
        if not isinstance(sent, ASGIRequest):
            recorder = Recorder(sent.META["wsgi.input"], memory_limit=limit)
            self.request.META["wsgi.input"] = recorder
            return recorder
        if sent._stream.seekable():
            self._position = sent._stream.tell()
            return None
        recorder = Recorder(sent._stream, memory_limit=limit)
        self.request._stream = cast("BinaryIO", recorder)
        return recorder

    def _whole(self) -> bytes | None:
        """Return the body, or None where not all of it was recorded."""
        assert self._recorder is not None  # noqa: S101 (nobody asks else)
        return self._recorder.find_whole(_length(self._sent, self._conf))

    def put_back(self) -> None:
        """Leave the request the body that it had, at its beginning."""
        sent, recorder = self._sent, self._recorder
        if self.request._stream is not self._body:
            self.request._stream.close()
        if recorder is None:
            sent._stream.seek(self._position)
        elif not recorder.is_untouched:
            body = recorder.rewound(_length(sent, self._conf))
            if isinstance(sent, ASGIRequest):
                sent._stream = cast("BinaryIO", body)
            else:
                sent.META["wsgi.input"] = body
                limit = cast("LimitedStream", sent._stream).limit
                sent._stream = LimitedStream(body, limit)  # type: ignore[arg-type,assignment]
            close_with(sent, body)


@contextmanager
def shadow(request: HttpRequest, conf: Configuration) -> Iterator[Shadow]:
    """Let a copy of *request* be verified, and log what comes of it; nothing is raised.

    *request* has no identity from now on. That it would be refused is left to
    :func:`report`, which may have to look for the cause.
    """
    forget_identity(request.META)
    adopt(request, None, conf)
    remember_report_only(request)
    observer = observer_of(conf)
    found = Shadow(request, conf)
    try:
        yield found
        found.complete()
    except SigV4Error as fault:
        found.refusal = found.refusal_behind(fault)
        found.verdict = observer.refused(found.refusal, found.seconds)
    except Exception as error:
        found.verdict = observer.failed(error, found.seconds)
        logger.exception("not verified: the verification has failed, the request is passed on")
    else:
        if found.identity is not None:
            found.verdict = observer.accepted(found.identity, found.seconds)
            logger.info("would have accepted a request of %s", found.identity.access_key_id)
    finally:
        kept = judgement(request)
        kept.seconds, kept.verdict = found.seconds, found.verdict
        found.put_back()


def report(found: Shadow, request: HttpRequest, conf: Configuration) -> None:
    """Log why *request* would be refused, if it would."""
    if found.refusal is not None:
        _report(found, found.refusal, request, explain(found.refusal, found.request, conf))


async def areport(found: Shadow, request: HttpRequest, conf: Configuration) -> None:
    """Do what :func:`report` does, without holding up the event loop."""
    if found.refusal is not None:
        explained = await aexplain(found.refusal, found.request, conf)
        _report(found, found.refusal, request, explained)


def _report(
    found: Shadow, refusal: SigV4Error, request: HttpRequest, explained: Explained | None
) -> None:
    assert found.verdict is not None  # noqa: S101 (there is a refusal)
    is_refused = found.verdict.outcome == "refused"
    told = "would have refused" if is_refused else "not verified"
    log_refusal(refusal, request.META, told=told, explained=explained)
    if explained is not None:
        found.verdict = replace(found.verdict, explanation=explained.explanation)
        judgement(request).verdict = found.verdict


def _length(request: HttpRequest, conf: Configuration) -> int | None:
    if isinstance(request, ASGIRequest):
        return None
    try:
        return body_length(request.META, conf.deployment)
    except SigV4Error:
        return None
