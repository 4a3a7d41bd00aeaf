"""Flask: an extension, a decorator, and the identity of the current request.

The extension reads the configuration and guards nothing by itself; a view, a
blueprint or the whole app is guarded by :data:`sigv4_required`::

    app.config["SIGV4_CREDENTIALS"] = {"AKIAIOSFODNN7EXAMPLE": "..."}
    app.config["SIGV4_REGION"] = "us-east-1"
    app.config["SIGV4_SERVICE"] = "items"
    SigV4(app)

    @app.get("/items")
    @sigv4_required
    def items(): ...

    bp.before_request(sigv4_required.check)
"""

from __future__ import annotations

from wsgi_sigv4.contrib.flask.current import current_identity as current_identity
from wsgi_sigv4.contrib.flask.decorators import SigV4Required as SigV4Required
from wsgi_sigv4.contrib.flask.decorators import sigv4_required as sigv4_required
from wsgi_sigv4.contrib.flask.extension import SigV4 as SigV4
from wsgi_sigv4.contrib.flask.guard import Guard as Guard
from wsgi_sigv4.contrib.flask.refusals import PresignedNotAllowed as PresignedNotAllowed
from wsgi_sigv4.contrib.flask.signals import key_used as key_used
from wsgi_sigv4.contrib.flask.signals import request_judged as request_judged
from wsgi_sigv4.contrib.flask.signals import request_refused as request_refused
