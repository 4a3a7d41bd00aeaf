"""Other clients of S3 use the bucket as their users do, each with its own form of upload."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject

from tests.servers.processes import ROOT
from tests.uploads.boto3_client import s3_client
from tests.uploads.forms import SENT
from tests.uploads.running import ACCESS_KEY_ID
from tests.uploads.running import BUCKET
from tests.uploads.running import REGION
from tests.uploads.running import SECRET
from tests.uploads.running import Served
from tests.uploads.test_boto3 import MEBIBYTE
from tests.uploads.test_boto3 import content

#: Seconds that a program may take.
PATIENCE = 120
AWS = ROOT / ".venv-awscli" / "bin" / "aws"
#: Larger than a part of any client that sends parts by default.
BIG = 17 * MEBIBYTE


def program(name: str) -> str:
    """Return the path of a program; the test is skipped where it is not installed."""
    found = str(AWS) if name == "aws" and AWS.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}")
    return found


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a program with nothing of the user's own configuration, and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below *folder*."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with files: small, odd, empty and larger than a part."""
    folder = tmp_path / "source"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "plain.txt").write_bytes(b"plain")
    (folder / "deep" / "a b+c é%20.txt").write_bytes(content("odd", 100_000))
    (folder / "deep" / "er" / "empty").write_bytes(b"")
    (folder / "big").write_bytes(content("big", BIG))
    for path in folder.rglob("*"):
        # Older than any copy: LastModified has no fractions, and aws would copy once more.
        os.utime(path, (1_600_000_000, 1_600_000_000))
    return folder


@contextmanager
def minio_client(server: Served) -> Iterator[Minio]:
    """Yield minio-py's client."""
    with urllib3.PoolManager(
        retries=False, ca_certs=None if server.authority is None else str(server.authority)
    ) as pool:
        yield Minio(
            server.host,
            access_key=ACCESS_KEY_ID,
            secret_key=SECRET,
            secure=server.authority is not None,
            region=REGION,
            http_client=pool,
        )


def test_minio(either: Served) -> None:
    """minio-py puts objects, also in parts and of unknown length, and lists and removes them."""
    data = content("minio", 12 * MEBIBYTE)
    with minio_client(either) as minio:
        assert minio.bucket_exists(BUCKET)
        assert not minio.bucket_exists("another")
        minio.put_object(BUCKET, "minio/a b+é", io.BytesIO(b"content"), 7, metadata={"a": "b"})
        minio.put_object(BUCKET, "minio/parts", io.BytesIO(data), len(data), part_size=5 * MEBIBYTE)
        minio.put_object(BUCKET, "minio/unknown", io.BytesIO(data), -1, part_size=5 * MEBIBYTE)
        for key in ("minio/parts", "minio/unknown"):
            assert got(minio, key) == data
        assert got(minio, "minio/parts", offset=7_000_000, length=9) == data[7_000_000:7_000_009]
        found = minio.stat_object(BUCKET, "minio/a b+é")
        assert found.metadata is not None
        assert found.metadata["x-amz-meta-a"] == "b"
        keys = [o.object_name for o in minio.list_objects(BUCKET, "minio/", recursive=True)]
        assert keys == ["minio/a b+é", "minio/parts", "minio/unknown"]
        assert [o.object_name for o in minio.list_objects(BUCKET, "min")] == ["minio/"]
        doomed = [DeleteObject(key or "") for key in keys]
        assert list(minio.remove_objects(BUCKET, doomed)) == []
        assert list(minio.list_objects(BUCKET, "minio/")) == []
    assert either.forms("minio/a b+é") == {SENT["minio-py", either.scheme]}
    assert either.forms("minio/parts") == {SENT["minio-py", either.scheme]}


def got(minio: Minio, key: str, *, offset: int = 0, length: int = 0) -> bytes:
    """Return an object, or a part of it."""
    answer = minio.get_object(BUCKET, key, offset=offset, length=length)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def test_aws_cli(either: Served, source: Path, tmp_path: Path) -> None:
    """aws s3 copies, lists, synchronises in both directions and deletes, in parts where it does."""
    aws = [program("aws"), "--endpoint-url", either.url]
    if either.authority is not None:
        aws += ["--ca-bundle", str(either.authority)]

    def s3(*arguments: str) -> str:
        return run(tmp_path, *aws, "s3", *arguments)

    s3("sync", str(source), f"s3://{BUCKET}/cli")
    assert "plain.txt" in s3("ls", f"s3://{BUCKET}/cli/")
    (source / "plain.txt").unlink()
    s3("sync", "--delete", str(source), f"s3://{BUCKET}/cli")
    s3("sync", f"s3://{BUCKET}/cli", "back")
    assert tree(tmp_path / "back") == tree(source)
    s3("cp", f"s3://{BUCKET}/cli/big", "one")
    assert (tmp_path / "one").read_bytes() == content("big", BIG)
    s3("rm", "--recursive", f"s3://{BUCKET}/cli")
    with s3_client(either) as client:
        assert client.list_objects_v2(Bucket=BUCKET, Prefix="cli/")["KeyCount"] == 0
    for key in ("cli/plain.txt", "cli/big"):
        assert either.forms(key) == {SENT["AWS CLI 1", either.scheme]}
    assert len(either.notes("cli/big")) == 3


