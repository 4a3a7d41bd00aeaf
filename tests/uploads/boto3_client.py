"""boto3's client of a served bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from tests.uploads.running import ACCESS_KEY_ID
from tests.uploads.running import REGION
from tests.uploads.running import SECRET
from tests.uploads.running import Served


@contextmanager
def s3_client(server: Served, **options: Any) -> Iterator[Any]:
    """Yield a client of *server* that tries once, with further *options* of its Config."""
    client = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET,
        verify=None if server.authority is None else str(server.authority),
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=16, **options),
    )
    try:
        yield client
    finally:
        client.close()
