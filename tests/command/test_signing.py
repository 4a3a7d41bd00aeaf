"""sign and presign: what they print is run, and compared with botocore."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth

from examples import demo
from tests.command.conftest import Command
from tests.command.serving import verifying
from tests.core.oracles import TOKEN
from tests.core.oracles import sign_with_botocore
from tests.core.signing import TIMESTAMP

needs_curl = pytest.mark.skipif(demo.why_no_curl() is not None, reason=str(demo.why_no_curl()))
URL = "https://api.example.com/items?b=1&a=%2F"


def curl(arguments: Sequence[str]) -> tuple[str, str]:
    """Run curl with *arguments*, and return the status and what it was answered."""
    assert arguments[0] == "curl"
    done = subprocess.run(
        [
            *("curl", "--disable", "--silent", "--noproxy", "*", "--max-time", "10"),
            *("--write-out", "\n%{http_code}", *arguments[1:]),
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    answer, _, status = done.stdout.decode("utf-8", "replace").rpartition("\n")
    return status, answer


@needs_curl
@pytest.mark.clients
@pytest.mark.parametrize("service", ["items", "s3"])
@pytest.mark.parametrize(
    ("method", "target", "more", "body"),
    [
        pytest.param("GET", "/items?b=1&a=it's", [], "", id="GET"),
        pytest.param("HEAD", "/a%2fb//c/~x?[]{}=1", [], None, id="HEAD"),
        pytest.param("GET", "/a/%7E/$HOME/`id`?!x", ["-H", "X-Test: a  'b' $c"], "", id="shell"),
        pytest.param("GET", "/", ["-H", "X-Test;"], "", id="an empty header"),
        pytest.param("POST", "/", ["-d", "@it's \\ é\n$x"], "@it's \\ é\n$x", id="POST"),
        pytest.param("POST", "/", ["-d", ""], "", id="an empty body"),
        pytest.param(
            "PUT", "/", ["-d", "{}", "-H", "content-type: application/json"], "{}", id="PUT"
        ),
        pytest.param("DELETE", "/a", ["-H", "Host: 127.0.0.1"], None, id="Host"),
    ],
)
def test_curl_command_is_accepted(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    method: str,
    target: str,
    more: list[str],
    body: str | None,
) -> None:
    """The curl that sign prints, read by a shell, is answered by the middleware."""
    with verifying(service) as url:
        ran = command("sign", method, url + target, "--service", service, *more)
        assert ran.code == 0
        status, answer = curl(shlex.split(ran.out))
    assert status == "200"
    if body is not None:
        assert answer == f"{method} {target}\n{body}"


@needs_curl
@pytest.mark.clients
def test_file_is_sent_by_curl(command: Command, tmp_path: Path) -> None:
    """A body of bytes is sent from its file; with UNSIGNED-PAYLOAD another one may be."""
    file = tmp_path / "it's a file"
    file.write_bytes(bytes(range(256)))
    with verifying("s3") as url:
        ran = command("sign", "PUT", f"{url}/b/k", "--service", "s3", "--data-file", file)
        assert curl(shlex.split(ran.out))[0] == "200"
        file.write_bytes(b"other")
        assert curl(shlex.split(ran.out))[0] == "400"
        more = ("--service", "s3", "--data-file", file, "--unsigned-payload")
        ran = command("sign", "PUT", f"{url}/b/k", *more)
        file.write_bytes(b"another")
        assert curl(shlex.split(ran.out))[0] == "200"


@needs_curl
@pytest.mark.clients
def test_headers_and_presigned_urls_are_accepted(command: Command, tmp_path: Path) -> None:
    """What sign --headers and presign print is good for curl as it is."""
    with verifying("s3") as url:
        ran = command("sign", "GET", f"{url}/b", "--service", "s3", "--headers")
        (tmp_path / "headers").write_text(ran.out, encoding="ascii")
        assert curl(["curl", "-H", f"@{tmp_path / 'headers'}", f"{url}/b"])[0] == "200"
        ran = command("presign", "GET", f"{url}/b/%20k?x", "--service", "s3", "--expires", 60)
        assert curl(["curl", ran.out.strip()])[0] == "200"
        assert curl(["curl", ran.out.strip() + "&y"])[0] == "403"


@pytest.mark.parametrize("body", [b"", b"a=1"])
def test_signature_is_that_of_botocore(command: Command, body: bytes) -> None:
    """sign makes the signature that botocore makes."""
    headers = [("Content-Type", "text/plain")] if body else []
    signed = sign_with_botocore(
        SigV4Auth, "POST", "/items?b=1&a=%2F", secure=True, body=body, headers=headers
    )
    more = ["-d", body.decode(), "-H", "Content-Type: text/plain"] if body else []
    ran = command(*("sign", "POST", URL, "--service", "items", "--now", TIMESTAMP, "--json", *more))
    expected = (signed.message.header("authorization") or b"").decode()
    assert ran.json["headers"]["Authorization"] == expected
    assert expected in shlex.split(ran.json["curl"])[-2 if not body else -4]


@pytest.mark.parametrize(("auth", "service"), [(SigV4QueryAuth, "items"), (S3SigV4QueryAuth, "s3")])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_presigned_url_is_that_of_botocore(
    command: Command, monkeypatch: pytest.MonkeyPatch, auth: type, service: str, token: str | None
) -> None:
    """presign makes the parameters that botocore makes, with a session token where there is one."""
    if token is not None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    signed = sign_with_botocore(
        *(auth, "GET", "/items?b=1&a=%2F"), secure=True, service=service, token=token, expires=60
    )
    ran = command(
        *("presign", "GET", URL, "--service", service, "--now", TIMESTAMP, "--expires", 60),
        "--json",
        tells_token=True,
    )
    parts = urlsplit(ran.json["url"])
    assert sorted(parts.query.encode().split(b"&")) == sorted(signed.message.query_items)
    assert (parts.netloc, parts.path, ran.json["expires"]) == ("api.example.com", "/items", 60)


def test_session_token_is_sent(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """With temporary credentials their token is printed: nothing works without."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    ran = command("sign", "GET", URL, "--service", "items", "--headers", tells_token=True)
    assert f"X-Amz-Security-Token: {TOKEN}\n" in ran.out


