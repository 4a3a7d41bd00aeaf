"""HAR files written by hand after the specification; test_recordings has those of programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth

from tests.command.conftest import Command
from tests.command.files import Write
from tests.command.files import fault
from tests.command.files import good
from tests.command.files import har
from tests.command.files import har_request
from tests.core.messages import Message
from tests.core.oracles import sign_with_botocore
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.har import read_har
from wsgi_sigv4.command.saved import SavedRequest

UNSIGNED = {"method": "GET", "url": "https://other.example/", "headers": []}


def read(request: object) -> SavedRequest:
    """Return the only request of a HAR file."""
    (found,) = read_har(har(request))
    return good(found)


def headers(named: dict[str, str]) -> dict[str, Any]:
    """Return the headers of a request."""
    return {"headers": [{"name": name, "value": value} for name, value in named.items()]}


@pytest.mark.parametrize(
    ("auth", "service", "body"),
    [
        pytest.param(SigV4Auth, "items", b"", id="GET"),
        pytest.param(SigV4Auth, "items", bytes(range(256)), id="a body of bytes"),
        pytest.param(S3SigV4Auth, "s3", b"photo", id="S3"),
        pytest.param(SigV4QueryAuth, "items", b"", id="presigned"),
    ],
)
def test_signed_entry_is_accepted(
    command: Command, saved: Write, auth: type, service: str, body: bytes
) -> None:
    """What botocore signed and a browser saved is accepted, the first signed entry unasked."""
    signed = sign_with_botocore(
        auth, "POST", "/a%20b?x=%2F", service=service, body=body, headers=[("X-Amz-A", "b")]
    )
    file = saved(har(UNSIGNED, har_request(signed.message)))
    ran = command("verify", "--json", file)
    assert ran.code == 0
    assert (ran.json["format"], ran.json["entry"]) == ("har", 2)
    assert command("verify", "--entry", 1, file).code == 1


def test_path_of_the_wire_goes_before_the_url() -> None:
    """Where a browser writes :path, that is what was sent."""
    request = har_request(Message.of(target="/a/%7e"))
    request["url"] = "https://api.example.com/a/~#top"
    assert read(request).target == b"/a/%7e"
    request["headers"] = []
    assert read(request).target == b"/a/~"
    assert read(request).headers == ((b"Host", b"api.example.com"),)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("a", b"a", id="ASCII"),
        pytest.param("\u00c3\u00a9", b"\xc3\xa9", id="bytes of UTF-8, as Chromium"),
        pytest.param("\u00e9", b"\xc3\xa9", id="text, as mitmproxy"),
        pytest.param("\udce9", b"\xe9", id="no UTF-8, as mitmproxy"),
        pytest.param("€", "€".encode(), id="no byte"),
        pytest.param("", b"", id="nothing"),
    ],
)
def test_header_value(text: str, value: bytes) -> None:
    """The bytes of a value are found, however they were made characters of."""
    assert read(UNSIGNED | headers({"X-Note": text})).values(b"x-note") == [value]


def test_text_in_a_url_is_encoded() -> None:
    """A URL that a tool has decoded is encoded as UTF-8, and its escapes stay."""
    assert read({"method": "GET", "url": "http://a/é/%2f?ü"}).target == b"/%C3%A9/%2f?%C3%BC"


@pytest.mark.parametrize(
    ("more", "body", "is_doubted"),
    [
        pytest.param({}, b"", False, id="none"),
        pytest.param({"bodySize": -1}, b"", False, id="of unknown size"),
        pytest.param({"bodySize": 3}, None, True, id="left out"),
        pytest.param({"postData": {"params": [{"name": "a"}]}}, None, True, id="parameters"),
        pytest.param({"postData": {"text": "e"}}, b"e", False, id="text"),
        pytest.param({"postData": {"text": "é"}}, "é".encode(), True, id="text in some charset"),
        pytest.param({"postData": {"text": "é"}, "bodySize": 1}, b"\xe9", False, id="bytes"),
        pytest.param({"postData": {"text": "é"}, "bodySize": 9}, None, True, id="size"),
        pytest.param({"postData": {"text": "€"}, "bodySize": 3}, "€".encode(), False, id="UTF-8"),
        pytest.param({"postData": {"text": ""}, "bodySize": 3}, None, True, id="no text"),
        pytest.param(
            {"postData": {"text": "", "_file": "a/b"}, "bodySize": 3}, None, True, id="up"
        ),
        pytest.param(
            {"postData": {"text": "\udcff"}, "bodySize": 1}, b"\xff", False, id="no UTF-8"
        ),
        pytest.param(
            {"postData": {"text": "\ufffd"}, "bodySize": 3}, "\ufffd".encode(), True, id="replaced"
        ),
        pytest.param(
            {"postData": {"text": "a"}, **headers({"Content-Encoding": "gzip"})},
            *(b"a", True),
            id="decoded",
        ),
        pytest.param(headers({"Transfer-Encoding": "chunked"}), None, True, id="chunks left out"),
        pytest.param(headers({"Content-Length": "0"}), b"", False, id="none, it is said"),
        pytest.param(headers({"X-Amz-Content-Sha256": "0" * 64}), None, True, id="not none"),
        pytest.param(
            {
                "postData": {"text": "\ufffd"},
                **headers({"Content-Length": "3", "X-Amz-Content-Sha256": "0" * 64}),
            },
            *(None, True),
            id="replaced, and declared",
        ),
        pytest.param(
            {"postData": {"text": "YQ==", "encoding": "base64"}}, b"a", False, id="base64"
        ),
        pytest.param(
            {"postData": {"text": "YQ==", "_encoding": "base64"}}, b"a", False, id="as Firefox"
        ),
        pytest.param(
            {**headers({"Content-Length": "2"}), "bodySize": 0},
            None,
            True,
            id="Content-Length",
        ),
    ],
)
def test_bodies(more: dict[str, Any], body: bytes | None, is_doubted: bool) -> None:
    """A body is what was sent, or unknown, and what is in doubt is said."""
    found = read(UNSIGNED | more)
    assert (found.body, found.body_doubt is not None) == (body, is_doubted)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"\xff{}",
        b"[]",
        b"{}",
        b'{"log": {"entries": []}}',
        b'{"log": {"entries": {"a": 1}}}',
        b'{"log": 1}',
        b"[" * 200_000,
        b'{"log": ' + b"1" * 10_000 + b"}",
    ],
    ids=range(9),
)
def test_what_is_no_har_file(data: bytes) -> None:
    """JSON of another kind, and what is none, however deep, is told as such."""
    with pytest.raises(UnreadableInput):
        list(read_har(data))


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"method": 1, "url": "http://a/"},
        {"method": "GET", "url": "http://a/\ud800"},
        {"method": "GET", "url": "http://a/", "headers": [{"name": "a"}]},
        {"method": "GET", "url": "http://a/", "headers": [3]},
        {"method": "GET", "url": "http://a/", "headers": [{"name": "a", "value": "\udfff"}]},
        {"method": "GET", "url": "http://a/", "postData": {"text": "\ud800"}},
        {"method": "GET", "url": "/", "postData": {"text": "%", "encoding": "base64"}},
    ],
    ids=range(9),
)
def test_broken_entry_hides_no_other(
    command: Command, saved: Write, request_: dict[str, Any] | None
) -> None:
    """An entry that is no request is told when it is asked for, and passed over else."""
    first, second = read_har(har(request_, UNSIGNED))
    assert fault(first).startswith("entry 1: ")
    assert good(second).method == "GET"
    signed = sign_with_botocore(SigV4Auth).message
    file = saved(har(request_, har_request(signed)))
    assert command("verify", file).code == 0
    ran = command("verify", "--entry", 1, file)
    assert (ran.code, ran.out) == (3, "")
    assert "entry 1: " in ran.err


def test_entry_that_is_not_there(command: Command, saved: Write) -> None:
    """Asked for an entry after the last, the command says which is the last."""
    ran = command("verify", "--entry", 3, saved(har(UNSIGNED, UNSIGNED)))
    assert (ran.code, ran.err.endswith("there is no request 3: the last one is 2\n")) == (3, True)


def test_har_file_in_a_zip_file(command: Command, saved: Write) -> None:
    """A HAR file that is packed is not read, and the user is told what to do."""
    ran = command("verify", saved(b"PK\x03\x04..."))
    assert (ran.code, ran.err.endswith("give the .har file that is in it\n")) == (3, True)


def test_har_with_a_bom_is_one(command: Command, saved: Write) -> None:
    """A byte order mark before the JSON does no harm."""
    signed = har(har_request(sign_with_botocore(SigV4Auth).message))
    assert command("verify", saved(b"\xef\xbb\xbf" + signed)).code == 0
    assert json.loads(signed)["log"]["version"] == "1.2"
