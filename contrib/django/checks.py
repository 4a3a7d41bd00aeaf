"""System checks: what ``manage.py check`` has to say of the settings.

``wsgi_sigv4.E001`` the setting is missing, or has keys that mean nothing
``wsgi_sigv4.E002`` a value in the setting makes no sense
``wsgi_sigv4.E003`` something below the middleware would replace ``request.user``
``wsgi_sigv4.E004`` something above the middleware answers from a cache
``wsgi_sigv4.E005`` RemoteUserMiddleware would log in whoever signed a request
``wsgi_sigv4.W001`` nothing restricts the Host that a request may be signed for
``wsgi_sigv4.W002`` the middleware is not in MIDDLEWARE
``wsgi_sigv4.W003`` something above the middleware reads the body
``wsgi_sigv4.W004`` answers explain what the server canonicalised
``wsgi_sigv4.W005`` requests are only reported on, and none is refused
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from wsgi_sigv4.contrib.django import order
from wsgi_sigv4.contrib.django.conf import SETTING
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.conf import faults
from wsgi_sigv4.contrib.django.conf import get_configuration


def check_setting(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with the setting itself."""
    found = list(faults(getattr(settings, SETTING, None)))
    if found:
        return [Error(fault, id="wsgi_sigv4.E001") for fault in found]
    try:
        get_configuration()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="wsgi_sigv4.E002")]
    return []


def check_order(**_: Any) -> list[CheckMessage]:
    """Return what stands in the wrong place in MIDDLEWARE."""
    found: list[CheckMessage] = []
    found += [Error(fault, id="wsgi_sigv4.E003") for fault in order.user_faults()]
    found += [Error(fault, id="wsgi_sigv4.E004") for fault in order.cache_faults()]
    found += [CheckWarning(fault, id="wsgi_sigv4.W003") for fault in order.body_faults()]
    if not order.is_listed(order.OURS):
        hint = "Where the WSGI middleware or SigV4Authentication verifies instead, silence this."
        message = "SigV4Middleware is not in MIDDLEWARE: no view is guarded by it"
        found.append(CheckWarning(message, hint=hint, id="wsgi_sigv4.W002"))
    return found


def check_remote_user(**_: Any) -> list[CheckMessage]:
    """Return whether a signature would end in a session that outlives it (T38)."""
    conf = _configuration()
    if conf is None or conf.remote_user is None or not order.is_listed(order.REMOTE_USER):
        return []
    message = (
        f"{SETTING}['REMOTE_USER'] and RemoteUserMiddleware together log in whoever signed a "
        "request, with a session that outlives the signature"
    )
    return [Error(message, hint=f"Use {SETTING}['USER'] instead.", id="wsgi_sigv4.E005")]


def check_hosts(**_: Any) -> list[CheckMessage]:
    """Return whether a request to another host, with the same keys, could be replayed (T46)."""
    conf = _configuration()
    if conf is None or conf.verifier.hosts is not None:
        return []
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    message = (
        f"neither {SETTING}['HOSTS'] nor ALLOWED_HOSTS says which hosts are served here: a "
        "request to another host that has the same keys can be replayed to this one"
    )
    return [CheckWarning(message, id="wsgi_sigv4.W001")]


def check_explain(**_: Any) -> list[CheckMessage]:
    """Return whether strangers are told what the server canonicalised."""
    conf = _configuration()
    if conf is None or not conf.explain or settings.DEBUG:
        return []
    message = f"{SETTING}['EXPLAIN'] shows in answers what the server canonicalised"
    return [CheckWarning(message, hint="It is for development.", id="wsgi_sigv4.W004")]


def check_report_only(**_: Any) -> list[CheckMessage]:
    """Return whether nothing is refused."""
    conf = _configuration()
    if conf is None or not conf.report_only:
        return []
    message = f"{SETTING}['REPORT_ONLY'] is on: no request is refused, signed or not"
    hint = "It is for switching a project over."
    return [CheckWarning(message, hint=hint, id="wsgi_sigv4.W005")]


CHECKS: Final[tuple[Callable[..., list[CheckMessage]], ...]] = (
    check_setting,
    check_order,
    check_remote_user,
    check_hosts,
    check_explain,
    check_report_only,
)


def _configuration() -> Configuration | None:
    """Return what the setting says, or None where check_setting has something to say."""
    try:
        return get_configuration()
    except ImproperlyConfigured:
        return None
