"""The cache before a provider: what is asked, how often, and how long an answer goes on."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.providers.caches import NEGATIVE
from tests.providers.caches import STALE
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
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.providers import flights
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.verifier import Verifier


def together(count: int, action: Callable[[], object]) -> list[object]:
    """Return what *action* does in *count* threads at once: results and exceptions."""
    barrier = threading.Barrier(count)

    def begin() -> object:
        barrier.wait(60)
        try:
            return action()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return [done.result(60) for done in [threads.submit(begin) for _ in range(count)]]


def test_one_question_for_each_time_to_live(clock: Clock) -> None:
    """A key is asked for once in its time to live, whatever the scope, and then again."""
    back_end = BackEnd()
    provider = caching(back_end, clock)
    for asked in (1, 2, 3):
        for scope in (SCOPE, OTHER_SCOPE, SCOPE):
            assert secret(ask(provider, "A", scope=scope)) == SECRET
        clock.now += TTL - 0.01
        assert secret(ask(provider, "A")) == SECRET
        assert len(back_end.asked) == asked
        clock.now += 0.01


@pytest.mark.parametrize("derives", [False, True])
def test_fifty_threads_ask_once(derives: bool) -> None:
    """Of 50 threads that want one key, one asks, in each time to live; the others wait for it."""
    clock, back_end = Clock(), BackEnd(derives=derives)
    provider = caching(back_end, clock)
    waiting = threading.Event()
    back_end.pause = lambda: waiting.wait(0.05)
    for asked in (1, 2, 3):
        found = together(50, lambda: ask(provider, "A"))
        assert all(isinstance(one, Credentials) for one in found)
        assert len(back_end.asked) == asked
        clock.now += TTL


def test_fifty_threads_of_many_scopes_ask_once_for_a_secret(clock: Clock) -> None:
    """A secret is good for all scopes: threads of different ones wait for the same answer."""
    back_end = BackEnd()
    provider = caching(back_end, clock)
    back_end.pause = lambda: threading.Event().wait(0.05)
    numbers = iter(range(50))
    found = together(
        50, lambda: ask(provider, "A", scope=replace(SCOPE, region=f"r{next(numbers)}"))
    )
    assert {secret(one) for one in found} == {SECRET}
    assert len(back_end.asked) == 1


def test_signing_keys_are_kept_by_scope(clock: Clock) -> None:
    """A signing key of one scope never answers for another, not even from a flight."""
    back_end = BackEnd(derives=True)
    provider = caching(back_end, clock)
    expected = {
        scope: Credentials(signing_key=f"{SECRET}{scope}".encode()[-32:]).signing_key
        for scope in (SCOPE, OTHER_SCOPE)
    }
    for _ in range(3):
        for scope, key in expected.items():
            found = ask(provider, "A", scope=scope)
            assert found is not None
            assert found.signing_key == key
    assert [scope for _, scope, _ in back_end.asked] == [SCOPE, OTHER_SCOPE]
    clock.now += TTL
    back_end.pause = lambda: threading.Event().wait(0.05)
    scopes = iter([SCOPE, OTHER_SCOPE] * 25)

    def both() -> bool:
        scope = next(scopes)
        found = ask(provider, "A", scope=scope)
        return found is not None and found.signing_key == expected[scope]

    assert together(50, both) == [True] * 50
    assert len(back_end.asked) == 4


def test_scopes_of_one_key_are_bounded(clock: Clock) -> None:
    """T45: whoever names a known id with endless scopes pushes out keys of that id alone."""
    back_end = BackEnd(derives=True)
    back_end.secrets["B"] = "other"
    provider = caching(back_end, clock, max_keys=2)
    ask(provider, "B")
    for number in range(1000):
        ask(provider, "A", scope=replace(SCOPE, region=f"r{number}"))
    asked = len(back_end.asked)
    ask(provider, "B")
    for number in range(984, 1000):
        ask(provider, "A", scope=replace(SCOPE, region=f"r{number}"))
    assert len(back_end.asked) == asked
    ask(provider, "A", scope=replace(SCOPE, region="r983"))
    assert len(back_end.asked) == asked + 1


def test_unknown_key_is_remembered_for_a_moment(clock: Clock) -> None:
    """An unknown key is asked for once in a short while, and found when it has come to be."""
    back_end = BackEnd()
    provider = caching(back_end, clock)
    for _ in range(3):
        assert ask(provider, "B") is None
    assert len(back_end.asked) == 1
    back_end.secrets["B"] = "new"
    clock.now += NEGATIVE
    assert secret(ask(provider, "B")) == "new"


def test_unknown_question_is_not_another(clock: Clock) -> None:
    """That a key is unknown with one token or scope says nothing of it with another."""

    class OnlyWithToken(BackEnd):
        """Knows a key of which the session token is right."""

        def lookup(
            self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
        ) -> Credentials | None:
            """Look at the token."""
            found = super().lookup(access_key_id, scope=scope, session_token=session_token)
            return found if (session_token, scope) == ("T", SCOPE) else None

    back_end = OnlyWithToken()
    provider = caching(back_end, clock)
    assert ask(provider, "A") is None
    assert ask(provider, "A", session_token="t") is None
    assert ask(provider, "A", session_token="T", scope=OTHER_SCOPE) is None
    assert secret(ask(provider, "A", session_token="T")) == SECRET
    assert len(back_end.asked) == 4
    # Nor does a thread that waits take another's None for its own.
    clock.now += TTL
    back_end.pause = lambda: threading.Event().wait(0.05)
    tokens = iter(["T", "t", None, "x"] * 10)

    def right() -> bool:
        token = next(tokens)
        return (
            secret(ask(provider, "A", session_token=token)) == (SECRET if token == "T" else None)
            or token != "T"
        )

    assert all(together(40, right))


def test_a_million_unknown_keys_push_out_nothing() -> None:
    """T25: endless unknown ids leave the known ones where they are, and are bounded themselves."""
    clock, back_end = Clock(), BackEnd()
    provider = caching(back_end, clock, max_keys=1, max_unknown=100)
    ask(provider, "A")
    for number in range(20_000):
        ask(provider, f"U{number}")
    asked = len(back_end.asked)
    assert secret(ask(provider, "A")) == SECRET
    assert ask(provider, "U19999") is None
    assert len(back_end.asked) == asked
    assert len(provider._entries._unknown) == 100
    assert len(provider._flights) == 0
    assert repr(provider) == "CachingProvider(<BackEnd, 1 keys>)"


def test_known_keys_are_bounded(clock: Clock) -> None:
    """Of more keys than there is room for, the one that was used longest ago is dropped."""
    back_end = BackEnd()
    back_end.secrets = {key_id: key_id for key_id in "ABC"}
    provider = caching(back_end, clock, max_keys=2)
    for key_id in "ABAC":
        ask(provider, key_id)
    assert len(back_end.asked) == 3
    ask(provider, "A")
    assert len(back_end.asked) == 3
    ask(provider, "B")
    assert len(back_end.asked) == 4


def test_revoked_key_ends_within_its_time_to_live(clock: Clock) -> None:
    """What was revoked, disabled or changed in the back end goes on for the ttl, and no longer."""
    back_end = BackEnd()
    provider = caching(back_end, clock)
    ask(provider, "A")
    back_end.secrets["A"] = "changed"
    clock.now += TTL - 0.01
    assert secret(ask(provider, "A")) == SECRET
    clock.now += 0.01
    assert secret(ask(provider, "A")) == "changed"
    del back_end.secrets["A"]
    clock.now += TTL
    assert ask(provider, "A") is None
    # Not even while the back end is down: it was known to be unknown.
    back_end.is_down = True
    clock.now += NEGATIVE
    with pytest.raises(CredentialsUnavailable):
        ask(provider, "A")


@pytest.mark.parametrize("derives", [False, True])
def test_back_end_that_is_down(clock: Clock, derives: bool) -> None:
    """Keys in the cache go on while the back end is down, for a stated time; others are 503."""
    back_end = BackEnd(derives=derives)
    provider = caching(back_end, clock)
    first = ask(provider, "A")
    back_end.is_down = True
    for key_id in "AB":
        clock.now += TTL / 4
        with pytest.raises(CredentialsUnavailable) if key_id == "B" else _nothing():
            assert ask(provider, key_id) is first
    asked = len(back_end.asked)
    # It is not remembered that it was down: who needs it asks.
    with pytest.raises(CredentialsUnavailable):
        ask(provider, "B")
    assert len(back_end.asked) == asked + 1
    clock.now += TTL
    asked = len(back_end.asked)
    for _ in range(100):
        assert ask(provider, "A") is first
    # Not every request asks a back end that is down: one in a second does.
    assert len(back_end.asked) == asked + 1
    clock.now += 1
    back_end.is_down = False
    assert ask(provider, "A") is not first
    assert len(back_end.asked) == asked + 2


class _nothing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


def test_stale_keys_end(clock: Clock) -> None:
    """A key goes on for the ttl and the stale seconds, to the moment, and not at all without."""
    for stale in (STALE, 0.0):
        back_end = BackEnd()
        provider = caching(back_end, clock, stale_seconds=stale)
        ask(provider, "A")
        back_end.is_down = True
        for _ in range(int(TTL + stale)):
            assert secret(ask(provider, "A")) == SECRET
            clock.now += 1
        with pytest.raises(CredentialsUnavailable) as refused:
            ask(provider, "A")
        assert refused.value.retry_after == 7


def test_stale_signing_key_is_not_renewed_by_another(clock: Clock) -> None:
    """A signing key ends with its own stale time, though that of another scope came later."""
    back_end = BackEnd(derives=True)
    provider = caching(back_end, clock)
    ask(provider, "A")
    clock.now += TTL + STALE - 5
    ask(provider, "A", scope=OTHER_SCOPE)
    back_end.is_down = True
    clock.now += 4.5
    assert ask(provider, "A") is not None
    clock.now += 0.5
    with pytest.raises(CredentialsUnavailable):
        ask(provider, "A")
    assert ask(provider, "A", scope=OTHER_SCOPE) is not None


def test_threads_while_the_back_end_is_down(clock: Clock) -> None:
    """Threads that wait for a back end that is down are told so, each by its own exception."""
    back_end = BackEnd()
    back_end.is_down = True
    provider = caching(back_end, clock)
    back_end.pause = lambda: threading.Event().wait(0.05)
    found = together(20, lambda: ask(provider, "A"))
    assert {type(one) for one in found} == {CredentialsUnavailable}
    assert len({id(one) for one in found}) == 20
    assert {one.retry_after for one in found if isinstance(one, CredentialsUnavailable)} == {7}
    assert len(back_end.asked) < 20
    # A waiting thread goes on with its own stale entry, where it has one.
    back_end.is_down = False
    ask(provider, "A")
    back_end.is_down = True
    clock.now += TTL
    assert {secret(one) for one in together(20, lambda: ask(provider, "A"))} == {SECRET}


def test_recovery_under_load() -> None:
    """A back end that is down for a while takes no cached key away, and is used again after it."""
    clock, back_end = Clock(), BackEnd()
    back_end.secrets["B"] = "other"
    provider = caching(back_end, clock)
    ask(provider, "A")
    outcomes = []
    for second in range(60):
        back_end.is_down = 20 <= second < 30
        clock.now += 1
        found = together(8, lambda: ask(provider, "A"))
        assert {secret(one) for one in found} == {SECRET}
        try:
            outcomes.append(secret(ask(provider, f"B{second}" if second < 30 else "B")))
        except CredentialsUnavailable:
            outcomes.append("503")
    assert outcomes == [None] * 20 + ["503"] * 10 + ["other"] * 30
    # A's question each 10 seconds, and each second while it was down.
    assert len([1 for key_id, *_ in back_end.asked if key_id == "A"]) < 20


def test_other_faults_rise(clock: Clock) -> None:
    """A fault in the provider is no 403: it rises for each who asks, and is not remembered."""
    back_end = BackEnd()
    provider = caching(back_end, clock)

    def fault() -> None:
        threading.Event().wait(0.02)
        raise ZeroDivisionError

    back_end.pause = fault
    assert {type(one) for one in together(10, lambda: ask(provider, "A"))} == {ZeroDivisionError}
    assert len(provider._flights) == 0
    back_end.pause = lambda: None
    assert secret(ask(provider, "A")) == SECRET


def test_back_end_that_hangs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a back end that hangs is not held for ever: 503, or its stale entry."""
    monkeypatch.setattr(flights, "MAX_WAIT", 0.05)
    back_end, hangs, begun = BackEnd(), threading.Event(), threading.Event()
    provider = caching(back_end, clock)

    def hang() -> None:
        begun.set()
        hangs.wait(20)

    def with_leader() -> str | None:
        back_end.pause = hang
        begun.clear()
        hangs.clear()
        leader = threading.Thread(target=ask, args=(provider, "A"))
        leader.start()
        assert begun.wait(20)
        try:
            return secret(ask(provider, "A"))
        finally:
            hangs.set()
            leader.join(20)

    with pytest.raises(CredentialsUnavailable) as refused:
        with_leader()
    assert refused.value.retry_after == 5
    clock.now += TTL
    assert with_leader() == SECRET


