"""aiobotocore, and s3fs on top of it, as their users call them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from typing import Any

import s3fs  # type: ignore[import-not-found]
from aiobotocore.config import AioConfig  # type: ignore[import-not-found]
from aiobotocore.session import get_session  # type: ignore[import-not-found]
from botocore.exceptions import ClientError

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import ODD_KEYS
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import SESSION_TOKEN
from tests.clients.programs.exchanges import TEMPORARY_KEY_ID
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import Exchange
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import run

#: What is done with a client of aiobotocore.
Use = Callable[[Any], Awaitable[object]]


async def with_client(
    use: Use,
    service: str,
    *,
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
) -> None:
    """Call *use* with a client of *service*."""
    async with get_session().create_client(
        service,
        endpoint_url=endpoint(),
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=AioConfig(
            retries={"total_max_attempts": 1},
        ),
    ) as client:
        await use(client)


async def objects(s3: Any) -> None:
    """Put, get, list and delete objects with odd keys."""
    for key in ODD_KEYS:
        await s3.put_object(Bucket="aio", Key=key, Body=key.encode())
        answer = await s3.get_object(Bucket="aio", Key=key)
        async with answer["Body"] as stream:
            assert await stream.read() == key.encode()
    found = (await s3.list_objects_v2(Bucket="aio"))["Contents"]
    assert sorted(entry["Key"] for entry in found) == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        await s3.delete_object(Bucket="aio", Key=key)


def files() -> None:
    """Write and read a file of s3fs."""
    fs = s3fs.S3FileSystem(
        endpoint_url=endpoint(),
        key=ACCESS_KEY_ID,
        secret=SECRET,
        client_kwargs={"region_name": REGION},
    )
    fs.pipe_file("s3fs/a b/c+d", b"content")
    assert fs.cat_file("s3fs/a b/c+d") == b"content"


def code_of(send: Callable[[], object]) -> str:
    """Return the code of the ClientError that *send* raises."""
    try:
        send()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("no ClientError")


def call(use: Use, service: str, **how: str) -> None:
    """Call *use* with a client of *service*, in an event loop."""
    asyncio.run(with_client(use, service, **how))


def exchanges() -> Iterator[Exchange]:
    """Yield what aiobotocore sends."""
    temporary = {"key": TEMPORARY_KEY_ID, "token": SESSION_TOKEN}
    yield "S3: put, get, list, delete with odd keys", partial(call, objects, "s3")
    yield (
        "DynamoDB (JSON), session token",
        partial(call, lambda client: client.list_tables(), "dynamodb", **temporary),
    )
    yield "S3: put and get by s3fs", files
    wrong = partial(
        call,
        lambda client: client.put_object(Bucket="aio", Key="x", Body=b""),
        "s3",
        secret=WRONG_SECRET,
    )
    yield "S3: wrong secret", partial(code_of, wrong)


if __name__ == "__main__":
    run("aiobotocore", exchanges(), packages=["aiobotocore", "aiohttp", "s3fs"])
