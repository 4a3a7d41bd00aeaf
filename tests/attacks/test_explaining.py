"""Attacks on explanations, report and command: what they show, and what they can be made to do."""

from __future__ import annotations

import io
import json
import logging
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from flask import Flask

from tests.attacks.attacker import HOST
from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import send
from tests.attacks.attacker import sign
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import Request
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.command.main import main
from wsgi_sigv4.command.raw import is_raw
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import sigv4_required
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.explaining import BODY_LIMIT
from wsgi_sigv4.explaining import BodyRecord
from wsgi_sigv4.observing import Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

TOKEN = "FwoGZXIvYXdzEXAMPLE+token/with=signs"
OTHER_SECRET = "another-secret-of-forty-characters-at-al"
#: What an explanation may take.
BYTES = 8 * 1024 * 1024

Run = Callable[..., tuple[int, str]]


def application(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    """Answer whatever comes."""
    start_response("200 OK", [])
    return [b"let in"]


def middleware(**options: Any) -> SigV4Middleware:
    """Return a middleware with one temporary key."""
    credentials = Credentials(SECRET, session_token=TOKEN)
    verifier = Verifier({KEY: credentials}, region="us-east-1", service="items")
    return SigV4Middleware(application, verifier, **options)


def explained(sent: Sent, body: bytes = b"", *, secret: str = OTHER_SECRET) -> Explanation:
    """Return the explanation of *sent* by a server that knows its key with *secret*."""
    path, _, query = sent.target.partition("?")
    request = Request(
        method=sent.method,
        path=path.encode(),
        query=query.encode(),
        headers=tuple((name.encode(), value.encode()) for name, value in sent.headers),
    )
    verifier = Verifier({KEY: secret}, region="us-east-1", service="items")
    return explain(request, verifier, body=body)


def peak_of(sent: Sent, body: bytes = b"") -> int:
    """Return the bytes that the explanation of *sent* takes at most."""
    explained(sent, body)
    tracemalloc.start()
    try:
        assert explained(sent, body).refusal == "SignatureDoesNotMatch"
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def signature_of(sent: Sent) -> str:
    """Return the signature of a presigned URL."""
    return sent.target.partition("X-Amz-Signature=")[2][:64]


def show_nothing_of(sent: Sent, shown: str) -> None:
    """Fail where *shown* has the signature or the session token of the URL *sent*."""
    for secret in (signature_of(sent)[1:], TOKEN[1:], quote(TOKEN[1:], safe="")):
        assert secret not in shown


@pytest.mark.parametrize("report_only", [False, True])
@pytest.mark.parametrize("does_explain", [False, True])
@pytest.mark.parametrize("escaped", ["?", "?=", "?=&"])
def test_url_that_is_all_path_keeps_its_secrets_out_of_the_log(
    caplog: pytest.LogCaptureFixture, escaped: str, does_explain: bool, report_only: bool
) -> None:
    """T49: who escapes the question mark of a presigned URL sends it as a path, which is logged."""
    url = sign(target="/a.jpg?b=c", presigned=True, token=TOKEN)
    target = url.target
    for character in escaped:
        target = target.replace(character, quote(character))
    caplog.set_level(logging.DEBUG, logger="wsgi_sigv4")
    send(middleware(explain=does_explain, report_only=report_only), Sent(target=target))
    assert "/a.jpg?b=c" in caplog.text
    show_nothing_of(url, caplog.text)


def test_escaped_letters_of_a_parameter_hide_nothing_from_the_redaction(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`X-Amz-Security-Tok%65n` is a session token: a finding that quotes it shows none."""
    url = sign(target="/a.jpg?b=c", presigned=True, token=TOKEN)
    first = signature_of(url)[0]
    target = (
        url.target.replace("?", "?added=1&")
        .replace(f"-Signature={first}", f"-Signatur%65=%{ord(first):x}")
        .replace(f"-Security-Token={TOKEN[0]}", f"-Security-T%6Fken=%{ord(TOKEN[0]):X}")
    )
    own = [item for item in target.partition("?")[2].split("&") if "Tok" not in item]
    mixed = [item for item in target.partition("?")[2].split("&") if item not in own]
    sent = Sent(target=f"/a.jpg?{'&'.join([*mixed, *reversed(own)])}")
    caplog.set_level(logging.DEBUG, logger="wsgi_sigv4")
    answers = [
        send(middleware(explain=True), sent),
        send(middleware(explain=True), sent.having(("Accept", "text/html,application/xhtml+xml"))),
    ]
    assert "query-added" in caplog.text
    assert {answer.status for answer in answers} == {403}
    show_nothing_of(url, caplog.text + "".join(answer.body.decode() for answer in answers))


@pytest.mark.parametrize(
    "name",
    [
        "X-Auth-Request-Access-Token",
        "X-Amzn-Oidc-Accesstoken",
        "X-Amzn-Oidc-Data",
        "Cf-Access-Jwt-Assertion",
        "X-Vault-Token",
        "X-Api-Key",
        "Api-Key",
        "X-CSRF-Token",
    ],
)
def test_header_that_an_edge_logs_people_in_with_is_not_shown(name: str) -> None:
    """A link that says a header was signed makes the edge's token part of what is explained."""
    told = explained(sign(headers=((name, "of-the-victim"), ("X-Note", "of-nobody"))))
    shown = told.as_text() + json.dumps(told.as_dict()) + repr(told)
    assert "of-the-victim" not in shown
    assert "of-nobody" in shown


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((("X-Note", "a, " * 340_000),), id="commas"),
        pytest.param(
            tuple((f"X-{at}", "/?" + "a=%41&" * 20_000) for at in range(8)), id="parameters"
        ),
    ],
)
def test_huge_headers_are_not_multiplied(headers: tuple[tuple[str, str], ...]) -> None:
    """Werkzeug takes 6 MiB of headers; each hypothesis would write them anew, time after time."""
    assert peak_of(sign(headers=headers)) < BYTES


