"""Keys that were revoked, behind what remembers them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import run_wsgi_app

from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import sign
from tests.providers.caches import TTL
from tests.providers.caches import caching
from tests.providers.questions import BackEnd
from tests.providers.questions import Clock
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.providers import FileProvider

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

OLD = "[ada]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old\n"
NEW = "[ada]\naws_access_key_id = AKIANEW\naws_secret_access_key = new\n"


def test_time_to_live_counts_from_the_question() -> None:
    """A slow back end, whose answer was read before a revocation, lets no key live longer."""
    clock, back_end = Clock(), BackEnd()
    cache = caching(back_end, clock)

    def take_long() -> None:
        # It has read the row; now it is revoked there, and the answer is long on its way.
        back_end.secrets.clear()
        clock.now += TTL - 1

    back_end.pause = take_long
    assert ask(cache, "A") is not None
    back_end.pause = lambda: None
    clock.now += 2
    assert ask(cache, "A") is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SKIPPED: no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_fork_while_a_question_is_on_its_way() -> None:
    """A forked child waits for no thread of its parent's, which it has not."""
    back_end = BackEnd()
    cache = caching(back_end, time.monotonic)
    asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        go_on.wait(60)

    back_end.pause = hold
    thread = threading.Thread(target=ask, args=(cache, "A"))
    thread.start()
    assert asked.wait(60)
    back_end.pause = lambda: None
    with cache._lock:
        child = os.fork()
        if child == 0:
            waiting = threading.Thread(target=lambda: os._exit(0 if ask(cache, "A") else 1))
            waiting.start()
            waiting.join(30)
            os._exit(2)
    _, status = os.waitpid(child, 0)
    go_on.set()
    thread.join(10)
    assert os.waitstatus_to_exitcode(status) == 0


def test_file_that_nobody_asked_for_in_a_while(tmp_path: Path) -> None:
    """The first request after a quiet night does not get in with a key revoked the day before."""
    path, clock = tmp_path / "credentials", Clock()
    path.touch(0o600)
    path.write_text(OLD)
    provider = FileProvider(path, clock=clock)
    before = path.stat().st_ctime_ns
    # What happens at once, some kernels give the same time.
    while path.stat().st_ctime_ns == before:
        path.write_text(NEW)
    time.sleep(1.2)
    clock.now += 3600
    assert ask(provider, "AKIAOLD") is None
    assert secret(ask(provider, "AKIANEW")) == "new"


@pytest.mark.parametrize("first", [None, "right", "wrong"])
def test_session_token_is_checked_whoever_came_first(first: str | None) -> None:
    """T20: an entry that one request has brought serves no other without its own token."""
    key = Credentials(KEYS[FIRST], session_token="right")
    cache = caching({FIRST: key}, Clock())
    guard = SigV4Middleware(application, verifier(cache))
    for token in (first, None, "wrong", "right", "right", None):
        environ = {"wsgi.url_scheme": "http", **sign(token=token).environ()}
        _, status, _ = run_wsgi_app(guard, environ, buffered=True)
        assert status[:3] == ("200" if token == "right" else "403"), token


def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer whoever comes."""
    start_response("200 OK", [])
    return []


def verifier(cache: CachingProvider) -> Verifier:
    """Return a verifier of the region and the service that requests are signed for."""
    return Verifier(cache, region="us-east-1", service="items")


def test_changed_secret_under_two_verifiers() -> None:
    """T25: two verifiers of one provider forget the signing key of a secret that was changed."""
    secrets = {FIRST: "old"}
    cache = caching(secrets.get, Clock())
    both = [verifier(cache), verifier(cache)]
    for secret_now, forgotten in (("old", False), ("new", True)):
        secrets[FIRST] = secret_now
        if forgotten:
            cache.forget(FIRST)
        for one in both:
            guard = SigV4Middleware(application, one)
            for sent in ("old", "new", "old"):
                environ = {"wsgi.url_scheme": "http", **sign(secret=sent).environ()}
                _, status, _ = run_wsgi_app(guard, environ, buffered=True)
                assert status[:3] == ("200" if sent == secret_now else "403")
