"""Requests signed by botocore with keys from the database."""

from __future__ import annotations

from typing import Any

from tests.django.signing import Sent
from tests.django.signing import sign as sign_with
from wsgi_sigv4.contrib.django.keys.issuing import Issued


def sign(issued: Issued, target: str = "/whoami", *, method: str = "GET", **options: Any) -> Sent:
    """Return a request that is signed with the key *issued*."""
    secret = issued.secret.reveal()
    return sign_with(method, target, key=issued.key.access_key_id, secret=secret, **options)
