"""The project behind a real server, where both profiles are served."""

from __future__ import annotations

from tests.django.settings import *  # noqa: F403
from tests.django.settings import SIGV4

SIGV4 |= {
    "SERVICE": ["items", "s3"],
    "PROFILE": {"items": "wsgi_sigv4.GENERIC", "s3": "wsgi_sigv4.S3"},
    "ALLOW_UNSIGNED_PAYLOAD": True,  # type: ignore[dict-item]
}
