"""Credential providers for production, and new access keys."""

from __future__ import annotations

from wsgi_sigv4.providers.minting import new_access_key_id as new_access_key_id
from wsgi_sigv4.providers.minting import new_secret_access_key as new_secret_access_key
