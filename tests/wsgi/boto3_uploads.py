"""What boto3 would have sent, caught before it leaves."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from urllib3.response import HTTPResponse

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET


def put_object(endpoint: str, body: Any, **parameters: Any) -> Message:
    """Return the request of boto3's ``put_object`` with all defaults, signed just now.

    Over https that is an aws-chunked body with a trailing CRC.

    Args:
        endpoint: where it would go.
        body: bytes or a file.
        parameters: others of ``put_object``, beside the bucket "bucket" and the key "key".
    """
    caught: list[Message] = []

    def catch(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        caught.append(_message(request))
        nothing = HTTPResponse(body=BytesIO(), status=200, preload_content=False)
        return AWSResponse(request.url, 200, {}, nothing)

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}),
    )
    try:
        client.meta.events.register("before-send.s3", catch)
        client.put_object(**({"Bucket": "bucket", "Key": "key", "Body": body} | parameters))
    finally:
        client.close()
    (message,) = caught
    return message


def _message(request: AWSPreparedRequest) -> Message:
    parts = urlsplit(request.url)
    raw = request.body or b""
    data = raw if isinstance(raw, bytes) else raw.read()
    headers = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in request.headers.items()
    ]
    return Message(
        method=request.method,
        path=parts.path.encode(),
        query=parts.query.encode(),
        headers=tuple(headers),
        body=data,
    )
