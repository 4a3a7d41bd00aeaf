"""The collector for Prometheus, and the attributes for OpenTelemetry."""

from __future__ import annotations

import http.client
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.core.messages import Message
from tests.observing.watching import Existing
from tests.observing.watching import Hooks
from tests.observing.watching import verifier
from tests.servers.processes import free_port
from tests.servers.processes import running
from tests.wsgi.calls import call
from tests.wsgi.clients import forged
from tests.wsgi.refusals import CASES
from tests.wsgi.servers import environ_of
from tests.wsgi.streamed import plain
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.contrib.opentelemetry import set_attributes
from wsgi_sigv4.contrib.prometheus import REASONS
from wsgi_sigv4.contrib.prometheus import Metrics
from wsgi_sigv4.observing import Verdict

UNSIGNED = Message.of("GET", "/bucket/key")


@pytest.fixture
def registry() -> CollectorRegistry:
    """Return a registry of the test's own."""
    return CollectorRegistry()


def counted(exposition: str) -> dict[tuple[str, ...], float]:
    """Return the counts of the exposition, by the values of their labels."""
    return {
        tuple(sample.labels[name] for name in ("outcome", "reason", "profile", "report_only")): (
            sample.value
        )
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == "sigv4_requests_total"
    }


@pytest.mark.parametrize("report_only", [False, True], ids=["refusing", "reporting"])
def test_requests_are_counted(registry: CollectorRegistry, report_only: bool) -> None:
    """Each request is counted by outcome, reason, profile and mode; no key id is a label."""
    metrics = Metrics(registry=registry)
    middleware = SigV4Middleware(
        Existing(),
        verifier(),
        report_only=report_only,
        max_body=100,
        on_accept=metrics,
        on_refuse=metrics,
    )
    right = plain("UNSIGNED-PAYLOAD", b"")
    for message in (right, right, forged(right), UNSIGNED, plain("UNSIGNED-PAYLOAD")):
        call(middleware, environ_of(message))
    exposition = generate_latest(registry).decode()
    mode = "true" if report_only else "false"
    assert counted(exposition) == {
        ("accepted", "", "s3", mode): 2,
        ("refused", "SignatureMismatch", "s3", mode): 1,
        ("refused", "MissingAuthentication", "s3", mode): 1,
        ("unverified", "BodyTooLarge", "s3", mode): 1,
    }
    assert "AKIA" not in exposition
    assert 'sigv4_verification_seconds_count{outcome="accepted"} 2.0' in exposition
    assert 'sigv4_verification_seconds_bucket{le="5.0",outcome="accepted"} 2.0' in exposition


def verdict(**changes: Any) -> Verdict:
    """Return the verdict on a forged request, with *changes*."""
    hooks = Hooks()
    app = SigV4Middleware(Existing(), verifier(), **hooks.options)
    call(app, environ_of(forged(plain("UNSIGNED-PAYLOAD", b""))))
    return replace(hooks.refused[0], **changes)


def test_reasons_are_a_closed_set(registry: CollectorRegistry) -> None:
    """Every reason to refuse is a label of its own, and anything else is `other`."""
    assert {case.leaf for case in CASES} <= REASONS
    metrics = Metrics(registry=registry)
    for error in ("ZeroDivisionError", "OperationalError", "PresignedNotAllowed"):
        metrics(verdict(error=error, seconds=0.003))
    assert set(counted(generate_latest(registry).decode())) == {
        ("refused", "other", "s3", "false"),
        ("refused", "PresignedNotAllowed", "s3", "false"),
    }


def test_names_and_buckets(registry: CollectorRegistry) -> None:
    """Prefix and buckets are the operator's to choose."""
    Metrics(registry=registry, prefix="uploads", buckets=(0.5, 1))(verdict(seconds=0.7))
    exposition = generate_latest(registry).decode()
    assert 'uploads_verification_seconds_bucket{le="0.5",outcome="refused"} 0.0' in exposition
    assert 'uploads_verification_seconds_bucket{le="1.0",outcome="refused"} 1.0' in exposition
    assert "uploads_requests_total{" in exposition


