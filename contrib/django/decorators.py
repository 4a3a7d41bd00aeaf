"""What a view says of signatures: ``sigv4_required`` and ``sigv4_exempt``.

Both leave a mark on the view, which the middleware reads when the view is
known; for a class-based view use ``method_decorator`` on ``dispatch``. The
decorated function is another one than the view, so that no other URL of the
same view is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final
from typing import ParamSpec
from typing import TypeVar
from typing import cast

from asgiref.sync import iscoroutinefunction
from asgiref.sync import markcoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from wsgi_sigv4.contrib.django.outcome import is_report_only
from wsgi_sigv4.errors import MissingAuthentication

P = ParamSpec("P")
R = TypeVar("R")

_REQUIRED: Final = "sigv4_required"
_EXEMPT: Final = "sigv4_exempt"
_MISSING: Final = object()


def sigv4_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let only signed requests reach *view*, also where the setting says ``REQUIRED: False``.

    It outdoes :func:`sigv4_exempt`, exempt paths and CORS preflights; with
    ``REPORT_ONLY`` it lets all pass.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        # The last thing before the view: whoever got here without the
        # middleware's consent, as a method of a class-based view may, ends here.
        request = args[0]
        identity = getattr(request, "sigv4", _MISSING)
        if identity is _MISSING:
            raise ImproperlyConfigured("sigv4_required needs SigV4Middleware in MIDDLEWARE")
        if identity is None and not is_report_only(cast("HttpRequest", request)):
            # The middleware's process_exception answers.
            raise MissingAuthentication
        return view(*args, **kwargs)

    return _marked(guarded, view, _REQUIRED)


def sigv4_exempt(view: Callable[P, R]) -> Callable[P, R]:
    """Let unsigned requests reach *view*, also where the setting requires a signature.

    A request that is signed is verified all the same, and refused where that fails.
    """

    @wraps(view)
    def exempt(*args: P.args, **kwargs: P.kwargs) -> R:
        return view(*args, **kwargs)

    return _marked(exempt, view, _EXEMPT)


def requires_signature(view: object) -> bool:
    """Return whether *view* was decorated with :func:`sigv4_required`."""
    return getattr(view, _REQUIRED, False) is True


def is_exempt_view(view: object) -> bool:
    """Return whether *view* was decorated with :func:`sigv4_exempt`, and not with the other."""
    return getattr(view, _EXEMPT, False) is True and not requires_signature(view)


def _marked(decorated: Callable[P, R], view: Callable[P, R], mark: str) -> Callable[P, R]:
    if iscoroutinefunction(view):
        markcoroutinefunction(decorated)
    setattr(decorated, mark, True)
    return decorated
