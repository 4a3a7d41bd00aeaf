"""From a WSGI environ to a :class:`~wsgi_sigv4.request.Request`, and back.

PEP 3333 hands over a decoded path, joined headers and names in capitals; what
was signed is the raw request. Each server keeps a different part of it, and
lies about it in a different way. So nothing here is repaired: what cannot be
known for certain is refused.

Text in an environ is the bytes of the wire as latin-1; this module alone
encodes it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.errors import InvalidContentLength
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length
from wsgi_sigv4.request import HEADER_NAMES
from wsgi_sigv4.request import HeaderNames
from wsgi_sigv4.request import Request
from wsgi_sigv4.traces import has_trace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: The environ keys of this package; inherited values are removed first.
ACCESS_KEY_ID: Final = "wsgi_sigv4.access_key_id"
IDENTITY: Final = "wsgi_sigv4.identity"
#: The verified trailers of an aws-chunked body, by lower-case name.
TRAILERS: Final = "wsgi_sigv4.trailers"
#: The request as it arrived, where refusals are explained.
SENT: Final = "wsgi_sigv4.sent"

_OURS: Final = (ACCESS_KEY_ID, IDENTITY, TRAILERS)
_ABSOLUTE_FORM: Final = rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?]*)(.*)"
_DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


# Not frozen, nor compared: see Options.
@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Deployment:
    """What stands between the client and the application, as the operator knows it.

    Attributes:
        path_prefix: a path that a proxy strips, ``"/api"``; decoded, without a
            slash at the end.
        header_overrides: names of headers that a proxy rewrites, each with the
            name of the header in which it keeps the client's value. The
            application sees the rewritten one, so that header is then as good
            as unsigned.
        raw_target: returns the request target as the client sent it, with the
            prefix that a proxy strips, where the server hides it; None means
            that it cannot tell.
        length_of_chunked: the proxy decodes ``Transfer-Encoding: chunked`` and
            gives a true Content-Length beside it (nginx in front of uWSGI).
    """

    path_prefix: str = ""
    header_overrides: Mapping[str, str] = field(default_factory=dict)
    raw_target: Callable[[WSGIEnvironment], str | None] | None = None
    length_of_chunked: bool = False


DIRECT: Final = Deployment()


def as_wsgi(text: str) -> str:
    """Return *text* of the operator's as an environ has it: its UTF-8 read as latin-1."""
    return text.encode().decode("latin-1")


def has_body(environ: WSGIEnvironment) -> bool:
    """Return whether the request of *environ* announces a body, in whatever form."""
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def forget_identity(environ: WSGIEnvironment) -> None:
    """Remove the keys of this package that *environ* may have inherited."""
    for key in _OURS:
        environ.pop(key, None)


def request_from_environ(environ: WSGIEnvironment, deployment: Deployment = DIRECT) -> Request:
    """Return the request of *environ* as the client sent it.

    Raises:
        MalformedRequest: if the raw request cannot be known for certain.
    """
    try:
        return _request(environ, deployment)
    except UnicodeEncodeError:
        raise MalformedRequest(fault="the environ holds text that is not latin-1") from None


def _request(environ: WSGIEnvironment, deployment: Deployment) -> Request:
    prefix, script_name = _mount(environ, deployment)
    mount, path_info = prefix + script_name, environ.get("PATH_INFO", "")
    # Some servers cut a mount point off in the midst of a segment; frameworks add the slash.
    if mount and path_info and mount[-1] != "/" != path_info[0]:
        raise PathNotRouted
    routed = (mount + path_info).encode("latin-1")
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    told = None if deployment.raw_target is None else deployment.raw_target(environ)
    target = _raw_target(environ) if told is None else told.encode("latin-1")
    if target is None:
        path = uri_encode(routed, keep_slash=True)
    else:
        if not target.startswith(b"/"):
            target = _origin_form(target, environ)
        path, _, raw_query = target.partition(b"?")
        if raw_query != query:
            raise MalformedTarget(fault="the server reports two different queries")
        if told is None and prefix:
            path = uri_encode(prefix.encode("latin-1"), keep_slash=True) + path
    keys = _KEYS[tuple(environ)]
    return Request.of(
        environ.get("REQUEST_METHOD", ""),
        path,
        query,
        *_headers(environ, keys, deployment),
        routed or b"/",
        _doubtful_headers(environ),
        keys.of_a_joining_server or _server(environ).startswith("waitress"),
    )


