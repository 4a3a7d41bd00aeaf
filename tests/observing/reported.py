"""An existing service in shadow mode, which servers serve: it answers with what it has read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.observing import Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

#: The last verdict of this process.
verdicts: list[Verdict] = []


def service(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the hash of the body, read piece by piece, and with the verdict on it."""
    left = int(environ.get("CONTENT_LENGTH") or -1)
    digest = hashlib.sha256()
    while left and (piece := environ["wsgi.input"].read(min(left, 5000) if left > 0 else 5000)):
        digest.update(piece)
        left -= len(piece) if left > 0 else 0
    verdict = verdicts.pop()
    start_response("200 OK", [("X-Verdict", verdict.error or verdict.outcome)])
    return [digest.hexdigest().encode()]


app = SigV4Middleware(
    service,
    Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service="s3"),
    report_only=True,
    memory_limit=1000,
    max_body=5_000_000,
    on_accept=verdicts.append,
    on_refuse=verdicts.append,
)
