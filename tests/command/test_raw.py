"""Raw requests: what proxies and the corpus hold, and what is no request."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.command.conftest import Command
from tests.command.files import Write
from tests.command.files import good
from tests.command.files import raw
from tests.core.messages import Message
from tests.core.records import CORPUS
from tests.core.records import records
from tests.core.signing import GENERIC_SIGNER
from tests.core.test_corpus import POLICY
from wsgi_sigv4 import Credentials
from wsgi_sigv4.command.faults import UnreadableInput
from wsgi_sigv4.command.inputs import choose_request
from wsgi_sigv4.command.judging import Server
from wsgi_sigv4.command.judging import judge
from wsgi_sigv4.command.keys import Keys
from wsgi_sigv4.command.raw import read_raw
from wsgi_sigv4.command.saved import MAX_HEAD
from wsgi_sigv4.command.saved import SavedRequest


def read(data: bytes) -> SavedRequest:
    """Return the request that *data* is."""
    (found,) = read_raw(data)
    return good(found)


def test_corpus_is_read_and_accepted(tmp_path: Path) -> None:
    """Each request of the corpus is read as another parser reads it, and the good are accepted."""
    wire = {}
    for path in CORPUS.glob("*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            entry = json.loads(line)
            wire[entry["id"]] = base64.b64decode(entry["raw_base64"])
    refused = []
    for record in records():
        file = tmp_path / "request"
        file.write_bytes(wire[record.id])
        chosen = choose_request(str(file), format=None, entry=None)
        message, saved = record.message, chosen.saved
        assert (saved.method, saved.path, saved.query) == (
            *(message.method, message.path, message.query),
        )
        assert (saved.headers, saved.body) == (message.headers, message.body)
        credentials = Credentials(record.secret_access_key, session_token=record.session_token)
        keys = Keys(credentials={record.access_key_id: credentials})
        if record.expected == "accept" and record.id not in POLICY:
            judgement = judge(chosen, Server(keys=keys))
            if not judgement.explanation.accepted:
                refused.append(record.id)
    assert refused == []


SIGNED = Message.of("POST", "/items?q=1", body=b"a=1\n")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda data: data, 0, id="as sent"),
        pytest.param(lambda data: b"\xef\xbb\xbf\r\n" + data, 0, id="BOM and an empty line"),
        pytest.param(lambda data: data.replace(b"\r\n", b"\n"), 0, id="LF"),
        pytest.param(lambda data: data.replace(b"HTTP/1.1", b"HTTP/2"), 0, id="HTTP/2"),
        pytest.param(
            lambda data: data.replace(b" /items", b" https://api.example.com:443/items"),
            0,
            id="the absolute form",
        ),
        pytest.param(
            lambda data: data.replace(b"Host:", b":authority:"), 0, id="pseudo-header for Host"
        ),
        pytest.param(lambda data: data.replace(b"q=1", b"q=2"), 1, id="another query"),
        pytest.param(lambda data: data.replace(b"a=1\n", b"a=2\n"), 1, id="another body"),
    ],
)
def test_forms_of_a_saved_request(
    command: Command, saved: Write, change: object, code: int
) -> None:
    """A request is the same however a proxy or an editor saves it, and another where it is."""
    assert callable(change)
    data = change(raw(GENERIC_SIGNER.sign(SIGNED)))
    assert command("verify", saved(data)).code == code


def test_body_ends_with_its_length() -> None:
    """What an editor adds after the body is left out, and said."""
    found = read(b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab\n")
    assert found.body == b"ab"
    assert found.notes == ("1 bytes after the body (Content-Length) are left out",)


def test_body_that_is_cut_off_is_unknown() -> None:
    """Part of a body is not taken for the whole."""
    found = read(b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
    assert found.body is None
    assert found.body_doubt == "the file holds 2 of the 4 bytes of the body"
    assert read(b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\nab").body is None


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"2\nab\n0\n\n", b"ab"),
        (b"2\r\nab\r\n", None),
        (b"9\r\nab\r\n", None),
        (b"x\r\n", None),
    ],
)
def test_chunks_are_taken_apart(data: bytes, body: bytes | None) -> None:
    """The framing of a chunked body goes; one that is broken leaves the body unknown."""
    assert read(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + data).body == body


def test_folded_header_is_one() -> None:
    """A header on two lines is one, joined by a blank."""
    found = read(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n \tc\r\nX-B: d\r\n\r\n")
    assert found.headers == ((b"Host", b"a"), (b"X-A", b"b c"), (b"X-B", b"d"))


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        (b"http://a:80/b?c#d", b"/b?c", b"a"),
        (b"https://u:p@a:8443", b"/", b"a:8443"),
        (b"https://[::1]:443?x", b"/?x", b"[::1]"),
    ],
)
def test_absolute_form_names_the_host(url: bytes, target: bytes, host: bytes) -> None:
    """The absolute form becomes path and query, and names the host where no header does."""
    found = read(b"GET " + url + b" HTTP/1.1\r\n\r\n")
    assert found.target == target
    assert found.headers == ((b"Host", host),)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"GET\r\n\r\n", "there is no request line"),
        (b"\x00 / HTTP/1.1\r\n\r\n", "there is no request line"),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", "line 2 of the request is no header"),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", "line 2 of the request is no header"),
        (b"GET /" + b"a" * MAX_HEAD + b" HTTP/1.1\r\n\r\n", "the head of the request is larger"),
    ],
)
def test_what_is_no_request(data: bytes, fault: str) -> None:
    """What is no request is said to be none, and why."""
    with pytest.raises(UnreadableInput, match=fault):
        read(data)


def test_request_that_no_server_takes(command: Command, saved: Write) -> None:
    """A blank in the path is told, and not explained away."""
    ran = command("explain", saved(b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"))
    assert ran.code == 3
    assert "no server takes this request: the path holds bytes that must be" in ran.err
