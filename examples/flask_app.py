"""An API for signed requests only, as a Flask app.

Run it from the top of the checkout, and ask it for items::

    gunicorn examples.flask_app:app

    curl "http://127.0.0.1:8000/items?q=lamp" \\
        --aws-sigv4 "aws:amz:us-east-1:items" \\
        --user "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""

from __future__ import annotations

import os

from flask import Flask
from flask import request
from flask.typing import ResponseReturnValue

from wsgi_sigv4 import Credentials
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required

app = Flask(__name__)
app.config.update(
    # The examples of AWS's documentation: yours come from a secret store.
    SIGV4_CREDENTIALS={
        "AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ASIAIOSFODNN7EXAMPLE": Credentials(
            "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY", session_token="example-session-token"
        ),
    },
    SIGV4_REGION="us-east-1",
    SIGV4_SERVICE="items",
    # Where the clients find this app: a request that was signed for another host is refused.
    SIGV4_HOSTS=os.environ.get("ITEMS_HOSTS", "127.0.0.1:8000 localhost:8000").split(),
    SIGV4_REQUIRE_SIGNED=["content-type"],
)
SigV4(app)

items = ["lamp", "table"]


@app.get("/items")
@sigv4_required
def list_items() -> ResponseReturnValue:
    """Answer with the items that contain ``q``."""
    q = request.args.get("q", "")
    found = [item for item in items if q in item]
    return {"items": found, "caller": current_identity.access_key_id}


@app.post("/items")
@sigv4_required
def add_item() -> ResponseReturnValue:
    """Add the item that the JSON body names."""
    name = request.get_json()["name"]
    items.append(name)
    return {"added": name, "caller": current_identity.access_key_id}
