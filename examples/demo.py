"""Start the Flask example under gunicorn, send it good and bad requests, and print what came back.

``make demo`` runs it. The exit status is 1 if any answer is not the one expected.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = Path(__file__).parent.parent
REGION, SERVICE = "us-east-1", "items"
KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
TEMPORARY_SECRET = "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPORARY = Credentials("ASIAIOSFODNN7EXAMPLE", TEMPORARY_SECRET, "example-session-token")
WITHOUT_TOKEN = Credentials("ASIAIOSFODNN7EXAMPLE", TEMPORARY_SECRET)
STRANGER = Credentials("AKIDUNKNOWN", "any secret")

JSON = {"Content-Type": "application/json"}
LAMP, CHAIR = b'{"name": "lamp"}', b'{"name": "chair"}'
QUERY = "/items?q=lamp"

#: AWS's codes, as the JSON protocols spell them.
BAD_SIGNATURE = "403 InvalidSignatureException"
BAD_KEY = "403 UnrecognizedClientException"
NO_SIGNATURE = "403 MissingAuthenticationTokenException"

START_SECONDS = 60.0
ANSWER_SECONDS = 30.0
#: Without the user's own curlrc, and past any proxy.
CURL = ("--disable", "--noproxy", "*", "--max-time", "30", "--silent", "--include")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request: who sends what, what is expected, and the way to send it."""

    client: str
    what: str
    expected: str
    send: Callable[[], str]


def botocore_rows(host: str) -> Iterator[Row]:
    """Yield the requests that botocore signs; some are altered after that."""

    def row(what: str, expected: str, request: AWSRequest, *, body: bytes | None = None) -> Row:
        return Row(
            client="botocore", what=what, expected=expected, send=lambda: send(request, body)
        )

    def get(**how: Any) -> AWSRequest:
        return sign(AWSRequest("GET", f"http://{host}{QUERY}"), **how)

    def post(body: bytes = LAMP) -> AWSRequest:
        return sign(AWSRequest("POST", f"http://{host}/items", headers=JSON, data=body))

    yield row("GET with a query", "200", get())
    yield row("POST of JSON", "200", post())
    yield row("temporary key with its session token", "200", get(key=TEMPORARY))
    yield row("temporary key without its session token", BAD_KEY, get(key=WITHOUT_TOKEN))
    yield row("presigned URL", "200", get(expires=60))
    yield row("presigned URL past its end", "400 RequestExpired", get(expires=60, age=61))
    yield row("presigned URL, query altered", BAD_SIGNATURE, altered(get(expires=60)))
    yield row("not signed", NO_SIGNATURE, AWSRequest("GET", f"http://{host}{QUERY}"))
    yield row("forged: one digit of the signature", BAD_SIGNATURE, forged(get()))
    yield row("date of ten minutes ago", BAD_SIGNATURE, get(age=600))
    yield row("another region", BAD_SIGNATURE, get(region="eu-central-1"))
    yield row("body altered", BAD_SIGNATURE, post(), body=CHAIR)
    yield row("query altered", BAD_SIGNATURE, altered(get()))
    yield row("unknown access key id", BAD_KEY, get(key=STRANGER))
    unsigned_type = get()
    unsigned_type.headers["Content-Type"] = "text/plain"
    yield row("Content-Type added, not signed", BAD_SIGNATURE, unsigned_type)


def curl_rows(host: str) -> Iterator[Row]:
    """Yield the requests that curl signs."""

    def row(what: str, expected: str, *arguments: str) -> Row:
        return Row(client="curl", what=what, expected=expected, send=lambda: curl(*arguments))

    def sign_by(secret: str) -> tuple[str, ...]:
        scope = f"aws:amz:{REGION}:{SERVICE}"
        return "--aws-sigv4", scope, "--user", f"{KEY.access_key}:{secret}"

    json = ("--header", "Content-Type: application/json", "--data", LAMP.decode())
    url = f"http://{host}"
    yield row("GET, not signed", NO_SIGNATURE, url + QUERY)
    yield row("GET with a query", "200", url + QUERY, *sign_by(KEY.secret_key))
    yield row("POST of JSON", "200", url + "/items", *json, *sign_by(KEY.secret_key))
    yield row("GET with a wrong secret", BAD_SIGNATURE, url + QUERY, *sign_by("wrong"))


