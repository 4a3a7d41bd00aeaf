"""The bucket under gunicorn: several workers with threads, over http or https."""

from __future__ import annotations

import json
import os
import ssl
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.servers.processes import free_port
from tests.servers.processes import running
from tests.uploads.application import NOTES_VARIABLE

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
BUCKET = "bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A bucket that is served.

    Attributes:
        port: where, on loopback.
        folder: everything of this server is below it.
        authority: file with the certificate that a client is to trust; None: plain http.
        stream: whether bodies are read while they arrive.
    """

    port: int
    folder: Path
    authority: Path | None
    stream: bool

    @property
    def host(self) -> str:
        """The Host header."""
        return f"127.0.0.1:{self.port}"

    @property
    def scheme(self) -> str:
        """The scheme of the endpoint."""
        return "http" if self.authority is None else "https"

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{self.scheme}://{self.host}"

    @property
    def bucket(self) -> Path:
        """The folder of the bucket."""
        return self.folder / "data" / BUCKET

    @property
    def temporary(self) -> Path:
        """Where the server spools bodies."""
        return self.folder / "temporary"

    def all_notes(self) -> list[dict[str, Any]]:
        """Return the notes of all requests so far."""
        return [json.loads(line) for line in (self.folder / "notes").read_text().splitlines()]

    def notes(self, key: str, method: str = "PUT") -> list[dict[str, Any]]:
        """Return the notes of the requests for *key* by *method*."""
        wanted = (method, f"/{BUCKET}/{key}".encode().decode("latin-1"))
        return [note for note in self.all_notes() if (note["method"], note["path"]) == wanted]

    def forms(self, key: str, method: str = "PUT") -> set[str]:
        """Return how the bodies of the requests for *key* by *method* were sent."""
        return {note["form"] for note in self.notes(key, method)}

    def left_behind(self) -> list[str]:
        """Return the files of bodies that are neither objects nor parts, deleted ones included."""
        folders = (self.temporary, self.bucket / "incoming")
        named = [str(path) for folder in folders for path in folder.iterdir()]
        return named + [name for name in _open_files() if name.startswith(tuple(map(str, folders)))]


def _open_files() -> Iterator[str]:
    """Yield the names of the files that any process has open, where the system tells."""
    for process in Path("/proc").glob("[0-9]*"):
        # It may end at any time, and may be somebody else's.
        with suppress(OSError):
            for link in os.listdir(process / "fd"):
                with suppress(OSError):
                    yield os.readlink(process / "fd" / link)


@contextmanager
def served(
    folder: Path,
    *,
    stream: bool,
    https: bool = False,
    workers: int = 2,
    before: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Serve a bucket below *folder* while the block runs.

    Args:
        folder: an empty folder.
        stream: read bodies while they arrive.
        https: with a certificate of an authority of its own.
        workers: processes of gunicorn.
        before: a command that runs the server: its program, and arguments before the server's.
        environment: further variables.
    """
    port = free_port()
    server = Served(
        port=port,
        folder=folder,
        authority=folder / "authority.pem" if https else None,
        stream=stream,
    )
    server.bucket.mkdir(parents=True, exist_ok=True)
    server.temporary.mkdir(exist_ok=True)
    command = [*before, sys.executable, "-m", "gunicorn", "--bind", server.host]
    command += ["--workers", str(workers), "--threads", "8", "--graceful-timeout", "1"]
    # Where the worker touches a file to say that it lives: not in the folder of the bodies.
    command += ["--worker-tmp-dir", str(folder)]
    if server.authority is not None:
        certificate = folder / "server.pem"
        certify(server.authority, certificate)
        command += ["--certfile", str(certificate), "--keyfile", str(certificate)]
    variables = {
        "BUCKET_FOLDER": str(server.bucket),
        "BUCKET_STREAM": "1" if stream else "0",
        NOTES_VARIABLE: str(folder / "notes"),
        "TMPDIR": str(server.temporary),
        "HOME": str(folder),
        **(environment or {}),
    }
    with running(
        [*command, "tests.uploads.application:application()"],
        port=port,
        log=folder / "log",
        environment=variables,
    ):
        yield server


def certify(authority: Path, certificate: Path) -> None:
    """Write the certificate of a new authority, and one with its key that it gave 127.0.0.1."""
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(authority))
    issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    # It is one that a client takes.
    ssl.create_default_context(cafile=str(authority))
