"""An application that several workers of gunicorn serve, and their configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from prometheus_client import multiprocess

from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.prometheus import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with the metrics of all workers."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4")])
    return [generate_latest(registry)]


def with_worker(inner: WSGIApplication) -> WSGIApplication:
    """Have *inner* say which process answers."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], exc_info)

        return inner(environ, start)

    return app


def child_exit(server: object, worker: Any) -> None:
    """Be the hook of gunicorn's configuration that tidies up after a worker."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


metrics = Metrics()
app = with_worker(
    SigV4Middleware(
        measured,
        Verifier({}, region="us-east-1", service="s3"),
        exempt=["/metrics"],
        on_accept=metrics,
        on_refuse=metrics,
    )
)
