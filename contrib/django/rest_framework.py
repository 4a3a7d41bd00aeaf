"""Django REST framework: an authentication class, and a permission.

With the middleware in MIDDLEWARE the class hands on what that has verified,
and refusals are AWS's answers. Alone it verifies the requests of its own
views, and refusals are what the framework makes of an exception: AWS's status,
code and message, rendered as the view renders.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission

from wsgi_sigv4.authorization import ALGORITHM
from wsgi_sigv4.aws_reasons import JSON_NAMES
from wsgi_sigv4.contrib.django.authentication import authenticate
from wsgi_sigv4.contrib.django.conf import Configuration
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.explaining import explain
from wsgi_sigv4.contrib.django.judging import Timing
from wsgi_sigv4.contrib.django.judging import accepted
from wsgi_sigv4.contrib.django.outcome import adopt
from wsgi_sigv4.contrib.django.outcome import is_anonymous
from wsgi_sigv4.contrib.django.outcome import is_report_only
from wsgi_sigv4.contrib.django.report_only import report
from wsgi_sigv4.contrib.django.report_only import shadow
from wsgi_sigv4.contrib.django.signals import request_judged
from wsgi_sigv4.contrib.django.signals import tell_judged
from wsgi_sigv4.contrib.django.signals import tell_refused
from wsgi_sigv4.contrib.django.signals import tell_used
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reasons import reason

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from wsgi_sigv4.explain.telling import Explained


class RefusedBySigV4(APIException):
    """A request whose signature was refused.

    Attributes:
        refusal: the reason.
    """

    def __init__(
        self, refusal: SigV4Error, conf: Configuration, explained: Explained | None = None
    ) -> None:
        error_format = conf.verifier.profile(refusal.service).error_format
        found = reason(refusal, error_format)
        # SDKs that speak JSON read these two.
        is_s3 = error_format is ErrorFormat.S3
        code = found.code if is_s3 else JSON_NAMES.get(found.code, found.code)
        detail: dict[str, Any] = {"__type": code, "message": found.message}
        if explained is not None and explained.told.finding is not None:
            detail["explanation"] = explained.told.finding.as_dict()
        super().__init__(detail, code=code)
        self.status_code = found.status
        self.refusal = refusal
        if isinstance(refusal, CredentialsUnavailable):
            # The framework's name for Retry-After.
            self.wait = refusal.retry_after


class SigV4Authentication(BaseAuthentication):
    """Authenticates by the signature.

    ``request.user`` is the key's owner, and ``request.auth`` the
    :class:`~wsgi_sigv4.Identity`. A request without any trace of a signature is
    left to the next class. One that fails is refused, and no other class is asked.
    """

    def authenticate(self, request: Request) -> tuple[Any, Identity] | None:
        """Return the key's owner and the identity, or None where *request* is not signed.

        Raises:
            RefusedBySigV4: if the signature is refused.
            PermissionDenied: if a browser may have been made to send a presigned URL.
        """
        identity = self._identify(request)
        if identity is None:
            return None
        if identity.presigned and request.COOKIES:
            # The framework exempts its views from CSRF protection, and a
            # browser sends its cookies wherever a link leads (T37).
            SessionAuthentication().enforce_csrf(request)
        return request._request.user, identity

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return ALGORITHM

    def _identify(self, request: Request) -> Identity | None:
        sent = request._request
        identity: Identity | None = getattr(sent, "sigv4", None)
        if identity is not None or is_anonymous(sent):
            return identity
        conf = get_configuration()
        if conf.report_only:
            with shadow(sent, conf) as found:
                found.identity = authenticate(
                    found.request, conf, required=False, rewrite_path=False
                )
            report(found, sent, conf)
            tell_judged(sent, found.verdict, conf)
            return None
        timing = Timing(sent, conf) if conf.judges or request_judged.receivers else nullcontext()
        try:
            with timing:
                # After routing the path can no longer be moved.
                identity = authenticate(sent, conf, required=False, rewrite_path=False)
        except SigV4Error as refusal:
            explained = explain(refusal, sent, conf)
            log_refusal(refusal, sent.META, explained=explained)
            tell_refused(sent, refusal, conf)
            _tell_caches(request, {"Cache-Control": "no-store"})
            raise RefusedBySigV4(refusal, conf, explained) from refusal
        _tell_caches(request, {})
        if identity is not None:
            # Django's caches stand above: they would answer when the signature has ended.
            sent._cache_update_cache = False  # type: ignore[attr-defined]
            tell_used(sent, identity, conf)
        adopt(sent, identity, conf)
        if isinstance(timing, Timing) and identity is not None and timing.is_of(identity):
            tell_judged(sent, accepted(sent, identity, conf), conf)
        return identity


def _tell_caches(request: Request, headers: Mapping[str, str]) -> None:
    """Add *headers* to the answer to *request*, and that it is for one signer only (T47)."""
    view = request.parser_context.get("view")
    # The framework puts these on every answer of the view, refusals included.
    told = getattr(view, "headers", None)
    if told is not None:
        varies = [told["Vary"]] if told.get("Vary") else []
        told |= {**headers, "Vary": ", ".join([*varies, "Authorization"])}


class IsSigned(BasePermission):
    """Allows requests that are signed, whoever owns the key, and be it nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether *request* is signed, or passed on in any case."""
        return isinstance(request.auth, Identity) or is_report_only(request._request)
