"""Django behind gunicorn, uvicorn and daphne, spoken to over raw sockets."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import pytest

from tests.django.signing import FORM
from tests.django.signing import Sent
from tests.django.signing import sign
from tests.django.signing import tampered
from tests.servers.processes import free_port
from tests.servers.processes import running
from tests.servers.wire import Answer
from tests.servers.wire import Sending
from tests.servers.wire import exchange

pytestmark = pytest.mark.servers

WSGI = "tests.django.wsgi:application"
ASGI = "tests.django.asgi:application"
COMMANDS: dict[str, Callable[[int], list[str]]] = {
    "gunicorn": lambda port: ["gunicorn", WSGI, "--bind", f"127.0.0.1:{port}", "--threads", "2"],
    "uvicorn-h11": lambda port: ["uvicorn", ASGI, "--port", str(port), "--http", "h11"],
    "uvicorn-httptools": lambda port: ["uvicorn", ASGI, "--port", str(port), "--http", "httptools"],
    "daphne": lambda port: ["daphne", "-b", "127.0.0.1", "-p", str(port), ASGI],
}
BIG = os.urandom(1024) * 3072


@pytest.fixture(scope="module", params=list(COMMANDS))
def server(request: pytest.FixtureRequest) -> str:
    """Return the name of a server."""
    return str(request.param)


@pytest.fixture(scope="module")
def port(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of the server, which runs the project."""
    number = free_port()
    command = [sys.executable, "-m", *COMMANDS[server](number)]
    log: Path = tmp_path_factory.mktemp("log") / server
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.django.server_settings",
        # Warnings of the servers' own would fill the log.
        "PYTHONDEVMODE": "",
    }
    with running(command, port=number, log=log, environment=environment):
        yield number


