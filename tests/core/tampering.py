"""Single changes to a signed request: those that must be refused, and those that mean nothing.

Whether a change of the path or the query alters its meaning is asked of botocore and of urllib,
never of the package.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl
from urllib.parse import quote
from urllib.parse import quote_from_bytes
from urllib.parse import unquote_to_bytes

from botocore.utils import normalize_url_path

from tests.core.messages import Message
from tests.core.records import Record

Change = tuple[str, Message]

_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_SIGNATURE = re.compile(rb"Signature=([0-9a-f]{64})")
_SCOPE = re.compile(
    rb"/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/(?P<terminator>aws4_request)"
)


def is_s3(record: Record) -> bool:
    """Return whether *record* is signed as S3's clients sign."""
    return record.service in ("s3", "s3express")


def hostile_changes(record: Record) -> Iterator[Change]:
    """Yield each change to *record* after which it must be refused, and its name."""
    message = record.message
    yield from _of_method(message)
    yield from _of_path(record, message)
    yield from _of_query(message)
    yield from _of_headers(message)
    yield from changes_of_who_signed(record)
    yield from _of_signature(message)
    yield from _of_coverage(message)
    yield from _of_token(record, message)
    yield from _of_body(message)


def changes_of_who_signed(record: Record) -> Iterator[Change]:
    """Yield each change to the key id or the scope of *record*, and its name."""
    yield from _of_authorization(record, record.message)
    yield from _of_scope(record, record.message)


def harmless_changes(record: Record) -> Iterator[Change]:
    """Yield each change to *record* that means the same to AWS, and its name."""
    message = record.message
    yield "nothing", message
    yield "unsigned header added", message.with_extra_header("X-Forwarded-For", "10.0.0.1")
    yield "x-amzn-* header added", message.with_extra_header("X-Amzn-Trace-Id", "Root=1-2-3")
    if message.header("date") is None:
        # T15: a Date beside X-Amz-Date says nothing.
        yield "Date added", message.with_extra_header("Date", "Mon, 01 Jan 2001 00:00:00 GMT")
    # A stable sort: headers of one name stay in their order.
    by_name = sorted(message.headers, key=lambda pair: pair[0].lower(), reverse=True)
    yield "header order", replace(message, headers=tuple(by_name))
    yield "header case", _each_header(message, lambda n, v: (n.swapcase(), v))
    yield "blanks around values", _each_header(message, lambda n, v: (n, b" \t" + v + b"\t  "))
    yield (
        "runs of blanks",
        _each_header(
            message,
            lambda n, v: (
                n,
                v if n.lower() in (b"authorization", b"date") else v.replace(b" ", b" \t "),
            ),
        ),
    )
    yield from _harmless_in_authorization(message)
    yield from _harmless_in_query(message)
    yield from _harmless_in_path(record, message)


def _each_header(
    message: Message, change: Callable[[bytes, bytes], tuple[bytes, bytes]]
) -> Message:
    return replace(message, headers=tuple(change(n, v) for n, v in message.headers))


def _harmless_in_authorization(message: Message) -> Iterator[Change]:
    value = message.header("authorization")
    if value is None:
        return
    scheme, _, rest = value.partition(b" ")
    parts = [part.strip() for part in rest.split(b",")]
    for label, text in (
        ("parts re-ordered", b", ".join(reversed(parts))),
        ("no blanks between parts", b",".join(parts)),
        ("tabs between parts", b"\t , \t".join(parts)),
    ):
        yield label, message.with_header("Authorization", scheme + b" " + text)


