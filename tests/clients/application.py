"""The server of the clients: as much of some AWS services as their clients need to be content.

One application behind one verifier, which knows the profile of each service; which service a
request is for, its signature says. The buckets are in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

if TYPE_CHECKING:
    from wsgi_sigv4 import Identity

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPORARY_KEY_ID = "ASIAIOSFODNN7EXAMPLE"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b=="
REGION = "us-east-1"
#: Environment variable with the Host of this server.
HOST_VARIABLE = "SIGV4_TEST_HOST"

objects: dict[str, bytes] = {}


def s3(request: Request, path: str) -> Response:
    """Be S3: buckets that exist when they are asked for, and objects that are whole."""
    bucket, _, key = path.lstrip("/").partition("/")
    if not key:
        return listing(request, bucket)
    if request.method == "PUT":
        objects[path] = request.get_data()
        return Response(headers={"ETag": etag(objects[path])})
    if path not in objects:
        return xml("<Error><Code>NoSuchKey</Code><Message>none</Message></Error>", 404)
    if request.method == "DELETE":
        del objects[path]
        return Response(status=204)
    headers = {"ETag": etag(objects[path]), "Last-Modified": "Sat, 21 Nov 2026 20:42:20 GMT"}
    return Response(objects[path], headers=headers, content_type="application/octet-stream")


def listing(request: Request, bucket: str) -> Response:
    """Answer what a bucket holds, or where it is."""
    if "location" in request.args:
        return xml("<LocationConstraint/>")
    prefix = f"/{bucket}/{request.args.get('prefix', '')}"
    encoded = request.args.get("encoding-type") == "url"
    contents = "".join(
        f"<Contents><Key>{quote(key) if encoded else escape(key)}</Key><Size>{len(data)}</Size>"
        f"<ETag>{escape(etag(data))}</ETag><LastModified>2026-11-21T20:42:20.000Z</LastModified>"
        "</Contents>"
        for key, data in sorted(
            (p.split("/", 2)[2], d) for p, d in objects.items() if p.startswith(prefix)
        )
    )
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    return xml(
        f"<ListBucketResult><Name>{bucket}</Name>{encoding}<IsTruncated>false</IsTruncated>"
        f"{contents}</ListBucketResult>"
    )


def query(request: Request, service: str) -> Response:
    """Be a service of the query protocol: STS or SNS."""
    action = request.form["Action"]
    said = {
        "GetCallerIdentity": "<Account>123456789012</Account><UserId>x</UserId><Arn>arn</Arn>",
        "Publish": f"<MessageId>{escape(request.form.get('Message', ''))}</MessageId>",
    }[action]
    return xml(
        f'<{action}Response xmlns="https://{service}.amazonaws.com/doc/">'
        f"<{action}Result>{said}</{action}Result></{action}Response>"
    )


def json_rpc(request: Request) -> Response:
    """Be a service of the JSON protocols: DynamoDB or SQS."""
    body = json.loads(request.get_data())
    operation = request.headers["X-Amz-Target"].partition(".")[2]
    answer: dict[str, object] = {}
    if operation == "ListTables":
        answer = {"TableNames": ["items"]}
    elif operation == "GetItem":
        answer = {"Item": body["Key"]}
    elif operation == "SendMessage":
        digest = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        answer = {"MessageId": "1", "MD5OfMessageBody": digest}
    return Response(json.dumps(answer), content_type=request.headers["Content-Type"])


def echo(request: Request, identity: Identity) -> Response:
    """Be an API of one's own: answer what was asked."""
    answer = {
        "access_key_id": identity.access_key_id,
        "method": request.method,
        "path": request.path,
        "args": request.args.to_dict(flat=False),
        "body": base64.b64encode(request.get_data()).decode(),
    }
    return Response(json.dumps(answer), content_type="application/json")


def etag(data: bytes) -> str:
    """Return the ETag that S3 gives *data*."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def xml(text: str, status: int = 200) -> Response:
    """Answer *text* as XML."""
    return Response(f'<?xml version="1.0"?>{text}', status, content_type="application/xml")


@Request.application
def services(request: Request) -> Response:
    """Answer as the service that the request was signed for."""
    identity: Identity = request.environ["wsgi_sigv4.identity"]
    match identity.scope.service:
        case "s3":
            # As text of the decoded path: werkzeug's own `path` folds slashes.
            path = request.environ["PATH_INFO"].encode("latin-1").decode()
            return s3(request, path)
        case "sts" | "sns" as service:
            return query(request, service)
        case "dynamodb" | "sqs":
            return json_rpc(request)
        case _:
            return echo(request, identity)


verifier = Verifier(
    {ACCESS_KEY_ID: SECRET, TEMPORARY_KEY_ID: Credentials(SECRET, session_token=SESSION_TOKEN)},
    region=REGION,
    service=None,
    profile={
        "s3": S3,
        **dict.fromkeys(["sts", "sns", "dynamodb", "sqs", "execute-api", "items"], GENERIC),
    },
    hosts=os.environ.get(HOST_VARIABLE, "127.0.0.1").split(),
)
application = SigV4Middleware(services, verifier)
