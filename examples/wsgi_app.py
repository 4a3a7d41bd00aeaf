"""An API for signed requests only, as a plain WSGI application.

Run it from the top of the checkout, and ask it for items::

    gunicorn examples.wsgi_app:app

    curl "http://127.0.0.1:8000/items?q=lamp" \\
        --aws-sigv4 "aws:amz:us-east-1:items" \\
        --user "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

items = ["lamp", "table"]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """List the items that contain ``q``, or add the one that the JSON body names."""
    caller = environ["wsgi_sigv4.access_key_id"]
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/items":
            q = parse_qs(environ["QUERY_STRING"]).get("q", [""])[0]
            answer = {"items": [item for item in items if q in item], "caller": caller}
        case "POST", "/items":
            # wsgi.input holds the whole body, verified, and ends where it ends.
            name = json.load(environ["wsgi.input"])["name"]
            items.append(name)
            answer = {"added": name, "caller": caller}
        case _:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"no such page\n"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


verifier = Verifier(
    # The examples of AWS's documentation: yours come from a secret store.
    {
        "AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ASIAIOSFODNN7EXAMPLE": Credentials(
            "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY", session_token="example-session-token"
        ),
    },
    region="us-east-1",
    service="items",
    # Where the clients find this application: a request that was signed for another is refused.
    hosts=os.environ.get("ITEMS_HOSTS", "127.0.0.1:8000 localhost:8000").split(),
    require_signed=["content-type"],
)
app = SigV4Middleware(application, verifier)
