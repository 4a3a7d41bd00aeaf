"""Percent-encoding and hex."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgi_sigv4.encoding import has_malformed_escape
from wsgi_sigv4.encoding import is_sha256_hex
from wsgi_sigv4.encoding import is_signature
from wsgi_sigv4.encoding import percent_decode
from wsgi_sigv4.encoding import uri_encode

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


@pytest.mark.parametrize("byte", range(256))
def test_uri_encode_byte(byte: int) -> None:
    """Every byte but the unreserved ones is a percent escape in upper-case hex."""
    data = bytes([byte])
    expected = data if data in [bytes([b]) for b in UNRESERVED] else b"%%%02X" % byte
    assert uri_encode(data) == expected
    assert uri_encode(data, keep_slash=True) == (b"/" if data == b"/" else expected)


@given(st.binary())
def test_decode_undoes_encode(data: bytes) -> None:
    """What was encoded decodes to what it was, and is well-formed."""
    for keep_slash in (False, True):
        encoded = uri_encode(data, keep_slash=keep_slash)
        assert percent_decode(encoded) == data
        assert not has_malformed_escape(encoded)


@pytest.mark.parametrize(
    ("data", "decoded"),
    [(b"a+b", b"a+b"), (b"%2B+", b"++"), (b"%c3%A9", b"\xc3\xa9"), (b"%2541", b"%41"), (b"", b"")],
)
def test_percent_decode(data: bytes, decoded: bytes) -> None:
    """Escapes of either case are decoded, once, and a plus stays one."""
    assert percent_decode(data) == decoded


@pytest.mark.parametrize(
    "data", [b"%", b"%4", b"a%", b"%zz", b"%4g", b"%g4", b"%%41", b"% 41", b"%u0041", b"%41%"]
)
def test_malformed_escape(data: bytes) -> None:
    """A percent sign without two hex digits after it is malformed."""
    assert has_malformed_escape(data)


@pytest.mark.parametrize("data", [b"", b"abc", b"%41", b"%fF", b"a%2Fb%25"])
def test_well_formed_escape(data: bytes) -> None:
    """A percent sign with two hex digits of either case after it is well-formed."""
    assert not has_malformed_escape(data)


@pytest.mark.parametrize(
    ("value", "sha256", "signature"),
    [
        pytest.param(b"a" * 64, True, True, id="lower-case"),
        pytest.param(b"0123456789abcdef" * 4, True, True, id="every digit"),
        pytest.param(b"A" * 64, True, False, id="upper-case"),
        pytest.param(b"aA" * 32, True, False, id="both"),
        pytest.param(b"a" * 63, False, False, id="short"),
        pytest.param(b"a" * 65, False, False, id="long"),
        pytest.param(b"a" * 128, False, False, id="twice"),
        pytest.param(b"g" * 64, False, False, id="no hex"),
        pytest.param(b"a" * 64 + b"\n", False, False, id="a line break after it"),
        pytest.param(b" " + b"a" * 64, False, False, id="a blank before it"),
        pytest.param(b"\xff" * 64, False, False, id="no ASCII"),
        pytest.param(b"", False, False, id="empty"),
    ],
)
def test_hex_of_64_digits(value: bytes, sha256: bool, signature: bool) -> None:
    """T26: a signature is 64 lower-case hex digits; a hash may also be in upper case."""
    assert is_sha256_hex(value) is sha256
    assert is_signature(value) is signature
