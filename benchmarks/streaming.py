"""How fast a chunked body is decoded and verified, beside SHA-256 over the same bytes.

Both take the bytes as they stand on the wire, in the same pieces of 64 KiB, one after the other in
every round. What is timed is what a skin does with each piece it has read: the decoder, the chunk
signatures and the checksum; not the reading, and not the keeping.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from collections.abc import Sequence

from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.results import ratio_of_pairs
from benchmarks.uploads import ACCESS_KEY_ID
from benchmarks.uploads import HASHED
from benchmarks.uploads import PIECE
from benchmarks.uploads import REGION
from benchmarks.uploads import SECRET_ACCESS_KEY
from benchmarks.uploads import SIGNED
from benchmarks.uploads import UNSIGNED_TRAILER
from benchmarks.uploads import Signed
from benchmarks.uploads import Upload
from benchmarks.uploads import in_binary_units
from benchmarks.uploads import signed
from benchmarks.uploads import wire
from wsgi_sigv4 import Request
from wsgi_sigv4 import Verifier
from wsgi_sigv4.body import with_checksums

HOST = "bucket.example"
PATH = "/object"


def run(scale: Scale) -> Section:
    """Measure each payload form."""
    size = scale.of(256, 2) * 1024 * 1024
    rounds = scale.of(9, 2)
    at_least = {
        Upload(form=SIGNED, size=size, chunk=64 * 1024): Target(
            limit=0.75, stretch=0.85, at_most=False
        ),
        Upload(form=SIGNED, size=size, chunk=1024 * 1024): Target(limit=0.9, at_most=False),
        Upload(form=UNSIGNED_TRAILER, size=size, chunk=64 * 1024): Target(
            limit=2, stretch=4, at_most=False
        ),
        Upload(form=UNSIGNED_TRAILER, size=size, chunk=1024 * 1024): None,
        Upload(form=UNSIGNED_TRAILER, size=size, chunk=size): None,
        Upload(form=HASHED, size=size, chunk=size): None,
    }
    rows = [
        row
        for upload, target in at_least.items()
        for row in _rows(upload, rounds=rounds, target=target)
    ]
    return Section(
        name="streaming",
        title=f"Decoding and verifying {in_binary_units(size)}, in pieces of 64 KiB",
        ratio_of="the throughput of hashlib.sha256 over the same pieces",
        rows=tuple(rows),
    )


def _rows(upload: Upload, *, rounds: int, target: Target | None) -> Iterator[Row]:
    made = signed(upload, host=HOST, path=PATH)
    pieces = tuple(_in_pieces(wire(made)))
    megabytes = sum(map(len, pieces)) / 1e6
    verified, hashed = [], []
    for number in range(rounds + 1):
        times = _seconds_to_verify(made, pieces), _seconds_to_hash(pieces)
        # The first round warms up.
        if number:
            verified.append(times[0])
            hashed.append(times[1])
    yield Row.of(
        str(upload),
        [megabytes / seconds for seconds in verified],
        "MB/s",
        ratio=ratio_of_pairs(hashed, verified),
        target=target,
    )
    yield Row.of("  hashlib.sha256", [megabytes / seconds for seconds in hashed], "MB/s")


def _in_pieces(body: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *body* as a server would read it: in pieces of one size, wherever chunks end."""
    buffer = bytearray()
    for data in body:
        buffer += data
        if len(buffer) >= PIECE:
            yield bytes(buffer[:PIECE])
            del buffer[:PIECE]
    yield bytes(buffer)


def _seconds_to_verify(made: Signed, pieces: Sequence[bytes]) -> float:
    verifier = Verifier({ACCESS_KEY_ID: SECRET_ACCESS_KEY}, region=REGION, service="s3")
    headers = [(name.encode(), value.encode()) for name, value in made.headers.items()]
    request = Request(method="PUT", path=PATH.encode(), headers=tuple(headers))
    verified = with_checksums(verifier.verify(request))
    received = 0
    start = time.process_time()
    for piece in pieces:
        received += len(verified.feed(piece))
    identity = verified.finish()
    seconds = time.process_time() - start
    assert (identity.access_key_id, received) == (ACCESS_KEY_ID, made.upload.size)
    return seconds


def _seconds_to_hash(pieces: Sequence[bytes]) -> float:
    start = time.process_time()
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    digest.hexdigest()
    return time.process_time() - start