def ask(port: int, sent: Sent) -> Answer:
    """Return what the server answers."""
    lines = [f"{sent.method} {sent.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sent.headers]
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
    return exchange(port, Sending(head=head, body=sent.body, method=sent.method))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request for the view that tells what it sees.

    Attributes:
        target: path and query as they are sent.
        path: as the view sees it.
        spelt: the target as it is given to botocore, where that signs it otherwise.
        service: "items", which signs as most do, or "s3".
        method: the method.
        body: the body.
        content_type: that of the body.
        presigned: sign in the query.
    """

    target: str
    path: str
    spelt: str | None = None
    service: str = "items"
    method: str = "GET"
    body: bytes = b""
    content_type: str | None = None
    presigned: bool = False

    def sent(self) -> Sent:
        """Return the request, signed just now."""
        signed = sign(
            self.method,
            self.spelt or self.target,
            body=self.body,
            content_type=self.content_type,
            service=self.service,
            presigned=self.presigned,
        )
        return signed if self.spelt is None else replace(signed, target=self.target)


CASES = {
    "plain": Case(target="/echo/a", path="/echo/a"),
    "presigned": Case(target="/echo/a", path="/echo/a", presigned=True),
    "presigned s3": Case(target="/echo/a", path="/echo/a", presigned=True, service="s3"),
    "escaped slash": Case(target="/echo/a%2Fb", path="/echo/a/b"),
    "escaped slash s3": Case(
        target="/echo/a%2Fb", spelt="/echo/a/b", path="/echo/a/b", service="s3"
    ),
    "space": Case(target="/echo/a%20b", path="/echo/a b"),
    "space s3": Case(target="/echo/a%20b", path="/echo/a b", service="s3"),
    "unicode": Case(target="/echo/%C3%A9%E3%81%82", path="/echo/éあ"),
    "unicode s3": Case(target="/echo/%C3%A9%E3%81%82", path="/echo/éあ", service="s3"),
    "slashes": Case(target="/echo//a///b", path="/echo/a/b"),
    "slashes s3": Case(target="/echo//a///b", path="/echo//a///b", service="s3"),
    "dots": Case(target="/echo/a/./b/../c/", path="/echo/a/c/"),
    "dots s3": Case(target="/echo/a/./b/../c/", path="/echo/a/./b/../c/", service="s3"),
    "odd query": Case(
        target="/echo/a?b=2&a=1&a=0&x=%20%2F&%C3%A9=%C3%A9",
        path="/echo/a",
    ),
    "json": Case(
        target="/echo/a",
        path="/echo/a",
        method="POST",
        body=b'{"a": "\xc3\xa9"}',
        content_type="application/json",
    ),
    "form": Case(
        target="/echo/a", path="/echo/a", method="POST", body=b"a=1&b=x+y", content_type=FORM
    ),
    "big put": Case(target="/echo/a", path="/echo/a", method="PUT", body=BIG),
    "big put s3": Case(target="/echo/a", path="/echo/a", method="PUT", body=BIG, service="s3"),
}


@pytest.mark.parametrize("name", CASES)
def test_signed_request_is_served(port: int, name: str) -> None:
    """What a client signs arrives whole, on the path it means."""
    case = CASES[name]
    answer = ask(port, case.sent())
    assert answer.status == 200, answer.body[:500]
    seen = json.loads(answer.body)
    assert seen["path_info"] == case.path
    assert seen["sha256"] == hashlib.sha256(case.body).hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_wrong_signature_is_refused(port: int, name: str) -> None:
    """The same request with another signature is refused, 3 MiB of body or none."""
    answer = ask(port, tampered(CASES[name].sent()))
    assert answer.status == 403
    code = b"SignatureDoesNotMatch" if CASES[name].service == "s3" else b"does not match"
    assert code in answer.body
    # SDKs correct their clock by it: once, whoever adds it.
    assert len(answer.values("date")) == 1
    assert answer.values("cache-control") == ["no-store"]


@pytest.mark.parametrize("name", ["json", "form", "big put", "big put s3"])
def test_changed_body_is_refused(port: int, name: str) -> None:
    """T23: a body that was changed on the way is refused."""
    sent = CASES[name].sent()
    answer = ask(port, replace(sent, body=sent.body[:-1] + b"~"))
    assert answer.status in (400, 403)


@pytest.mark.parametrize("name", ["escaped slash", "slashes", "dots", "odd query"])
def test_other_target_is_refused(port: int, name: str) -> None:
    """A signature is for one path and one query."""
    sent = CASES[name].sent()
    assert ask(port, replace(sent, target=sent.target + "x")).status == 403


def test_file_of_a_form(port: int) -> None:
    """T44: a file of 3 MiB in a form, under Django's default settings, reaches request.FILES."""
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    body = head + BIG + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    answer = ask(port, sign("POST", "/upload", body=body, content_type=kind))
    assert json.loads(answer.body)["files"]["f"]["sha256"] == hashlib.sha256(BIG).hexdigest()


@pytest.mark.parametrize("tail", [b"", b"0\r\n\r\n"])
def test_chunked_body(port: int, tail: bytes) -> None:
    """A body in chunks is readable where it is whole."""
    sent = sign("POST", "/upload", body=b"a=1", content_type=FORM).without("content-length")
    chunked = sent.with_header("Transfer-Encoding", "chunked")
    cut = replace(chunked, body=b"3\r\na=1\r\n" + tail)
    if not tail:
        half = cut.with_header("X-Cut", "1")
        lines = [f"{half.method} {half.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in half.headers]
        head = "\r\n".join([*lines, "", ""]).encode()
        answer = exchange(port, Sending(head=head, body=half.body, half_closes=True))
        assert answer.status != 200
    else:
        assert json.loads(ask(port, cut).body)["fields"] == {"a": "1"}


@pytest.mark.parametrize("target", ["/whoami", "/async-whoami", "/required", "/no-such-page"])
def test_unsigned_request_is_refused(port: int, target: str) -> None:
    """Nobody gets in without a signature."""
    assert ask(port, Sent(method="GET", target=target)).status == 403
    assert ask(port, Sent(method="GET", target="/exempt")).status == 200


def test_asynchronous_view(port: int) -> None:
    """Under either kind of server."""
    answer = ask(port, sign(target="/async-whoami"))
    assert json.loads(answer.body)["key"] == "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize("name", ["x_amz_acl", "X_Amz_Date"])
def test_header_with_underscore(server: str, port: int, name: str) -> None:
    """T33: where a server hands such a name on, it is held against the signature."""
    answer = ask(port, sign().with_header(name, "20010101T000000Z"))
    if server.startswith("uvicorn"):
        assert answer.status in (400, 403)
    else:
        # gunicorn and Daphne drop it: nobody has seen it.
        assert answer.status == 200


def test_root_path_of_a_client(server: str, port: int) -> None:
    """Daphne lets a client name the root path: that does not choose the view."""
    sent = sign(target="/echo/whoami").with_header("Daphne-Root-Path", "/echo")
    assert ask(port, sent).status == (400 if server == "daphne" else 200)
