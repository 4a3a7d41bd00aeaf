"""The application of the tests for an ASGI server, by way of a2wsgi."""

from __future__ import annotations

from a2wsgi import WSGIMiddleware

from tests.servers.applications import application as wsgi_application

# Its own types of WSGI are narrower than those of typeshed.
application = WSGIMiddleware(wsgi_application)  # type: ignore[arg-type]
