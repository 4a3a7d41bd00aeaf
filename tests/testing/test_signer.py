"""The signer makes what botocore and awscrt make of the same request."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from awscrt.auth import AwsSignedBodyHeaderType
from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth

from tests.core.oracles import HOST
from tests.core.oracles import TOKEN
from tests.core.oracles import sign_with_awscrt
from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.testing import UNSIGNED_HEADERS
from wsgi_sigv4.testing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request to sign."""

    method: str = "GET"
    target: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


CASES = [
    pytest.param(Case(), id="the root"),
    pytest.param(Case(target="/items?b=2&a=x%20y&a=1&flag="), id="a query, unsorted"),
    pytest.param(Case(target="/caf%C3%A9/a%20b/~c"), id="a path with escapes"),
    pytest.param(Case(target="/a%2Fb"), id="an encoded slash"),
    pytest.param(Case(method="POST", target="/items", body=b'{"name": "lamp"}'), id="a body"),
    pytest.param(
        Case(
            method="PUT",
            headers={"Content-Type": "text/plain", "X-Amz-Meta-A": " a \t b ", "If-Match": '"x"'},
            body=b"\x00\xff",
        ),
        id="headers",
    ),
]
#: Both oracles sign the path of S3 as it is on the wire; S3 itself decodes it.
S3_CASES = [case for case in CASES if case.id != "an encoded slash"]
#: awscrt leaves out fewer headers than botocore; these both do.
HIDDEN = {"User-Agent": "tests/1.0", "X-Amzn-Trace-Id": "Root=1-2"}
TOKENS = [pytest.param(None, id="permanent"), pytest.param(TOKEN, id="temporary")]


def signer(service: str = "items", token: str | None = None) -> Signer:
    """Return a signer with the clock of the oracles."""
    return Signer(
        ACCESS_KEY_ID,
        SECRET,
        region="us-east-1",
        service=service,
        session_token=token,
        clock=lambda: NOW,
    )


def url(case: Case) -> str:
    """Return the URL that *case* is sent to."""
    return f"http://{HOST}{case.target}"


def signature_in(query: str) -> list[str]:
    """Return the signatures in *query*."""
    return parse_qs(query)["X-Amz-Signature"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("token", TOKENS)
def test_headers_are_those_of_botocore(case: Case, token: str | None) -> None:
    """Under the generic rules, botocore sends these very headers."""
    sent = case.headers | HIDDEN
    ours = signer(token=token).headers(case.method, url(case), headers=sent, body=case.body)
    theirs = sign_with_botocore(
        SigV4Auth,
        case.method,
        case.target,
        headers=list(sent.items()),
        body=case.body,
        token=token,
    )
    found = {name: theirs.message.header(name.lower()) for name in ours}
    assert found == {name: value.encode() for name, value in ours.items()}


@pytest.mark.parametrize("case", S3_CASES)
@pytest.mark.parametrize("token", TOKENS)
def test_s3_headers_are_those_of_botocore(case: Case, token: str | None) -> None:
    """Under the rules of S3, botocore sends these very headers, the payload hash among them."""
    ours = signer("s3", token).headers(case.method, url(case), headers=case.headers, body=case.body)
    theirs = sign_with_botocore(
        S3SigV4Auth,
        case.method,
        case.target,
        service="s3",
        headers=list(case.headers.items()),
        body=case.body,
        token=token,
    )
    assert "X-Amz-Content-Sha256" in ours
    found = {name: theirs.message.header(name.lower()) for name in ours}
    assert found == {name: value.encode() for name, value in ours.items()}


@pytest.mark.parametrize(
    ("s3", "case"),
    [
        *(pytest.param(False, case.values[0], id=f"generic, {case.id}") for case in CASES),
        *(pytest.param(True, case.values[0], id=f"s3, {case.id}") for case in S3_CASES),
    ],
)
@pytest.mark.parametrize("token", TOKENS)
def test_authorization_is_that_of_awscrt(s3: bool, case: Case, token: str | None) -> None:
    """For both profiles, awscrt sends the same Authorization header."""
    sent = case.headers | HIDDEN
    ours = signer("s3" if s3 else "items", token).headers(
        case.method, url(case), headers=sent, body=case.body
    )
    theirs = sign_with_awscrt(
        case.method,
        case.target,
        headers=list(sent.items()),
        body=case.body,
        token=token,
        s3=s3,
    )
    assert ours["Authorization"].encode() == theirs.header("authorization")


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    ("auth", "service", "body"),
    [
        pytest.param(SigV4QueryAuth, "items", b"", id="generic"),
        pytest.param(S3SigV4QueryAuth, "s3", b"", id="s3"),
        # botocore would take a body for parameters; S3 leaves it unsigned.
        pytest.param(S3SigV4QueryAuth, "s3", b"any body", id="s3 with a body"),
    ],
)
def test_presigned_url_is_that_of_botocore(
    auth: type, service: str, body: bytes, token: str | None
) -> None:
    """A presigned URL has the signature that botocore's has."""
    target, headers = "/items/a%20b?q=x%20y&a=", {"Content-Type": "text/plain"}
    ours = signer(service, token).presign(
        "PUT", f"http://{HOST}{target}", expires=60, headers=headers, body=body
    )
    theirs = sign_with_botocore(
        auth,
        "PUT",
        "/items/a%20b",
        service=service,
        params=[("q", "x y"), ("a", "")],
        headers=list(headers.items()),
        token=token,
        expires=60,
    )
    assert ours.startswith(f"http://{HOST}{target}&X-Amz-Algorithm=")
    assert signature_in(urlsplit(ours).query) == signature_in(theirs.message.query.decode())


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("s3", [pytest.param(False, id="generic"), pytest.param(True, id="s3")])
def test_presigned_url_is_that_of_awscrt(s3: bool, token: str | None) -> None:
    """A presigned URL has the signature that awscrt's has, a body under the generic rules too."""
    body = b"a body"
    ours = signer("s3" if s3 else "items", token).presign(
        "POST", f"http://{HOST}/items?q=1", expires=604800, body=body
    )
    theirs = sign_with_awscrt(
        "POST",
        "/items?q=1",
        body=body,
        presigned=True,
        token=token,
        s3=s3,
        expires=604800,
        payload="UNSIGNED-PAYLOAD" if s3 else None,
    )
    assert signature_in(urlsplit(ours).query) == signature_in(theirs.query.decode())


