"""Random requests, signed by botocore: what the property tests and the fuzzer start from.

botocore signs the query of a raw URL, and an S3 path, verbatim, without bringing them into their
canonical form, and it folds white space that is none in HTTP. What it would sign wrongly is not
drawn here; everything else that a client may send is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from functools import partial
from typing import Any
from unittest import mock
from urllib.parse import quote
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as ClientCredentials
from hypothesis import strategies as st

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

SIGNED_AT = datetime(2026, 11, 21, 20, 42, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret access key and, for temporary ones, its session token."""

    secret: str
    token: str | None = None


KEYS = {
    "AKIAIOSFODNN7EXAMPLE": Key(secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "AKIDEXAMPLE": Key(secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    "ASIAIOSFODNN7EXAMPLE": Key(
        secret="Qx7+temporary/EXAMPLEKEY", token="IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b=="
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request on the wire, and what the server it goes to expects.

    Attributes:
        method: the method.
        path: the path as sent.
        query: the query as sent.
        headers: names and values as sent.
        body: the body as sent.
        s3: True where the server is one of S3.
        region: the region of the server.
        service: the service of the server.
        now: POSIX seconds when it arrives.
    """

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    s3: bool
    region: str
    service: str
    now: float = SIGNED_AT.timestamp()

    @property
    def presigned(self) -> bool:
        """Whether the signature stands in the query."""
        return b"X-Amz-Signature=" in self.query

    def request(self) -> Request:
        """Return the request as the package takes it."""
        return Request(method=self.method, path=self.path, query=self.query, headers=self.headers)

    def verifier(self) -> Verifier:
        """Return a verifier as its server would have it: all defaults."""
        return Verifier(
            {
                name: Credentials(key.secret, session_token=key.token, principal=name)
                for name, key in KEYS.items()
            },
            region=self.region,
            service=self.service,
            profile=S3 if self.s3 else GENERIC,
        )


def sign(
    *,
    key: str,
    host: str = "example.com",
    path: bytes = b"/",
    query: bytes = b"",
    params: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    method: str = "GET",
    s3: bool = False,
    presigned: bool = False,
    expires: int = 3600,
    unsigned_payload: bool = False,
    region: str = "us-east-1",
    service: str = "execute-api",
) -> SignedRequest:
    """Return the request that botocore makes of these pieces.

    Args:
        key: the access key id, one of KEYS.
        host: what stands in the URL.
        path: the path as sent.
        query: the query as sent; the presigned form makes its own of *params*.
        params: the same query, as names and values.
        headers: names and values as sent; a name may stand twice.
        body: the body.
        method: the method.
        s3: True to sign as a client of S3 does.
        presigned: True to sign in the query.
        expires: seconds that a presigned URL lives.
        unsigned_payload: True to leave the body of an S3 request unsigned.
        region: the region of the scope.
        service: the service of the scope.
    """
    url = f"https://{host}{path.decode('ascii')}"
    # The presigned form takes a body for parameters; it is sent beside it, as a browser would.
    data = None if presigned else body
    request = AWSRequest(method=method, url=url, data=data)
    request.params = dict(params) if presigned else list(params)
    for name, value in headers:
        request.headers[name] = value
    request.context["has_streaming_input"] = unsigned_payload
    credentials = ClientCredentials(key, KEYS[key].secret, KEYS[key].token)
    signer: Any
    if presigned:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        signer = kind(credentials, service, region, expires=expires)
    else:
        signer = (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, region)
    with mock.patch("botocore.auth.get_current_datetime", return_value=SIGNED_AT):
        signer.add_auth(request)
    sent_headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    if "host" not in request.headers:
        sent_headers.insert(0, (b"Host", host.encode()))
    return SignedRequest(
        method=method,
        path=path,
        query=urlsplit(request.url).query.encode("ascii") if presigned else query,
        headers=tuple(sent_headers),
        body=body,
        s3=s3,
        region=region,
        service=service,
    )


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
    return dataclasses.replace(signed, headers=(*signed.headers, *more))
