"""A process that was forked while a thread of its parent held a lock: it has that thread not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.providers.questions import Clock
from tests.providers.questions import ask
from wsgi_sigv4.explaining import TokenBucket
from wsgi_sigv4.forks import call_in_child
from wsgi_sigv4.providers import FileProvider
from wsgi_sigv4.providers.last_uses import LastUses

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="SKIPPED: no fork on this system"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]
KEY = "[ada]\naws_access_key_id = {}\naws_secret_access_key = secret\n"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def comes_true(check: Callable[[], bool], lock: AbstractContextManager[Any]) -> bool:
    """Return whether *check* is true in a child that is forked while *lock* is held."""
    with lock:
        child = os.fork()
        if child == 0:
            waiting = threading.Thread(target=lambda: os._exit(0 if check() else 1), daemon=True)
            waiting.start()
            waiting.join(60)
            os._exit(2)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def test_file_provider(tmp_path: Path) -> None:
    """A key that was taken out of the file after the fork does not go on for ever."""
    path, clock = tmp_path / "credentials", Clock()
    path.touch(0o600)
    path.write_text(KEY.format("AKIAOLD"))
    provider = FileProvider(path, clock=clock)

    def check() -> bool:
        replacement = tmp_path / "new"
        replacement.touch(0o600)
        replacement.write_text(KEY.format("AKIANEW"))
        replacement.replace(path)
        clock.now += 3600
        return ask(provider, "AKIAOLD") is None and ask(provider, "AKIANEW") is not None

    assert comes_true(check, provider._checking)


def test_explanations() -> None:
    """A refusal is explained."""
    bucket = TokenBucket(Clock())
    assert comes_true(lambda: bucket.take() == 0, bucket._lock)


def test_last_uses() -> None:
    """A use is written by a thread of the child's; what waited in the parent is the parent's."""
    written: list[str] = []
    held = threading.Event()

    def write(access_key_id: str, used: datetime) -> None:
        written.append(access_key_id)
        held.wait(60)

    uses = LastUses(write, interval=timedelta(minutes=5))
    uses.note("A", NOW)
    uses.note("B", NOW)

    def check() -> bool:
        held.set()
        written.clear()
        uses.note("C", NOW)
        uses.wait(60)
        return written == ["C"]

    assert comes_true(check, uses._lock)
    held.set()
    uses.wait(60)
    assert written == ["A", "B"]


def test_object_that_is_gone_is_not_called() -> None:
    """What is called in children keeps nothing alive."""
    called = []

    class Owner:
        def begin(self) -> None:
            called.append(self)

    first, second = Owner(), Owner()
    for owner in (first, second):
        call_in_child(owner, Owner.begin)
    del owner, second
    assert comes_true(lambda: called == [first], threading.Lock())
    assert called == []


def test_process_that_fails_says_no_more_than_why() -> None:
    """What is remembered for forks makes no noise of its own when the interpreter ends."""
    script = (
        "from datetime import timedelta\n"
        "from wsgi_sigv4.providers.last_uses import LastUses\n"
        "uses = LastUses(lambda key, used: None, interval=timedelta(1))\n"
        "raise ValueError\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.stderr.splitlines()[-1:] == [b"ValueError"]
