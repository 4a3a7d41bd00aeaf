"""What is left to verify when the headers are: the body, while it arrives."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from typing import Protocol
from typing import cast

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.attempt import check_freshness
from wsgi_sigv4.chunked import ChunkedDecoder
from wsgi_sigv4.chunked import Decoded
from wsgi_sigv4.chunked import SignatureChain
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.drafts import draft_of
from wsgi_sigv4.errors import DisabledAccessKey
from wsgi_sigv4.errors import ExpiredCredentials
from wsgi_sigv4.errors import InvalidSessionToken
from wsgi_sigv4.errors import KeyLimitExceeded
from wsgi_sigv4.errors import PayloadFormNotAllowed
from wsgi_sigv4.errors import PayloadHashMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import UnknownAccessKey
from wsgi_sigv4.framing import Stream
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import name
from wsgi_sigv4.identity import naming
from wsgi_sigv4.limits import Limits
from wsgi_sigv4.payload import EMPTY_SHA256
from wsgi_sigv4.payload import PayloadForm

# Python 3.11 takes long to find a member of an enum.
_ABSENT: Final = PayloadForm.ABSENT
_SHA256: Final = PayloadForm.SHA256
_UNSIGNED: Final = PayloadForm.UNSIGNED
_Draft: Final = draft_of(Identity)
_NO_TRAILERS: Final[Mapping[str, str]] = MappingProxyType({})


class Checks(Protocol):
    """What a verification asks of the verifier that began it."""

    @property
    def clock(self) -> Callable[[], float]:
        """POSIX seconds."""

    def check_signature(self, verification: Verification, payload_hash: str, now: float) -> None:
        """Apply rule 10."""


class Verification:
    """What is left to do after the headers: to read the body and to check it.

    Feed the body, then call :meth:`finish`. Nothing that *feed* returns is
    verified before *finish* has returned.

    Attributes:
        attempt: the request and what it claims.
        credentials: what the provider found, or None.
        fault: with uniform errors, the fault that only a right signature is told.
        awaits_body: True where rule 10 needs the hash of the body.
        payload_hash: what stands for the body in the canonical request; empty
            while *awaits_body*.
        trailers: the verified trailers of an aws-chunked body, once *finish*
            has returned.
    """

    __slots__ = (
        "_chunked",
        "_hash",
        "_length",
        "attempt",
        "awaits_body",
        "credentials",
        "fault",
        "payload_hash",
        "trailers",
        "verifier",
    )

    def __init__(
        self,
        verifier: Checks,
        attempt: Attempt,
        credentials: Credentials | None,
        fault: SigV4Error | None,
        *,
        is_empty: bool = False,
    ) -> None:
        self.verifier = verifier
        self.attempt = attempt
        self.credentials = credentials
        self.fault = fault
        form, self.payload_hash = attempt.payload
        if is_empty and form is _ABSENT:
            self.payload_hash = EMPTY_SHA256
        self.awaits_body = not self.payload_hash
        self.trailers: Mapping[str, str] = _NO_TRAILERS
        self._hash: hashlib._Hash | None = None
        self._length = 0
        self._chunked: tuple[ChunkedDecoder, Decoded] | None = None

    def begin(self, signing_key: bytes, stream: Stream) -> None:
        """Learn the *signing_key* of the right signature; a signed *stream* goes on with it."""
        chain = None
        if self.attempt.payload.form.is_signed_stream:
            chain = SignatureChain(
                signing_key,
                timestamp=self.attempt.timestamp,
                scope=self.attempt.scope,
                seed=self.attempt.authorization.signature,
            )
        decoded = Decoded()
        decoder = ChunkedDecoder(
            decoded,
            decoded_length=stream.decoded_length,
            chain=chain,
            trailers=stream.trailers,
        )
        self._chunked = decoder, decoded

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the body, and return those the application may read later.

        Raises:
            SigV4Error: if the body is aws-chunked, and a chunk is refused.
        """
        if self._chunked is not None:
            decoder, decoded = self._chunked
            with naming(self.attempt):
                decoder.feed(data)
            data = decoded.take()
        elif self.attempt.payload.form is not _UNSIGNED:
            if self._hash is None:
                self._hash = hashlib.sha256()
            self._hash.update(data)
        self._length += len(data)
        return data

    @property
    def released(self) -> int:
        """How many of the bytes that *feed* has returned a stream may hand on at once.

        Those of a signed chunk when its signature was right. What nothing but
        the end of the body can verify need not wait, but for its last byte.
        """
        if self._chunked is not None and self.attempt.payload.form.is_signed_stream:
            return self._chunked[1].verified
        return self._length

    @property
    def signer(self) -> Identity:
        """Who signed the headers; nothing is said of the body.

        Raises:
            RuntimeError: while rule 10 needs the hash of the body: there is none yet.
        """
        # No assertion: Python may leave those out.
        if self.awaits_body:
            raise RuntimeError("the signature needs the body, and was not looked at")
        return self._identity()

    def finish(self, *, now: float | None = None) -> Identity:
        """Apply rule 11, and whatever had to wait for the body; return the identity.

        Raises:
            PayloadHashMismatch: if the body is not the one whose hash was signed.
            SignatureMismatch: if it had to wait for the body, and is wrong.
            PayloadFormNotAllowed: if an unsigned body came where none may.
            IncompleteBody, MalformedTrailer: if an aws-chunked body ended early.
            RequestTimeTooSkewed, RequestExpired, ExpiredCredentials: if the request, or its
                credentials, died meanwhile.
        """
        attempt = self.attempt
        now = self.verifier.clock() if now is None else now
        try:
            # Rule 5 again: the clock went on while the body arrived.
            check_freshness(attempt.timestamp, attempt.lifetime, attempt.terms.max_skew, now)
            # Rule 10, where it had to wait.
            if self.awaits_body:
                self.verifier.check_signature(self, self._body_hash, now)
            # Rule 9 again, for who has the secret: temporary credentials end too.
            if self.credentials is None or self.credentials.expires_at is not None:
                fault = key_fault(attempt, self.credentials, now)
                if fault is not None:
                    raise fault
            # Rule 11: the body is the one that was signed.
            self._check_body()
        except SigV4Error as refusal:
            name(refusal, attempt)
            raise
        return self._identity()

    def _check_body(self) -> None:
        form, value = self.attempt.payload
        if self.attempt.stream is not None:
            assert self._chunked is not None  # noqa: S101 (rule 10)
            self.trailers = self._chunked[0].finish()
        # What was not to have a body must not have got one.
        if form is _SHA256 or (self._length and form is _ABSENT and not self.awaits_body):
            computed = self._body_hash
            if not hmac.compare_digest(computed, self.payload_hash.lower()):
                raise PayloadHashMismatch(declared=self.payload_hash, computed=computed)
        if self.attempt.empty_body_only and self._length:
            raise PayloadFormNotAllowed(value=value)

    @property
    def _body_hash(self) -> str:
        return EMPTY_SHA256 if self._hash is None else self._hash.hexdigest()

    def _identity(self) -> Identity:
        attempt, credentials = self.attempt, self.credentials
        assert credentials is not None  # noqa: S101 (rule 9)
        authorization, request = attempt.authorization, attempt.request
        posix = attempt.timestamp.posix
        draft = _Draft()
        draft.access_key_id = authorization.credential.access_key_id
        draft.principal = credentials.principal
        draft.scope = authorization.credential.scope
        draft.signed_headers = authorization.signed_headers
        draft.request_time = posix
        draft.presigned = authorization.presigned
        draft.expires_at = None if attempt.lifetime is None else posix + attempt.lifetime
        draft.payload_form = attempt.payload.form
        draft._origin = self.verifier, request.method, request.path, request.query
        draft._path = attempt.path
        draft.__class__ = Identity
        return cast("Identity", draft)


def key_fault(attempt: Attempt, credentials: Credentials | None, now: float) -> SigV4Error | None:
    """Return what rule 9 has against the key or its session token, or None."""
    if credentials is None:
        return UnknownAccessKey()
    if not credentials.enabled:
        return DisabledAccessKey()
    token = attempt.session_token
    issued = credentials.session_token
    if token is None and issued is not None:
        return InvalidSessionToken(absent=True)
    if token is not None and not _is_token(token, issued):
        return InvalidSessionToken()
    # So written, a time that is no number has passed.
    if credentials.expires_at is not None and not now < credentials.expires_at:
        return ExpiredCredentials()
    return None


def check_limits(attempt: Attempt, limits: Limits) -> None:
    """Apply the rest of rule 9: the key may be used for this.

    Raises:
        KeyLimitExceeded: if it may not.
    """
    excess = limits.find_excess(
        region=attempt.scope.region,
        service=attempt.scope.service,
        method=attempt.request.method,
        path=attempt.path,
        lifetime=attempt.lifetime,
    )
    if excess is not None:
        raise KeyLimitExceeded(limit=excess)


def _is_token(token: str, issued: str | None) -> bool:
    return issued is not None and hmac.compare_digest(token.encode(), issued.encode())
