"""boto3 uploads in every form it knows, and reads back what it sent."""

from __future__ import annotations

import hashlib
import io
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.uploads.boto3_client import s3_client
from tests.uploads.forms import SENT
from tests.uploads.running import BUCKET
from tests.uploads.running import Served

ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
MEBIBYTE = 1024 * 1024


def content(seed: str, size: int) -> bytes:
    """Return *size* bytes that are always the same for *seed*."""
    return random.Random(seed).randbytes(size)


def md5(data: bytes) -> str:
    """Return the MD5 of *data*."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 3 * MEBIBYTE], ids=["empty", "one byte", "3 MiB"])
@pytest.mark.parametrize("as_file", [False, True], ids=["bytes", "file"])
def test_put_object_with_all_defaults(either: Served, size: int, as_file: bool) -> None:
    """A put without any setting is an unsigned trailer over https and a signed hash over http."""
    key = f"defaults {size} {as_file}"
    data = content(key, size)
    with s3_client(either) as s3:
        put = s3.put_object(Bucket=BUCKET, Key=key, Body=io.BytesIO(data) if as_file else data)
        assert put["ETag"] == f'"{md5(data)}"'
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == data
    check_form(either, key, "x-amz-checksum-crc32")


def check_form(server: Served, key: str, checksum: str) -> None:
    """Fail unless *key* was sent with *checksum*, as boto3 does by default."""
    (note,) = server.notes(key)
    assert note["form"] == SENT["boto3", server.scheme]
    if server.scheme == "https":
        assert note["trailer"] == checksum
    else:
        assert note["checksums"] == [checksum]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_put_object_with_each_checksum(either: Served, algorithm: str) -> None:
    """Each checksum that boto3 offers goes in the trailer over https, in a header over http."""
    key = f"checksum {algorithm}"
    data = content(key, 100_000)
    with s3_client(either) as s3:
        s3.put_object(Bucket=BUCKET, Key=key, Body=data, ChecksumAlgorithm=algorithm)
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == data
    check_form(either, key, f"x-amz-checksum-{algorithm.lower()}")


REQUIRED = {"request_checksum_calculation": "when_required"}


@pytest.mark.parametrize(
    ("options", "what"),
    [
        # The checksum that boto3 adds by default goes before the wish to sign the payload.
        ({"s3": {"payload_signing_enabled": True}}, "`payload_signing_enabled`"),
        (
            {**REQUIRED, "s3": {"payload_signing_enabled": True}},
            "checksums `when_required`, `payload_signing_enabled`",
        ),
        (
            {**REQUIRED, "s3": {"payload_signing_enabled": False}},
            "checksums `when_required`, no `payload_signing_enabled`",
        ),
    ],
    ids=["signed", "signed without checksum", "neither"],
)
def test_put_object_with_other_settings(secure: Served, options: dict[str, Any], what: str) -> None:
    """Over https, a put without a checksum signs the hash of its body, or nothing of it."""
    data = content(what, 100_000)
    with s3_client(secure, **options) as s3:
        s3.put_object(Bucket=BUCKET, Key=what, Body=data)
        assert s3.get_object(Bucket=BUCKET, Key=what)["Body"].read() == data
    assert secure.forms(what) == {SENT[f"boto3, {what}", "https"]}


def test_wrong_checksum_is_refused(either: Served) -> None:
    """An object with another checksum than it was sent with is refused, and is not there."""
    with s3_client(either) as s3:
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket=BUCKET, Key="wrong", Body=b"content", ChecksumCRC32="AAAAAA==")
        assert caught.value.response["Error"]["Code"] == "BadDigest"
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket=BUCKET, Key="wrong")
        assert caught.value.response["Error"]["Code"] == "NoSuchKey"


def test_overwritten_object_is_one_of_those_sent(plain: Served) -> None:
    """Readers of an object that several clients replace all the time never see it half written."""

    def write(number: int) -> None:
        data = content(f"version {number}", 200_000 + number)
        s3.put_object(Bucket=BUCKET, Key="contended", Body=data)

    def read() -> None:
        found = s3.get_object(Bucket=BUCKET, Key="contended")
        assert found["ETag"] == f'"{md5(found["Body"].read())}"'

    with s3_client(plain) as s3, ThreadPoolExecutor(8) as threads:
        write(0)
        running = [
            threads.submit(*call) for n in range(1, 31) for call in ((write, n), (read,), (read,))
        ]
        for future in running:
            future.result(120)


@pytest.mark.slow
def test_multipart_upload_with_threads(plain: Served, tmp_path: Path) -> None:
    """A file of 200 MB goes there and back in parts by 8 threads, and is the same."""
    check_big_file(plain, tmp_path, size=200_000_000)


@pytest.mark.slow
def test_multipart_upload_with_threads_over_https(secure: Served, tmp_path: Path) -> None:
    """A file of 50 MB in parts with trailing checksums is the same when it comes back."""
    check_big_file(secure, tmp_path, size=50_000_000)


def check_big_file(server: Served, folder: Path, *, size: int) -> None:
    """Upload and download a file of *size* in parts, and compare."""
    there, back = folder / "there", folder / "back"
    data = content("big", size)
    there.write_bytes(data)
    parts = [md5(data[at : at + 8 * MEBIBYTE]) for at in range(0, size, 8 * MEBIBYTE)]
    config = TransferConfig(max_concurrency=8)
    with s3_client(server) as s3:
        s3.upload_file(str(there), BUCKET, "big", Config=config)
        head = s3.head_object(Bucket=BUCKET, Key="big")
        s3.download_file(BUCKET, "big", str(back), Config=config)
        s3.delete_object(Bucket=BUCKET, Key="big")
    assert head["ETag"] == f'"{md5(bytes.fromhex("".join(parts)))}-{len(parts)}"'
    assert back.read_bytes() == data
    os.unlink(back)
    assert server.forms("big") == {SENT["boto3", server.scheme]}
    assert len(server.notes("big")) == len(parts)
    assert len([n for n in server.notes("big", "GET") if n["status"] == 206]) == len(parts)
    assert list((server.bucket / "uploads").iterdir()) == []
