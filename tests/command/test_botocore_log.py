"""Debug logs of botocore: made here by boto3, and broken ones."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import AUTH_TYPE_MAPS
from botocore.auth import S3SigV4Auth
from botocore.auth import SigV4Auth
from botocore.config import Config

from tests.command.conftest import Command
from tests.command.files import Write
from tests.command.files import fault
from tests.command.files import good
from tests.command.serving import answering
from tests.core.oracles import TOKEN
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4.command.botocore_log import canonical_request_in
from wsgi_sigv4.command.botocore_log import read_botocore_log
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.saved import MAX_HEAD

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
NO_CONTENT = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n'


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Have botocore log as boto3.set_stream_logger("") does, into this."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s [%(levelname)s] %(message)s"))
    logger = logging.getLogger("botocore")
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)
    logger.propagate = propagate


@pytest.fixture
def _signs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have botocore sign itself, as it does where awscrt is not installed."""
    monkeypatch.setitem(AUTH_TYPE_MAPS, "v4", SigV4Auth)
    monkeypatch.setitem(AUTH_TYPE_MAPS, "s3v4", S3SigV4Auth)


def ask(service: str, answer: bytes, call: Callable[[Any], object], token: str | None) -> None:
    """Have boto3 do *call* with a client of *service*, against a server of our own."""
    with answering(answer) as port:
        client = boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET,
            aws_session_token=token,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        call(client)
        client.close()


def put(client: Any) -> None:
    """Put an object whose bytes need escapes in a log."""
    client.put_object(Bucket="b", Key="k", Body=b"\x00'\"\xff")


CALLS = [
    pytest.param("s3", OK, lambda c: c.head_object(Bucket="b", Key="a b/é"), None, id="S3 HEAD"),
    pytest.param(
        *(
            "s3",
            NO_CONTENT,
            lambda c: c.put_object(Bucket="b", Key="k", Body=b"\x00'\"\xff"),
            TOKEN,
        ),
        id="S3 PUT",
    ),
    pytest.param("dynamodb", OK, lambda c: c.list_tables(Limit=3), None, id="DynamoDB"),
    pytest.param("dynamodb", OK, lambda c: c.list_tables(), TOKEN, id="DynamoDB, token"),
    pytest.param("lambda", OK, lambda c: c.list_functions(MaxItems=3), None, id="Lambda"),
]


@pytest.mark.usefixtures("_signs_itself")
@pytest.mark.parametrize(("service", "answer", "call", "token"), CALLS)
def test_log_of_boto3_is_accepted(
    command: Command,
    saved: Write,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    answer: bytes,
    call: Callable[[Any], object],
    token: str | None,
) -> None:
    """What boto3 logs of a request is accepted, and signed as the server says it must be."""
    ask(service, answer, call, token)
    if token is not None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    ran = command("explain", "--json", saved(log.getvalue().encode()))
    assert (ran.code, ran.json["format"]) == (0, "botocore")
    assert ran.json["client_canonical_request"] == {"compared": True, "difference": None}


@pytest.mark.parametrize(("service", "answer", "call", "token"), CALLS)
def test_log_of_awscrt_is_accepted(
    command: Command,
    saved: Write,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    answer: bytes,
    call: Callable[[Any], object],
    token: str | None,
) -> None:
    """Where awscrt signs for boto3 and logs nothing, the request alone is enough."""
    ask(service, answer, call, token)
    if token is not None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    assert command("verify", saved(log.getvalue().encode())).code == 0


@pytest.mark.usefixtures("_signs_itself")
def test_other_path_is_marked(command: Command, saved: Write, log: io.StringIO) -> None:
    """Where the server sees another path, the line and the column in which it differs are told."""
    ask("lambda", OK, lambda client: client.list_functions(), None)
    ran = command("explain", "--json", "--path-prefix", "/api", saved(log.getvalue().encode()))
    assert ran.code == 1
    assert ran.json["client_canonical_request"]["difference"] == {
        "line": 2,
        "what": "canonical URI",
        "column": 2,
        "client": "/2015-03-31/functions",
        "server": "/api/2015-03-31/functions",
    }


