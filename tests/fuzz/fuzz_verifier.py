"""Garbage made of signed requests: it raises SigV4Error alone, and what was not signed is refused.

`make fuzz` runs this under atheris; the tests run it on chance alone. One input is a tape
(tests.fuzz.tape): it picks a request that botocore signed, changes it, perhaps signs it again,
lets a server make an environ of it, and changes that.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes
from xml.parsers.expat import ParserCreate

from tests.core.reference import Refused
from tests.core.reference import is_valid
from tests.core.reference import routed_path
from tests.core.reference import signature_of
from tests.core.reference import signer_of
from tests.core.signed_requests import SignedRequest
from tests.core.signed_requests import sign
from tests.fuzz.edits import edit_environ
from tests.fuzz.edits import edited
from tests.fuzz.environs import SERVERS
from tests.fuzz.environs import environ_of
from tests.fuzz.environs import lines_of
from tests.fuzz.environs import sent_of
from tests.fuzz.tape import Tape
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

LOGGER = logging.getLogger("wsgi_sigv4")

TRACES = {
    b"x-amz-" + name
    for name in (
        *(b"algorithm", b"credential", b"signature", b"signedheaders", b"date", b"expires"),
        *(b"security-token", b"content-sha256"),
    )
}


def _signed(*, s3: bool, presigned: bool, temporary: bool, body: bytes) -> SignedRequest:
    return sign(
        key="ASIAIOSFODNN7EXAMPLE" if temporary else "AKIAIOSFODNN7EXAMPLE",
        path=b"/a%20b/c~" if s3 else b"/a%20b/./c~//",
        query=b"q=x%20y&a=&q=1",
        params=[("q", "x y"), ("a", "")] if presigned else [("q", "x y"), ("a", ""), ("q", "1")],
        headers=[
            ("Content-Type", "text/plain"),
            ("X-Amz-Meta-A", "one,  two"),
            ("x-amz-meta-a", "three"),
        ],
        body=body,
        method="POST" if body else "GET",
        s3=s3,
        presigned=presigned,
        service="s3" if s3 else "items",
    )


#: The requests that tapes start from.
SIGNED = tuple(
    _signed(s3=s3, presigned=presigned, temporary=temporary, body=body)
    for s3, presigned, temporary in product([False, True], repeat=3)
    for body in ([b"", b"{}"] if s3 or not presigned else [b""])
)


@dataclass(kw_only=True)
class Outcome:
    """What became of a request at the middleware.

    Attributes:
        served: the environ that the application was called with, None where it was not.
        body: what the application read.
        said: status, headers and body of the answer, and what was logged.
    """

    served: WSGIEnvironment | None = None
    body: bytes = b""
    said: list[str] = field(default_factory=list)


class Records(logging.Handler):
    """Keeps the text of the records of one request."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text of *record*."""
        text = record.getMessage()
        # A line break, or a terminal's escape, would make records of the client's own.
        assert text.isprintable(), text
        self._said.append(text)


def fuzz_one(data: bytes) -> None:
    """Do what the tape *data* says, and check that it came to no harm.

    Raises:
        AssertionError: if a request was accepted that should not be, or refused that should not.
        Exception: whatever the package raises that is no SigV4Error.
    """
    tape = Tape(data)
    sent = edited(tape.pick(SIGNED), tape)
    check_verifier(sent)
    server = tape.pick(SERVERS)
    try:
        environ = environ_of(sent, server)
    except UnicodeError:
        # A server turns such a request away.
        return
    edits = tape.byte() % 4
    for _ in range(edits):
        edit_environ(environ, tape)
    required, explain = tape.byte() % 4 != 1, tape.byte() % 2 == 1
    served = check_middleware(sent, environ, required=required, explain=explain)
    if not edits and required and server.tells_all and is_plain(sent):
        assert served == is_valid(sent), sent


def check_verifier(sent: SignedRequest) -> bool:
    """Return whether *sent* is accepted; it must be just where the reference accepts it."""
    identity, refusal = None, None
    try:
        verification = verifier_of(sent).verify(sent.request(), now=sent.now)
        verification.feed(sent.body)
        identity = verification.finish(now=sent.now)
    except SigV4Error as error:
        refusal = error
    assert (identity is not None) == is_valid(sent), (refusal, sent)
    if identity is None:
        assert_says_nothing(sent, [str(refusal), repr(refusal)])
        return False
    assert identity.access_key_id == signer_of(sent)
    return True


