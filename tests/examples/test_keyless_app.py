"""The key service and the application without secrets, in two processes, asked by botocore."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from examples import key_service
from examples.remote_signing_keys import RemoteSigningKeys
from tests.servers.processes import free_port
from tests.servers.processes import running
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import CredentialScope
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4.signer import Signer

pytestmark = pytest.mark.servers

ALICE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
BOB = Credentials(
    "ASIAIOSFODNN7EXAMPLE", "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY", "example-session-token"
)
WEB_TIER = ("AKIAWEBTIEREXAMPLE00", "webtier/K7MDENG/bPxRfiCYEXAMPLEKEYEXAMPL")
TTL = 1.5


class Service:
    """A program under gunicorn that can be stopped and started again."""

    def __init__(self, app: str, folder: Path, environment: dict[str, str], port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.log = folder / "log"
        self._command = [sys.executable, "-m", "gunicorn", "--log-level", "debug"]
        self._command += ["--access-logfile", "-", "--bind", self.host, app]
        self._environment = {"HOME": str(folder), **environment}
        self._port = port
        self._stack = ExitStack()

    def start(self) -> None:
        """Start it."""
        self._stack.enter_context(
            running(self._command, port=self._port, log=self.log, environment=self._environment)
        )

    def stop(self) -> None:
        """End it."""
        self._stack.close()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Service]]:
    """Return the running key service and the running application."""
    ports = free_port(), free_port()
    hosts = [f"127.0.0.1:{port}" for port in ports]
    keys = Service(
        "examples.key_service:app",
        tmp_path_factory.mktemp("keys"),
        {"KEY_SERVICE_HOSTS": hosts[0]},
        ports[0],
    )
    app = Service(
        "examples.keyless_app:app",
        tmp_path_factory.mktemp("app"),
        {
            "KEY_SERVICE": f"http://{hosts[0]}",
            "ITEMS_HOSTS": hosts[1],
            "KEY_TTL": str(TTL),
            "KEY_NEGATIVE_TTL": "0.2",
        },
        ports[1],
    )
    keys.start()
    app.start()
    yield keys, app
    app.stop()
    keys.stop()


def send(
    url: str,
    credentials: Credentials | None,
    *,
    presigned: bool = False,
    region: str = "us-east-1",
    service: str = "items",
) -> tuple[int, dict[str, str]]:
    """Return status and answer to a request that botocore signs."""
    request = AWSRequest("GET", url)
    if credentials is not None:
        kind = SigV4QueryAuth if presigned else SigV4Auth
        kind(credentials, service, region).add_auth(request)
    prepared = request.prepare()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(
            urllib.request.Request(prepared.url, headers=dict(prepared.headers)), timeout=60
        )
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
    with answer:
        return answer.status, json.loads(answer.read())


def asked(keys: Service) -> int:
    """Return how many signing keys were asked for."""
    return keys.log.read_text(encoding="utf-8").count('"GET /signing-key?')


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize(("credentials", "name"), [(ALICE, "alice"), (BOB, "bob")])
def test_clients_are_verified_without_their_secrets(
    services: tuple[Service, Service], credentials: Credentials, name: str, presigned: bool
) -> None:
    """Clients sign with secrets that the application does not have, and are who they are."""
    _, app = services
    status, caller = send(f"http://{app.host}/whoami", credentials, presigned=presigned)
    assert (status, caller.get("principal")) == (200, name)
    forged = Credentials(credentials.access_key, "wrong", credentials.token)
    status, error = send(f"http://{app.host}/whoami", forged, presigned=presigned)
    assert status == 403
    assert "signature we calculated does not match" in error["message"]


def test_unknown_client(services: tuple[Service, Service]) -> None:
    """A client that the key service does not know is refused as an unknown one."""
    _, app = services
    status, error = send(f"http://{app.host}/whoami", Credentials("AKIDUNKNOWN", "x"))
    assert (status, error["message"]) == (
        403,
        "The security token included in the request is invalid.",
    )


def test_one_question_for_each_time_to_live(services: tuple[Service, Service]) -> None:
    """The key service is asked once for a client in its time to live."""
    keys, app = services
    time.sleep(TTL)
    before = asked(keys)
    begun = time.monotonic()
    sent, lives = 0, 0.0
    # At each end of the time one more, and the clock may have passed midnight UTC, too.
    while lives < 2 or sent < 2 * (lives + 2):
        assert send(f"http://{app.host}/whoami", ALICE)[0] == 200
        sent += 1
        lives = (time.monotonic() - begun) / TTL
        assert lives < 40
    assert 1 <= asked(keys) - before <= lives + 2


def test_key_service_that_is_down(services: tuple[Service, Service]) -> None:
    """Known clients go on while the key service is down; others get 503, until it is back."""
    keys, app = services
    url = f"http://{app.host}/whoami"
    assert send(url, ALICE)[0] == 200
    time.sleep(TTL)
    keys.stop()
    try:
        for _ in range(3):
            assert send(url, ALICE)[0] == 200
            assert send(url, Credentials("AKIDNOBODY", "x"))[0] == 503
    finally:
        keys.start()
    assert send(url, Credentials("AKIDNOBODY", "x"))[0] == 403
    assert send(url, ALICE)[0] == 200


@pytest.mark.parametrize(
    ("credentials", "region", "presigned", "status"),
    [
        (Credentials(*WEB_TIER), "local", False, 404),
        (Credentials(*WEB_TIER), "local", True, 403),
        (Credentials(*WEB_TIER), "us-east-1", False, 403),
        (Credentials(WEB_TIER[0], "wrong"), "local", False, 403),
        (ALICE, "local", False, 403),
        (None, "local", False, 403),
    ],
)
def test_key_service_is_asked_by_the_web_tier_only(
    services: tuple[Service, Service],
    credentials: Credentials | None,
    region: str,
    presigned: bool,
    status: int,
) -> None:
    """Nobody but the web tier gets an answer, not even a client, and that not by a URL."""
    keys, _ = services
    url = f"http://{keys.host}/signing-key?access_key_id=x"
    assert send(url, credentials, presigned=presigned, region=region, service="keys")[0] == status


def test_logs_hold_no_secret(services: tuple[Service, Service]) -> None:
    """T39: neither process logs a secret, nor a signing key, at DEBUG."""
    for service in services:
        text = service.log.read_text(encoding="utf-8")
        for key in (ALICE, BOB, Credentials(*WEB_TIER)):
            assert key.secret_key not in text
        assert 'signing_key"' not in text


def test_dates_of_signing_keys() -> None:
    """Keys are handed out for requests of the last week and of tomorrow, and no further."""
    now = time.time()
    days = {n: time.strftime("%Y%m%d", time.gmtime(now + n * 86400)) for n in range(-12, 5)}
    given = [n for n, day in days.items() if key_service.is_near(day)]
    assert given == list(range(-8, 2))
    assert key_service.signing_key({"access_key_id": ALICE.access_key, "date": days[0]}) is None


@pytest.mark.parametrize("url", ["http://keys.example.com", "ftp://127.0.0.1", "keys"])
def test_signing_keys_stay_on_the_machine_without_tls(url: str) -> None:
    """A key service on another machine is asked over TLS only."""
    signer = Signer(*WEB_TIER, region="local", service="keys")
    with pytest.raises(ConfigurationError):
        RemoteSigningKeys(url, signer)
    RemoteSigningKeys("https://keys.example.com", signer)


def test_key_service_that_refuses(services: tuple[Service, Service]) -> None:
    """Where the key service refuses the web tier, that is 503, and no fault of the client."""
    keys, _ = services
    signer = Signer(WEB_TIER[0], "wrong", region="local", service="keys")
    scope = CredentialScope(date="20261121", region="us-east-1", service="items")
    with pytest.raises(CredentialsUnavailable):
        RemoteSigningKeys(f"http://{keys.host}", signer).lookup(
            "A", scope=scope, session_token=None
        )
