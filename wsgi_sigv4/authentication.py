"""Authenticate the request of a WSGI environ.

:func:`authenticate` is what every skin calls: it takes the request out of the
environ, applies the rules, reads the body and puts the identity in. What a
request may be, and how much of it is read, stands in :class:`Options`.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import IO
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.checksums import ChecksumVerifier
from wsgi_sigv4.environ import ACCESS_KEY_ID
from wsgi_sigv4.environ import DIRECT
from wsgi_sigv4.environ import IDENTITY
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.environ import as_wsgi
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.environ import hides_truncation
from wsgi_sigv4.environ import is_attempt
from wsgi_sigv4.environ import remove_framing
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.environ import set_path
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import naming
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.streams import Incoming
from wsgi_sigv4.streams import rejoin
from wsgi_sigv4.streams import spool
from wsgi_sigv4.verification import Verification
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Authenticated clients may fill this much of the temporary folder.
MAX_BODY: Final = 1024 * 1024 * 1024
#: A body above this goes to a temporary file.
MEMORY_LIMIT: Final = 1024 * 1024
#: Anybody who knows a key id may make the server read this much.
UNVERIFIED_BODY_LIMIT: Final = 10 * 1024 * 1024
#: Seconds in which a body must have arrived.
BODY_SECONDS: Final = 300.0
#: Bytes and seconds that the drain of a refused body may take; behind nginx
#: bodies up to about 3 MB otherwise end as 502.
DRAIN_LIMIT: Final = 10 * 1024 * 1024
DRAIN_SECONDS: Final = 5.0
#: S3 allows 20 KB for the fields that come before the file of a POST form.
FORM_FIELDS_LIMIT: Final = 32 * 1024

#: Bytes that the framing of an aws-chunked body may take beside its content,
#: which may have one byte a chunk.
FRAMING_LIMIT: Final = 64 * 1024
FRAMING_FACTOR: Final = 8

_POLICY_FIELD: Final = re.compile(
    rb'name="?(x-amz-(signature|credential|algorithm)|awsaccesskeyid)"?', re.IGNORECASE
)
#: Servers that have sent 100 Continue before the application is called.
_EAGER_SERVERS: Final = ("gunicorn", "werkzeug", "cheroot", "waitress", "apache")

Exempt = Sequence[str] | Callable[["WSGIEnvironment"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a skin treats requests; the same for all skins.

    Attributes:
        required: refuse requests that are not signed.
        exempt: path prefixes that are not verified, or a predicate of the environ;
            anything but True exempts nothing.
        authorize: whether an authentic request may be served; anything but True: 403.
        preflight: let CORS preflight requests through without an identity.
        max_body: bytes that a body may have.
        memory_limit: bytes of a body that are kept in memory.
        unverified_body_limit: bytes of a body that are read before the
            signature can be checked.
        body_seconds: seconds in which a body must have arrived.
        deployment: what stands between the client and the application.

    Raises:
        ConfigurationError: if a value makes no sense.
    """

    required: bool = True
    exempt: Exempt = ()
    authorize: Callable[[Identity, WSGIEnvironment], bool] | None = None
    preflight: bool = False
    max_body: int = MAX_BODY
    memory_limit: int = MEMORY_LIMIT
    unverified_body_limit: int = UNVERIFIED_BODY_LIMIT
    body_seconds: float = BODY_SECONDS
    deployment: Deployment = DIRECT

    def __post_init__(self) -> None:
        for name in ("max_body", "memory_limit", "unverified_body_limit", "body_seconds"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"{name} is not negative")
        if isinstance(self.exempt, str):
            raise ConfigurationError("exempt is a list of path prefixes, or a callable")
        if iscoroutinefunction(self.exempt):
            raise ConfigurationError("exempt cannot be awaited")
        if not callable(self.exempt):
            for prefix in self.exempt:
                if not prefix.startswith("/") or not prefix.strip("/"):
                    raise ConfigurationError(f"exempt: {prefix!r} is not a path below the root")
        prefix = self.deployment.path_prefix
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ConfigurationError("path_prefix starts with a slash and does not end with one")


