"""Servers on loopback for the clients of these tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response

from tests.testing.applications import credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Give *answer* to whoever connects while the block runs; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        thread = threading.Thread(target=_answer, args=(server, answer))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join(90)


def _answer(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.settimeout(60)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
            elif line.startswith(b"expect:"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < length:
            body += connection.recv(65536)
        connection.sendall(answer)


@Request.application
def echo(request: Request) -> Response:
    """Answer with the method, the target and the body."""
    told = f"{request.method} {request.environ['REQUEST_URI']}\n".encode()
    return Response(told + request.get_data())


@contextmanager
def verifying(service: str) -> Iterator[str]:
    """Run an application behind the middleware while the block runs; yield its URL."""
    verifier = Verifier(
        credentials(),
        region="us-east-1",
        service=service,
        require_signed=("content-type", "x-test"),
    )
    server = make_server("127.0.0.1", 0, SigV4Middleware(echo, verifier))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
