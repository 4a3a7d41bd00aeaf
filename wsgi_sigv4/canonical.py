"""The canonical request and the string to sign.

In come the pieces of a request as they were sent, out come the bytes that the
client hashed. There is one canonical form for each piece and no second try:
where two spellings would both verify, an attacker chooses which of them the
application sees.

1. path: GENERIC takes it as sent, without dot segments and doubled slashes,
   and encodes it once more; S3 decodes it whole and encodes it once, slashes
   kept, and normalises nothing.
2. query: decoded, encoded again, sorted by encoded name and then value.
3. headers: the signed ones only; the request has trimmed them, and here inner
   runs of space and tab are folded.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import chain
from typing import Final

from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.encoding import is_unreserved
from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.memo import total_length
from wsgi_sigv4.timestamps import Timestamp

#: The one parameter that is not signed; and only in the presigned form, where
#: a header-signed request has it (T28).
UNSIGNED_PARAMETER: Final = b"X-Amz-Signature"

_BLANKS: Final = re.compile(rb"[ \t]+")


def normalize_path(path: bytes) -> bytes:
    """Return *path* without dot segments and doubled slashes.

    >>> normalize_path(b"/a//b/../c/./d/")
    b'/a/c/d/'

    Raises:
        ValueError: if a ``..`` reaches above the root.
    """
    if b"//" not in path and b"/." not in path:
        return path
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if not kept:
                raise ValueError("a .. reaches above the root")
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    tail = b"/" if kept and path.endswith(b"/") else b""
    return b"/" + b"/".join(kept) + tail


def has_dot_segments(path: bytes) -> bool:
    """Return whether a segment of the decoded *path* is ``.`` or ``..``."""
    return b"/." in path and not {b".", b".."}.isdisjoint(path.split(b"/"))


def canonical_uri(path: bytes, *, normalize: bool, double_encode: bool) -> bytes:
    """Return the canonical form of *path*.

    >>> canonical_uri(b"/a%20b//c", normalize=True, double_encode=True)
    b'/a%2520b/c'
    >>> canonical_uri(b"/a%20b%2F+/c", normalize=False, double_encode=False)
    b'/a%20b/%2B/c'
    """
    if normalize:
        path = normalize_path(path)
    if not double_encode:
        path = percent_decode(path)
    return uri_encode(path, keep_slash=True)


def canonical_query_string(pairs: Sequence[tuple[bytes, bytes]], presigned: bool) -> bytes:
    """Return the canonical form of the decoded query parameters *pairs*.

    >>> canonical_query_string([(b"b", b"x y"), (b"a", b"")], presigned=False)
    b'a=&b=x%20y'
    """
    if not pairs:
        return b""
    if presigned:
        pairs = [pair for pair in pairs if pair[0] != UNSIGNED_PARAMETER]
    if is_unreserved(b"".join(chain.from_iterable(pairs))):
        encoded = sorted(pairs)
    else:
        encoded = sorted([(uri_encode(name), uri_encode(value)) for name, value in pairs])
    return b"&".join(map(b"=".join, encoded))


def folded(text: bytes) -> bytes:
    """Return *text* with its inner runs of space and tab folded to one space."""
    return _BLANKS.sub(b" ", text) if b"  " in text or b"\t" in text else text


def canonical_request(
    method: str,
    uri: bytes,
    query_string: bytes,
    signed_headers: tuple[str, ...],
    values: Sequence[bytes],
    payload_hash: str,
) -> bytes:
    """Return the canonical request.

    Args:
        method: the method, as sent.
        uri: the canonical URI.
        query_string: the canonical query string.
        signed_headers: the names of the signed headers, in their order.
        values: their values, without blanks around them.
        payload_hash: the value of x-amz-content-sha256, or the hash of the body.
    """
    # No name holds a blank, and no value ends with one: they fold as each would alone.
    headers = folded(_HEADERS[signed_headers] % tuple(values))
    start = b"%b\n%b\n%b" % (method.encode("ascii"), uri, query_string)
    return start + headers + payload_hash.encode("ascii")


def _headers(names: tuple[str, ...]) -> bytes:
    """Return the lines of the headers and the list of their *names*, with a place for each value.

    A name may hold a percent sign.
    """
    lines = [name.replace("%", "%%") + ":%b" for name in names]
    listed = ";".join(names).replace("%", "%%")
    return "\n".join(("", *lines, "", listed, "")).encode("ascii")


_HEADERS: Final = Memo(_headers, longest=16384, size=total_length)


def string_to_sign(
    request: bytes, algorithm: str, timestamp: Timestamp, scope: CredentialScope
) -> bytes:
    """Return the string to sign of the canonical *request*."""
    digest = hashlib.sha256(request).hexdigest()
    return f"{algorithm}\n{timestamp.iso}\n{scope.text}\n{digest}".encode("ascii")