def _harmless_in_query(message: Message) -> Iterator[Change]:
    items = message.query_items
    yield "query reversed", message.with_query_items(items[::-1])
    yield "empty items", replace(message, query=b"&" + b"&&".join(items) + b"&")
    for label, old, new in (
        ("tilde escaped", b"~", b"%7E"),
        ("tilde plain", b"%7E", b"~"),
        ("plus for space", b"%20", b"+"),
        ("space for plus", b"+", b"%20"),
        ("slash plain", b"%2F", b"/"),
    ):
        if old in message.query:
            yield f"query: {label}", replace(message, query=message.query.replace(old, new))
    lower = _ESCAPE.sub(lambda match: match[0].lower(), message.query)
    yield "query: lower-case escapes", replace(message, query=lower)
    flags = [item + b"=" if b"=" not in item else item for item in items]
    yield "query: flag with =", message.with_query_items(flags)
    bare = [item.removesuffix(b"=") if item.count(b"=") == 1 else item for item in items]
    yield "query: flag without =", message.with_query_items([item for item in bare if item])


def _harmless_in_path(record: Record, message: Message) -> Iterator[Change]:
    path = message.path
    if is_s3(record):
        lower = _ESCAPE.sub(lambda match: match[0].lower(), path)
        yield "path: lower-case escapes", replace(message, path=lower)
        every = "".join(f"%{byte:02x}" for byte in unquote_to_bytes(path)[1:])
        yield "path: everything escaped", replace(message, path=b"/" + every.encode())
    else:
        yield "path: slash doubled", replace(message, path=path.replace(b"/", b"//"))
        yield "path: dot segment", replace(message, path=b"/." + path)
        yield "path: dot segments", replace(message, path=b"/zz/.." + path)


def _of_method(message: Message) -> Iterator[Change]:
    other = "PUT" if message.method == "GET" else "GET"
    yield "method changed", replace(message, method=other)
    yield "method lower-case", replace(message, method=message.method.lower())


def _of_path(record: Record, message: Message) -> Iterator[Change]:
    path = message.path
    candidates = {f"path[{at}] changed": _changed_at(path, at) for at in range(1, len(path))}
    candidates |= {
        "path: slash appended": path + b"/",
        "path: segment appended": path + b"/x",
        "path: char appended": path + b"x",
        "path: char removed": path[:-1] if len(path) > 1 else b"/x",
        "path: slash doubled": path.replace(b"/", b"//"),
        "path: parent": b"/.." + path,
        "path: parent at the end": path + b"/x/../..",
        "path: parent, escaped": path + b"/%2e%2e/" + path,
        "path: case swapped": path.swapcase(),
        "path: escapes lower-case": _ESCAPE.sub(lambda match: match[0].lower(), path),
        "path: escaped twice": path.replace(b"%", b"%25"),
        "path: unescaped": _printable(unquote_to_bytes(path)),
        "path: slash escaped": path[:1] + path[1:].replace(b"/", b"%2F"),
        "path: NUL": path + b"%00",
    }
    meant = _meaning_of_path(record, path)
    for label, changed in candidates.items():
        if _meaning_of_path(record, changed) != meant:
            yield label, replace(message, path=changed)


def _changed_at(path: bytes, at: int) -> bytes:
    # Within an escape, another digit; elsewhere another letter.
    byte = path[at : at + 1]
    return path[:at] + (b"4" if byte != b"4" else b"6") + path[at + 1 :]


def _printable(path: bytes) -> bytes:
    return quote_from_bytes(path, safe="/!$&'()*+,;=:@~").encode()


def _meaning_of_path(record: Record, path: bytes) -> bytes:
    """Return what AWS takes *path* for: S3 its decoded form, others its normal form as sent."""
    if is_s3(record):
        return unquote_to_bytes(path)
    normal: str = normalize_url_path(path.decode())
    return quote(normal, safe="/~").encode()


def _meaning_of_query(query: bytes) -> list[tuple[str, str]]:
    # Latin-1 keeps every byte apart; bytes themselves parse_qsl takes only in ASCII.
    return sorted(parse_qsl(query.decode("ascii"), keep_blank_values=True, encoding="latin-1"))