@pytest.mark.parametrize("derives", [False, True])
def test_forget(clock: Clock, derives: bool) -> None:
    """What is forgotten is asked for again, known or unknown; the rest is not."""
    back_end = BackEnd(derives=derives)
    back_end.secrets["B"] = "other"
    provider = caching(back_end, clock)
    for scope in (SCOPE, OTHER_SCOPE):
        ask(provider, "A", scope=scope)
    ask(provider, "B")
    ask(provider, "C")
    ask(provider, "D")
    back_end.secrets.update(A="changed", C="new", D="new")
    for key_id in "AC":
        provider.forget(key_id)
    back_end.asked.clear()
    for scope in (SCOPE, OTHER_SCOPE):
        found = ask(provider, "A", scope=scope)
        assert found is not None
        assert derives or secret(found) == "changed"
    assert ask(provider, "C") is not None
    assert ask(provider, "B") is not None
    assert ask(provider, "D") is None
    assert "".join(key_id for key_id, *_ in back_end.asked) == ("AAC" if derives else "AC")


def test_forget_while_an_answer_is_on_its_way(clock: Clock) -> None:
    """An answer asked for before `forget` is not remembered, nor given to who comes after."""
    back_end, begun, may_land = BackEnd(), threading.Event(), threading.Event()
    provider = caching(back_end, clock)

    def pause() -> None:
        if len(back_end.asked) == 1:
            begun.set()
            may_land.wait(20)

    back_end.pause = pause
    leader = threading.Thread(target=ask, args=(provider, "A"))
    leader.start()
    assert begun.wait(20)
    back_end.secrets["A"] = "changed"
    provider.forget("A")
    assert secret(ask(provider, "A")) == "changed"
    may_land.set()
    leader.join(20)
    assert secret(ask(provider, "A")) == "changed"
    assert len(back_end.asked) == 2


