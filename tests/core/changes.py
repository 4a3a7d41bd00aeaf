"""One change to a signed request: what somebody does who has one, and not its secret.

A change takes a request and a source of chance and returns another request, or None where there
is nothing to change. Whether the other one means the same is not known here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from urllib.parse import quote
from urllib.parse import unquote_to_bytes

from tests.core.signed_requests import KEYS
from tests.core.signed_requests import SignedRequest

Change = Callable[[SignedRequest, Random], SignedRequest | None]

_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_PART = re.compile(rb"(Credential|SignedHeaders|Signature)=([^,\s]*)")


# What a request is made of.


def _with_header(sent: SignedRequest, at: int, *lines: tuple[bytes, bytes]) -> SignedRequest:
    return replace(sent, headers=(*sent.headers[:at], *lines, *sent.headers[at + 1 :]))


def _plus_header(sent: SignedRequest, name: bytes, value: bytes) -> SignedRequest:
    return replace(sent, headers=(*sent.headers, (name, value)))


def _find_header(sent: SignedRequest, name: bytes) -> int | None:
    places = (at for at, line in enumerate(sent.headers) if line[0].lower() == name)
    return next(places, None)


def _any_header(sent: SignedRequest, chance: Random, *, signed: bool = True) -> int | None:
    listed = _part(sent, b"SignedHeaders").split(b";")
    places = [
        at
        for at, (name, _) in enumerate(sent.headers)
        if (name.lower() in listed) is signed and name.lower() != b"authorization"
    ]
    return chance.choice(places) if places else None


def _edited(chance: Random, text: bytes) -> bytes:
    """Return *text* with one byte changed, put in or taken out."""
    at = chance.randrange(len(text) + 1)
    byte = bytes([chance.choice(b"abcXYZ019-/")])
    return chance.choice(
        [text[:at] + byte + text[at + 1 :], text[:at] + byte + text[at:], text[:-1]]
    )


def _items(sent: SignedRequest) -> list[bytes]:
    return sent.query.split(b"&") if sent.query else []


def _with_items(sent: SignedRequest, items: list[bytes]) -> SignedRequest:
    return replace(sent, query=b"&".join(items))


def _own_items(sent: SignedRequest) -> list[int]:
    """Return the places of the parameters that are the application's."""
    items = enumerate(_items(sent))
    return [at for at, item in items if not item.startswith((b"X-Amz-",)) and item]


def _part(sent: SignedRequest, name: bytes) -> bytes:
    """Return a part of the authorization, from wherever it stands."""
    if sent.presigned:
        found = re.search(rb"X-Amz-%s=([^&]*)" % name, sent.query)
        return unquote_to_bytes(found[1]) if found else b""
    at = _find_header(sent, b"authorization")
    parts = dict(_PART.findall(sent.headers[at][1])) if at is not None else {}
    return bytes(parts.get(name, b""))


def _with_part(sent: SignedRequest, name: bytes, value: bytes) -> SignedRequest | None:
    if sent.presigned:
        item = b"X-Amz-%s=%s" % (name, quote(value, safe="-._~").encode())
        query = re.sub(rb"X-Amz-%s=[^&]*" % name, item.replace(b"\\", rb"\\"), sent.query)
        return replace(sent, query=query)
    at = _find_header(sent, b"authorization")
    if at is None:
        return None
    old = sent.headers[at][1]
    parts = dict(_PART.findall(old))
    if name not in parts:
        return None
    new = old.replace(b"%s=%s" % (name, parts[name]), b"%s=%s" % (name, value))
    return _with_header(sent, at, (sent.headers[at][0], new))


# Headers.


def header_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a header that nobody signed."""
    name = chance.choice([b"X-Forwarded-Host", b"Accept-Language", b"x-amzn-trace-id", b"Expect"])
    return _plus_header(sent, name, b"v%d" % chance.randrange(9))


def amz_header_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a header that tells AWS to do something else."""
    name = chance.choice(
        [b"x-amz-copy-source", b"X-Amz-Acl", b"X-AMZ-Tagging", b"x-amz-decoded-content-length"]
    )
    return _plus_header(sent, name, chance.choice([b"", b"public-read", b"/bucket/key"]))