@pytest.mark.usefixtures("_signs_itself")
def test_log_of_signing_alone_is_half_of_it(
    command: Command, saved: Write, log: io.StringIO
) -> None:
    """Without the request, a log is good for the canonical request in it alone."""
    ask("lambda", OK, lambda client: client.list_functions(), None)
    kept = re.sub(r".*AWSPreparedRequest.*\n", "", log.getvalue()).encode()
    ran = command("explain", saved(kept))
    assert ran.code == 3
    assert "boto3.set_stream_logger('')" in ran.err
    found = canonical_request_in(kept) or b""
    assert found.startswith(b"GET\n/2015-03-31/functions\n\nhost:127.0.0.1:")
    assert found.endswith(
        b"\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


LINE = (
    "Sending http request: <AWSPreparedRequest stream_output=False, method=PUT, "
    "url=https://h.example:443/a?b=c, headers={%s}>\n"
)


def test_log_without_a_canonical_request_is_none(command: Command, saved: Write) -> None:
    """Where awscrt has signed, a log is not taken for a canonical request itself."""
    file = saved((LINE * 6 % (("",) * 6)).encode())
    ran = command("explain", "--client-canonical-request", file, file)
    assert (ran.code, ran.out) == (3, "")
    assert "no canonical request" in ran.err


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("'A': b'b'", [(b"A", b"b")]),
        (r"'A': b'\x41\\\'\n', 'B': 'é\u00e9'", [(b"A", b"A\\'\n"), (b"B", "éé".encode())]),
        (r"""'A': "it's", "B": '\U0001f600'""", [(b"A", b"it's"), (b"B", "\U0001f600".encode())]),
        ("'A': <object>, 'B'", [(b"A", b"B")]),
        ("", []),
    ],
)
def test_headers_of_a_line(headers: str, expected: list[tuple[bytes, bytes]]) -> None:
    """Names and values are read as Python writes them, without running anything."""
    (found,) = read_botocore_log((LINE % headers).encode())
    assert good(found).headers == ((b"Host", b"h.example"), *expected)
    assert good(found).target == b"/a?b=c"


def test_body_that_was_not_signed_is_not_believed() -> None:
    """A body in the log whose hash is not the signed one is not taken for what was sent."""
    made = "Making request for OperationModel with params: {'body': b'a', 'url': 'x'}\n"
    canonical = "CanonicalRequest:\nPUT\n/\n\nhost:a\n\nhost\n" + "0" * 64 + "\n"
    line = LINE % "'Content-Length': '1'"
    (found,) = read_botocore_log((made + canonical + line).encode())
    assert good(found).body is None
    assert good(found).body_doubt == "the log does not hold the body: give --body-file"


@pytest.mark.parametrize(
    "data",
    [
        b"CanonicalRequest:\nGET\n/\n",
        b"<AWSPreparedRequest stream_output=False, method=GET>\n",
        b"CanonicalRequest:\n" * 3,
        b"Making request for x\nCanonicalRequest:\n",
    ],
    ids=range(4),
)
def test_log_without_a_request(data: bytes) -> None:
    """A log in which nothing was sent is told as such."""
    with pytest.raises(UnreadableInput):
        list(read_botocore_log(data))
    assert canonical_request_in(data) is None


def test_long_lines_are_read_in_time() -> None:
    """Lines made to be searched again and again are not."""
    data = b"<AWSPreparedRequest stream_output=False, method=GET, url=a, headers={" * 20_000
    with pytest.raises(UnreadableInput):
        list(read_botocore_log(data + b"\n" + b"Making request for 'body': " * 50_000))
    (found,) = read_botocore_log((LINE % (r"\'" * 400_000)).encode())
    assert good(found).headers == ((b"Host", b"h.example"),)


def test_endless_headers_are_refused() -> None:
    """Headers that no server takes are not read."""
    (found,) = read_botocore_log((LINE % ("'A': b'" + "b" * MAX_HEAD + "'")).encode())
    assert fault(found).startswith("the headers in the log are larger")