def claim(
    environ: WSGIEnvironment, verifier: Verifier, options: Options, *, rewrite_path: bool = False
) -> Attempt | None:
    """Return what the request of *environ* claims, or None where it may pass without identity.

    Args:
        environ: the environ; inherited identities are removed from it.
        verifier: the verifier.
        options: those of the skin.
        rewrite_path: make the application route on the normal form of the
            path; else a path that is not in normal form is refused.

    Raises:
        SigV4Error: the reason for which the request is refused.
    """
    forget_identity(environ)
    if is_exempt(environ, options.exempt) or (options.preflight and is_preflight(environ)):
        return None
    try:
        request = request_from_environ(environ, options.deployment)
    except SigV4Error:
        if options.required or is_attempt(environ, options.deployment):
            raise
        refuse_post_policy(environ, options)
        return None
    attempt = verifier.prepare(request)
    if attempt is None:
        if options.required:
            raise unsupported_scheme(request)
        refuse_post_policy(environ, options)
        return None
    if attempt.path != request.routed_path:
        if not rewrite_path:
            raise PathNotRouted
        set_path(environ, attempt.path, options.deployment)
    return attempt


def authenticate(
    environ: WSGIEnvironment, verifier: Verifier, options: Options, *, rewrite_path: bool = False
) -> Identity | None:
    """Verify the request of *environ*; None where it may pass without identity.

    On success the verified body, rewound, the identity and its access key id
    are in *environ*; the caller closes the body when the answer is done. A
    refused body has been drained.

    Args:
        environ: the environ; inherited identities are removed from it.
        verifier: the verifier.
        options: those of the skin.
        rewrite_path: make the application route on the normal form of the
            path; else a path that is not in normal form is refused.

    Raises:
        SigV4Error: the reason for which the request is refused.
    """
    incoming: Incoming | None = None
    try:
        attempt = claim(environ, verifier, options, rewrite_path=rewrite_path)
        if attempt is None:
            return None
        with naming(attempt):
            incoming = _incoming(environ, _length(environ, attempt, options))
            credentials = verifier.provider.lookup(
                attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
            )
            return _receive(environ, incoming, verifier.conclude(attempt, credentials), options)
    except SigV4Error as refusal:
        if not isinstance(refusal, BodyTooSlow):
            _drain(environ, incoming, options)
        # An error page that looks at a form must neither wait for it nor see it.
        environ["wsgi.input"] = io.BytesIO()
        environ["CONTENT_LENGTH"] = "0"
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        raise


def _length(environ: WSGIEnvironment, attempt: Attempt, options: Options) -> int | None:
    """Return the length of the body, refusing before any look-up what cannot be read."""
    length = body_length(environ, options.deployment)
    unsigned = attempt.payload.form is PayloadForm.UNSIGNED
    if length is None and unsigned and hides_truncation(environ):
        raise LengthRequired
    if length is not None and length > body_limit(attempt, options):
        raise BodyTooLarge(limit=options.max_body)
    return length


def body_limit(attempt: Attempt, options: Options) -> int:
    """Return the bytes that the body may have as sent, the framing of aws-chunked included.

    Raises:
        BodyTooLarge: if it announces more content than a body may have.
    """
    stream = attempt.stream
    if stream is None:
        return options.max_body
    if stream.decoded_length > options.max_body:
        raise BodyTooLarge(limit=options.max_body)
    return stream.decoded_length * FRAMING_FACTOR + FRAMING_LIMIT


class BodyVerifier:
    """Verifies a body against the signature of its request, and its checksums.

    Args:
        verification: what is left of the rules.

    Raises:
        SigV4Error: if the request carries checksums that cannot be verified.
    """

    def __init__(self, verification: Verification) -> None:
        self._verification = verification
        self._checksums = ChecksumVerifier(verification.attempt)

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


def _incoming(environ: WSGIEnvironment, length: int | None) -> Incoming:
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return Incoming(environ["wsgi.input"], length, connection=connection)


