"""botocore and awscrt sign requests of many shapes, and each is accepted.

Where botocore signed, its canonical request and its string to sign are compared as well.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import S3ExpressAuth
from botocore.auth import S3ExpressQueryAuth
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.oracles import TOKEN
from tests.core.oracles import Headers
from tests.core.oracles import Signed
from tests.core.oracles import as_sent
from tests.core.oracles import sign_with_awscrt
from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import sha256
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import ChecksumMismatch
from wsgi_sigv4.errors import HeadersNotSigned
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.verifier import Verifier

#: Paths as they stand on the wire.
PATHS = [
    "/",
    "/items",
    "/items/",
    "/a/b/c.txt",
    "/a%20b",
    "/caf%C3%A9/%E2%82%AC",
    "/%F0%9F%98%80",
    "/a%2Fb",
    "/a%2fb",
    "/a%25b",
    "/a%2525b",
    "/a+b",
    "/~user/%7Euser",
    "/-_.~",
    "/(x)'*!",
    "/a:b@c,d=e&f$g",
    "/@connections/L0SM9cOFvHcCIhw%3D",
    "/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%2Fx",
    "/logs-*,idx/_search",
    "/%00%ff",
    "/...",
    "/.hidden/..x/x..",
]

#: Paths that normalisation alters, and their normal form.
ABNORMAL_PATHS = {
    "//": "/",
    "//a": "/a",
    "/a//b": "/a/b",
    "/a///b//": "/a/b/",
    "/./a": "/a",
    "/a/./b": "/a/b",
    "/a/.": "/a",
    "/a/./": "/a/",
    "/a/../b": "/b",
    "/a/b/..": "/a",
    "/a/b/../": "/a/",
    "/a/..": "/",
    "/a/../": "/",
    "/a/b/c/../../d": "/a/d",
    "/a/b/c/../..": "/a",
    "/a//../b": "/b",
    "/.": "/",
    "/%20/../%2F": "/%2F",
}

#: Parameters as a caller gives them; botocore encodes them.
PARAMETERS: list[list[tuple[str, str]]] = [
    [],
    [("q", "x")],
    [("b", "2"), ("a", "1")],
    [("a", "2"), ("a", "1"), ("a", "")],
    [("q", "a b"), ("r", "a+b"), ("s", "a%20b")],
    [("q", "x"), ("q.parser", "x"), ("q-x", "1"), ("Q", "2")],
    [("a-", "1"), ("a", "2"), ("a=", "3"), ("a.", "4")],
    [("é", "€"), ("x", "😀")],
    [("a/b", "c/d?e#f"), ("g", "h:i@j,k;l")],
    [("a", "~-_."), ("b", "!'()*")],
    [("list-type", "2"), ("prefix", "a b/c"), ("delimiter", "/")],
    [("a", "1&b=2"), ("", "empty name"), ("flag", "")],
    [("X-Id", "1"), ("x-id", "2")],
]

HEADERS: dict[str, Headers] = {
    "none": [],
    "repeated": [("X-Amz-Meta-A", "2"), ("X-Amz-Meta-A", "1"), ("x-amz-meta-a", "3")],
    "blanks": [("X-Amz-Meta-A", "  a   b  "), ("X-Amz-Meta-B", "a\t \tb")],
    "empty": [("X-Amz-Meta-A", ""), ("X-Amz-Meta-B", "   ")],
    "unicode": [("X-Amz-Meta-A", "caf\u00e9 \u20ac")],
    "quoted": [("X-Amz-Meta-A", '"a  b", "c"')],
    "case": [("x-AMZ-meta-Z", "Z"), ("CONTENT-type", "text/Plain;  charset=UTF-8")],
    "cookies": [("Cookie", "a=1; b=2"), ("Cookie", "c=3")],
    "etc": [
        ("Range", "bytes=0-9"),
        ("If-Match", '"x"'),
        ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ],
}

BODIES = {
    "none": ("GET", b"", ""),
    "json": ("POST", json.dumps({"a": "é"}).encode(), "application/x-amz-json-1.0"),
    "binary": ("PUT", bytes(range(256)) * 33, "application/octet-stream"),
    "query protocol": (
        "POST",
        urlencode({"Action": "SendMessage", "MessageBody": "a b+c&d=é"}).encode(),
        "application/x-www-form-urlencoded; charset=utf-8",
    ),
    "delete": ("DELETE", b"", ""),
    "patch": ("PATCH", b"\r\n", "text/plain"),
}


def accept(message: Message, *, service: str = "items", **parameters: Any) -> Identity:
    """Return the identity of *message*, whose key knows TOKEN where the request has one."""
    temporary = any(b"token" in name.lower() for name, _ in message.headers)
    temporary = temporary or b"-Token=" in message.query
    credentials = Credentials(SECRET, session_token=TOKEN if temporary else None)
    verifier = Verifier(
        {ACCESS_KEY_ID: credentials}, region="us-east-1", service=service, **parameters
    )
    return verify(verifier, message, now=NOW)


def agree(signed: Signed, *, service: str = "items", **parameters: Any) -> Identity:
    """Accept what botocore *signed*, and compare what was signed."""
    verifier = Verifier({}, region="us-east-1", service=service, **parameters)
    attempt = verifier.prepare(signed.message.request(), now=NOW)
    assert attempt is not None
    ours = evidence(attempt, attempt.payload.value or sha256(signed.message.body))
    assert ours.canonical_request.decode() == signed.canonical_request
    assert ours.string_to_sign.decode() == signed.string_to_sign
    return accept(signed.message, service=service, **parameters)


@pytest.mark.parametrize("path", [*PATHS, *ABNORMAL_PATHS])
def test_generic_path_by_botocore(path: str) -> None:
    """Outside S3 a path is normalised and encoded once more, as botocore does it."""
    assert not agree(sign_with_botocore(SigV4Auth, target=path)).presigned
    assert agree(sign_with_botocore(SigV4QueryAuth, target=path)).presigned


@pytest.mark.parametrize("path", [*PATHS, *ABNORMAL_PATHS])
def test_generic_path_by_awscrt(path: str) -> None:
    """Outside S3 a path is normalised and encoded once more, as awscrt does it."""
    assert not accept(sign_with_awscrt(target=path)).presigned
    assert accept(sign_with_awscrt(target=path, presigned=True, expires=60)).presigned


@pytest.mark.parametrize(("path", "normal"), ABNORMAL_PATHS.items())
def test_normal_form_is_that_of_both_oracles(path: str, normal: str) -> None:
    """T31: the path to route on is the normal form that botocore and awscrt signed."""
    verifier = Verifier({}, region=None, service="items")
    for message in (
        sign_with_awscrt(target=path),
        sign_with_botocore(SigV4Auth, target=path).message,
    ):
        attempt = verifier.prepare(message.request(), now=NOW)
        assert attempt is not None
        assert attempt.path == normal.replace("%2F", "/").encode()
        # What was signed for the path as sent holds for its normal form, and for no other.
        accept(replace(message, path=normal.encode()))
        with pytest.raises(SignatureMismatch):
            accept(replace(message, path=b"/x" + normal.encode()))


@pytest.mark.parametrize("path", ["/..", "/../", "/a/../..", "/a/../../b", "/./../x", "//.."])
def test_path_above_the_root_is_refused(path: str) -> None:
    """T31: what botocore and awscrt take for the root is refused, though the arithmetic holds."""
    for message in (
        sign_with_botocore(SigV4Auth, target=path).message,
        sign_with_awscrt(target=path),
    ):
        with pytest.raises(MalformedTarget):
            accept(message)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "a/b",
        "a//b",
        "/lead",
        "./a",
        "a/./b",
        "a/../b",
        "..",
        "a b",
        "é/€",
        "a+b~",
        "a%20b",
        "(x)'*!",
        "a:b@c,d=e&f$g",
        "\x00\x7f",
        "x/.",
        "x/..",
    ],
)
def test_s3_key(key: str) -> None:
    """S3 keys of any shape are accepted as botocore and awscrt sign them, and not normalised."""
    path = "/bucket/" + as_sent(key)
    for signed in (
        sign_with_botocore(S3SigV4Auth, target=path, service="s3"),
        sign_with_botocore(S3SigV4QueryAuth, target=path, service="s3"),
    ):
        agree(signed, service="s3")
    accept(sign_with_awscrt(target=path, s3=True), service="s3")
    presigned = sign_with_awscrt(
        target=path, s3=True, presigned=True, expires=60, payload="UNSIGNED-PAYLOAD"
    )
    accept(presigned, service="s3")
    attempt = Verifier({}, region=None, service="s3").prepare(presigned.request(), now=NOW)
    assert attempt is not None
    assert attempt.path == b"/bucket/" + key.encode()


@pytest.mark.parametrize("auth", [SigV4Auth, SigV4QueryAuth, S3SigV4Auth, S3SigV4QueryAuth])
@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
def test_parameters_by_botocore(auth: type, parameters: list[tuple[str, str]]) -> None:
    """T30: parameters of any spelling are accepted as botocore encodes, signs and sends them."""
    service = "s3" if auth in (S3SigV4Auth, S3SigV4QueryAuth) else "items"
    given = parameters
    if auth in (SigV4QueryAuth, S3SigV4QueryAuth):
        # botocore's presigner takes parameters that do not repeat.
        given = list(dict(parameters).items())
    agree(sign_with_botocore(auth, params=given, service=service), service=service)


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("presigned", [False, True])
def test_parameters_by_awscrt(parameters: list[tuple[str, str]], presigned: bool) -> None:
    """T30: parameters of any spelling are accepted as awscrt signs them."""
    query = "&".join(urlencode([pair]).replace("+", "%20") for pair in parameters)
    target = f"/items?{query}" if query else "/items"
    accept(sign_with_awscrt(target=target, presigned=presigned, expires=60 if presigned else None))


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_headers(headers: Headers) -> None:
    """Header values are trimmed, folded and joined as botocore and awscrt do it."""
    agree(sign_with_botocore(SigV4Auth, headers=headers))
    agree(sign_with_botocore(SigV4QueryAuth, headers=headers))
    agree(sign_with_botocore(S3SigV4Auth, headers=headers, service="s3"), service="s3")
    accept(sign_with_awscrt(headers=headers))
    accept(sign_with_awscrt(headers=headers, presigned=True))


@pytest.mark.parametrize("token", [None, TOKEN], ids=["long-term", "session"])
@pytest.mark.parametrize(("method", "body", "content_type"), BODIES.values(), ids=BODIES)
def test_body(method: str, body: bytes, content_type: str, token: str | None) -> None:
    """Bodies of the JSON, REST and query protocols are accepted, with and without a token."""
    headers = [("Content-Type", content_type)] if content_type else []
    given: dict[str, Any] = {"headers": headers, "body": body, "token": token}
    agree(sign_with_botocore(SigV4Auth, method, "/", **given))
    agree(sign_with_botocore(S3SigV4Auth, method, "/", service="s3", **given), service="s3")
    accept(sign_with_awscrt(method, "/", **given))
    hashed = accept(sign_with_awscrt(method, "/", s3=True, **given), service="s3")
    assert hashed.payload_form is PayloadForm.SHA256
    presigned = accept(sign_with_awscrt(method, "/", presigned=True, **given))
    assert presigned.payload_form is PayloadForm.ABSENT


@pytest.mark.parametrize("token", [None, TOKEN], ids=["long-term", "session"])
def test_presigned_query_protocol(token: str | None) -> None:
    """botocore moves the form of a presigned call (STS, RDS) into the query, and is accepted."""
    form = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    signed = sign_with_botocore(SigV4QueryAuth, body=form, headers=headers, token=token)
    assert b"Action=GetCallerIdentity" in signed.message.query
    agree(signed)


@pytest.mark.parametrize("auth", [S3SigV4Auth, SigV4Auth])
def test_unsigned_payload(auth: type) -> None:
    """UNSIGNED-PAYLOAD, which botocore sends over https, leaves the body open where allowed."""
    service = "s3" if auth is not SigV4Auth else "items"
    signed = sign_with_botocore(
        auth,
        "PUT",
        "/bucket/key",
        service=service,
        body=b"hello",
        headers=[("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")],
        secure=True,
        context={"payload_signing_enabled": False, "has_streaming_input": True},
    )
    assert "UNSIGNED-PAYLOAD" in signed.canonical_request
    identity = agree(signed, service=service, allow_unsigned_payload=True)
    assert identity.payload_form is PayloadForm.UNSIGNED
    altered = replace(signed.message, body=b"x")
    # Content-MD5, which makes botocore do so, binds it after all; what is not sent does not.
    with pytest.raises(ChecksumMismatch):
        accept(altered, service=service, allow_unsigned_payload=True)


@pytest.mark.parametrize("auth", [S3ExpressAuth, S3ExpressQueryAuth])
def test_s3_express(auth: type) -> None:
    """S3 Express's session token, which has a name of its own, is the session token."""
    signed = sign_with_botocore(
        auth, "PUT", "/key", service="s3express", token=TOKEN, identity_cache=None
    )
    assert "s3session-token" in signed.canonical_request.lower()
    agree(signed, service="s3express")


