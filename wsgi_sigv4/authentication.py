"""Authenticate the request of a WSGI environ.

:func:`authenticate` is what every skin calls: it takes the request out of the
environ, applies the rules, reads the body and puts the identity in.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import IO
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.body import with_checksums
from wsgi_sigv4.decisions import remember
from wsgi_sigv4.environ import ACCESS_KEY_ID
from wsgi_sigv4.environ import IDENTITY
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.environ import has_body
from wsgi_sigv4.environ import hides_truncation
from wsgi_sigv4.environ import is_attempt
from wsgi_sigv4.environ import remove_framing
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.environ import set_path
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import BodyTooSlow
from wsgi_sigv4.errors import IncompleteBody
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.exemptions import is_exempt
from wsgi_sigv4.exemptions import is_preflight
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import name
from wsgi_sigv4.options import Options
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.spooling import spool
from wsgi_sigv4.streams import Incoming
from wsgi_sigv4.streams import rejoin
from wsgi_sigv4.verification import Verification
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

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

_POLICY_FIELD: Final = rb'(?i)name="?(x-amz-(signature|credential|algorithm)|awsaccesskeyid)"?'
#: Servers that have sent 100 Continue before the application is called.
_EAGER_SERVERS: Final = ("gunicorn", "werkzeug", "cheroot", "waitress", "apache")


class _LostBody(io.BytesIO):
    """What is left of a body that was refused: nothing, and not an empty one."""

    is_lost: Final = True


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
    if (options.exempt and is_exempt(environ, options.exempt)) or (
        options.preflight and is_preflight(environ)
    ):
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
    refused body has been drained. With ``options.stream`` the body may be one
    that :func:`streamed_body` finds, and the caller settles it before any
    answer is let out.

    Args:
        environ: the environ; inherited identities are removed from it.
        verifier: the verifier.
        options: those of the skin.
        rewrite_path: make the application route on the normal form of the
            path; else a path that is not in normal form is refused.

    Raises:
        SigV4Error: the reason for which the request is refused.
    """
    attempt: Attempt | None = None
    incoming: Incoming | None = None
    try:
        attempt = claim(environ, verifier, options, rewrite_path=rewrite_path)
        if attempt is None:
            return None
        if has_lost_body(environ):
            raise IncompleteBody(expected=None, received=0)
        length = _length(environ, attempt, options)
        incoming = None if length == 0 else _incoming(environ, length)
        credential = attempt.authorization.credential
        credentials = verifier.provider.lookup(
            credential.access_key_id, scope=credential.scope, session_token=attempt.session_token
        )
        try:
            verification = verifier.conclude(attempt, credentials, is_empty=incoming is None)
            identity = _receive(environ, incoming, verification, options)
        except SigV4Error as refusal:
            remember(refusal, attempt, credentials)
            raise
    except SigV4Error as refusal:
        if attempt is not None:
            name(refusal, attempt)
        if not isinstance(refusal, BodyTooSlow) and not options.report_only:
            _drain(environ, incoming, options)
        forget_body(environ)
        raise
    environ[ACCESS_KEY_ID] = identity.access_key_id
    environ[IDENTITY] = identity
    return identity


def streamed_body(environ: WSGIEnvironment) -> StreamedBody | None:
    """Return the body that is still to be verified while the application reads, or None."""
    raw = getattr(environ["wsgi.input"], "raw", None)
    return raw if isinstance(raw, StreamedBody) else None


def settle(body: StreamedBody, environ: WSGIEnvironment, *, failed: bool) -> None:
    """Learn whether *body* is the one that was signed, before the answer is let out (T50).

    What the application has not read is kept for it.

    Args:
        body: the body of the request.
        environ: the environ.
        failed: the answer is an error. The client need not send all of the body
            for it, and the application can read no more.

    Raises:
        SigV4Error: the reason for which the request is refused after all.
    """
    if not failed:
        body.complete()
    elif body.is_untouched and _awaits_continue(environ):
        body.close()
    else:
        body.abandon(limit=DRAIN_LIMIT, seconds=DRAIN_SECONDS)


def dismiss(body: StreamedBody, environ: WSGIEnvironment) -> None:
    """Drain *body*, which is refused, and leave neither it nor an identity in *environ*."""
    if body.is_untouched and _awaits_continue(environ):
        body.close()
    else:
        body.drain(limit=DRAIN_LIMIT, seconds=DRAIN_SECONDS)
    forget_identity(environ)
    forget_body(environ)


