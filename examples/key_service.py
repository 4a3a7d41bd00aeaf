"""A key service: it alone holds secrets, and hands out signing keys of one day, region and service.

``examples/keyless_app.py`` asks it. Each of its callers has a key of its own,
which is good for nothing else. What it answers is as good as a secret, for a
day: put it behind TLS, or on the loopback interface as here::

    gunicorn --bind 127.0.0.1:8001 examples.key_service:app
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import parse_qsl

from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialScope
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.signing_key import derive_signing_key

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

#: Whose keys are handed out: a file or a database in earnest, with a provider before it.
CLIENTS: Mapping[str, Credentials] = {
    "AKIAIOSFODNN7EXAMPLE": Credentials(
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", principal="alice"
    ),
    "ASIAIOSFODNN7EXAMPLE": Credentials(
        "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY",
        session_token="example-session-token",
        principal="bob",
    ),
}
#: What the callers verify: a web tier that is broken into gets no keys for anything else.
SCOPES = {("us-east-1", "items")}
#: Presigned URLs live for a week, and clocks differ.
OLDEST, NEWEST = timedelta(days=8), timedelta(days=1)

CALLERS = {
    "AKIAWEBTIEREXAMPLE00": Credentials(
        "webtier/K7MDENG/bPxRfiCYEXAMPLEKEYEXAMPL",
        principal="web tier",
        methods=["GET"],
        path_prefixes=["/signing-key"],
        presigned=False,
    )
}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the signing key that the query asks for."""
    asked = dict(parse_qsl(environ["QUERY_STRING"]))
    found = signing_key(asked) if environ["PATH_INFO"] == "/signing-key" else None
    status = "404 Not Found" if found is None else "200 OK"
    start_response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps(found or {}).encode()]


def signing_key(asked: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the signing key of a client for a scope, or None where there is none to be had."""
    client = CLIENTS.get(asked.get("access_key_id", ""))
    date, region, service = (asked.get(name, "") for name in ("date", "region", "service"))
    if client is None or not client.enabled or client.secret_access_key is None:
        return None
    # So written, a time that is no number has passed.
    if client.expires_at is not None and not time.time() < client.expires_at:
        return None
    if (region, service) not in SCOPES or not is_near(date):
        return None
    scope = CredentialScope(date=date, region=region, service=service)
    return {
        "signing_key": derive_signing_key(client.secret_access_key, scope).hex(),
        "session_token": client.session_token,
        "principal": str(client.principal),
        # Who verifies applies them: they are the client's, whoever holds its secret.
        "expires_at": client.expires_at,
        "limits": limits(client),
    }


def limits(client: Credentials) -> dict[str, Any]:
    """Return what *client* may do, as parameters of Credentials that JSON can hold."""
    found = client.limits
    if found is None:
        return {}
    names = {name: getattr(found, name) for name in ("regions", "services", "methods")}
    prefixes = found.path_prefixes
    return {
        **{name: values and sorted(values) for name, values in names.items()},
        "path_prefixes": prefixes and [prefix.decode() for prefix in prefixes],
        "presigned": found.presigned,
        "max_expires": found.max_expires,
    }


def is_near(date: str) -> bool:
    """Return whether a request can be dated *date*: no keys are handed out for next year."""
    today = datetime.now(UTC)
    days = (today - OLDEST + timedelta(days=n) for n in range((OLDEST + NEWEST).days + 1))
    return date in {f"{day:%Y%m%d}" for day in days}


app = SigV4Middleware(
    application,
    Verifier(
        CALLERS,
        region="local",
        service="keys",
        hosts=os.environ.get("KEY_SERVICE_HOSTS", "127.0.0.1:8001").split(),
        uniform_errors=True,
    ),
)