def _of_query(message: Message) -> Iterator[Change]:
    items = message.query_items
    meant = _meaning_of_query(message.query)
    candidates = {"added": [*items, b"zz=1"], "added flag": [*items, b"zz"]}
    for at, item in enumerate(items):
        name, _, value = item.partition(b"=")
        for label, new in (
            ("value changed", [name + b"=" + value + b"x"]),
            ("value emptied", [name + b"="]),
            ("value case", [name + b"=" + value.swapcase()]),
            ("name changed", [b"x" + item]),
            ("name case", [name.swapcase() + b"=" + value]),
            ("removed", []),
            ("doubled", [item, item]),
            ("doubled with another value", [item, name + b"=zz"]),
            ("split", [name, value]),
            ("escaped twice", [item.replace(b"%", b"%25")]),
        ):
            candidates[f"{at} {label}"] = items[:at] + new + items[at + 1 :]
    for label, changed in candidates.items():
        if _meaning_of_query(b"&".join(changed)) != meant:
            yield f"query: {label}", message.with_query_items(changed)


def _signed_headers(message: Message) -> list[bytes]:
    text = message.header("authorization") or unquote_to_bytes(message.query)
    match = re.search(rb"SignedHeaders=([^,&]+)", text)
    assert match is not None
    return match[1].split(b";")


def _of_headers(message: Message) -> Iterator[Change]:
    sent = {name.lower() for name, _ in message.headers}
    for raw_name in _signed_headers(message):
        name = raw_name.decode()
        values = [value for key, value in message.headers if key.lower() == raw_name]
        first = values[0]
        yield f"{name} changed", message.with_header(name, first + b"x")
        yield f"{name} emptied", message.with_header(name, b"" if first else b"x")
        if first.swapcase() != first:
            yield f"{name} case", message.with_header(name, first.swapcase())
        yield f"{name} removed", message.without_header(name)
        yield f"{name} doubled", message.with_extra_header(name, first)
        yield f"{name} doubled, empty", message.with_extra_header(name, b"")
        yield f"{name} renamed", message.without_header(name).with_extra_header(f"{name}x", first)
        if b" " in first and b"\t" not in first:
            yield f"{name} without blanks", message.with_header(name, first.replace(b" ", b""))
    for added in ("x-amz-acl", "X-Amz-Copy-Source", "X-AMZ-META-X"):
        if added.lower().encode() in sent:
            continue
        yield f"{added} added", message.with_extra_header(added, "public-read")
        yield f"{added} added, empty", message.with_extra_header(added, "")


def _of_authorization(record: Record, message: Message) -> Iterator[Change]:
    algorithm = b"AWS4-HMAC-SHA256"
    for other in (b"AWS4-HMAC-SHA256x", b"aws4-hmac-sha256", b"AWS4-HMAC-SHA512", b""):
        yield f"algorithm {other.decode()}", message.edited(algorithm, other)
    for other in (b"AWS4-ECDSA-P256-SHA256",):
        yield "algorithm of SigV4A", message.edited(algorithm, other)
    key_id = record.access_key_id
    for other_id in ("AKIAIOSFODNN7EXAMPLF", key_id.lower(), key_id + "x", key_id[:-1], ""):
        yield f"access key id {other_id}", message.edited(key_id, other_id)
    value = message.header("authorization")
    if value is not None:
        yield "Authorization doubled", message.with_extra_header("Authorization", value)
        yield "X-Amz-Signature beside it", message.with_parameter(b"X-Amz-Signature=" + b"0" * 64)
        yield "Authorization removed", message.without_header("authorization")
    else:
        yield "Authorization beside it", message.with_extra_header("Authorization", "Basic eDp5")


def _of_signature(message: Message) -> Iterator[Change]:
    text = message.header("authorization") or message.query
    match = _SIGNATURE.search(text)
    assert match is not None
    signature = match[1]
    for label, other in (
        ("first digit", _digit(signature[:1]) + signature[1:]),
        ("last digit", signature[:-1] + _digit(signature[-1:])),
        ("upper-case", signature.upper()),
        ("short", signature[:-1]),
        ("long", signature + b"0"),
        ("twice", signature * 2),
        ("empty", b""),
        ("reversed", signature[::-1]),
        ("zero", b"0" * 64),
    ):
        yield f"signature: {label}", message.edited(signature, other)