def is_attempt(environ: WSGIEnvironment, deployment: Deployment = DIRECT) -> bool:
    """Return whether *environ*, of which no request can be made, has a trace of a signature (T41).

    Whatever the server says of the request counts, be it contradictory.
    """
    scope = environ.get("asgi.scope") or {}
    headers = [(_header_name(key), text) for key, text in environ.items()]
    headers += [(name.replace(b"_", b"-").lower(), v) for name, v in scope.get("headers", ())]
    told = None if deployment.raw_target is None else deployment.raw_target(environ)
    targets = (told, environ.get("REQUEST_URI"), environ.get("RAW_URI"))
    kept = {n.lower().encode() for n in deployment.header_overrides.values()} | {b"authorization"}
    return has_trace(
        (name.decode("ascii", "backslashreplace") for name, _ in headers if name is not None),
        (_as_bytes(value) for name, value in headers if name in kept),
        (
            _as_bytes(environ.get("QUERY_STRING", "")),
            bytes(scope.get("query_string") or b""),
            *(_as_bytes(target).partition(b"?")[2] for target in targets if target is not None),
        ),
    )


def set_path(environ: WSGIEnvironment, path: bytes, deployment: Deployment = DIRECT) -> None:
    """Make the application route on the decoded *path*, which was verified.

    Raises:
        PathNotRouted: if *path* is not below the application's own.
    """
    prefix, script_name = _mount(environ, deployment)
    mount = (prefix + script_name).encode("latin-1")
    rest = path[len(mount) :]
    if not path.startswith(mount) or (mount and rest and not rest.startswith(b"/")):
        raise PathNotRouted
    environ["PATH_INFO"] = rest.decode("latin-1")


def remove_framing(environ: WSGIEnvironment, trailers: Mapping[str, str], length: int) -> None:
    """Hide from the application that the body was aws-chunked, and show its *trailers*.

    Args:
        environ: the environ.
        trailers: the verified trailers; those of a stream come in at its end.
        length: of the body without its framing.
    """
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(length)
    # Some servers give the length twice, and that one is of the framed body.
    environ.pop("HTTP_CONTENT_LENGTH", None)
    codings = environ.pop("HTTP_CONTENT_ENCODING", "").split(",")
    kept = [coding.strip() for coding in codings if coding.strip().lower() != "aws-chunked"]
    if any(kept):
        environ["HTTP_CONTENT_ENCODING"] = ", ".join(coding for coding in kept if coding)
    environ[TRAILERS] = trailers


def body_length(environ: WSGIEnvironment, deployment: Deployment = DIRECT) -> int | None:
    """Return the length of the body in bytes, or None where it ends with the stream.

    Raises:
        InvalidContentLength: if the length is no number, or contradicts
            ``Transfer-Encoding``.
        LengthRequired: if the server cannot tell where a chunked body ends.
    """
    length = environ.get("CONTENT_LENGTH", "")
    coding = environ.get("HTTP_TRANSFER_ENCODING", "")
    if length:
        # int() takes "+5", "1_0" and blanks, which servers pass on.
        if _DIGITS.fullmatch(length) is None:
            raise InvalidContentLength(value=length[:64])
        if coding and not deployment.length_of_chunked:
            raise InvalidContentLength(value=f"{length} with a Transfer-Encoding")
        return int(length)
    if not coding:
        return 0
    if coding.strip(" \t").lower() != "chunked":
        raise MalformedRequest(fault="the transfer coding is not chunked")
    if not _ends_chunked(environ):
        raise LengthRequired
    return None


def hides_truncation(environ: WSGIEnvironment) -> bool:
    """Return whether the server may end a cut chunked body as if it were whole."""
    return "asgi.scope" in environ or _server(environ).startswith("granian")


def _ends_chunked(environ: WSGIEnvironment) -> bool:
    # bjoern names no server, and merges HTTP trailers into the environ: a
    # chunked body could bring headers of its own.
    if "asgi.scope" in environ:
        return True
    return bool(environ.get("wsgi.input_terminated")) and "SERVER_SOFTWARE" in environ


def _server(environ: WSGIEnvironment) -> str:
    software = environ.get("SERVER_SOFTWARE")
    return str(software).lower() if software else ""


def _as_bytes(text: str | bytes) -> bytes:
    """Return *text* where it need only be looked at, and may be anything."""
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")


def _mount(environ: WSGIEnvironment, deployment: Deployment) -> tuple[str, str]:
    """Return the prefix that a proxy stripped, and the SCRIPT_NAME of the server.

    werkzeug's ProxyFix(x_prefix=...) writes the stripped prefix over
    SCRIPT_NAME, and a dispatcher behind it appends its mount point to that.
    """
    script_name: str = environ.get("SCRIPT_NAME", "")
    if "werkzeug.proxy_fix.orig" in environ:
        original: str = environ["werkzeug.proxy_fix.orig"].get("SCRIPT_NAME") or ""
        # Below a mount point of the server's own, a dispatcher alone looks just like that.
        mounted = original and f"{script_name}/".startswith(f"{original}/")
        forwarded = "" if mounted else environ.get("HTTP_X_FORWARDED_PREFIX", "")
        for prefix in map(str.strip, forwarded.split(",")):
            if prefix and f"{script_name}/".startswith(f"{prefix}/"):
                return prefix, original + script_name[len(prefix) :]
    prefix = deployment.path_prefix
    return as_wsgi(prefix) if prefix else prefix, script_name


