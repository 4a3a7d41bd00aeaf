"""One change to what was signed: headers, method, path, query or body.

A change takes a request and a source of chance and returns another request, or None where there
is nothing to change. Whether the other one means the same is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from urllib.parse import unquote_to_bytes

from tests.core.signed_requests import SignedRequest

Change = Callable[[SignedRequest, Random], SignedRequest | None]

_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


def header_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a header that nobody signed."""
    name = chance.choice([b"X-Forwarded-Host", b"Accept-Language", b"x-amzn-trace-id", b"Expect"])
    return sent.plus_header(name, b"v%d" % chance.randrange(9))


def amz_header_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a header that tells AWS to do something else."""
    name = chance.choice(
        [b"x-amz-copy-source", b"X-Amz-Acl", b"X-AMZ-Tagging", b"x-amz-decoded-content-length"]
    )
    return sent.plus_header(name, chance.choice([b"", b"public-read", b"/bucket/key"]))


def header_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take a signed header away."""
    at = _any_header(sent, chance)
    return None if at is None else sent.with_header(at)


def unsigned_header_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take an unsigned header away."""
    at = _any_header(sent, chance, signed=False)
    return None if at is None else sent.with_header(at)


def header_doubled(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a signed header twice."""
    at = _any_header(sent, chance)
    return None if at is None else sent.with_header(at, sent.headers[at], sent.headers[at])


