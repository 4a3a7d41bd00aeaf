"""Percent-encoding and hex, as strict as a signature needs them.

The characters that stay as they are come from RFC 3986 (unreserved); AWS's
"UriEncode" is that, with upper-case hex. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote
from urllib.parse import unquote_to_bytes

from wsgi_sigv4.memo import Memo

_MALFORMED_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(rb"[A-Za-z0-9_.~-]*")
_UNRESERVED_OR_SLASH = re.compile(rb"[A-Za-z0-9_.~/-]*")
_LOWER_HEX_64 = re.compile(rb"[0-9a-f]{64}")
_HEX_64 = re.compile(rb"[0-9A-Fa-f]{64}")


def uri_encode(data: bytes, *, keep_slash: bool = False) -> bytes:
    """Return *data* percent-encoded as AWS's UriEncode does it.

    >>> uri_encode(b"a b/\\xc3\\xa9~")
    b'a%20b%2F%C3%A9~'
    """
    unreserved = _UNRESERVED_OR_SLASH if keep_slash else _UNRESERVED
    if unreserved.fullmatch(data) is not None:
        return data
    return (_QUOTED_BUT_SLASH if keep_slash else _QUOTED)[data]


def is_unreserved(data: bytes) -> bool:
    """Return whether :func:`uri_encode` leaves all of *data* as it is."""
    return _UNRESERVED.fullmatch(data) is not None


def has_malformed_escape(data: bytes) -> bool:
    """Return whether a ``%`` in *data* is not followed by two hex digits."""
    return b"%" in data and _MALFORMED_ESCAPE.search(data) is not None


def percent_decode(data: bytes) -> bytes:
    """Return *data* with its percent escapes decoded; ``+`` stays a plus.

    The caller has refused malformed escapes: here they would stay as they are.
    """
    return _UNQUOTED[data] if b"%" in data else data


def is_sha256_hex(value: bytes) -> bool:
    """Return whether *value* is 64 hex digits of either case."""
    return _HEX_64.fullmatch(value) is not None


def is_signature(value: bytes) -> bool:
    """Return whether *value* is 64 lower-case hex digits."""
    return _LOWER_HEX_64.fullmatch(value) is not None


def _quoted(data: bytes) -> bytes:
    return quote(data, safe="~").encode("ascii")


def _quoted_but_slash(data: bytes) -> bytes:
    return quote(data, safe="/~").encode("ascii")


# The credential of a presigned URL, and the names that it signs, come again with others.
_QUOTED: Final = Memo(_quoted, longest=512, size=len)
_QUOTED_BUT_SLASH: Final = Memo(_quoted_but_slash, longest=512, size=len)
_UNQUOTED: Final = Memo(unquote_to_bytes, longest=512, size=len)
