"""Providers that keep keys: they have commands, and are told of each use of a key.

The extension knows no key store by name: what the provider has to offer, it takes.
"""

from __future__ import annotations

from typing import Protocol
from typing import runtime_checkable

import click

from wsgi_sigv4.identity import Identity


@runtime_checkable
class KeyKeeper(Protocol):
    """A credential provider over a key store."""

    def note_use(self, identity: Identity) -> None:
        """Note that the key of *identity* was used; it neither waits nor raises."""

    def commands(self) -> click.Group:
        """Return the commands that ``flask`` gets, as one group."""
