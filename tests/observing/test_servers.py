"""Shadow mode under real servers: the service reads what the client sent, whatever the verdict."""

from __future__ import annotations

import hashlib
import http.client
import sys
from collections.abc import Iterator

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from tests.servers.processes import free_port
from tests.servers.processes import running

pytestmark = pytest.mark.servers

BODY = bytes(range(256)) * 8192
SERVERS = {
    "gunicorn": ("-m", "gunicorn", "--threads", "2", "--bind", "127.0.0.1:{port}", "{app}"),
    "waitress": ("-m", "waitress", "--listen", "127.0.0.1:{port}", "{app}"),
}


@pytest.fixture(scope="module", params=SERVERS)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the service."""
    found = free_port()
    words = [
        word.format(port=found, app="tests.observing.reported:app")
        for word in SERVERS[request.param]
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    with running([sys.executable, *words], port=found, log=log, environment={}):
        yield found


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(BODY, "accepted", id="right"),
        pytest.param(BODY[:-1] + b"x", "PayloadHashMismatch", id="wrong"),
        pytest.param(BODY * 3, "BodyTooLarge", id="too large"),
        pytest.param(b"", "PayloadHashMismatch", id="empty"),
    ],
)
def test_body_arrives(port: int, sent: bytes, expected: str, chunked: bool) -> None:
    """Right, wrong, too large or cut: the service reads all of it, and the connection goes on."""
    request = AWSRequest("PUT", f"http://127.0.0.1:{port}/key", data=BODY)
    S3SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), "s3", "us-east-1").add_auth(request)
    headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for _ in range(2):
            pieces = iter([sent[:70_000], sent[70_000:]]) if chunked else sent
            connection.request("PUT", "/key", pieces, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            assert answer.read().decode() == hashlib.sha256(sent).hexdigest()
            assert answer.headers["X-Verdict"] == expected
    finally:
        connection.close()
