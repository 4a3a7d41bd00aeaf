"""The short way of an authentic request: no rule is skipped on it, and nothing is shared by it.

Kinds of requests are remembered, frozen objects are filled before they are frozen, plain paths and
queries are taken as they are. Each case here goes over a verifier that has seen good requests just
before, and is sent twice, so that what was remembered has its chance to do harm.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.attacks.attacker import Sent
from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import Signer
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import Verifier
from wsgi_sigv4.authentication import authenticate
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import PayloadHashMismatch
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.options import Options
from wsgi_sigv4.signing_key import SigningKeyCache

TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN"
TEMPORARY = Signer(access_key_id="ASIAEXAMPLE", session_token=TOKEN)
KEYS: dict[str, str | Secret | Credentials] = {
    ACCESS_KEY_ID: SECRET,
    "ASIAEXAMPLE": Credentials(SECRET, session_token=TOKEN),
}
#: As signed headers that leave all but these out.
BARE = replace(GENERIC_SIGNER, signed_headers=("host", "x-amz-date"))
MD5_OF_NOTHING, MD5_OF_A = "1B2M2Y8AsgTpgAmY7PhCfg==", "DMF1ucDxtqgxw5niaXcmYQ=="


def verifier(**parameters: Any) -> Verifier:
    """Return a verifier for the services items, which is generic, and s3."""
    defaults: dict[str, Any] = {
        "region": "us-east-1",
        "service": ["items", "s3"],
        "profile": {"items": GENERIC, "s3": S3},
        "clock": lambda: NOW,
    }
    return Verifier(KEYS, **(defaults | parameters))


def environ_of(message: Message, **extra: Any) -> dict[str, Any]:
    """Return the environ that gunicorn would make of *message*."""
    target = message.path + (b"?" + message.query if message.query else b"")
    headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in message.headers)
    sent = Sent(
        method=message.method,
        target=target.decode("latin-1"),
        headers=headers,
        body=message.body,
    )
    return sent.environ(**extra)


def verdict(made: Verifier, environ: dict[str, Any], **options: Any) -> str:
    """Return "accepted", or the name of the refusal."""
    try:
        identity = authenticate(environ, made, Options(**options), rewrite_path=True)
    except SigV4Error as refusal:
        return type(refusal).__name__
    assert identity is not None
    assert environ["wsgi_sigv4.access_key_id"] == identity.access_key_id
    return "accepted"


def verdicts(made: Verifier, messages: Sequence[Message]) -> list[str]:
    """Return what becomes of *messages*, one after the other."""
    return [verdict(made, environ_of(message)) for message in messages]


def good() -> Message:
    """Return a request that is accepted."""
    return GENERIC_SIGNER.sign(Message.of())


#: What is remembered of a kind, each made wrong by itself (or not), and what that is told.
KINDS: dict[str, tuple[Signer, Message, str]] = {
    "signs_host": (replace(BARE, signed_headers=("x-amz-date",)), Message.of(), "HostNotSigned"),
    "region": (replace(GENERIC_SIGNER, region="us-east-2"), Message.of(), "ScopeMismatch"),
    "service": (replace(GENERIC_SIGNER, service="other"), Message.of(), "ScopeMismatch"),
    "terminator": (replace(GENERIC_SIGNER, terminator="aws4_x"), Message.of(), "ScopeMismatch"),
    "date": (replace(GENERIC_SIGNER, date="20261120"), Message.of(), "ScopeMismatch"),
    "missing": (
        replace(BARE, signed_headers=("host", "x-amz-date", "x-gone")),
        Message.of(),
        "SignedHeaderMissing",
    ),
    "unsigned_amz": (BARE, Message.of(headers={"X-Amz-Acl": "public"}), "HeadersNotSigned"),
    "unsigned": (BARE, Message.of(headers={"X-Tenant": "a"}), "HeadersNotSigned"),
    "allowed": (BARE, Message.of(headers={"X-Amz-Cf-Id": "a"}), "accepted"),
    "token": (TEMPORARY, Message.of(), "accepted"),
    "no_token": (replace(TEMPORARY, session_token=None), Message.of(), "InvalidSessionToken"),
    "other_token": (replace(TEMPORARY, session_token="no"), Message.of(), "InvalidSessionToken"),
    "two_tokens": (
        TEMPORARY,
        Message.of(target="/items?X-Amz-Security-Token=another"),
        "ConflictingValues",
    ),
    "checksum": (
        GENERIC_SIGNER,
        Message.of(headers={"Content-MD5": MD5_OF_A}),
        "ChecksumMismatch",
    ),
    "good_checksum": (
        GENERIC_SIGNER,
        Message.of(headers={"Content-MD5": MD5_OF_NOTHING}),
        "accepted",
    ),
    "body_checksum": (
        GENERIC_SIGNER,
        Message.of("PUT", headers={"X-Amz-Checksum-Crc32": "AAAAAA=="}, body=b"a"),
        "ChecksumMismatch",
    ),
    "s3_needs_a_hash": (S3_SIGNER, Message.of(), "MissingPayloadHash"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_remembered_of_one_kind_is_not_told_another(name: str) -> None:
    """Every term of a kind is held against it, and only against it, the first time and later."""
    signer, unsigned, expected = KINDS[name]
    message = signer.sign(unsigned)
    made = verifier(allow_unsigned_headers=["x-amz-cf-id"], require_signed=["x-tenant"])
    found = verdicts(made, [message, good(), message, good(), message])
    assert found == [expected, "accepted", expected, "accepted", expected]


def test_skew_is_that_of_the_service() -> None:
    """One verifier knows how old requests to each of its services may be."""
    made = verifier(clock=lambda: NOW + 600)
    hashed = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    to_s3 = replace(S3_SIGNER, payload_hash=None).sign(Message.of(headers=hashed))
    assert verdicts(made, [to_s3, good(), to_s3]) == [
        "accepted",
        "RequestTimeTooSkewed",
        "accepted",
    ]


def test_underscore_is_no_way_around_a_checksum() -> None:
    """A checksum whose name a server spells with underscores is verified as well."""
    made = verifier()
    message = GENERIC_SIGNER.sign(
        Message.of("PUT", headers={"X-Amz-Checksum-Crc32": "AAAAAA=="}, body=b"a")
    )
    spelt = replace(
        message, headers=tuple((name.replace(b"-", b"_"), v) for name, v in message.headers)
    )
    assert verdicts(made, [good(), spelt, spelt]) == [
        "accepted",
        "ChecksumMismatch",
        "ChecksumMismatch",
    ]


def authorized(*parts: str) -> Message:
    """Return the good request with the parts of its authorization written as *parts* say."""
    plain = good()
    value = plain.header("authorization")
    assert value is not None
    credential, signed, signature = value.decode().partition(" ")[2].split(", ")
    written = ",".join(parts).format(c=credential, h=signed, s=signature, value=signature[10:])
    return plain.with_header("Authorization", f"AWS4-HMAC-SHA256 {written}")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("{c}", "{h}", "{s}"), "accepted"),
        (("{s}", "{h}", "{c}"), "accepted"),
        (("{c}", "{h}", "\t{s} "), "accepted"),
        (("{s}", "{c}", "{h}", "{s}"), "DuplicateParameter"),
        (("{c}", "{c}", "{h}", "{s}"), "DuplicateParameter"),
        (("{h}", "{s}"), "MissingParameters"),
        (("{c}", "{h}", "Signature="), "MissingParameters"),
        (("{c}", "{h}", "Signature"), "MalformedAuthorization"),
        (("{c}", "{h}", "{s}", ""), "MalformedAuthorization"),
        (("", "{c}", "{h}", "{s}"), "MalformedAuthorization"),
        (("{c}", "{h}", "Signature ={value}"), "MalformedAuthorization"),
        (("{c}", "{h}", "X={value}"), "MalformedAuthorization"),
        (("{c}", "X=1", "{h}", "{s}"), "MalformedAuthorization"),
        (("{c}", "{h}", "Signature=={value}"), "SignatureMismatch"),
        (("{c}", "{h}", "Signature=-"), "SignatureMismatch"),
        (("{c}", "SignedHeaders=", "{s}"), "MissingParameters"),
        (("{c}", "SignedHeaders=x-amz-date;host", "{s}"), "MalformedSignedHeaders"),
    ],
)
def test_every_part_of_the_header_is_read(parts: tuple[str, ...], expected: str) -> None:
    """What stands before the signature is remembered; what is wrong with it is told each time."""
    found = verdicts(verifier(), [good(), authorized(*parts)] * 2)
    assert found == ["accepted", expected, "accepted", expected]


#: A path as sent, and its canonical form for a generic service and for S3; None: refused.
PATHS = [
    ("/", "/", "/"),
    ("/a.b/~c_-9", "/a.b/~c_-9", "/a.b/~c_-9"),
    ("/a/", "/a/", "/a/"),
    ("/a.", "/a.", "/a."),
    ("/.a", "/.a", "/.a"),
    ("/...", "/...", "/..."),
    ("/a//b", "/a/b", "/a//b"),
    ("//", "/", "//"),
    ("/a/.", "/a", "/a/."),
    ("/a/./", "/a/", "/a/./"),
    ("/a/../b", "/b", "/a/../b"),
    ("/a+b", "/a%2Bb", "/a%2Bb"),
    ("/a:b", "/a%3Ab", "/a%3Ab"),
    ("/a'b", "/a%27b", "/a%27b"),
    ("/a\\b", "/a%5Cb", "/a%5Cb"),
    ("/%7Ea", "/%257Ea", "/~a"),
    ("/a%2Fb", "/a%252Fb", "/a/b"),
]


@pytest.mark.parametrize(("sent", "generic", "s3"), PATHS)
def test_plain_path_has_but_one_form(sent: str, generic: str, s3: str) -> None:
    """A path is taken as it is only where its canonical form is just that."""
    headers = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    made = verifier(allow_unsigned_payload=True)
    for signer, canonical in ((GENERIC_SIGNER, generic), (S3_SIGNER, s3)):
        for path in {sent, generic, s3}:
            signed = signer.sign(Message.of(headers=headers, target="/"))
            signed = replace(signed.without_header("authorization"), path=path.encode(), query=b"")
            message = replace(signer.authorize(signed), path=sent.encode())
            expected = "accepted" if path == canonical else "SignatureMismatch"
            assert verdicts(made, [message]) == [expected], (signer.service, path)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (b"a-b=1&a=2&a=1&A=", b"A=&a=1&a=2&a-b=1"),
        (b"&&a&&b=&", b"a=&b="),
        (b"=&=x&a", b"=&=x&a="),
        (b"a=b=c", b"a=b%3Dc"),
        (b"a=%7E&b=x+y", b"a=~&b=x%20y"),
        (b"a.=1&a=1&a~=1", b"a=1&a.=1&a~=1"),
        (b"a*=1&a-=2", b"a%2A=1&a-=2"),
    ],
)
def test_plain_query_has_but_one_form(sent: bytes, canonical: bytes) -> None:
    """A query that needs no encoding is sorted by name and then value, and nothing is dropped."""
    message = Message.of(target="/items").with_header("X-Amz-Date", GENERIC_SIGNER.timestamp)
    # The signer sorts whole items: a name that another one begins with comes last there.
    items = canonical.split(b"&")
    signed = InOrder().authorize(replace(message, query=canonical))
    assert verdicts(verifier(), [replace(signed, query=sent)]) == ["accepted"]
    for at in range(len(items)):
        fewer = b"&".join(items[:at] + items[at + 1 :])
        cut = InOrder().authorize(replace(message, query=fewer))
        assert verdicts(verifier(), [replace(cut, query=sent)]) == ["SignatureMismatch"]


class InOrder(Signer):
    """A client that signs the query in the order given."""

    def _canonical_request(self, message: Message, listed: tuple[str, ...]) -> bytes:
        lines = super()._canonical_request(replace(message, query=b""), listed).split(b"\n")
        lines[2] = message.query
        return b"\n".join(lines)


@pytest.mark.parametrize(
    "value", ["a\nb", "\n", "\na", "a\r", "\r", "\0", "a\0b", "a\r\n b", "\u20ac"]
)
@pytest.mark.parametrize(
    "others", [{}, {"HTTP_X_EMPTY": ""}, {"HTTP_HOST": "", "CONTENT_LENGTH": ""}]
)
def test_no_value_becomes_that_of_another_header(value: str, others: dict[str, str]) -> None:
    """Values are read a line each: one with a line break is refused, whichever come beside it."""
    environ = environ_of(good(), HTTP_X_ODD=value, **others)
    assert verdict(verifier(), environ) == "MalformedRequest"
    alone = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_X_ODD": value,
        "wsgi.input": io.BytesIO(),
    }
    assert verdict(verifier(), alone) == "MalformedRequest"


def test_body_after_none_was_announced() -> None:
    """Who says that there is no body, and feeds one, has it refused."""
    made, told = verifier(), Credentials(SECRET)
    attempt = made.prepare(good().request())
    assert attempt is not None
    empty, fed = (made.conclude(attempt, told, is_empty=True) for _ in range(2))
    empty.feed(b"")
    assert empty.finish().access_key_id == ACCESS_KEY_ID
    assert not fed.awaits_body
    fed.feed(b"a")
    with pytest.raises(PayloadHashMismatch):
        fed.finish()
    waits = made.conclude(attempt, told)
    assert waits.awaits_body
    waits.feed(b"a")
    with pytest.raises(SignatureMismatch):
        waits.finish()


def test_nobody_has_signed_before_the_signature_was_looked_at() -> None:
    """Nor where Python leaves assertions out, as `python -O` does."""
    made = verifier()
    attempt = made.prepare(replace(GENERIC_SIGNER, secret="another").sign(Message.of()).request())
    assert attempt is not None
    with pytest.raises(RuntimeError, match="body"):
        made.conclude(attempt, Credentials(SECRET)).signer  # noqa: B018 (it is the look that raises)


def test_empty_body_is_signed_as_such() -> None:
    """Without a body the signature is checked before a checksum is, and made with no other hash."""
    made = verifier()
    forged = replace(GENERIC_SIGNER, secret="another").sign(
        Message.of(headers={"X-Amz-Checksum-Crc32": "x"})
    )
    other = replace(GENERIC_SIGNER, payload_hash="0" * 64).sign(Message.of())
    assert verdicts(made, [good(), forged, other]) == [
        "accepted",
        "SignatureMismatch",
        "SignatureMismatch",
    ]
    with_body = environ_of(replace(good(), body=b"a"))
    assert verdict(made, with_body) == "SignatureMismatch"
    chunked = environ_of(good(), HTTP_TRANSFER_ENCODING="chunked")
    chunked["wsgi.input"] = io.BytesIO(b"a")
    assert verdict(made, chunked) == "SignatureMismatch"
    hidden = environ_of(good(), CONTENT_LENGTH="0")
    hidden["wsgi.input"] = io.BytesIO(b"a")
    assert verdict(made, hidden) == "accepted"
    assert hidden["wsgi.input"].read() == b""


def test_length_of_a_stream_is_refused_before_its_key_is_looked_up() -> None:
    """Content above the limit is refused by what is announced, be the framed length zero."""
    headers = {
        "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "X-Amz-Decoded-Content-Length": "11",
        "Content-Length": "0",
    }
    message = replace(S3_SIGNER, access_key_id="AKIAUNKNOWN").sign(
        Message.of("PUT", headers=headers)
    )
    assert verdict(verifier(), environ_of(message), max_body=10) == "BodyTooLarge"
    assert verdict(verifier(), environ_of(message), max_body=11) == "UnknownAccessKey"


def test_signing_keys_are_forgotten_by_whoever_looks_at_midnight() -> None:
    """The first look after midnight empties the cache, the key that is looked for included."""
    scope = CredentialScope(date="20261121", region="us-east-1", service="items")
    secret, midnight = Secret(SECRET), NOW - NOW % 86400 + 86400
    cache = SigningKeyCache()
    cache.put(ACCESS_KEY_ID, secret, scope, b"key", now=NOW)
    assert cache.get(ACCESS_KEY_ID, secret, scope, midnight - 1) == b"key"
    assert cache.get(ACCESS_KEY_ID, secret, scope, midnight) is None
    assert len(cache) == 0


def test_presigned_token_beside_a_query_of_the_applications_own() -> None:
    """Parameters of the application are no authentication, one of AWS's beside a header is."""
    made = verifier()
    plain = GENERIC_SIGNER.sign(Message.of(target="/items?q=1&x-amz-signature=1"))
    second = GENERIC_SIGNER.sign(
        Message.of(target=f"/items?X-Amz-Credential={quote(ACCESS_KEY_ID)}&q=1")
    )
    assert verdicts(made, [plain, second]) == ["accepted", "AmbiguousAuthentication"]
