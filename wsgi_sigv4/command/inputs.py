"""FILE of the command line: read within bounds, its format found, and one request chosen."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
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
#: Playwright packs a HAR file and the bodies of its requests into one.
_ZIP: Final = b"PK\x03\x04"
#: What curl -v writes of a request: a line for each of its head.
_VERBOSE: Final = re.compile(
    rb"^> [A-Z]{1,32} \S[^\r\n]{0,65536} HTTP/[0-9.]{1,3} ?\r?$", re.MULTILINE
)
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

READERS: Final[dict[str, Callable[[bytes], Iterator[Found]]]] = {
    "raw": read_raw,
    "curl": read_curl_trace,
    "har": read_har,
    "botocore": read_botocore_log,
}


class _Rank(IntEnum):
    """What is likely to be asked for, the most likely last."""

    OTHER = 0
    SIGNED = 1
    REFUSED = 2


_KIND: Final = {
    _Rank.OTHER: "the first one, as none is signed",
    _Rank.SIGNED: "the first signed one",
    _Rank.REFUSED: "the first signed one that was refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One request of a file.

    Attributes:
        saved: the request.
        format: the format of the file: a key of :data:`READERS`.
        entry: its number in the file, from 1 on.
        notes: why it is this one, where there are others.
    """

    saved: SavedRequest
    format: str
    entry: int
    notes: tuple[str, ...] = ()


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
        entry: its number, from 1 on; None: the first signed one that was
            refused, or else the first signed one, or else the first.

    Raises:
        UnreadableInput: if there is none.
    """
    data = _as_utf8(read_file(name))
    format = format or find_format(data)
    if format is None:
        raise UnreadableInput(f"{name}: {_fault_of(data)}")
    try:
        return _choose(READERS[format](data), format, entry)
    except UnreadableInput as fault:
        raise UnreadableInput(f"{name}: {fault}") from None


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


def _fault_of(data: bytes) -> str:
    """Return why *data* is of none of the formats."""
    if not data.strip():
        return "is empty"
    if data.startswith(_ZIP):
        return "a ZIP file: give the .har file that is in it"
    if _VERBOSE.search(data):
        return (
            "this looks like curl -v, which leaves out blanks and the body: "
            "use curl --trace-ascii FILE"
        )
    return (
        "neither a raw request, nor what curl --trace-ascii writes, "
        "nor a HAR file, nor a debug log of botocore (--format says which)"
    )


def read_canonical_request(name: str) -> bytes:
    """Return the client's canonical request in the file *name*: alone, or in a log of botocore.

    Raises:
        UnreadableInput: if there is none.
    """
    data = _as_utf8(read_file(name))
    found = canonical_request_in(data) if b"CanonicalRequest:" in data else data
    found = (found or b"").replace(b"\r\n", b"\n").strip(b"\n")
    if found.count(b"\n") < 5 or len(found) > MAX_HEAD or is_botocore_log(found):
        raise UnreadableInput(f"{name}: no canonical request, which has six lines or more")
    return found


def _as_utf8(data: bytes) -> bytes:
    """Return *data* without a byte order mark; PowerShell writes UTF-16 with one."""
    if data.startswith(_UTF_16):
        with suppress(UnicodeError):
            return data.decode("utf-16").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _choose(requests: Iterator[Found], format: str, entry: int | None) -> Chosen:
    best: tuple[_Rank, int, Found] | None = None
    number = 0
    for number, found in enumerate(requests, 1):
        if number == entry:
            return Chosen(saved=_good(found), format=format, entry=number)
        rank = _rank(found)
        if best is None or rank > best[0]:
            best = rank, number, found
    if best is None:
        raise UnreadableInput("there is no request in it")
    if entry is not None:
        raise UnreadableInput(f"there is no request {entry}: the last one is {number}")
    rank, at, found = best
    note = f"request {at} of the {number} in the file, {_KIND[rank]}: --entry takes another"
    notes = (note,) if number > 1 else ()
    return Chosen(saved=_good(found), format=format, entry=at, notes=notes)


def _rank(found: Found) -> _Rank:
    if not isinstance(found, SavedRequest) or not found.is_signed:
        return _Rank.OTHER
    return _Rank.REFUSED if found.is_refused else _Rank.SIGNED


def _good(found: Found) -> SavedRequest:
    if isinstance(found, UnreadableInput):
        raise found
    return found