def _raw_target(environ: WSGIEnvironment) -> bytes | None:
    uri, raw = environ.get("REQUEST_URI"), environ.get("RAW_URI")
    if uri is not None and raw is not None and uri != raw:
        raise MalformedTarget(fault="the server reports two different targets")
    target = raw if uri is None else uri
    if target is not None:
        encoded: bytes = target.encode("latin-1")
        return encoded
    scope = environ.get("asgi.scope") or {}
    if scope.get("raw_path"):
        query = scope.get("query_string") or b""
        return bytes(scope["raw_path"]) + (b"?" + query if query else b"")
    return None


def _origin_form(target: bytes, environ: WSGIEnvironment) -> bytes:
    absolute = re.fullmatch(_ABSOLUTE_FORM, target)
    if absolute is None:
        return target
    authority, rest = absolute.groups()
    # Servers disagree on which of the two the application is told.
    if authority != environ.get("HTTP_HOST", "").encode("latin-1"):
        raise MalformedTarget(fault="the target names another host than the Host header")
    return rest if rest.startswith(b"/") else b"/" + rest


def _header_name(key: str) -> bytes | None:
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.replace("_", "-").lower().encode()
    if not key.startswith("HTTP_") or key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        return None
    return key[5:].replace("_", "-").lower().encode("ascii", "backslashreplace")


#: Keys that some servers give twice.
_TWINS: Final = (
    ("CONTENT_TYPE", "HTTP_CONTENT_TYPE"),
    ("CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"),
)


class _Keys:
    """What the keys of an environ say by themselves.

    Attributes:
        headers: those of headers.
        names: the names of these headers.
        twins: those that stand twice.
        of_a_joining_server: the server joins repeated headers with a blank.

    Raises:
        MalformedRequest: if a header name with an underscore reaches a key of the server's own.
    """

    __slots__ = ("headers", "names", "of_a_joining_server", "twins")

    def __init__(self, keys: tuple[str, ...]) -> None:
        if "HTTP_SCRIPT_NAME" in keys or "HTTP_PATH_INFO" in keys:
            raise MalformedRequest(fault="a header is named like a key of the server")
        names = {key: name for key in keys if (name := _header_name(key)) is not None}
        self.headers = tuple(names)
        self.names = HEADER_NAMES[tuple(names.values())]
        self.twins = tuple([(key, other) for key, other in _TWINS if other in keys])
        self.of_a_joining_server = "uwsgi.version" in keys or "mod_wsgi.version" in keys


#: A server and clients of one kind make the same keys, in the same order.
_KEYS: Final = Memo(_Keys, longest=16384, size=total_length)


def _headers(
    environ: WSGIEnvironment, keys: _Keys, deployment: Deployment
) -> tuple[HeaderNames, bytes]:
    """Return the names of the headers, and their values, a line for each."""
    for key, other in keys.twins:
        if environ[other] != environ.get(key):
            raise MalformedRequest(fault=f"{key} stands twice, with different values")
    texts = list(map(environ.__getitem__, keys.headers))
    if "" not in texts and not deployment.header_overrides:
        return keys.names, "\n".join(texts).encode("latin-1")
    # Some servers give an empty Host or Content-Length for none.
    headers = [
        (name, text.encode("latin-1"))
        for name, text in zip(keys.names.sent, texts, strict=True)
        if text or name not in _OFTEN_EMPTY
    ]
    if deployment.header_overrides:
        headers = _overridden(headers, deployment.header_overrides)
    names = HEADER_NAMES[tuple([name for name, _ in headers])]
    return names, b"\n".join([value for _, value in headers])


def _overridden(
    headers: list[tuple[bytes, bytes]], header_overrides: Mapping[str, str]
) -> list[tuple[bytes, bytes]]:
    sent = dict(headers)
    overrides = {
        name.lower().encode(): sent[kept.lower().encode()]
        for name, kept in header_overrides.items()
        if kept.lower().encode() in sent
    }
    return list((sent | overrides).items())


_OFTEN_EMPTY: Final = (b"host", b"content-length")
_NONE: Final[frozenset[str]] = frozenset()


def _doubtful_headers(environ: WSGIEnvironment) -> frozenset[str]:
    content_type = environ.get("CONTENT_TYPE")
    if content_type is None:
        return _NONE
    # wsgiref and Django's runserver make it up; nginx gives uWSGI an empty one.
    made_up = content_type == "text/plain" and _server(environ).startswith("wsgiserver/")
    return frozenset({"content-type"}) if made_up or content_type == "" else _NONE
