"""The whole life of a key: by commands, under gunicorn with 4 workers, with boto3."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.django_keys.running import Key
from tests.django_keys.running import Project
from tests.django_keys.running import Server

pytestmark = pytest.mark.servers

WORKERS = 4
#: Seconds that a process remembers a key here, and that a loaded machine may take beside that.
TTL = 2.0
GRACE = 1.0


def call(server: Server, key: Key) -> str:
    """Return the process that answered boto3, or AWS's code where it refused."""
    client = boto3.Session().client(
        "dynamodb",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret,
        config=Config(retries={"max_attempts": 1}),
    )
    try:
        name, pid = client.list_tables()["TableNames"]
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    assert name == key.access_key_id
    return str(pid)


def answers(server: Server, key: Key, count: int = 24) -> set[str]:
    """Return what many calls at once came to: all workers take part."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda _: server.get(key, "/").text, range(count)))


def workers(server: Server, key: Key) -> set[str]:
    """Return the processes that answer, once all of them have."""
    found: set[str] = set()
    until = time.monotonic() + 60
    while len(found) < WORKERS and time.monotonic() < until:
        with ThreadPoolExecutor(8) as pool:
            found |= {answer.text.split()[-1] for answer in pool.map(server.get, [key] * 16)}
    assert len(found) == WORKERS
    return found


def seconds_until_refused(server: Server, key: Key) -> float:
    """Return when the last of the workers had accepted *key*, in seconds from now."""
    begun = last = time.monotonic()
    while time.monotonic() < begun + TTL + 2 * GRACE:
        with ThreadPoolExecutor(8) as pool:
            asked = time.monotonic()
            codes = {answer.status_code for answer in pool.map(server.get, [key] * 16)}
        assert codes <= {200, 403}
        if 200 in codes:
            last = asked
    return last - begun


def test_life_of_a_key(served_project: Project) -> None:
    """Created, used by boto3, rotated with both keys valid, revoked and refused everywhere."""
    project = served_project
    with project.served(TEST_TTL=str(TTL), TEST_LOG_LEVEL="DEBUG") as server:
        old = project.create("--note", "laptop")
        assert call(server, old).isdigit()
        workers(server, old)
        overlap = TTL + 3
        begun = time.monotonic()
        new = Key.shown(
            project.manage("sigv4_rotate_key", old.access_key_id, f"--overlap={overlap:.0f}s")
        )
        rotated = time.monotonic()
        in_overlap = call(server, old)
        # Unless asking took longer than the overlap.
        assert in_overlap.isdigit() or time.monotonic() > begun + overlap
        assert call(server, new).isdigit()
        time.sleep(max(0.0, rotated + overlap + 0.1 - time.monotonic()))
        assert call(server, old) == "ExpiredTokenException"
        assert {server.get(old).status_code for _ in range(16)} == {403}
        days = {time.strftime("%Y-%m-%d")}
        workers(server, new)
        days.add(time.strftime("%Y-%m-%d"))
        revoked = time.monotonic()
        project.manage("sigv4_revoke_key", new.access_key_id)
        took = seconds_until_refused(server, new)
        print(f"refused by all workers {took:.1f} s after the command, ttl {TTL} s")
        assert took < TTL + GRACE
        assert time.monotonic() > revoked + TTL
        assert call(server, new) == "UnrecognizedClientException"
        listed = project.manage("sigv4_list_keys")
    log = server.log.read_text(encoding="utf-8")
    assert "refused GET" in log
    assert 'FROM "wsgi_sigv4_keys_accesskey"' in log
    (of_new,) = (line for line in listed.splitlines() if line.startswith(new.access_key_id))
    assert of_new.split("revoked")[1].split("-  ")[-1].split()[0] in days
    for key in (old, new):
        assert key.secret not in log + listed


def test_dump(served_project: Project) -> None:
    """What is in the database's own files holds no secret in the clear."""
    key = served_project.create()
    assert key.secret not in served_project.manage("dumpdata")
    name = served_project.environment["TEST_DATABASE_NAME"]
    if os.path.exists(name):
        with open(name, "rb") as file:
            held = file.read()
        assert key.access_key_id.encode() in held
        assert key.secret.encode() not in held


def test_one_query_for_many_threads(postgres_project: Project) -> None:
    """50 threads that ask for one key at once ask the database once; last use is coarse."""
    key = postgres_project.create()
    options = ("--workers=1", "--threads=50")
    with (
        postgres_project.served(*options, TEST_TTL="60", TEST_LOG_LEVEL="DEBUG") as server,
        ThreadPoolExecutor(50) as pool,
    ):
        begun = time.monotonic()
        codes = {answer.status_code for answer in pool.map(server.get, [key] * 200)}
        seconds = time.monotonic() - begun
    assert codes == {200}
    log = server.log.read_text(encoding="utf-8")
    # One a second at most, as this project says, beside the first.
    assert 1 <= log.count('UPDATE "wsgi_sigv4_keys_accesskey" SET "last_used"') <= seconds + 2
    queries = [
        line
        for line in log.splitlines()
        if "SELECT" in line and key.access_key_id in line and "accesskey" in line
    ]
    assert len(queries) == 1
