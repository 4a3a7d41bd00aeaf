"""explain and verify: the finding, the difference, and what the server is told to be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth

from tests.command.conftest import Command
from tests.command.files import Write
from tests.command.files import raw
from tests.core.messages import Message
from tests.core.oracles import TOKEN
from tests.core.oracles import Signed
from tests.core.oracles import sign_with_botocore
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from wsgi_sigv4.command.comparison import Difference
from wsgi_sigv4.command.comparison import find_difference


def signed(target: str = "/items?q=1", *, body: bytes = b"", token: str | None = None) -> Signed:
    """Return a request that botocore signed for api.example.com."""
    return sign_with_botocore(SigV4Auth, "POST", target, body=body, token=token)


def test_accepted_request(command: Command, saved: Write) -> None:
    """An accepted request has every rule passed, and what botocore says that it signed."""
    request = signed()
    ran = command("explain", saved(raw(request.message)))
    assert ran.code == 0
    assert ran.out.startswith("accepted  POST /items\n")
    assert "failed" not in ran.out
    assert "Finding" not in ran.out
    for text in (request.canonical_request, request.string_to_sign):
        assert "\n".join(f"  {line}".rstrip() for line in text.split("\n")) in ran.out


def test_finding_names_the_cause(command: Command, saved: Write) -> None:
    """A Host that a proxy has rewritten is found, the remedy named, and the rules below skipped."""
    message = sign_with_botocore(
        SigV4Auth, headers=[("Host", "api.example.com:8443")]
    ).message.with_header("Host", "api.example.com")
    ran = command("explain", saved(raw(message)))
    assert ran.code == 1
    assert ran.out.startswith("refused: SignatureDoesNotMatch  GET /\n")
    assert "  10  failed" in ran.out
    assert "  11  not reached" in ran.out
    finding = ran.out.partition("\nFinding\n")[2]
    assert "api.example.com:8443" in finding
    assert "whose   proxy" in finding
    told = command("explain", "--json", saved(raw(message))).json
    assert told["finding"]["party"] == "proxy"
    assert [check["status"] for check in told["checks"]][9:] == ["failed", "not reached"]


def test_client_canonical_request_is_compared(
    command: Command, saved: Write, tmp_path: Path
) -> None:
    """The first line that differs is shown twice, with a caret below where it begins to."""
    request = signed("/items?q=1&r=%2F")
    client = tmp_path / "client"
    client.write_text(request.canonical_request, encoding="utf-8", newline="")
    message = request.message.with_query_items([b"q=1", b"r=%2E"])
    arguments = ("explain", "--client-canonical-request", client)
    ran = command(*arguments, saved(raw(message)))
    assert ran.code == 1
    lines = ran.out.splitlines()
    at = lines.index("  Line 3 (canonical query string) differs at column 7:")
    assert lines[at + 1 : at + 4] == [
        "  client  q=1&r=%2F",
        "  server  q=1&r=.",
        "                ^",
    ]
    ran = command(*arguments, saved(raw(request.message)))
    assert ran.code == 0
    assert "No line differs" in ran.out


def test_body_is_where_canonical_requests_part(command: Command, saved: Write) -> None:
    """With --client-canonical-request, a body that was changed shows in the last line."""
    request = signed(body=b"a")
    file = saved(raw(replace(request.message, body=b"b")))
    client = file.with_name("client")
    client.write_text(request.canonical_request, encoding="utf-8", newline="\r\n")
    ran = command("explain", "--json", "--client-canonical-request", client, file)
    difference = ran.json["client_canonical_request"]["difference"]
    assert (ran.code, difference["what"], difference["column"]) == (1, "payload hash", 1)


def test_accepted_request_that_was_signed_otherwise(
    command: Command, saved: Write, tmp_path: Path
) -> None:
    """A canonical request of another request is found, though this one is accepted."""
    client = tmp_path / "client"
    client.write_text(signed("/other").canonical_request, encoding="utf-8")
    ran = command("explain", "--client-canonical-request", client, saved(raw(signed().message)))
    assert ran.code == 1
    assert ran.out.startswith("accepted")


CLIENT = b"GET\n/a\nq=1\nhost:h\nx:1\n\nhost;x\nhash"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (CLIENT, None),
        (CLIENT.replace(b"GET", b"HEAD"), (1, "method", 1)),
        (CLIENT.replace(b"/a", b"/a/"), (2, "canonical URI", 3)),
        (CLIENT.replace(b"q=1", b""), (3, "canonical query string", 1)),
        (CLIENT.replace(b"x:1", b"x:1 "), (5, "canonical headers", 4)),
        (CLIENT.replace(b"x:1\n", b""), (5, "canonical headers", 1)),
        (CLIENT.replace(b"host;x", b"host"), (7, "signed headers", 5)),
        (CLIENT.replace(b"hash", b"hush"), (8, "payload hash", 2)),
        (CLIENT.replace(b"h\nx", b"\x1bh\nx"), (4, "canonical headers", 6)),
        (CLIENT.replace(b"x:1", b"x:\\"), (5, "canonical headers", 3)),
    ],
)
def test_first_difference(server: bytes, expected: tuple[int, str, int] | None) -> None:
    """The first line that differs is found, and named after what it is."""
    found = find_difference(CLIENT, server)
    assert (found and (found.line, found.what, found.column)) == expected


def test_escapes_are_visible() -> None:
    """What cannot be seen is, in a line that differs."""
    found = find_difference(CLIENT, CLIENT.replace(b"x:1", b"x:1\t\x1b[2J\xc3\xa9\r"))
    assert isinstance(found, Difference)
    assert found.server == r"x:1\t\x1b[2J\xc3\xa9\r"


def test_long_line_is_shown_around_the_place(
    command: Command, saved: Write, tmp_path: Path
) -> None:
    """Of a long line only what is around the difference is shown, the caret still below it."""
    request = signed("/items?q=" + "a" * 500 + "b" + "c" * 500)
    client = tmp_path / "client"
    client.write_text(request.canonical_request, encoding="utf-8")
    other = request.message.with_query_items([b"q=" + b"a" * 500 + b"d" + b"c" * 500])
    ran = command("explain", "--client-canonical-request", client, saved(raw(other)))
    lines = ran.out.splitlines()
    (at,) = (i for i, line in enumerate(lines) if line.endswith("differs at column 503:"))
    one, other_line, caret = lines[at + 1 : at + 4]
    assert max(map(len, (one, other_line))) <= 100
    assert one[len(caret) - 1] == "b"
    assert other_line[len(caret) - 1] == "d"
    assert one.endswith("c...")


def test_what_was_not_canonicalised_is_not_compared(
    command: Command, saved: Write, tmp_path: Path
) -> None:
    """A request that is refused before is said to be, and nothing is compared."""
    client = tmp_path / "client"
    client.write_text(signed().canonical_request, encoding="utf-8")
    ran = command(
        *("explain", "--json", "--client-canonical-request", client),
        saved(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    )
    assert (ran.code, ran.json["client_canonical_request"]["compared"]) == (1, False)
    assert "refused before its canonical request is built" in ran.json["notes"][-1]


def test_session_token_and_cookie_are_shown_to_nobody(
    command: Command, saved: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens, cookies and signatures of the request and of the client's log are taken out."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    request = signed(token=TOKEN)
    signature = (request.message.header("authorization") or b"")[-64:].decode()
    client = tmp_path / "client"
    client.write_text(
        request.canonical_request.replace(TOKEN, f"{TOKEN}x") + "\ncookie:session=" + TOKEN,
        encoding="utf-8",
    )
    message = request.message.with_header("Cookie", "session=crumbs")
    for file in (raw(message), raw(message.with_header("X-Amz-Date", "20261121T213001Z"))):
        for more in ((), ("--json",)):
            ran = command("explain", "--client-canonical-request", client, *more, saved(file))
            for secret in (TOKEN, signature, "crumbs"):
                assert secret not in ran.out


@pytest.mark.parametrize("target", ["/k?x=1", "/k?x=2"])
def test_signature_of_a_presigned_url_is_not_shown(
    command: Command, saved: Write, target: str
) -> None:
    """A presigned URL that still works is not told, accepted or refused."""
    message = sign_with_botocore(
        S3SigV4QueryAuth, "GET", "/k?x=1", service="s3", expires=60
    ).message
    signature = message.query.rpartition(b"=")[2].decode()
    data = raw(message).replace(b"/k?x=1", target.encode())
    for more in ((), ("--json",)):
        for name in ("explain", "verify"):
            ran = command(name, *more, saved(data))
            assert ran.code == (target == "/k?x=2")
            assert signature not in ran.out + ran.err


def test_backslashes_are_no_escapes() -> None:
    """A byte and the letters of its escape are two things."""
    assert find_difference(b"\xe9", rb"\xe9") is not None


def test_body_that_is_not_there_is_not_checked(command: Command, saved: Write) -> None:
    """Where the body is declared and not there, the verdict says that it is on the signature."""
    message = sign_with_botocore(S3SigV4Auth, "PUT", service="s3", body=b"photo").message
    data = raw(message.with_header("Content-Length", "5"))
    ran = command("verify", saved(data[:-2]))
    assert (ran.code, ran.out.startswith("accepted")) == (0, True)
    assert "note: the file holds 3 of the 5 bytes of the body" in ran.out
    assert "note: the signature is right; the body was not there to be checked" in ran.out
    assert "not there" not in command("verify", saved(data)).out


def test_verdict_alone(command: Command, saved: Write) -> None:
    """Verify prints the verdict, and as JSON what it is about."""
    file = saved(raw(signed().message))
    note = "judged as of its own time, 20261121T213000Z; --at-clock judges as of now"
    assert command("verify", file).out == f"accepted  POST /items\nnote: {note}\n"
    assert command("verify", "--json", file).json == {
        "format": "raw",
        "entry": 1,
        "method": "POST",
        "path": "/items",
        "judged_at": "20261121T213000Z",
        "notes": [note],
        "accepted": True,
        "refusal": None,
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("--region", "us-east-1", "--service", "items"), 0, id="its scope"),
        pytest.param(("--region", "eu-west-1"), 1, id="another region"),
        pytest.param(("--service", "other"), 1, id="another service"),
        pytest.param(("--signing-profile", "s3"), 1, id="as S3 signs"),
        pytest.param(("--host", "api.example.com"), 0, id="its host"),
        pytest.param(("--host", "other", "--host", "api.example.com"), 0, id="one of two hosts"),
        pytest.param(("--host", "other"), 1, id="another host"),
        pytest.param(("--path-prefix", "/api"), 1, id="a prefix"),
        pytest.param(("--now", "20261121T213459Z"), 0, id="soon"),
        pytest.param(("--now", "2026-11-21T21:34:59Z"), 0, id="ISO 8601"),
        pytest.param(("--now", "2026-11-21 21:34:59"), 0, id="without zone"),
        pytest.param(("--now", "Sat, 21 Nov 2026 21:34:59 GMT"), 0, id="a Date"),
        pytest.param(("--now", str(NOW + 299)), 0, id="POSIX seconds"),
        pytest.param(("--now", str(NOW + 301)), 1, id="too late"),
        pytest.param(("--format", "raw", "--entry", "1"), 0, id="the format"),
    ],
)
def test_server_is_as_it_is_told_to_be(
    command: Command, saved: Write, arguments: tuple[str, ...], code: int
) -> None:
    """Region, service, hosts, prefix and time are those of the command line, if given there."""
    assert command("verify", *arguments, saved(raw(signed().message))).code == code


def test_clock_is_looked_at_when_asked(command: Command, saved: Write) -> None:
    """With --at-clock an old request is too old, and its note is gone."""
    message = sign_with_botocore(SigV4Auth).message
    old = GENERIC_SIGNER.sign(Message.of()).with_header("X-Amz-Date", "20150830T123600Z")
    ran = command("verify", "--at-clock", saved(raw(old)))
    assert (ran.code, "note" in ran.out) == (1, False)
    assert command("verify", saved(raw(message))).code == 0


def test_stripped_prefix_is_put_back(command: Command, saved: Write) -> None:
    """A request saved behind a proxy that strips a prefix is accepted with it."""
    data = raw(signed("/api/items").message).replace(b"POST /api/items", b"POST /items")
    assert command("verify", saved(data)).code == 1
    assert command("verify", "--path-prefix", "/api", saved(data)).code == 0


def test_request_without_a_time_is_judged_now(command: Command, saved: Write) -> None:
    """An unsigned request is refused as such, and a broken query hides nothing."""
    for target in (b"/", b"/?%zz"):
        ran = command("verify", "--json", saved(b"GET " + target + b" HTTP/1.1\nHost: a\n\n"))
        assert (ran.code, ran.json["accepted"], ran.json["notes"]) == (1, False, [])


def test_body_comes_from_its_file(command: Command, saved: Write) -> None:
    """--body-file is the body where the file has none."""
    message = signed(body=b"a=1").message
    file = saved(raw(replace(message, body=b"")))
    assert command("verify", file).code == 1
    body = file.with_name("body")
    body.write_bytes(b"a=1")
    assert command("verify", "--body-file", body, file).code == 0


def test_standard_input_is_a_file(command: Command) -> None:
    """A dash is the standard input, for one file."""
    data = raw(signed().message)
    assert command("verify", "-", stdin=data).code == 0
    assert command("explain", "--client-canonical-request", "-", "-", stdin=data).code == 2
    assert command("verify", "--body-file", "-", "-", stdin=data).code == 2


def test_json_is_whole(command: Command, saved: Write) -> None:
    """The JSON of explain has what the text shows."""
    request = signed()
    told = command("explain", "--json", saved(raw(request.message))).json
    assert told["canonical_request"] == request.canonical_request
    assert told["string_to_sign"] == request.string_to_sign
    assert {"accepted", "refusal", "finding", "checks", "notes", "judged_at"} <= told.keys()
    assert json.dumps(told)
