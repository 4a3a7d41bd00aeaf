"""One garbage body through the whole middleware: buffered and streamed it comes to the same.

A tape (tests.fuzz.tape) makes the body; here its headers are signed too, with all that they say of
it, and its chunks go on from their signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.uploads import SIGNED
from tests.core.uploads import SIGNED_TRAILER
from tests.core.uploads import UNSIGNED_TRAILER
from tests.core.uploads import crc32
from tests.core.uploads import signature_of
from tests.fuzz.fuzz_chunked import Body
from tests.fuzz.fuzz_chunked import made
from tests.fuzz.tape import Tape
from tests.wsgi.calls import call
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

_VERIFIER = Verifier(
    {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3", clock=lambda: float(NOW)
)
_CODE = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a body.

    Attributes:
        status: of the answer.
        code: of the refusal, if it was refused.
        data: what the application had read when it answered; None where it was not called.
        trailers: what it was told of them.
    """

    status: int
    code: bytes | None
    data: bytes | None
    trailers: dict[str, str] | None


def upload(tape: bytes) -> tuple[Message, Body] | None:
    """Return the upload that *tape* makes; None where no header can say what its body is."""
    body = made(Tape(tape), trailers=_checksum)
    if body.declared == () or (body.declared is None and not body.signed):
        return None
    form = UNSIGNED_TRAILER if not body.signed else SIGNED_TRAILER
    named = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-Sha256": SIGNED if body.declared is None else form,
        "X-Amz-Decoded-Content-Length": str(body.length),
    }
    if body.declared:
        named["X-Amz-Trailer"] = ",".join(body.declared)
    head = S3_SIGNER.sign(Message.of("PUT", "/bucket/key", headers=named))
    # The same tape again: what the headers say does not depend on their signature.
    body = made(Tape(tape), seed=signature_of(head), trailers=_checksum)
    return replace(head, body=body.raw), body


def _checksum(data: bytes) -> dict[str, str]:
    # One is all that a request may carry.
    return {"x-amz-checksum-crc32": crc32(data)}


def through(message: Message, *, stream: bool, size: int) -> Result:
    """Return what becomes of *message*, whose application reads pieces of *size* bytes."""
    got: list[bytes] = []
    seen: list[dict[str, str]] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        got.append(b"")
        while piece := environ["wsgi.input"].read(size):
            got.append(piece)
        seen.append(dict(environ["wsgi_sigv4.trailers"]))
        start_response("200 OK", [])
        return [b"done"]

    options: dict[str, Any] = {"stream": stream, "max_body": 10**6, "memory_limit": 5000}
    answer = call(SigV4Middleware(app, _VERIFIER, **options), environ_of(message))
    code = _CODE.search(answer.body)
    return Result(
        status=answer.status,
        code=None if code is None else code[1],
        data=b"".join(got) if got else None,
        trailers=seen[0] if seen else None,
    )
