"""The canonical request and the string to sign, each piece against text written out here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.canonical import canonical_request
from wsgi_sigv4.canonical import canonical_uri
from wsgi_sigv4.canonical import has_dot_segments
from wsgi_sigv4.canonical import normalize_path
from wsgi_sigv4.canonical import string_to_sign
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.request import Request
from wsgi_sigv4.timestamps import Timestamp

Pair = tuple[bytes, bytes]


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        (b"/", b"/"),
        (b"/a", b"/a"),
        (b"/a/", b"/a/"),
        (b"//", b"/"),
        (b"/a//b/", b"/a/b/"),
        (b"/./", b"/"),
        (b"/.", b"/"),
        (b"/a/.", b"/a"),
        (b"/a/./", b"/a/"),
        (b"/a/..", b"/"),
        (b"/a/../", b"/"),
        (b"/a/b/..", b"/a"),
        (b"/a/b/../", b"/a/"),
        (b"/a/../b", b"/b"),
        (b"/a//..//b", b"/b"),
        (b"/...", b"/..."),
        (b"/.a/..b/c..", b"/.a/..b/c.."),
        (b"/a.", b"/a."),
        (b"/a/%2e%2e/b", b"/a/%2e%2e/b"),
        (b"/a%2F/../b", b"/b"),
    ],
)
def test_normalize_path(path: bytes, normal: bytes) -> None:
    """T31: dot segments and doubled slashes go, as they are spelt; a slash at the end stays."""
    assert normalize_path(path) == normal
    assert normalize_path(normal) == normal


@pytest.mark.parametrize(
    "path", [b"/..", b"/../a", b"/a/../..", b"/./..", b"//../a", b"/a/../../a"]
)
def test_normalize_path_above_the_root(path: bytes) -> None:
    """T31: a path that reaches above the root has no normal form."""
    with pytest.raises(ValueError, match=r"^a \.\. reaches above the root$"):
        normalize_path(path)


@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b"%2e", b"..."])))
def test_normal_form_has_no_dot_segments(segments: list[bytes]) -> None:
    """Whatever normalisation returns has nothing left to normalise."""
    path = b"/" + b"/".join(segments)
    try:
        normal = normalize_path(path)
    except ValueError:
        return
    assert normal.startswith(b"/")
    assert b"//" not in normal
    assert not {b".", b".."} & set(normal.split(b"/"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/", False),
        (b"/a/b", False),
        (b"/.a", False),
        (b"/a./b..", False),
        (b"/.../a", False),
        (b"/a.b", False),
        (b"/.", True),
        (b"/..", True),
        (b"/a/./b", True),
        (b"/a/..", True),
        (b"/a/../b", True),
    ],
)
def test_has_dot_segments(path: bytes, found: bool) -> None:
    """A dot segment is one or two dots between slashes, and nothing else."""
    assert has_dot_segments(path) is found


@pytest.mark.parametrize(
    ("path", "generic", "s3", "normalize_only", "double_only"),
    [
        (b"/", b"/", b"/", b"/", b"/"),
        (b"/a b~", b"/a%20b~", b"/a%20b~", b"/a%20b~", b"/a%20b~"),
        (b"/a%20b", b"/a%2520b", b"/a%20b", b"/a%20b", b"/a%2520b"),
        (b"/a%2fb", b"/a%252fb", b"/a/b", b"/a/b", b"/a%252fb"),
        (b"/a//b", b"/a/b", b"/a//b", b"/a/b", b"/a//b"),
        (b"/a/../b", b"/b", b"/a/../b", b"/b", b"/a/../b"),
        (b"/a+b", b"/a%2Bb", b"/a%2Bb", b"/a%2Bb", b"/a%2Bb"),
        (
            b"/%7E(x)'*!",
            b"/%257E%28x%29%27%2A%21",
            b"/~%28x%29%27%2A%21",
            b"/~%28x%29%27%2A%21",
            b"/%257E%28x%29%27%2A%21",
        ),
        (b"/%c3%a9", b"/%25c3%25a9", b"/%C3%A9", b"/%C3%A9", b"/%25c3%25a9"),
        (b"/%2E%2e/a", b"/%252E%252e/a", b"/../a", b"/../a", b"/%252E%252e/a"),
    ],
)
def test_canonical_uri(
    path: bytes, generic: bytes, s3: bytes, normalize_only: bytes, double_only: bytes
) -> None:
    """A path is normalised or not, and encoded once more or decoded and encoded once."""
    assert canonical_uri(path, normalize=True, double_encode=True) == generic
    assert canonical_uri(path, normalize=False, double_encode=False) == s3
    assert canonical_uri(path, normalize=True, double_encode=False) == normalize_only
    assert canonical_uri(path, normalize=False, double_encode=True) == double_only


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], b""),
        ([(b"a", b"")], b"a="),
        ([(b"", b"")], b"="),
        ([(b"b", b"1"), (b"a", b"2"), (b"a", b"1"), (b"a", b"1")], b"a=1&a=1&a=2&b=1"),
        ([(b"q.parser", b"y"), (b"q", b"x"), (b"q-x", b"z")], b"q=x&q-x=z&q.parser=y"),
        ([(b"a=", b"1"), (b"a", b"2"), (b"a/", b"3")], b"a=2&a%2F=3&a%3D=1"),
        ([(b"a", b"/"), (b"a", b"0"), (b"a", b"-")], b"a=%2F&a=-&a=0"),
        ([(b"a b", b"c+d"), (b"A", b"~'!*()")], b"A=~%27%21%2A%28%29&a%20b=c%2Bd"),
        ([(b"\xff", b"\xc3\xa9")], b"%FF=%C3%A9"),
    ],
)
def test_canonical_query_string(pairs: list[Pair], expected: bytes) -> None:
    """T29, T30: parameters are encoded, then sorted by name and then value; duplicates stay."""
    assert canonical_query_string(pairs, presigned=False) == expected
    assert canonical_query_string(pairs, presigned=True) == expected


def test_signature_is_left_out_of_presigned_queries_alone() -> None:
    """T28: X-Amz-Signature alone is not signed, and in the presigned form alone."""
    pairs = [(b"X-Amz-Signature", b"s"), (b"x-amz-signature", b"t"), (b"Signature", b"u")]
    assert canonical_query_string(pairs, presigned=True) == b"Signature=u&x-amz-signature=t"
    assert (
        canonical_query_string(pairs, presigned=False)
        == b"Signature=u&X-Amz-Signature=s&x-amz-signature=t"
    )


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (b"", b""),
        (b" \t ", b""),
        (b"a", b"a"),
        (b" a\t", b"a"),
        (b"a b", b"a b"),
        (b"a  b", b"a b"),
        (b"a\tb", b"a b"),
        (b"a \t \tb   c", b"a b c"),
        (b'"a  b"', b'"a b"'),
        (b"a,  b,c", b"a, b,c"),
        (b"\xc2\xa0a\xc2\xa0\xc2\xa0b\x0b", b"\xc2\xa0a\xc2\xa0\xc2\xa0b\x0b"),
    ],
)
def test_canonical_header_value(value: bytes, canonical: bytes) -> None:
    """Values are trimmed, and inner runs of space and tab, and of nothing else, fold to one."""
    request = Request(method="GET", path=b"/", headers=((b"X-A", value),))
    made = canonical_request(
        method="GET",
        uri=b"/",
        query_string=b"",
        signed_headers=("x-a",),
        values=[request.values["x-a"]],
        payload_hash="hash",
    )
    assert made == b"GET\n/\n\nx-a:" + canonical + b"\n\nx-a\nhash"


def test_canonical_request() -> None:
    """The pieces stand in AWS's order, each on its line."""
    canonical = canonical_request(
        method="GET",
        uri=b"/a",
        query_string=b"b=1",
        signed_headers=("host", "x-amz-date"),
        values=(b"h", b"d \t d"),
        payload_hash="hash",
    )
    assert canonical == b"GET\n/a\nb=1\nhost:h\nx-amz-date:d d\n\nhost;x-amz-date\nhash"


def test_string_to_sign() -> None:
    """The string to sign is that of AWS's documented example (IAM ListUsers)."""
    canonical = (
        b"GET\n/\nAction=ListUsers&Version=2010-05-08\n"
        b"content-type:application/x-www-form-urlencoded; charset=utf-8\n"
        b"host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
        b"content-type;host;x-amz-date\n"
        b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    signed = string_to_sign(
        canonical,
        algorithm="AWS4-HMAC-SHA256",
        timestamp=Timestamp(iso="20150830T123600Z", posix=0, date="20150830"),
        scope=CredentialScope(date="20150830", region="us-east-1", service="iam"),
    )
    assert signed == (
        b"AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
        b"f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )
