"""One verifier, one middleware, fifty threads: nobody passes as somebody else (T22)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.core.forgeries import signature_changed
from tests.core.signed_requests import SIGNED_AT
from tests.core.signed_requests import Key
from tests.core.signed_requests import SignedRequest
from tests.core.signed_requests import sign
from tests.fuzz.environs import SERVERS
from tests.fuzz.environs import environ_of
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

THREADS = 50
ROUNDS = 80

KEYS = {f"AKIATHREAD{n:02}": Key(secret=f"secret/of/thread+{n:02}") for n in range(THREADS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A request that one thread sends, and whose it is; None where it is forged."""

    sent: SignedRequest
    owner: str | None


def trials(thread: int) -> list[Trial]:
    """Return what *thread* sends: as many forged requests as good ones, in any order."""
    chance = Random(thread)
    key, other = f"AKIATHREAD{thread:02}", f"AKIATHREAD{(thread + 1) % THREADS:02}"
    kinds = [signed(key, presigned=presigned) for presigned in (False, True)]
    made = []
    for _ in range(ROUNDS):
        good = chance.choice(kinds)
        made += [Trial(sent=good, owner=key), Trial(sent=forged(good, other, chance), owner=None)]
    chance.shuffle(made)
    return made


def signed(key: str, *, presigned: bool) -> SignedRequest:
    """Return a request of *key*, whose body tells whose it is."""
    body = b"" if presigned else b"this is " + key.encode()
    return sign(
        key=key,
        path=b"/of/" + key.encode(),
        body=body,
        method="POST",
        presigned=presigned,
        service="items",
        keys=KEYS,
    )


def forged(good: SignedRequest, other: str, chance: Random) -> SignedRequest:
    """Return *good* with something changed: its signature, key, path or body."""
    scope = good.part(b"Credential").partition(b"/")[2]
    spoilt = [
        signature_changed(good, chance),
        good.with_part(b"Credential", other.encode() + b"/" + scope),
        replace(good, path=b"/of/" + other.encode()),
        replace(good, body=b"this is " + other.encode()),
    ]
    return next(one for one in chance.sample(spoilt, len(spoilt)) if one not in (None, good))


@pytest.fixture
def busy_interpreter() -> Iterator[None]:
    """Switch threads as often as the interpreter can, so that a race shows in a second."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def verifier() -> Verifier:
    """The one verifier that all threads share."""
    credentials = {
        name: Credentials(key.secret, principal=f"owner of {name}") for name, key in KEYS.items()
    }
    return Verifier(credentials, region="us-east-1", service="items", clock=SIGNED_AT.timestamp)


def run(attempt: Callable[[SignedRequest], str | None]) -> list[tuple[str | None, str | None]]:
    """Return, for each trial of each thread, whose it is and who *attempt* says it is."""
    start = threading.Barrier(THREADS)

    def work(planned: list[Trial]) -> list[tuple[str | None, str | None]]:
        start.wait(timeout=60)
        return [(trial.owner, attempt(trial.sent)) for trial in planned]

    plans = [trials(thread) for thread in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [outcome for outcomes in pool.map(work, plans) for outcome in outcomes]


@pytest.mark.usefixtures("busy_interpreter")
def test_no_forged_request_passes_one_verifier_of_fifty_threads(verifier: Verifier) -> None:
    """T22: of fifty threads at one verifier, each good request passes as its own key's alone."""

    def attempt(sent: SignedRequest) -> str | None:
        try:
            verification = verifier.verify(sent.request())
            for at in range(len(sent.body)):
                verification.feed(sent.body[at : at + 1])
            identity = verification.finish()
        except SigV4Error:
            return None
        assert identity.principal == f"owner of {identity.access_key_id}"
        return identity.access_key_id

    outcomes = run(attempt)
    assert [owner for owner, _ in outcomes].count(None) == len(outcomes) // 2
    assert [(owner, seen) for owner, seen in outcomes if owner != seen] == []


@pytest.mark.usefixtures("busy_interpreter")
def test_no_forged_request_passes_one_middleware_of_fifty_threads(verifier: Verifier) -> None:
    """T22: the same through one middleware, whose application reads the body it was handed."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = environ["wsgi_sigv4.access_key_id"]
        assert environ["wsgi_sigv4.identity"].principal == f"owner of {key}"
        assert environ["PATH_INFO"] == f"/of/{key}"
        assert environ["wsgi.input"].read() in (b"", f"this is {key}".encode())
        start_response("200 OK", [])
        return [key.encode()]

    middleware = SigV4Middleware(app, verifier)

    def attempt(sent: SignedRequest) -> str | None:
        statuses = []

        def start_response(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(status[:3])
            return lambda data: None

        answer = middleware(environ_of(sent, SERVERS[0]), start_response)
        body = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        assert statuses in (["200"], ["400"], ["403"])
        return body.decode() if statuses == ["200"] else None

    outcomes = run(attempt)
    assert [owner for owner, _ in outcomes].count(None) == len(outcomes) // 2
    assert [(owner, seen) for owner, seen in outcomes if owner != seen] == []
