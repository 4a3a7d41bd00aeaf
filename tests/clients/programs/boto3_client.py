"""boto3, as its users call it."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import ODD_KEYS
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import SESSION_TOKEN
from tests.clients.programs.exchanges import TEMPORARY_KEY_ID
from tests.clients.programs.exchanges import UNKNOWN_KEY_ID
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import Exchange
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import run

CONFIG = Config(
    signature_version="v4",
    retries={"total_max_attempts": 1},
)


def client(
    service: str,
    *,
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    region: str = REGION,
) -> Any:
    """Return a client of *service*."""
    return boto3.client(
        service,
        endpoint_url=endpoint(),
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=CONFIG.merge(Config(signature_version="s3v4")) if service == "s3" else CONFIG,
    )


def code_of(send: Callable[[], object]) -> str:
    """Return the code of the ClientError that *send* raises."""
    try:
        send()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("no ClientError")


def objects() -> None:
    """Put, get, stat, list and delete objects with odd keys."""
    s3 = client("s3")
    for number, key in enumerate(ODD_KEYS):
        body = f"content {number}".encode()
        s3.put_object(Bucket="boto3", Key=key, Body=body, Metadata={"a": "b  c"})
        assert s3.get_object(Bucket="boto3", Key=key)["Body"].read() == body
        assert s3.head_object(Bucket="boto3", Key=key)["ContentLength"] == len(body)
    found = s3.list_objects_v2(Bucket="boto3")["Contents"]
    assert sorted(entry["Key"] for entry in found) == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        s3.delete_object(Bucket="boto3", Key=key)
    assert code_of(partial(s3.get_object, Bucket="boto3", Key="plain.txt")) == "NoSuchKey"


def presigned() -> None:
    """Put and get by presigned URLs, without boto3."""
    s3 = client("s3", key=TEMPORARY_KEY_ID, token=SESSION_TOKEN)
    for key in ODD_KEYS:
        target = {"Bucket": "presigned", "Key": key}
        put = s3.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
        request = urllib.request.Request(put, data=b"content", method="PUT")
        # urllib adds a Content-Type of its own; nobody signed that.
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200
        get = s3.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
        with urllib.request.urlopen(get, timeout=60) as answer:
            assert answer.read() == b"content"


def payload_signing() -> None:
    """Put 3 MB whose hash is signed."""
    s3 = client("s3")
    body = b"x" * 3_000_000
    s3.put_object(Bucket="boto3", Key="big", Body=body)
    assert s3.get_object(Bucket="boto3", Key="big")["Body"].read() == body


def json_services(**how: str) -> None:
    """Call DynamoDB and SQS."""
    key = {"id": {"S": "café"}}
    assert client("dynamodb", **how).get_item(TableName="items", Key=key)["Item"] == key
    queue = f"{endpoint()}/123456789012/queue"
    sent = client("sqs", **how).send_message(QueueUrl=queue, MessageBody="a message")
    assert sent["MessageId"] == "1"


def query_services(**how: str) -> None:
    """Call STS and SNS, whose parameters are a form."""
    assert client("sts", **how).get_caller_identity()["Account"] == "123456789012"
    sent = client("sns", **how).publish(TopicArn="arn:aws:sns:x:1:y", Message="a b+c&d=é/~*")
    assert sent["MessageId"] == "a b+c&d=é/~*"


def exchanges() -> Iterator[Exchange]:
    """Yield what boto3 sends."""
    temporary = {"key": TEMPORARY_KEY_ID, "token": SESSION_TOKEN}
    yield "S3: put, get, head, list, delete with odd keys", objects
    yield "S3: put of 3 MB", payload_signing
    yield "S3: presigned PUT and GET, session token", presigned
    yield "DynamoDB and SQS (JSON)", json_services
    yield "DynamoDB and SQS, session token", partial(json_services, **temporary)
    yield "STS and SNS (query protocol)", query_services
    yield "STS and SNS, session token", partial(query_services, **temporary)
    for service, call in (
        ("S3", lambda **how: client("s3", **how).list_objects_v2(Bucket="boto3")),
        ("S3 HEAD", lambda **how: client("s3", **how).head_object(Bucket="boto3", Key="big")),
        ("DynamoDB", lambda **how: client("dynamodb", **how).list_tables()),
        ("STS", lambda **how: client("sts", **how).get_caller_identity()),
    ):
        for what, how in (
            ("wrong secret", {"secret": WRONG_SECRET}),
            ("unknown access key id", {"key": UNKNOWN_KEY_ID}),
            ("session token of a permanent key", {"token": SESSION_TOKEN}),
        ):
            yield f"{service}: {what}", partial(code_of, partial(call, **how))
    wrong = partial(client("dynamodb", region="eu-central-1").list_tables)
    yield "DynamoDB: wrong region", partial(code_of, wrong)


if __name__ == "__main__":
    run("boto3", exchanges(), packages=["boto3", "botocore"])
