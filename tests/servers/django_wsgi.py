"""A Django project's wsgi.py, with the middleware around the whole of Django."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from tests.servers.applications import behind_both_middlewares

application = behind_both_middlewares(get_wsgi_application())