def test_provider_that_turns_to_signing_keys(clock: Clock) -> None:
    """Where a provider goes over to signing keys or back, the newest answer counts."""
    signing_key = Credentials(signing_key=b"K" * 32)
    answers = [Credentials(SECRET), signing_key, Credentials("again")]
    provider = caching(lambda access_key_id: answers.pop(0), clock)
    assert secret(ask(provider, "A")) == SECRET
    clock.now += TTL
    assert ask(provider, "A") is signing_key
    assert ask(provider, "A") is signing_key
    clock.now += TTL
    assert secret(ask(provider, "A", scope=OTHER_SCOPE)) == "again"
    assert secret(ask(provider, "A")) == "again"


@pytest.mark.parametrize("derives", [False, True])
def test_changed_secret_under_a_verifier(clock: Clock, derives: bool) -> None:
    """After the ttl the old secret verifies nothing, though its signing key was cached."""
    secrets = {ACCESS_KEY_ID: GENERIC_SIGNER.secret}

    class Back:
        def lookup(
            self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
        ) -> Credentials | None:
            found = Credentials(secrets[access_key_id])
            if not derives:
                return found
            assert found.secret_access_key is not None
            return Credentials(signing_key=derive_signing_key(found.secret_access_key, scope))

    verifier = Verifier(caching(Back(), clock), region=None, service="items")
    old, new = (replace(GENERIC_SIGNER, secret=s).sign(Message.of()) for s in (SECRET, "new"))
    for _ in range(3):
        verify(verifier, old, now=NOW)
    secrets[ACCESS_KEY_ID] = "new"
    clock.now += TTL
    with pytest.raises(SignatureMismatch):
        verify(verifier, old, now=NOW)
    verify(verifier, new, now=NOW)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("AB")),
        st.tuples(st.just("wait"), st.floats(0, 15)),
        st.tuples(st.just("set"), st.sampled_from("AB")),
        st.tuples(st.just("drop"), st.sampled_from("AB")),
        st.tuples(st.just("down"), st.booleans()),
        st.tuples(st.just("forget"), st.sampled_from("AB")),
    ),
    max_size=40,
)


