"""Uploads of every payload form that can be streamed, and applications that treat them badly."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO
from typing import TYPE_CHECKING
from typing import Any
from wsgiref.util import FileWrapper

from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.core.uploads import SIGNED
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import hostile_changes
from tests.core.uploads import upload
from wsgi_sigv4.payload import PayloadForm

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

PIECES = (b"a\n" * 4096, b"b\n" * 4096, b"c\n" * 50)
DATA = b"".join(PIECES)

Start = Callable[..., Any]


def without_host_id(body: bytes) -> bytes:
    """Return what a refusal says but for its host id: random letters, that can spell any word."""
    return re.sub(rb"<HostId>[\w-]+</HostId>", b"", body)


def plain(
    payload_hash: str,
    data: bytes = DATA,
    *,
    method: str = "PUT",
    target: str = "/bucket/key",
    headers: Mapping[str, str] | None = None,
) -> Message:
    """Return a signed upload that is not framed."""
    named = {"X-Amz-Content-Sha256": payload_hash, **(headers or {})}
    head = S3_SIGNER.sign(Message.of(method, target, headers=named))
    return replace(head, body=data)


def uploads(
    *pieces: bytes,
    method: str = "PUT",
    target: str = "/bucket/key",
    headers: Mapping[str, str] | None = None,
) -> dict[PayloadForm, Message | str]:
    """Return an upload of *pieces* in each payload form, or why that cannot be streamed."""
    data = b"".join(pieces)
    sha256 = hashlib.sha256(data)
    checksum = {"X-Amz-Checksum-Sha256": base64.b64encode(sha256.digest()).decode()}

    def unframed(payload_hash: str, **extra: str) -> Message:
        return plain(
            payload_hash, data, method=method, target=target, headers={**(headers or {}), **extra}
        )

    def framed(form: str) -> Message:
        return upload(*pieces, form=form, headers=headers, method=method, target=target)

    return {
        PayloadForm.ABSENT: "the signature needs the hash of the body: it is verified first",
        PayloadForm.SHA256: unframed(sha256.hexdigest()),
        PayloadForm.UNSIGNED: unframed("UNSIGNED-PAYLOAD", **checksum),
        PayloadForm.STREAMING_SIGNED: framed(SIGNED),
        PayloadForm.STREAMING_SIGNED_TRAILER: framed(SIGNED_TRAILER),
        PayloadForm.STREAMING_UNSIGNED_TRAILER: framed(UNSIGNED_TRAILER),
        PayloadForm.STREAMING_ECDSA: "SigV4A is refused",
        PayloadForm.STREAMING_ECDSA_TRAILER: "SigV4A is refused",
    }


#: A new form must be given one.
UPLOADS = uploads(*PIECES)
STREAMED = {form: made for form, made in UPLOADS.items() if isinstance(made, Message)}


def changes(message: Message) -> Iterator[tuple[str, Message]]:
    """Yield the changes to *message* after which it must be refused."""
    if (message.header("content-encoding") or b"") == b"aws-chunked":
        yield from hostile_changes(message)
        return
    body = message.body
    for at in (0, len(body) // 2, len(body) - 1):
        other = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        yield f"byte {at}", replace(message, body=other)
    yield "shorter", replace(message, body=body[:-1])
    yield "longer", replace(message, body=body + b"x")


def forged(message: Message) -> Message:
    """Return *message* with one bit of its last piece changed."""
    at = message.body.index(PIECES[2]) + 10
    return replace(message, body=message.body[:at] + b"x" + message.body[at + 1 :])


@dataclass(slots=True, kw_only=True)
class Streaming:
    """An application that deals with a body in its own way, and remembers what it read.

    Attributes:
        deal: takes the environ, ``start_response`` and a callable that reads the body.
        got: what was read.
        errors: what reading raised.
    """

    deal: Callable[[WSGIEnvironment, Start, Streaming], Iterable[bytes]]
    got: bytearray = field(default_factory=bytearray)
    errors: list[BaseException] = field(default_factory=list)
    environ: dict[str, Any] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.environ = environ
        return self.deal(environ, start_response, self)

    def read(self, size: int = -1) -> bytes:
        """Read from the body, and remember it."""
        try:
            piece: bytes = self.environ["wsgi.input"].read(size)
        except BaseException as error:
            self.errors.append(error)
            raise
        self.got += piece
        return piece


def reads_all(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Read to the end, and answer."""
    while app.read(1000):
        pass
    start("200 OK", [])
    return [b"done"]


