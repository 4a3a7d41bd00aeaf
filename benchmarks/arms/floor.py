"""The floor: what every verification with a cached signing key has to calculate.

The SHA-256 of the body, that of the canonical request, and one HMAC.
"""

from __future__ import annotations

import hashlib
import hmac

from benchmarks.recorded import Recorded

#: As long as that of a GET with a few headers.
CANONICAL_REQUEST = b"x" * 300
SIGNING_KEY = b"k" * 32


class Floor:
    """Calculates, and looks at nothing."""

    def prepare(self, request: Recorded) -> object:
        """Return the body."""
        return request.body

    def verify(self, prepared: object) -> str:
        """Return no status of any meaning."""
        assert isinstance(prepared, bytes)
        hashlib.sha256(prepared).hexdigest()
        text = hashlib.sha256(CANONICAL_REQUEST).hexdigest()
        hmac.digest(SIGNING_KEY, text.encode(), "sha256").hex()
        return "floor"


def arm(service: str) -> Floor:
    """Return the arm."""
    return Floor()