def test_body_that_drips_takes_no_more_room_than_it_has() -> None:
    """A megabyte in pieces of three bytes is no list of 350,000 objects."""
    record = BodyRecord(None)
    tracemalloc.start()
    try:
        for at in range(BODY_LIMIT // 3):
            record.keep(b"%03d" % (at % 1000))
        assert tracemalloc.get_traced_memory()[1] < 4 * BODY_LIMIT
    finally:
        tracemalloc.stop()
    record.keep(b"")
    assert (
        record.find_body()
        == (b"".join(b"%03d" % at for at in range(1000)) * 350)[: BODY_LIMIT // 3 * 3]
    )


def test_deep_json_is_not_blown_up() -> None:
    """Indented, 64 KiB of values 300 lists deep are 36 MiB of blanks."""
    body = b"[" * 300 + b"0," * 30_000 + b"0" + b"]" * 300
    assert peak_of(sign("POST", "/", body=b"x"), body) < BYTES


@pytest.mark.parametrize("depth", [980, 1500, 30_000])
def test_json_too_deep_to_be_written_is_explained(depth: int) -> None:
    """What the parser takes the writer may not; the request is explained all the same."""
    told = explained(sign("POST", "/", body=b"x"), b"[" * depth + b"]" * depth)
    assert told.refusal == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "secret", [SECRET.lower(), f"{SECRET}\n", f'"{SECRET}"', SECRET[:-1], quote(SECRET, safe="")]
)
@pytest.mark.parametrize("gained_a_port", [False, True])
def test_search_for_a_secret_that_is_nearly_right_takes_no_less(
    monkeypatch: pytest.MonkeyPatch, secret: str, gained_a_port: bool
) -> None:
    """The client is told of a wrong secret as of one with a blank: the time may not differ."""
    tried: list[int] = []
    signs = Case.signs

    def counted(self: Case, digest: str, *changes: Change) -> bool:
        tried[-1] += 1
        return signs(self, digest, *changes)

    monkeypatch.setattr(Case, "signs", counted)
    for used in (OTHER_SECRET, secret):
        sent = sign(target="/items?a=b", secret=used)
        arrived = f"{HOST}:8443" if gained_a_port else HOST
        headers = tuple((n, arrived if n == "Host" else value) for n, value in sent.headers)
        tried.append(0)
        told = explained(Sent(target=sent.target, headers=headers), secret=SECRET)
    assert told.finding is not None
    assert told.finding.causes[-1].startswith("secret-")
    assert len(told.finding.causes) == 1 + gained_a_port
    assert tried[0] == tried[1] > 1000


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command with the attacker's key, and returns its code and output."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")

    def run(*arguments: str | Path, stdin: bytes) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def raw(sent: Sent) -> bytes:
    """Return *sent* as it goes over the wire."""
    lines = [f"{sent.method} {sent.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sent.headers]
    return "\r\n".join([*lines, "", ""]).encode() + sent.body


def canonical_request_of(target: str, headers: dict[str, str]) -> tuple[Sent, bytes]:
    """Return a request that botocore signed, and its own canonical request."""
    request = AWSRequest("GET", f"http://{HOST}{target}", headers={"Host": HOST, **headers})
    signer = SigV4Auth(BotocoreCredentials(KEY, SECRET), "items", "us-east-1")
    signer.add_auth(request)
    signed = AWSRequest("GET", f"http://{HOST}{target}", headers=dict(request.headers))
    del signed.headers["Authorization"]
    sent = Sent(target=target, headers=tuple(request.headers.items()))
    return sent, signer.canonical_request(signed).encode()


@pytest.mark.parametrize("as_json", [False, True])
def test_command_compares_whole_lines_and_shows_no_secret(
    run: Run, tmp_path: Path, as_json: bool
) -> None:
    """Of the client's canonical request is taken out what is taken out of the server's."""
    sent, canonical = canonical_request_of(
        f"/items?a={'b' * 3000}", {"X-Note": f"my secret is {SECRET}", "X-Long": "c" * 3000}
    )
    (tmp_path / "client").write_bytes(canonical)
    flags = ("--json",) if as_json else ()
    compare = ("explain", *flags, "--client-canonical-request", tmp_path / "client", "-")
    code, shown = run(*compare, stdin=raw(sent))
    assert code == 0, shown
    assert SECRET not in shown
    (tmp_path / "client").write_bytes(canonical.replace(b"ccc\n", b"ccd\n"))
    code, shown = run(*compare, stdin=raw(sent))
    assert code == 1
    assert ('"column": 3007' if as_json else "differs at column 3007") in shown


@pytest.mark.parametrize("arguments", [("explain",), ("explain", "--json"), ("verify", "--json")])
def test_command_shows_no_url_that_is_all_path(run: Run, arguments: tuple[str, ...]) -> None:
    """A path is shown, and may be a presigned URL whose question mark was escaped."""
    url = sign(target="/a.jpg?b=c", presigned=True, token=TOKEN)
    code, shown = run(*arguments, "-", stdin=raw(Sent(target=url.target.replace("?", "%3F"))))
    assert code == 1
    assert "/a.jpg%3Fb=c" in shown
    show_nothing_of(url, shown)


@pytest.mark.parametrize("date", ["99991231T235959Z", "00010101T000000Z"])
def test_command_explains_at_the_ends_of_time(run: Run, date: str) -> None:
    """There is no day after the last one, nor before the first, that a key could be of."""
    scope = f"{date[:8]}/us-east-1/items/aws4_request"
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders=host;x-amz-date, "
        f"Signature={'0' * 64}"
    )
    sent = Sent().having(("X-Amz-Date", date), ("Authorization", authorization))
    code, shown = run("explain", "-", stdin=raw(sent))
    assert code == 1
    assert shown.startswith("refused: SignatureDoesNotMatch")


def test_command_refuses_a_time_that_is_none_in_utc(run: Run) -> None:
    """The last hours of the last year west of Greenwich are beyond all dates."""
    with pytest.raises(SystemExit) as ended:
        run("verify", "--now", "9999-12-31T23:59:59-14:00", "-", stdin=raw(sign()))
    assert ended.value.code == 2


def test_empty_lines_of_a_file_cost_nothing() -> None:
    """A pattern that can give back each of a million line ends remembers them all."""
    tracemalloc.start()
    try:
        assert not is_raw(b"\r\n" * 500_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_decorator_that_makes_no_sense_refuses_nothing_in_shadow_mode(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A region that the app does not accept is a mistake, and none that a client has to bear."""
    app = Flask(__name__)
    verdicts: list[Verdict] = []
    verifier = Verifier({KEY: SECRET}, region="us-east-1", service="items")
    SigV4(app, verifier=verifier, report_only=True, on_refuse=verdicts.append)
    app.add_url_rule("/", view_func=sigv4_required(region="eu-west-1")(lambda: "as before"))
    assert send(app.wsgi_app, sign()).body == b"as before"
    assert "not verified" in caplog.text
    assert [(verdict.outcome, verdict.error) for verdict in verdicts] == [
        ("unverified", "ConfigurationError")
    ]