@given(steps)
def test_answer_is_never_older_than_it_may_be(history: list[tuple[str, Any]]) -> None:
    """Whatever happens: an answer was true within the ttl, or, when it is down, the stale time."""
    clock, back_end = Clock(), BackEnd()
    back_end.secrets = {}
    provider = caching(back_end, clock)
    truths: list[tuple[float, str, str | None]] = [(0.0, "A", None), (0.0, "B", None)]
    downs: list[tuple[float, bool]] = [(0.0, False)]
    for number, (action, value) in enumerate(history):
        if action == "wait":
            clock.now += value
        elif action == "down":
            back_end.is_down = value
            downs.append((clock.now, value))
        elif action == "forget":
            provider.forget(value)
        elif action in ("set", "drop"):
            truth = f"s{number}" if action == "set" else None
            truths.append((clock.now, value, truth))
            back_end.secrets.pop(value, None)
            if truth is not None:
                back_end.secrets[value] = truth
        else:
            try:
                found = secret(ask(provider, value))
            except CredentialsUnavailable:
                assert back_end.is_down
                continue
            oldest = clock.now - (TTL if found else NEGATIVE)
            if any(is_down for _, is_down in downs):
                oldest -= STALE
            history_of = [(since, told) for since, key_id, told in truths if key_id == value]
            ends = [since for since, _ in history_of[1:]] + [float("inf")]
            assert found in [
                told for (_, told), end in zip(history_of, ends, strict=True) if end >= oldest
            ]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        *(
            ({name: value}, f"{name} is a positive number")
            for name in ("ttl", "negative_ttl", "stale_seconds", "max_keys", "max_unknown")
            for value in (-1, float("nan"), float("inf"))
        ),
        ({"ttl": 0}, "ttl is a positive number"),
        ({"max_keys": 0}, "max_keys is a positive number"),
    ],
)
def test_cache_that_makes_no_sense(parameters: dict[str, float], message: str) -> None:
    """A cache that would keep for ever, or nothing, is the programmer's mistake."""
    with pytest.raises(ConfigurationError) as refused:
        CachingProvider(BackEnd(), **parameters)  # type: ignore[arg-type] # (numbers)
    assert str(refused.value) == message


def test_cache_without_cachetools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cachetools is not installed, it is said which extra brings it."""
    monkeypatch.setitem(sys.modules, "cachetools", None)
    with pytest.raises(ConfigurationError, match=r"^CachingProvider needs wsgi-sigv4\[cache\]$"):
        CachingProvider(BackEnd())


def test_cache_shows_no_secret(clock: Clock) -> None:
    """T39: neither text nor pickle of a cache holds a secret, nor a session token."""
    provider = caching({"A": SECRET}, clock)
    ask(provider, "A", session_token="tok-en")
    ask(provider, "B", session_token="tok-en")
    for text in (repr(provider), repr(vars(provider)), repr(vars(provider._entries))):
        assert SECRET not in text
        assert "tok-en" not in text
    with pytest.raises(TypeError):
        pickle.dumps(provider)
