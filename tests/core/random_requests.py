"""Random requests, signed by botocore: what the property tests start from.

botocore signs the query of a raw URL, and an S3 path, verbatim, without bringing them into their
canonical form, and it folds white space that is none in HTTP. What it would sign wrongly is not
drawn here; everything else that a client may send is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from hypothesis import strategies as st

from tests.core.signed_requests import KEYS
from tests.core.signed_requests import SignedRequest
from tests.core.signed_requests import sign

_METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "PURGE"])
_HOSTS = st.sampled_from(
    [
        "example.com",
        "127.0.0.1:5000",
        "bucket.s3.us-east-1.amazonaws.com",
        "[::1]:8000",
        "localhost",
    ]
)
_REGIONS = st.sampled_from(["us-east-1", "eu-central-1", "local", "X-1"])
_SERVICES = st.sampled_from(["execute-api", "es", "items", "dynamodb", "Some-Service-9"])
_S3_SERVICES = st.sampled_from(["s3", "s3-outposts", "s3-object-lambda"])

#: Text as people put it into parameters and keys, the characters that go wrong above all.
_ODD = st.sampled_from("aZ09-._~ +%&=/?#;:@!$'()*,[]{}|\\^`\"<>éß€あ😀\x00\n\r\t\x7f\x85\xa0")
_TEXT = st.text(alphabet=_ODD, max_size=6) | st.text(max_size=4)

_RAW_SEGMENT = st.text(
    alphabet=st.sampled_from("abZ09-._~+&=;:@!$'()*,[]{}|\\^`\"<>"), max_size=6
) | st.sampled_from(
    ["", ".", "..", "%2F", "a%2fb", "%7E", "%7e", "a+b", "%20", "%E2%82%AC", "%ff", "%00", "%252F"]
)

_NAMES = st.sampled_from(
    [
        *("Content-Type", "content-md5", "Cookie", "Range", "If-Match", "Cache-Control"),
        *("X-Amz-Meta-One", "x-amz-meta-two", "x-amz-acl", "X-Amz-Target", "X-Amzn-Thing"),
        *("Accept", "Accept-Encoding", "X-Forwarded-For", "x!#$&'*+.^`|~-y", "X-Empty", "x-a"),
    ]
)
#: No white space but that of HTTP: botocore folds every kind that Unicode has.
_VALUES = st.text(alphabet=st.sampled_from("abZ09-._~+,;:=/\"'()éあ \t"), max_size=10)
_UNSIGNED = st.sampled_from(
    [("User-Agent", "a  b"), ("Connection", "close"), ("X-Amzn-Trace-Id", "Root=1-2")]
)


def _loosely(text: str) -> str:
    """Return *text* percent-encoded as little as the grammar asks for, in lower-case hex."""
    spelt = quote(text, safe="-._~/?:@!$'()*,;[]{}|\\^`\"<>").replace("%20", "+")
    return re.sub("%..", lambda escape: escape[0].lower(), spelt)


@st.composite
def _query(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, str]]]:
    """Draw a query: as sent, spelt loosely or as AWS does it, and as names and values."""
    # A name that stands for itself would be an authentication of its own.
    names = _TEXT.filter(lambda name: not name.lower().startswith("x-amz-"))
    params = draw(st.lists(st.tuples(names, _TEXT), max_size=4))
    params += draw(st.sampled_from([[], params[:1], [("a", ""), ("a", ""), ("a-", "b")]]))
    loose = draw(st.booleans())
    spelling = _loosely if loose else partial(quote, safe="-._~")
    items = [f"{spelling(name)}={spelling(value)}" for name, value in params]
    if loose:
        # A name alone has the empty value, and an empty item is none.
        items = [item[:-1] if item.endswith("=") and len(item) > 1 else item for item in items]
        items.insert(draw(st.integers(0, len(items))), "")
    return "&".join(items).encode("ascii"), params


def _path(draw: st.DrawFn, *, s3: bool) -> bytes:
    """Draw a path: for S3 one in canonical form, else any that stays below the root."""
    if s3:
        segments = draw(st.lists(_TEXT.map(lambda text: quote(text, safe="~")), max_size=5))
        return b"/" + "/".join(segment.replace("%2F", "") for segment in segments).encode("ascii")
    depth, kept = 0, []
    for segment in draw(st.lists(_RAW_SEGMENT, max_size=6)):
        depth += {"": 0, ".": 0, "..": -1}.get(segment, 1)
        if depth < 0:
            depth, segment = 1, "up"
        kept.append(segment)
    return b"/" + "/".join(kept).encode("ascii")


def _presigned_payload(body: bytes, *, s3: bool) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Draw the header that says what of *body* a presigned request signs, if any."""
    name = "X-Amz-Content-SHA256"
    ways: list[list[tuple[str, str]]] = [[(name, hashlib.sha256(body).hexdigest())]]
    if s3:
        ways += [[], [(name, "UNSIGNED-PAYLOAD")]]
    elif not body:
        ways += [[]]
    return st.sampled_from(ways)


@st.composite
def signed_requests(draw: st.DrawFn) -> SignedRequest:
    """Draw a request that botocore signed."""
    s3, presigned = draw(st.booleans()), draw(st.booleans())
    query, params = draw(_query())
    headers = draw(st.lists(st.tuples(_NAMES, _VALUES), max_size=4))
    headers += headers[: draw(st.integers(0, 1))]
    if not presigned and draw(st.integers(0, 4)) == 0:
        headers.append(("Date", "replaced by botocore"))
    unsigned_payload = s3 and draw(st.booleans())
    if unsigned_payload:
        headers.append(("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="))
    body = draw(st.binary(max_size=40) | st.sampled_from([b"", b'{"a": 1}', b"x" * 70_000]))
    if presigned:
        headers += draw(_presigned_payload(body, s3=s3))
    signed = sign(
        key=draw(st.sampled_from(sorted(KEYS))),
        host=draw(_HOSTS),
        path=_path(draw, s3=s3),
        query=query,
        params=params,
        headers=headers,
        body=body,
        method=draw(_METHODS),
        s3=s3,
        presigned=presigned,
        expires=draw(st.sampled_from([1, 60, 3600, 604_800])),
        unsigned_payload=unsigned_payload,
        region=draw(_REGIONS),
        service=draw(_S3_SERVICES if s3 else _SERVICES),
    )
    more = [
        (name.encode(), value.encode()) for name, value in draw(st.lists(_UNSIGNED, max_size=1))
    ]
    return replace(signed, headers=(*signed.headers, *more))