def test_signing_profile_is_a_matter_of_taste(command: Command) -> None:
    """A service of one's own can be signed for as S3's clients do."""
    ran = command("sign", "GET", URL, "--service", "items", "--signing-profile", "s3", "--headers")
    assert "X-Amz-Content-Sha256: e3b0c44298fc1c14" in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("GET", "api.example.com/items"), "URL: give the whole of it"),
        (("GET", "ftp://a/"), "URL: give the whole of it"),
        (("GET", "http://a:0/"), "URL: give the whole of it"),
        (("GET", "http://a:99999/"), "URL: Port out of range"),
        (("GET", "http://[a/"), "URL: Invalid IPv6 URL"),
        (("GET", "http://a/b c"), "URL: percent-encode"),
        (("GET", "http://a/é"), "URL: percent-encode"),
        (("GET", "http://u:p@a/"), "URL: leave user and password out"),
        (("GET", "http://a/%zz"), "URL: The request is malformed"),
        (("G T", "http://a/"), "METHOD is letters"),
        (("GET", "http://a/", "-H", "a b: c"), "--header is"),
        (("GET", "http://a/", "-H", "a: b\r\nc: d"), "--header is"),
        (("GET", "http://a/", "-H", "a:b", "-H", "A: c"), "--header: A stands twice"),
        (("GET", "http://a/", "-H", "Authorization: x"), "is made by signing"),
        (("GET", "http://a/", "--region", "a/b"), "--region is letters"),
    ],
)
@pytest.mark.parametrize("name", ["sign", "presign"])
def test_what_cannot_be_signed(
    command: Command, name: str, arguments: tuple[str, ...], told: str
) -> None:
    """Arguments that make no request are told in one line, and exit code 2."""
    ran = command(name, *arguments, "--service", "items")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("wsgi_sigv4: ")
    assert told in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("expires", [0, 604801, -1])
def test_life_of_a_url_is_bounded(command: Command, expires: int) -> None:
    """A presigned URL lives a week at most, as with AWS."""
    ran = command("presign", "GET", URL, "--service", "s3", "--expires", expires)
    assert (ran.code, ran.err) == (2, "wsgi_sigv4: --expires is 1 to 604800 seconds\n")


def test_region_is_asked_for(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region nothing is signed; AWS_REGION goes before AWS_DEFAULT_REGION."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    ran = command("sign", "GET", URL, "--service", "items", "--json")
    assert "/eu-west-1/items/" in json.dumps(ran.json)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert command("sign", "GET", URL, "--service", "items").code == 2


def test_words_of_the_curl_command(command: Command, tmp_path: Path) -> None:
    """HEAD is an option of its own, a file is named, and what curl would add is signed."""
    sign = ("sign", "--service", "items")
    words = shlex.split(command(*sign, "HEAD", URL).out)
    assert (words[:4], words[-1]) == (["curl", "--path-as-is", "--globoff", "--head"], URL)
    words = shlex.split(command(*sign, "HEAD", URL, "-d", "a").out)
    assert words[3:5] == ["--request", "HEAD"]
    file = tmp_path / "a file"
    file.write_bytes(b"a")
    words = shlex.split(command(*sign, "POST", URL, "--data-file", file).out)
    assert words[-3:] == ["--data-binary", f"@{file}", URL]
    assert "Content-Type: application/x-www-form-urlencoded" in words
    assert "SignedHeaders=content-type;host;x-amz-date," in " ".join(words)
    words = shlex.split(command(*sign, "GET", URL, "-H", "X-Empty;").out)
    assert words[3:5] == ["--header", "X-Empty;"]
    assert command("presign", "--service", "s3", "GET", "http://a/").out.startswith("http://a/?X-")


def test_plus_is_a_blank_that_curl_sends_as_it_is(command: Command) -> None:
    """What is printed for a URL with a plus is the URL itself."""
    url = "https://api.example.com/a+b?c+d#top"
    ran = command("sign", "GET", url, "--service", "items", "--json")
    assert (ran.json["url"], shlex.split(ran.json["curl"])[-1]) == (url, url)
