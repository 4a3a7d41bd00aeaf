"""Clients that die and disks that are full leave nothing behind, and are no harm to others."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.processes import ROOT
from tests.servers.wire import exchange
from tests.uploads.boto3_client import s3_client
from tests.uploads.forms import UNSIGNED_TRAILER
from tests.uploads.raw import FORMS
from tests.uploads.raw import ask
from tests.uploads.raw import send_and_die
from tests.uploads.running import BUCKET
from tests.uploads.running import Served
from tests.uploads.running import served
from tests.uploads.test_boto3 import MEBIBYTE
from tests.uploads.test_boto3 import content

#: Seconds in which a server must have noticed that a client has gone.
PATIENCE = 60
#: Above what a server keeps in memory.
SIZE = 3 * MEBIBYTE
#: Of a small disk; what is below a mebibyte is not spooled.
ROOM = 512 * 1024
#: Runs a command that can write no larger files.
LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""
FULL = b"<Code>ServiceUnavailable</Code>"

by_form = pytest.mark.parametrize("form", FORMS)


def eventually(is_so: Callable[[], bool]) -> bool:
    """Return whether something becomes so before long."""
    until = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def check_nothing_is_there(server: Served, key: str) -> None:
    """Fail if there is anything of an object that was never whole."""
    assert eventually(lambda: server.left_behind() == [])
    assert ask(server, "GET", f"/{BUCKET}/{key}").status == 404
    assert key.encode() not in ask(server, "GET", f"/{BUCKET}?list-type=2").body


@by_form
@pytest.mark.parametrize("size", [20_000, SIZE], ids=["small", "large"])
def test_altered_bodies_make_no_object(plain: Served, form: str, size: int) -> None:
    """A body of which one byte was altered is refused, and what was there before stays there."""
    key = f"altered-{form}-{size}"
    data = content(key, size)
    # Parts that a chunked body has in one piece: at the start, in the middle and at the end.
    for place in (data[:50], data[size // 2 :][:50], data[-50:]):
        whole = FORMS[form](plain, key, data)
        at = whole.body.index(place) + 49
        altered = bytearray(whole.body)
        altered[at] ^= 1
        answer = exchange(plain.port, replace(whole, body=bytes(altered)))
        assert answer.status in (400, 403)
        check_nothing_is_there(plain, key)
    assert ask(plain, "PUT", f"/{BUCKET}/{key}", b"before").status == 200
    assert exchange(plain.port, replace(whole, body=bytes(altered))).status in (400, 403)
    assert ask(plain, "GET", f"/{BUCKET}/{key}").body == b"before"


@by_form
def test_killed_clients_leave_nothing(plain: Served, form: str) -> None:
    """A client dies in the middle of its upload, five times in each form: nothing is left of it."""
    key = f"killed-{form}"
    data = content(key, SIZE)
    rng = random.Random(key)
    for _ in range(5):
        whole = FORMS[form](plain, key, data)
        send_and_die(plain, whole, rng.randrange(len(whole.body)), reset=rng.random() < 0.5)
        assert ask(plain, "HEAD", f"/{BUCKET}").status == 200
    assert eventually(lambda: len(plain.notes(key)) == 5)
    assert {note["status"] for note in plain.notes(key)} == {400}
    check_nothing_is_there(plain, key)
    assert exchange(plain.port, FORMS[form](plain, key, data)).status == 200
    assert ask(plain, "GET", f"/{BUCKET}/{key}").body == data


def test_killed_client_leaves_the_object_before(plain: Served) -> None:
    """An object that is being replaced stays what it was where the client dies."""
    key = "replaced"
    assert ask(plain, "PUT", f"/{BUCKET}/{key}", b"before").status == 200
    whole = FORMS["signed-chunks"](plain, key, content(key, SIZE))
    send_and_die(plain, whole, SIZE // 2, reset=True)
    assert eventually(lambda: len(plain.notes(key)) == 2)
    assert ask(plain, "GET", f"/{BUCKET}/{key}").body == b"before"
    assert eventually(lambda: plain.left_behind() == [])


@pytest.mark.slow
def test_killed_boto3_leaves_nothing(secure: Served) -> None:
    """boto3 is killed in the middle of its upload, and the next one goes through."""
    key, size = "killed-boto3", 8 * MEBIBYTE
    rng = random.Random(key)
    assert secure.authority is not None
    for _ in range(3):
        stop = rng.randrange(MEBIBYTE, size)
        command = [sys.executable, "-m", "tests.uploads.halfway"]
        command += [secure.url, str(secure.authority), key, str(size), str(stop)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            process.kill()
    assert eventually(lambda: len(secure.notes(key)) == 3)
    assert secure.forms(key) == {UNSIGNED_TRAILER}
    assert {note["status"] for note in secure.notes(key)} == {400}
    with s3_client(secure) as s3:
        assert "killed" not in str(s3.list_objects_v2(Bucket=BUCKET))
        assert eventually(lambda: secure.left_behind() == [])
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"whole")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"whole"


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of the size of ROOM at *folder*, where that is allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    options = ["-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(params=["limit", "temporary", "data"])
def tight(request: pytest.FixtureRequest, stream: bool, tmp_path: Path) -> Iterator[Served]:
    """A server with little room: no file may be larger, or one of its folders may not."""
    if request.param == "limit":
        before = [sys.executable, "-c", LIMITED, str(ROOM)]
        with served(tmp_path, stream=stream, before=before) as server:
            yield server
    else:
        with small_disk(tmp_path / request.param), served(tmp_path, stream=stream) as server:
            yield server


def test_full_disk_is_503(tight: Served, request: pytest.FixtureRequest) -> None:
    """A body without room is refused with 503, whatever its form, and the next request is fine."""
    # A small body is in memory until it goes to the bucket; a large one is spooled before.
    cases = [(form, size) for form in FORMS for size in (ROOM + 100_000, SIZE)]
    if request.node.callspec.params["tight"] == "temporary":
        # A stream spools just what it cannot hand on.
        cases = [(form, SIZE) for form in (["one-signed-chunk"] if tight.stream else FORMS)]
    for form, size in cases:
        key = f"full-{form}-{size}"
        for _ in range(2):
            answer = exchange(tight.port, FORMS[form](tight, key, content(key, size)))
            assert (answer.status, FULL in answer.body) == (503, True)
        check_nothing_is_there(tight, key)
        assert exchange(tight.port, FORMS[form](tight, key, b"little")).status == 200
        assert ask(tight, "GET", f"/{BUCKET}/{key}").body == b"little"