def _digit(digit: bytes) -> bytes:
    return b"1" if digit == b"0" else b"0"


def _of_scope(record: Record, message: Message) -> Iterator[Change]:
    text = message.header("authorization") or unquote_to_bytes(message.query)
    match = _SCOPE.search(text)
    assert match is not None
    for part, other in (
        ("date", b"20261120"),
        ("region", b"eu-west-9"),
        ("service", b"s3" if record.service != "s3" else b"s3express"),
        ("terminator", b"aws4_requesx"),
    ):
        pieces = {**match.groupdict(), part: other}
        scope = b"/" + b"/".join(pieces.values())
        old = match[0] if match[0] in (message.header("authorization") or message.query) else None
        if old is None:
            yield f"scope: {part}", message.edited(_quoted(match[0]), _quoted(scope))
        else:
            yield f"scope: {part}", message.edited(old, scope)


def _quoted(text: bytes) -> str:
    return quote_from_bytes(text, safe="")


def _of_coverage(message: Message) -> Iterator[Change]:
    names = _signed_headers(message)
    separators = [b";"] if b"authorization" in {n.lower() for n, _ in message.headers} else []
    separator = separators[0] if separators else b"%3B"
    if separator not in (message.header("authorization") or message.query) and len(names) > 1:
        separator = b";"
    listed = b"SignedHeaders=" + separator.join(names)
    for at, name in enumerate(names):
        fewer = separator.join(names[:at] + names[at + 1 :])
        yield f"{name.decode()} not listed", message.edited(listed, b"SignedHeaders=" + fewer)
    for label, extra in (("that is absent", b"zz"), ("that was sent", b"zy")):
        more = b"SignedHeaders=" + separator.join([*names, extra])
        changed = message.edited(listed, more).with_extra_header("zy", "1")
        yield f"one more listed, {label}", changed
    twice = separator.join([*names, names[-1]])
    yield "one listed twice", message.edited(listed, b"SignedHeaders=" + twice)
    if len(names) > 1:
        backwards = separator.join(reversed(names))
        yield "list reversed", message.edited(listed, b"SignedHeaders=" + backwards)
    upper = separator.join(name.upper() for name in names)
    yield "list upper-case", message.edited(listed, b"SignedHeaders=" + upper)


def _of_token(record: Record, message: Message) -> Iterator[Change]:
    name = "X-Amz-S3session-Token" if record.service == "s3express" else "X-Amz-Security-Token"
    if record.session_token is None:
        yield "token added, header", message.with_extra_header(name, "AQoDYXdzEPT")
        yield "token added, query", message.with_parameter(f"{name}=AQoDYXdzEPT".encode())
    elif message.header(name.lower()) is None:
        yield "token in the header too", message.with_extra_header(name, record.session_token)
    else:
        yield "another token in the query", message.with_parameter(f"{name}=other".encode())


def _of_body(message: Message) -> Iterator[Change]:
    if _is_unsigned(message):
        return
    body = message.body
    yield "body appended", replace(message, body=body + b"x")
    if body:
        yield "body's first byte", replace(message, body=bytes([body[0] ^ 1]) + body[1:])
        yield "body's last byte", replace(message, body=body[:-1] + bytes([body[-1] ^ 1]))
        yield "body cut", replace(message, body=body[:-1])
        yield "body emptied", replace(message, body=b"")


def _is_unsigned(message: Message) -> bool:
    """Return whether nothing of *message* binds its body."""
    sent = message.header("x-amz-content-sha256")
    if sent is None:
        found = dict(_meaning_of_query(message.query)).get("X-Amz-Content-Sha256")
        presigned = message.header("authorization") is None
        # Presigned URLs of S3 alone say nothing and sign nothing.
        scope = unquote_to_bytes(message.query)
        return found == "UNSIGNED-PAYLOAD" or (presigned and not found and b"/s3" in scope)
    return sent == b"UNSIGNED-PAYLOAD"
