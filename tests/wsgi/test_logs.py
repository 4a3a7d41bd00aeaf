"""What is logged of a refusal, and the filter that keeps secrets out of other logs."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.core.messages import Message
from tests.wsgi.calls import Application
from tests.wsgi.calls import send
from tests.wsgi.clients import SECRET
from tests.wsgi.clients import SESSION_TOKEN
from tests.wsgi.clients import TEMPORARY_ID
from tests.wsgi.clients import UNKNOWN_ID
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from wsgi_sigv4 import RedactingFilter
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.errors import HostNotAccepted
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import UnknownAccessKey
from wsgi_sigv4.logs import log_refusal

SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
PRESIGNED = (
    "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261121%2Fus-east-1%2F"
    f"s3%2Faws4_request&X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token=IQoJ%2F%2F8%3D%2Ba&last=1"
)
REDACTED = (
    "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261121%2Fus-east-1%2F"
    "s3%2Faws4_request&X-Amz-Signature=...&X-Amz-Security-Token=...&last=1"
)
REDACTED_NEXT = "?next=%2F%3FX-Amz-%2553ig%256eature%3D..."
ESCAPED = "".join(f"%{ord(c):02x}" for c in "x-amz-s3session-token")


# Our own record.


def test_refusal_is_one_warning_with_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    """The record names the reason, the key, the request and what to look at."""
    send(SigV4Middleware(Application(), verifier()), forged(sign("PUT", "/items?q=1")))
    (record,) = caplog.records
    assert record.name == "wsgi_sigv4"
    assert record.levelno == logging.WARNING
    fields = vars(record)
    assert fields["sigv4_reason"] == "SignatureMismatch"
    assert fields["sigv4_access_key_id"] == "AKIAIOSFODNN7EXAMPLE"
    message = record.getMessage()
    assert "PUT '/items'" in message
    assert "AKIAIOSFODNN7EXAMPLE" in message
    assert "SignatureMismatch" in message
    # Where to look.
    assert "nginx: proxy_set_header Host $http_host" in message


def test_record_says_where_it_was_made(caplog: pytest.LogCaptureFixture) -> None:
    """A formatter that shows the place of a record shows the function that logs refusals."""
    send(SigV4Middleware(Application(), verifier()), Message.of())
    (record,) = caplog.records
    assert (record.filename, record.funcName) == ("logs.py", "log_refusal")
    assert record.lineno > 0
    assert record.exc_info is None


def test_refusal_is_not_logged_where_warnings_are_off(caplog: pytest.LogCaptureFixture) -> None:
    """The level of the logger counts, and the request is refused all the same."""
    caplog.set_level(logging.ERROR, logger="wsgi_sigv4")
    caplog.handler.setLevel(logging.NOTSET)
    assert send(SigV4Middleware(Application(), verifier()), Message.of()).status == 403
    assert caplog.records == []


def test_refusal_without_a_key_says_none(caplog: pytest.LogCaptureFixture) -> None:
    """Where the request names no key there is none to log."""
    send(SigV4Middleware(Application(), verifier()), Message.of())
    (record,) = caplog.records
    assert vars(record)["sigv4_access_key_id"] is None
    assert "access key id: none" in record.getMessage()


def test_t51_log_tells_the_operator_what_the_answer_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T51: with uniform errors the log still says that the key is unknown."""
    middleware = SigV4Middleware(Application(), verifier(uniform_errors=True))
    answer = send(middleware, sign(access_key_id=UNKNOWN_ID))
    assert answer.header("x-amzn-ErrorType") == "InvalidSignatureException"
    assert vars(caplog.records[0])["sigv4_reason"] == "UnknownAccessKey"


def test_cause_that_is_no_refusal_is_not_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of the server below a refusal is not what is logged."""
    refusal = SignatureMismatch(signature="x")
    refusal.__cause__ = OSError("x")
    log_refusal(refusal, {})
    assert vars(caplog.records[0])["sigv4_reason"] == "SignatureMismatch"
    assert "refused - ''" in caplog.text


@pytest.mark.parametrize(
    "environ",
    [
        {"PATH_INFO": "/a\r\nWARNING wsgi_sigv4 refused nobody", "REQUEST_METHOD": "GET"},
        {"PATH_INFO": "/a\x1b[2J\x07\x85\u2028\x00", "REQUEST_METHOD": "GET"},
        {"PATH_INFO": "/\xe3\x81\x82", "REQUEST_METHOD": "GET"},
        {"PATH_INFO": "/", "REQUEST_METHOD": "\x1b[31mGET\n"},
    ],
    ids=["new line", "terminal", "latin-1", "method"],
)
def test_path_and_method_cannot_forge_a_record(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Line breaks and control characters of a request are escaped in the log."""
    log_refusal(UnknownAccessKey(), environ)
    message = caplog.records[0].getMessage()
    assert message.isascii()
    assert message.isprintable()