def test_presigned_upload() -> None:
    """A presigned URL of S3 takes any body: it was made before there was one."""
    signed = sign_with_botocore(S3SigV4QueryAuth, "PUT", "/bucket/key", service="s3")
    identity = accept(replace(signed.message, body=b"hello"), service="s3")
    assert identity.payload_form is PayloadForm.UNSIGNED


@pytest.mark.parametrize("s3", [False, True])
@pytest.mark.parametrize("presigned", [False, True])
def test_awscrt_token_appended_after_signing(presigned: bool, s3: bool) -> None:
    """T20: a token that awscrt appends after signing is accepted by its knob only."""
    message = sign_with_awscrt(
        token=TOKEN,
        presigned=presigned,
        omit_session_token=True,
        s3=s3,
        expires=60,
        payload="UNSIGNED-PAYLOAD" if s3 and presigned else None,
    )
    service = "s3" if s3 else "items"
    with pytest.raises(SignatureMismatch if presigned else HeadersNotSigned):
        accept(message, service=service)
    accept(message, service=service, allow_unsigned_session_token=True)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("double_encode", [False, True])
@pytest.mark.parametrize("path", ["/a%20b//c/./d", "/a/b", "/%C3%A9/x/../y", "/a%2520b"])
def test_awscrt_odd_profiles(path: str, double_encode: bool, normalize: bool) -> None:
    """Each setting of awscrt's normalising and encoding has its profile; no other one fits."""
    message = sign_with_awscrt(
        target=path, use_double_uri_encode=double_encode, should_normalize_uri_path=normalize
    )
    profile = replace(GENERIC, double_encode_path=double_encode, normalize_path=normalize)
    accept(message, profile=profile)
    for other in (
        replace(profile, double_encode_path=not double_encode),
        replace(profile, normalize_path=not normalize),
    ):
        same = "%" not in path if other.normalize_path is normalize else "/." not in path
        if same:
            accept(message, profile=other)
        else:
            with pytest.raises(SignatureMismatch):
                accept(message, profile=other)


