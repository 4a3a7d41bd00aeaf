"""Call what the setting names, be it synchronous or asynchronous, from either side."""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from inspect import isawaitable
from inspect import iscoroutinefunction
from typing import TypeVar
from typing import cast

from asgiref.sync import async_to_sync
from asgiref.sync import sync_to_async

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.providers import lookups

T = TypeVar("T")


def call(function: Callable[..., T | Awaitable[T]], *args: object) -> T:
    """Return what *function* returns, or what that comes to; from synchronous code."""
    result = function(*args)
    # A coroutine is true: taken for an answer, it would allow everything.
    return async_to_sync(_come_to)(result) if isawaitable(result) else result


async def acall(function: Callable[..., T | Awaitable[T]], *args: object) -> T:
    """Return what *function* returns, or what that comes to; a synchronous one runs in a thread."""
    if iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__):
        return await cast("Callable[..., Awaitable[T]]", function)(*args)
    # The thread of Django's database connections.
    result: T | Awaitable[T] = await sync_to_async(function, thread_sensitive=True)(*args)
    return await result if isawaitable(result) else result


async def _come_to(result: Awaitable[T]) -> T:
    return await result


def lookup(provider: CredentialProvider, attempt: Attempt) -> Credentials | None:
    """Return the credentials of the key that *attempt* names, or None where it is unknown."""
    return provider.lookup(
        attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
    )


async def alookup(provider: CredentialProvider, attempt: Attempt) -> Credentials | None:
    """Return the credentials of the key that *attempt* names, without holding up the event loop."""
    return await lookups.alookup(
        provider, attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
    )
