"""From a request of Django's to that of the core, and back.

Django has decoded the path in place, under WSGI in the environ itself, and
routes on ``request.path_info``; what was signed is the path on the wire. So
both are handed on, and the core holds one against the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import get_path_info
from django.http import HttpRequest

from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.environ import as_wsgi
from wsgi_sigv4.environ import is_attempt as is_attempt_of_environ
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.environ import set_path
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import PathNotRouted
from wsgi_sigv4.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_Headers = tuple[tuple[bytes, bytes], ...]


def environ_of(request: HttpRequest, deployment: Deployment) -> WSGIEnvironment:
    """Return the environ of *request*, with the path that Django will route on.

    It is a copy. Under ASGI it is one that a server of WSGI would make.

    Raises:
        MalformedRequest: if the path is no Unicode text.
        PathNotRouted: if the server has cut a prefix off that Django was not told of.
    """
    environ = dict(request.META)
    if isinstance(request, ASGIRequest):
        environ["asgi.scope"] = request.scope
        mount = _mount_of_scope(request)
    else:
        mount = _mount_of_environ(request, deployment)
    try:
        environ["SCRIPT_NAME"] = as_wsgi(mount)
        environ["PATH_INFO"] = as_wsgi(request.path_info)
    except UnicodeEncodeError:
        raise MalformedRequest(fault="the path is no Unicode text") from None
    if request.path_info == "/" and mount and _asks_for_mount(environ):
        # Django reads the mount point itself as its root.
        environ["PATH_INFO"] = ""
    return environ


def is_attempt(request: HttpRequest, deployment: Deployment) -> bool:
    """Return whether *request*, of which no request of the core can be made, has a trace (T41)."""
    environ = dict(request.META)
    if isinstance(request, ASGIRequest):
        environ["asgi.scope"] = request.scope
    return is_attempt_of_environ(environ, deployment)


def core_request(request: HttpRequest, environ: WSGIEnvironment, deployment: Deployment) -> Request:
    """Return *request*, whose environ is *environ*, as the client sent it.

    Raises:
        MalformedRequest: if the raw request cannot be known for certain.
    """
    found = request_from_environ(environ, deployment)
    if isinstance(request, ASGIRequest):
        return replace(found, headers=_headers(request.scope["headers"], deployment))
    return found


def route_on(
    request: HttpRequest, path: bytes, environ: WSGIEnvironment, deployment: Deployment
) -> None:
    """Make Django route *request* on the decoded *path*, which was verified.

    Raises:
        PathNotRouted: if *path* is not below the project's own.
    """
    set_path(environ, path, deployment)
    adopt_path(request, environ)


def adopt_path(request: HttpRequest, environ: WSGIEnvironment) -> None:
    """Make Django route *request* on the path of *environ*."""
    path_info = get_path_info(environ) or "/"
    script_name: str = request.META["SCRIPT_NAME"]
    request.path_info = request.META["PATH_INFO"] = path_info
    request.path = script_name.rstrip("/") + "/" + path_info.removeprefix("/")


def _mount_of_environ(request: HttpRequest, deployment: Deployment) -> str:
    script_name: str = request.META.get("SCRIPT_NAME", "")
    if settings.FORCE_SCRIPT_NAME is not None:
        # It may name the prefix that a proxy strips, which is not counted twice.
        return script_name.removeprefix(deployment.path_prefix)
    return script_name


def _mount_of_scope(request: ASGIRequest) -> str:
    """Return what Django has cut off the path of the scope.

    Daphne lets a client name that in a header, and so choose another view for
    a path that was signed: what the operator has not named is refused.
    """
    path: str = request.scope["path"]
    cut = path.removesuffix(request.META["PATH_INFO"])
    if cut and settings.FORCE_SCRIPT_NAME is None:
        raise PathNotRouted
    return cut


def _asks_for_mount(environ: WSGIEnvironment) -> bool:
    target: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or "/"
    return not target.partition("?")[0].endswith("/")


def _headers(sent: Iterable[tuple[bytes, bytes]], deployment: Deployment) -> _Headers:
    """Return the headers *sent*, a dash for each underscore.

    Django drops names with an underscore, and others may not: `x_amz_acl` has
    to be signed as `x-amz-acl` has, and beside that it breaks the signature.
    """
    pairs = tuple((name.replace(b"_", b"-").lower(), value) for name, value in sent)
    for name, kept in deployment.header_overrides.items():
        rewritten, original = name.lower().encode(), kept.lower().encode()
        values = tuple((rewritten, value) for found, value in pairs if found == original)
        if values:
            pairs = tuple(pair for pair in pairs if pair[0] != rewritten) + values
    return pairs