def header_doubled_empty(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a signed header once more, without a value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    lines = [sent.headers[at], (sent.headers[at][0], b"")]
    chance.shuffle(lines)
    return sent.with_header(at, *lines)


def header_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the value of a signed header."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return sent.with_header(at, (name, edited(chance, value)))


def header_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the case of a signed header's value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return sent.with_header(at, (name, value.swapcase()))


def header_name_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Change the case of a header's name."""
    at = chance.randrange(len(sent.headers))
    name, value = sent.headers[at]
    return sent.with_header(at, (name.swapcase(), value))


def header_renamed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Give a signed header another name."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    return sent.with_header(at, (chance.choice([name + b"x", b"x" + name, name + b" "]), value))


def header_blanks_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Spell the blanks in and around a signed value in another way."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    wider = value.replace(b" ", chance.choice([b"  ", b"\t", b" \t "]))
    return sent.with_header(at, (name, chance.choice([b" ", b"\t", b""]) + wider + b" "))


def header_blank_added(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Put something that looks blank into a signed value."""
    at = _any_header(sent, chance)
    if at is None:
        return None
    name, value = sent.headers[at]
    cut = chance.randrange(len(value) + 1)
    blank = chance.choice([b" ", b"\x0b", b"\x0c", b"\xa0", b"\x85", b"\r\n ", b"\0"])
    return sent.with_header(at, (name, value[:cut] + blank + value[cut:]))


def header_split(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a value that holds a comma as two lines."""
    places = [at for at, line in enumerate(sent.headers) if b"," in line[1]]
    if not places:
        return None
    at = chance.choice(places)
    name, value = sent.headers[at]
    first, _, second = value.partition(b",")
    return sent.with_header(at, (name, first), (name, second))


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


def host_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send the request to another host."""
    at = sent.find_header(b"host")
    if at is None:
        return None
    old = sent.headers[at][1]
    ways = [b"", old + b":443", old + b".", old.upper(), b"evil.example", old + b"," + old]
    return sent.with_header(at, (b"Host", chance.choice(ways)))


def method_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another method, or the same one in another case."""
    ways = ["GET", "PUT", "DELETE", "OPTIONS", sent.method.lower(), sent.method.title()]
    return replace(sent, method=chance.choice(ways))


def path_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another path."""
    return replace(sent, path=b"/" + edited(chance, sent.path[1:]))


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
    items, at = sent.items, chance.choice(own)
    items[at] = edited(chance, items[at])
    return sent.with_items(items)


def query_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Escape a character of the query, or unescape one, or change the case of an escape."""
    items = sent.items
    if not items:
        return None
    at = chance.randrange(len(items))
    name, equals, value = items[at].partition(b"=")
    if chance.random() < 0.5:
        name = _respelt(chance, name)
    else:
        value = _respelt(chance, value)
    items[at] = name + equals + value
    return sent.with_items(items)


def query_blank_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write a blank as a plus, or the reverse, or take one for the other."""
    pairs = [(b"%20", b"+"), (b"+", b"%20"), (b"+", b"%2B"), (b"%2B", b"+"), (b"%20", b"%2520")]
    old, new = chance.choice(pairs)
    return replace(sent, query=sent.query.replace(old, new)) if old in sent.query else None


def query_reordered(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send the parameters in another order."""
    items = sent.items
    return sent.with_items(chance.sample(items, len(items)))


def query_parameter_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Add a parameter, or an empty item, which is none."""
    items = sent.items
    more = chance.choice([b"acl", b"versionId=1", b"", b"=", b"x-id=GetObject", b"a=1;b=2", b"%61"])
    items.insert(chance.randrange(len(items) + 1), more)
    return sent.with_items(items)


def query_parameter_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take a parameter away."""
    items = sent.items
    if not items:
        return None
    del items[chance.randrange(len(items))]
    return sent.with_items(items)


def query_parameter_doubled(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Send a parameter twice, with the same value or another one."""
    items = sent.items
    if not items:
        return None
    again = chance.choice(items)
    name, _, value = again.partition(b"=")
    items.insert(chance.randrange(len(items) + 1), chance.choice([again, name + b"=" + value[1:]]))
    return sent.with_items(items)


def query_values_swapped(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Give two parameters each other's values."""
    own = _own_items(sent)
    if len(own) < 2:
        return None
    items = sent.items
    one, other = chance.sample(own, 2)
    (name, _, value), (other_name, _, other_value) = (
        items[at].partition(b"=") for at in (one, other)
    )
    items[one], items[other] = name + b"=" + other_value, other_name + b"=" + value
    return sent.with_items(items)


def query_equals_moved(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move the border between a name and its value, or drop it."""
    own = _own_items(sent)
    if not own:
        return None
    items, at = sent.items, chance.choice(own)
    name, _, value = items[at].partition(b"=")
    ways = [name + value, name + b"==" + value, name + b"=" + value + b"=", name + b"%3D" + value]
    items[at] = chance.choice([*ways, name if not value else name[:-1] + b"=" + name[-1:] + value])
    return sent.with_items(items)


def query_separator_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Separate two parameters as only some parsers do."""
    if b"&" not in sent.query:
        return None
    items = sent.items
    at = chance.randrange(1, len(items))
    between = chance.choice([b";", b"%26", b"&amp;", b",", b"?", b"&&"])
    return replace(sent, query=b"&".join(items[:at]) + between + b"&".join(items[at:]))


def body_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Send another body."""
    more = chance.choice([b"x", b"\r\n", b"\0"])
    ways = [sent.body + more, more + sent.body, sent.body[:-1], b"", sent.body.swapcase()]
    return replace(sent, body=chance.choice(ways))


def _any_header(sent: SignedRequest, chance: Random, *, signed: bool = True) -> int | None:
    listed = sent.part(b"SignedHeaders").split(b";")
    places = [
        at
        for at, (name, _) in enumerate(sent.headers)
        if (name.lower() in listed) is signed and name.lower() != b"authorization"
    ]
    return chance.choice(places) if places else None


def edited(chance: Random, text: bytes) -> bytes:
    """Return *text* with one byte changed, put in or taken out."""
    at = chance.randrange(len(text) + 1)
    byte = bytes([chance.choice(b"abcXYZ019-/")])
    return chance.choice(
        [text[:at] + byte + text[at + 1 :], text[:at] + byte + text[at:], text[:-1]]
    )


def _own_items(sent: SignedRequest) -> list[int]:
    """Return the places of the parameters that are the application's."""
    return [at for at, item in enumerate(sent.items) if item and not item.startswith(b"X-Amz-")]


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
)