def test_s3cmd(plain: Served, source: Path, tmp_path: Path) -> None:
    """s3cmd puts, gets, lists, synchronises in both directions and deletes."""
    s3cmd = [program("s3cmd"), "--no-ssl", f"--host={plain.host}", f"--host-bucket={plain.host}"]
    s3cmd += [f"--access_key={ACCESS_KEY_ID}", f"--secret_key={SECRET}", f"--region={REGION}"]
    s3cmd += ["--config=/dev/null", "--no-progress"]

    def s3(*arguments: str) -> str:
        return run(tmp_path, *s3cmd, *arguments)

    s3("sync", f"{source}/", f"s3://{BUCKET}/s3cmd/")
    assert "s3cmd/plain.txt" in s3("ls", f"s3://{BUCKET}/s3cmd/")
    (tmp_path / "back").mkdir()
    s3("sync", f"s3://{BUCKET}/s3cmd/", "back/")
    assert tree(tmp_path / "back") == tree(source)
    s3("get", f"s3://{BUCKET}/s3cmd/big", "one")
    assert (tmp_path / "one").read_bytes() == content("big", BIG)
    s3("del", "--recursive", "--force", f"s3://{BUCKET}/s3cmd/")
    assert s3("ls", "--recursive", f"s3://{BUCKET}/s3cmd/") == ""
    assert plain.forms("s3cmd/plain.txt") == {SENT["s3cmd", "http"]}
    assert len(plain.notes("s3cmd/big")) == 2


def test_restic(plain: Served, source: Path, tmp_path: Path) -> None:
    """restic makes a repository, backs up, checks all of it and restores, by signed chunks."""
    restic = [program("restic"), "--no-cache", "--repo", f"s3:{plain.url}/{BUCKET}/restic"]
    for arguments in (
        ["init"],
        ["backup", "."],
        ["check", "--read-data"],
        ["restore", "latest", "--target", str(tmp_path / "back")],
    ):
        run(source, *restic, *arguments, RESTIC_PASSWORD="password")
    assert tree(tmp_path / "back") == tree(source)
    packs = [path for path in paths(plain) if path.startswith("restic/data/")]
    assert packs != []
    assert {form for path in packs for form in plain.forms(path)} == {SENT["restic", "http"]}


def paths(server: Served) -> set[str]:
    """Return the keys that something was put under."""
    return {note["path"].split("/", 2)[2] for note in server.all_notes() if note["method"] == "PUT"}


def test_rclone(either: Served, source: Path, tmp_path: Path) -> None:
    """rclone copies there, checks and copies back, and deletes."""
    rclone = [program("rclone"), "--config=/dev/null", "--s3-provider=Other"]
    rclone += [f"--s3-endpoint={either.url}", "--s3-env-auth", f"--s3-region={REGION}"]
    rclone += ["--s3-upload-cutoff=8M", "--s3-chunk-size=5M", "--retries=1"]
    if either.authority is not None:
        rclone += ["--ca-cert", str(either.authority)]
    remote = f":s3:{BUCKET}/rclone"
    run(tmp_path, *rclone, "copy", str(source), remote)
    run(tmp_path, *rclone, "check", "--download", str(source), remote)
    run(tmp_path, *rclone, "sync", remote, "back")
    assert tree(tmp_path / "back") == tree(source)
    assert "plain.txt" in run(tmp_path, *rclone, "lsf", remote)
    run(tmp_path, *rclone, "purge", remote)
    assert "rclone/" not in run(tmp_path, *rclone, "lsf", f":s3:{BUCKET}")
    assert either.forms("rclone/plain.txt") == {SENT["rclone", either.scheme]}
    assert either.forms("rclone/big") == {SENT["rclone, in parts", either.scheme]}
    assert {tuple(note["checksums"]) for note in either.notes("rclone/big")} == {("content-md5",)}
