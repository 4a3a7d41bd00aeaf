"""What curl traces: a recording, traces made here by the real one, and broken ones."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from examples import demo
from tests.command.conftest import Command
from tests.command.files import RECORDINGS
from tests.command.files import Write
from tests.command.files import fault
from tests.command.files import good
from tests.command.serving import answering
from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import SECRET
from wsgi_sigv4.command.curl_trace import is_curl_trace
from wsgi_sigv4.command.curl_trace import read_curl_trace
from wsgi_sigv4.command.saved import SavedRequest

TRACE = (RECORDINGS / "curl-7.88.trace").read_bytes()
needs_curl = pytest.mark.skipif(demo.why_no_curl() is not None, reason=str(demo.why_no_curl()))


def read(data: bytes) -> SavedRequest:
    """Return the only request of a trace."""
    (found,) = read_curl_trace(data)
    return good(found)


def test_recording_is_accepted(command: Command) -> None:
    """What curl 7.88 signed and traced is read, line breaks in long headers included."""
    ran = command("verify", "--json", RECORDINGS / "curl-7.88.trace")
    assert (ran.code, ran.json["format"]) == (0, "curl")
    found = read(TRACE)
    assert (found.target, found.body) == (b"/items?x=1", b"name=a&colour=blue")
    assert found.values(b"accept") == [b"*/*"]
    (authorization,) = found.values(b"authorization")
    assert authorization.endswith(
        b"host;x-amz-date, "
        b"Signature=a4bcef665934e7a756610846bd0fc747dea69ca14a021c2f83ff5c220417d78a"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"05:28:05.293383 ", b""),
        lambda data: data.replace(b"=> Send", b"[0-0] => Send"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"018c: \n", b"018c:\n"),
    ],
    ids=("no times", "ids", "CR LF", "no blank"),
)
def test_forms_of_a_trace(command: Command, saved: Write, change: object) -> None:
    """Times, ids, other line ends and lost blanks change nothing."""
    assert callable(change)
    data = change(TRACE)
    assert data != TRACE
    assert command("verify", saved(data)).code == 0


@pytest.mark.parametrize("word", ["POST", "Host:", "X-Amz-Date", "Agent", "Send data", "colour"])
def test_trace_that_is_cut_off_is_not_believed(command: Command, saved: Write, word: str) -> None:
    """A trace without its end is refused or left in doubt, never accepted."""
    ran = command("verify", saved(TRACE[: TRACE.index(word.encode())]))
    assert ran.code in (1, 3)
    assert "cut off" in ran.out + ran.err or "holds 0 of the 18 bytes" in ran.out


def test_line_that_was_taken_out_is_found() -> None:
    """A trace whose offsets do not fit together is not read as if they did."""
    (found,) = read_curl_trace(TRACE.replace(b"001a: Host: 127.0.0.1:18998\n", b""))
    assert fault(found) == "the trace is cut off, or something has changed it"


def test_dots_in_a_body_are_doubted() -> None:
    """A body with dots may be another one, unless its hash was declared."""
    dotted = TRACE.replace(b"colour=blue", b"colour=b.ue")
    assert "as dots" in str(read(dotted).body_doubt)
    assert read(dotted).body == b"name=a&colour=b.ue"
    declared = dotted.replace(b"X-Amz-Date: 2026112", b"X-Amz-Content-Sha25").replace(
        *(b"Sha252T052805Z", b"Sha256: 123456")
    )
    assert read(declared).body is None


def test_dots_in_a_head_are_noted() -> None:
    """Two dots in a head may be one letter that is not ASCII."""
    dotted = TRACE.replace(b"Accept: */*", b"Accept: */..").replace(b"18e)", b"18f)")
    dotted = dotted.replace(b"398 bytes", b"399 bytes")
    for offset in (b"0147", b"015b", b"018c"):
        dotted = dotted.replace(offset, b"%04x" % (int(offset, 16) + 1))
    assert read(TRACE).notes == ()
    assert read(dotted).notes[0].startswith("dots in the head")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 403 Forbidden", 403),
        (b"HTTP/2 403 ", 403),
        (b"HTTP/1.1 200 OK\n<= Recv header, 9 bytes (0x9)\n0000: HTTP/2 204", 204),
        (b"HTTP/1.1 999999", None),
        (b"48 54 54 50 2f 32 20 34 30 33 20 0d 0a          HTTP/2 403 ..", 403),
    ],
    ids=range(5),
)
def test_status_of_the_answer(answer: bytes, status: int | None) -> None:
    """The last status that was received is the one of the answer."""
    assert read(TRACE.replace(b"HTTP/1.1 200 OK", answer)).status == status


def test_secret_is_not_blamed_for_dots(command: Command, saved: Write, tmp_path: Path) -> None:
    """A body whose line ends are shown as dots is right, for all that is known."""
    message = GENERIC_SIGNER.sign(Message.of("POST", body=b"a\nb\n"))
    lines = [f"{name.decode()}: {value.decode()}" for name, value in message.headers]
    path = saved(trace(["POST /items?q=1 HTTP/1.1", *lines], "a.b."))
    ran = command("explain", "--json", path)
    assert ran.code == 1
    assert "not known here" in ran.json["finding"]["summary"]
    (tmp_path / "body").write_bytes(message.body)
    assert command("verify", "--body-file", tmp_path / "body", path).code == 0


def test_cut_head_is_no_request_without_a_signature(command: Command, saved: Write) -> None:
    """A trace that ends before Authorization does not say that there was none."""
    ran = command("verify", saved(TRACE[: TRACE.index(b"Authorization")]))
    assert ran.code == 3
    assert "cut off" in ran.err


def trace(lines: list[str], body: str) -> bytes:
    """Return what curl traces of a request with a *body* that fits into a line."""
    head = "".join(f"{line}\r\n" for line in [*lines, ""])
    traced, at = [f"=> Send header, {len(head)} bytes (0x{len(head):x})"], 0
    for line in head.split("\r\n")[:-1]:
        for part in (line[n : n + 64] for n in range(0, max(len(line), 1), 64)):
            traced.append(f"{at:04x}: {part}")
            at += len(part)
        at += 2
    traced += [f"=> Send data, {len(body)} bytes (0x{len(body):x})", f"0000: {body}", ""]
    return "\n".join(traced).encode()


def test_dots_that_were_sent_are_believed() -> None:
    """Where the hash that was declared is that of the body with its dots, dots were sent."""
    declared = hashlib.sha256(b"a.b").hexdigest()
    lines = ["PUT / HTTP/1.1", "Content-Length: 3", f"X-Amz-Content-Sha256: {declared}"]
    found = read(trace(lines, "a.b"))
    assert (found.body, found.body_doubt) == (b"a.b", None)


def test_hexadecimal_form_is_read() -> None:
    """The form with every byte in hex is told by its lengths."""
    pieces = (
        b"=> Send header, 18 bytes (0x12)\n"
        b"0000: 47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a GET / HTTP/1.1..\n"
        b"0010: 0d 0a                                           ..\n"
        b"=> Send data, 2 bytes (0x2)\n"
        b"0000: 2e 00                                           ..\n"
    )
    found = read(pieces)
    assert (found.target, found.body, found.body_doubt) == (b"/", b".\x00", None)


def test_data_without_a_head_is_nothing() -> None:
    """A trace that begins in the middle of a request has no request in it."""
    assert list(read_curl_trace(TRACE[TRACE.index(b"05:28:05.293412") :])) == []


def test_head_that_is_none_hides_no_other() -> None:
    """A piece that is no head of a request is told as such, and the next one is read."""
    broken = b"=> Send header, 8 bytes (0x8)\n0000: nonsense\n"
    first, second = read_curl_trace(broken + TRACE)
    assert "no request line" in fault(first)
    assert good(second).method == "POST"


def test_head_in_two_pieces_is_one() -> None:
    """A head that curl sends in two pieces is one request."""
    pieces = (
        b"=> Send header, 16 bytes (0x10)\n0000: GET / HTTP/1.1\n"
        b"=> Send header, 9 bytes (0x9)\n0000: Host: a\n"
    )
    found = read(pieces)
    assert found.headers == ((b"Host", b"a"),)


def test_other_text_is_no_trace() -> None:
    """The marks of a trace stand at the beginning of a line."""
    assert not is_curl_trace(b"a => Send header, 9 bytes (0x9)\n")


@needs_curl
@pytest.mark.clients
@pytest.mark.parametrize("option", ["--trace-ascii", "--trace"])
@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        pytest.param((), b"", id="GET"),
        pytest.param(("--data-binary", "a=1&b=2"), b"a=1&b=2", id="body"),
        pytest.param(("-H", "X-Long: " + "x" * 200), b"", id="a long header"),
        pytest.param(("-H", "A: " + "x" * 61, "-H", "B: " + "y" * 60), b"", id="64 columns"),
        pytest.param(("--data-binary", "z" * 5000), b"z" * 5000, id="a large body"),
    ],
)
def test_trace_of_curl_is_accepted(
    command: Command, tmp_path: Path, option: str, arguments: tuple[str, ...], body: bytes
) -> None:
    """What curl signs and traces here and now is accepted, in either form of trace."""
    trace = tmp_path / "trace"
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as port:
        subprocess.run(
            [
                *("curl", "--disable", "--silent", "--noproxy", "*", "--max-time", "10"),
                *("--aws-sigv4", "aws:amz:us-east-1:items", "--user", f"{ACCESS_KEY_ID}:{SECRET}"),
                *(option, str(trace), *arguments, f"http://127.0.0.1:{port}/items?a=b"),
            ],
            check=True,
            timeout=60,
        )
    assert read(trace.read_bytes()).body == body
    assert command("verify", trace).code == 0


@needs_curl
@pytest.mark.clients
def test_hexadecimal_trace_has_every_byte(tmp_path: Path) -> None:
    """curl --trace shows what --trace-ascii shows as dots."""
    body = bytes(range(1, 256))
    (tmp_path / "body").write_bytes(body)
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as port:
        subprocess.run(
            [
                *("curl", "--disable", "--silent", "--noproxy", "*", "--max-time", "10"),
                *("--trace", str(tmp_path / "trace"), "--data-binary", f"@{tmp_path / 'body'}"),
                f"http://127.0.0.1:{port}/",
            ],
            check=True,
            timeout=60,
        )
    found = read((tmp_path / "trace").read_bytes())
    assert (found.body, found.body_doubt) == (body, None)
