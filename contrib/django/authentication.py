"""Authenticate a request of Django's.

Under WSGI the core does it all, on a copy of the environ. Under ASGI Django
has received the body before any middleware runs, so that only the file it made
is left to hash, and the look-up of the key can be awaited. Either kind of
request may be handled by synchronous code or by asynchronous code.

What was verified stands in ``request.META`` under the keys of
:mod:`wsgi_sigv4.environ`, and the body is the verified one, not yet read.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING
from typing import Final
from typing import cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.authentication import authenticate as authenticate_environ
from wsgi_sigv4.authentication import body_limit
from wsgi_sigv4.authentication import has_lost_body
from wsgi_sigv4.authentication import refuse_post_policy
from wsgi_sigv4.authentication import streamed_body
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.body import with_checksums
from wsgi_sigv4.contrib.django.bodies import body_of
from wsgi_sigv4.contrib.django.bodies import find_kept_body
from wsgi_sigv4.contrib.django.bodies import replace_body
from wsgi_sigv4.contrib.django.bodies import replace_kept_body
from wsgi_sigv4.contrib.django.bodies import size_of
from wsgi_sigv4.contrib.django.bodies import take_body
from wsgi_sigv4.contrib.django.calls import acall
from wsgi_sigv4.contrib.django.calls import alookup
from wsgi_sigv4.contrib.django.calls import call
from wsgi_sigv4.contrib.django.calls import lookup
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.environ import adopt_path
from wsgi_sigv4.contrib.django.environ import core_request
from wsgi_sigv4.contrib.django.environ import environ_of
from wsgi_sigv4.contrib.django.environ import is_attempt
from wsgi_sigv4.contrib.django.environ import route_on
from wsgi_sigv4.contrib.django.streaming import find_streamed
from wsgi_sigv4.contrib.django.streaming import remember_streamed
from wsgi_sigv4.decisions import remember
from wsgi_sigv4.environ import ACCESS_KEY_ID
from wsgi_sigv4.environ import IDENTITY
from wsgi_sigv4.environ import TRAILERS
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.environ import remove_framing
from wsgi_sigv4.errors import AccessDenied
from wsgi_sigv4.errors import BodyTooLarge
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import naming
from wsgi_sigv4.options import Options
from wsgi_sigv4.spooling import spool
from wsgi_sigv4.streams import Incoming
from wsgi_sigv4.verification import Verification
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Bytes; a larger body is hashed in a thread under ASGI. So many take about a
#: fifth of a millisecond, for which no other request can be served.
HASHED_INLINE: Final = 256 * 1024

#: Keys that the framing of an aws-chunked body is removed from, or that it adds.
_FRAMING_KEYS: Final = (
    *("CONTENT_LENGTH", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING"),
    TRAILERS,
)


def authenticate(
    request: HttpRequest,
    conf: Configuration,
    *,
    required: bool,
    rewrite_path: bool,
    stream: bool = False,
) -> Identity | None:
    """Verify *request*; None where it is not signed and need not be.

    Args:
        request: the request; inherited identities are removed from it.
        conf: what the setting says.
        required: refuse a request that is not signed.
        rewrite_path: make Django route on the normal form of the path; else a
            path that is not in normal form is refused.
        stream: do as ``STREAM`` says: the caller settles the body before it
            lets an answer out. Else the whole body is verified first.

    Raises:
        SigV4Error: the reason for which the request is refused.
        ImproperlyConfigured: if something has read its body before.
    """
    environ = _environ(request, conf, required=required)
    if environ is None:
        return None
    identity = _inherited(request, environ, conf)
    if identity is None and isinstance(request, ASGIRequest):
        attempt = _claim(request, environ, conf, required=required, rewrite_path=rewrite_path)
        if attempt is not None:
            with naming(attempt):
                credentials = lookup(conf.verifier.provider, attempt)
                try:
                    identity = _receive(request, conf.verifier.conclude(attempt, credentials), conf)
                except SigV4Error as refusal:
                    remember(refusal, attempt, credentials)
                    raise
    elif identity is None:
        options = conf.options(required=required, stream=stream)
        identity = _verify(request, environ, conf.verifier, options, rewrite_path=rewrite_path)
    if identity is not None:
        allowed = conf.authorize is None or call(conf.authorize, identity, request.META)
        _accept(request, identity, allowed=allowed)
    return identity


async def aauthenticate(
    request: HttpRequest,
    conf: Configuration,
    *,
    required: bool,
    rewrite_path: bool,
    stream: bool = False,
) -> Identity | None:
    """Verify *request* as :func:`authenticate` does, without holding up the event loop."""
    environ = _environ(request, conf, required=required)
    if environ is None:
        return None
    identity = _inherited(request, environ, conf)
    if identity is None and isinstance(request, ASGIRequest):
        attempt = _claim(request, environ, conf, required=required, rewrite_path=rewrite_path)
        if attempt is not None:
            with naming(attempt):
                credentials = await alookup(conf.verifier.provider, attempt)
                try:
                    verification = conf.verifier.conclude(attempt, credentials)
                    identity = await _areceive(request, verification, conf)
                except SigV4Error as refusal:
                    remember(refusal, attempt, credentials)
                    raise
    elif identity is None:
        # A synchronous server, with middleware that is asynchronous: the body has to be waited for.
        options = conf.options(required=required, stream=stream)
        identity = await sync_to_async(_verify, thread_sensitive=True)(
            request, environ, conf.verifier, options, rewrite_path=rewrite_path
        )
    if identity is not None:
        allowed = conf.authorize is None or await acall(conf.authorize, identity, request.META)
        _accept(request, identity, allowed=allowed)
    return identity


def _environ(
    request: HttpRequest, conf: Configuration, *, required: bool
) -> WSGIEnvironment | None:
    """Return the environ of *request*; None where it can have none, and is not signed nor need be.

    Under ASGI alone a server may tell what no environ can say.
    """
    try:
        return environ_of(request, conf.deployment)
    except SigV4Error:
        forget_identity(request.META)
        if required or not isinstance(request, ASGIRequest):
            raise
        if is_attempt(request, conf.deployment):
            raise
        _refuse_post_policy(request, conf)
        return None


def _inherited(
    request: HttpRequest, environ: WSGIEnvironment, conf: Configuration
) -> Identity | None:
    """Return the identity that a SigV4Middleware around the project found, or None.

    One from another verifier, or for another path, says nothing of this
    request (T40).
    """
    identity = environ.get(IDENTITY)
    forget_identity(request.META)
    if not isinstance(identity, Identity):
        return None
    sent = core_request(request, environ, conf.deployment)
    return identity if identity.is_from(conf.verifier, sent) else None


def _accept(request: HttpRequest, identity: Identity, *, allowed: object) -> None:
    # Nothing but True: a response that says no, say, is no consent.
    if allowed is not True:
        with naming(identity):
            raise AccessDenied
    body = find_streamed(request)
    if body is not None and not body.is_untouched:
        raise RuntimeError("AUTHORIZE has read a body that a view is to read")
    request.META[ACCESS_KEY_ID] = identity.access_key_id
    request.META[IDENTITY] = identity


def _verify(
    request: HttpRequest,
    environ: WSGIEnvironment,
    verifier: Verifier,
    options: Options,
    *,
    rewrite_path: bool,
) -> Identity | None:
    """Verify a *request* of WSGI, as far as the core goes."""
    # Who has read a lost one has kept what a refusal left: that is not what was signed.
    known = None if has_lost_body(environ) else find_kept_body(request)
    if known is not None:
        environ["wsgi.input"] = BytesIO(known)
        options = replace(options, stream=False)
    routed = environ["PATH_INFO"]
    try:
        identity = authenticate_environ(environ, verifier, options, rewrite_path=rewrite_path)
    except SigV4Error:
        if known is None:
            # It has been drained, and who reads it now would wait for more.
            take_body(request, environ)
        raise
    if environ["PATH_INFO"] != routed:
        adopt_path(request, environ)
    stream = environ["wsgi.input"]
    if TRAILERS in environ:
        _adopt_framing(request, environ)
    if known is not None:
        if TRAILERS in environ:
            replace_kept_body(request, stream.read())
        stream.close()
    elif identity is not None:
        remember_streamed(request, streamed_body(environ))
        take_body(request, environ)
    elif stream is not request.META["wsgi.input"]:
        # The core has looked at the beginning of a form.
        length = cast("LimitedStream", request._stream).limit
        request.META["wsgi.input"] = stream
        request._stream = LimitedStream(stream, length)  # type: ignore[assignment]
    return identity


def _claim(
    request: ASGIRequest,
    environ: WSGIEnvironment,
    conf: Configuration,
    *,
    required: bool,
    rewrite_path: bool,
) -> Attempt | None:
    """Return what a *request* of ASGI claims, or None where it is not signed and need not be."""
    try:
        sent = core_request(request, environ, conf.deployment)
    except SigV4Error:
        if required or is_attempt(request, conf.deployment):
            raise
        _refuse_post_policy(request, conf)
        return None
    attempt = conf.verifier.prepare(sent)
    if attempt is None:
        if required:
            raise unsupported_scheme(sent)
        _refuse_post_policy(request, conf)
        return None
    with naming(attempt):
        if attempt.path != sent.routed_path:
            if not rewrite_path:
                raise PathNotRouted
            route_on(request, attempt.path, environ, conf.deployment)
        # Under WSGI too; and Django itself fails on one that is no number.
        body_length(environ, conf.deployment)
        if (size_of(body_of(request)) or 0) > body_limit(attempt, conf.strict):
            raise BodyTooLarge(limit=conf.strict.max_body)
    return attempt


async def _areceive(
    request: ASGIRequest, verification: Verification, conf: Configuration
) -> Identity:
    size = size_of(body_of(request))
    if size is not None and size <= HASHED_INLINE:
        return _receive(request, verification, conf)
    # Not the thread of the database connections: everybody waits for that one.
    return await sync_to_async(_receive, thread_sensitive=False)(request, verification, conf)


def _receive(request: ASGIRequest, verification: Verification, conf: Configuration) -> Identity:
    """Apply what is left of the rules to the body that Django has received."""
    options = conf.strict
    stream = verification.attempt.stream
    limit = body_limit(verification.attempt, options)
    if verification.awaits_body:
        limit = min(limit, options.unverified_body_limit)
    verified = with_checksums(verification)
    body = body_of(request)
    size = size_of(body)
    pieces = Incoming(body, size).pieces(limit=limit, seconds=options.body_seconds)
    if size is None or stream is not None:
        # What the application reads is another file than what was received.
        file, size = spool(pieces, memory_limit=options.memory_limit, feed=verified.feed)
        replace_body(request, file)
    else:
        for piece in pieces:
            verified.feed(piece)
        body.seek(0)
    identity = verified.finish()
    if stream is not None:
        remove_framing(request.META, verification.trailers, size)
        vars(request).pop("headers", None)
        if hasattr(request, "_body"):
            replace_kept_body(request, request._stream.read())
    if request.META.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        request.META["CONTENT_LENGTH"] = str(size)
    return identity


def _adopt_framing(request: HttpRequest, environ: WSGIEnvironment) -> None:
    """Take over into *request* that its *environ* no longer shows an aws-chunked body."""
    for key in _FRAMING_KEYS:
        request.META.pop(key, None)
        if key in environ:
            request.META[key] = environ[key]
    vars(request).pop("headers", None)


def _refuse_post_policy(request: ASGIRequest, conf: Configuration) -> None:
    """Refuse an unsigned form whose fields carry a signature (T41)."""
    body = body_of(request)
    size = size_of(body)
    length = request.META.get("CONTENT_LENGTH", "") if size is None else str(size)
    form = {
        "CONTENT_TYPE": request.META.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": length,
        "wsgi.input": body,
    }
    refuse_post_policy(form, conf.lenient)
    if size is not None:
        body.seek(0)
    elif form["wsgi.input"] is not body:
        request._stream = form["wsgi.input"]
