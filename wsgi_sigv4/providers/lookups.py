"""One way to ask any provider under ASGI."""

from __future__ import annotations

import asyncio

from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import MappingProvider


async def alookup(
    provider: CredentialProvider,
    access_key_id: str,
    *,
    scope: CredentialScope,
    session_token: str | None,
) -> Credentials | None:
    """Return what *provider* knows of *access_key_id*, without holding up the event loop."""
    awaited = getattr(provider, "alookup", None)
    if awaited is not None:
        found: Credentials | None = await awaited(
            access_key_id, scope=scope, session_token=session_token
        )
        return found
    if isinstance(provider, MappingProvider):
        return provider.lookup(access_key_id, scope=scope, session_token=session_token)

    def ask() -> Credentials | None:
        return provider.lookup(access_key_id, scope=scope, session_token=session_token)

    try:
        # Django's connections belong to the thread that its request runs in.
        from asgiref.sync import sync_to_async
    except ImportError:
        return await asyncio.to_thread(ask)
    return await sync_to_async(ask, thread_sensitive=True)()
