"""Whatever arrives is explained: nothing is made up, and nothing but an explanation comes out."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from tests.core.messages import Message
from tests.core.records import Record
from tests.core.records import records
from tests.core.signing import NOW
from tests.explain.clients import Client
from tests.explain.clients import request_of
from tests.explain.distortion import distorted
from tests.explain.distortions import DISTORTIONS
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.explain import explain
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.verifier import Verifier

#: Headers that hypotheses read.
READ = (
    *("x-forwarded-host", "forwarded", "x-forwarded-port", "x-original-uri", "x-forwarded-prefix"),
    *("accept-encoding", "content-type", "content-length", "x-forwarded-for", "x-amzn-trace-id"),
    *("content-encoding", "if-none-match", "x-http-method-override", "date", "host", "cookie"),
    *("x-amz-content-sha256", "x-amz-security-token", "x-script-name", "x-list"),
)
ALPHABET = b"ab%2F+=&;,:/\"'[]{} \t.-_~\xc3\xa9\xff\x1b09AZ"
ACCEPTED = [record for record in records() if record.expected == "accept"]


def is_explained_by_the_secret(record: Record) -> bool:
    """Return whether *record* with another secret than the server's has no cause on the list."""
    profile = S3 if record.service.startswith("s3") else GENERIC
    key = Credentials("another secret, as long as one", session_token=record.session_token)
    verifier = Verifier({record.access_key_id: key}, region=None, service=None, profile=profile)
    message = record.message
    explanation = explain(request_of(message), verifier, body=message.body, now=record.now)
    finding = explanation.finding
    assert finding is not None
    # Some are refused before anybody looks at the signature.
    failed = next(check.number for check in explanation.checks if check.status == "failed")
    return failed < 10 or (finding.causes, finding.party) == ((), "key")


@pytest.mark.parametrize(
    "chosen",
    [
        pytest.param(ACCEPTED[::40], id="some"),
        pytest.param(ACCEPTED[::4], id="more", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_made_up_for_real_requests(chosen: list[Record]) -> None:
    """Requests of real clients with another secret are explained by the secret alone."""
    assert [record.id for record in chosen if not is_explained_by_the_secret(record)] == []


def noise(chance: random.Random, most: int) -> bytes:
    """Return some bytes that mean something in a request."""
    return bytes(chance.choices(ALPHABET, k=chance.randrange(most)))


def spoilt(message: Message, chance: random.Random) -> Message:
    """Return *message* with one piece of it replaced by noise."""
    match chance.randrange(6):
        case 0:
            return message.with_extra_header(chance.choice(READ), noise(chance, 60))
        case 1:
            name = chance.choice(READ)
            return message.without_header(name).with_extra_header(name, noise(chance, 60))
        case 2:
            return replace(message, path=b"/" + noise(chance, 30))
        case 3:
            return replace(message, query=noise(chance, 60))
        case 4:
            return replace(message, body=noise(chance, 80))
        case _:
            return replace(message, method=chance.choice(["get", "PUT", "GIT", "HEAD"]))


def explained(client: Client, message: Message, *, body: bytes | None) -> bool:
    """Return whether *message* is a request at all; its explanation must be sound then."""
    try:
        request = request_of(message)
    except SigV4Error:
        return False
    explanation = explain(request, client.verifier(), body=body, now=NOW)
    assert explanation.accepted is (explanation.finding is None)
    assert explanation.as_text().isascii()
    assert len(json.dumps(explanation.as_dict())) < 64 * 1024
    return True


@pytest.mark.parametrize(
    "count", [pytest.param(80, id="some"), pytest.param(800, id="more", marks=pytest.mark.slow)]
)
def test_spoilt_requests(count: int) -> None:
    """Requests that are spoilt at random are explained, with and without their body."""
    chance = random.Random(count)
    done = 0
    for _ in range(count):
        client, message = distorted((chance.choice(DISTORTIONS),), chance)
        for _ in range(chance.randrange(1, 5)):
            message = spoilt(message, chance)
        done += explained(client, message, body=message.body if chance.random() < 0.8 else None)
    assert done > count // 3
