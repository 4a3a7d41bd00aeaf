"""minio-py, as its users call it."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from minio import Minio
from minio.error import S3Error

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

BUCKET = "minio"
#: minio-py refuses keys with dot segments itself.
KEYS = [key for key in ODD_KEYS if ".." not in key]


def client(*, key: str = ACCESS_KEY_ID, secret: str = SECRET, token: str | None = None) -> Minio:
    """Return a client."""
    return Minio(
        urlsplit(endpoint()).netloc,
        access_key=key,
        secret_key=secret,
        session_token=token,
        secure=False,
        region=REGION,
    )


def objects() -> None:
    """Put, get, stat, list and remove objects with odd keys."""
    minio = client()
    for number, key in enumerate(KEYS):
        body = f"content {number}".encode()
        minio.put_object(BUCKET, key, io.BytesIO(body), len(body))
        answer = minio.get_object(BUCKET, key)
        assert answer.read() == body
        answer.close()
        answer.release_conn()
        assert minio.stat_object(BUCKET, key).size == len(body)
    assert sorted(o.object_name or "" for o in minio.list_objects(BUCKET)) == sorted(KEYS)
    for key in KEYS:
        minio.remove_object(BUCKET, key)


def presigned() -> None:
    """Put and get by presigned URLs, with a session token."""
    minio = client(key=TEMPORARY_KEY_ID, token=SESSION_TOKEN)
    for key in KEYS:
        put = minio.presigned_put_object("presigned", key, expires=timedelta(minutes=1))
        request = urllib.request.Request(put, data=b"content", method="PUT")
        urllib.request.urlopen(request, timeout=60).close()
        get = minio.presigned_get_object("presigned", key, expires=timedelta(minutes=1))
        with urllib.request.urlopen(get, timeout=60) as answer:
            assert answer.read() == b"content"


def wrong_secret() -> str:
    """Return the code that the client was told."""
    try:
        client(secret=WRONG_SECRET).put_object(BUCKET, "x", io.BytesIO(b"x"), 1)
    except S3Error as error:
        return str(error.code)
    raise AssertionError("no S3Error")


def exchanges() -> Iterator[Exchange]:
    """Yield what minio-py sends."""
    yield "S3: put, get, stat, list, remove with odd keys", objects
    yield "S3: presigned PUT and GET, session token", presigned
    yield "S3: wrong secret", wrong_secret


if __name__ == "__main__":
    run("minio-py", exchanges(), packages=["minio"])
