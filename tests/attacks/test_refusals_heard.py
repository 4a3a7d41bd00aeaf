"""A refusal that nobody would hear is not put into words; whoever listens hears every one."""

from __future__ import annotations

import logging
import logging.handlers
import queue
from collections.abc import Callable

import pytest

from wsgi_sigv4.errors import UnknownAccessKey
from wsgi_sigv4.logs import log_refusal
from wsgi_sigv4.logs import logger

Listen = Callable[[pytest.MonkeyPatch, list[str]], None]


class Ears(logging.NullHandler):
    """A handler that hears though it is of a kind that does not."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def handle(self, record: logging.LogRecord) -> bool:
        """Keep the text of *record*."""
        self._heard.append(record.getMessage())
        return True


def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the logger, and the root, nothing but handlers that do nothing.

    No fixture: pytest itself listens at the root as soon as a test begins.
    """
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])


def refuse() -> None:
    """Log a refusal."""
    log_refusal(UnknownAccessKey(), {"REQUEST_METHOD": "GET", "PATH_INFO": "/"})


def own_handler(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen at the logger itself, beside the handler that does nothing."""
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler(), Ears(heard)])


def handler_of_the_root(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen at the root."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [Ears(heard)])


def filter_of_the_logger(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen in a filter, as some counters do."""

    def keep(record: logging.LogRecord) -> bool:
        heard.append(record.getMessage())
        return True

    monkeypatch.setattr(logger, "filters", [keep])


def record_factory(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen where records are made, as tracers do."""

    def make(*args: object, **kwargs: object) -> logging.LogRecord:
        record = logging.LogRecord(*args, **kwargs)  # type: ignore[arg-type] # (handed on)
        heard.append(record.getMessage())
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", make)


def patched_logger(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen in front of all handlers, as error trackers do, by a method of their own."""
    original = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        heard.append(record.getMessage())
        original(self, record)

    monkeypatch.setattr(logging.Logger, "callHandlers", call_handlers)


def wrapped_logger(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen in front of all handlers by an object that wraps the method of one logger."""

    class Wrapped:
        def __call__(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    monkeypatch.setattr(logger, "handle", Wrapped())


def last_resort(monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> None:
    """Listen where there is no handler at all."""
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging, "lastResort", Ears(heard))


@pytest.mark.parametrize(
    "listen",
    [
        own_handler,
        handler_of_the_root,
        filter_of_the_logger,
        record_factory,
        patched_logger,
        wrapped_logger,
        last_resort,
    ],
)
def test_every_listener_hears_a_refusal(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers that do nothing hide a refusal from nobody."""
    mute(monkeypatch)
    heard: list[str] = []
    listen(monkeypatch, heard)
    refuse()
    assert [text for text in heard if "UnknownAccessKey" in text] == heard
    assert len(heard) == 1


def test_queue_is_a_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that hands records to another thread gets them."""
    mute(monkeypatch)
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    monkeypatch.setattr(logger, "handlers", [logging.handlers.QueueHandler(records)])
    refuse()
    assert "UnknownAccessKey" in records.get_nowait().getMessage()


def test_nobody_is_told_what_nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all handlers do nothing, and where the root's cannot be reached, no record is made."""
    mute(monkeypatch)
    made: list[object] = []
    monkeypatch.setattr(logging.Logger, "makeRecord", lambda *_, **__: made.append(1))
    refuse()
    monkeypatch.setattr(logging.getLogger(), "handlers", [Ears([])])
    monkeypatch.setattr(logger, "propagate", False)
    refuse()
    monkeypatch.setattr(logger, "disabled", True)
    refuse()
    assert made == []
