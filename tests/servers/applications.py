"""The application that every server under test runs: it tells what reached it.

Two of them, one for each profile, each behind a middleware of its own, in one process. Which of
the two a request is for stands in a header that nobody signs and no proxy rewrites. Every call is
noted in a file, so that a test can tell that the application was never called, even where no
answer came back.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

from tests.wsgi.streamed import APPLICATIONS
from tests.wsgi.streamed import Streaming
from tests.wsgi.streamed import throws_away
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPORARY_KEY_ID = "ASIAIOSFODNN7EXAMPLE"
SESSION_TOKEN = "FwoGZXIvYXdzEBYaDExampleToken/+=="
REGION = "us-east-1"

#: Environment variables by which the tests tell a server's process what they want.
OPTIONS_VARIABLE = "SIGV4_TEST_OPTIONS"
CALLS_VARIABLE = "SIGV4_TEST_CALLS"

#: Unsigned headers of the tests: the service that is called, a name for the request, and the
#: application that it is for, where that is not `echo`.
SERVICE_HEADER = "X-Test-Service"
CASE_HEADER = "X-Test-Case"
APPLICATION_HEADER = "X-Test-Application"

#: Applications that treat their body badly, by name; servers need their environ themselves.
HOSTILE = {deal.__name__: deal for deal in APPLICATIONS if deal is not throws_away}


def seen(environ: WSGIEnvironment, path: bytes, body: bytes) -> dict[str, Any]:
    """Return what an application learns from *environ* that it routes by *path*, and *body*."""
    return {
        "case": environ.get("HTTP_X_TEST_CASE", ""),
        "method": environ["REQUEST_METHOD"],
        "path": path.hex(),
        "query": environ.get("QUERY_STRING", ""),
        "access_key_id": environ["wsgi_sigv4.access_key_id"],
        "principal": environ["wsgi_sigv4.identity"].principal,
        "sha256": hashlib.sha256(body).hexdigest(),
        "length": len(body),
        "content_length": environ.get("CONTENT_LENGTH"),
        "transfer_encoding": environ.get("HTTP_TRANSFER_ENCODING"),
        "server_software": environ.get("SERVER_SOFTWARE"),
        "marks": [key for key in ("asgi.scope", "uwsgi.version") if key in environ],
        "amz": sorted(key for key in environ if key.startswith("HTTP_X_AMZ_")),
    }


def note(call: dict[str, Any]) -> None:
    """Add *call* to the file of calls; one write, so that no two of them mix."""
    file = os.open(os.environ[CALLS_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, json.dumps(call).encode() + b"\n")
    finally:
        os.close(file)


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with what reached the application."""
    path = environ.get("PATH_INFO", "").encode("latin-1")
    call = seen(environ, path, environ["wsgi.input"].read())
    note(call)
    body = json.dumps(call).encode()
    length = str(len(body))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def behind_both_middlewares(app: WSGIApplication) -> WSGIApplication:
    """Return *app* behind a middleware of each profile; SERVICE_HEADER selects one."""
    options: dict[str, Any] = json.loads(os.environ.get(OPTIONS_VARIABLE, "{}"))
    keys = {
        ACCESS_KEY_ID: Credentials(secret_access_key=SECRET, principal="permanent"),
        TEMPORARY_KEY_ID: Credentials(
            secret_access_key=SECRET, session_token=SESSION_TOKEN, principal="temporary"
        ),
    }
    by_service: dict[str, Callable[..., Iterable[bytes]]] = {
        service: SigV4Middleware(
            app, Verifier(keys, region=REGION, service=service, profile=profile), **options
        )
        for service, profile in (("items", GENERIC), ("s3", S3))
    }

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        service = environ.get("HTTP_X_TEST_SERVICE", "items")
        return by_service[service](environ, start_response)

    return application


def chosen(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as the application does that APPLICATION_HEADER names."""
    name = environ.get("HTTP_X_TEST_APPLICATION")
    if name is None:
        return echo(environ, start_response)
    return Streaming(deal=HOSTILE[name])(environ, start_response)


application = behind_both_middlewares(chosen)
