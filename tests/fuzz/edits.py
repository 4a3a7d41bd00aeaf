"""What a tape does to a signed request before, and to its environ after, a server has taken it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from tests.core.changes import CHANGES
from tests.core.forgeries import FORGERIES
from tests.core.reference import Refused
from tests.core.reference import signature_of
from tests.core.signed_requests import SignedRequest
from tests.fuzz.tape import Tape

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ALL_CHANGES = CHANGES + FORGERIES
_PARTS = (b"Credential", b"SignedHeaders", b"Signature", b"Date", b"Expires", b"Security-Token")


def spliced(tape: Tape, old: bytes) -> bytes:
    """Return *old* with a piece of it replaced by something else."""
    start = tape.number() % (len(old) + 1)
    end = start + tape.pick((0, 0, 1, 2, 3, len(old)))
    return old[:start] + tape.text() + old[end:]


def edit_header(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the value of a header."""
    if not sent.headers:
        return sent
    at = tape.byte() % len(sent.headers)
    name, value = sent.headers[at]
    return sent.with_header(at, (name, spliced(tape, value)))


def edit_name(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the name of a header, or take it away."""
    if not sent.headers:
        return sent
    at = tape.byte() % len(sent.headers)
    name, value = sent.headers[at]
    name = spliced(tape, name)
    return sent.with_header(at, (name, value)) if name else sent.with_header(at)


def add_header(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Add a header, the same as another one or any."""
    if tape.byte() % 4 == 0 and sent.headers:
        return sent.plus_header(*tape.pick(sent.headers))
    return sent.plus_header(tape.text() or b"x", tape.text())


def edit_query(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the query."""
    return replace(sent, query=spliced(tape, sent.query))


def edit_path(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the path."""
    return replace(sent, path=spliced(tape, sent.path))


def edit_part(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change a part of the authorization."""
    name = tape.pick(_PARTS)
    return sent.with_part(name, spliced(tape, sent.part(name))) or sent


def edit_date(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the time of the request, wherever it stands, or its name."""
    at = sent.find_header(b"x-amz-date")
    if at is None:
        return sent.with_part(b"Date", tape.text()) or sent
    name = tape.pick((b"X-Amz-Date", b"Date"))
    listed = sent.part(b"SignedHeaders").replace(b"x-amz-date", name.lower())
    names = b";".join(sorted(listed.split(b";")))
    dated = sent.with_header(at, (name, tape.text()))
    return dated.with_part(b"SignedHeaders", names) or dated


def edit_body(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the body."""
    return replace(sent, body=spliced(tape, sent.body))


def edit_method(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the method."""
    return replace(sent, method=spliced(tape, sent.method.encode()).decode("latin-1"))


def sign_again(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Sign what has become of the request, as its client could."""
    listed = [name for name in sent.part(b"SignedHeaders").split(b";") if name]
    if tape.byte() % 2:
        more = {name.lower() for name, _ in sent.headers} - {b"authorization", b"user-agent"}
        listed = sorted({*listed, *more})
    again = sent.with_part(b"SignedHeaders", b";".join(listed)) or sent
    try:
        return again.with_part(b"Signature", signature_of(again)) or again
    except Refused:
        return again


_EDITS: tuple[Callable[[SignedRequest, Tape], SignedRequest], ...] = (
    edit_header,
    edit_name,
    add_header,
    edit_query,
    edit_path,
    edit_part,
    edit_date,
    edit_body,
    edit_method,
    sign_again,
)


def edited(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Return what the tape makes of *sent*."""
    if tape.byte() % 4 == 1:
        change = _ALL_CHANGES[tape.byte() % len(_ALL_CHANGES)]
        sent = change(sent, Random(tape.byte())) or sent
    for _ in range(tape.byte() % 5):
        sent = tape.pick(_EDITS)(sent, tape)
    return sent


class BrokenInput(io.RawIOBase):
    """A body whose client has gone: servers raise what they like."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        """Raise the error of this server."""
        raise self._error


_KEYS = (
    *("REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "RAW_URI", "REQUEST_URI"),
    *("CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_SOFTWARE", "HTTP_HOST", "HTTP_AUTHORIZATION"),
    *("HTTP_X_AMZ_DATE", "HTTP_DATE", "HTTP_X_AMZ_ACL", "HTTP_X_AMZ_SECURITY_TOKEN"),
    *("HTTP_X_AMZ_CONTENT_SHA256", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_EXPECT"),
    *("HTTP_TRANSFER_ENCODING", "HTTP_SCRIPT_NAME", "HTTP_PATH_INFO", "HTTP_X_FORWARDED_HOST"),
    *("HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_METHOD", "REMOTE_USER"),
    *("wsgi_sigv4.identity", "wsgi_sigv4.access_key_id"),
)


def edit_environ(environ: WSGIEnvironment, tape: Tape) -> None:
    """Change a key of *environ* to what no server, or a very odd one, would give."""
    kind = tape.byte() % 8
    key = tape.pick(_KEYS)
    if kind == 0:
        environ["HTTP_" + tape.text().decode("latin-1").upper().replace("-", "_")] = _value(tape)
    elif kind == 1:
        environ.pop(key, None)
    elif kind == 2:
        environ["wsgi.input_terminated"] = bool(tape.byte() % 2)
    elif kind == 3:
        errors = (OSError(), ValueError("invalid chunk"), RuntimeError(), EOFError())
        environ["wsgi.input"] = BrokenInput(tape.pick(errors))
    elif kind == 4:
        environ["asgi.scope"] = {"raw_path": tape.text(), "query_string": tape.text()}
    elif kind == 5:
        environ[key] = _value(tape)
    else:
        old = str(environ.get(key, "")).encode("latin-1", "replace")
        environ[key] = spliced(tape, old).decode("latin-1")


def _value(tape: Tape) -> str:
    # Text that is not latin-1 is no environ's; a framework that rewrites one may write it.
    encoding = tape.pick(("latin-1", "latin-1", "utf-8"))
    return tape.text().decode(encoding, "replace")
