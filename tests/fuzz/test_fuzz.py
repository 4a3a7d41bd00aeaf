"""The fuzzer on chance alone, for some seconds, and what it has found before."""

from __future__ import annotations

import os
import time
from itertools import product
from random import Random

import pytest

from tests.core.signed_requests import SignedRequest
from tests.fuzz import fuzz_chunked
from tests.fuzz.environs import SERVERS
from tests.fuzz.environs import Server
from tests.fuzz.environs import environ_of
from tests.fuzz.fuzz_verifier import SIGNED
from tests.fuzz.fuzz_verifier import check_middleware
from tests.fuzz.fuzz_verifier import check_verifier
from tests.fuzz.fuzz_verifier import fuzz_one
from tests.fuzz.kept import kept_inputs
from tests.fuzz.paths import through
from tests.fuzz.paths import upload
from tests.fuzz.tape import Tape

SECONDS = float(os.environ.get("SIGV4_FUZZ_SECONDS", "20"))
KEPT = kept_inputs()
KEPT_CHUNKED = kept_inputs("kept_chunked.txt")


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.software.split("/")[0])
@pytest.mark.parametrize("sent", SIGNED, ids=range(len(SIGNED)))
def test_request_as_signed_is_accepted(sent: SignedRequest, server: Server) -> None:
    """What the fuzzer starts from is accepted, so that a fault of its own would show."""
    assert check_verifier(sent)
    served = check_middleware(sent, environ_of(sent, server), required=True, explain=False)
    assert served or not server.tells_all


@pytest.mark.parametrize("tape", KEPT, ids=bytes.hex)
def test_kept_input_does_no_harm(tape: bytes) -> None:
    """An input that reached something new, or once did harm, does none."""
    fuzz_one(tape)


@pytest.mark.parametrize("tape", KEPT_CHUNKED, ids=bytes.hex)
def test_kept_body_is_read_right(tape: bytes) -> None:
    """A body that reached something new in the decoder is read just as the reference reads it."""
    fuzz_chunked.fuzz_one(tape)


@pytest.mark.parametrize("size", [1000, -1], ids=["in pieces", "at once"])
@pytest.mark.parametrize("tape", KEPT_CHUNKED, ids=bytes.hex)
def test_kept_body_is_the_same_buffered_and_streamed(tape: bytes, size: int) -> None:
    """Both ways through the middleware give the bytes that the reference reads, or one refusal."""
    compare(tape, size)


def compare(tape: bytes, size: int) -> bool | None:
    """Send the upload that *tape* makes both ways; return whether it is accepted, None for none."""
    made = upload(tape)
    if made is None:
        return None
    message, body = made
    buffered = through(message, stream=False, size=size)
    streamed = through(message, stream=True, size=size)
    assert (streamed.status, streamed.code) == (buffered.status, buffered.code)
    expected = fuzz_chunked.read(body)
    if buffered.status == 200:
        assert expected is not None
        assert streamed == buffered
        assert (buffered.data, buffered.trailers) == expected
        return True
    assert buffered.data is None
    # Of what was read before the refusal the end is missing.
    assert len(streamed.data or b"") < max(body.length, 1)
    # The checksum may be wrong where the framing is right.
    assert expected is None or buffered.code in (b"BadDigest", b"EntityTooLarge", b"InvalidRequest")
    return False


def test_bodies_by_chance_are_the_same_buffered_and_streamed() -> None:
    """So it is for some hundred bodies more, of which a part is accepted."""
    chance = Random(20261123)
    tapes = (chance.randbytes(chance.randrange(3, 16)) for _ in range(400))
    results = [compare(tape, chance.choice([-1, 1, 5000])) for tape in tapes]
    assert 50 < results.count(True) < 300
    assert results.count(False) > 50


def test_some_bodies_are_accepted() -> None:
    """What the decoder's fuzzer starts from is accepted, and a part of what it makes of it."""
    chance = Random(20261121)
    for tape in map(bytes, product((0, 1), (0, 1), range(3))):
        body = fuzz_chunked.made(Tape(tape))
        assert fuzz_chunked.read(body) is not None
        fuzz_chunked.fuzz_one(tape)
    results = []
    for _ in range(2000):
        tape = chance.randbytes(chance.randrange(3, 24))
        fuzz_chunked.fuzz_one(tape)
        results.append(fuzz_chunked.read(fuzz_chunked.made(Tape(tape))) is not None)
    assert 100 < sum(results) < 1900


@pytest.mark.slow
def test_seeded_bodies_are_read_right() -> None:
    """Some seconds of garbage bodies are read by the decoder as the reference reads them."""
    chance = Random(20261122)
    until = time.monotonic() + SECONDS
    tapes = 0
    while time.monotonic() < until:
        fuzz_chunked.fuzz_one(chance.randbytes(chance.randrange(3, 32)))
        tapes += 1
    print(f"{tapes} bodies in {SECONDS:g} seconds")
    assert tapes > 10 * SECONDS


def test_environ_without_method_is_refused() -> None:
    """An environ without REQUEST_METHOD, which PEP 3333 asks for, is refused and breaks nothing."""
    sent = SIGNED[0]
    environ = environ_of(sent, SERVERS[0])
    del environ["REQUEST_METHOD"]
    assert not check_middleware(sent, environ, required=True, explain=False)


@pytest.mark.slow
def test_seeded_garbage_does_no_harm() -> None:
    """Some seconds of garbage raise nothing but SigV4Error, and nothing unsigned is accepted."""
    chance = Random(20261121)
    until = time.monotonic() + SECONDS
    tapes = 0
    while time.monotonic() < until:
        fuzz_one(chance.randbytes(chance.randrange(1, 48)))
        fuzz_one(mutated(chance, chance.choice(KEPT)))
        tapes += 2
    print(f"{tapes} tapes in {SECONDS:g} seconds")
    assert tapes > 10 * SECONDS


def mutated(chance: Random, tape: bytes) -> bytes:
    """Return *tape* with some bytes changed, put in, taken out, or from another place."""
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(tape) + 1)
        end = start + chance.choice([0, 1, 1, 4])
        tape = tape[:start] + chance.randbytes(chance.choice([0, 1, 1, 3])) + tape[end:]
    return tape
