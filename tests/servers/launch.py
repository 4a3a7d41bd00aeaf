"""Start a server that has no command line: ``python -m tests.servers.launch NAME PORT``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.servers.applications import application

HOST = "127.0.0.1"


def wsgiref(port: int) -> None:
    """Serve with the reference server of the standard library."""
    from wsgiref.simple_server import make_server

    with make_server(HOST, port, application) as server:
        server.serve_forever()


def werkzeug(port: int) -> None:
    """Serve with Werkzeug's development server, which `flask run` starts too."""
    from werkzeug.serving import run_simple

    run_simple(HOST, port, application, threaded=True)


def cheroot(port: int) -> None:
    """Serve with cheroot."""
    from cheroot.wsgi import Server

    server = Server((HOST, port), application)
    try:
        server.start()
    finally:
        server.stop()


def gevent(port: int) -> None:
    """Serve with gevent's own server; its greenlets wait for the operating system together."""
    from gevent import monkey

    monkey.patch_all()
    from gevent.pywsgi import WSGIServer

    WSGIServer((HOST, port), application).serve_forever()


LAUNCHERS: dict[str, Callable[[int], None]] = {
    launcher.__name__: launcher for launcher in (wsgiref, werkzeug, cheroot, gevent)
}

if __name__ == "__main__":
    LAUNCHERS[sys.argv[1]](int(sys.argv[2]))