def forget_body(environ: WSGIEnvironment) -> None:
    """Leave an empty body in *environ*.

    Error pages and logs that look at a form must neither wait for it nor see
    it, and no other verifier must take it for the one that was signed.
    """
    is_lost = has_body(environ) or has_lost_body(environ)
    environ["wsgi.input"] = _LostBody() if is_lost else io.BytesIO()
    environ["CONTENT_LENGTH"] = "0"
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def has_lost_body(environ: WSGIEnvironment) -> bool:
    """Return whether the body of *environ* is gone, with a refusal."""
    return getattr(environ.get("wsgi.input"), "is_lost", False) is True


def _length(environ: WSGIEnvironment, attempt: Attempt, options: Options) -> int | None:
    """Return the length of the body, refusing before any look-up what cannot be read."""
    length = body_length(environ, options.deployment)
    if length is None:
        if attempt.payload.form is PayloadForm.UNSIGNED and hides_truncation(environ):
            raise LengthRequired
    # Content may be announced by a stream whose length is zero, too.
    elif (length or attempt.stream is not None) and length > body_limit(attempt, options):
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


def _incoming(environ: WSGIEnvironment, length: int | None) -> Incoming:
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return Incoming(environ["wsgi.input"], length, connection=connection)


def _receive(
    environ: WSGIEnvironment,
    incoming: Incoming | None,
    verification: Verification,
    options: Options,
) -> Identity:
    attempt = verification.attempt
    if incoming is not None and options.stream:
        length = _streamed_length(attempt, incoming)
        if length:
            return _hand_on(environ, incoming, verification, options, length=length)
    verified = with_checksums(verification)
    body: IO[bytes] = io.BytesIO()
    length = 0
    if incoming is not None:
        limit = body_limit(attempt, options)
        if verification.awaits_body:
            limit = min(limit, options.unverified_body_limit)
        pieces = incoming.pieces(limit=limit, seconds=options.body_seconds)
        body, length = spool(pieces, memory_limit=options.memory_limit, feed=verified.feed)
    try:
        identity = verified.finish()
        _replace_body(environ, body, length)
        if attempt.stream is not None:
            remove_framing(environ, dict(verification.trailers), length)
        if options.authorize is not None:
            _authorize(options.authorize, identity, environ)
            # It may have read the body.
            body.seek(0)
    except BaseException:
        body.close()
        raise
    return identity


def _streamed_length(attempt: Attempt, incoming: Incoming) -> int:
    """Return how many bytes an application will read while they arrive; 0: none.

    Without a length nobody could say which byte is the last, and where the
    signature needs the body there is nothing to trust before its end.
    """
    if attempt.payload.form is PayloadForm.ABSENT or attempt.empty_body_only:
        return 0
    if attempt.stream is not None:
        return attempt.stream.decoded_length
    return incoming.length or 0


def _hand_on(
    environ: WSGIEnvironment,
    incoming: Incoming,
    verification: Verification,
    options: Options,
    *,
    length: int,
) -> Identity:
    """Let the application read while the client sends."""
    body = StreamedBody(
        incoming,
        verification,
        length=length,
        limit=body_limit(verification.attempt, options),
        seconds=options.body_seconds,
        memory_limit=options.memory_limit,
    )
    identity = verification.signer
    _replace_body(environ, io.BufferedReader(body), length)
    if verification.attempt.stream is not None:
        remove_framing(environ, body.trailers, length)
    if options.authorize is not None:
        _authorize(options.authorize, identity, environ)
        if not body.is_untouched:
            raise RuntimeError("authorize has read a body that the application is to read")
    return identity


def _authorize(
    allows: Callable[[Identity, WSGIEnvironment], bool],
    identity: Identity,
    environ: WSGIEnvironment,
) -> None:
    # Nothing but True: a coroutine, say, is no consent.
    if allows(identity, environ) is not True:
        raise AccessDenied


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


def _awaits_continue(environ: WSGIEnvironment) -> bool:
    """Return whether the client, unless asked for its body, sends nothing."""
    if not environ.get("HTTP_EXPECT"):
        return False
    return not str(environ.get("SERVER_SOFTWARE", "")).lower().startswith(_EAGER_SERVERS)


def _drain(environ: WSGIEnvironment, incoming: Incoming | None, options: Options) -> None:
    if _awaits_continue(environ):
        return
    if incoming is None:
        try:
            length = body_length(environ, options.deployment)
        except SigV4Error:
            return
        if length == 0:
            return
        incoming = _incoming(environ, length)
    incoming.drain(limit=DRAIN_LIMIT, seconds=DRAIN_SECONDS)


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
    if re.search(_POLICY_FIELD, head) is not None:
        raise MissingAuthentication
