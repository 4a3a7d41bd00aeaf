"""``request.user`` of a signed request: who owns the key, and never whose session it is.

Whoever has a key of his own could else have a browser send a request that he
signed in the name of the user who is logged in there (T37).
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from wsgi_sigv4.contrib.django.calls import acall
from wsgi_sigv4.contrib.django.calls import call
from wsgi_sigv4.contrib.django.conf import FindUser
from wsgi_sigv4.identity import Identity


class _Owner:
    """Finds the user once, when somebody asks for it."""

    def __init__(self, find: FindUser, identity: Identity, request: HttpRequest) -> None:
        self._find = find
        self._of = identity, request
        self._found: list[Any] = []

    def user(self) -> Any:
        if not self._found:
            self._found.append(_active(call(self._find, *self._of)))
        return self._found[0]

    async def auser(self) -> Any:
        if not self._found:
            self._found.append(_active(await acall(self._find, *self._of)))
        return self._found[0]


def set_user(request: HttpRequest, identity: Identity, find: FindUser | None) -> None:
    """Make the user that *find* knows for *identity* that of *request*, or nobody."""
    owner = _Owner(find or _nobody, identity, request)
    request.user = SimpleLazyObject(owner.user)  # type: ignore[assignment]
    request.auser = owner.auser


def _nobody(identity: Identity, request: HttpRequest) -> None:
    return None


def _active(user: Any) -> Any:
    """Return *user*, or the anonymous one for none and for one who may not log in."""
    if user is not None and getattr(user, "is_active", True):
        return user
    if not apps.is_installed("django.contrib.auth"):
        return None
    from django.contrib.auth.models import AnonymousUser

    return AnonymousUser()
