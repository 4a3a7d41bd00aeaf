"""The project with a database of its own, its commands, and real servers before it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.servers.processes import ROOT
from tests.servers.processes import free_port
from tests.servers.processes import running

SECTION = re.compile(r"\[(\S+)\]\naws_access_key_id = (\S+)\naws_secret_access_key = (\S+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key, as a command or a page has shown it."""

    access_key_id: str
    secret: str = field(repr=False)

    @classmethod
    def shown(cls, text: str) -> Key:
        """Return the key that *text* shows in the form of ``~/.aws/credentials``."""
        found = SECTION.search(text)
        assert found is not None, text
        return cls(access_key_id=found[2], secret=found[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project on one database.

    Attributes:
        folder: for its files.
        environment: what tells it which database is its own.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Return what ``python *args`` printed, in the environment of the project."""
        return subprocess.run(
            [sys.executable, *args],
            cwd=ROOT,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def manage(self, *args: str, **environment: str) -> str:
        """Return what ``manage.py *args`` prints."""
        done = self.run("-m", "django", *args, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, code: str) -> str:
        """Return what *code* prints, in the project."""
        setup = "import django; django.setup()\n"
        done = self.run("-c", setup + code)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create(self, *args: str) -> Key:
        """Return a new key of the user ada."""
        return Key.shown(self.manage("sigv4_create_key", "ada", *args))

    @contextmanager
    def served(self, *options: str, asgi: bool = False, **environment: str) -> Iterator[Server]:
        """Serve the project, by gunicorn with 4 workers, or by uvicorn."""
        port = free_port()
        log = self.folder / f"server-{port}.log"
        if asgi:
            command = ["-m", "uvicorn", "tests.django_keys.asgi:application", f"--port={port}"]
        else:
            command = ["-m", "gunicorn", "tests.django_keys.wsgi:application", "--workers=4"]
            command += [f"--bind=127.0.0.1:{port}", "--graceful-timeout=2"]
        env = {**self.environment, **environment}
        with running([sys.executable, *command, *options], port=port, log=log, environment=env):
            yield Server(url=f"http://127.0.0.1:{port}", log=log)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server of the project.

    Attributes:
        url: its address.
        log: what it prints.
    """

    url: str
    log: Path

    def get(self, key: Key, path: str = "/key") -> requests.Response:
        """Return the answer to a request that botocore signs with *key*."""
        signed = AWSRequest("GET", self.url + path)
        SigV4Auth(Credentials(key.access_key_id, key.secret), "items", "us-east-1").add_auth(signed)
        return requests.get(self.url + path, headers=dict(signed.headers.items()), timeout=60)
