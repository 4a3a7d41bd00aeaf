"""The one list of signed requests that every server gets.

`path` is what the application must route on, written out: what a client of AWS means by the
request, after the rules of the service. A request with `refused` has to be refused everywhere.
What single servers cannot carry stands in limits.py.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.servers.signing import HOST
from tests.servers.signing import ITEMS
from tests.servers.signing import S3
from tests.servers.signing import Case
from tests.servers.signing import Request
from tests.servers.signing import Signed

MEBIBYTE = 1024 * 1024
BIG = bytes(range(256)) * (3 * MEBIBYTE // 256)

_JSON = b'{"name": "caf\xc3\xa9", "tags": ["a", "b"]}'
_POST: dict[str, Any] = {
    "method": "POST",
    "headers": (("Content-Type", "application/json"),),
    "body": _JSON,
}
_FORM: dict[str, Any] = {
    "method": "POST",
    "headers": (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),),
    "body": b"Action=SendMessage&MessageBody=a+b%26c%20d&Version=2012-11-05",
}
_CHUNKED: dict[str, Any] = {"method": "PUT", "body": _JSON, "chunked": True}
_UTF8 = "voil\N{LATIN SMALL LETTER A WITH GRAVE}"
_RESERVED = "/a(b)!*'$,;:@=+"
_MISMATCH = {ITEMS: "InvalidSignatureException", S3: "SignatureDoesNotMatch"}


def _case(
    name: str,
    service: str,
    target: str = "/items/1",
    *,
    path: str = "/items/1",
    refused: tuple[int, ...] = (),
    code: Mapping[str, str] | None = None,
    alter: Callable[[Signed], Signed] | None = None,
    **request: Any,
) -> Case:
    return Case(
        name=name,
        request=Request(service=service, target=target, **request),
        path=None if refused else path,
        refused=refused,
        code=(code or {}).get(service),
        alter=alter,
    )


def _both(name: str, target: str = "/items/1", **case: Any) -> list[Case]:
    return [_case(name, service, target, **case) for service in (ITEMS, S3)]


def with_wrong_signature(signed: Signed) -> Signed:
    """Put a digit of the signature in another's place."""
    (value,) = (value for name, value in signed.headers if name == "Authorization")
    last = "1" if value[-1] == "0" else "0"
    return signed.with_headers(Authorization=value[:-1] + last)


def _unsigned(signed: Signed) -> Signed:
    kept = tuple(
        pair
        for pair in signed.headers
        if pair[0] != "Authorization" and not pair[0].lower().startswith("x-amz-")
    )
    return replace(signed, headers=kept)


def _adding(name: str, value: str) -> Callable[[Signed], Signed]:
    return lambda signed: signed.with_header(name, value)


def _framed(*framing: tuple[str, str]) -> Callable[[Signed], Signed]:
    return lambda signed: replace(signed, framing=framing)


def _beside_length(signed: Signed) -> Signed:
    """Say both that the body is chunked, and how long it is without the chunks."""
    return replace(signed, framing=(*signed.framing, ("Content-Length", str(len(signed.body)))))


PATHS = [
    *_both("plain GET with a query", "/items/1?lang=en&q=x"),
    *_both("spaces", "/my%20docs/a%20b", path="/my docs/a b"),
    *_both(
        "unicode",
        "/%E3%81%82/caf%C3%A9",
        path="/\N{HIRAGANA LETTER A}/caf\N{LATIN SMALL LETTER E WITH ACUTE}",
    ),
    _case("%2F", ITEMS, "/docs/a%2Fb", path="/docs/a/b"),
    # S3 takes %2F for a slash, and so do its clients when they sign.
    _case("%2F", S3, "/docs/a%2Fb", spelt="/docs/a/b", path="/docs/a/b"),
    _case("needless escapes", ITEMS, "/%7Euser/%41", path="/~user/A"),
    _case("needless escapes", S3, "/%7Euser/%41", spelt="/~user/A", path="/~user/A"),
    _case("raw reserved characters", ITEMS, _RESERVED, path=_RESERVED),
    _case(
        "raw reserved characters",
        S3,
        _RESERVED,
        spelt="/a%28b%29%21%2A%27%24%2C%3B%3A%40%3D%2B",
        path=_RESERVED,
    ),
    _case("//", ITEMS, "/a//b///c", path="/a/b/c"),
    _case("//", S3, "/a//b///c", path="/a//b///c"),
    _case("// in front", ITEMS, "//a/b", path="/a/b"),
    _case("// in front", S3, "//a/b", path="//a/b"),
    _case(". and ..", ITEMS, "/a/./b/../c", path="/a/c"),
    _case(". and ..", S3, "/a/./b/../c", path="/a/./b/../c"),
    _case(".. and //", ITEMS, "/a//b/../c", path="/a/c"),
    _case(".. and //", S3, "/a//b/../c", path="/a//b/../c"),
    *_both(
        "absolute-form",
        "/items/1?q=x",
        alter=lambda s: replace(s, target=f"http://{HOST}{s.target}"),
    ),
]

QUERIES = [
    *_both(
        "odd query",
        "/items/1?b=2&a&a=&a=1&a=1&&c=x+y%2Bz&d=%7E&%C3%A9=%2F",
        spelt="/items/1?b=2&a=&a=&a=1&a=1&c=x%20y%2Bz&d=~&%C3%A9=%2F",
    ),
    *_both("empty query", "/items/1?", spelt="/items/1"),
]

