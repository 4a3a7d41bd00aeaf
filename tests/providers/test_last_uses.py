"""When keys were last used: written down now and then, in nobody's way."""

from __future__ import annotations

import logging
import threading
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest

from wsgi_sigv4.providers import last_uses
from wsgi_sigv4.providers.last_uses import LastUses

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)


class Book:
    """Remembers what was written, and how often the thread has ended."""

    def __init__(self) -> None:
        self.written: list[tuple[str, datetime]] = []
        self.threads: set[str] = set()
        self.finished = 0
        self.uses = LastUses(self.write, finish=self.finish, interval=INTERVAL)

    def write(self, access_key_id: str, used: datetime) -> None:
        self.threads.add(threading.current_thread().name)
        self.written.append((access_key_id, used))

    def finish(self) -> None:
        self.finished += 1

    def note(self, access_key_id: str, used: datetime = NOW) -> None:
        self.uses.note(access_key_id, used)
        self.uses.wait()


def test_use_is_written_by_a_thread_that_ends() -> None:
    """No request writes it, and no thread stays behind."""
    book = Book()
    book.note("A")
    assert book.written == [("A", NOW)]
    assert book.threads == {"wsgi_sigv4 last uses"}
    assert book.finished == 1
    book.uses.wait()
    assert book.threads.isdisjoint(thread.name for thread in threading.enumerate())


def test_use_within_the_interval_is_not_written() -> None:
    """One note in five minutes for each key; a clock that was set back far is no obstacle."""
    book = Book()
    for used in (NOW, NOW + INTERVAL / 2, NOW - INTERVAL / 2, NOW + INTERVAL):
        book.note("A", used)
    book.note("B", NOW)
    back = NOW - timedelta(hours=1)
    book.note("A", back)
    assert book.written == [("A", NOW), ("A", NOW + INTERVAL), ("B", NOW), ("A", back)]


def test_uses_that_wait_are_written_together() -> None:
    """What is noted while the thread writes is written by it, the last time of each key."""
    begun, go_on = threading.Event(), threading.Event()
    written: list[tuple[str, datetime]] = []

    def write(access_key_id: str, used: datetime) -> None:
        written.append((access_key_id, used))
        begun.set()
        go_on.wait(60)

    uses = LastUses(write, interval=INTERVAL)
    uses.note("A", NOW)
    assert begun.wait(60)
    for used in (NOW, NOW + INTERVAL):
        uses.note("B", used)
    go_on.set()
    uses.wait(60)
    assert written == [("A", NOW), ("B", NOW + INTERVAL)]


def test_write_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The others are written all the same, and the log has no more than the kind of fault."""
    written: list[str] = []

    def write(access_key_id: str, used: datetime) -> None:
        if access_key_id == "A":
            raise OSError("password=hidden")
        written.append(access_key_id)

    uses = LastUses(write, interval=INTERVAL)
    for access_key_id in ("A", "B"):
        uses.note(access_key_id, NOW)
        uses.wait()
    assert written == ["B"]
    assert caplog.messages == ["the use of A is not recorded: OSError"]


def test_no_thread_to_be_had(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process at the limit of its threads serves the request; a later use is written."""
    book = Book()

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        book.note("A")
    assert caplog.record_tuples == [
        ("wsgi_sigv4", logging.WARNING, "the use of keys is not recorded: can't start new thread")
    ]
    book.note("B")
    assert [name for name, _ in book.written] == ["A", "B"]


def test_keys_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many keys all are forgotten at times: written once more, and no memory lost."""
    monkeypatch.setattr(last_uses, "MAX_REMEMBERED", 2)
    book = Book()
    for access_key_id in ("A", "B", "C", "A"):
        book.note(access_key_id)
    assert [name for name, _ in book.written] == ["A", "B", "C", "A"]


def test_thread_that_something_ends_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends the thread (gevent's timeouts are no Exception) ends no later note."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    written: list[str] = []

    def write(access_key_id: str, used: datetime) -> None:
        if access_key_id == "A":
            raise SystemExit
        written.append(access_key_id)

    uses = LastUses(write, interval=INTERVAL)
    for access_key_id in ("A", "B"):
        uses.note(access_key_id, NOW)
        uses.wait()
    assert written == ["B"]


def test_wait_while_the_thread_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who closes a store while a request notes its key meets no thread that cannot be joined."""
    book = Book()
    start = threading.Thread.start

    def wait_first(thread: threading.Thread) -> None:
        book.uses.wait()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", wait_first)
    book.note("A")
    assert book.written == [("A", NOW)]


def test_wait_while_the_thread_ends() -> None:
    """It has closed its connection then: a database can be dropped."""
    closing, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def finish() -> None:
        closing.set()
        assert go_on.wait(60)
        closed.set()

    uses = LastUses(lambda access_key_id, used: None, finish=finish, interval=INTERVAL)
    uses.note("A", NOW)
    assert closing.wait(60)
    threading.Timer(0.05, go_on.set).start()
    uses.wait(60)
    assert closed.is_set()
