"""The uploads that the benchmark sends."""

from __future__ import annotations

import pytest

from benchmarks.uploads import HASHED
from benchmarks.uploads import SIGNED
from benchmarks.uploads import UNSIGNED_TRAILER
from benchmarks.uploads import Upload
from benchmarks.uploads import content
from benchmarks.uploads import signed
from benchmarks.uploads import wire


@pytest.mark.parametrize("form", [SIGNED, UNSIGNED_TRAILER, HASHED])
@pytest.mark.parametrize(("size", "chunk"), [(100_000, 65_536), (131_072, 65_536), (5, 10)])
def test_upload_has_the_length_it_announces(form: str, size: int, chunk: int) -> None:
    """A body is as long as its Content-Length, whatever its last chunk."""
    made = signed(Upload(form=form, size=size, chunk=chunk), host="localhost", path="/x")
    assert sum(map(len, wire(made))) == int(made.headers["Content-Length"])


def test_content_is_the_same_in_any_pieces() -> None:
    """Chunks that begin anywhere hold what the whole has there, and no two pieces are the same."""
    whole = b"".join(content(0, 200_000))
    assert len(whole) == 200_000
    assert b"".join((*content(0, 70_001), *content(70_001, 200_000))) == whole
    assert whole[:65_536] != whole[65_536:131_072]
