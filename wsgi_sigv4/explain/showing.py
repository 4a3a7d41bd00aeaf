"""How values of a request are shown: escaped, cut and without what is secret.

Terminals obey control characters, browsers turn text around at a bidi mark, and
a header may have 64 KiB. So every byte that is no printable ASCII is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from wsgi_sigv4.redaction import is_secret_header
from wsgi_sigv4.redaction import redacted_parameters

#: Characters of one value; a longer one shows nobody where it differs.
MAX_VALUE: Final = 240
#: Bytes of one line of a canonical request: a query, or a header.
MAX_LINE: Final = 2048
#: Characters of a canonical request or a string to sign, when they are escaped.
MAX_TEXT: Final = 16 * 1024
#: Shorter ones stand in other texts by accident.
_MIN_SECRET: Final = 8
_UNPRINTABLE: Final = re.compile(rb"[^\n\x20-\x5b\x5d-\x7e]")
HIDDEN: Final = "..."


def escaped(data: bytes) -> str:
    """Return *data* as printable ASCII; line feeds stay.

    >>> escaped(b"a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return _UNPRINTABLE.sub(_escape, data).decode("ascii")


def _escape(match: re.Match[bytes]) -> bytes:
    return b"\\\\" if match[0] == b"\\" else b"\\x%02x" % match[0][0]


def cut(text: str, limit: int) -> str:
    """Return *text*, or its beginning and how long it was."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} characters)"


def clipped(data: bytes) -> bytes:
    """Return *data* with each line cut, and then all of it."""
    lines = [
        line if len(line) <= MAX_LINE else b"%b... (%d bytes)" % (line[:MAX_LINE], len(line))
        for line in data.split(b"\n")
    ]
    joined = b"\n".join(lines)
    return joined if len(joined) <= MAX_TEXT else b"%b... (cut)" % joined[:MAX_TEXT]


def readable(data: bytes) -> str:
    """Return the canonical request or string to sign *data* as text, cut."""
    return cut(escaped(data), MAX_TEXT)


def shown(value: bytes | str, *, header: str = "") -> str:
    """Return the *value* of a piece of a request, as a sentence can hold it.

    Args:
        value: the value.
        header: the name of the header whose value it is.
    """
    if is_secret_header(header):
        return HIDDEN
    data = value if isinstance(value, bytes) else value.encode("utf-8", "backslashreplace")
    text = escaped(redacted_parameters(data[: 8 * MAX_VALUE])).replace("\n", "\\x0a")
    return cut(text, MAX_VALUE)


class Scrubber:
    """Takes known secrets out of whatever is to be shown, wherever they stand.

    A client may have put its secret into a header, or its signature into a
    Referer: no list of names knows.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = set()
        for secret in secrets:
            if len(secret) >= _MIN_SECRET:
                forms |= {secret, quote(secret, safe=""), quote(secret)}
                forms |= {quote(quote(secret, safe=""), safe="")}
                forms |= {escaped(secret.encode("utf-8", "backslashreplace"))}
        # No pattern: to compile one of a long token takes long, and re would remember it.
        self._forms = sorted((form.encode() for form in forms), key=len, reverse=True)

    def __repr__(self) -> str:
        return "Scrubber(...)"

    def scrub(self, data: bytes) -> bytes:
        """Return *data* without the secrets."""
        for form in self._forms:
            data = data.replace(form, b"...")
        return data

    def scrub_text(self, text: str) -> str:
        """Return *text* without the secrets."""
        return self.scrub(text.encode()).decode()
