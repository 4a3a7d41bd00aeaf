"""An API for signed requests only, in a process that holds no client's secret.

Run the key service first, then this, from the top of the checkout::

    gunicorn --bind 127.0.0.1:8001 examples.key_service:app &
    gunicorn --bind 127.0.0.1:8000 examples.keyless_app:app

    curl "http://127.0.0.1:8000/whoami" \\
        --aws-sigv4 "aws:amz:us-east-1:items" \\
        --user "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from examples.remote_signing_keys import RemoteSigningKeys
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.signer import Signer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Say who asks."""
    identity = environ["wsgi_sigv4.identity"]
    start_response("200 OK", [("Content-Type", "application/json")])
    caller = {"access_key_id": identity.access_key_id, "principal": identity.principal}
    return [json.dumps(caller).encode()]


# This process has a key of its own, which the key service takes for nothing but its questions.
signer = Signer(
    "AKIAWEBTIEREXAMPLE00",
    "webtier/K7MDENG/bPxRfiCYEXAMPLEKEYEXAMPL",
    region="local",
    service="keys",
)
remote = RemoteSigningKeys(os.environ.get("KEY_SERVICE", "http://127.0.0.1:8001"), signer)

app = SigV4Middleware(
    application,
    Verifier(
        CachingProvider(
            remote,
            ttl=float(os.environ.get("KEY_TTL", "60")),
            negative_ttl=float(os.environ.get("KEY_NEGATIVE_TTL", "5")),
        ),
        region="us-east-1",
        service="items",
        hosts=os.environ.get("ITEMS_HOSTS", "127.0.0.1:8000 localhost:8000").split(),
    ),
)
