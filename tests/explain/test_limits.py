"""The work of an explanation is bounded: nobody can make a server busy with a bad signature."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc

import pytest

from tests.core.messages import Message
from tests.core.signing import SECRET
from tests.explain.clients import Client
from wsgi_sigv4.explain import search
from wsgi_sigv4.explain.search import Budget

#: Generous: 50 ms and 8 MiB are the aim, which idle machines keep.
SECONDS = 0.5 if sys.gettrace() is None else 5.0
BYTES = 8 * 1024 * 1024

LARGE_BODY = json.dumps({"rows": list(range(170_000))}).encode()
WIDE = {f"x-header-{n}": f"some,  value {n}" for n in range(100)}
LONG = "&".join(f"parameter{n}=value%20{n}&flag{n}" for n in range(250))


def large(body: bytes) -> tuple[Client, Message]:
    """Return a request with 100 headers, 500 parameters and *body*, signed with another secret."""
    client = Client(method="POST", query=LONG, headers=WIDE, body=body, secret="x" * 40)
    return client, client.sign()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(LARGE_BODY, id="JSON"),
        pytest.param(b"line of text\r\n" * 74_000, id="lines"),
        pytest.param(b"\x00\xff" * 524_288, id="bytes"),
    ],
)
def test_large_request(body: bytes) -> None:
    """A large request is explained in bounded time and memory."""
    client, message = large(body)
    assert len(body) > 1_000_000
    client.explain(message)
    began = time.thread_time()
    explanation = client.explain(message)
    assert time.thread_time() - began < SECONDS
    tracemalloc.start()
    client.explain(message)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < BYTES
    assert explanation.finding is not None
    assert explanation.finding.causes == ()
    assert len(json.dumps(explanation.as_dict())) < 64 * 1024


def test_common_request() -> None:
    """A request of common size, wrong for no reason on the list, takes some milliseconds."""
    client = Client(headers={"content-type": "text/plain"}, method="POST", body=b"x" * 2000)
    message = client.sign().with_header("Host", "nowhere.example.net")
    client.explain(message)
    began = time.thread_time()
    client.explain(message)
    assert time.thread_time() - began < SECONDS


def test_readings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more readings are tried than the limit says, of a small request and of a large one."""
    tried = 0
    spend = Budget.spend

    def counted(self: Budget) -> bool:
        nonlocal tried
        may = spend(self)
        tried += may
        return may

    monkeypatch.setattr(Budget, "spend", counted)
    client = Client(secret="x" * 40)
    client.explain(client.sign())
    assert 3000 < tried <= 4500
    tried = 0
    client, message = large(b"")
    client.explain(message)
    assert 100 < tried < 1000


@pytest.mark.parametrize("limit", [0, 5])
def test_search_ends_with_its_budget(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """A search that may try nothing more names no cause, even where the next one is right."""
    client = Client(secret=f"`{SECRET}`")
    message = client.sign()
    finding = client.explain(message).finding
    assert finding is not None
    assert finding.causes == ("secret-quotes",)
    monkeypatch.setattr(search, "MAX_CANDIDATES", limit)
    finding = client.explain(message).finding
    assert finding is not None
    assert finding.causes == ()


def test_header_with_many_values() -> None:
    """Lists in forwarding headers are read to a bound only."""
    many = ", ".join(f"h{n}.example.com" for n in range(3000))
    client = Client(headers={"x-forwarded-host": many, "forwarded": many.replace("h", "host=h")})
    message = client.sign().with_header("Host", "nowhere.example.net")
    began = time.thread_time()
    client.explain(message)
    assert time.thread_time() - began < SECONDS
