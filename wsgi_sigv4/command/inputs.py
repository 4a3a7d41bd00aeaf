"""FILE of the command line: read within bounds, its format found, and one request chosen."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from wsgi_sigv4.command.botocore_log import canonical_request_in
from wsgi_sigv4.command.botocore_log import is_botocore_log
from wsgi_sigv4.command.botocore_log import read_botocore_log
from wsgi_sigv4.command.curl_trace import is_curl_trace
from wsgi_sigv4.command.curl_trace import read_curl_trace
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.har import read_har
from wsgi_sigv4.command.raw import is_raw
from wsgi_sigv4.command.raw import read_raw
from wsgi_sigv4.command.saved import MAX_HEAD
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import SavedRequest

#: A file is held in memory, and what is read out of it once more.
MAX_FILE: Final = 64 * 1024 * 1024
STDIN: Final = "-"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

READERS: Final[dict[str, Callable[[bytes], Iterator[Found]]]] = {
    "raw": read_raw,
    "curl": read_curl_trace,
    "har": read_har,
    "botocore": read_botocore_log,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One request of a file.

    Attributes:
        saved: the request.
        format: the format of the file: a key of :data:`READERS`.
        entry: its number in the file, from 1 on.
    """

    saved: SavedRequest
    format: str
    entry: int


def read_file(name: str) -> bytes:
    """Return the content of the file *name*; ``-`` is the standard input.

    Raises:
        UnreadableInput: if it cannot be read, or is larger than :data:`MAX_FILE`.
    """
    try:
        if name == STDIN:
            if sys.stdin is None:
                raise UnreadableInput(f"{name}: there is no standard input")
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UnreadableInput(f"{name}: {error.strerror}") from None
    except ValueError:
        # A NUL in the name.
        raise UnreadableInput(f"{name}: not the name of a file") from None
    if len(data) > MAX_FILE:
        raise UnreadableInput(f"{name}: larger than {MAX_FILE} bytes")
    return data


def choose_request(name: str, *, format: str | None, entry: int | None) -> Chosen:
    """Return a request of the file *name*.

    Args:
        name: the file, or ``-``.
        format: a key of :data:`READERS`; None: what the file looks like.
        entry: its number, from 1 on; None: the first signed one, or else the
            first.

    Raises:
        UnreadableInput: if there is none.
    """
    data = _as_utf8(read_file(name))
    format = format or find_format(data)
    if format is None:
        raise UnreadableInput(
            f"{name}: neither a raw request, nor what curl --trace-ascii writes, "
            "nor a HAR file, nor a debug log of botocore (--format says which)"
        )
    try:
        number, found = _choose(READERS[format](data), entry)
    except UnreadableInput as fault:
        raise UnreadableInput(f"{name}: {fault}") from None
    return Chosen(saved=found, format=format, entry=number)


def find_format(data: bytes) -> str | None:
    """Return the format that *data* looks like, or None."""
    # A raw request first: its body may hold anything.
    if is_raw(data):
        return "raw"
    if data.lstrip()[:1] == b"{":
        return "har"
    if is_curl_trace(data):
        return "curl"
    return "botocore" if is_botocore_log(data) else None


def read_canonical_request(name: str) -> bytes:
    """Return the client's canonical request in the file *name*: alone, or in a log of botocore.

    Raises:
        UnreadableInput: if there is none.
    """
    data = _as_utf8(read_file(name))
    found = canonical_request_in(data) if b"CanonicalRequest:" in data else data
    found = (found or b"").replace(b"\r\n", b"\n").strip(b"\n")
    if found.count(b"\n") < 5 or len(found) > MAX_HEAD:
        raise UnreadableInput(f"{name}: no canonical request, which has six lines or more")
    return found


def _as_utf8(data: bytes) -> bytes:
    """Return *data* without a byte order mark; PowerShell writes UTF-16 with one."""
    if data.startswith(_UTF_16):
        with suppress(UnicodeError):
            return data.decode("utf-16").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _choose(requests: Iterator[Found], entry: int | None) -> tuple[int, SavedRequest]:
    first: tuple[int, Found] | None = None
    number = 0
    for number, found in enumerate(requests, 1):
        if number == entry or (entry is None and _is_signed(found)):
            return number, _good(found)
        first = first or (number, found)
    if first is None:
        raise UnreadableInput("there is no request in it")
    if entry is not None:
        raise UnreadableInput(f"there is no request {entry}: the last one is {number}")
    return first[0], _good(first[1])


def _is_signed(found: Found) -> bool:
    return isinstance(found, SavedRequest) and found.is_signed


def _good(found: Found) -> SavedRequest:
    if isinstance(found, UnreadableInput):
        raise found
    return found
