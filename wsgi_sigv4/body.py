"""The body of one request, verified while it is read.

:class:`BodyVerifier` takes it piece by piece, whoever reads. :class:`StreamedBody`
is what an application reads while the client still sends. Whether a body is the
one that was signed is known only at its end: so the last byte is handed on when
all has been verified, and not before, and whoever stops reading at the length
of the body has to wait for it. An application that stops sooner, or that never
reads, is answered for by :meth:`StreamedBody.complete`, which the skin calls
before it lets an answer out.
"""

from __future__ import annotations

import io
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected

from wsgi_sigv4.checksums import ChecksumVerifier
from wsgi_sigv4.checksums import checksums_of
from wsgi_sigv4.decisions import remember
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import naming
from wsgi_sigv4.spooling import Spool
from wsgi_sigv4.streams import Incoming
from wsgi_sigv4.verification import Verification

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BodyRefused(ClientDisconnected, OSError):
    """What an application gets that reads a body which is refused.

    An ``OSError``, and Werkzeug's own name for one: what a server raises where
    a client is lost, so that frameworks know what to do. The cause is the refusal.
    """


def with_checksums(verification: Verification) -> Verification | BodyVerifier:
    """Return what verifies a body against its signature, and the checksums that came with it.

    Args:
        verification: what is left of the rules.

    Raises:
        SigV4Error: if the request carries checksums that cannot be verified.
    """
    checksums = checksums_of(verification.attempt)
    return verification if checksums is None else BodyVerifier(verification, checksums)


class BodyVerifier:
    """Verifies a body against the signature of its request, and its checksums.

    Args:
        verification: what is left of the rules.
        checksums: what verifies the checksums.
    """

    def __init__(self, verification: Verification, checksums: ChecksumVerifier) -> None:
        self._verification = verification
        self._checksums = checksums

    @property
    def released(self) -> int:
        """How many of the bytes that *feed* has returned a stream may hand on at once."""
        return self._verification.released

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, and return those that the application may read later.

        Raises:
            SigV4Error: if the body is aws-chunked, and a chunk is refused.
        """
        decoded = self._verification.feed(data)
        self._checksums.update(decoded)
        return decoded

    def finish(self) -> Identity:
        """Apply the rest of the rules, now that the body has ended.

        Raises:
            SigV4Error: if the body is not the one that was signed.
        """
        identity = self._verification.finish()
        self._checksums.check(self._verification.trailers)
        return identity


class StreamedBody(io.RawIOBase):
    """The verified bytes of a body, as they arrive; safe to share between threads.

    When anything was refused, nothing is read any more: an application that
    ignores the error gets it again.

    Args:
        incoming: the body as the server hands it over.
        verification: what is left of the rules.
        length: bytes that the application will read.
        limit: bytes that may arrive.
        seconds: that may be spent on waiting for the client.
        memory_limit: bytes above which what cannot be handed on yet is kept on disk.

    Attributes:
        trailers: those of an aws-chunked body, once it is complete.

    Raises:
        SigV4Error: if the request carries checksums that cannot be verified.
    """

    def __init__(
        self,
        incoming: Incoming,
        verification: Verification,
        *,
        length: int,
        limit: int,
        seconds: float,
        memory_limit: int,
    ) -> None:
        # What close() needs comes first: it is called where the rest cannot be made.
        self._lock = threading.RLock()
        self._spool = Spool(memory_limit=memory_limit)
        self.trailers: dict[str, str] = {}
        self._incoming = incoming
        self._verification = verification
        self._verifier = with_checksums(verification)
        self._pieces = incoming.pieces(limit=limit, seconds=seconds)
        self._length = length
        self._handed_on = 0
        self._is_complete = False
        self._fault: BaseException | None = None

    @property
    def refusal(self) -> SigV4Error | None:
        """The reason for which the body was refused, or None so far."""
        return self._fault if isinstance(self._fault, SigV4Error) else None

    @property
    def is_verified(self) -> bool:
        """Whether all of the body has come, and is the one that was signed."""
        return self._is_complete

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of the body has been asked for yet."""
        return not self._incoming.received

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Hand on what is verified, waiting for more where there is nothing.

        Raises:
            BodyRefused: if the body was refused.
            ValueError: if the request is done.
        """
        view = memoryview(buffer).cast("B")
        with self._lock:
            if self.closed:
                raise ValueError("the request is done")
            if self._fault is not None:
                raise BodyRefused("the body was refused before") from self._fault
            try:
                while not self._is_complete and not self._ready():
                    self._advance()
                data = self._spool.read(min(len(view), self._ready()))
                self._handed_on += len(data)
            except BaseException as fault:
                # What a swallowed error has lost, no later byte makes up for.
                self._fault = fault
                if isinstance(fault, SigV4Error):
                    raise BodyRefused("the body was refused") from fault
                raise
        view[: len(data)] = data
        return len(data)

    def complete(self) -> None:
        """Read the body to its end, and keep what the application may still read.

        Raises:
            SigV4Error: the reason for which the body is refused, now or earlier.
        """
        with self._lock:
            if self._fault is not None:
                raise self._fault
            while not self._is_complete:
                self._advance()

    def abandon(self, *, limit: int, seconds: float) -> None:
        """Close the body, and verify what is left as far as *limit* bytes and *seconds* reach.

        Raises:
            SigV4Error: if the body is refused, as far as that can be seen.
        """
        with self._lock:
            self.close()
            if self._fault is not None:
                raise self._fault
            stop = self._incoming.received + limit
            self._pieces = self._incoming.pieces(limit=sys.maxsize, seconds=seconds)
            # The client has had its time to read the answer.
            with suppress(BodyTooSlow):
                while not self._is_complete and self._incoming.received < stop:
                    self._advance()

    def drain(self, *, limit: int, seconds: float) -> None:
        """Close a refused body, and read what is left, for a proxy that still sends."""
        with self._lock:
            self.close()
            if not isinstance(self._fault, BodyTooSlow):
                self._incoming.drain(limit=limit, seconds=seconds)

    def close(self) -> None:
        """Learn that the application reads no more, and give the room back."""
        # A thread that still waits for the client goes first: what comes on this
        # connection later is another request.
        with self._lock:
            self._spool.close()
            super().close()

    def _ready(self) -> int:
        """Return how many bytes may be handed on now."""
        if self._is_complete:
            return self._spool.size
        return min(self._verifier.released, self._length - 1) - self._handed_on

    def _advance(self) -> None:
        """Take the next piece, or what comes after the last one; remember what went wrong."""
        try:
            with naming(self._verification.attempt):
                piece = next(self._pieces, None)
                if piece is not None:
                    self._keep(self._verifier.feed(piece))
                    return
                self._verifier.finish()
        except BaseException as fault:
            self._fault = fault
            if isinstance(fault, SigV4Error):
                remember(fault, self._verification.attempt, self._verification.credentials)
            raise
        self.trailers.update(self._verification.trailers)
        self._is_complete = True

    def _keep(self, data: bytes) -> None:
        if not self.closed:
            self._spool.write(data)
