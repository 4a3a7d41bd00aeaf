"""An application that tells what it read of a request, and a verifier for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from tests.core.oracles import TOKEN
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.testing import Signer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TEMPORARY = "ASIAIOSFODNN7EXAMPLE"


def credentials() -> dict[str, str | Credentials]:
    """Return a permanent key and a temporary one."""
    return {ACCESS_KEY_ID: SECRET, TEMPORARY: Credentials(SECRET, session_token=TOKEN)}


def verifier(service: str = "items", *, now: float = NOW) -> Verifier:
    """Return a verifier of *service* whose clock stands at *now*."""
    return Verifier(
        credentials(),
        region="us-east-1",
        service=service,
        clock=lambda: now,
        require_signed=("content-type",),
    )


def signer(service: str = "items", *, secret: str = SECRET, temporary: bool = False) -> Signer:
    """Return a signer for :func:`verifier`."""
    return Signer(
        TEMPORARY if temporary else ACCESS_KEY_ID,
        secret,
        region="us-east-1",
        service=service,
        session_token=TOKEN if temporary else None,
        clock=lambda: NOW,
    )


def seen(request: Request) -> Response:
    """Answer what arrived of *request*; `/old` redirects, keeping the body where asked."""
    if request.path == "/old":
        return redirect("/new?from=old", int(request.args["status"]))
    identity = request.environ["wsgi_sigv4.identity"]
    body = {
        "key": identity.access_key_id,
        "presigned": identity.presigned,
        "method": request.method,
        "target": request.environ["REQUEST_URI"],
        "path": request.root_path + request.path,
        "args": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "files": {name: file.read().decode() for name, file in request.files.items()},
        "json": request.get_json(silent=True),
        "cookie": request.headers.get("Cookie"),
    }
    answer = Response(json.dumps(body), content_type="application/json")
    answer.set_cookie("seen", "yes")
    return answer


@Request.application
def unguarded(request: Request) -> Response:
    """Be the application behind the middleware."""
    return seen(request)


def guarded(verifier: Verifier) -> WSGIApplication:
    """Return the application behind the middleware."""
    return SigV4Middleware(unguarded, verifier)
