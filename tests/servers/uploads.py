"""Uploads of every payload form as bytes for the wire, and what is done to them on the way."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from tests.core.messages import Message
from tests.core.signing import S3_SIGNER
from tests.core.uploads import FORMS
from tests.core.uploads import Framed
from tests.core.uploads import upload
from tests.servers.applications import APPLICATION_HEADER
from tests.servers.applications import CASE_HEADER
from tests.servers.applications import SERVICE_HEADER
from tests.servers.signing import S3
from tests.servers.wire import Sending

PIECES = (b"a\n" * 4096, b"b\n" * 4096, b"c\n" * 50)
DATA = b"".join(PIECES)
PLAIN_FORMS = ("hash", "unsigned", "unsigned with a checksum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload, which may have been changed after it was signed.

    Attributes:
        message: what is sent.
        cut: bytes at its end that are never sent; the client closes its side.
    """

    message: Message
    cut: int = 0

    def sending(
        self,
        *,
        application: str,
        case: str = "",
        chunked: bool = False,
        awaits_continue: bool = False,
    ) -> Sending:
        """Return the bytes for the wire."""
        body = self.message.body
        headers = [(name.decode(), value.decode()) for name, value in self.message.headers]
        headers += [(SERVICE_HEADER, S3), (APPLICATION_HEADER, application), (CASE_HEADER, case)]
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
            pieces = [body[at : at + 5000] for at in range(0, len(body), 5000)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))
        else:
            headers.append(("Content-Length", str(len(body))))
        if awaits_continue:
            headers.append(("Expect", "100-continue"))
        lines = [f"{self.message.method} {self.message.path.decode()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        return Sending(
            head="\r\n".join([*lines, "", ""]).encode(),
            body=body[: len(body) - self.cut],
            method=self.message.method,
            half_closes=self.cut > 0,
            awaits_continue=awaits_continue,
        )


def authentic(form: str) -> Upload:
    """Return an upload of the payload *form*, signed now."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signer = replace(S3_SIGNER, timestamp=now, date=now[:8])
    if form in FORMS:
        return Upload(message=upload(*PIECES, form=form, signer=signer))
    digest = hashlib.sha256(DATA)
    named = {"X-Amz-Content-Sha256": digest.hexdigest() if form == "hash" else "UNSIGNED-PAYLOAD"}
    if form == "unsigned with a checksum":
        named["X-Amz-Checksum-Sha256"] = base64.b64encode(digest.digest()).decode()
    head = signer.sign(Message.of("PUT", "/bucket/key", headers=named))
    return Upload(message=replace(head, body=DATA))


def forged(form: str, *, appended: bytes = b"x") -> Iterator[tuple[str, Upload]]:
    """Yield each forgery of an upload of *form*, and its name.

    Nothing vouches for the bytes of an unsigned body without a checksum: it can only be cut.

    Args:
        form: the payload form.
        appended: what is put behind the body, within its length.
    """
    upload = authentic(form)
    message = upload.message
    yield "cut", replace(upload, cut=9)
    yield "cut half way", replace(upload, cut=len(DATA) // 2)
    if form == "unsigned":
        return
    bodies = _in_chunks(message.body) if form in FORMS else _plain(message.body)
    for label, body in bodies:
        yield label, Upload(message=replace(message, body=body))
    yield "appended", Upload(message=replace(message, body=message.body + appended))


def _plain(body: bytes) -> Iterator[tuple[str, bytes]]:
    for at in (0, len(body) // 2, len(body) - 1):
        yield f"byte {at}", body[:at] + b"x" + body[at + 1 :]
    yield "one byte less", body[:-1]


def _in_chunks(raw: bytes) -> Iterator[tuple[str, bytes]]:
    for at, piece in enumerate(PIECES):
        start = raw.index(piece)
        yield f"data of chunk {at}", raw[:start] + b"x" + raw[start + 1 :]
    body = Framed.parse(raw)
    for at, chunk in enumerate(body.chunks):
        if chunk.signature is not None:
            other = replace(chunk, signature=chunk.signature[::-1])
            yield f"signature of chunk {at}", body.with_chunk(at, other).encode()
    bare = replace(body, chunks=body.chunks[:-1], trailers=(), end=b"")
    yield "no last chunk", bare.encode()
    for at, line in enumerate(body.trailers):
        name, _, value = line.partition(b":")
        lines = (
            *body.trailers[:at],
            name + b":" + value.swapcase()[::-1],
            *body.trailers[at + 1 :],
        )
        yield f"trailer {at}", replace(body, trailers=lines).encode()
    if body.trailers:
        yield "no trailers", replace(body, trailers=()).encode()
