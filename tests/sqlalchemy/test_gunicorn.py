"""The life of a key with real tools: commands, boto3, four workers of gunicorn, a database."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers.processes import free_port
from tests.servers.processes import running
from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.postgres import count_of_connections

pytestmark = [pytest.mark.servers, pytest.mark.slow]

WORKERS = 4
#: Seconds within which a revoked key is refused by every worker.
TTL = 2.0
Answer = tuple[int, str, str]


class Served:
    """The app under gunicorn, its commands, and clients of boto3."""

    def __init__(self, base_url: str, environment: Mapping[str, str], folder: Path) -> None:
        self.base_url = base_url
        self.environment = environment
        self.folder = folder

    def flask(self, *arguments: str) -> str:
        """Run ``flask sigv4``; return what it prints to the standard output."""
        command = [sys.executable, "-m", "flask", "--app", "tests.sqlalchemy.served", "sigv4"]
        done = subprocess.run(
            [*command, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, credentials: str) -> Client:
        """Return a client with what a command printed for ``~/.aws/credentials``."""
        path = self.folder / f"credentials-{time.monotonic_ns()}"
        path.write_text(credentials, encoding="utf-8")
        return Client(self.base_url, path)


class Client:
    """boto3 with the keys of a file."""

    def __init__(self, base_url: str, path: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            session = boto3.Session(profile_name="default")
            credentials = session.get_credentials()
            assert credentials is not None
            self.access_key_id = str(credentials.access_key)
            self._s3 = session.client(
                "s3",
                endpoint_url=base_url,
                region_name="us-east-1",
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )

    def ask(self) -> Answer:
        """Return the status of an answer, the owner or the code, and the worker."""
        try:
            answer = self._s3.get_object(Bucket="items", Key="lamp")
            said = answer["Body"].read().decode()
        except ClientError as error:
            answer, said = error.response, error.response["Error"]["Code"]
        metadata = answer["ResponseMetadata"]
        return metadata["HTTPStatusCode"], said, metadata["HTTPHeaders"]["x-worker"]

    def ask_every_worker(self) -> set[tuple[int, str]]:
        """Ask until every worker has answered at least twice; return what they said."""
        return {answer[:2] for answer in self.answers_of_every_worker()}

    def answers_of_every_worker(self) -> list[Answer]:
        """Ask, several at once, until every worker has answered at least twice."""
        answers: list[Answer] = []
        seen: collections.Counter[str] = collections.Counter()
        until = time.monotonic() + 60
        with ThreadPoolExecutor(2 * WORKERS) as pool:
            while len(seen) < WORKERS or min(seen.values()) < 2:
                assert time.monotonic() < until, seen
                answers += pool.map(lambda _: self.ask(), range(4 * WORKERS))
                seen = collections.Counter(answer[2] for answer in answers)
        return answers


@contextmanager
def serve(database: str, key: str, folder: Path, *arguments: str) -> Iterator[Served]:
    """Run the app with four workers."""
    port = free_port()
    environment = {"DATABASE": database, "ENCRYPTION_KEYS": key, "TTL": str(TTL)}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", *arguments]
    command += ["--workers", str(WORKERS), "--log-level", "debug", "tests.sqlalchemy.served:app"]
    with running(command, port=port, log=folder / "log", environment=environment):
        yield Served(f"http://127.0.0.1:{port}", environment, folder)


@pytest.fixture(params=[(), ("--preload",)], ids=["workers", "preload"])
def served(
    request: pytest.FixtureRequest, url: str, encryption_key: str, tmp_path: Path
) -> Iterator[Served]:
    """Return the app on a database of each kind, imported by each worker, or before the fork."""
    with serve(url, encryption_key, tmp_path, *request.param) as app:
        yield app


def test_life_of_a_key(served: Served, encryption_key: str) -> None:
    """Created, used, rotated with both keys good for the overlap, revoked within the time stated,
    by command and on every worker.
    """
    printed = served.flask("create", "alice")
    old = served.client(printed)
    assert old.ask_every_worker() == {(200, "alice")}

    begun = time.monotonic()
    rotated = served.flask("rotate", old.access_key_id, "--overlap", "4s")
    overlap_ends = time.monotonic() + 4
    in_overlap = old.ask()[:2]
    # Unless asking took longer than the overlap.
    assert in_overlap == (200, "alice") or time.monotonic() > begun + 4
    new = served.client(rotated)
    assert new.access_key_id != old.access_key_id
    assert new.ask()[:2] == (200, "alice")
    assert new.ask_every_worker() == {(200, "alice")}
    time.sleep(max(0.0, overlap_ends - time.monotonic()) + 0.1)
    assert old.ask_every_worker() == {(400, "ExpiredToken")}
    assert new.ask_every_worker() == {(200, "alice")}

    served.flask("revoke", new.access_key_id)
    time.sleep(TTL + 0.1)
    assert new.ask_every_worker() == {(403, "InvalidAccessKeyId")}

    listed = served.flask("list")
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [
        [new.access_key_id, "revoked"],
        [old.access_key_id, "expired"],
    ]
    assert "never" not in listed.splitlines()[2].split("expired")[1], "the last use is noted"
    log = (served.folder / "log").read_text(encoding="utf-8")
    secrets = [
        line.split(" = ")[1] for line in (printed + rotated).splitlines() if "secret" in line
    ]
    assert len(secrets) == 2
    assert [secret for secret in (*secrets, encryption_key) if secret in log] == []


def test_database_stopped_under_load(
    postgres: Postgres, encryption_key: str, tmp_path: Path
) -> None:
    """For ten seconds without a database, known keys go on, others get 503; then all is well."""
    database = f"{postgres.url}&application_name=loaded"
    with serve(database, encryption_key, tmp_path) as served:
        known = served.client(served.flask("create", "alice"))
        fresh = served.client(served.flask("create", "bob"))
        first = known.answers_of_every_worker()
        assert {answer[:2] for answer in first} == {(200, "alice")}
        workers = {answer[2] for answer in first}
        answers: list[Answer] = []
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                answers.append(known.ask())

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(1)
            postgres.stop()
            down_at = time.monotonic()
            refused = []
            while time.monotonic() - down_at < 10:
                refused.append(fresh.ask()[:2])
                time.sleep(0.2)
            postgres.start()
            up_at = time.monotonic()
            while (healed := fresh.ask_every_worker()) != {(200, "bob")}:
                assert time.monotonic() - up_at < 60, healed
        finally:
            stop.set()
            for thread in threads:
                thread.join(90)
        assert set(refused) == {(503, "ServiceUnavailable")}
        assert {answer[:2] for answer in answers} == {(200, "alice")}
        assert {answer[2] for answer in answers} <= workers
        # A worker of this kind has one thread, and the one that notes the last use.
        assert count_of_connections(postgres, "loaded") <= 2 * WORKERS
        print(f"{len(answers)} answers under load, {len(refused)} refused")
