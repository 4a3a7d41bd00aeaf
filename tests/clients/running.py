"""Start the server of the clients, run their programs, and collect what they print."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.application import HOST_VARIABLE
from tests.servers.processes import ROOT
from tests.servers.processes import free_port
from tests.servers.processes import running

#: Seconds; aws starts slowly, and several times.
PROGRAM_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a client of some version sent, and what it was told: 200, or a refusal's code."""

    client: str
    version: str
    sent: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program in tests/clients/programs, and the environment that has its client.

    Attributes:
        name: that of the program.
        environment: the folder of its environment, from the top of the checkout; None: this one.
    """

    name: str
    environment: str | None = None

    @property
    def command(self) -> list[str]:
        """The command, but for the URL."""
        if self.name == "node":
            return ["node", str(ROOT / "tests/clients/programs/node_client.mjs")]
        python = sys.executable
        if self.environment is not None:
            python = str(ROOT / self.environment / "bin/python")
        return [python, "-m", f"tests.clients.programs.{self.name}_client"]

    @property
    def folder(self) -> Path:
        """The folder that it runs in: node finds its packages from there."""
        return ROOT / (self.environment or ".") if self.name == "node" else ROOT

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None."""
        if self.environment is not None and not (ROOT / self.environment).is_dir():
            return f"there is no {self.environment}: `make clients` makes it where it can"
        if self.name in ("node", "curl") and shutil.which(self.name) is None:
            return f"there is no {self.name}"
        return None

    def run(self, url: str) -> list[Exchange]:
        """Run it against the server at *url*, and return what it printed."""
        done = subprocess.run(
            [*self.command, url],
            cwd=self.folder,
            env={**os.environ, "NODE_NO_WARNINGS": "1", "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
        )
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        return [Exchange(**json.loads(line)) for line in done.stdout.splitlines()]


PROGRAMS = [
    Program(name="boto3"),
    Program(name="botocore"),
    Program(name="awscli", environment=".venv-awscli"),
    Program(name="aiobotocore", environment=".venv-aiobotocore"),
    Program(name="niquests", environment=".venv-niquests"),
    Program(name="awscrt"),
    Program(name="node", environment=".node-clients"),
    Program(name="minio"),
    Program(name="requests"),
    Program(name="curl"),
]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run the server under gunicorn while the block runs; yield its URL."""
    port = free_port()
    host = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--bind", host, "--threads", "8"]
    # requests-auth-aws-sigv4 leaves the port out of the Host header.
    environment = {HOST_VARIABLE: f"{host} 127.0.0.1", "HOME": str(folder)}
    with running(
        [*command, "tests.clients.application:application"],
        port=port,
        log=folder / "log",
        environment=environment,
    ):
        yield f"http://{host}"
