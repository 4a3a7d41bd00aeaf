"""Requests that botocore signs, sent through Flask's test client."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from botocore.auth import S3SigV4Auth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse
from werkzeug.test import stream_encode_multipart

from wsgi_sigv4.contrib.flask import SigV4

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OTHER_KEY_ID = "AKIAI44QH8DHBEXAMPLE"
OTHER_SECRET = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
KEYS = {ACCESS_KEY_ID: SECRET, OTHER_KEY_ID: OTHER_SECRET}

CONFIG: Mapping[str, object] = {
    "SECRET_KEY": "not of AWS",
    "TESTING": True,
    "SIGV4_CREDENTIALS": KEYS,
    "SIGV4_REGION": ("us-east-1", "eu-west-1"),
    "SIGV4_SERVICE": ("items", "files"),
    "SIGV4_HOSTS": ["localhost"],
}


def make_app(**config: object) -> Flask:
    """Return an app with the extension, whose configuration is CONFIG and *config*."""
    app = Flask("tests.flask.app")
    app.config.update(CONFIG)
    app.config.update(config)
    SigV4(app)
    return app


def sign(
    path: str = "/items",
    method: str = "GET",
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    access_key_id: str = ACCESS_KEY_ID,
    secret: str | None = None,
    region: str = "us-east-1",
    service: str = "items",
    s3: bool = False,
    expires: int | None = None,
    base_url: str = "http://localhost",
) -> AWSRequest:
    """Return the request as botocore signs it; with *expires*, a presigned one."""
    request = AWSRequest(method=method, url=base_url + path, data=body, headers=headers)
    credentials = Credentials(access_key_id, KEYS[access_key_id] if secret is None else secret)
    if expires is not None:
        # botocore would move a body into the query, and would sign that it is empty.
        if body:
            request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
        request.data = b""
        SigV4QueryAuth(credentials, service, region, expires=expires).add_auth(request)
        request.data = body
    else:
        auth = S3SigV4Auth if s3 else SigV4Auth
        auth(credentials, service, region).add_auth(request)
    return request


def send(
    client: FlaskClient, signed: AWSRequest, *, buffered: bool = True, **options: Any
) -> TestResponse:
    """Send *signed* as it is; *options* are those of the client's open().

    A buffered answer is read and closed, as a server does it.
    """
    scheme, _, rest = signed.url.partition("://")
    host, _, target = rest.partition("/")
    return client.open(
        f"/{target}",
        method=signed.method,
        base_url=f"{scheme}://{host}",
        data=signed.data,
        headers=list(signed.headers.items()),
        buffered=buffered,
        **options,
    )


def get(client: FlaskClient, path: str = "/items", **options: Any) -> TestResponse:
    """Send a signed GET request for *path*."""
    return send(client, sign(path, **options))


def post(
    client: FlaskClient, path: str, body: bytes, content_type: str, **options: Any
) -> TestResponse:
    """Send a signed POST request with *body*."""
    headers = {"Content-Type": content_type}
    return send(client, sign(path, "POST", body=body, headers=headers, **options))


def multipart(data: dict[str, Any]) -> tuple[bytes, str]:
    """Return a multipart form of *data*, and its Content-Type; bytes become a file."""
    values = {
        name: FileStorage(BytesIO(value), "file.bin") if isinstance(value, bytes) else value
        for name, value in data.items()
    }
    stream, _, boundary = stream_encode_multipart(values)
    with stream:
        return stream.read(), f"multipart/form-data; boundary={boundary}"
