"""What the tests of providers ask, and back ends that count how often they are asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import CredentialsUnavailable

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = CredentialScope(date="20261121", region="us-east-1", service="items")
OTHER_SCOPE = CredentialScope(date="20261121", region="eu-west-1", service="items")


def ask(
    provider: CredentialProvider,
    access_key_id: str,
    *,
    scope: CredentialScope = SCOPE,
    session_token: str | None = None,
) -> Credentials | None:
    """Return what *provider* knows of a key."""
    return provider.lookup(access_key_id, scope=scope, session_token=session_token)


def secret(found: object) -> str | None:
    """Return the secret that was found, or None."""
    if not isinstance(found, Credentials) or found.secret_access_key is None:
        return None
    return found.secret_access_key.reveal()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class BackEnd:
    """A provider that counts, and that can be slow or down.

    Attributes:
        secrets: what it knows.
        asked: every question, in its order.
        is_down: whether it can be reached.
        pause: called in the middle of each question.
    """

    def __init__(self, *, derives: bool = False) -> None:
        self.secrets: dict[str, str] = {"A": SECRET}
        self.asked: list[tuple[str, CredentialScope, str | None]] = []
        self.is_down = False
        self.pause: Callable[[], object] = lambda: None
        self._derives = derives
        self._lock = threading.Lock()

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return a secret, or a signing key for the scope."""
        with self._lock:
            self.asked.append((access_key_id, scope, session_token))
            found, is_down = self.secrets.get(access_key_id), self.is_down
        self.pause()
        if is_down:
            raise CredentialsUnavailable("down", retry_after=7)
        if found is None:
            return None
        if self._derives:
            return Credentials(signing_key=f"{found}{scope}".encode().ljust(32)[-32:])
        return Credentials(found)
