"""Keys that were revoked, behind what remembers them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.providers.caches import TTL
from tests.providers.caches import caching
from tests.providers.questions import BackEnd
from tests.providers.questions import Clock
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4.providers import FileProvider

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
        go_on.wait(10)

    back_end.pause = hold
    thread = threading.Thread(target=ask, args=(cache, "A"))
    thread.start()
    assert asked.wait(10)
    back_end.pause = lambda: None
    with cache._lock:
        child = os.fork()
        if child == 0:
            waiting = threading.Thread(target=lambda: os._exit(0 if ask(cache, "A") else 1))
            waiting.start()
            waiting.join(5)
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
    path.write_text(NEW)
    time.sleep(1.2)
    clock.now += 3600
    assert ask(provider, "AKIAOLD") is None
    assert secret(ask(provider, "AKIANEW")) == "new"
