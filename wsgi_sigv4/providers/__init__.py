"""Credential providers for production, and new access keys: docs/credentials.md."""

from __future__ import annotations

from wsgi_sigv4.providers.caching import CachingProvider as CachingProvider
from wsgi_sigv4.providers.chain import ProviderChain as ProviderChain
from wsgi_sigv4.providers.environment import EnvironmentProvider as EnvironmentProvider
from wsgi_sigv4.providers.file import FileProvider as FileProvider
from wsgi_sigv4.providers.minting import new_access_key_id as new_access_key_id
from wsgi_sigv4.providers.minting import new_secret_access_key as new_secret_access_key
