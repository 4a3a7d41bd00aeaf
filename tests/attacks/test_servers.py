"""Attacks over raw sockets, on servers that keep a connection for the next request."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.servers.cases import with_wrong_signature
from tests.servers.roster import SERVERS
from tests.servers.roster import Running
from tests.servers.roster import started
from tests.servers.signing import S3
from tests.servers.signing import Request

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", params=["gunicorn gthread", "waitress", "a2wsgi, uvicorn"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server with the application behind the middleware."""
    with started(SERVERS[request.param], tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("awaits_continue", [False, True])
def test_body_of_a_refused_request_is_no_request(
    server: Running, chunked: bool, awaits_continue: bool
) -> None:
    """A signed request inside a refused body is not served, and the one behind that body is."""
    case = f"{chunked} {awaits_continue}"
    smuggled = Request(service=S3, target="/evil").sign(case=f"evil {case}").sending()
    refused = Request(
        service=S3,
        method="PUT",
        body=smuggled.head,
        chunked=chunked,
        awaits_continue=awaits_continue,
    )
    first = with_wrong_signature(refused.sign()).sending()
    second = Request(service=S3, target="/good").sign(case=f"good {case}")
    closing = replace(second, framing=(("Connection", "close"),)).sending()
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(first.head + first.body + closing.head)
        with suppress(TimeoutError, ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    statuses = [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", received)]
    assert [status for status in statuses if status != 100] == [403, 200]
    assert server.calls(f"evil {case}") == []
    assert len(server.calls(f"good {case}")) == 1


@pytest.mark.parametrize("cut", range(1, 48, 3))
def test_no_part_of_an_unsigned_body_is_taken_for_the_whole(server: Running, cut: int) -> None:
    """Where nothing signs the body, one that was cut off anywhere reaches no application."""
    request = Request(
        service=S3, method="PUT", body=b"0123456789abcdefghijklmnop", chunked=True,
        payload="unsigned",
    )  # fmt: skip
    sending = replace(request.sign(case=f"cut {cut}"), cut=cut).sending()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sending.head + sending.body)
        connection.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError, ConnectionResetError):
            while connection.recv(65536):
                pass
    assert server.calls(f"cut {cut}") == []
