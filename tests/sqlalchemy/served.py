"""An app with a key store, for gunicorn and for the commands; its database comes by environment."""

from __future__ import annotations

import os

from flask import Flask
from flask import Response

from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import SQLAlchemyProvider

store = KeyStore(os.environ["DATABASE"], encryption_keys=os.environ["ENCRYPTION_KEYS"].split(","))
store.create_tables()

app = Flask(__name__)
app.config["SIGV4_CREDENTIALS"] = SQLAlchemyProvider(store, ttl=float(os.environ["TTL"]))
app.config["SIGV4_REGION"] = "us-east-1"
app.config["SIGV4_SERVICE"] = "s3"
SigV4(app)


@app.get("/<bucket>/<key>")
@sigv4_required
def item(bucket: str, key: str) -> str:
    """Say who asks."""
    return str(current_identity.principal)


@app.after_request
def name_worker(response: Response) -> Response:
    """Say which worker answers."""
    response.headers["X-Worker"] = str(os.getpid())
    return response
