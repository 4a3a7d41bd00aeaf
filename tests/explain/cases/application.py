"""The application behind the proxy: the middleware, and the explanation of each refusal.

What is found stands in a header of the answer, so that an answer to HEAD has it as well.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING
from typing import Any

from tests.explain.cases.places import ITEMS
from tests.explain.cases.places import PLACES
from tests.explain.cases.places import REGION
from wsgi_sigv4 import Answer
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain import explain

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

TOLD = "X-Test-Told"
_BODY = "test.body"
_DEPLOYMENT = ("path_prefix", "header_overrides")


def _served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [(TOLD, json.dumps({"accepted": True})), ("Content-Length", "0")])
    return []


@cache
def _application_at(name: str) -> WSGIApplication:
    place = PLACES[name]
    knobs: dict[str, Any] = {"region": REGION, "service": ITEMS}
    verifier = Verifier(place, **(knobs | dict(place.knobs)))
    deployment = Deployment(**{k: v for k, v in place.options.items() if k in _DEPLOYMENT})

    def explained(refusal: SigV4Error, environ: WSGIEnvironment) -> Answer:
        explanation = explain(
            request_from_environ(environ, deployment),
            verifier,
            body=environ[_BODY],
            refusal=refusal,
        )
        told = json.dumps(explanation.as_dict() | {"checks": None, "canonical_request": None})
        return Answer(status=403, headers=((TOLD, told), ("Content-Length", "0")), body=b"")

    return place.wrap(SigV4Middleware(_served, verifier, render_refusal=explained, **place.options))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as the place does that the request asks for."""
    environ[_BODY] = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(environ[_BODY])
    return _application_at(environ.get("HTTP_X_TEST_PLACE", "plain"))(environ, start_response)
