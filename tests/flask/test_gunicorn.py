"""The app under gunicorn, asked by curl's own signer and by requests that botocore signed."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSRequest

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import SECRET
from tests.flask.signing import multipart
from tests.flask.signing import sign
from tests.servers.processes import free_port
from tests.servers.processes import running

pytestmark = pytest.mark.servers

LARGE = bytes(range(256)) * (3 * 4096 + 1)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the app under gunicorn."""
    with under_gunicorn("app", tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the app that streams."""
    with under_gunicorn("streaming", tmp_path_factory) as url:
        yield url


@contextmanager
def under_gunicorn(app: str, folders: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the base URL of *app*, which is served meanwhile."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += ["--threads", "2", f"tests.flask.served:{app}"]
    log = folders.mktemp("gunicorn") / "log"
    with running(command, port=port, log=log, environment={}):
        yield f"http://127.0.0.1:{port}"


def send(signed: AWSRequest, *, chunked: bool = False) -> tuple[int, Any]:
    """Send *signed* over a socket; return the status, and what JSON or text came."""
    url = urlsplit(signed.url)
    headers = {name: value for name, value in signed.headers.items() if name != "Content-Length"}
    body = iter([signed.data[:1000], signed.data[1000:]]) if chunked else signed.data
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    try:
        target = f"{url.path}?{url.query}" if url.query else url.path
        connection.request(signed.method, target, body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        data = answer.read()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(data) if is_json else data.decode()
    finally:
        connection.close()


def curl(*arguments: str) -> tuple[int, str]:
    """Run curl; return the status of the answer, and its body."""
    command = [curl_that_signs(), "--silent", "--max-time", "30", "--write-out", r"\n%{http_code}"]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    body, _, status = run.stdout.rpartition("\n")
    return int(status), body


def curl_that_signs() -> str:
    """Return the path of a curl that has --aws-sigv4, or skip."""
    path = shutil.which("curl")
    if path is None:
        pytest.skip("there is no curl")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60).stdout
    found = re.match(r"curl (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < (7, 75):
        pytest.skip("curl has no --aws-sigv4 before 7.75")
    return path


SIGNING = ("--aws-sigv4", "aws:amz:us-east-1:items", "--user", f"{ACCESS_KEY_ID}:{SECRET}")


def test_curl_get_with_query(served: str) -> None:
    """The blog's GET: refused without a signature, served with one."""
    url = f"{served}/items?q=lamp"
    assert curl(url)[0] == 403
    status, body = curl(url, *SIGNING)
    assert (status, json.loads(body)["q"]) == (200, ["lamp"])


def test_curl_post_of_json(served: str) -> None:
    """The blog's POST: refused without a signature, served with one."""
    data = ("--header", "Content-Type: application/json", "--data", '{"name": "lamp"}')
    assert curl(f"{served}/items", *data)[0] == 403
    status, body = curl(f"{served}/items", *data, *SIGNING)
    assert (status, json.loads(body)["json"]) == (200, {"name": "lamp"})


def test_curl_with_a_wrong_secret(served: str) -> None:
    """A wrong secret is refused, in AWS's words."""
    wrong = (*SIGNING[:3], f"{ACCESS_KEY_ID}:wrong")
    status, body = curl(f"{served}/items", *wrong)
    assert status == 403
    assert "signature we calculated does not match" in body


def test_curl_with_a_wrong_region(served: str) -> None:
    """A wrong region is refused, and named."""
    wrong = (SIGNING[0], "aws:amz:eu-west-1:items", *SIGNING[2:])
    status, body = curl(f"{served}/items", *wrong)
    assert status == 403
    assert "not 'eu-west-1'" in body


@pytest.mark.parametrize("expires", [None, 60], ids=["header", "presigned"])
def test_botocore_get(served: str, expires: int | None) -> None:
    """botocore's requests are served, those with percent escapes too."""
    signed = sign("/items?q=%2Fa%20%C3%A4", base_url=served, expires=expires)
    status, body = send(signed)
    assert (status, body["q"], body["key"]) == (200, ["/a ä"], ACCESS_KEY_ID)
    signed.url = signed.url.replace("%20", "%21")
    assert send(signed)[0] == 403


def test_botocore_form(served: str) -> None:
    """A form post arrives verified, and can be read as a form."""
    headers = {"Content-Type": FORM}
    signed = sign("/items", "POST", body=b"a=1&b=%C3%A4", headers=headers, base_url=served)
    status, body = send(signed)
    assert (status, body["form"]) == (200, {"a": "1", "b": "ä"})
    signed.data = b"a=2&b=%C3%A4"
    assert send(signed)[0] == 403


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_botocore_large_put(served: str, chunked: bool) -> None:
    """A PUT of more than 3 MiB arrives whole, with a length and in chunks."""
    signed = sign("/files/a%2Fb/c%20d", "PUT", body=LARGE, base_url=served)
    assert send(signed, chunked=chunked) == (
        200,
        {"a/b/c d": hashlib.sha256(LARGE).hexdigest()},
    )
    signed.data = LARGE[:-1] + b"x"
    assert send(signed, chunked=chunked)[0] == 403


def test_botocore_large_multipart(served: str) -> None:
    """Files of a multipart form of more than 3 MiB arrive whole."""
    body, content_type = multipart({"one": LARGE, "two": b"x"})
    headers = {"Content-Type": content_type}
    assert send(sign("/files/all", "POST", body=body, headers=headers, base_url=served)) == (
        200,
        {
            "one": hashlib.sha256(LARGE).hexdigest(),
            "two": hashlib.sha256(b"x").hexdigest(),
        },
    )


def test_refused_upload_hears_why(served: str) -> None:
    """A client that sends 3 MiB with a wrong signature gets the refusal, not a broken pipe."""
    status, body = send(sign("/files/a", "PUT", body=LARGE, secret="wrong", base_url=served))
    assert status == 403
    assert "signature we calculated does not match" in body["message"]


def test_streamed_upload(streaming: str) -> None:
    """T50: the view reads before the client has sent all; a forged end is refused all the same."""

    def sending(signed: AWSRequest) -> Iterator[bytes]:
        half = len(signed.data) // 2
        yield signed.data[:half]
        end = time.monotonic() + 60
        while int(read := curl(f"{streaming}/read")[1]) < half // 2:
            assert time.monotonic() < end, read
        yield signed.data[half:]

    def put(body: bytes, sent: bytes) -> tuple[int, str]:
        signed = sign("/files/a", "PUT", body=body, s3=True, service="s3", base_url=streaming)
        signed.data = sent
        connection = http.client.HTTPConnection(urlsplit(streaming).netloc, timeout=60)
        headers = {**dict(signed.headers.items()), "Content-Length": str(len(sent))}
        try:
            connection.request("PUT", "/files/a", sending(signed), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    assert put(LARGE, LARGE) == (200, str(len(LARGE)))
    status, body = put(LARGE[::-1], LARGE[:-1] + b"x")
    assert (status, "<Code>XAmzContentSHA256Mismatch</Code>" in body) == (400, True)


def test_blueprint(served: str) -> None:
    """A guarded blueprint takes the header form only, as it was told."""
    assert send(sign("/reports/a", base_url=served)) == (200, "a")
    assert send(sign("/reports/a", base_url=served, expires=60))[0] == 403
    assert curl(f"{served}/reports/a")[0] == 403


@pytest.mark.parametrize(
    "path", ["/files/b//a", "/files/./a", "/files/x/../a", "/files/%2e%2e/a", "/files/x%2F..%2Fa"]
)
def test_t31_path_not_in_normal_form(served: str, path: str) -> None:
    """T31: over a real server too, a signed path that is not in normal form is not served."""
    status, body = send(sign(path, "PUT", base_url=served))
    assert (status, list(body)) == (400, ["message"])
