"""EXPLAIN: what refusals say under WSGI and ASGI, and what listeners learn."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from tests.django.conftest import Exchange
from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import Sent
from tests.django.signing import send
from tests.django.signing import send_async
from tests.django.signing import sign
from tests.django.signing import tampered
from tests.django.test_middleware import has_running_loop
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.middleware import SigV4Middleware
from wsgi_sigv4.contrib.django.signals import request_judged
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.observing import Verdict

OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
Records = Callable[[], list[logging.LogRecord]]


@pytest.fixture
def explained(caplog: pytest.LogCaptureFixture) -> Records:
    """Return what returns the records that have a finding."""
    return lambda: [record for record in caplog.records if hasattr(record, "sigv4_causes")]


def causes(response: Any) -> list[str]:
    """Return the causes that an answer names."""
    found: list[str] = json.loads(response.content)["explanation"]["causes"]
    return found


def without_port() -> Sent:
    """Return a request whose proxy has dropped the port from Host."""
    sent = sign(host="testserver:8443")
    return sent.without("host").with_header("Host", "testserver")


def test_finding(exchange: Exchange, sigv4: Callable[..., None], explained: Records) -> None:
    """The answer and one record name the cause."""
    sigv4(EXPLAIN=True)
    response = exchange(without_port())
    assert response.status_code == 403
    assert causes(response) == ["host-port-dropped"]
    (record,) = explained()
    assert record.sigv4_causes == ("host-port-dropped",)  # type: ignore[attr-defined]


def test_off_explains_nothing(exchange: Exchange, explained: Records) -> None:
    """Without it neither the answer nor the log has a finding."""
    assert b"explanation" not in exchange(without_port()).content
    assert explained() == []


@pytest.mark.parametrize(("explain", "on"), [(None, True), (False, False)])
def test_unset_follows_debug(
    explain: bool | None, on: bool, exchange: Exchange, settings: Any, sigv4: Callable[..., None]
) -> None:
    """None is as DEBUG is; False stays off."""
    sigv4(EXPLAIN=explain)
    assert not get_configuration().explain
    settings.DEBUG = True
    assert get_configuration().explain is on
    assert (b"explanation" in exchange(without_port()).content) is on


def test_value_that_makes_no_sense(sigv4: Callable[..., None]) -> None:
    """Text, which is true, does not switch it on."""
    sigv4(EXPLAIN="false")
    with pytest.raises(ImproperlyConfigured, match="EXPLAIN is True or False"):
        get_configuration()


def test_start_is_warned_of(sigv4: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """That it is on is told when the server starts, and otherwise nothing is."""
    SigV4Middleware(lambda request: None)  # type: ignore[arg-type]
    assert "explain is on" not in caplog.text
    sigv4(EXPLAIN=True)
    SigV4Middleware(lambda request: None)  # type: ignore[arg-type]
    assert "explain is on" in caplog.text


@pytest.mark.parametrize("pieces", [1, 3])
def test_body_is_known(sigv4: Callable[..., None], pieces: int) -> None:
    """What Django has received, or the guard has read, is looked at; beyond 1 MiB it is not."""
    sigv4(EXPLAIN=True)
    small = replace(sign("POST", "/body", body=b"hello\n"), body=b"hello")
    small = small.without("content-length").with_header("Content-Length", "5")
    assert causes(send(small)) == causes(send_async(small, pieces=pieces)) == ["body-newline"]
    size = 1024 * 1024 + 1
    large = replace(sign("POST", "/body", body=b"a" * size), body=b"b" * size)
    for response in (send(large), send_async(large, pieces=pieces)):
        assert "not known" in json.loads(response.content)["explanation"]["summary"]


def test_body_that_cannot_be_rewound(settings: Any, sigv4: Callable[..., None]) -> None:
    """Under ASGI a body of another kind than Django's own is left to the verification."""
    sigv4(EXPLAIN=True)
    settings.MIDDLEWARE = ["tests.django.test_verdicts.not_seekable", *settings.MIDDLEWARE]
    assert send_async(sign("POST", "/body", body=b"hello")).status_code == 200
    response = send_async(tampered(sign("POST", "/body", body=b"hello")))
    assert "not known" in json.loads(response.content)["explanation"]["summary"]


