"""``sigv4_required``: what guards a view, a blueprint or an app.

It goes above every decorator that answers or decides for itself: a cache or a
login check above it would act before anything has been verified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from functools import wraps
from typing import Final
from typing import TypeVar
from typing import overload

from flask import current_app
from flask import request

from wsgi_sigv4.contrib.flask.guard import Names
from wsgi_sigv4.contrib.flask.guard import guard_of
from wsgi_sigv4.errors import ConfigurationError

_View = TypeVar("_View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4Required:
    """What a view requires of a request; ``sigv4_required`` is the one to start from.

    Used as a decorator, called with what is to be different, or registered::

        @sigv4_required
        @sigv4_required(presigned=False)
        bp.before_request(sigv4_required.check)
        bp.before_request(sigv4_required(optional=True).check)

    Attributes:
        optional: let requests without any trace of a signature through, without
            an identity. None: a decorated view lets none through, whatever the
            config says, and a check does as ``SIGV4_REQUIRED`` says. An attempt that fails
            is always refused.
        presigned: False refuses presigned URLs, which whoever holds them may use.
        region: the region accepted, or several, of those of the app; None: all.
        service: the service accepted, or several, of those of the app; None: all.
    """

    optional: bool | None = None
    presigned: bool = True
    region: Names = None
    service: Names = None

    def __post_init__(self) -> None:
        for name in ("region", "service"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                object.__setattr__(self, name, tuple(value))

    @overload
    def __call__(self, view: _View, /) -> _View: ...

    @overload
    def __call__(
        self,
        *,
        optional: bool | None = ...,
        presigned: bool = ...,
        region: Names = ...,
        service: Names = ...,
    ) -> SigV4Required: ...

    def __call__(self, *views: object, **changes: object) -> object:
        """Guard a view, or return a requirement that differs in *changes*."""
        if not views:
            return replace(self, **changes)  # type: ignore[arg-type] # (as the overload has them)
        (view,) = views
        if changes or not callable(view):
            raise ConfigurationError("@sigv4_required takes its options by name, and no view")

        # Whoever reads `@sigv4_required` above a view relies on it.
        required = replace(self, optional=bool(self.optional))

        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> object:
            _refuse_cache_above(guarded)
            required.check()
            return current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    def check(self) -> None:
        """Verify the current request; for ``before_request`` of a blueprint or an app.

        Raises:
            SigV4Error: the reason for which the request is refused, as an
                instance of werkzeug's HTTPException for its status too.
            RuntimeError: if something has read the body of the request before.
        """
        guard_of(current_app).check(
            optional=self.optional,
            presigned=self.presigned,
            region=self.region,
            service=self.service,
        )


#: Guards a view, a blueprint or an app; see :class:`SigV4Required`.
sigv4_required: Final = SigV4Required()


def _refuse_cache_above(guarded: Callable[..., object]) -> None:
    """Answer nothing through a cache that would serve the answer to anybody (T47).

    Raises:
        ConfigurationError: if Flask-Caching's decorator stands above sigv4_required.
    """
    view: object = current_app.view_functions.get(request.endpoint or "")
    while view is not None and view is not guarded:
        below: object = getattr(view, "__wrapped__", None)
        # Decorators copy the attributes of what they wrap: only its own one counts.
        if below is not None and getattr(view, "uncached", None) is below:
            raise ConfigurationError("@sigv4_required goes above @cache.cached, not below it")
        view = below
