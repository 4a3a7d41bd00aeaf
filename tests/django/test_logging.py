"""T49: the redacting filter, on the loggers of Django's and gunicorn's servers."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest

from tests.django.signing import sign
from wsgi_sigv4 import RedactingFilter

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"sigv4": {"()": "wsgi_sigv4.RedactingFilter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["sigv4"],
            "stream": "ext://sys.stdout",
        },
    },
    "loggers": {
        name: {"handlers": ["console"], "level": "INFO", "propagate": False}
        for name in ("django.server", "gunicorn.access")
    },
}


@pytest.fixture
def _logging() -> Iterator[None]:
    yield
    for name in LOGGING["loggers"]:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.propagate = True


def test_formatter_of_uvicorn_still_finds_its_arguments() -> None:
    """T49: uvicorn's access log takes a record apart, redacted or not."""
    from uvicorn.logging import AccessFormatter

    target = sign(presigned=True, token="the-session-token").target
    arguments = ("1.2.3.4:5", "GET", target, "1.1", 200)
    record = logging.LogRecord(
        "uvicorn.access", 20, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None
    )
    assert RedactingFilter().filter(record)
    line = AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s').format(record)
    assert line.startswith('1.2.3.4:5 "GET /whoami?')
    assert "the-session-token" not in line
    assert target.partition("X-Amz-Signature=")[2] not in line


@pytest.mark.usefixtures("_logging")
@pytest.mark.parametrize("name", ["django.server", "gunicorn.access"])
def test_presigned_url_is_redacted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """T49: an access log keeps neither the signature nor the session token of a URL."""
    logging.config.dictConfig(LOGGING)
    target = sign(presigned=True, token="the-session-token").target
    logging.getLogger(name).info('"%s" %s %s', f"GET {target} HTTP/1.1", "200", "13")
    logged = capsys.readouterr().out
    assert "X-Amz-Credential=" in logged
    assert "the-session-token" not in logged
    assert target.partition("X-Amz-Signature=")[2] not in logged
    assert logged.rstrip().endswith('" 200 13')
