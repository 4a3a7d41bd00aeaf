"""Clients: each signs for now and sends to a port of loopback, and returns what it is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.core.messages import Message
from tests.explain.cases.application import TOLD
from tests.explain.cases.places import ACCESS_KEY_ID
from tests.explain.cases.places import HOST
from tests.explain.cases.places import ITEMS
from tests.explain.cases.places import PLACE_HEADER
from tests.explain.cases.places import REGION
from tests.explain.cases.places import SECRET
from tests.servers.processes import ROOT
from tests.servers.wire import Sending
from tests.servers.wire import exchange

#: What the application tells: whether it accepted, and what was found if not.
Told = Mapping[str, Any]
#: Sends to a port, for a place; see tests/explain/cases/places.py.
Send = Callable[[int, str], Told]
Alter = Callable[[Message], Message]

HTTPX = ROOT / ".venv-httpx" / "bin" / "python"
_SIGNERS: dict[tuple[bool, bool], Callable[..., Any]] = {
    (False, False): SigV4Auth,
    (False, True): SigV4QueryAuth,
    (True, False): S3SigV4Auth,
    (True, True): S3SigV4QueryAuth,
}
_SECONDS = 60


def _told(status: int | None, values: list[str]) -> Told:
    assert values, f"no answer of the application, but {status}"
    told: Told = json.loads(values[0])
    assert told["accepted"] == (status == 200)
    return told


def signed(
    method: str = "GET",
    target: str = "/items/7",
    *,
    host: str = HOST,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    service: str = ITEMS,
    region: str = REGION,
    key_id: str = ACCESS_KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    presigned: bool = False,
    signer: Callable[..., Any] | None = None,
    **options: Any,
) -> Message:
    """Return a request that botocore signed for now.

    Args:
        method: the method.
        target: path and query, signed and sent as they are written.
        host: the Host header.
        headers: other headers, which are signed; pairs where a name comes twice.
        body: the body.
        service: for which it signs, as S3's clients do if it is s3.
        region: for which it signs.
        key_id: the access key id.
        secret: the secret that it signs with.
        token: the session token.
        presigned: sign in the query.
        signer: another of botocore's signers.
        **options: of the signer.
    """
    url = f"http://{host}{target}"
    request = AWSRequest(method=method, url=url, data=body, headers={"Host": host})
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        request.headers.add_header(name, value)
    signer = signer or _SIGNERS[service == "s3", presigned]
    signer(Credentials(key_id, secret, token), service, region, **options).add_auth(request)
    query = urlsplit(request.url).query
    return Message(
        method=method,
        path=target.partition("?")[0].encode(),
        query=query.encode(),
        headers=tuple((n.encode(), str(v).encode()) for n, v in request.headers.items()),
        body=body,
    )


class _SignsAll(SigV4Auth):  # type: ignore[misc]
    """botocore as it was before it left out what belongs to a hop."""

    def headers_to_sign(self, request: Any) -> Any:
        found = super().headers_to_sign(request)
        for name in ("Connection", "Keep-Alive"):
            if name in request.headers:
                found[name.lower()] = request.headers[name]
        return found


def signs_all(credentials: Credentials, service: str, region: str) -> Any:
    """Return a signer that signs the headers of a hop as well."""
    return _SignsAll(credentials, service, region)


def unaltered(message: Message) -> Message:
    """Return *message*."""
    return message


def botocore(*parts: Any, alter: Alter = unaltered, cut: int = 0, **more: Any) -> Send:
    """Return a client that sends what `signed` makes of the arguments, byte for byte.

    Args:
        *parts: of the request.
        alter: what becomes of the request after it was signed.
        cut: bytes at the end of the body that are never sent.
        **more: more parts.
    """

    def send(port: int, place: str) -> Told:
        message = alter(signed(*parts, **more))
        framed = message.with_extra_header(PLACE_HEADER, place)
        if message.body or message.method in ("POST", "PUT"):
            framed = framed.with_header("Content-Length", str(len(message.body)))
        target = message.path + (b"?" + message.query if message.query else b"")
        lines = [message.method.encode() + b" " + target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in framed.headers]
        answer = exchange(
            port,
            Sending(
                head=b"\r\n".join([*lines, b"", b""]),
                body=message.body[: len(message.body) - cut],
                method=message.method,
                half_closes=cut > 0,
            ),
        )
        return _told(answer.status, answer.values(TOLD.lower()))

    return send


def curl(target: str, *arguments: str, service: str = ITEMS, given: bytes = b"") -> Send:
    """Return curl, which signs for itself; *given* is its standard input."""
    return _curl(
        target,
        *("--aws-sigv4", f"aws:amz:{REGION}:{service}", "--user", f"{ACCESS_KEY_ID}:{SECRET}"),
        *arguments,
        given=given,
    )


def _curl(target: str, *arguments: str, given: bytes = b"") -> Send:
    def send(port: int, place: str) -> Told:
        printed = subprocess.run(
            [
                *("curl", "--disable", "--noproxy", "*", "--silent", "--max-time", str(_SECONDS)),
                *("--output", os.devnull, "--dump-header", "-", "--globoff"),
                *("--header", f"{PLACE_HEADER}: {place}", *arguments),
                f"http://127.0.0.1:{port}{target}",
            ],
            capture_output=True,
            input=given,
            timeout=_SECONDS + 5,
            check=True,
        ).stdout.decode()
        # The last of them: 100 Continue comes before it.
        head = printed.replace("\r", "").strip().split("\n\n")[-1]
        status = int(head.split()[1])
        return _told(status, re.findall(rf"^{TOLD}: (.*)$", head, re.MULTILINE | re.IGNORECASE))

    return send


def curl_with_headers_of_botocore(*arguments: str, given: bytes = b"", **parts: Any) -> Send:
    """Return curl, which sends what botocore signed: its headers are given to it."""

    def send(port: int, place: str) -> Told:
        message = signed(host=f"127.0.0.1:{port}", **parts)
        headers = [
            f"{name.decode()}: {value.decode()}"
            for name, value in message.headers
            if name.lower() != b"content-length"
        ]
        target = message.path + (b"?" + message.query if message.query else b"")
        options = [part for header in headers for part in ("--header", header)]
        return _curl(target.decode(), *options, *arguments, given=given)(port, place)

    return send


def python_requests(
    method: str = "GET",
    target: str = "/items/7",
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    service: str = ITEMS,
    **sent: Any,
) -> Send:
    """Return python-requests, which sends what botocore signed; *sent* is what it is given."""

    def send(port: int, place: str) -> Told:
        host = f"127.0.0.1:{port}"
        message = signed(method, target, host=host, body=body, headers=headers, service=service)
        named = {n.decode(): v.decode() for n, v in message.headers if n != b"Content-Length"}
        return _requested(method, f"http://{host}{target}", place, headers=named, **sent)

    return send


def _requested(
    method: str, url: str, place: str, *, headers: Mapping[str, str] | None = None, **sent: Any
) -> Told:
    named = {**(headers or {}), PLACE_HEADER: place}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, url, headers=named, timeout=_SECONDS, **sent)
    return _told(answer.status_code, [answer.headers[TOLD]] if TOLD in answer.headers else [])


def _s3(port: int) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4"),
    )


def boto3_form(port: int, place: str) -> Told:
    """Upload with a form that boto3 signed."""
    form = _s3(port).generate_presigned_post("bucket", "key")
    files = {"file": ("key", b"hello")}
    return _requested("POST", form["url"], place, data=form["fields"], files=files)


def boto3_link(port: int, place: str) -> Told:
    """Upload with a link that boto3 signed."""
    named = {"Bucket": "bucket", "Key": "key"}
    return _requested(
        "PUT", _s3(port).generate_presigned_url("put_object", named), place, data=b"x"
    )


_HTTPX = """\
import sys, httpx
from httpx_auth_awssigv4 import SigV4Auth
url, key_id, secret, region, service, name, value = sys.argv[1:]
auth = SigV4Auth(access_key=key_id, secret_key=secret, service=service, region=region)
answer = httpx.get(url, auth=auth, headers={name: value}, trust_env=False, timeout=60)
print(answer.status_code)
print(answer.headers.get("X-Test-Told", ""))
"""


def httpx(port: int, place: str) -> Told:
    """Be httpx with httpx-auth-awssigv4, in an environment of its own."""
    url = f"http://127.0.0.1:{port}/items/7"
    program = [str(HTTPX), "-c", _HTTPX, url, ACCESS_KEY_ID, SECRET, REGION, ITEMS]
    status, told = subprocess.run(
        [*program, PLACE_HEADER, place], capture_output=True, text=True, timeout=120, check=True
    ).stdout.splitlines()
    return _told(int(status), [told] if told else [])
