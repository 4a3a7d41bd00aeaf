"""Attacks on explanations: requests that would make one take long."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.attacker import KEY
from tests.attacks.attacker import Sent
from tests.attacks.attacker import sign
from wsgi_sigv4 import Request
from wsgi_sigv4 import Verifier
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.explain import explain
from wsgi_sigv4.explain.showing import Scrubber
from wsgi_sigv4.explaining import Explainer

#: A common request takes some 260,000 calls of functions, which are some 20 ms.
CALLS = 1_500_000
#: Indented JSON is what takes longest to write.
NESTED = b"[" + b'{"a":{}},' * 7200 + b"0]"


def calls_of(sent: Sent, body: bytes) -> int:
    """Return how many functions are called to explain *sent*: the same on every machine."""
    path, _, query = sent.target.partition("?")
    request = Request(
        method=sent.method,
        path=path.encode(),
        query=query.encode(),
        headers=tuple((name.encode(), value.encode()) for name, value in sent.headers),
    )
    verifier = Verifier({KEY: "another-secret"}, region="us-east-1", service="items")
    counted: Counter[str] = Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        counted[event] += 1

    sys.setprofile(count)
    try:
        explanation = explain(request, verifier, body=body)
    finally:
        sys.setprofile(None)
    assert explanation.refusal == "SignatureDoesNotMatch"
    return counted["call"] + counted["c_call"]


@pytest.mark.parametrize(
    ("count", "target", "body"),
    [
        pytest.param(3000, "/", b"", id="headers"),
        pytest.param(1000, "/" + "%25/" * 1990 + "?" + "a&" * 4000, NESTED, id="all there is"),
    ],
)
def test_request_that_offers_much_to_try_is_not_tried_for_long(
    count: int, target: str, body: bytes
) -> None:
    """Servers take 256 KiB of headers: nothing takes the square of their number."""
    headers = tuple((f"x{at}", "v") for at in range(count))
    signed = sign("POST", target, headers=headers, body=b"x")
    assert calls_of(signed, body) < CALLS


def test_request_of_megabytes_is_not_taken_apart() -> None:
    """Werkzeug's own server takes 6 MiB of headers; of one in ten copies nothing is learned."""
    environ = sign(headers=(("X-Note", "a" * 2 * 1024 * 1024),)).environ()
    explainer = Explainer(Verifier({KEY: "another-secret"}, region="us-east-1", service="items"))
    explainer.watch(environ)
    refusal = SignatureMismatch(signature="0" * 64)
    tracemalloc.start()
    try:
        told = explainer.explain(refusal, environ)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert told is not None
    assert told.explanation.refusal == told.told.refusal == "SignatureDoesNotMatch"
    assert told.told.canonical_request is None


def test_nothing_is_kept_of_long_tokens() -> None:
    """What takes a token of 8 KB out of texts costs no megabyte of memory, and leaves none."""
    scrubbers: list[Scrubber] = []
    tracemalloc.start()
    try:
        for at in range(3):
            token = f"token {at}{'+/=' * 2600}"
            scrubbers.append(Scrubber((token,)))
            assert (
                scrubbers[-1].scrub(f"of {token} and {quote(token)}".encode()) == b"of ... and ..."
            )
        scrubbers.clear()
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
