"""The requests that are verified: of each kind as many as wanted, no two the same, signed now."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import HOST
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded
from benchmarks.recorded import Recording

GENERIC = "items"
S3 = "s3"

#: What a client sends beside the headers that botocore adds.
HEADERS = {
    "Host": HOST,
    "User-Agent": "benchmark/1.0",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
#: What is asked for, by number.
ITEM = "/items/{}"
QUERY = "/items?page={}&q=green"
OBJECT = "/bucket/folder/object-{}"
_BODIES: dict[int, bytes] = {}


def recording(service: str, make: Callable[[int], Recorded], count: int) -> Recording:
    """Return *count* requests, made of as many numbers."""
    return Recording(service=service, requests=tuple(make(number) for number in range(count)))


def generic_get(number: int) -> Recorded:
    """Return a GET for a service that is not S3."""
    return _get(ITEM, number)


def get_with_query(number: int) -> Recorded:
    """Return a GET with two parameters for a service that is not S3."""
    return _get(QUERY, number)


def json_post(number: int) -> Recorded:
    """Return a POST of 1 KiB of JSON for a service that is not S3."""
    body = json.dumps({"number": number, "text": "x" * 1000}).encode()
    return _signed(GENERIC, "POST", "/items", body, {"Content-Type": "application/json"})


def s3_get(number: int) -> Recorded:
    """Return a GET for S3."""
    return _get(OBJECT, number, service=S3)


def presigned_get(number: int) -> Recorded:
    """Return a GET of a presigned URL for S3."""
    target = f"/bucket/folder/object-{number}?versionId={number}"
    request = AWSRequest("GET", f"http://{HOST}{target}", headers={"Host": HOST})
    credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    S3SigV4QueryAuth(credentials, S3, REGION, expires=3600).add_auth(request)
    target = request.url.removeprefix(f"http://{HOST}")
    return Recorded(method="GET", target=target, headers=HEADERS)


def put(size: int) -> Callable[[int], Recorded]:
    """Return what makes a PUT of *size* bytes for S3."""
    body = _BODIES.setdefault(size, bytes(range(256)) * (size // 256))
    return lambda number: _signed(S3, "PUT", OBJECT.format(number), body)


def unknown_key(number: int, target: str = ITEM) -> Recorded:
    """Return a GET that is signed with a key that nobody knows."""
    return _get(target, number, key="AKIDUNKNOWNEXAMPLE00")


def wrong_signature(number: int, target: str = ITEM) -> Recorded:
    """Return a GET that is signed with another secret."""
    return _get(target, number, secret="another")


def wrong_scope(number: int, target: str = ITEM) -> Recorded:
    """Return a GET that is signed for another region."""
    return _get(target, number, region="eu-west-1")


def stale(number: int, target: str = ITEM) -> Recorded:
    """Return a GET that says that it was signed an hour ago."""
    request = _get(target, number)
    before = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 3600))
    return replace(request, headers=request.headers | {"X-Amz-Date": before})


def malformed(number: int, target: str = ITEM) -> Recorded:
    """Return a GET whose Authorization header says nothing."""
    request = _get(target, number)
    garbage = f"AWS4-HMAC-SHA256 garbage {number}"
    return replace(request, headers=request.headers | {"Authorization": garbage})


def with_headers(count: int) -> Callable[[int], Recorded]:
    """Return what makes a GET with *count* headers beside Authorization, all of them signed."""
    # Those above, and X-Amz-Date; botocore does not sign User-Agent.
    more = {f"X-Meta-{n}": f"value {n}" for n in range(count - len(HEADERS) - 1)}
    return lambda number: _signed(GENERIC, "GET", f"/items?page={number}", b"", more)


def with_parameters(count: int) -> Callable[[int], Recorded]:
    """Return what makes a GET with *count* query parameters."""
    query = "&".join(f"name-{n}=value%20{n}" for n in range(count))
    return lambda number: _signed(
        GENERIC, "GET", f"/items/{number}" + ("?" + query if query else "")
    )


def store(size: int) -> dict[str, str]:
    """Return *size* keys and their secrets."""
    return {_key_id(n): f"secret of {n}" for n in range(size)}


def of_key(size: int) -> Callable[[int], Recorded]:
    """Return what makes a GET that is signed with one of the first thousand of *size* keys."""

    def make(number: int) -> Recorded:
        n = number % min(size, 1000)
        return _get(QUERY, number, key=_key_id(n), secret=f"secret of {n}")

    return make


def _key_id(number: int) -> str:
    return f"AKID{number:016}"


#: What the flood consists of, in turn.
BAD = (malformed, stale, wrong_scope, wrong_signature, unknown_key)


def bad(number: int) -> Recorded:
    """Return a GET with two parameters, to be refused; of each kind in turn."""
    return BAD[number % len(BAD)](number, QUERY)


def _get(
    target: str,
    number: int,
    *,
    service: str = GENERIC,
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET_ACCESS_KEY,
    region: str = REGION,
) -> Recorded:
    """Return a GET of the *target* of that *number*."""
    return _signed(service, "GET", target.format(number), key=key, secret=secret, region=region)


def _signed(
    service: str,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    key: str = ACCESS_KEY_ID,
    secret: str = SECRET_ACCESS_KEY,
    region: str = REGION,
) -> Recorded:
    """Return a request as botocore signs it."""
    request = AWSRequest(
        method, f"http://{HOST}{target}", headers=HEADERS | (headers or {}), data=body
    )
    signer = S3SigV4Auth if service == S3 else SigV4Auth
    signer(Credentials(key, secret), service, region).add_auth(request)
    sent = dict(request.headers.items())
    if body:
        sent["Content-Length"] = str(len(body))
    return Recorded(method=method, target=target, headers=sent, body=body)
