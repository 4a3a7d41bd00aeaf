"""The servers, and how each is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from tests.servers import nginx
from tests.servers.applications import CALLS_VARIABLE
from tests.servers.applications import OPTIONS_VARIABLE
from tests.servers.processes import ROOT
from tests.servers.processes import free_port
from tests.servers.processes import running

_MODULE = "tests.servers.applications"
_APPLICATION = f"{_MODULE}:application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, or a proxy with a server behind it.

    Attributes:
        name: of the row in the table.
        package: whose version the table shows.
        command: returns the command line for a port.
        options: for the middleware.
        front: the configuration of nginx in front of it; None: clients speak to it directly.
        prefix: a path that clients put before every path, and nginx takes away.
    """

    name: str
    package: str
    command: Callable[[int], list[str]]
    options: Mapping[str, Any] = field(default_factory=dict)
    front: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that runs.

    Attributes:
        server: which one.
        port: where it listens on loopback.
        calls_file: where its application notes the calls.
        log: what it printed.
    """

    server: Server
    port: int
    calls_file: Path
    log: Path

    def calls(self, case: str) -> list[dict[str, Any]]:
        """Return the calls of the application for the request *case*, so far."""
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        return [call for call in map(json.loads, lines) if call["case"] == case]


@contextmanager
def started(
    server: Server, folder: Path, *, options: Mapping[str, Any] | None = None
) -> Iterator[Running]:
    """Run *server* while the block runs; *options* for the middleware add to its own."""
    port = free_port()
    calls, log = folder / "calls.jsonl", folder / "server.log"
    calls.touch()
    environment = {
        CALLS_VARIABLE: str(calls),
        OPTIONS_VARIABLE: json.dumps({**server.options, **(options or {})}),
    }
    with ExitStack() as stack:
        stack.enter_context(
            running(server.command(port), port=port, log=log, environment=environment)
        )
        if server.front is not None:
            upstream, port = port, free_port()
            command = nginx.command(server.front, port=port, upstream=upstream, folder=folder)
            stack.enter_context(running(command, port=port, log=log, environment={}))
        yield Running(server=server, port=port, calls_file=calls, log=log)


def _launch(name: str) -> Callable[[int], list[str]]:
    return lambda port: [sys.executable, "-m", "tests.servers.launch", name, str(port)]


def _gunicorn(worker: str) -> Callable[[int], list[str]]:
    threads = ["--threads", "4"] if worker == "gthread" else []
    return lambda port: [
        *(sys.executable, "-m", "gunicorn", "--workers", "1", "--worker-class", worker),
        *(*threads, "--bind", f"127.0.0.1:{port}", "--no-control-socket", _APPLICATION),
    ]


def _uwsgi(protocol: str) -> Callable[[int], list[str]]:
    return lambda port: [
        *(str(Path(sys.executable).with_name("uwsgi")), protocol, f"127.0.0.1:{port}"),
        *("--pythonpath", str(ROOT), "--module", _MODULE, "--need-app", "--die-on-term"),
        *("--virtualenv", sys.prefix, "--buffer-size", "65535", "--threads", "4"),
    ]


def _django(port: int) -> list[str]:
    settings = ["--settings", "tests.servers.django_project"]
    return [
        *(sys.executable, "-m", "django", "runserver", f"127.0.0.1:{port}", "--noreload"),
        *settings,
    ]


def _waitress(port: int) -> list[str]:
    return [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", _APPLICATION]


def _granian(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--workers", "1"),
        *("--host", "127.0.0.1", "--port", str(port), _APPLICATION),
    ]


def _uvicorn(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", "--http", "h11", "--host", "127.0.0.1"),
        *("--port", str(port), "--lifespan", "off", "tests.servers.asgi:application"),
    ]


_GTHREAD = _gunicorn("gthread")

SERVERS = {
    server.name: server
    for server in (
        Server(name="wsgiref", package="Python", command=_launch("wsgiref")),
        Server(name="runserver", package="Django", command=_django),
        Server(name="werkzeug", package="Werkzeug", command=_launch("werkzeug")),
        Server(name="gunicorn sync", package="gunicorn", command=_gunicorn("sync")),
        Server(name="gunicorn gthread", package="gunicorn", command=_GTHREAD),
        Server(name="gunicorn gevent", package="gunicorn", command=_gunicorn("gevent")),
        Server(name="waitress", package="waitress", command=_waitress),
        Server(name="uWSGI", package="pyuwsgi", command=_uwsgi("--http-socket")),
        Server(name="cheroot", package="cheroot", command=_launch("cheroot")),
        Server(name="gevent", package="gevent", command=_launch("gevent")),
        Server(name="granian", package="granian", command=_granian),
        Server(name="a2wsgi, uvicorn", package="a2wsgi", command=_uvicorn),
        Server(
            name="nginx, gunicorn",
            package="gunicorn",
            command=_GTHREAD,
            front=nginx.TO_GUNICORN,
        ),
        Server(
            name="nginx, uWSGI",
            package="pyuwsgi",
            command=_uwsgi("--uwsgi-socket"),
            options={"length_of_chunked": True},
            front=nginx.TO_UWSGI,
        ),
        Server(
            name="nginx, stripped prefix",
            package="gunicorn",
            command=_GTHREAD,
            options={"path_prefix": "/api"},
            front=nginx.STRIPPED_PREFIX,
            prefix="/api",
        ),
        Server(
            name="nginx, its default Host",
            package="gunicorn",
            command=_GTHREAD,
            front=nginx.DEFAULT_HOST,
        ),
        Server(
            name="nginx, proxy_pass with a URI",
            package="gunicorn",
            command=_GTHREAD,
            front=nginx.URI_PART,
        ),
    )
}
