"""The request as it was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query


@pytest.mark.parametrize("method", ["GET", "get", "M-SEARCH", "!#$%&'*+-.^_`|~09Az", "A" * 64])
def test_method(method: str) -> None:
    """Any token is a method, and stays as it was sent."""
    assert Request(method=method, path=b"/").method == method


@pytest.mark.parametrize(
    "method",
    ["", "A" * 65, "GET ", " GET", "G T", "GET\n", "GET\r\nX: y", "GÉT", "G\x00T", "G/T", "٣"],
)
def test_no_method(method: str) -> None:
    """What is no token is refused: a line break in it would add a line to what is signed."""
    with pytest.raises(MalformedRequest, match="the method is not a token") as refused:
        Request(method=method, path=b"/")
    assert refused.value.fault == "the method is not a token"


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (b"", "the path does not start with a slash"),
        (b"*", "the path does not start with a slash"),
        (b"a/b", "the path does not start with a slash"),
        (b"http://host/", "the path does not start with a slash"),
        (b"/a?b", "the path holds bytes that must be percent-encoded"),
        (b"/a#b", "the path holds bytes that must be percent-encoded"),
        (b"/a b", "the path holds bytes that must be percent-encoded"),
        (b"/a\n", "the path holds bytes that must be percent-encoded"),
        (b"/a\x00", "the path holds bytes that must be percent-encoded"),
        (b"/a\x7f", "the path holds bytes that must be percent-encoded"),
        (b"/caf\xc3\xa9", "the path holds bytes that must be percent-encoded"),
        (b"/a%", "a percent escape in the path is malformed"),
        (b"/a%4", "a percent escape in the path is malformed"),
        (b"/%zz", "a percent escape in the path is malformed"),
    ],
)
def test_malformed_path(path: bytes, fault: str) -> None:
    """A path that is no clean path is refused, and not repaired."""
    with pytest.raises(MalformedTarget) as refused:
        Request(method="GET", path=path)
    assert refused.value.fault == fault


@pytest.mark.parametrize("query", [b"a b", b"a#b", b"a\n", b"a\x00", b"\x7f", b"caf\xc3\xa9"])
def test_malformed_query_bytes(query: bytes) -> None:
    """A query with bytes that no client may send raw is refused."""
    with pytest.raises(MalformedQuery) as refused:
        Request(method="GET", path=b"/", query=query)
    assert refused.value.fault == "the query holds bytes that must be percent-encoded"


@given(st.lists(st.sampled_from([bytes([b]) for b in range(0x21, 0x7F) if b not in b"#?%"])))
def test_visible_ascii_is_clean(parts: list[bytes]) -> None:
    """Every visible character but # and ? may stand in a path, and ? in a query too."""
    text = b"".join(parts)
    request = Request(method="GET", path=b"/" + text, query=b"?" + text)
    assert (request.path, request.query) == (b"/" + text, b"?" + text)


def test_headers_are_trimmed_and_joined() -> None:
    """A header is found by its lower-case name; lines are trimmed, then joined in their order."""
    request = Request(
        method="GET",
        path=b"/",
        headers=(
            (b"X-A", b" \t1 "),
            (b"Host", b"h"),
            (b"x-a", b""),
            (b"X-a", b"\t2  3"),
            (b"X-Empty", b"  "),
            (b"X-Text", b"\xc2\xa0caf\xc3\xa9\x0b\xc2\x85"),
        ),
    )
    assert request.header("x-a") == b"1,,2  3"
    assert request.header("x-empty") == b""
    assert request.header("x-text") == b"\xc2\xa0caf\xc3\xa9\x0b\xc2\x85"
    assert request.header("x-absent") is None
    assert request.header_names == {"x-a", "host", "x-empty", "x-text"}


def test_header_name_beyond_ascii() -> None:
    """A header whose name is not ASCII is kept apart from every one that could be signed."""
    request = Request(
        method="GET", path=b"/", headers=((b"X-\xe2\x84\xaaey", b"1"), (b"X-Key", b"2"))
    )
    assert request.header("x-key") == b"2"
    assert request.header_names == {"x-key", "x-\\xe2\\x84\\xaaey"}


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0"])
@pytest.mark.parametrize("value", [b"a%sb", b"%s", b"a%s", b"%sx-amz-acl:public"])
def test_line_break_in_a_header(value: bytes, byte: bytes) -> None:
    """A line break in a value would begin another header of what is signed: refused."""
    headers = ((b"Host", b"h"), (b"X-A", value % byte), (b"X-B", b"1"))
    with pytest.raises(MalformedRequest) as refused:
        Request(method="GET", path=b"/", headers=headers)
    assert refused.value.fault == "a header value holds a line break or a NUL"


def test_defaults() -> None:
    """A request needs a method and a path only."""
    request = Request(method="GET", path=b"/")
    assert request.query == b""
    assert request.headers == ()
    assert request.routed_path is None
    assert request.doubtful_headers == frozenset()
    assert request.joined_with_blank is False
    assert "_values" not in repr(request)


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (b"", ()),
        (b"&&", ()),
        (b"a", ((b"a", b""),)),
        (b"a=", ((b"a", b""),)),
        (b"=", ((b"", b""),)),
        (b"=v", ((b"", b"v"),)),
        (b"a=b=c", ((b"a", b"b=c"),)),
        (b"&b=2&&a=1&", ((b"b", b"2"), (b"a", b"1"))),
        (b"a=1&a=1&a", ((b"a", b"1"), (b"a", b"1"), (b"a", b""))),
        (b"a+b=c+d", ((b"a b", b"c d"),)),
        (b"a%2Bb=%2b", ((b"a+b", b"+"),)),
        (b"a%20b=%26%3D", ((b"a b", b"&="),)),
        (b"a%3Db=c", ((b"a=b", b"c"),)),
        (b"a;b=c", ((b"a;b", b"c"),)),
        (b"%ff=%00", ((b"\xff", b"\x00"),)),
        (b"a=%2541", ((b"a", b"%41"),)),
        (b"?a=/?", ((b"?a", b"/?"),)),
    ],
)
def test_parse_query(query: bytes, pairs: tuple[tuple[bytes, bytes], ...]) -> None:
    """T29, T30: a query is split on & alone and decoded once; order and duplicates stay."""
    assert parse_query(query) == pairs


@pytest.mark.parametrize("query", [b"%", b"a=%4", b"a=%zz", b"%g1=2", b"a=1&b=100%"])
def test_parse_query_malformed(query: bytes) -> None:
    """T30: a malformed escape in a query is refused."""
    with pytest.raises(MalformedQuery) as refused:
        parse_query(query)
    assert refused.value.fault == "a percent escape in the query is malformed"


@given(st.lists(st.tuples(st.binary(), st.binary())))
def test_parse_query_round_trip(pairs: list[tuple[bytes, bytes]]) -> None:
    """Parameters of any bytes are read back from their encoded form."""
    query = b"&".join(uri_encode(name) + b"=" + uri_encode(value) for name, value in pairs)
    assert parse_query(query) == tuple(pairs)


def test_line_break_in_the_name_of_a_header_is_refused() -> None:
    """A line break in a name would begin another header of what is signed: refused."""
    with pytest.raises(MalformedRequest) as refused:
        Request(method="GET", path=b"/", headers=((b"X-A\nHost", b"v"),))
    assert refused.value.fault == "the name of a header holds a line break"
