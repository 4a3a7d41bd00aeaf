"""What is taken out of a canonical request before anybody is shown it.

Cookies, authorizations, keys of customers, session tokens and signatures: each
of them lets whoever reads it act as the client.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Compiled when one is needed: all of them would be a tenth of the import.
_HIDDEN_NAME: Final = (
    # What clients, proxies that log people in and gateways call them, and other schemes.
    r"[a-z0-9_-]*(?:authorization|cookie2?|token|secret|passw(?:or)?d|credentials?"
    r"|session(?:[_-]?id)?|signature(?:[_-][a-z0-9]+)?"
    r"|(?:api|auth|access|functions|subscription|customer|secret|private)[_-]?key"
    r"|jwt-assertion|oidc-data|client-principal)"
)
_SECRET_LINE: Final = rf"(?mi)^({_HIDDEN_NAME}):.*$".encode()
_SECRET_PARAMETERS: Final = ("X-Amz-Security-Token", "X-Amz-S3session-Token", "Signature")


def is_secret_header(name: str) -> bool:
    """Return whether nobody may be shown the values of the header *name* (lower-case)."""
    return re.fullmatch(_HIDDEN_NAME, name) is not None


def redacted(canonical_request: bytes) -> bytes:
    """Return *canonical_request* without cookies, authorizations, tokens and signatures."""
    return redacted_parameters(re.sub(_SECRET_LINE, rb"\1:...", canonical_request))


def redacted_parameters(text: bytes) -> bytes:
    """Return *text* without the session tokens and signatures of presigned URLs in it."""
    return _secret_parameter().sub(rb"\1...", text)


def redacted_line(line: str) -> str:
    """Return a *line* of a log without the session tokens and signatures in it."""
    return _secret_in_line().sub(r"\1...", line)


@cache
def _secret_parameter() -> re.Pattern[bytes]:
    return re.compile(rf"{_named()}[^&\s,\"']*".encode())


@cache
def _secret_in_line() -> re.Pattern[str]:
    return re.compile(rf"{_named()}[^&\s,\"'\\]+")


def _named() -> str:
    """Return what matches the name of a secret parameter, whatever letters of it are escaped.

    A URL in the query of another one is escaped once more.
    """
    names = "|".join("".join(map(_spellings, name)) for name in _SECRET_PARAMETERS)
    # One look at the first character passes over most of a text.
    return rf"(?i)(?=[sx%])((?:{names})(?:=|%(?:25)*+3D))"


def _spellings(letter: str) -> str:
    codes = {f"{ord(spelt):02x}" for spelt in (letter.lower(), letter.upper())}
    return f"(?:{re.escape(letter)}|%(?:25)*+(?:{'|'.join(sorted(codes))}))"