def reads_first(get_response: Callable[[HttpRequest], Any]) -> Any:
    """Middleware that reads the body."""

    def middleware(request: HttpRequest) -> Any:
        assert request.body is not None
        return get_response(request)

    return middleware


def test_body_that_was_read_before(
    exchange: Exchange, settings: Any, sigv4: Callable[..., None]
) -> None:
    """What Django has kept of it is looked at, too."""
    sigv4(EXPLAIN=True)
    settings.MIDDLEWARE = [f"{__name__}.reads_first", *settings.MIDDLEWARE]
    sent = replace(sign("POST", "/body", body=b"hello\n"), body=b"hello")
    sent = sent.without("content-length").with_header("Content-Length", "5")
    assert causes(exchange(sent)) == ["body-newline"]
    large = replace(sent, body=b"b" * 1024 * 1025).without("content-length")
    large = large.with_header("Content-Length", str(1024 * 1025))
    assert "not known" in exchange(large).content.decode()


def test_page_for_a_browser(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """A presigned link that is opened in a browser is answered with a page, if EXPLAIN is on."""
    link = tampered(sign(presigned=True)).with_header("Accept", BROWSER)
    assert exchange(link).headers["Content-Type".lower()] == "application/json"
    sigv4(EXPLAIN=True)
    headers = {name.lower(): value for name, value in exchange(link).headers.items()}
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert {"Authorization", "Accept"} <= set(headers["vary"].split(", "))
    assert headers["cache-control"] == "no-store"


def test_view_that_must_be_signed(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """What is refused after routing, or by a view, is explained as well."""
    sigv4(EXPLAIN=True, REQUIRED=False)
    assert causes(exchange(Sent(method="GET", target="/required"))) == ["not-signed"]
    assert causes(exchange(sign(target="/denied"))) == ["denied"]


def test_path_that_cannot_be_read(sigv4: Callable[..., None]) -> None:
    """A request that is none for the core is explained by its refusal alone."""
    sigv4(EXPLAIN=True)
    response = send_async(sign(), raw_path=b"/who%zzami", path="/who%zzami")
    assert response.status_code >= 400
    assert json.loads(response.content)["explanation"]["summary"]


class Awaited:
    """A provider whose look-ups are awaited."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.asked: list[str] = []
        self._is_down = is_down

    def lookup(self, access_key_id: str, **_: object) -> Any:
        """Return the credentials."""
        return self._found("lookup", access_key_id)

    async def alookup(self, access_key_id: str, **_: object) -> Any:
        """Return the credentials."""
        return self._found("alookup", access_key_id)

    def _found(self, how: str, access_key_id: str) -> Any:
        from wsgi_sigv4.credentials import as_credentials

        self.asked.append(how)
        if self._is_down:
            raise CredentialsUnavailable
        return as_credentials(KEYS[access_key_id])


def test_keys_are_awaited(sigv4: Callable[..., None]) -> None:
    """Under ASGI the look-up is awaited, and the explanation needs none of its own."""
    provider = Awaited()
    sigv4(EXPLAIN=True, CREDENTIALS=provider)
    assert causes(send_async(without_port())) == ["host-port-dropped"]
    assert provider.asked == ["alookup"]


def test_keys_are_awaited_by_the_explanation(sigv4: Callable[..., None]) -> None:
    """What was refused before its key was looked up is explained with a look-up, awaited too."""
    provider = Awaited()
    sigv4(EXPLAIN=True, CREDENTIALS=provider, MAX_BODY=1)
    assert causes(send_async(sign("POST", "/body", body=b"ab"))) == ["body-too-large"]
    assert provider.asked == ["alookup"]


def test_keys_that_cannot_be_awaited(sigv4: Callable[..., None]) -> None:
    """Where the explanation's own look-up fails, nothing changes but the explanation."""
    sigv4(EXPLAIN=True, CREDENTIALS=Awaited(is_down=True), MAX_BODY=1)
    response = send_async(sign("POST", "/body", body=b"ab"))
    assert response.status_code == 413
    assert causes(response) == ["body-too-large"]


@pytest.mark.parametrize("sends", [send, send_async])
def test_keys_that_could_not_be_looked_up(sends: Any, sigv4: Callable[..., None]) -> None:
    """A back end that is down is not asked again to say so."""
    provider = Awaited(is_down=True)
    sigv4(EXPLAIN=True, CREDENTIALS=provider)
    response = sends(sign())
    assert (response.status_code, causes(response)) == (503, ["provider-down"])
    assert len(provider.asked) == 1


def test_beyond_the_rate(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """The eleventh refusal at once has no finding."""
    sigv4(EXPLAIN=True)
    answers = [exchange(Sent(method="GET", target="/whoami")) for _ in range(11)]
    assert [b"explanation" in answer.content for answer in answers] == [True] * 10 + [False]


@pytest.fixture
def told() -> Any:
    """Return the verdicts that the signal tells of."""
    heard: list[Verdict] = []

    def judged(sender: type, *, verdict: Verdict, **_: object) -> None:
        heard.append(verdict)

    request_judged.connect(judged)
    yield heard
    request_judged.disconnect(judged)


@pytest.mark.parametrize("report_only", [False, True])
def test_verdict(
    exchange: Exchange,
    sigv4: Callable[..., None],
    told: list[Verdict],
    explained: Records,
    report_only: bool,
) -> None:
    """Listeners get the explanation, with REPORT_ONLY too; that of an accepted one has none."""
    sigv4(EXPLAIN=True, REPORT_ONLY=report_only)
    sent = replace(sign("POST", "/body", body=b"hello\n"), body=b"hello")
    sent = sent.without("content-length").with_header("Content-Length", "5")
    assert exchange(sent).status_code == (200 if report_only else 403)
    assert exchange(sign()).status_code == 200
    refused, accepted = told
    assert refused.explanation is not None
    assert refused.explanation.finding is not None
    assert refused.explanation.finding.causes == ("body-newline",)
    assert accepted.explanation is None
    assert len(explained()) == 1


def test_report_only_without_a_length(sigv4: Callable[..., None], told: list[Verdict]) -> None:
    """A length that is no number is explained as well."""
    sigv4(EXPLAIN=True, REPORT_ONLY=True)
    send(sign("POST", "/whoami", body=b"x"), CONTENT_LENGTH="1_0")
    (verdict,) = told
    assert verdict.explanation is not None


def test_keys_are_not_looked_up_in_the_event_loop(sigv4: Callable[..., None]) -> None:
    """Under ASGI a provider that waits holds up nobody, in an explanation either."""
    running: list[bool] = []

    def provider(access_key_id: str) -> str:
        running.append(has_running_loop())
        return KEYS[access_key_id]

    sigv4(EXPLAIN=True, CREDENTIALS=provider)
    assert causes(send_async(without_port())) == ["host-port-dropped"]
    sigv4(EXPLAIN=True, CREDENTIALS=provider, MAX_BODY=1)
    assert causes(send_async(sign("POST", "/body", body=b"ab"))) == ["body-too-large"]
    assert running == [False, False]


def test_report_only_tells_of_views_that_must_be_signed(
    exchange: Exchange, sigv4: Callable[..., None], told: list[Verdict]
) -> None:
    """A view that requires a signature is told of with its explanation."""
    sigv4(EXPLAIN=True, REPORT_ONLY=True, REQUIRED=False)
    assert exchange(Sent(method="GET", target="/required")).status_code == 200
    (verdict,) = told
    assert verdict.explanation is not None


@pytest.mark.parametrize("report_only", [False, True])
def test_rest_framework_alone(
    exchange: Exchange,
    settings: Any,
    sigv4: Callable[..., None],
    explained: Records,
    report_only: bool,
) -> None:
    """The class for REST framework logs the finding, and its answer has it."""
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if path != OURS]
    provider = Awaited()
    sigv4(EXPLAIN=True, REPORT_ONLY=report_only, CREDENTIALS=provider)
    sent = sign(target="/api/whoami", host="testserver:8443")
    response = exchange(sent.without("host").with_header("Host", "testserver"))
    (record,) = explained()
    assert record.sigv4_causes == ("host-port-dropped",)  # type: ignore[attr-defined]
    if not report_only:
        assert causes(response) == ["host-port-dropped"]
    assert FIRST in record.getMessage()
    assert len(provider.asked) == 1
