"""The database stops for ten seconds under load, and comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest
import requests

from tests.django_keys.running import Key
from tests.django_keys.running import Project
from tests.django_keys.running import Server
from tests.sqlalchemy.postgres import Postgres

pytestmark = [pytest.mark.servers, pytest.mark.slow]

OUTAGE = 10.0
#: How the project is served: by 4 workers with 4 threads each, or on one event loop.
SERVERS = {
    "gunicorn": (("--threads=4",), "/key", False),
    "uvicorn": ((), "/async-key", True),
}
LOAD_THREADS = 6
#: Seconds that recovery may take on a busy machine, and answers that are enough of a load.
PATIENCE = 30.0
ENOUGH = 100
#: What the workers, their threads, and the threads that write down the last use may hold.
MOST_CONNECTIONS = 4 * (4 + 1)


class Load:
    """Requests from several threads for as long as a block runs, and what they came to."""

    def __init__(self, server: Server, keys: list[Key], path: str) -> None:
        self._server, self._path = server, path
        self._keys = cycle(keys)
        self._stop = threading.Event()
        self.counts: Counter[object] = Counter()

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self._run) for _ in range(LOAD_THREADS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                code: object = self._server.get(next(self._keys), self._path).status_code
            except requests.RequestException as error:
                code = type(error).__name__
            self.counts[code] += 1
            time.sleep(0.02)


def pids(server: Server, key: Key, path: str, wanted: int) -> set[str]:
    """Return the processes that answer."""
    found: set[str] = set()
    until = time.monotonic() + 60
    while len(found) < wanted and time.monotonic() < until:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.get(key, path), range(24)))
        found |= {answer.text.split()[-1] for answer in answers if answer.status_code == 200}
    assert len(found) == wanted
    return found


def connections(postgres: Postgres, project: Project) -> int:
    """Return how many connections there are to the database of the project."""
    name = project.environment["TEST_DATABASE_NAME"]
    said = postgres.sql("select 'in ' || datname from pg_stat_activity where datname <> ''")
    return said.splitlines().count(f" in {name}")


def eventually(check: Callable[[], bool]) -> bool:
    """Return whether *check* comes true before long."""
    until = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """Stop the database while the block runs: who is connected is thrown out."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


def children(leader: int) -> list[int]:
    """Return the children of a process, as Linux tells them."""
    told = Path(f"/proc/{leader}/task/{leader}/children").read_text(encoding="ascii")
    return list(map(int, told.split()))


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """Freeze the database while the block runs: it takes connections, and answers none."""
    data = Path(postgres.url.partition("host=")[2])
    leader = int((data / "postmaster.pid").read_text(encoding="ascii").split()[0])
    # First who would make new ones.
    os.kill(leader, signal.SIGSTOP)
    processes = [leader, *children(leader)]
    for number in processes:
        os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        for number in processes:
            os.kill(number, signal.SIGCONT)


@pytest.mark.parametrize("max_age", ["0", "600"])
@pytest.mark.parametrize("kind", SERVERS)
def test_database_stopped(
    postgres: Postgres, postgres_project: Project, kind: str, max_age: str
) -> None:
    """Cached keys go on, others are 503, all recover; no worker dies, no connection leaks."""
    if kind == "uvicorn" and max_age != "0":
        pytest.skip("Django itself says: no persistent connections under ASGI")
    options, path, asgi = SERVERS[kind]
    project = postgres_project
    cached, *uncached = (project.create() for _ in range(4))
    environment = {"TEST_TTL": "2", "TEST_DATABASE_MAX_AGE": max_age}
    with project.served(*options, asgi=asgi, **environment) as server:
        workers = pids(server, cached, path, 1 if asgi else 4)
        before = connections(postgres, project)
        assert before > 0 or max_age == "0", "they are counted, where they are kept"
        with Load(server, [cached], path) as load:
            time.sleep(1)
            with stopped(postgres):
                begun = time.monotonic()
                codes = Counter(server.get(key, path).status_code for key in uncached * 4)
                assert codes == {503: 12}
                time.sleep(max(0.0, begun + OUTAGE - time.monotonic()))
            up = time.monotonic()
            assert eventually(
                lambda: all(server.get(key, path).status_code == 200 for key in uncached)
            )
            took = time.monotonic() - up
            time.sleep(2)
            assert eventually(lambda: sum(load.counts.values()) > ENOUGH)
        print(kind, max_age, dict(load.counts), f"{took:.2f} s")
        assert set(load.counts) == {200}
        assert pids(server, cached, path, len(workers)) == workers
        after = connections(postgres, project)
        print("connections", before, after)
        assert after <= MOST_CONNECTIONS
        if max_age == "0":
            assert eventually(lambda: connections(postgres, project) <= len(workers) * 4)
    assert eventually(lambda: connections(postgres, project) == 0)
    log = server.log.read_text(encoding="utf-8")
    assert "cannot be asked" in log
    # And no request was refused for that.
    assert f"the use of {cached.access_key_id} is not recorded" in log


def test_database_frozen(postgres: Postgres, postgres_project: Project) -> None:
    """One that hangs keeps nobody from a key in the cache; others wait until it goes on."""
    project = postgres_project
    cached, uncached = project.create(), project.create()
    with project.served("--threads=4", TEST_TTL="60", TEST_DATABASE_MAX_AGE="600") as server:
        workers = pids(server, cached, "/key", 4)
        with Load(server, [cached], "/key") as load, ThreadPoolExecutor(1) as pool:
            time.sleep(1)
            with frozen(postgres):
                waiting = pool.submit(server.get, uncached)
                time.sleep(OUTAGE)
                assert not waiting.done()
            assert waiting.result(PATIENCE).status_code == 200
        print("frozen", dict(load.counts))
        assert set(load.counts) == {200}
        assert pids(server, cached, "/key", 4) == workers
        assert connections(postgres, project) <= MOST_CONNECTIONS