def reads_the_length(environ: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Stop at the length, as Django and Flask do."""
    app.read(int(environ["CONTENT_LENGTH"]))
    start("200 OK", [])
    return [b"done"]


def reads_all_but_the_last_byte(
    environ: WSGIEnvironment, start: Start, app: Streaming
) -> Iterable[bytes]:
    """Stop just before the end."""
    app.read(int(environ["CONTENT_LENGTH"]) - 1)
    start("200 OK", [])
    return [b"done"]


def reads_one_byte(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Look at the beginning, and answer."""
    app.read(1)
    start("200 OK", [])
    return [b"done"]


def never_reads(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer at once."""
    start("200 OK", [])
    return [b"done"]


def answers_nothing(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer at once, without a body."""
    start("204 No Content", [])
    return []


def redirects(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Answer as forms are answered that went well."""
    start("303 See Other", [("Location", "/done")])
    return []


def generates(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterator[bytes]:
    """Answer first and read later, as generators may."""
    start("200 OK", [])
    yield b"do"
    while app.read(100):
        pass
    yield b"ne"


def yields_nothing_first(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterator[bytes]:
    """Give the server an empty piece before the answer."""
    start("200 OK", [])
    yield b""
    yield b"done"


def writes(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Use the old callable, before anything is read."""
    write = start("200 OK", [])
    write(b"do")
    app.read()
    return [b"ne"]


def writes_and_swallows(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Use the old callable again and again, whatever it raises."""
    write = start("200 OK", [])
    for piece in (b"do", b"ne"):
        with suppress(Exception):
            write(piece)
    return []


def swallows(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Read on after each error, and answer as if there had been none."""
    for _attempt in range(30):
        with suppress(Exception):
            app.read(1500)
    start("200 OK", [])
    return [b"done"]


def answers_twice(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Replace an error page by a success."""
    start("500 Internal Server Error", [])
    try:
        app.read()
        raise ValueError
    except Exception as error:
        start("200 OK", [], (type(error), error, error.__traceback__))
    return [b"done"]


def closes(environ: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Close what belongs to the server."""
    app.read(10)
    environ["wsgi.input"].close()
    start("200 OK", [])
    return [b"done"]


def sends_a_file(environ: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Have the server send a file, as it can do behind the back of the application."""
    file = TemporaryFile()  # noqa: SIM115 (closed with the answer)
    file.write(b"done")
    file.seek(0)
    start("200 OK", [("Content-Length", "4")])
    wrapped: Iterable[bytes] = environ.get("wsgi.file_wrapper", FileWrapper)(file)
    return wrapped


def changes_its_mind(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterator[bytes]:
    """Begin with an error, and replace it by a success before a byte of it is sent."""
    start("500 Internal Server Error", [])
    try:
        app.read()
        raise ValueError
    except Exception as error:
        start("200 OK", [], (type(error), error, error.__traceback__))
    yield b"done"


def throws_away(environ: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Take the body, and the framing, out of the environ."""
    environ.clear()
    environ |= {"REQUEST_METHOD": "PUT", "wsgi.input": None}
    start("200 OK", [])
    return [b"done"]


def reads_in_a_thread(_: WSGIEnvironment, start: Start, app: Streaming) -> Iterable[bytes]:
    """Have another thread read, and answer meanwhile."""

    def read() -> None:
        with suppress(Exception):
            while app.read(700):
                pass

    thread = threading.Thread(target=read)
    thread.start()
    start("200 OK", [])
    yield b"do"
    thread.join(20)
    assert not thread.is_alive()
    yield b"ne"


APPLICATIONS = (
    *(reads_all, reads_the_length, reads_all_but_the_last_byte, reads_one_byte, never_reads),
    *(answers_nothing, redirects, generates, yields_nothing_first, writes, writes_and_swallows),
    *(swallows, answers_twice, closes, throws_away, reads_in_a_thread, sends_a_file),
    changes_its_mind,
)


def read_by_ones(body: IO[bytes]) -> bytes:
    """Read one byte at a time."""
    return b"".join(iter(lambda: body.read(1), b""))


def read_by_sizes(body: IO[bytes]) -> bytes:
    """Read pieces of odd sizes."""
    return b"".join(iter(lambda: body.read(4099), b""))


def read_at_once(body: IO[bytes]) -> bytes:
    """Read to the end."""
    return body.read()


def read_lines(body: IO[bytes]) -> bytes:
    """Read line by line."""
    return b"".join(iter(body.readline, b""))


def iterate(body: IO[bytes]) -> bytes:
    """Iterate over the lines."""
    return b"".join(body)


def read_all_lines(body: IO[bytes]) -> bytes:
    """Read the list of lines."""
    return b"".join(body.readlines())


READERS = (read_by_ones, read_by_sizes, read_at_once, read_lines, iterate, read_all_lines)