@pytest.mark.servers
def test_workers_of_gunicorn_count_together(tmp_path: Path) -> None:
    """Under gunicorn with two workers, /metrics of either shows the requests of both."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    port = free_port()
    app = "tests.observing.measured:app"
    config = "python:tests.observing.measured"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with running(
        [*command, "--config", config, app],
        port=port,
        log=tmp_path / "log",
        environment=environment,
    ):
        workers: set[str] = set()
        asked, until = 0, time.monotonic() + 90
        # A worker may take long to start, and one that is there may answer all who come alone.
        with ThreadPoolExecutor(4) as pool:
            while len(workers) < 2:
                assert time.monotonic() < until
                workers |= {
                    head["X-Worker"] for _, head in pool.map(fetch, [port] * 20, ["/"] * 20)
                }
                asked += 20
        shown = [counted(fetch(port, "/metrics")[0]) for _ in range(6)]
    expected = {("refused", "MissingAuthentication", "s3", "false"): asked}
    assert shown == [expected] * 6


def fetch(port: int, path: str) -> tuple[str, Any]:
    """Return body and headers of the answer to a GET request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read().decode(), answer.headers
    finally:
        connection.close()


@pytest.fixture
def exporter() -> Iterator[tuple[Any, InMemorySpanExporter]]:
    """Return a tracer, and where its spans go."""
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider.get_tracer(__name__), spans
    provider.shutdown()


def traced(exporter: tuple[Any, InMemorySpanExporter], message: Message, **options: Any) -> Any:
    """Return the attributes of the span around the request of *message*."""
    tracer, spans = exporter
    options |= {"on_accept": set_attributes, "on_refuse": set_attributes}
    with tracer.start_as_current_span("request"):
        call(SigV4Middleware(Existing(), verifier(), **options), environ_of(message))
    (span,) = spans.get_finished_spans()
    attributes: dict[str, Any] = dict(span.attributes or {})
    assert attributes.pop("aws.sigv4.duration") >= 0
    assert span.status.is_unset
    return attributes


def test_span_of_an_accepted_request(exporter: Any) -> None:
    """The span says who signed, for what, and how."""
    assert traced(exporter, plain("UNSIGNED-PAYLOAD"), stream=True) == {
        "aws.sigv4.outcome": "accepted",
        "aws.sigv4.report_only": False,
        "aws.sigv4.presigned": False,
        "aws.sigv4.access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "aws.sigv4.region": "us-east-1",
        "aws.sigv4.service": "s3",
        "aws.sigv4.payload_form": "unsigned",
    }


def test_span_of_a_refused_request(exporter: Any) -> None:
    """The span says why, and names no key that was not verified."""
    message = forged(plain("UNSIGNED-PAYLOAD"))
    assert traced(exporter, message, report_only=True) == {
        "aws.sigv4.outcome": "refused",
        "aws.sigv4.reason": "SignatureMismatch",
        "aws.sigv4.code": "SignatureDoesNotMatch",
        "aws.sigv4.report_only": True,
        "aws.sigv4.presigned": False,
        "aws.sigv4.region": "us-east-1",
        "aws.sigv4.service": "s3",
        "aws.sigv4.payload_form": "unsigned",
    }


def test_span_of_an_unsigned_request(exporter: Any) -> None:
    """What is not known is not on the span."""
    assert traced(exporter, UNSIGNED) == {
        "aws.sigv4.outcome": "refused",
        "aws.sigv4.reason": "MissingAuthentication",
        "aws.sigv4.code": "AccessDenied",
        "aws.sigv4.report_only": False,
        "aws.sigv4.presigned": False,
    }


def test_without_a_span(caplog: pytest.LogCaptureFixture) -> None:
    """Without a span that is recorded nothing happens."""
    set_attributes(verdict())
    assert not re.search("hook has failed", caplog.text)
