"""AWS's name for any refusal: S3's, or that of the other services."""

from __future__ import annotations

from wsgi_sigv4.aws_reasons import AWS_REASONS
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reason import DENIED
from wsgi_sigv4.reason import Reason
from wsgi_sigv4.s3_reasons import S3_REASONS


def reason(error: SigV4Error, error_format: ErrorFormat) -> Reason:
    """Return AWS's name for *error*; one without a name is AccessDenied."""
    table = S3_REASONS if error_format is ErrorFormat.S3 else AWS_REASONS
    told = table.get(type(error))
    if told is None:
        told = next((table[kind] for kind in type(error).__mro__ if kind in table), DENIED)
    return told(error)
