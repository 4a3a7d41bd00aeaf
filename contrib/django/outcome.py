"""What a verification leaves on the request, for the views and for other middleware."""

from __future__ import annotations

from typing import Final
from typing import cast

from django.conf import settings
from django.http import HttpRequest

from wsgi_sigv4.authentication import set_remote_user
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.users import set_user
from wsgi_sigv4.identity import Identity

_ANONYMOUS: Final = "_sigv4_anonymous"
_REPORT_ONLY: Final = "_sigv4_report_only"


class SigV4Request(HttpRequest):
    """A request that has passed the middleware, for annotations.

    Attributes:
        sigv4: who signed it, or None where it is not signed.
    """

    sigv4: Identity | None


def adopt(request: HttpRequest, identity: Identity | None, conf: Configuration) -> None:
    """Make *identity* that of *request*; None where it was looked at and is not signed."""
    cast("SigV4Request", request).sigv4 = identity
    if identity is None:
        setattr(request, _ANONYMOUS, True)
        return
    set_user(request, identity, conf.user)
    if not identity.presigned:
        # No browser sends this header for another site; but it follows every
        # link, and a presigned URL is one (T37).
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    set_remote_user(request.META, identity, conf.remote_user)


def remember_report_only(request: HttpRequest) -> None:
    """Note that *request* is passed on, whatever a view requires of its signature."""
    setattr(request, _REPORT_ONLY, True)


def is_report_only(request: HttpRequest) -> bool:
    """Return whether *request* is passed on, whatever a view requires of its signature."""
    return getattr(request, _REPORT_ONLY, False) is True


def disown(request: HttpRequest, conf: Configuration) -> None:
    """Leave *request*, which was refused after it had been adopted, to nobody."""
    identity = getattr(request, "sigv4", None)
    if identity is None:
        return
    cast("SigV4Request", request).sigv4 = None
    # Nor to whoever is logged in there: that is not who signed it.
    set_user(request, identity, None)
    if conf.remote_user is not None:
        request.META.pop("REMOTE_USER", None)
    session = getattr(request, "session", None)
    if session is not None and session.modified:
        # What a view has put there would go out as a cookie, beside the refusal.
        request.session = type(session)(request.COOKIES.get(settings.SESSION_COOKIE_NAME))


def is_anonymous(request: HttpRequest) -> bool:
    """Return whether *request* was looked at and is not signed."""
    return getattr(request, _ANONYMOUS, False) is True
