"""What ``curl --trace-ascii`` and ``curl --trace`` write.

Each piece that curl sends is a line that tells its kind and length, and lines
of an offset and what stands there. The first form breaks a line at CR LF,
which it leaves out, and after 64 characters: the offset of the next line tells
which. What is not printable it shows as a dot, so that a body with dots may be
another one. The second form gives every byte in hex. What curl receives is
looked at for the status alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from itertools import pairwise
from typing import Final

from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.raw import is_raw
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import SavedRequest
from wsgi_sigv4.command.saved import parse_request

#: A time, and ids of the transfer and the connection, may stand before it.
_PIECE: Final = re.compile(
    rb"^(?:[0-9:.]+ )?(?:\[[0-9x-]+\] )?(=> Send|<= Recv) (header|data), "
    rb"([0-9]{1,12}) bytes \(0x[0-9a-f]+\)\r?(?:\n|\Z)",
    re.MULTILINE,
)
_STATUS: Final = re.compile(rb"0+: (?:(?:[0-9a-f]{2} ){1,16} *)?HTTP/[0-9.]{1,3} ([0-9]{3})\b")
_LINE: Final = re.compile(rb"([0-9a-f]{4,12}): ?([^\r\n]*)\r?(?:\n|\Z)")
_HEX: Final = re.compile(rb"((?:[0-9a-f]{2} ){1,16})")
_CUT_OFF: Final = "the trace is cut off, or something has changed it"
_DOTS: Final = (
    "the trace shows bytes of the body that are not printable as dots: "
    "give --body-file, or trace with curl --trace"
)
#: What is not ASCII takes two bytes or more in UTF-8.
_DOTTED: Final = b".."
_DOTS_IN_HEAD: Final = (
    "dots in the head may stand for bytes that are not printable: trace with curl --trace"
)


@dataclass(slots=True, kw_only=True)
class _Sent:
    """What curl sent for one request; *is_exact*: no dot of the body is another byte."""

    head: list[bytes]
    body: list[bytes] = field(default_factory=list)
    is_exact: bool = True
    is_whole: bool = True
    is_head_exact: bool = True
    status: int | None = None


def is_curl_trace(data: bytes) -> bool:
    """Return whether *data* has the marks of a trace."""
    return _PIECE.search(data) is not None


def read_curl_trace(data: bytes) -> Iterator[Found]:
    """Yield the requests of a trace."""
    for sent in _requests(data):
        try:
            yield _saved(sent)
        except UnreadableInput as fault:
            yield fault if sent.is_whole else UnreadableInput(_CUT_OFF)


def _requests(data: bytes) -> Iterator[_Sent]:
    sent: _Sent | None = None
    for piece in _PIECE.finditer(data):
        is_head = piece[2] == b"header"
        if piece[1] != b"=> Send":
            status = _STATUS.match(data, piece.end()) if is_head else None
            if sent is not None and status is not None:
                sent.status = int(status[1])
            continue
        content, is_exact = _content(data, piece.end(), size=int(piece[3]))
        if is_head and (sent is None or is_raw(content)):
            if sent is not None:
                yield sent
            sent = _Sent(head=[])
        if sent is None:
            continue
        if is_head:
            sent.head.append(content)
            sent.is_head_exact = sent.is_head_exact and (is_exact or _DOTTED not in content)
        else:
            sent.body.append(content)
            sent.is_exact = sent.is_exact and is_exact
        sent.is_whole = sent.is_whole and len(content) == int(piece[3])
    if sent is not None:
        yield sent


def _saved(sent: _Sent) -> SavedRequest:
    cut_off = () if sent.is_whole else (_CUT_OFF,)
    notes = cut_off if sent.is_head_exact else (*cut_off, _DOTS_IN_HEAD)
    head, body = b"".join(sent.head), b"".join(sent.body)
    saved = parse_request(head, body, notes=notes, is_whole=sent.is_whole)
    saved = replace(saved, status=sent.status)
    if sent.is_exact or saved.body is None:
        return saved
    declared = saved.values(b"x-amz-content-sha256")
    if declared == [hashlib.sha256(saved.body).hexdigest().encode()]:
        return saved
    # A hash that was declared would be blamed on the client: the body is not known.
    return replace(saved, body=None if declared else saved.body, body_doubt=_DOTS)


def _content(data: bytes, at: int, *, size: int) -> tuple[bytes, bool]:
    """Return the *size* bytes whose lines begin *at*, fewer if cut off; and whether exactly."""
    lines: list[tuple[int, bytes]] = []
    while match := _LINE.match(data, at):
        lines.append((int(match[1], 16), match[2]))
        at = match.end()
    in_hex = _from_hex([text for _, text in lines])
    if len(in_hex) == size:
        return in_hex, True
    out = bytearray()
    for (offset, text), (end, _) in pairwise([*lines, (size, b"")]):
        left_out = end - offset - len(text)
        if offset != len(out) or left_out not in (0, 2):
            break
        out += text + b"\r\n"[:left_out]
    return bytes(out), b"." not in out


def _from_hex(lines: list[bytes]) -> bytes:
    found = map(_HEX.match, lines)
    return b"".join(bytes.fromhex(match[1].decode()) for match in found if match is not None)
