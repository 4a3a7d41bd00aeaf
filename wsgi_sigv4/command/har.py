"""A HAR file (HTTP Archive 1.2), as browsers and proxies save it.

http://www.softwareishard.com/blog/har-12-spec/ : log.entries[].request, with
the body as text. Writers differ in what of a body that text is: its characters
(mitmproxy: with what is no UTF-8 as lone surrogates; or without Content-Encoding),
one for each byte, base64 (``encoding`` says so), replacement characters where it
is no UTF-8, or nothing, with a file beside the HAR file or without (Playwright).
So a text is believed where the length or the declared hash of the body proves it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import Headers
from wsgi_sigv4.command.saved import SavedRequest
from wsgi_sigv4.command.saved import as_url_bytes
from wsgi_sigv4.command.saved import origin_form
from wsgi_sigv4.command.saved import with_host

_NO_BODY: Final = "the HAR file does not hold the body: give --body-file"
_MAYBE: Final = "the HAR file may hold another body than the one that was sent: give --body-file"
_NO_AUTHORIZATION: Final = (
    "signed, it seems, but the HAR file has no Authorization header: "
    "export it again, with sensitive data"
)
_CODINGS: Final = (b"content-encoding", b"transfer-encoding")
_REPLACEMENT: Final = "\ufffd"
#: The name of a file, and of no other place.
_FILE: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


def read_har(data: bytes) -> Iterator[Found]:
    """Yield the requests of a HAR file, in their order.

    Raises:
        UnreadableInput: if it is none.
    """
    try:
        archive = json.loads(data.decode("utf-8-sig"))
    # A MemoryError comes of numbers and nesting alone: the size of the file is bounded.
    except (ValueError, RecursionError, MemoryError):
        raise UnreadableInput("not JSON in UTF-8, as a HAR file is") from None
    entries = _member(_member(archive, "log"), "entries")
    if not isinstance(entries, list) or not entries:
        raise UnreadableInput("JSON without log.entries: no HAR file")
    for number, entry in enumerate(entries, 1):
        try:
            yield _saved(_member(entry, "request"), _member(_member(entry, "response"), "status"))
        except UnreadableInput as fault:
            yield UnreadableInput(f"entry {number}: {fault}")


def _saved(request: object, status: object) -> SavedRequest:
    method, url = _member(request, "method"), _member(request, "url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise UnreadableInput("a request has a method and a url")
    pairs = _headers(_member(request, "headers"))
    target, host = origin_form(as_url_bytes(_encodable(url)))
    # What stood on the wire; browsers write the url anew.
    path = dict(pairs).get(b":path", b"")
    saved = SavedRequest(
        method=method,
        target=path if path.startswith(b"/") else target,
        headers=with_host(pairs, host),
        body=None,
        status=status if isinstance(status, int) else None,
    )
    body, doubt = _body(request, saved)
    notes = (_NO_AUTHORIZATION,) if _is_stripped(saved) else ()
    return replace(saved, body=body, body_doubt=doubt, notes=notes)


def _is_stripped(saved: SavedRequest) -> bool:
    """Return whether a header that goes with a signature is there, and no signature."""
    is_dated = bool(saved.values(b"x-amz-date") or saved.values(b"x-amz-content-sha256"))
    is_presigned = b"signature=" in saved.query.lower()
    return is_dated and not is_presigned and not saved.values(b"authorization")


def _headers(found: object) -> Headers:
    pairs = []
    for header in found if isinstance(found, list) else []:
        name, value = _member(header, "name"), _member(header, "value")
        if not isinstance(name, str) or not isinstance(value, str) or not name:
            raise UnreadableInput("a header has a name and a value")
        pairs.append((_encodable(name).encode(), _value(value)))
    return tuple(pairs)


def _value(text: str) -> bytes:
    """Return the bytes of a header value: some writers have a character for each, and some UTF-8's.

    UTF-8 that was read byte by byte is hardly ever anything else.
    """
    as_bytes = _as_bytes(text)
    try:
        as_bytes.decode()
    except UnicodeDecodeError:
        return _as_utf8(text)
    return as_bytes or _as_utf8(text)


def _body(request: object, saved: SavedRequest) -> tuple[bytes | None, str | None]:
    """Return the body, or None where it is not there, and what is in doubt."""
    data = _member(request, "postData")
    text = _member(data, "text")
    hashes = saved.values(b"x-amz-content-sha256")
    declared = hashes[0] if hashes and len(hashes[0]) == 64 else None
    found = _candidates(text, data) if isinstance(text, str) and text else [b""]
    for body in found:
        if declared == hashlib.sha256(body).hexdigest().encode():
            return body, None
    length = _content_length(saved)
    is_sent = length is not None
    if not is_sent:
        # That may be the size of something else than what was sent.
        size = _member(request, "bodySize")
        length = size if isinstance(size, int) and size >= 0 else None
    if not text:
        is_more = bool(declared or any(map(saved.values, _CODINGS)) or _member(data, "params"))
        is_empty = not length and (is_sent or not is_more)
        return (b"", None) if is_empty else (None, _missing(data))
    fitting = [body for body in found if length is None or len(body) == length]
    if not fitting:
        return None, _NO_BODY
    is_sure = is_sent or not saved.values(b"content-encoding")
    if is_sure and len(fitting) == 1 and _REPLACEMENT not in str(text):
        return fitting[0], None
    # A hash that was declared would be blamed on the client.
    return None if declared else fitting[0], _MAYBE


def _missing(data: object) -> str:
    file = _member(data, "_file")
    if isinstance(file, str) and _FILE.fullmatch(file) is not None:
        return f"the body is in a file beside the HAR file: give --body-file {file}"
    return _NO_BODY


def _candidates(text: str, data: object) -> list[bytes]:
    """Return what the body may be whose *text* is given, each once."""
    if "base64" in (_member(data, "encoding"), _member(data, "_encoding")):
        try:
            return [base64.b64decode(text, validate=True)]
        except (binascii.Error, ValueError):
            raise UnreadableInput("the body is not the base64 that it says it is") from None
    return [body for body in dict.fromkeys((_as_utf8(text), _as_bytes(text))) if body]


def _content_length(saved: SavedRequest) -> int | None:
    values = saved.values(b"content-length")
    return next((int(value) for value in values if value.isdigit() and len(value) < 16), None)


def _as_utf8(text: str) -> bytes:
    """Return *text* in UTF-8, where a lone surrogate may stand for a byte that is none."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise UnreadableInput("text with lone surrogates") from None


def _as_bytes(text: str) -> bytes:
    """Return the bytes that *text* has one character each for; none where it has others."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return b""


def _encodable(text: str) -> str:
    # JSON can name lone surrogates, which are no characters.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnreadableInput("text with lone surrogates")
    return text


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