def check_middleware(
    sent: SignedRequest, environ: WSGIEnvironment, *, required: bool, explain: bool
) -> bool:
    """Return whether the request of *environ* is served; it must be one that was signed."""
    before = dict(environ)
    outcome = run_middleware(sent, environ, required=required, explain=explain)
    assert_says_nothing(sent, outcome.said)
    served = outcome.served
    if served is None:
        return False
    if "wsgi_sigv4.identity" not in served:
        assert not required
        assert "wsgi_sigv4.access_key_id" not in served
        assert not has_trace(before), before
        return True
    arrived = sent_of(before, sent, outcome.body)
    assert arrived is not None, before
    joined = replace(
        arrived, headers=tuple((n, v.replace(b", ", b",")) for n, v in arrived.headers)
    )
    assert is_valid(arrived) or is_valid(joined), before
    routed = served.get("SCRIPT_NAME", "") + served.get("PATH_INFO", "")
    assert (routed.encode("latin-1") or b"/") == routed_path(arrived), served
    assert served.get("QUERY_STRING", "") == before.get("QUERY_STRING", "")
    assert served["wsgi_sigv4.access_key_id"] == signer_of(arrived)
    return True


def run_middleware(
    sent: SignedRequest, environ: WSGIEnvironment, *, required: bool, explain: bool
) -> Outcome:
    """Return what the middleware, and the application behind it, make of *environ*."""
    outcome = Outcome()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        outcome.served = environ
        if "wsgi_sigv4.identity" in environ:
            outcome.body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return []

    def start_response(
        status: str, headers: list[tuple[str, str]], *_: object
    ) -> Callable[[bytes], object]:
        assert re.fullmatch(r"[2-5]\d\d [ -~]+", status), status
        for name, value in headers:
            assert re.fullmatch(r"[A-Za-z0-9-]+", name), name
            assert re.fullmatch(r"[ -~]*", value), value
            outcome.said.append(value)
        return lambda data: None

    middleware = SigV4Middleware(app, verifier_of(sent), required=required, explain=explain)
    records = Records(outcome.said)
    LOGGER.addHandler(records)
    LOGGER.propagate = False
    try:
        answer = middleware(environ, start_response)
        body = b"".join(answer)
        getattr(answer, "close", lambda: None)()
    finally:
        LOGGER.removeHandler(records)
        LOGGER.propagate = True
    if body.startswith(b"<"):
        ParserCreate().Parse(body, True)
    elif body:
        json.loads(body)
    outcome.said.append(body.decode())
    return outcome


@lru_cache(maxsize=64)
def _verifier(s3: bool, region: str, service: str, now: float) -> Verifier:
    like = replace(SIGNED[0], s3=s3, region=region, service=service, now=now)
    return like.verifier()


def verifier_of(sent: SignedRequest) -> Verifier:
    """Return the verifier of the server that *sent* goes to, with what it has cached."""
    return _verifier(sent.s3, sent.region, sent.service, sent.now)


def assert_says_nothing(sent: SignedRequest, said: Iterable[str]) -> None:
    """Check that nothing *said* has the right signature, unless the client has it itself (T24)."""
    try:
        right = signature_of(sent)
    except Refused:
        return
    if right not in repr(sent).encode():
        assert all(right.decode() not in text for text in said), (right, said)


def has_trace(environ: WSGIEnvironment) -> bool:
    """Return whether the request of *environ* looks as if it was meant to be signed."""
    header = str(environ.get("HTTP_AUTHORIZATION", "")).lower()
    # A malformed query is no reason to turn a request away that is not signed.
    items = environ.get("QUERY_STRING", "").encode().split(b"&")
    names = {unquote_to_bytes(item.partition(b"=")[0]).lower() for item in items}
    names |= {name for name, _ in lines_of(environ)}
    return header.startswith("aws") or bool(names & TRACES)


def is_plain(sent: SignedRequest) -> bool:
    """Return whether no server turns away, or makes something else of, the headers of *sent*."""
    names = [name.lower() for name, _ in sent.headers]
    return all(re.fullmatch(rb"[a-z0-9-]+", name) for name in names) and not {
        *(b"content-length", b"transfer-encoding", b"script-name", b"path-info")
    } & set(names)
