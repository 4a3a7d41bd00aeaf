"""The application of the memory benchmark: it reads a body in pieces and tells what it has read."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from benchmarks.uploads import ACCESS_KEY_ID
from benchmarks.uploads import PIECE
from benchmarks.uploads import REGION
from benchmarks.uploads import SECRET_ACCESS_KEY
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def receive(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer with the number of bytes read, and their CRC-32."""
    length = checksum = 0
    while piece := environ["wsgi.input"].read(PIECE):
        length += len(piece)
        checksum = zlib.crc32(piece, checksum)
    answer = f"{length} {checksum:08x}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


def application(*, stream: bool) -> SigV4Middleware:
    """Return the application behind the middleware, buffered or as a stream."""
    verifier = Verifier({ACCESS_KEY_ID: SECRET_ACCESS_KEY}, region=REGION, service="s3")
    return SigV4Middleware(receive, verifier, stream=stream)
