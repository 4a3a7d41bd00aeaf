"""What providers of this process are told when a key changes.

Other processes learn of it when what they remember has ended. A change that is
made without signals, as by ``QuerySet.update``, waits for that here too.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from typing import Final
from typing import Protocol
from weakref import WeakSet

from django.db import transaction
from django.db.models.signals import post_delete
from django.db.models.signals import post_save


class Forgetful(Protocol):
    """Whatever remembers keys."""

    def forget(self, access_key_id: str) -> None:
        """Ask for *access_key_id* anew when it is next needed."""


#: The providers of this process that remember keys.
providers: Final[WeakSet[Any]] = WeakSet()


def connect() -> None:
    """Listen for changes of the keys."""
    for signal in (post_save, post_delete):
        signal.connect(_changed, sender="wsgi_sigv4_keys.AccessKey", dispatch_uid=__name__)


def _changed(*, instance: Any, using: str, **_: object) -> None:
    # Before the commit another thread would find, and remember, what was.
    transaction.on_commit(partial(_forget, instance.access_key_id), using=using, robust=True)


def _forget(access_key_id: str) -> None:
    remembering: list[Forgetful] = list(providers)
    for provider in remembering:
        provider.forget(access_key_id)
