"""The cache before a provider under ASGI: tasks of an event loop instead of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.caches import TTL
from tests.providers.caches import caching
from tests.providers.questions import OTHER_SCOPE
from tests.providers.questions import SCOPE
from tests.providers.questions import SECRET
from tests.providers.questions import BackEnd
from tests.providers.questions import Clock
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.providers import flights


class AsyncBackEnd(BackEnd):
    """A back end with an `alookup` that lets other tasks run."""

    wait: Callable[[], Any] = staticmethod(lambda: asyncio.sleep(0.01))

    async def alookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Wait, and return what is known."""
        await self.wait()
        return self.lookup(access_key_id, scope=scope, session_token=session_token)


async def aask(provider: CachingProvider, access_key_id: str, **parameters: Any) -> object:
    """Return what *provider* says in a task: credentials, None or an exception."""
    usual: dict[str, Any] = {"scope": SCOPE, "session_token": None}
    try:
        return await provider.alookup(access_key_id, **(usual | parameters))
    except Exception as error:
        return error


@pytest.mark.parametrize("back_end", [AsyncBackEnd, BackEnd])
def test_fifty_tasks_ask_once(clock: Clock, back_end: type[BackEnd]) -> None:
    """Of 50 tasks that want one key, one asks, whether the provider below can be awaited or not."""
    behind = back_end()
    provider = caching(behind, clock)

    async def tasks() -> list[object]:
        return await asyncio.gather(*(aask(provider, "A") for _ in range(50)))

    for asked in (1, 2):
        assert {secret(one) for one in asyncio.run(tasks())} == {SECRET}
        assert secret(asyncio.run(aask(provider, "A"))) == SECRET
        assert len(behind.asked) == asked
        clock.now += TTL
    assert asyncio.run(aask(provider, "B")) is None
    assert len(provider._flights) == 0


def test_tasks_while_the_back_end_is_down(clock: Clock) -> None:
    """Tasks are told that a back end is down, and go on with what is stale."""
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    async def tasks() -> list[object]:
        return await asyncio.gather(*(aask(provider, "A") for _ in range(20)))

    back_end.is_down = True
    found = asyncio.run(tasks())
    assert {type(one) for one in found} == {CredentialsUnavailable}
    assert len({id(one) for one in found}) == 20
    assert len(back_end.asked) == 1
    back_end.is_down = False
    asyncio.run(tasks())
    back_end.is_down = True
    clock.now += TTL
    assert {secret(one) for one in asyncio.run(tasks())} == {SECRET}


def test_task_of_another_scope_finds_what_has_come_in(clock: Clock) -> None:
    """A task that waited for another scope's answer looks for its own before it asks."""
    back_end = AsyncBackEnd(derives=True)
    provider = caching(back_end, clock)

    async def tasks() -> list[object]:
        first = [asyncio.ensure_future(aask(provider, "A", scope=SCOPE))]
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(aask(provider, "A", scope=OTHER_SCOPE)) for _ in range(2)]
        await asyncio.sleep(0)
        # In the meantime a thread brings the very answer that the others want.
        ask(provider, "A", scope=OTHER_SCOPE)
        return await asyncio.gather(*first, *others)

    assert all(isinstance(one, Credentials) for one in asyncio.run(tasks()))
    assert [scope for _, scope, _ in back_end.asked] == [OTHER_SCOPE, SCOPE]


def test_tasks_of_many_scopes(clock: Clock) -> None:
    """Tasks get the signing key of their own scope, each scope asked for once."""
    back_end = AsyncBackEnd(derives=True)
    provider = caching(back_end, clock)

    async def tasks() -> list[object]:
        scopes = [SCOPE, OTHER_SCOPE] * 10
        return await asyncio.gather(*(aask(provider, "A", scope=scope) for scope in scopes))

    keys = [one.signing_key for one in asyncio.run(tasks()) if isinstance(one, Credentials)]
    assert len(keys) == 20
    assert len(set(keys)) == 2
    assert len(set(keys[::2])) == len(set(keys[1::2])) == 1
    assert len(back_end.asked) == 2


def test_task_that_is_cancelled_takes_no_other_with_it(clock: Clock) -> None:
    """Where the client of the leading task goes away, those that wait for it ask on their own."""
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    async def tasks() -> list[object]:
        leader = asyncio.ensure_future(aask(provider, "A"))
        others = [asyncio.ensure_future(aask(provider, "A")) for _ in range(5)]
        waiter = asyncio.ensure_future(aask(provider, "A"))
        await asyncio.sleep(0)
        leader.cancel()
        waiter.cancel()
        return await asyncio.gather(*others)

    assert {secret(one) for one in asyncio.run(tasks())} == {SECRET}
    assert len(back_end.asked) == 1
    assert len(provider._flights) == 0


def test_waiting_task_that_is_cancelled_takes_no_other_with_it(clock: Clock) -> None:
    """Where the client of a waiting task goes away, the leading one and the others go on."""
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    async def tasks() -> list[object]:
        everybody = [asyncio.ensure_future(aask(provider, "A")) for _ in range(5)]
        await asyncio.sleep(0)
        gone = everybody.pop(2)
        gone.cancel()
        return await asyncio.gather(*everybody)

    assert [secret(one) for one in asyncio.run(tasks())] == [SECRET] * 4
    assert len(back_end.asked) == 1


def test_tasks_and_other_faults(clock: Clock) -> None:
    """A fault in a provider that is awaited rises in each task."""
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    def fault() -> None:
        raise ZeroDivisionError

    back_end.pause = fault

    async def tasks() -> list[object]:
        return await asyncio.gather(*(aask(provider, "A") for _ in range(5)))

    assert {type(one) for one in asyncio.run(tasks())} == {ZeroDivisionError}


def test_task_waits_no_longer_than_a_thread(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that waits for a back end that hangs is told 503."""
    monkeypatch.setattr(flights, "MAX_WAIT", 0.02)
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    async def tasks() -> object:
        hangs = asyncio.Event()
        back_end.wait = hangs.wait
        leader = asyncio.ensure_future(aask(provider, "A"))
        await asyncio.sleep(0)
        late = await aask(provider, "A")
        hangs.set()
        await leader
        return late

    assert isinstance(asyncio.run(tasks()), CredentialsUnavailable)


def test_thread_does_not_wait_for_a_task(clock: Clock) -> None:
    """A thread asks on its own while a task does: the task may need that very thread."""
    back_end = AsyncBackEnd()
    provider = caching(back_end, clock)

    async def tasks() -> object:
        leader = asyncio.ensure_future(aask(provider, "A"))
        await asyncio.sleep(0)
        # In the thread of the loop itself: waiting for the task would be for ever.
        found = ask(provider, "A")
        await leader
        return found

    assert secret(asyncio.run(tasks())) == SECRET
