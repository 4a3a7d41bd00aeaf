"""What it takes to explain one refusal, in time and in memory.

Explanations are made only where ``explain=True`` asks for them, and only after a refusal. What is
measured here is the worst of its kind: a signature that no hypothesis makes right, so that all of
them are tried.
"""

from __future__ import annotations

import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import signed_requests as kinds
from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import HOST
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from wsgi_sigv4 import Request
from wsgi_sigv4 import Verifier
from wsgi_sigv4.explain import explain

MIB = 1024 * 1024
TIME = Target(limit=50)
MEMORY = Target(limit=8)

#: A request and its body.
Sent = tuple[Request, bytes]


def run(scale: Scale) -> Section:
    """Explain a request of common size and a large one, each signed with another secret."""
    requests: dict[str, Callable[[], Sent]] = {"common GET": common, "large POST, 1 MiB": large}
    rows = []
    for name, make in requests.items():
        request, body = make()
        seconds, peak = _explained(request, body, scale.of(41, 2))
        milliseconds = [value * 1e3 for value in seconds]
        rows.append(Row.of(f"{name}: time", milliseconds, "ms", target=TIME))
        rows.append(Row.of(f"{name}: memory at its peak", [peak / MIB], "MiB", target=MEMORY))
    return Section(
        name="explanations",
        title="One refusal explained, where no hypothesis matches and all are tried",
        rows=tuple(rows),
        notes=(
            "The large one has 100 headers, 500 parameters and 1 MiB of JSON.",
            "Without explain=True none of this is imported.",
        ),
    )


def common() -> Sent:
    """Return a GET such as an SDK sends."""
    return _signed("GET", "/items?page=1&q=green", {}, b"")


def large() -> Sent:
    """Return the largest request that a server lets through, or nearly."""
    query = "&".join(f"parameter{n}=value%20{n}&flag{n}" for n in range(250))
    headers = {f"X-Header-{n}": f"some,  value {n}" for n in range(100)}
    body = json.dumps({"rows": list(range(135_000))}).encode()
    return _signed("POST", f"/items?{query}", headers, body)


def _signed(method: str, target: str, headers: dict[str, str], body: bytes) -> Sent:
    """Return a request that is signed with a secret that the server does not have."""
    signed = AWSRequest(method, f"http://{HOST}{target}", kinds.HEADERS | headers, body)
    if body:
        signed.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    stranger = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY[::-1])
    SigV4Auth(stranger, kinds.GENERIC, REGION).add_auth(signed)
    path, _, query = target.partition("?")
    pairs = tuple((name.encode(), value.encode()) for name, value in signed.headers.items())
    request = Request(method=method, path=path.encode(), query=query.encode(), headers=pairs)
    return request, body


def _explained(request: Request, body: bytes, times: int) -> tuple[list[float], int]:
    """Return the seconds of each explanation, and the bytes that one took at its peak."""
    keys = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
    verifier = Verifier(keys, region=REGION, service=kinds.GENERIC)
    seconds = []
    for _ in range(times + 1):
        start = time.process_time()
        explanation = explain(request, verifier, body=body)
        seconds.append(time.process_time() - start)
        assert explanation.refusal == "SignatureDoesNotMatch", explanation.refusal
        assert explanation.finding is not None
        assert explanation.finding.causes == ()
    tracemalloc.start()
    explain(request, verifier, body=body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The first one imports and compiles.
    return seconds[1:], peak
