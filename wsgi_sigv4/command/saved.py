"""A request as a file holds it: what every reader returns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.request import Request
from wsgi_sigv4.traces import has_trace

Headers = tuple[tuple[bytes, bytes], ...]

#: Servers take heads of 8 to 64 KiB.
MAX_HEAD: Final = 1024 * 1024
_ORIGIN: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_DEFAULT_PORT: Final = re.compile(rb":(?:80|443)?$")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRequest:
    """A request out of a file.

    Its repr leaves out all that may hold tokens and cookies.

    Attributes:
        method: the method.
        target: path and query as sent; an absolute URL becomes these.
        headers: pairs of name and value, in the order sent.
        body: the body, or None where the file does not hold (all of) it.
        body_doubt: why there is no body, or why another one may have been sent;
            None: it is as it was sent.
        notes: what else the file leaves in doubt, for the user.
        status: the status that the request was answered with, where the file tells.
        client_canonical_request: what the client says that it signed, where
            the file tells.
    """

    method: str
    target: bytes = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes | None = field(repr=False)
    body_doubt: str | None = None
    notes: tuple[str, ...] = ()
    status: int | None = None
    client_canonical_request: bytes | None = field(default=None, repr=False)

    @property
    def is_signed(self) -> bool:
        """Whether there is any trace of a signature."""
        names = [name.decode("latin-1").lower() for name, _ in self.headers]
        return has_trace(names, self.values(b"authorization"), [self.query])

    @property
    def is_refused(self) -> bool:
        """Whether the file tells that a server blamed the client (4xx)."""
        return self.status is not None and 400 <= self.status <= 499

    @property
    def path(self) -> bytes:
        """The path as sent."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query as sent."""
        return self.target.partition(b"?")[2]

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the header *name* (lower-case)."""
        return [value for found, value in self.headers if found.lower() == name]

    def request(self, *, path_prefix: str = "") -> Request:
        """Return the request, with a *path_prefix* before its path that a proxy has stripped.

        Raises:
            UnreadableInput: if no server takes such a request.
        """
        prefix = uri_encode(path_prefix.encode("utf-8", "surrogateescape"), keep_slash=True)
        try:
            return Request(
                method=self.method,
                path=prefix + self.path,
                query=self.query,
                headers=self.headers,
            )
        except MalformedRequest as refusal:
            raise UnreadableInput(f"no server takes this request: {refusal.fault}") from None

    def with_body(self, body: bytes) -> SavedRequest:
        """Return the request with *body*, which a file of its own holds."""
        return replace(self, body=body, body_doubt=None)


#: What a reader yields for each request of a file: one that cannot be read must not hide others.
Found = SavedRequest | UnreadableInput


def parse_request(
    head: bytes, body: bytes, *, notes: tuple[str, ...] = (), is_whole: bool = True
) -> SavedRequest:
    """Return the request with *head*, and with the body whose bytes stand in *body*.

    Args:
        head: request line and header lines.
        body: what follows; more than the body where the file goes on.
        notes: what is in doubt already.
        is_whole: whether *body* is as it was sent.

    Raises:
        UnreadableInput: if *head* is not of that form.
    """
    if len(head) > MAX_HEAD:
        raise UnreadableInput(f"the head of the request is larger than {MAX_HEAD} bytes")
    lines = head.replace(b"\r\n", b"\n").strip(b"\n").split(b"\n")
    method, target = _request_line(lines[0])
    found = origin_form(target)
    headers = with_host(_header_lines(lines[1:]), found[1])
    saved = SavedRequest(method=method, target=found[0], headers=headers, body=None, notes=notes)
    return _with_framed_body(saved, body) if is_whole else saved


def origin_form(url: bytes) -> tuple[bytes, bytes | None]:
    """Return path and query of *url*, and its host where it has one.

    ``http://a:80/b?c#d`` becomes ``/b?c`` and ``a``.
    """
    origin = _ORIGIN.match(url)
    if origin is None:
        return url, None
    target = url[origin.end() :].partition(b"#")[0]
    if not target.startswith(b"/"):
        target = b"/" + target
    return target, _DEFAULT_PORT.sub(b"", origin[1].rpartition(b"@")[2])


def with_host(headers: Iterable[tuple[bytes, bytes]], host: bytes | None) -> Headers:
    """Return *headers* with the Host of :authority, or else *host*, where they have none.

    Pseudo-headers of HTTP/2 go: a server hands them on in other places.
    """
    pairs = list(headers)
    authority = next((value for name, value in pairs if name == b":authority"), host)
    kept = [pair for pair in pairs if not pair[0].startswith(b":")]
    if authority and all(name.lower() != b"host" for name, _ in kept):
        kept.insert(0, (b"Host", authority))
    return tuple(kept)


def as_url_bytes(url: str) -> bytes:
    """Return *url*, with what is not ASCII in it encoded as browsers and SDKs send it."""
    return quote(url, safe="!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~ ").encode("ascii")


def _request_line(line: bytes) -> tuple[str, bytes]:
    words = line.split(b" ")
    if len(words) > 2 and words[-1].startswith(b"HTTP/"):
        words.pop()
    if len(words) < 2 or not words[0].isalpha():
        raise UnreadableInput("there is no request line, such as GET / HTTP/1.1")
    return words[0].decode("ascii"), b" ".join(words[1:])


def _header_lines(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    name, value = b"", b""
    for number, line in enumerate(lines, 2):
        if name and line.startswith((b" ", b"\t")):
            # A folded line; servers that take one at all make it a blank.
            value += b" " + line.strip(b" \t")
            continue
        if name:
            yield name, value
        # A pseudo-header begins with a colon.
        name, colon, value = line.partition(b":") if line[:1] != b":" else _pseudo(line)
        value = value.strip(b" \t")
        if not colon or not name:
            raise UnreadableInput(f"line {number} of the request is no header")
    if name:
        yield name, value


def _pseudo(line: bytes) -> tuple[bytes, bytes, bytes]:
    name, colon, value = line[1:].partition(b":")
    return b":" + name, colon, value


def _with_framed_body(saved: SavedRequest, data: bytes) -> SavedRequest:
    """Return *saved* with the body that *data* begins with."""
    if any(b"chunked" in value.lower() for value in saved.values(b"transfer-encoding")):
        body = _without_chunks(data)
        if body is None:
            return replace(saved, body_doubt="the chunks of the body are broken or cut off")
        return replace(saved, body=body)
    lengths = saved.values(b"content-length")
    if not lengths:
        return replace(saved, body=data)
    if _LENGTH.fullmatch(lengths[0]) is None:
        return replace(saved, body_doubt="Content-Length is no number")
    length = int(lengths[0])
    if len(data) < length:
        doubt = f"the file holds {len(data)} of the {length} bytes of the body"
        return replace(saved, body_doubt=doubt)
    if len(data) > length:
        note = f"{len(data) - length} bytes after the body (Content-Length) are left out"
        saved = replace(saved, notes=(*saved.notes, note))
    return replace(saved, body=data[:length])


def _without_chunks(data: bytes) -> bytes | None:
    """Return the content of a body in chunks (RFC 9112, 7.1), or None where it is none."""
    pieces: list[bytes] = []
    at = 0
    while match := _CHUNK_SIZE.match(data, at):
        size = int(match[1], 16)
        if size == 0:
            return b"".join(pieces)
        at = match.end() + size
        if at > len(data):
            return None
        pieces.append(data[match.end() : at])
        at += 2 if data.startswith(b"\r\n", at) else 1
    return None