HEADERS = [
    *_both("repeated header", headers=(("X-Tag", "one"), ("X-Tag", "two"))),
    *_both("runs of blanks", headers=(("X-Tag", "  a   b \t c \t "),)),
    *_both("UTF-8 header", headers=(("X-Amz-Meta-Title", _UTF8),)),
    *_both("session token", temporary=True),
    *_both("presigned", "/items/a%20b?v=1", path="/items/a b", presigned=True),
    *_both("presigned, session token", presigned=True, temporary=True),
    *_both("HEAD", method="HEAD"),
]

BODIES = [
    *_both("JSON POST", **_POST),
    *_both("form POST", "/", path="/", **_FORM),
    *_both("empty POST", method="POST"),
    *_both("DELETE with a body", method="DELETE", body=_JSON),
    *_both("3 MiB PUT, hash sent", method="PUT", body=BIG, payload="hash"),
    _case("3 MiB PUT, no hash sent", ITEMS, method="PUT", body=BIG),
    _case("3 MiB PUT, no hash sent", S3, method="PUT", body=BIG, payload="unsigned"),
    *_both("chunked", payload="hash", **_CHUNKED),
    _case("chunked, no hash sent", ITEMS, **_CHUNKED),
    _case("chunked, no hash sent", S3, payload="unsigned", **_CHUNKED),
    *_both("Expect: 100-continue", awaits_continue=True, **_POST),
]

#: What a server may clean up, so that the rest is served, or pass on, so that it is refused.
SPOILT = [
    *_both(
        "absolute-form, another host",
        alter=lambda s: replace(s, target=f"http://evil.example{s.target}"),
    ),
    *_both("X_Amz_Acl added", alter=_adding("X_Amz_Acl", "public-read")),
    *_both("X_Amz_Date added", alter=_adding("X_Amz_Date", "20200101T000000Z")),
    *_both("SCRIPT_NAME header added", alter=_adding("SCRIPT_NAME", "/items")),
    *_both("chunked beside a length", alter=_beside_length, **_CHUNKED),
    *_both(
        "chunked with a trailer",
        alter=lambda signed: replace(signed, trailer=(("X-Amz-Acl", "public-read"),)),
        **_CHUNKED,
    ),
    # All of the body is there, and its hash says so.
    *_both("chunked without its last chunk", alter=lambda s: replace(s, cut=5), **_CHUNKED),
]

REFUSED = [
    *_both(
        "unsigned",
        alter=_unsigned,
        refused=(403,),
        code={ITEMS: "MissingAuthenticationTokenException", S3: "AccessDenied"},
    ),
    *_both("wrong signature", alter=with_wrong_signature, refused=(403,), code=_MISMATCH),
    *_both(
        "wrong signature, 3 MiB",
        alter=with_wrong_signature,
        refused=(403,),
        code=_MISMATCH,
        method="PUT",
        body=BIG,
        payload="hash",
    ),
    *_both(
        "another path",
        alter=lambda signed: replace(signed, target=signed.target.replace("1", "2")),
        refused=(403,),
        code=_MISMATCH,
    ),
    *_both(
        "another query",
        "/items/1?q=x",
        alter=lambda signed: replace(signed, target=signed.target.replace("x", "y")),
        refused=(403,),
        code=_MISMATCH,
    ),
    *_both(
        "another body",
        alter=lambda signed: replace(signed, body=_JSON.replace(b"a", b"x")),
        refused=(400, 403),
        code={ITEMS: "InvalidSignatureException", S3: "XAmzContentSHA256Mismatch"},
        method="PUT",
        body=_JSON,
    ),
    *_both(
        "unsigned x-amz-acl",
        alter=_adding("X-Amz-Acl", "public-read"),
        refused=(403,),
        code={ITEMS: "InvalidSignatureException", S3: "AccessDenied"},
    ),
    _case("dots behind escapes", ITEMS, "/public%2F..%2Fadmin", refused=(400,)),
    *_both("malformed escape", "/a%zz", refused=(400,)),
    *_both("a second Host", alter=_adding("Host", "evil.example"), refused=(400, 403)),
    *_both(
        "Content-Length +10",
        alter=_framed(("Content-Length", "+10")),
        refused=(400,),
        method="PUT",
        body=b"ten bytes!",
    ),
    *_both(
        "Content-Length 1_0",
        alter=_framed(("Content-Length", "1_0")),
        refused=(400,),
        method="PUT",
        body=b"ten bytes!",
    ),
    *_both(
        "body cut short",
        alter=lambda signed: replace(signed, cut=5),
        refused=(400,),
        method="PUT",
        body=_JSON,
    ),
    *_both(
        "chunked, cut short",
        alter=lambda signed: replace(signed, cut=9),
        refused=(400, 403, 411),
        payload="hash",
        **_CHUNKED,
    ),
    _case(
        "chunked, no hash sent, cut short",
        S3,
        alter=lambda signed: replace(signed, cut=9),
        refused=(400, 411),
        payload="unsigned",
        **_CHUNKED,
    ),
    _case(
        "chunked, no hash sent, without its last chunk",
        S3,
        alter=lambda signed: replace(signed, cut=5),
        refused=(400, 411),
        payload="unsigned",
        **_CHUNKED,
    ),
]

#: The tables of the page in docs/, in order.
GROUPS = {
    "Paths": PATHS,
    "Queries": QUERIES,
    "Headers and forms": HEADERS,
    "Bodies": BODIES,
    "Spoilt on the way": SPOILT,
    "Refused everywhere": REFUSED,
}
CASES = [case for group in GROUPS.values() for case in group]
