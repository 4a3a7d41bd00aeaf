"""Django: settings, middleware, decorators, system checks, and a class for REST framework.

Name the middleware in MIDDLEWARE, below AuthenticationMiddleware and above
whatever reads the body, and say in one dict who may sign what::

    MIDDLEWARE = [..., "wsgi_sigv4.contrib.django.middleware.SigV4Middleware", ...]
    SIGV4 = {"CREDENTIALS": {...}, "REGION": "us-east-1", "SERVICE": "items"}

``request.sigv4`` is then the :class:`~wsgi_sigv4.Identity` of the request.
"""

from __future__ import annotations
