"""When keys were last used: coarse, and never in the way of a request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from typing import Final

from wsgi_sigv4.forks import call_in_child

#: Keys whose last note is remembered; when there are more, all are forgotten.
MAX_REMEMBERED: Final = 10_000

logger: Final = logging.getLogger("wsgi_sigv4")


class LastUses:
    """Has it written down when keys were last used.

    A thread of its own does so: no request waits for it, nor fails with it, and
    no transaction of an application's has part in it. The thread ends when it
    has nothing more to write.

    Args:
        write: writes down that an access key id was used, and when; what it
            raises is logged.
        finish: called in that thread before it ends.
        interval: a key is written down no more often by this process.
    """

    def __init__(
        self,
        write: Callable[[str, datetime], None],
        *,
        finish: Callable[[], None] = lambda: None,
        interval: timedelta,
    ) -> None:
        self._write = write
        self._finish = finish
        self._interval = interval
        self._begin()
        call_in_child(self, LastUses._begin)

    def _begin(self) -> None:
        # In a forked child too: what waits there is written by its parent.
        self._lock = threading.Lock()
        self._noted: dict[str, datetime] = {}
        self._waiting: dict[str, datetime] = {}
        #: The last one that was started.
        self._thread: threading.Thread | None = None
        self._has_ended = False

    def note(self, access_key_id: str, used: datetime) -> None:
        """Have it written down that *access_key_id* was *used*, unless it was a short while ago."""
        noted = self._noted.get(access_key_id)
        # A clock that was set back is no reason to fall silent.
        if noted is not None and abs(used - noted) < self._interval:
            return
        with self._lock:
            if len(self._noted) >= MAX_REMEMBERED:
                self._noted.clear()
            self._noted[access_key_id] = used
            self._waiting[access_key_id] = used
            # Not alive where something that is no Exception has ended it.
            if self._thread is None or self._has_ended or not self._thread.is_alive():
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="wsgi_sigv4 last uses", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # No thread is to be had: the request is no worse for it.
            logger.warning("the use of keys is not recorded: %s", error)
        else:
            # Not before: who waits could not join it.
            self._thread, self._has_ended = thread, False

    def wait(self, seconds: float = 10) -> None:
        """Wait until what was noted is written and the thread is gone, or *seconds* have passed."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        try:
            while waiting := self._take():
                for access_key_id, used in waiting.items():
                    try:
                        self._write(access_key_id, used)
                    except Exception as error:
                        # Whatever it is, nobody waits for this, and a key that works is no fault.
                        kind = type(error).__name__
                        logger.warning("the use of %s is not recorded: %s", access_key_id, kind)
        finally:
            self._finish()

    def _take(self) -> dict[str, datetime]:
        """Return what is to be written; nothing: the thread has to end."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            self._has_ended = not waiting
            return waiting
