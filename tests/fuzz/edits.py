"""What a tape does to a signed request before, and to its environ after, a server has taken it."""

from __future__ import annotations

import hashlib
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
_SCOPES = (b"20261120", b"us-west-2", b"s3", b"aws4_request2", b"AKIDEXAMPLE", b"")
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


def remove_header(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Take a header away, and its name from the list."""
    if not sent.headers:
        return sent
    at = tape.byte() % len(sent.headers)
    listed = sent.part(b"SignedHeaders").split(b";")
    names = b";".join(name for name in listed if name != sent.headers[at][0].lower())
    return (sent.with_part(b"SignedHeaders", names) or sent).with_header(at)


def add_header(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Add a header, the same as another one or any."""
    if tape.byte() % 4 == 0 and sent.headers:
        return sent.plus_header(*tape.pick(sent.headers))
    return sent.plus_header(tape.text() or b"x", tape.text())


def edit_query(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the query."""
    return replace(sent, query=spliced(tape, sent.query))


def edit_path(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the path, at its end or its beginning above all."""
    more = tape.pick((b"", b"/..", b"/../..", b"//", b"/.", b"/%2e%2e", b"/x", b"/..%2F"))
    ways = (spliced(tape, sent.path), more + sent.path, sent.path.rstrip(b"/") + more)
    return replace(sent, path=tape.pick(ways))


def edit_part(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change a part of the authorization."""
    name = tape.pick(_PARTS)
    value = tape.text() if tape.byte() % 2 else spliced(tape, sent.part(name))
    return sent.with_part(name, value) or sent


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


def edit_expires(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change how long a presigned URL lives."""
    value = tape.pick((b"604800", b"604801", b"0", b"1", b"0060", b"-60", b"+60", b"6e1", b""))
    return sent.with_part(b"Expires", value or tape.text()) or sent


def edit_scope(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the key, or a part of the scope."""
    parts = sent.part(b"Credential").split(b"/")
    at = tape.byte() % len(parts)
    parts[at] = tape.pick(_SCOPES) or tape.text()
    return sent.with_part(b"Credential", b"/".join(parts)) or sent


def edit_list(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Write another list of signed headers."""
    names = sent.part(b"SignedHeaders").split(b";")
    at = tape.byte() % len(names)
    ways = (
        names[:at] + names[at + 1 :],
        [*names[:at], names[at].upper(), *names[at + 1 :]],
        [*names, names[at]],
        [names[at], *names[:at], *names[at + 1 :]],
        sorted({*names, *(name.lower() for name, _ in sent.headers)} - {b"authorization"}),
        sorted([*names, tape.text().lower()]),
    )
    return sent.with_part(b"SignedHeaders", b";".join(tape.pick(ways))) or sent


def edit_algorithm(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Name another algorithm."""
    new = tape.pick((b"AWS4-HMAC-SHA256x", b"aws4-hmac-sha256", b"AWS4-HMAC", b"")) or tape.text()
    at = sent.find_header(b"authorization")
    if at is None:
        return sent.with_part(b"Algorithm", new) or sent
    name, value = sent.headers[at]
    return sent.with_header(at, (name, value.replace(b"AWS4-HMAC-SHA256", new)))


def edit_payload(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Say something else of the body."""
    computed = hashlib.sha256(sent.body).hexdigest().encode()
    value = tape.pick((computed, computed.upper(), b"UNSIGNED-PAYLOAD", b"")) or tape.text()
    at = sent.find_header(b"x-amz-content-sha256")
    if tape.byte() % 3 == 0:
        return sent.with_items([*sent.items, b"X-Amz-Content-Sha256=" + value])
    if at is None:
        return sent.plus_header(b"x-amz-content-sha256", value)
    return sent.with_header(at, (sent.headers[at][0], value))


def remove_item(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Take a piece of the query away, or send it twice."""
    items = sent.items
    if not items:
        return sent
    at = tape.byte() % len(items)
    return sent.with_items(items[:at] + items[at : at + 1] * tape.pick((0, 2)) + items[at + 1 :])


def unsigned(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Take away all that signs the request, or all but one piece."""
    spared = tape.byte()
    lines = [
        line
        for at, line in enumerate(sent.headers)
        if at == spared or not line[0].lower().startswith((b"x-amz-", b"authorization"))
    ]
    items = [
        item for at, item in enumerate(sent.items) if at == spared or not item.startswith(b"X-Amz-")
    ]
    return replace(sent.with_items(items), headers=tuple(lines))


def edit_time(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Bring the request at another time, near where something ends."""
    border = tape.pick((0, 300, 900, 3600)) + tape.pick((0, 1, -1, 2))
    return replace(sent, now=sent.now + border * tape.pick((1, -1)))


def edit_body(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the body."""
    return replace(sent, body=spliced(tape, sent.body))


def edit_method(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Change the method."""
    return replace(sent, method=spliced(tape, sent.method.encode()).decode("latin-1"))


def signed_again(sent: SignedRequest) -> SignedRequest:
    """Sign what has become of the request, as its client could, allowed or not."""
    try:
        return sent.with_part(b"Signature", signature_of(sent)) or sent
    except Refused:
        return sent


_EDITS: tuple[Callable[[SignedRequest, Tape], SignedRequest], ...] = (
    edit_header,
    edit_name,
    remove_header,
    add_header,
    edit_query,
    edit_path,
    edit_part,
    edit_date,
    edit_expires,
    edit_scope,
    edit_list,
    edit_algorithm,
    edit_payload,
    remove_item,
    unsigned,
    edit_time,
    edit_body,
    edit_method,
)


def edited(sent: SignedRequest, tape: Tape) -> SignedRequest:
    """Return what the tape makes of *sent*."""
    if tape.byte() % 4 == 1:
        change = _ALL_CHANGES[tape.byte() % len(_ALL_CHANGES)]
        sent = change(sent, Random(tape.byte())) or sent
    for _ in range(tape.byte() % 5):
        sent = tape.pick(_EDITS)(sent, tape)
    return signed_again(sent) if tape.byte() % 2 else sent


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
)


def edit_environ(environ: WSGIEnvironment, tape: Tape) -> None:
    """Change a key of *environ* to what no server, or a very odd one, would give."""
    kind = tape.byte() % 10
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
    elif kind == 6:
        host = tape.pick((str(environ.get("HTTP_HOST", "")), "evil.example", ""))
        for name in ("RAW_URI", "REQUEST_URI"):
            environ[name] = f"http://{host}{environ.get(name, '/')}"
    elif kind == 7:
        # What a middleware outside ours, or another process, may have left there.
        environ["wsgi_sigv4.identity"] = environ["wsgi_sigv4.access_key_id"] = "AKIDEXAMPLE"
    else:
        old = str(environ.get(key, "")).encode("latin-1", "replace")
        environ[key] = spliced(tape, old).decode("latin-1")


def _value(tape: Tape) -> str:
    # Text that is not latin-1 is no environ's; a framework that rewrites one may write it.
    encoding = tape.pick(("latin-1", "latin-1", "utf-8"))
    return tape.text().decode(encoding, "replace")
