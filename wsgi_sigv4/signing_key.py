"""The signing key: derivation, and a bounded cache of derived keys.

The chain is secret, date, region, service, terminator:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from contextlib import suppress
from typing import Final

from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret

#: About 300 bytes an entry; a key serves one region and service for a day.
CACHE_SIZE: Final = 4096


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA256 of *message* under *key*."""
    return hmac.digest(key, message, "sha256")


def derive_signing_key(secret: Secret, scope: CredentialScope) -> bytes:
    """Return the signing key of *secret* for *scope*."""
    k_date = hmac_sha256(b"AWS4" + secret.reveal().encode(), scope.date.encode())
    k_region = hmac_sha256(k_date, scope.region.encode())
    k_service = hmac_sha256(k_region, scope.service.encode())
    return hmac_sha256(k_service, scope.terminator.encode())


class SigningKeyCache:
    """Derived keys by access key id, secret and scope; bounded, gone at midnight UTC.

    The secret is kept beside the key, so that a changed secret never verifies
    with a signing key of the old one. Only keys that have made a right
    signature may be put in: a client can name endless scopes.

    There is no lock, which a fork could take along: each step is one of the
    interpreter's, and what a second thread does in between costs a derivation.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._size = size
        self._day = -1.0
        self._keys: OrderedDict[tuple[str, str], tuple[Secret, bytes]] = OrderedDict()

    def __repr__(self) -> str:
        return f"SigningKeyCache(<{len(self._keys)} keys>)"

    def __len__(self) -> int:
        return len(self._keys)

    def get(
        self, access_key_id: str, secret: Secret, scope: CredentialScope, now: float
    ) -> bytes | None:
        """Return the cached signing key, or None."""
        if now // 86400 != self._day:
            self._begin_day(now)
        name = access_key_id, scope.text
        found = self._keys.get(name)
        if found is None or (found[0] is not secret and found[0] != secret):
            return None
        try:  # noqa: SIM105 (suppress() takes longer than the look-up)
            self._keys.move_to_end(name)
        except KeyError:
            # Another thread has dropped it meanwhile.
            pass
        return found[1]

    def put(
        self, access_key_id: str, secret: Secret, scope: CredentialScope, key: bytes, *, now: float
    ) -> None:
        """Keep *key*, dropping the one that was used longest ago where there are too many."""
        if now // 86400 != self._day:
            self._begin_day(now)
        self._keys[access_key_id, scope.text] = secret, key
        while len(self._keys) > self._size:
            # Another thread may have cleared it meanwhile.
            with suppress(KeyError):
                self._keys.popitem(last=False)

    def _begin_day(self, now: float) -> None:
        self._keys.clear()
        self._day = now // 86400
