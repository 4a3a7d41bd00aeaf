"""A raw HTTP request, as proxies save it: request line, header lines, an empty line, the body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import parse_request

_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n|\r?\n?\Z")
_FIRST_LINE: Final = re.compile(rb"[\r\n]*+[A-Za-z]{1,32} \S[^\r\n]* HTTP/[0-9.]+\r?(?:\n|\Z)")


def is_raw(data: bytes) -> bool:
    """Return whether *data* begins with a request line."""
    return _FIRST_LINE.match(data) is not None


def read_raw(data: bytes) -> Iterator[Found]:
    """Yield the request that *data* is.

    Raises:
        UnreadableInput: if it is none.
    """
    data = data.lstrip(b"\r\n")
    end = _END_OF_HEAD.search(data)
    assert end is not None  # noqa: S101 (the end of the file is one)
    yield parse_request(data[: end.start()], data[end.end() :])
