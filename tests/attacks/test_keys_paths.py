"""Keys that are limited to paths and methods, against requests that are written in every way."""

from __future__ import annotations

import itertools
import re
from posixpath import normpath
from typing import TYPE_CHECKING
from urllib.parse import quote
from urllib.parse import unquote_to_bytes

import pytest
from werkzeug.test import run_wsgi_app

from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import sign
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.limits import MAX_EXPIRES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

SEGMENTS = (
    *("reports", "secret", "reportsx", "REPORTS", "", ".", "..", "..;", "app"),
    *("%2e%2e", "%252e%252e", "%2F", "..%2f", "reports%2F..%2Fsecret", "..%5csecret", "%00"),
)


class Guarded:
    """An application behind the middleware, that remembers where it was called."""

    def __init__(self, *, service: str, **limits: object) -> None:
        credentials = Credentials(KEYS[FIRST], **limits)  # type: ignore[arg-type] # (one of them)
        verifier = Verifier({FIRST: credentials}, region="us-east-1", service=service)
        self.called: list[tuple[str, str]] = []
        self.app = SigV4Middleware(self._application, verifier)

    def _application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
        self.called.append((environ["REQUEST_METHOD"], path))
        start_response("200 OK", [])
        return []

    def call(self, environ: WSGIEnvironment) -> str:
        """Return the status of the answer."""
        body, status, _ = run_wsgi_app(self.app, environ, buffered=True)
        list(body)
        return status[:3]


@pytest.mark.parametrize("service", ["items", "s3"])
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "decoded"])
def test_no_path_leads_out(service: str, raw: bool) -> None:
    """Where a key for /app/reports gets in, no reading of the path leads elsewhere."""
    guarded = Guarded(service=service, path_prefixes=["/app/reports"])
    for segments in itertools.product(SEGMENTS, repeat=3):
        target = "/app/" + "/".join(segments)
        path = unquote_to_bytes(target).decode("latin-1")
        # The server knows of a mount only what stands there as it is.
        # S3 signs a path that is decoded, and encoded once.
        to_sign = quote(unquote_to_bytes(target), safe="/~") if service == "s3" else target
        environ = sign(target=to_sign, service=service).environ(
            SCRIPT_NAME="/app", PATH_INFO=path.removeprefix("/app")
        )
        environ.pop("RAW_URI", None)
        environ.pop("REQUEST_URI", None)
        if raw:
            environ["RAW_URI"] = target
        guarded.call({"wsgi.url_scheme": "http", **environ})
    assert len(guarded.called) > len(SEGMENTS)
    for _, path in guarded.called:
        read = [path, unquote_to_bytes(path).decode("latin-1")]
        for one in read:
            whole = normpath(re.sub(";[^/]*", "", one.replace("\\", "/")))
            assert whole == "/app/reports" or whole.startswith("/app/reports/"), path


@pytest.mark.parametrize(
    ("method", "called"), [("GET", True), ("HEAD", False), ("POST", False), ("OPTIONS", False)]
)
@pytest.mark.parametrize("presigned", [True, False])
def test_method_is_the_one_that_was_sent(method: str, called: bool, presigned: bool) -> None:
    """GET is no other method, and a header that names GET makes none of another one."""
    guarded = Guarded(service="items", methods=["GET"])
    headers = () if presigned else (("X-HTTP-Method-Override", "GET"),)
    sent = sign(method, "/a", presigned=presigned, headers=headers)
    environ = {"wsgi.url_scheme": "http", **sent.environ()}
    assert (guarded.call(environ) == "200") == called
    assert bool(guarded.called) == called


@pytest.mark.parametrize(("limit", "status"), [(3599, "403"), (3600, "200"), (MAX_EXPIRES, "200")])
def test_longest_expires(limit: int, status: str) -> None:
    """A presigned URL, of an hour as botocore makes them, lives no longer than its key allows."""
    guarded = Guarded(service="items", max_expires=limit)
    environ = {"wsgi.url_scheme": "http", **sign(presigned=True).environ()}
    assert guarded.call(environ) == status