def test_date_header_instead_of_x_amz_date() -> None:
    """A request whose time stands in Date alone, as botocore writes it, is accepted."""
    signed = sign_with_botocore(SigV4Auth, headers=[("Date", "whenever")])
    assert signed.message.header("x-amz-date") is None
    agree(signed)


def test_presigned_by_awscrt_without_expires() -> None:
    """awscrt leaves X-Amz-Expires out; outside S3 the URL lives as long as the skew."""
    message = sign_with_awscrt(presigned=True)
    assert b"X-Amz-Expires" not in message.query
    assert accept(message).expires_at == NOW + 300


@pytest.mark.parametrize("service", ["items", "s3"])
def test_signer_of_the_tests_agrees_with_botocore(service: str) -> None:
    """The tests' own signer makes botocore's signatures, in the header and in the query."""
    given: dict[str, Any] = {"headers": [("X-Amz-Meta-A", "1")], "service": service}
    path = "/items?a=1&b=2"
    plain = Message.of(target=path, headers={"X-Amz-Meta-A": "1"})
    hashed = plain.with_header("X-Amz-Content-SHA256", sha256(b""))
    if service == "s3":
        header = sign_with_botocore(S3SigV4Auth, target=path, **given).message
        query = sign_with_botocore(S3SigV4QueryAuth, target=path, expires=60, **given).message
        ours, presigned = S3_SIGNER.sign(hashed), S3_PRESIGNER.presign(plain)
    else:
        header = sign_with_botocore(SigV4Auth, target=path, **given).message
        query = sign_with_botocore(SigV4QueryAuth, target=path, expires=60, **given).message
        ours, presigned = GENERIC_SIGNER.sign(plain), GENERIC_SIGNER.presign(plain)
    assert ours.header("authorization") == header.header("authorization")
    assert presigned.query_items[-1] == query.query_items[-1]
