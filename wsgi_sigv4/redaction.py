"""What is taken out of a canonical request before anybody is shown it.

Cookies, authorizations, keys of customers, session tokens and signatures: each
of them lets whoever reads it act as the client.
"""

from __future__ import annotations

import re
from typing import Final

# Compiled when one is needed: all of them would be a tenth of the import.
_HIDDEN_NAME: Final = (
    r"cookie2?|set-cookie|authorization|proxy-authorization|x-amz-security-token"
    r"|x-amz-s3session-token|x-amz-(?:copy-source-)?server-side-encryption-customer-key"
)
_SECRET_LINE: Final = rf"(?mi)^({_HIDDEN_NAME}):.*$".encode()
_SECRET_PARAMETER: Final = (
    rb"(?i)((?:X-Amz-(?:Security-Token|S3session-Token|Signature)|Signature)(?:=|%3D|%253D))"
    rb"[^&\s,\"']*"
)


def is_secret_header(name: str) -> bool:
    """Return whether nobody may be shown the values of the header *name* (lower-case)."""
    return re.fullmatch(_HIDDEN_NAME, name) is not None


def redacted(canonical_request: bytes) -> bytes:
    """Return *canonical_request* without cookies, authorizations, tokens and signatures."""
    return redacted_parameters(re.sub(_SECRET_LINE, rb"\1:...", canonical_request))


def redacted_parameters(text: bytes) -> bytes:
    """Return *text* without the session tokens and signatures of presigned URLs in it."""
    return re.sub(_SECRET_PARAMETER, rb"\1...", text)
