"""New access keys: ids and secrets of the form that AWS's own have."""

from __future__ import annotations

import base64
import secrets
from typing import Final

#: What AWS begins the ids of permanent keys with; secret scanners look for it.
PERMANENT: Final = "AKIA"

_ID_BYTES: Final = 10
_SECRET_BYTES: Final = 30


def new_access_key_id() -> str:
    """Return an access key id: ``AKIA`` and 16 characters of base32, 80 random bits.

    An id is no secret. Among a million keys, two have one id with a
    probability below 10\\ :sup:`-12`; whoever stores them has it unique.
    """
    return PERMANENT + base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode("ascii")


def new_secret_access_key() -> str:
    """Return a secret access key: 40 characters of base64, 240 random bits."""
    return base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
