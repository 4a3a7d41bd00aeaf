"""What a client sees of a refusal on each server, and what becomes of the rest of its body."""

from __future__ import annotations

import calendar
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.servers.cases import BIG
from tests.servers.cases import with_wrong_signature
from tests.servers.limits import DEFAULT_HOST
from tests.servers.roster import Running
from tests.servers.signing import ITEMS
from tests.servers.signing import S3
from tests.servers.signing import Request
from tests.servers.signing import Signed
from tests.servers.wire import Connection
from tests.servers.wire import exchange
from tests.servers.wire import send_first

#: By what the package knows a server: how SERVER_SOFTWARE begins, and a key of the server's own.
KNOWN_BY: dict[str, tuple[str | None, list[str]]] = {
    "Python": ("WSGIServer/", []),
    "Django": ("WSGIServer/", []),
    "Werkzeug": ("Werkzeug/", []),
    "gunicorn": ("gunicorn/", []),
    "waitress": ("waitress", []),
    "pyuwsgi": (None, ["uwsgi.version"]),
    "cheroot": ("Cheroot/", []),
    "gevent": ("gevent/", []),
    "granian": ("Granian", []),
    "a2wsgi": (None, ["asgi.scope"]),
}


CHEROOT = (
    "cheroot takes a chunked body that no application could read for the next request; this one is "
    "signed, or it would be refused"
)


def forbidden() -> str:
    """Return a name for a request that must never reach the application."""
    return f"forbidden-{uuid.uuid4()}"


def answers_a_good_request(running: Running) -> bool:
    """Return whether the server is still there, and serves."""
    name = f"good-{uuid.uuid4()}"
    good = Request(service=ITEMS).sign(prefix=running.server.prefix, case=name)
    answer = exchange(running.port, good.sending())
    return answer.status == (403 if running.server.name == DEFAULT_HOST else 200)


@pytest.mark.parametrize("service", [ITEMS, S3])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_refusal_carries_one_date(running: Running, service: str, method: str) -> None:
    """SDKs set their clock by Date: there is exactly one, whoever of server and package adds it."""
    request = Request(service=service, method=method)
    signed = request.sign(prefix=running.server.prefix, case=forbidden())
    asked = time.time()
    answer = exchange(running.port, with_wrong_signature(signed).sending())
    assert answer.status == 403
    (date,) = answer.values("date")
    told = calendar.timegm(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT"))
    # It has whole seconds, and some servers make it once for all answers of a second or two.
    assert asked - 5 < told < time.time() + 1


def test_server_is_known_by_what_it_says_of_itself(running: Running) -> None:
    """The package goes by SERVER_SOFTWARE, or a key of the server's, where one hides something."""
    if running.server.name == DEFAULT_HOST:
        pytest.skip("nothing reaches an application there")
    name = f"known-{uuid.uuid4()}"
    exchange(
        running.port, Request(service=S3).sign(prefix=running.server.prefix, case=name).sending()
    )
    (call,) = running.calls(name)
    software, marks = KNOWN_BY[running.server.package]
    assert call["marks"] == marks
    assert software is None or call["server_software"].startswith(software)


@pytest.mark.parametrize("service", [ITEMS, S3])
def test_rule_21_client_that_sends_first_sees_the_refusal(running: Running, service: str) -> None:
    """A client sends all of its 3 MiB before it looks for an answer: three of three see the 403.

    For S3 the signature is checked before the body is read, for the other one after.
    """
    request = Request(service=service, method="PUT", body=BIG)
    seen = []
    for _ in range(3):
        signed = request.sign(prefix=running.server.prefix, case=forbidden())
        seen.append(send_first(running.port, with_wrong_signature(signed).sending()).status)
    assert seen == [403, 403, 403]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("sent", [0, 1, 5000])
def test_rule_16_client_that_crashes_never_reaches_the_application(
    running: Running, sent: int, chunked: bool
) -> None:
    """The connection breaks off in the middle of the body; the server serves on."""
    request = Request(
        service=S3, method="PUT", body=BIG[:10_000], payload="unsigned", chunked=chunked
    )
    name = forbidden()
    sending = request.sign(prefix=running.server.prefix, case=name).sending()
    with Connection(running.port) as connection:
        connection.send_and_reset(replace(sending, body=sending.body[:sent]))
    assert answers_a_good_request(running)
    assert running.calls(name) == []


def _plus(signed: Signed) -> Signed:
    return replace(signed, framing=(("Content-Length", f"+{len(signed.body)}"),))


def _chunked(signed: Signed) -> Signed:
    return replace(signed, chunked=True, framing=(("Transfer-Encoding", "chunked"),))


def _both_framings(signed: Signed) -> Signed:
    return replace(
        signed,
        chunked=False,
        framing=(("Content-Length", str(len(signed.body))), ("Transfer-Encoding", "chunked")),
    )


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(lambda signed: signed, id="length"),
        pytest.param(_plus, id="length with a plus"),
        pytest.param(_both_framings, id="length and chunked"),
        pytest.param(_chunked, id="chunked"),
    ],
)
def test_body_of_a_refused_request_is_not_the_next_request(
    running: Running, frame: Callable[[Signed], Signed], request: pytest.FixtureRequest
) -> None:
    """A request inside the body of a refused one is not served, however the body is framed."""
    if running.server.name == "cheroot" and frame is _both_framings:
        request.applymarker(pytest.mark.xfail(reason=CHEROOT, strict=True))
    inner = f"inner-{uuid.uuid4()}"
    smuggled = Request(service=ITEMS).sign(prefix=running.server.prefix, case=inner).sending().head
    outer = Request(service=S3, method="PUT", body=smuggled)
    signed = with_wrong_signature(outer.sign(prefix=running.server.prefix, case=forbidden()))
    with Connection(running.port) as connection:
        received = connection.send_and_read_on(frame(signed).sending())
    assert received.startswith(b"HTTP/1.") or not received
    assert running.calls(inner) == []
