"""The Flask app that gunicorn serves in test_gunicorn."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import jsonify
from flask import request

from tests.flask.signing import KEYS
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required

app = Flask(__name__)
app.config.update(
    SIGV4_CREDENTIALS=KEYS,
    SIGV4_REGION="us-east-1",
    SIGV4_SERVICE="items",
    # With whatever port the test was given.
    SIGV4_HOSTS=None,
)
SigV4(app)


@app.route("/items", methods=["GET", "POST"])
@sigv4_required
def items() -> Any:
    """Answer with what came, and from whom."""
    return jsonify(
        key=current_identity.access_key_id,
        q=request.args.getlist("q"),
        json=request.get_json(silent=True),
        form=request.form,
    )


@app.route("/files/<path:name>", methods=["PUT", "POST"])
@sigv4_required
def files(name: str) -> Any:
    """Answer with the hash of the body, or of each file in it."""
    if request.files:
        return {k: hashlib.sha256(f.read()).hexdigest() for k, f in request.files.items()}
    digest = hashlib.sha256()
    while piece := request.stream.read(65536):
        digest.update(piece)
    return {name: digest.hexdigest()}


reports = Blueprint("reports", __name__, url_prefix="/reports")
reports.before_request(sigv4_required(presigned=False).check)


@reports.get("/<name>")
def report(name: str) -> str:
    """Answer with the name of the report."""
    return name


app.register_blueprint(reports)


streaming = Flask("tests.flask.streaming")
streaming.config.update(
    SIGV4_CREDENTIALS=KEYS, SIGV4_REGION="us-east-1", SIGV4_SERVICE="s3", SIGV4_STREAM=True
)
SigV4(streaming)
#: The bytes that the view has read so far.
READ: list[int] = []


@streaming.put("/files/<name>")
@sigv4_required
def stream_file(name: str) -> str:
    """Read piece by piece, take every error for the end, and answer with the bytes read."""
    READ.clear()
    try:
        while piece := request.stream.read(4096):
            READ.append(len(piece))
    except OSError:
        pass
    return str(sum(READ))


@streaming.get("/read")
def read() -> str:
    """Answer with how much has been read, to anybody."""
    return str(sum(READ))