def _receive(
    environ: WSGIEnvironment, incoming: Incoming, verification: Verification, options: Options
) -> Identity:
    limit = body_limit(verification.attempt, options)
    if verification.awaits_body:
        limit = min(limit, options.unverified_body_limit)
    verified = BodyVerifier(verification)
    body, length = spool(
        incoming.pieces(limit=limit, seconds=options.body_seconds),
        memory_limit=options.memory_limit,
        feed=verified.feed,
    )
    try:
        identity = verified.finish()
        _replace_body(environ, body, length)
        if verification.attempt.stream is not None:
            remove_framing(environ, verification.trailers, length)
        if options.authorize is not None:
            # Nothing but True: a coroutine, say, is no consent.
            if options.authorize(identity, environ) is not True:
                raise AccessDenied
            # It may have read the body.
            body.seek(0)
    except BaseException:
        body.close()
        raise
    environ[ACCESS_KEY_ID] = identity.access_key_id
    environ[IDENTITY] = identity
    return identity


def _replace_body(environ: WSGIEnvironment, body: IO[bytes], length: int) -> None:
    environ["wsgi.input"] = body
    environ["wsgi.input_terminated"] = True
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None or length:
        environ["CONTENT_LENGTH"] = str(length)


def set_remote_user(environ: WSGIEnvironment, identity: Identity, attribute: str | None) -> None:
    """Set REMOTE_USER to an *attribute* of *identity*; None leaves it alone (T38)."""
    if attribute is None:
        return
    # Whom an inherited value names did not sign this request.
    environ.pop("REMOTE_USER", None)
    user: object = getattr(identity, attribute)
    if user is not None:
        environ["REMOTE_USER"] = str(user)


def _drain(environ: WSGIEnvironment, incoming: Incoming | None, options: Options) -> None:
    # A client that still waits for 100 Continue sends nothing until it is told to.
    server = str(environ.get("SERVER_SOFTWARE", "")).lower()
    if environ.get("HTTP_EXPECT") and not server.startswith(_EAGER_SERVERS):
        return
    if incoming is None:
        try:
            length = body_length(environ, options.deployment)
        except SigV4Error:
            return
        incoming = _incoming(environ, length)
    incoming.drain(limit=DRAIN_LIMIT, seconds=DRAIN_SECONDS)


def is_exempt(environ: WSGIEnvironment, exempt: Exempt) -> bool:
    """Return whether the path of *environ* is exempt from verification.

    A prefix covers whole segments. A path that another layer might read
    differently (dot segments, doubled slashes, left-over escapes) never is.
    """
    if callable(exempt):
        # Nothing but True: a coroutine, say, exempts nothing.
        return exempt(environ) is True
    if not exempt:
        return False
    path: str = environ.get("PATH_INFO", "")
    if any(mark in path for mark in ("//", "/.", "%", "\\", "\0")):
        return False
    prefixes = (as_wsgi(prefix) for prefix in exempt)
    return any(path == prefix or path.startswith(prefix.rstrip("/") + "/") for prefix in prefixes)


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Return whether *environ* is a CORS preflight request, which no browser signs."""
    return (
        environ.get("REQUEST_METHOD") == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )


def refuse_post_policy(environ: WSGIEnvironment, options: Options) -> None:
    """Refuse an unsigned form whose fields carry a signature (T41)."""
    kind: str = environ.get("CONTENT_TYPE", "")
    # Some servers leave blanks around a value, and all frameworks strip them.
    if not kind.strip().lower().startswith("multipart/form-data"):
        return
    length = body_length(environ, options.deployment)
    stream = environ["wsgi.input"]
    head = b""
    incoming = _incoming(environ, length)
    for piece in incoming.pieces(limit=sys.maxsize, seconds=options.body_seconds):
        head += piece
        if len(head) >= FORM_FIELDS_LIMIT:
            break
    left = None if length is None else length - len(head)
    environ["wsgi.input"] = rejoin(head, stream, length=left)
    if _POLICY_FIELD.search(head) is not None:
        raise MissingAuthentication
