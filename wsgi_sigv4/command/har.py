"""A HAR file (HTTP Archive 1.2), as browsers and proxies save it.

http://www.softwareishard.com/blog/har-12-spec/ : log.entries[].request, with
the body as text; some writers encode it, and say so in ``encoding``.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import Headers
from wsgi_sigv4.command.saved import SavedRequest
from wsgi_sigv4.command.saved import as_url_bytes
from wsgi_sigv4.command.saved import origin_form
from wsgi_sigv4.command.saved import with_host

_NO_BODY: Final = "the HAR file does not hold the body"


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
            yield _saved(_member(entry, "request"))
        except UnreadableInput as fault:
            yield UnreadableInput(f"entry {number}: {fault}")


def _saved(request: object) -> SavedRequest:
    method, url = _member(request, "method"), _member(request, "url")
    if not isinstance(method, str) or not isinstance(url, str):
        raise UnreadableInput("a request has a method and a url")
    pairs = _headers(_member(request, "headers"))
    target, host = origin_form(as_url_bytes(_encodable(url)))
    # What stood on the wire; browsers write the url anew.
    path = dict(pairs).get(b":path", b"")
    headers = with_host(pairs, host)
    body, notes = _body(request, headers)
    return SavedRequest(
        method=method,
        target=path if path.startswith(b"/") else target,
        headers=headers,
        body=body,
        notes=notes,
    )


def _headers(found: object) -> Headers:
    pairs = []
    for header in found if isinstance(found, list) else []:
        name, value = _member(header, "name"), _member(header, "value")
        if not isinstance(name, str) or not isinstance(value, str) or not name:
            raise UnreadableInput("a header has a name and a value")
        pairs.append((_encodable(name).encode(), _encodable(value).encode()))
    return tuple(pairs)


def _body(request: object, headers: Headers) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the body, or None where it is not there, and what is in doubt."""
    data = _member(request, "postData")
    length = _content_length(request, headers)
    text = _member(data, "text")
    if not isinstance(text, str):
        has_none = not length and not _member(data, "params")
        return (b"", ()) if has_none else (None, (_NO_BODY,))
    body = _decoded(text, _member(data, "encoding") or _member(data, "_encoding"))
    if length is None or len(body) == length:
        return body, ()
    # Browsers write each byte of a body that is no text as one character.
    as_bytes = text.encode("latin-1", "replace")
    if len(as_bytes) == length:
        return as_bytes, ()
    note = f"the HAR file holds a body of {len(body)} bytes, and Content-Length is {length}"
    return body, (note,)


def _decoded(text: str, encoding: object) -> bytes:
    if encoding != "base64":
        return _encodable(text).encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableInput("the body is not the base64 that it says it is") from None


def _content_length(request: object, headers: Headers) -> int | None:
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit() and len(value) < 16:
            return int(value)
    size = _member(request, "bodySize")
    return size if isinstance(size, int) and size >= 0 else None


def _encodable(text: str) -> str:
    # JSON can name lone surrogates, which are no characters.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnreadableInput("text with lone surrogates")
    return text


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
