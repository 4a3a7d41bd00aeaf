"""boto3 puts an object and stops in the middle, for a test to kill it.

``python -m tests.uploads.halfway URL CERTIFICATE KEY SIZE STOP``
"""

from __future__ import annotations

import io
import sys
import time

import boto3

from tests.uploads.running import ACCESS_KEY_ID
from tests.uploads.running import BUCKET
from tests.uploads.running import REGION
from tests.uploads.running import SECRET


class Stopping(io.BytesIO):
    """A body that says so when it has been read as far as *stop*, and goes no further."""

    def __init__(self, size: int, stop: int) -> None:
        super().__init__(bytes(size))
        self._stop = stop

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, or wait to be killed."""
        if self.tell() >= self._stop:
            print("here", flush=True)
            time.sleep(120)
        return super().read(size)


def main(url: str, certificate: str, key: str, size: str, stop: str) -> None:
    """Put the object."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        verify=certificate,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET,
    )
    client.put_object(Bucket=BUCKET, Key=key, Body=Stopping(int(size), int(stop)))


if __name__ == "__main__":
    main(*sys.argv[1:])