def test_declared_payload_hash_is_presigned() -> None:
    """A presigned URL signs the x-amz-content-sha256 that is to be sent with it, as botocore."""
    headers = {"x-amz-content-sha256": "a" * 64}
    ours = signer("s3").presign("PUT", f"http://{HOST}/key", expires=60, headers=headers)
    theirs = sign_with_botocore(
        S3SigV4QueryAuth,
        "PUT",
        "/key",
        service="s3",
        params=[],
        headers=list(headers.items()),
        expires=60,
    )
    assert signature_in(urlsplit(ours).query) == signature_in(theirs.message.query.decode())


@pytest.mark.parametrize("service", ["items", "s3"])
def test_unsigned_payload_is_that_of_awscrt(service: str) -> None:
    """The body may be left unsigned, and the header says so."""
    ours = signer(service).headers("PUT", f"http://{HOST}/key", body=b"x", unsigned_payload=True)
    theirs = sign_with_awscrt(
        "PUT",
        "/key",
        body=b"x",
        payload="UNSIGNED-PAYLOAD",
        service=service,
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
        use_double_uri_encode=service != "s3",
        should_normalize_uri_path=service != "s3",
    )
    assert ours["X-Amz-Content-Sha256"] == "UNSIGNED-PAYLOAD"
    assert ours["Authorization"].encode() == theirs.header("authorization")


def test_profile_can_be_another_than_that_of_the_service() -> None:
    """An S3 service signed by the generic rules sends no payload hash."""
    odd = Signer(ACCESS_KEY_ID, SECRET, region="x", service="s3", profile=GENERIC)
    default = Signer(ACCESS_KEY_ID, SECRET, region="x", service="s3")
    assert "X-Amz-Content-Sha256" not in odd.headers("GET", f"http://{HOST}/")
    assert "X-Amz-Content-Sha256" in default.headers("GET", f"http://{HOST}/")


@pytest.mark.parametrize(
    ("where", "host"),
    [
        pytest.param("http://localhost:8000/", "localhost:8000", id="a port"),
        pytest.param("http://localhost:80/", "localhost", id="the port of http"),
        pytest.param("https://localhost:443", "localhost", id="the port of https, no path"),
        pytest.param("https://localhost:80/", "localhost:80", id="a port of another scheme"),
        pytest.param("http://user:word@localhost/", "localhost", id="a user"),
    ],
)
def test_host_is_taken_from_the_url(where: str, host: str) -> None:
    """The Host that is signed is the one that clients send."""
    given = signer().headers("GET", "http://elsewhere/", headers={"host": host})
    assert signer().headers("GET", where) == given


def test_presigned_url_has_a_path() -> None:
    """A URL without a path is signed, and returned, as the root."""
    assert signer().presign("GET", f"http://{HOST}?q=1").startswith(f"http://{HOST}/?q=1&X-Amz-")


def test_header_that_was_given_is_replaced() -> None:
    """A request that is signed a second time is signed as if it had not been."""
    first = signer(token=TOKEN).headers("GET", f"http://{HOST}/")
    second = signer(token=TOKEN).headers("GET", f"http://{HOST}/", headers=first)
    assert second == first


@pytest.mark.parametrize("name", sorted(UNSIGNED_HEADERS))
def test_header_that_may_change_is_not_signed(name: str) -> None:
    """A header that others add or change on the way changes no signature."""
    plain = signer().headers("GET", f"http://{HOST}/")
    assert signer().headers("GET", f"http://{HOST}/", headers={name: "x"}) == plain


@pytest.mark.parametrize("where", ["/items", "http:///items", "localhost/items"])
def test_url_without_a_host_is_refused(where: str) -> None:
    """A URL without a host is a mistake, since the host is signed."""
    with pytest.raises(ValueError, match="whole URL"):
        signer().headers("GET", where)


@pytest.mark.parametrize("target", ["/a b", "/é", "/?q=é", "/%zz"])
def test_url_that_is_not_encoded_is_refused(target: str) -> None:
    """A URL is signed as it will be sent, so it must be what can be sent."""
    with pytest.raises(MalformedRequest):
        signer().presign("GET", f"http://{HOST}{target}")


def test_secret_does_not_show() -> None:
    """The signer's attributes print no secret."""
    assert SECRET not in repr(vars(signer()))


def test_clock_is_the_time_of_day_unless_given() -> None:
    """Without a clock of the test's own, requests are signed now."""
    now = Signer(ACCESS_KEY_ID, SECRET, region="x", service="items")
    sent = now.headers("GET", f"http://{HOST}/")["X-Amz-Date"]
    signed_at = datetime.strptime(sent, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - signed_at) < timedelta(minutes=1)
