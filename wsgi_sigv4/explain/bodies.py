"""What a body may have been when its hash was signed."""

from __future__ import annotations

import codecs
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.payload import EMPTY_SHA256

#: Hashing and rewriting more than these would take too long.
MAX_BODY: Final = 1024 * 1024
MAX_REWRITTEN: Final = 256 * 1024
MAX_JSON: Final = 64 * 1024
#: Pieces of indented JSON, which is written by Python, and not by C.
MAX_PIECES: Final = 16 * 1024
MAX_UNPACKED: Final = 1024 * 1024

_GZIP: Final = 16 + zlib.MAX_WBITS
_JSON_STARTS: Final = (b"{", b"[", b'"')


class BodyForm(NamedTuple):
    """One body that may have been signed.

    Attributes:
        cause: the id of the hypothesis.
        payload_hash: its SHA-256 in hex.
        phrase: what it is, as in "signed for ...".
    """

    cause: str
    payload_hash: str
    phrase: str


def body_forms(body: bytes) -> Iterator[BodyForm]:
    """Yield the bodies that *body* may have been, the likely ones first; none of a huge one."""
    yield BodyForm("body-empty", EMPTY_SHA256, "an empty body")
    if len(body) > MAX_BODY:
        return
    yield from _newlines(body)
    yield _form("body-bom", body.removeprefix(codecs.BOM_UTF8), "the body without its BOM")
    yield _form("body-bom", codecs.BOM_UTF8 + body, "the body with a BOM")
    if len(body) > MAX_REWRITTEN:
        return
    unix = body.replace(b"\r\n", b"\n")
    yield _form("body-line-ends", unix, "the body with LF at the ends of its lines")
    yield _form(
        "body-line-ends",
        unix.replace(b"\n", b"\r\n"),
        "the body with CRLF at the ends of its lines",
    )
    # What curl --data makes of a file.
    bare = body.replace(b"\n", b"").replace(b"\r", b"")
    yield _form("body-newline", bare, "the body without line endings")
    yield from _unpacked(body)
    yield from _recoded(body)
    if len(body) <= MAX_JSON:
        yield from _json(body)


def _form(cause: str, body: bytes, phrase: str) -> BodyForm:
    return BodyForm(cause, hashlib.sha256(body).hexdigest(), phrase)


def _newlines(body: bytes) -> Iterator[BodyForm]:
    without, added = "the body without its last line end", "the body with a line end more"
    for end in (b"\r\n", b"\n", b"\r"):
        yield _form("body-newline", body.removesuffix(end), without)
    yield _form("body-newline", body.strip(), "the body without blanks around it")
    for end in (b"\n", b"\r\n"):
        yield _form("body-newline", body + end, added)


def _unpacked(body: bytes) -> Iterator[BodyForm]:
    # With MAX_WBITS and 32 zlib would find out itself, but raw deflate has no head.
    for bits in (_GZIP, zlib.MAX_WBITS, -zlib.MAX_WBITS):
        unpacker = zlib.decompressobj(bits)
        try:
            unpacked = unpacker.decompress(body, MAX_UNPACKED)
        except zlib.error:
            continue
        if unpacker.eof:
            yield _form("body-compressed", unpacked, "the body before it was compressed")


def _recoded(body: bytes) -> Iterator[BodyForm]:
    if not body.isascii():
        phrase = "the body in another character set"
        yield _form("body-charset", body.decode("latin-1").encode(), phrase)
        with suppress(UnicodeError):
            yield _form("body-charset", body.decode().encode("latin-1"), phrase)
    phrase = "the body with another spelling of blanks"
    if b"=" in body:
        yield _form("body-form-blanks", body.replace(b"+", b"%20"), phrase)
        yield _form("body-form-blanks", body.replace(b"%20", b"+"), phrase)


def _json(body: bytes) -> Iterator[BodyForm]:
    if not body.lstrip().startswith(_JSON_STARTS):
        return
    try:
        forms = tuple(_rewritten(json.loads(body)))
    except (ValueError, RecursionError):
        return
    yield from forms


def _rewritten(value: object) -> Iterator[BodyForm]:
    phrase = "the same JSON, written in another way"
    for separators in ((",", ":"), (", ", ": ")):
        for is_ascii in (True, False):
            for sort_keys in (False, True):
                text = json.dumps(
                    value, separators=separators, ensure_ascii=is_ascii, sort_keys=sort_keys
                )
                yield _form("body-json", text.encode("utf-8", "surrogatepass"), phrase)
    for indent in (2, 4):
        text_hash = _indented(value, indent)
        if text_hash is not None:
            yield BodyForm("body-json", text_hash, phrase)


def _indented(value: object, indent: int) -> str | None:
    """Return the hash of *value* as indented JSON, or None where that takes too much room or time.

    Indented, each of many values that stand deep down becomes a line as long as they are deep.
    """
    found = hashlib.sha256()
    size = 0
    for number, piece in enumerate(json.JSONEncoder(indent=indent).iterencode(value)):
        size += len(piece)
        if size > MAX_REWRITTEN or number > MAX_PIECES:
            return None
        found.update(piece.encode())
    return found.hexdigest()
