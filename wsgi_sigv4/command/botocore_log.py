"""What botocore logs at the level DEBUG: ``boto3.set_stream_logger("")``, ``aws --debug``.

A request is the line "Sending http request: <AWSPreparedRequest ...>". What
was signed stands before it, in blocks: "CanonicalRequest:", "StringToSign:",
"Signature:". The Host header is the one of the URL: botocore leaves it to
urllib3. The body is in "Making request for ..." where it is bytes or text; it
is taken for the one that was sent if the canonical request ends with its hash,
or, where awscrt has signed and logged nothing, if it has the right length.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.saved import MAX_HEAD
from wsgi_sigv4.command.saved import Found
from wsgi_sigv4.command.saved import SavedRequest
from wsgi_sigv4.command.saved import as_url_bytes
from wsgi_sigv4.command.saved import origin_form
from wsgi_sigv4.command.saved import with_host

_REQUEST: Final = re.compile(
    r"<AWSPreparedRequest stream_output=\w+, method=([A-Za-z]{1,32}), url=(\S{1,65536}), "
    r"headers=\{(.*)\}>"
)
_SENT: Final = "<AWSPreparedRequest "
_SIGNED: Final = "CanonicalRequest:"
_MADE: Final = "Making request for "
_BODY: Final = "'body': "
_NO_BODY: Final = "the log does not hold the body: give --body-file"
#: One that is not closed ends with the text, which is so looked at once.
_LITERAL: Final = re.compile(
    r"(b?)(?:'((?:[^'\\]|\\.)*+)(?:'|\\?\Z)|\"((?:[^\"\\]|\\.)*+)(?:\"|\\?\Z))"
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U(000[0-9a-f]{5})|(.))")
_SHORT: Final = {"n": "\n", "r": "\r", "t": "\t"}
#: The payload hash, a form such as UNSIGNED-PAYLOAD included, is the last line.
_CANONICAL: Final = re.compile(
    r"[A-Za-z]{1,32}\r?\n/[^\r\n]*\r?\n[^\r\n]*\r?\n(?:[^\r\n:]+:[^\r\n]*\r?\n)+\r?\n"
    r"[^\r\n]+\r?\n[A-Za-z0-9-]+"
)


def is_botocore_log(data: bytes) -> bool:
    """Return whether *data* has what botocore logs."""
    return _SENT.encode() in data or _SIGNED.encode() in data


def read_botocore_log(data: bytes) -> Iterator[Found]:
    """Yield the requests of a log, each with its body and the canonical request before it.

    Raises:
        UnreadableInput: if there is none in it.
    """
    canonical: bytes | None = None
    body: bytes | None = None
    is_empty = True
    for kind, content, sent in _events(data):
        if sent is not None:
            is_empty = False
            yield _found(sent, canonical, body)
        elif kind == _SIGNED:
            canonical = content
        else:
            canonical, body = None, content
    if is_empty:
        raise UnreadableInput(
            "the log has no line 'Sending http request': log all of botocore, "
            "with boto3.set_stream_logger('')"
        )


def canonical_request_in(data: bytes) -> bytes | None:
    """Return the last canonical request that a log holds, or None."""
    found = [content for kind, content, _ in _events(data) if kind == _SIGNED]
    return found[-1] if found else None


def _events(data: bytes) -> Iterator[tuple[str, bytes | None, re.Match[str] | None]]:
    """Yield what the lines of a log tell, each looked at once: a line may be very long."""
    text = data.decode("utf-8", "backslashreplace")
    for line in re.finditer(r"[^\n]+", text):
        if _SENT in line[0]:
            sent = _REQUEST.match(text, line.start() + line[0].index(_SENT), line.end())
            if sent is not None:
                yield _SENT, None, sent
        elif line[0].rstrip("\r").endswith(_SIGNED):
            signed = _CANONICAL.match(text, line.end() + 1)
            if signed is not None:
                yield _SIGNED, signed[0].replace("\r\n", "\n").encode(), None
        elif _MADE in line[0]:
            yield _MADE, _logged_body(line[0]), None


def _found(event: re.Match[str], canonical: bytes | None, body: bytes | None) -> Found:
    if len(event[3]) > MAX_HEAD:
        return UnreadableInput(f"the headers in the log are larger than {MAX_HEAD} bytes")
    target, host = origin_form(as_url_bytes(event[2]))
    headers = with_host(_headers(event[3]), host)
    return _with_body(event[1], target, headers, canonical, body)


def _headers(text: str) -> list[tuple[bytes, bytes]]:
    """Return the pairs of a dict as Python writes it, names and values being literals."""
    literals = [_value(literal) for literal in _LITERAL.finditer(text)]
    return list(zip(literals[::2], literals[1::2], strict=False))


def _value(literal: re.Match[str]) -> bytes:
    text = _ESCAPE.sub(_unescaped, literal[2] if literal[2] is not None else literal[3])
    return text.encode("latin-1", "replace") if literal[1] else text.encode("utf-8", "replace")


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _SHORT.get(escape[4], escape[4])


def _logged_body(line: str) -> bytes | None:
    at = line.find(_BODY)
    match = _LITERAL.match(line, at + len(_BODY)) if at >= 0 else None
    return None if match is None else _value(match)


def _with_body(
    method: str,
    target: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    canonical: bytes | None,
    logged: bytes | None,
) -> SavedRequest:
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    is_chunked = any(name.lower() == b"transfer-encoding" for name, _ in headers)
    body: bytes | None = b"" if lengths in ([], [b"0"]) and not is_chunked else None
    if logged is not None and canonical is not None:
        signed = canonical.rpartition(b"\n")[2].decode("ascii", "replace")
        body = logged if hashlib.sha256(logged).hexdigest() == signed else body
    elif logged is not None and lengths == [str(len(logged)).encode()]:
        body = logged
    return SavedRequest(
        method=method,
        target=target,
        headers=headers,
        body=body,
        body_doubt=_NO_BODY if body is None else None,
        client_canonical_request=canonical,
    )