def header_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take a signed header away."""
    at = _any_header(sent, chance)
    return None if at is None else _with_header(sent, at)


def unsigned_header_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take an unsigned header away."""
    at = _any_header(sent, chance, signed=False)
    return None if at is None else _with_header(sent, at)


def header_doubled(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a signed header twice."""
    at = _any_header(sent, chance)
    return None if at is None else _with_header(sent, at, sent.headers[at], sent.headers[at])


def header_doubled_empty(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a signed header once more, without a value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    lines = [sent.headers[at], (sent.headers[at][0], b"")]
    chance.shuffle(lines)
    return _with_header(sent, at, *lines)


def header_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the value of a signed header."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return _with_header(sent, at, (name, _edited(chance, value)))


def header_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the case of a signed header's value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return _with_header(sent, at, (name, value.swapcase()))


def header_name_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Change the case of a header's name."""
    at = chance.randrange(len(sent.headers))
    name, value = sent.headers[at]
    return _with_header(sent, at, (name.swapcase(), value))


def header_renamed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Give a signed header another name."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return _with_header(sent, at, (chance.choice([name + b"x", b"x" + name, name + b" "]), value))


def header_blanks_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Spell the blanks in and around a signed value in another way."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    wider = value.replace(b" ", chance.choice([b"  ", b"\t", b" \t "]))
    return _with_header(sent, at, (name, chance.choice([b" ", b"\t", b""]) + wider + b" "))


def header_blank_added(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Put something that looks blank into a signed value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    cut = chance.randrange(len(value) + 1)
    blank = chance.choice([b" ", b"\x0b", b"\x0c", b"\xa0", b"\x85", b"\r\n ", b"\0"])
    return _with_header(sent, at, (name, value[:cut] + blank + value[cut:]))


def header_split(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a value that holds a comma as two lines."""
    places = [at for at, line in enumerate(sent.headers) if b"," in line[1]]
    if not places:
        return None
    at = chance.choice(places)
    name, value = sent.headers[at]
    first, _, second = value.partition(b",")
    return _with_header(sent, at, (name, first), (name, second))


def headers_joined(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send two lines of one name as one, as a server may write them."""
    names = [name.lower() for name, _ in sent.headers]
    twice = [name for name in names if names.count(name) > 1]
    if not twice:
        return None
    name = chance.choice(twice)
    value = chance.choice([b",", b", ", b" "]).join(
        value for other, value in sent.headers if other.lower() == name
    )
    others = tuple(line for line in sent.headers if line[0].lower() != name)
    return replace(sent, headers=(*others, (name, value)))


def headers_reordered(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send the headers in another order."""
    return replace(sent, headers=tuple(chance.sample(sent.headers, len(sent.headers))))


def header_left_out_of_list(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move a header from the signed to the unsigned ones."""
    listed = _part(sent, b"SignedHeaders").split(b";")
    listed.remove(chance.choice(listed))
    return _with_part(sent, b"SignedHeaders", b";".join(listed))


def header_put_into_list(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move a header from the unsigned to the signed ones."""
    listed = _part(sent, b"SignedHeaders").split(b";")
    name = chance.choice(
        [b"user-agent", b"x-amz-acl", b"x-new", b"authorization", b"content-length"]
    )
    added = sent if _find_header(sent, name) is not None else _plus_header(sent, name, b"new")
    return _with_part(added, b"SignedHeaders", b";".join(sorted({*listed, name})))


def list_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write the list of signed headers in another way."""
    old = _part(sent, b"SignedHeaders")
    names = old.split(b";")
    ways = [names[::-1], [*names, names[-1]], [*names, b""], [b"", *names], [old.upper()]]
    return _with_part(sent, b"SignedHeaders", b";".join(chance.choice(ways)))


def host_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send the request to another host."""
    at = _find_header(sent, b"host")
    if at is None:
        return None
    old = sent.headers[at][1]
    ways = [b"", old + b":443", old + b".", old.upper(), b"evil.example", old + b"," + old]
    return _with_header(sent, at, (b"Host", chance.choice(ways)))


# Method, path, query, body.


def method_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another method, or the same one in another case."""
    ways = ["GET", "PUT", "DELETE", "OPTIONS", sent.method.lower(), sent.method.title()]
    return replace(sent, method=chance.choice(ways))


def path_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another path."""
    return replace(sent, path=b"/" + _edited(chance, sent.path[1:]))


def path_respelt(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Escape a character of the path, or unescape one, or change the case of an escape."""
    return replace(sent, path=b"/" + _respelt(chance, sent.path[1:]))


def _respelt(chance: Random, text: bytes) -> bytes:
    escapes = [match.span() for match in _ESCAPE.finditer(text)]
    if escapes and chance.random() < 0.5:
        start, end = chance.choice(escapes)
        escape = text[start:end]
        new = chance.choice([escape.swapcase(), unquote_to_bytes(escape), b"%25" + escape[1:]])
        return text[:start] + new + text[end:]
    inside = {at for start, end in escapes for at in range(start, end)}
    places = [at for at in range(len(text)) if at not in inside]
    if not places:
        return text + b"%"
    at = chance.choice(places)
    return text[:at] + b"%%%02x" % text[at] + text[at + 1 :]


def path_with_dots(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Put in segments that a normal form does not have."""
    segments = sent.path.split(b"/")
    at = chance.randrange(1, len(segments) + 1)
    more = chance.choice([[b""], [b"."], [b"x", b".."], [b".."], [b"%2e"], [b"x", b"%2E%2e"]])
    return replace(sent, path=b"/".join([*segments[:at], *more, *segments[at:]]))


def path_in_normal_form(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Take out what a normal form does not have, as a proxy does."""
    path = re.sub(rb"/(\./)*(/|\./)*", b"/", sent.path)
    return replace(sent, path=chance.choice([path, unquote_to_bytes(path).replace(b"%", b"%25")]))


def path_with_plus(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Mix up plus, blank and slash."""
    pairs = [(b"+", b"%20"), (b"%20", b"+"), (b"+", b"%2B"), (b"/", b"%2F"), (b"%2F", b"/")]
    old, new = chance.choice(pairs)
    return replace(sent, path=b"/" + sent.path[1:].replace(old, new))


def path_with_more(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add to the path what some server cuts off again."""
    more = chance.choice([b"/", b";x=1", b"#x", b"?", b"%00", b" ", b"%3Fa=1", b"\xc3\xa9", b"\\"])
    return replace(sent, path=sent.path + more)


def query_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change a name or a value of the query."""
    own = _own_items(sent)
    if not own:
        return None
    items, at = _items(sent), chance.choice(own)
    items[at] = _edited(chance, items[at])
    return _with_items(sent, items)


def query_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Escape a character of the query, or unescape one, or change the case of an escape."""
    items = _items(sent)
    if not items:
        return None
    at = chance.randrange(len(items))
    name, equals, value = items[at].partition(b"=")
    if chance.random() < 0.5:
        name = _respelt(chance, name)
    else:
        value = _respelt(chance, value)
    items[at] = name + equals + value
    return _with_items(sent, items)


def query_blank_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write a blank as a plus, or the reverse, or take one for the other."""
    pairs = [(b"%20", b"+"), (b"+", b"%20"), (b"+", b"%2B"), (b"%2B", b"+"), (b"%20", b"%2520")]
    old, new = chance.choice(pairs)
    return replace(sent, query=sent.query.replace(old, new)) if old in sent.query else None


def query_reordered(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send the parameters in another order."""
    items = _items(sent)
    return _with_items(sent, chance.sample(items, len(items)))


def query_parameter_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a parameter, or an empty item, which is none."""
    items = _items(sent)
    more = chance.choice([b"acl", b"versionId=1", b"", b"=", b"x-id=GetObject", b"a=1;b=2", b"%61"])
    items.insert(chance.randrange(len(items) + 1), more)
    return _with_items(sent, items)


def query_parameter_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take a parameter away."""
    items = _items(sent)
    if not items:
        return None
    del items[chance.randrange(len(items))]
    return _with_items(sent, items)


def query_parameter_doubled(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a parameter twice, with the same value or another one."""
    items = _items(sent)
    if not items:
        return None
    again = chance.choice(items)
    name, _, value = again.partition(b"=")
    items.insert(chance.randrange(len(items) + 1), chance.choice([again, name + b"=" + value[1:]]))
    return _with_items(sent, items)


def query_values_swapped(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Give two parameters each other's values."""
    own = _own_items(sent)
    if len(own) < 2:
        return None
    items = _items(sent)
    one, other = chance.sample(own, 2)
    (name, _, value), (other_name, _, other_value) = (
        items[at].partition(b"=") for at in (one, other)
    )
    items[one], items[other] = name + b"=" + other_value, other_name + b"=" + value
    return _with_items(sent, items)


def query_equals_moved(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move the border between a name and its value, or drop it."""
    own = _own_items(sent)
    if not own:
        return None
    items, at = _items(sent), chance.choice(own)
    name, _, value = items[at].partition(b"=")
    ways = [name + value, name + b"==" + value, name + b"=" + value + b"=", name + b"%3D" + value]
    items[at] = chance.choice([*ways, name if not value else name[:-1] + b"=" + name[-1:] + value])
    return _with_items(sent, items)


def query_separator_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Separate two parameters as only some parsers do."""
    if b"&" not in sent.query:
        return None
    items = _items(sent)
    at = chance.randrange(1, len(items))
    between = chance.choice([b";", b"%26", b"&amp;", b",", b"?", b"&&"])
    return replace(sent, query=b"&".join(items[:at]) + between + b"&".join(items[at:]))


def body_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another body."""
    more = chance.choice([b"x", b"\r\n", b"\0"])
    ways = [sent.body + more, more + sent.body, sent.body[:-1], b"", sent.body.swapcase()]
    return replace(sent, body=chance.choice(ways))


# What signs it.


def form_swapped(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Bring the same signature in the other form."""
    parts = {name: _part(sent, name) for name in (b"Credential", b"SignedHeaders", b"Signature")}
    if sent.presigned:
        value = b"AWS4-HMAC-SHA256 " + b", ".join(b"=".join(pair) for pair in parts.items())
        own = [item for item in _items(sent) if not item.startswith(b"X-Amz-")]
        kept = chance.choice([_items(sent), own])
        dated = _plus_header(sent, b"X-Amz-Date", _part(sent, b"Date"))
        return _plus_header(_with_items(dated, kept), b"Authorization", value)
    at = _find_header(sent, b"authorization")
    date = _find_header(sent, b"x-amz-date")
    if at is None or date is None:
        return None
    parts[b"Algorithm"] = b"AWS4-HMAC-SHA256"
    parts[b"Date"] = sent.headers[date][1]
    parts[b"Expires"] = b"3600"
    items = [b"X-Amz-%s=%s" % (k, quote(v, safe="").encode()) for k, v in parts.items()]
    kept_header = sent if chance.random() < 0.3 else _with_header(sent, at)
    return _with_items(kept_header, [*_items(sent), *items])


def authorization_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a second authorization."""
    if not sent.presigned and chance.random() < 0.5:
        return _with_items(sent, [*_items(sent), b"X-Amz-Signature=" + _part(sent, b"Signature")])
    values = [
        b"Basic dXNlcjpwYXNz",
        b"",
        b"AWS4-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c",
    ]
    return _plus_header(sent, b"Authorization", chance.choice(values))


def scope_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change a part of the credential scope."""
    parts = _part(sent, b"Credential").split(b"/")
    at = chance.randrange(1, len(parts))
    ways = [_edited(chance, parts[at]), parts[at].swapcase(), b"", b"us-west-2", b"20261122"]
    parts[at] = chance.choice(ways)
    return _with_part(sent, b"Credential", b"/".join(parts))


def server_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring the request to the server of another region, service or family."""
    region, service = sent.region + "-x", sent.service + "-x"
    ways = [
        replace(sent, region=region),
        replace(sent, service=service),
        replace(sent, s3=not sent.s3),
    ]
    return chance.choice(ways)


def key_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Name another key."""
    _, _, scope = _part(sent, b"Credential").partition(b"/")
    key = chance.choice([*KEYS, "AKIAUNKNOWN", "akidexample", "", "a/b"]).encode()
    return _with_part(sent, b"Credential", key + b"/" + scope)


def date_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the time of the request."""
    new = chance.choice([b"20261121T204221Z", b"20261122T000001Z", b"20261121T204220", b""])
    at = _find_header(sent, b"x-amz-date")
    if sent.presigned:
        return _with_part(sent, b"Date", new)
    return None if at is None else _with_header(sent, at, (b"X-Amz-Date", new))


def date_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a second time of the request."""
    ways = [
        (b"Date", b"Sat, 21 Nov 2026 20:42:20 GMT"),
        (b"Date", b"Sat, 21 Nov 2020 20:42:20 GMT"),
        (b"X-Amz-Date", b"20261121T204220Z"),
    ]
    return _plus_header(sent, *chance.choice(ways))


def date_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take the time of the request away."""
    if sent.presigned:
        return _with_items(sent, [i for i in _items(sent) if not i.startswith(b"X-Amz-Date")])
    at = _find_header(sent, chance.choice([b"x-amz-date", b"date"]))
    return None if at is None else _with_header(sent, at)


def time_passed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring the request at another time."""
    borders = [1, 60, 300, 900, 3600, 604_800]
    return replace(
        sent,
        now=sent.now + chance.choice([-1, 1]) * chance.choice(borders) + chance.choice([0, 1, -1]),
    )


def expires_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change how long a presigned URL lives."""
    ways = [b"604800", b"0", b"-1", b"3601", b"60.0", b"+60", b"", "٦".encode()]
    return _with_part(sent, b"Expires", chance.choice(ways)) if sent.presigned else None


def signature_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the signature."""
    old = _part(sent, b"Signature")
    at = chance.randrange(64)
    other = b"%x" % ((int(old[at : at + 1], 16) + chance.randrange(1, 16)) % 16)
    near = old[:at] + other + old[at + 1 :]
    ways = [near, near, near, old[:-1], old + b"0", old.upper(), b"", b"0" * 64, b"\xff" * 64]
    return _with_part(sent, b"Signature", chance.choice(ways))


def algorithm_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Name another algorithm."""
    old = b"AWS4-HMAC-SHA256"
    new = chance.choice([old + b"x", old.lower(), b"AWS4-HMAC-SHA512", b"AWS4-ECDSA-P256-SHA256"])
    at = _find_header(sent, b"authorization")
    if sent.presigned:
        return replace(sent, query=sent.query.replace(old, new))
    if at is None:
        return None
    return _with_header(sent, at, (b"Authorization", sent.headers[at][1].replace(old, new)))


def authorization_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write the Authorization header in another way."""
    at = _find_header(sent, b"authorization")
    if at is None:
        return None
    scheme, _, rest = sent.headers[at][1].partition(b" ")
    parts = rest.split(b", ")
    more = chance.choice(
        [b"", b"x", b"Signature=" + b"0" * 64, b"Credential=a", b"SignedHeaders=host"]
    )
    ways = [
        scheme + b" " + b",".join(chance.sample(parts, len(parts))),
        scheme + b"  " + b" ,\t".join(parts) + b" ",
        scheme + b"\t" + rest,
        scheme + b" " + b" ".join(parts),
        scheme + b" " + b"; ".join(parts),
        scheme + b" " + b", ".join([*parts, more]),
        scheme + b" " + rest.lower(),
        scheme + b" " + rest.replace(b"=", b" = "),
        scheme + b" " + b", ".join(chance.sample(parts, 2)),
    ]
    return _with_header(sent, at, (b"Authorization", chance.choice(ways)))


def parameter_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write a parameter of the presigned form in another case."""
    if not sent.presigned:
        return None
    items = _items(sent)
    at = chance.choice([at for at, item in enumerate(items) if item.startswith(b"X-Amz-")])
    name, _, value = items[at].partition(b"=")
    items[at] = chance.choice([name.lower(), name.upper()]) + b"=" + value
    return _with_items(sent, items)


def token_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the session token."""
    at = _find_header(sent, b"x-amz-security-token")
    if sent.presigned and b"X-Amz-Security-Token" in sent.query:
        token = _edited(chance, _part(sent, b"Security-Token"))
        return _with_part(sent, b"Security-Token", token)
    if at is None:
        return None
    return _with_header(sent, at, (sent.headers[at][0], _edited(chance, sent.headers[at][1])))


def token_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take the session token away, with its name in the list or without."""
    items = [item for item in _items(sent) if not item.startswith(b"X-Amz-Security-Token")]
    at = _find_header(sent, b"x-amz-security-token")
    if at is None:
        return _with_items(sent, items)
    bare = _with_header(sent, at)
    listed = [name for name in _part(sent, b"SignedHeaders").split(b";") if b"token" not in name]
    return chance.choice([bare, _with_part(bare, b"SignedHeaders", b";".join(listed))])


def token_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a session token, or one more: the right one of a key, or any."""
    tokens = [key.token.encode() for key in KEYS.values() if key.token] + [b"other", b""]
    token = chance.choice(tokens)
    if chance.random() < 0.5:
        return _plus_header(sent, b"X-Amz-Security-Token", token)
    item = b"X-Amz-Security-Token=" + quote(token, safe="").encode()
    return _with_items(sent, [*_items(sent), item])


def token_moved(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Bring the session token in the other place."""
    token = _part(sent, b"Security-Token") if sent.presigned else b""
    at = _find_header(sent, b"x-amz-security-token")
    if token:
        items = [item for item in _items(sent) if not item.startswith(b"X-Amz-Security-Token")]
        return _plus_header(_with_items(sent, items), b"X-Amz-Security-Token", token)
    if at is None:
        return None
    item = b"X-Amz-Security-Token=" + quote(sent.headers[at][1], safe="").encode()
    return _with_items(_with_header(sent, at), [*_items(sent), item])


def payload_hash_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Say something else of the body, or the same in another way."""
    computed = hashlib.sha256(sent.body).hexdigest().encode()
    at = _find_header(sent, b"x-amz-content-sha256")
    ways = [computed, computed.upper(), b"UNSIGNED-PAYLOAD", b"unsigned-payload", b"", b"0" * 64]
    ways += [b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", b"x"]
    value = chance.choice(ways)
    if chance.random() < 0.3:
        return _with_items(sent, [*_items(sent), b"X-Amz-Content-Sha256=" + value])
    if at is None:
        return _plus_header(sent, b"X-Amz-Content-Sha256", value)
    return _with_header(sent, at, (sent.headers[at][0], value))


def payload_hash_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Say nothing of the body, with the header's name in the list or without."""
    at = _find_header(sent, b"x-amz-content-sha256")
    if at is None:
        return None
    bare = _with_header(sent, at)
    listed = [name for name in _part(sent, b"SignedHeaders").split(b";") if b"sha256" not in name]
    return chance.choice([bare, _with_part(bare, b"SignedHeaders", b";".join(listed))])


#: Those that never matter: they say something that nobody signed, or the same in another way.
HARMLESS: tuple[Change, ...] = (
    header_added,
    header_name_case_changed,
    query_reordered,
    unsigned_header_removed,
)

CHANGES: tuple[Change, ...] = (
    *HARMLESS,
    amz_header_added,
    header_removed,
    header_doubled,
    header_doubled_empty,
    header_changed,
    header_case_changed,
    header_renamed,
    header_blanks_changed,
    header_blank_added,
    header_split,
    headers_joined,
    headers_reordered,
    header_left_out_of_list,
    header_put_into_list,
    list_respelt,
    host_changed,
    method_changed,
    path_changed,
    path_respelt,
    path_with_dots,
    path_in_normal_form,
    path_with_plus,
    path_with_more,
    query_changed,
    query_respelt,
    query_blank_respelt,
    query_parameter_added,
    query_parameter_removed,
    query_parameter_doubled,
    query_values_swapped,
    query_equals_moved,
    query_separator_changed,
    body_changed,
    form_swapped,
    authorization_added,
    scope_changed,
    server_changed,
    key_changed,
    date_changed,
    date_added,
    date_removed,
    time_passed,
    expires_changed,
    signature_changed,
    algorithm_changed,
    authorization_respelt,
    parameter_case_changed,
    token_changed,
    token_removed,
    token_added,
    token_moved,
    payload_hash_changed,
    payload_hash_removed,
)
