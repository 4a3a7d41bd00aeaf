"""The S3 client of awscrt, which sends parts of a file at once, with checksums of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from awscrt.auth import AwsCredentialsProvider
from awscrt.http import HttpHeaders
from awscrt.http import HttpRequest
from awscrt.io import ClientBootstrap
from awscrt.io import ClientTlsContext
from awscrt.io import TlsContextOptions
from awscrt.s3 import S3ChecksumAlgorithm
from awscrt.s3 import S3ChecksumConfig
from awscrt.s3 import S3ChecksumLocation
from awscrt.s3 import S3Client
from awscrt.s3 import S3RequestTlsMode
from awscrt.s3 import S3RequestType
from awscrt.s3 import create_default_s3_signing_config

from tests.uploads.forms import SENT
from tests.uploads.running import ACCESS_KEY_ID
from tests.uploads.running import BUCKET
from tests.uploads.running import REGION
from tests.uploads.running import SECRET
from tests.uploads.running import Served
from tests.uploads.test_boto3 import MEBIBYTE
from tests.uploads.test_boto3 import content

#: Seconds that a transfer may take.
PATIENCE = 120


def client(server: Served) -> S3Client:
    """Return a client that sends parts of 5 MiB."""
    provider = AwsCredentialsProvider.new_static(ACCESS_KEY_ID, SECRET)
    tls = None
    if server.authority is not None:
        options = TlsContextOptions()
        options.override_default_trust_store_from_path(None, str(server.authority))
        tls = ClientTlsContext(options).new_connection_options()
    return S3Client(
        bootstrap=ClientBootstrap.get_or_create_static_default(),
        region=REGION,
        signing_config=create_default_s3_signing_config(
            region=REGION, credential_provider=provider
        ),
        tls_mode=S3RequestTlsMode.ENABLED if tls else S3RequestTlsMode.DISABLED,
        tls_connection_options=tls,
        part_size=5 * MEBIBYTE,
        multipart_upload_threshold=5 * MEBIBYTE,
    )


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", None])
@pytest.mark.parametrize("size", [100_000, 12 * MEBIBYTE], ids=["small", "parts"])
def test_awscrt_s3_client(either: Served, algorithm: str | None, size: int, tmp_path: Path) -> None:
    """A file goes there with each checksum in a trailer, or with none, and comes back."""
    key = f"crt-{algorithm}-{size}"
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(content(key, size))
    checksums = None
    if algorithm is not None:
        checksums = S3ChecksumConfig(
            algorithm=S3ChecksumAlgorithm[algorithm], location=S3ChecksumLocation.TRAILER
        )
    s3 = client(either)
    host = [("Host", either.host)]
    put = [*host, ("Content-Length", str(size))]
    s3.make_request(
        type=S3RequestType.PUT_OBJECT,
        request=HttpRequest("PUT", f"/{BUCKET}/{key}", HttpHeaders(put)),
        send_filepath=str(there),
        checksum_config=checksums,
    ).finished_future.result(PATIENCE)
    s3.make_request(
        type=S3RequestType.GET_OBJECT,
        request=HttpRequest("GET", f"/{BUCKET}/{key}", HttpHeaders(host)),
        recv_filepath=str(back),
    ).finished_future.result(PATIENCE)
    del s3
    assert back.read_bytes() == there.read_bytes()
    what = "a checksum" if algorithm else "no checksum"
    assert either.forms(key) == {SENT[f"awscrt's S3 client, {what}", either.scheme]}
    trailer = f"x-amz-checksum-{algorithm.lower()}" if algorithm else ""
    assert {note["trailer"] for note in either.notes(key)} == {trailer}
    assert len(either.notes(key)) == (1 if size < 5 * MEBIBYTE else 3)
