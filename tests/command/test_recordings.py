"""What real programs saved of real requests: recordings/README.md says which, and how."""

from __future__ import annotations

import json

import pytest

from tests.command.conftest import Command
from tests.command.conftest import Ran
from tests.command.files import RECORDINGS
from tests.command.files import Write

GOOD = "accepted"
#: The body is not in the file, and the signature does not need it.
BODYLESS = "accepted, the body unseen"
#: It does, and nobody is blamed.
OPEN = "cannot be judged"

#: Each request of a file, in its order.
VERDICTS = {
    "playwright-1.65-http1.har": (
        *("not-signed", GOOD, GOOD, BODYLESS, BODYLESS, GOOD, GOOD, BODYLESS, BODYLESS, OPEN),
        *(GOOD, "header-accept-encoding", GOOD, GOOD, GOOD, "not-signed", "not-signed", GOOD),
    ),
    "playwright-1.65-http2.har": (
        *("not-signed", GOOD, GOOD, GOOD, OPEN, GOOD, "header-accept-encoding"),
        *(GOOD, "not-signed", GOOD),
    ),
    "playwright-1.65-attach.har": (OPEN, BODYLESS, BODYLESS),
    "playwright-1.65-omit.har": (OPEN, OPEN, BODYLESS),
    "mitmproxy-11.0-http1.har": (*[GOOD] * 7, OPEN, OPEN, GOOD, GOOD),
    "mitmproxy-11.0-http2.har": (GOOD, GOOD, GOOD, OPEN, GOOD, GOOD),
    "mitmproxy-11.0-boto3.har": (GOOD, GOOD, GOOD, GOOD),
    "curl-7.88.trace": (GOOD,),
    "curl-7.88-hex.trace": (GOOD,),
    "curl-7.88-dots.trace": (OPEN,),
    "curl-7.88-upload.trace": ("body-empty",),
    "curl-7.88-http2-redirect.trace": ("body-empty", "body-empty"),
    "aws-cli-1.46.log": (GOOD,),
    "aws-cli-1.46-chunked.log": (BODYLESS,),
}


def verdict(ran: Ran) -> str:
    """Return what a run of ``explain --json`` came to."""
    if ran.code == 0:
        unseen = "the signature is right; the body was not there to be checked"
        return BODYLESS if unseen in ran.json["notes"] else GOOD
    assert ran.code == 1, ran.err
    finding = ran.json["finding"]
    assert finding["causes"] or "cannot be judged" in finding["summary"]
    return ", ".join(finding["causes"]) or OPEN


def test_every_recording_is_judged() -> None:
    """No recording is left out below."""
    files = {path.name for path in RECORDINGS.iterdir()}
    assert files == {"README.md", *VERDICTS}


@pytest.mark.parametrize("name", VERDICTS)
def test_recording(command: Command, name: str) -> None:
    """Each request comes to the verdict of the server that it was sent to, or is left open."""
    expected = VERDICTS[name]
    found = [
        verdict(command("explain", "--json", "--entry", number, RECORDINGS / name))
        for number in range(1, len(expected) + 1)
    ]
    assert tuple(found) == expected
    assert command("verify", "--entry", len(expected) + 1, RECORDINGS / name).code == 3


@pytest.mark.parametrize("name", [name for name in VERDICTS if GOOD in VERDICTS[name]])
def test_recording_with_another_secret(
    command: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What was accepted is refused where the server knows another secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another" * 6)
    entry = VERDICTS[name].index(GOOD) + 1
    ran = command("explain", "--json", "--entry", entry, RECORDINGS / name)
    assert (ran.code, ran.json["refusal"]) == (1, "SignatureDoesNotMatch")
    assert "most likely the secret" in ran.json["finding"]["summary"]


@pytest.mark.parametrize(
    ("name", "entry", "before", "after", "cause"),
    [
        pytest.param(
            *("playwright-1.65-http1.har", 2, "/a%20b/", "/api/a%20b/", "path-prefix-added"),
            id="URL",
        ),
        pytest.param(
            *("playwright-1.65-http2.har", 2),
            *('":path", "value": "/a%20b/', '":path", "value": "/a+b/', "path-plus"),
            id=":path",
        ),
        pytest.param(
            *("playwright-1.65-http2.har", 2),
            *('":authority", "value": "localhost:18772"', '":authority", "value": "localhost"'),
            *("host-port-dropped",),
            id=":authority",
        ),
        pytest.param(
            *("mitmproxy-11.0-http2.har", 1, "https://localhost:18772/", "https://localhost/"),
            *("host-port-dropped",),
            id="Host of the URL",
        ),
        pytest.param(
            *("mitmproxy-11.0-boto3.har", 3, "<Key>a</Key>", "<Key>b</Key>", "body-changed"),
            id="body",
        ),
        pytest.param(
            *("mitmproxy-11.0-http1.har", 6, "\\u00ffchunked", "\\u00ffChunked", "body-changed"),
            id="body in chunks",
        ),
    ],
)
def test_recording_that_was_changed(
    command: Command, saved: Write, name: str, entry: int, before: str, after: str, cause: str
) -> None:
    """Where a recording is changed as a proxy would have, the change is named."""
    text = (RECORDINGS / name).read_text("utf-8")
    assert before in text
    file = saved(text.replace(before, after).encode())
    hosts = ("--host", "localhost:18772", "--host", "localhost") if "host" in cause else ()
    ran = command("explain", "--json", "--entry", entry, *hosts, file)
    assert verdict(ran) == cause


@pytest.mark.parametrize(
    ("name", "entry", "note"),
    [
        ("playwright-1.65-http1.har", 12, "request 12 of the 18 in the file"),
        ("playwright-1.65-attach.har", 1, "request 1 of the 3 in the file, the first signed one:"),
        ("curl-7.88-http2-redirect.trace", 2, "the first signed one that was refused"),
    ],
)
def test_request_that_was_refused_is_taken(
    command: Command, name: str, entry: int, note: str
) -> None:
    """Unasked, the request that a server refused is judged, and what else there is is said."""
    ran = command("verify", "--json", RECORDINGS / name)
    assert (ran.code, ran.json["entry"]) == (1, entry)
    assert note in ran.json["notes"][0]
    assert command("verify", "--json", "--entry", 2, RECORDINGS / name).json["entry"] == 2


def test_body_beside_a_har_file(command: Command, saved: Write) -> None:
    """Where Playwright wrote a body to a file, that is named, and with it the doubt is gone."""
    har = RECORDINGS / "playwright-1.65-attach.har"
    told = command("verify", "--json", har).json["notes"]
    assert told[1].endswith("give --body-file c2cc9aa8a1a99d3661731dd6f040f6212a271675.json")
    ran = command("verify", "--json", "--body-file", saved('{"a": "é€"}'.encode()), har)
    assert (ran.code, told[1] in ran.json["notes"]) == (0, False)


def test_har_file_without_authorization(command: Command, saved: Write) -> None:
    """A browser leaves Authorization out of what it exports, and the user is told."""
    log = json.loads((RECORDINGS / "playwright-1.65-http1.har").read_text("utf-8"))["log"]
    for entry in log["entries"]:
        headers = entry["request"]["headers"]
        headers[:] = [header for header in headers if header["name"] != "Authorization"]
    file = saved(json.dumps({"log": log}).encode())
    ran = command("verify", "--json", "--entry", 2, file)
    assert ran.code == 1
    assert "has no Authorization header" in ran.json["notes"][0]
    presigned = command("verify", "--json", "--entry", 18, file)
    assert (presigned.code, "Authorization" in str(presigned.json["notes"])) == (0, False)
