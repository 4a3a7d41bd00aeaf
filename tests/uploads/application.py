"""The bucket of the examples, and a note of each request: what it was and how its body was sent."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING

from examples import bucket

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

#: Environment variable with the file of the notes.
NOTES_VARIABLE = "UPLOADS_NOTES"


def application() -> WSGIApplication:
    """Return the bucket that the environment describes, outermost what notes its requests."""
    inner = bucket.application()
    notes = os.environ[NOTES_VARIABLE]

    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # What the application below finds may be another environ than the client's.
        found = described(environ)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None
        ) -> Callable[[bytes], object]:
            line = json.dumps({**found, "status": int(status[:3])}) + "\n"
            # One write at the end of the file: the workers do not tear each other's lines.
            file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
            return start_response(status, headers, exc_info)

        return inner(environ, start)

    return noting


def described(environ: WSGIEnvironment) -> dict[str, object]:
    """Return what a note says of a request."""
    return {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "form": form_of(environ),
        "trailer": environ.get("HTTP_X_AMZ_TRAILER", ""),
        "checksums": sorted(
            name.removeprefix("HTTP_").replace("_", "-").lower()
            for name in environ
            if re.fullmatch(r"HTTP_(CONTENT_MD5|X_AMZ_CHECKSUM_(?!ALGORITHM|TYPE|MODE)\w+)", name)
        ),
        "scheme": environ["wsgi.url_scheme"],
    }


def form_of(environ: WSGIEnvironment) -> str:
    """Return how a request says that its body is sent: a hash is just a "hash"."""
    sent: str = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    if "X-Amz-Signature=" in environ["QUERY_STRING"]:
        return f"presigned {sent}".strip()
    return "hash" if re.fullmatch("[0-9a-f]{64}", sent) else sent
