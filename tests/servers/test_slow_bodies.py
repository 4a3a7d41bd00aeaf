"""Clients that are slow, or fall silent, on servers whose workers would wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.servers.cases import BIG
from tests.servers.cases import with_wrong_signature
from tests.servers.roster import SERVERS
from tests.servers.roster import Running
from tests.servers.roster import started
from tests.servers.signing import ITEMS
from tests.servers.signing import S3
from tests.servers.signing import Request
from tests.servers.wire import exchange

#: Seconds that are less than a client of these tests waits, or than its body takes to drip.
IN_TIME = 15
#: RequestTimeout, as S3 and as the other services say it.
TOO_SLOW = {ITEMS: 408, S3: 400}


@pytest.fixture(scope="module", params=["gunicorn gthread", "gunicorn gevent", "werkzeug"])
def impatient(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A server whose middleware gives a body one second."""
    folder = tmp_path_factory.mktemp("impatient")
    with started(SERVERS[request.param], folder, options={"body_seconds": 1}) as running:
        # gunicorn listens before it has a worker: that is no time that a body takes.
        answer = exchange(running.port, Request(service=ITEMS).sign(case="first").sending())
        assert answer.status == 200
        yield running


@pytest.mark.parametrize("service", [ITEMS, S3])
def test_t43_dripping_client_is_refused_in_time(impatient: Running, service: str) -> None:
    """T43: each piece of the body comes in good time, and all of it would take minutes."""
    signed = Request(service=service, method="PUT", body=BIG).sign(case="dripping")
    answer = exchange(impatient.port, replace(signed.sending(), drip=512, pause=0.1))
    assert answer.status == TOO_SLOW[service]
    assert answer.seconds < IN_TIME
    assert impatient.calls("dripping") == []


@pytest.mark.parametrize("service", [ITEMS, S3])
@pytest.mark.parametrize("sent", [0, 5000])
def test_t43_silent_client_is_refused_in_time(impatient: Running, service: str, sent: int) -> None:
    """T43: the client sends a part of the body, and then nothing; it does not close either."""
    signed = Request(service=service, method="PUT", body=BIG).sign(case="silent")
    sending = signed.sending()
    answer = exchange(impatient.port, replace(sending, body=sending.body[:sent]))
    assert answer.status == TOO_SLOW[service]
    assert answer.seconds < IN_TIME
    assert impatient.calls("silent") == []


def test_t43_refused_client_does_not_hold_the_worker(impatient: Running) -> None:
    """T43: who sends no byte of a body that is refused anyway gets the refusal all the same."""
    request = Request(service=S3, method="PUT", body=BIG)
    sending = with_wrong_signature(request.sign(case="silent")).sending()
    answer = exchange(impatient.port, replace(sending, body=b""))
    assert answer.status == 403
    assert answer.seconds < IN_TIME
