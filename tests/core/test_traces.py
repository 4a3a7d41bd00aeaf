"""Traces of a signature in requests that may be malformed."""

from __future__ import annotations

import time

import pytest

from wsgi_sigv4.authorization import is_attempt
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.request import Request
from wsgi_sigv4.traces import TRACES
from wsgi_sigv4.traces import has_trace
from wsgi_sigv4.verifier import Verifier

VERIFIER = Verifier({}, region=None, service="items")

#: Names that are one of a signature's, or could be to somebody.
HIDDEN = [
    *("X-Amz-Signature", "x-amz-signature", "X-AMZ-ALGORITHM", "x-aMz-date", "AWSAccessKeyId"),
    *("%58-Amz-Signature", "%58-amz-signature", "X%2dAmz%2DDate", "%2558-Amz-Date"),
    *("%252558-Amz-Date", "%X-Amz-Date", "X-Amz-Date%", "X-Amz-Dat%", "X-Amz-Dat%6"),
    *("X%-Amz-Signature", "X%2-Amz-Signature", "X-%Amz-Signature", "X-Amz-%Date", "X-Amz-Dat%e"),
    *("X-Amz-Sec%urity-Token", "%u0058-Amz-Date", "%U0058-Amz-Date", "%uX-Amz-Date"),
    # 'X', 'A' and '-' in two and in three bytes, which no UTF-8 may take for them.
    *("%C1%98-Amz-Signature", "\xc1\x98-Amz-Signature", "X-%C1%81mz-Date", "X%E0%80%ADAmz-Date"),
    *("%C1%98%C0%AD%C1%81%C1%AD%C1%BA-Date", "X-Amz-Date%00", "+X-Amz-Date", "%0aX-Amz-Date"),
    *("X-Amz-Date%20", "X-Amz-S\x00ignature", "X-Amz-%EF%BF%BDate"),
]
#: Names that are nobody's, be they ever so badly written.
PLAIN = [
    *("", "q", "100%", "%", "%%", "caf\xe9", "caf%e9", "\xe9t\xe9", "%zz", "X-Amz-Meta%", "a b"),
    *("xX-Amz-Date%", "X-Amz-Dat", "X-Amz", "X-Amz-%", "Amz-Date%", "X-Amz-Dates%", "%00", "date%"),
    *("X-Amz-Date-X-Amz-Date%", "X-Amz-Checksum%", "x-amzn-trace-id%", "\xe6\xa4\x9c\xe7\xb4\xa2"),
    *("%E6%A4%9C%E7%B4%A2%E6%A4%9C%E7%B4%A2", "a" * 300 + "%", "%25" * 2, "x_amz_date%"),
]


def traced(query: bytes) -> bool:
    """Return whether *query* alone makes an attempt."""
    return has_trace((), (), (query,))


@pytest.mark.parametrize("value", ["", "=1", "=100%"])
@pytest.mark.parametrize("before", ["", "q=100%&", "\xff&&", "a=b&"])
@pytest.mark.parametrize("name", HIDDEN)
def test_t41_hidden_name_is_a_trace(name: str, before: str, value: str) -> None:
    """T41: a parameter's name that is, or could be, one of a signature's is a trace."""
    assert traced(f"{before}{name}{value}".encode("latin-1"))


@pytest.mark.parametrize("name", PLAIN)
def test_other_name_is_no_trace(name: str) -> None:
    """A name that cannot be one of a signature's is none, even where it cannot be read."""
    assert not traced(f"q=100%&{name}=1&X=Y".encode("latin-1"))
    assert not traced(name.encode("latin-1"))


def test_value_is_no_trace() -> None:
    """What stands behind the equals sign is a value, whatever it says."""
    assert not traced(b"q=X-Amz-Signature&a=100%=X-Amz-Date")


@pytest.mark.parametrize("name", TRACES)
def test_every_name_is_found_broken(name: str) -> None:
    """T41: each character of each name may be lost to a broken or an overlong escape."""
    for at in range(len(name)):
        overlong = bytes([0xC0 | ord(name[at]) >> 6, 0x80 | ord(name[at]) & 0x3F])
        broken = [b"%", b"%" + name[at].encode(), overlong, b"\xff"]
        if "256" in name:
            # With a digit behind it, a percent sign makes another character.
            broken = broken[2:]
        for piece in broken:
            query = name[:at].encode() + piece + name[at + 1 :].encode()
            assert traced(query), query
    assert traced(name.encode() + b"=1")
    assert not traced(name[:-1].encode())
    assert not traced(name.encode() + b"z%")


def test_long_name_takes_time_that_is_linear() -> None:
    """A query of broken escapes alone is looked through in no time: anybody may send it."""
    began = time.thread_time()
    assert traced(b"%" * 64_000)
    assert not traced(b"%%z" * 20_000)
    assert not traced(b"x-%&" * 16_000)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize(
    ("headers", "query", "attempt"),
    [
        pytest.param({}, b"q=100%", False, id="query"),
        pytest.param({"Authorization": "Basic eDp5"}, b"q=100%", False, id="another scheme"),
        pytest.param({"X-Amzn-Trace-Id": "1"}, b"q=100%", False, id="another header"),
        pytest.param({"X-Amz-Date": "x"}, b"q=100%", True, id="header"),
        pytest.param({"Authorization": "aws4-hmac-sha256 x"}, b"q=100%", True, id="scheme"),
        pytest.param({}, b"q=100%&x-amz-date=1", True, id="parameter"),
    ],
)
def test_malformed_query_is_refused_of_an_attempt(
    headers: dict[str, str], query: bytes, attempt: bool
) -> None:
    """T41: a malformed query is a fault of an attempt; without one the request is anonymous."""
    pairs = tuple((name.encode(), value.encode()) for name, value in headers.items())
    request = Request(method="GET", path=b"/", query=query, headers=pairs)
    assert is_attempt(request) is attempt
    if attempt:
        with pytest.raises(MalformedQuery):
            VERIFIER.prepare(request)
    else:
        assert VERIFIER.prepare(request) is None


@pytest.mark.parametrize("headers", [(), ((b"Authorization", b"Basic eDp5"),)])
def test_malformed_query_of_a_request_that_must_be_signed(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    """Where a signature is required, the malformed query is told before that it is missing."""
    request = Request(method="GET", path=b"/", query=b"q=100%", headers=headers)
    assert isinstance(unsupported_scheme(request), MalformedQuery)
    with pytest.raises(MalformedQuery):
        VERIFIER.verify(request)