@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
@pytest.mark.parametrize(
    ("sent", "knobs", "said"),
    [
        pytest.param(
            {"host": "api.example.com:8000"},
            {"hosts": ["api.example.com", ".Internal.example"]},
            "The Host is 'api.example.com:8000'; accepted: api.example.com, .internal.example.",
            id="host",
        ),
        pytest.param(
            {}, {"hosts": []}, "The Host is 'api.example.com'; accepted: none.", id="no host"
        ),
        pytest.param(
            {},
            {"hosts": [f"{n}.example" for n in range(9)]},
            "accepted: 0.example, 1.example, 2.example, 3.example, 4.example, 5.example, "
            "6.example, 7.example, .... Compare",
            id="many hosts",
        ),
        pytest.param(
            {"region": "eu-north-1", "service": "other"},
            {"region": ["us-east-1", "us-east-2"]},
            "The client signed for the region 'eu-north-1' where us-east-1, us-east-2 is accepted "
            "and the service 'other' where ",
            id="scope",
        ),
        pytest.param(
            {"age": 1000},
            {},
            "The request is dated 1000 s behind the server's clock; ",
            id="behind",
        ),
        pytest.param(
            {"age": -901},
            {"max_skew": 7},
            "The request is dated 901 s ahead of the server's clock; 7 s are accepted.",
            id="ahead",
        ),
        pytest.param(
            {"age": -901, "presigned": True},
            {"max_skew": 8},
            "The request is dated 901 s ahead of the server's clock; 8 s are accepted.",
            id="presigned ahead",
        ),
    ],
)
def test_record_says_what_came_and_what_was_expected(
    sent: dict[str, Any],
    knobs: dict[str, Any],
    said: str,
    s3: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The operator need not guess what to compare; the client is told nothing of it."""
    answer = send(SigV4Middleware(Application(), verifier(s3=s3, **knobs)), sign(s3=s3, **sent))
    assert answer.status in {400, 403}
    assert said in caplog.records[0].getMessage()
    text = answer.body.decode()
    for untold in ("accepted", "server's clock", "signed for", ".internal.example", "0.example"):
        assert untold not in text


def test_record_of_the_date_and_the_end_of_a_scope(caplog: pytest.LogCaptureFixture) -> None:
    """A scope of yesterday, or with another end, is told from one of another region."""
    for old, new in (("/20261121/", "/20261120/"), ("aws4_request", "aws5_request")):
        send(SigV4Middleware(Application(), verifier()), sign().edited(old, new))
    told = [record.getMessage() for record in caplog.records]
    assert "for the date '20261120' where 20261121 is accepted." in told[0]
    assert "for the terminator 'aws5_request' where aws4_request is accepted." in told[1]


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("a.example\x1b[2J\u2028'", r"a.example\x1b[2J\u2028" + "'"),
        ("a" * 128, f"'{'a' * 128}';"),
        ("a" * 129, f"'{'a' * 128}...';"),
        ("\x07" * 99, "'" + r"\x07" * 32 + "...';"),
        ("me:secret@a.example", "'...@a.example';"),
        ("a?X-Amz-Security-Token=secret", "'a?X-Amz-Security-Token=...';"),
    ],
    ids=["control characters", "long", "too long", "long when escaped", "password", "token"],
)
def test_host_in_a_record_is_escaped_and_cut(
    host: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What a stranger sends as its Host neither forges a record, fills a log nor tells secrets."""
    log_refusal(HostNotAccepted(host=host), {})
    message = caplog.records[0].getMessage()
    assert shown in message
    assert "secret" not in message
    assert message.isascii()
    assert message.isprintable()


@pytest.mark.parametrize("presigned", [True, False], ids=["presigned", "header"])
def test_t49_our_records_hold_no_token_and_no_signature(
    presigned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """T49: neither what was sent nor what is right stands in the record, whatever the level."""
    message = sign(s3=True, presigned=presigned, access_key_id=TEMPORARY_ID, token=SESSION_TOKEN)
    wrong = forged(message)
    with caplog.at_level(logging.DEBUG):
        send(SigV4Middleware(Application(), verifier(s3=True), explain=True), wrong)
    # The warning at start, the refusal, and all of its explanation.
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "DEBUG"]
    said = "".join(record.getMessage() + repr(vars(record)) for record in caplog.records)
    for secret in (SECRET, SESSION_TOKEN, "IQoJb3JpZ2lu", "0" * 64, "Signature="):
        assert secret not in said


# The filter.


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with the filter, and what it has written."""
    written = io.StringIO()
    logger = logging.Logger("access")
    handler = logging.StreamHandler(written)
    handler.addFilter(RedactingFilter())
    logger.addHandler(handler)
    yield logger, written
    handler.close()


class SafeAtoms(dict[str, str]):
    """As gunicorn gives the parts of an access log line: missing ones are a dash."""

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key) if key in self else "-"


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        pytest.param(
            '%(h)s %(l)s [%(t)s] "%(r)s" %(s)s "%(f)s"',
            (SafeAtoms(h="127.0.0.1", r=f"GET {PRESIGNED} HTTP/1.1", s="200"),),
            id="gunicorn",
        ),
        pytest.param(
            '%s - - [%s] "%s" %s %s',
            ("127.0.0.1", "21/Nov/2026", f"GET {PRESIGNED} HTTP/1.1", "200", "-"),
            id="werkzeug",
        ),
        pytest.param('"%s" %s %s', (f"GET {PRESIGNED} HTTP/1.1", "200", "12"), id="django.server"),
        pytest.param("Forbidden: %s", (PRESIGNED,), id="django.request"),
        pytest.param(f"already formatted {PRESIGNED} 100%", (), id="formatted"),
    ],
)
def test_t49_filter_redacts_access_logs(
    message: str, arguments: tuple[Any, ...], log: tuple[logging.Logger, io.StringIO]
) -> None:
    """T49: signatures and session tokens of presigned URLs are taken out, the rest stays."""
    logger, written = log
    logger.info(message, *arguments)
    text = written.getvalue()
    assert SIGNATURE not in text
    assert "IQoJ" not in text
    assert REDACTED in text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"x-amz-signature={SIGNATURE}", "x-amz-signature=..."),
        (f"X-Amz-Signature%3D{SIGNATURE}%26a", "X-Amz-Signature%3D..."),
        (f"'X-Amz-Signature={SIGNATURE}', b", "'X-Amz-Signature=...', b"),
        (f"SignedHeaders=host, Signature={SIGNATURE}", "SignedHeaders=host, Signature=..."),
        ("?X-Amz-S3session-Token=abc&b=1", "?X-Amz-S3session-Token=...&b=1"),
        ("?AWSAccessKeyId=a&Signature=b%3D&Expires=1", "?AWSAccessKeyId=a&Signature=...&Expires=1"),
        (f"?X-Amz-%53ignature={SIGNATURE}&a", "?X-Amz-%53ignature=...&a"),
        ("?%58%2Damz%2dSecurity-%54oken=a/b", "?%58%2Damz%2dSecurity-%54oken=..."),
        (f"?next=%2F%3FX-Amz-%2553ig%256eature%3D{SIGNATURE}", REDACTED_NEXT),
        ("?next=%252F%253FX-Amz-Signature%253Dabc", "?next=%252F%253FX-Amz-Signature%253D..."),
        (ESCAPED + "=a", ESCAPED + "=..."),
        ("X-Amz-Signature=", "X-Amz-Signature="),
        ("/X-Amz-%53ignature/a?b=c", "/X-Amz-%53ignature/a?b=c"),
        ("?X-Amz-%43ignature=a&X-Amz-%5ignature=b", "?X-Amz-%43ignature=a&X-Amz-%5ignature=b"),
        ("?X-Amz-Signatures=a&%53=b&Token=c", "?X-Amz-Signatures=a&%53=b&Token=c"),
        ("GET /items?q=1", "GET /items?q=1"),
    ],
)
def test_t49_filter_redacts_every_spelling(
    text: str, redacted: str, log: tuple[logging.Logger, io.StringIO]
) -> None:
    """T49: in any case, encoded, quoted, and of Signature Version 2; nothing else is touched."""
    logger, written = log
    logger.info("%s", text)
    assert written.getvalue() == f"{redacted}\n"


@pytest.mark.parametrize("text", ["%", "%25", "x-amz-", "%2553", "x%252525", "Signature%"])
def test_filter_is_done_in_time(text: str) -> None:
    """A line made to be searched again and again is searched once: this would take minutes."""
    line = text * (1024 * 1024 // len(text))
    record = logging.makeLogRecord({"msg": line})
    assert RedactingFilter().filter(record)
    assert record.getMessage() == line


def test_filter_leaves_other_records_as_they_are() -> None:
    """A record without secrets keeps its arguments, for handlers that look at them."""
    record = logging.LogRecord("a", logging.INFO, "f", 1, "%s %s", ("a", 1), None)
    assert RedactingFilter().filter(record)
    assert (record.msg, record.args) == ("%s %s", ("a", 1))


@pytest.mark.parametrize(
    ("message", "arguments"),
    [("%s %s", ("one",)), ("%d", ("one",)), ("100%", ("one",)), ("%(a)s", ({"b": 1},))],
)
def test_filter_never_raises(message: str, arguments: tuple[Any, ...]) -> None:
    """A record whose arguments do not fit is reported by logging, not raised at the caller."""
    record = logging.LogRecord("a", logging.INFO, "f", 1, message, arguments, None)
    assert RedactingFilter().filter(record)
    assert record.msg == message


def test_filter_on_our_own_logger_keeps_the_fields() -> None:
    """Filtered or not, a refusal's record keeps its reason."""
    record = logging.makeLogRecord({"msg": PRESIGNED, "sigv4_reason": SigV4Error.__name__})
    assert RedactingFilter().filter(record)
    assert record.getMessage() == REDACTED
    assert vars(record)["sigv4_reason"] == "SigV4Error"
