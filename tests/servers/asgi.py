"""The application of the tests for an ASGI server, by way of a2wsgi."""

from __future__ import annotations

from a2wsgi import WSGIMiddleware

from tests.servers.applications import application as wsgi_application

application = WSGIMiddleware(wsgi_application)