def sign(
    request: AWSRequest,
    *,
    key: Credentials = KEY,
    region: str = REGION,
    age: int = 0,
    expires: int | None = None,
) -> AWSRequest:
    """Sign *request*, as it would have been *age* seconds ago; presign it where it *expires*."""
    if expires is None:
        signer = SigV4Auth(key, SERVICE, region)
    else:
        signer = SigV4QueryAuth(key, SERVICE, region, expires=expires)
    then = datetime.now(UTC) - timedelta(seconds=age)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        signer.add_auth(request)
    return request


def altered(request: AWSRequest) -> AWSRequest:
    """Ask for something else than what was signed."""
    request.url = request.url.replace("q=lamp", "q=table")
    return request


def forged(request: AWSRequest) -> AWSRequest:
    """Change the last digit of the signature."""
    value = request.headers["Authorization"]
    request.headers.replace_header("Authorization", value[:-1] + ("1" if value[-1] == "0" else "0"))
    return request


def send(request: AWSRequest, body: bytes | None) -> str:
    """Send *request*, with *body* in the place of its own, and return status and AWS's code."""
    prepared = request.prepare()
    url = urlsplit(prepared.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=ANSWER_SECONDS)
    try:
        target = url._replace(scheme="", netloc="").geturl()
        connection.request(prepared.method, target, body or prepared.body, dict(request.headers))
        answer = connection.getresponse()
        return told(answer.status, answer.getheader("x-amzn-ErrorType", ""))
    finally:
        connection.close()


def curl(*arguments: str) -> str:
    """Run curl, and return status and AWS's code."""
    done = subprocess.run(
        ["curl", *CURL, *arguments],
        capture_output=True,
        text=True,
        timeout=ANSWER_SECONDS + 5,
    )
    status = re.match(r"HTTP/\S+ (\d+)", done.stdout)
    code = re.search(r"^x-amzn-ErrorType: (\S+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    return told(int(status[1]) if status else 0, code[1] if code else "")


def told(status: int, code: str) -> str:
    """Return how the table shows an answer."""
    return f"{status} {code}".strip()


def why_no_curl() -> str | None:
    """Return why curl cannot sign, or None where it can."""
    if shutil.which("curl") is None:
        return "there is no curl"
    said = subprocess.run(["curl", "--version"], capture_output=True, text=True, timeout=30).stdout
    version = re.match(r"curl (\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < (7, 75):
        return f"--aws-sigv4 came with curl 7.75, and this is {said.partition(' (')[0]}"
    return None


@contextmanager
def server() -> Iterator[str]:
    """Run the Flask example under gunicorn while the block runs; yield its Host."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", host, "examples.flask_app:app"],
            cwd=ROOT,
            # gunicorn keeps a control socket below HOME.
            env={**os.environ, "ITEMS_HOSTS": host, "HOME": folder},
            stdout=log,
            stderr=log,
        )
        try:
            if not listens(host, process):
                log.seek(0)
                raise SystemExit(f"gunicorn did not start:\n{log.read()}")
            yield host
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def listens(host: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until *process* accepts connections at *host*; False if it does not."""
    name, _, port = host.partition(":")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((name, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def main() -> int:
    """Send every request, print the table, and return how the process is to end."""
    # As with Ctrl-C: the server is stopped before this process ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    no_curl = why_no_curl()
    print("Starting examples/flask_app.py under gunicorn.")
    off = 0
    with server() as host:
        print(f"It listens on http://{host}\n")
        line = "{:9} {:40} {:41} {:41} {}"
        print(line.format("client", "what was sent", "expected", "came back", "").rstrip())
        rows = [*([] if no_curl else curl_rows(host)), *botocore_rows(host)]
        for row in rows:
            try:
                came_back = row.send()
            except (OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
                came_back = f"no answer: {error}"
            right = came_back == row.expected
            off += not right
            verdict = "ok" if right else "OFF"
            print(line.format(row.client, row.what, row.expected, came_back, verdict))
    if no_curl:
        print(f"\nSkipped what curl would have sent: {no_curl}.")
    print(f"\n{len(rows) - off} of {len(rows)} answers are as expected.")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
