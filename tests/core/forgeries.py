"""One change to what signs a request: form, signed headers, scope, time, token, signature.

As in tests.core.changes, one that cannot be made is None.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from random import Random
from urllib.parse import quote

from tests.core.changes import Change
from tests.core.changes import edited
from tests.core.signed_requests import KEYS
from tests.core.signed_requests import SignedRequest


def header_left_out_of_list(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move a header from the signed to the unsigned ones."""
    listed = sent.part(b"SignedHeaders").split(b";")
    listed.remove(chance.choice(listed))
    return sent.with_part(b"SignedHeaders", b";".join(listed))


def header_put_into_list(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Move a header from the unsigned to the signed ones."""
    listed = sent.part(b"SignedHeaders").split(b";")
    name = chance.choice(
        [b"user-agent", b"x-amz-acl", b"x-new", b"authorization", b"content-length"]
    )
    added = sent if sent.find_header(name) is not None else sent.plus_header(name, b"new")
    return added.with_part(b"SignedHeaders", b";".join(sorted({*listed, name})))


def list_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write the list of signed headers in another way."""
    old = sent.part(b"SignedHeaders")
    names = old.split(b";")
    ways = [names[::-1], [*names, names[-1]], [*names, b""], [b"", *names], [old.upper()]]
    return sent.with_part(b"SignedHeaders", b";".join(chance.choice(ways)))


def form_swapped(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Bring the same signature in the other form."""
    parts = {name: sent.part(name) for name in (b"Credential", b"SignedHeaders", b"Signature")}
    if sent.presigned:
        value = b"AWS4-HMAC-SHA256 " + b", ".join(b"=".join(pair) for pair in parts.items())
        own = [item for item in sent.items if not item.startswith(b"X-Amz-")]
        kept = chance.choice([sent.items, own])
        dated = sent.plus_header(b"X-Amz-Date", sent.part(b"Date"))
        return dated.with_items(kept).plus_header(b"Authorization", value)
    at = sent.find_header(b"authorization")
    date = sent.find_header(b"x-amz-date")
    if at is None or date is None:
        return None
    parts[b"Algorithm"] = b"AWS4-HMAC-SHA256"
    parts[b"Date"] = sent.headers[date][1]
    parts[b"Expires"] = b"3600"
    items = [b"X-Amz-%s=%s" % (k, quote(v, safe="").encode()) for k, v in parts.items()]
    kept_header = sent if chance.random() < 0.3 else sent.with_header(at)
    return kept_header.with_items([*sent.items, *items])


def authorization_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a second authorization."""
    if not sent.presigned and chance.random() < 0.5:
        return sent.with_items([*sent.items, b"X-Amz-Signature=" + sent.part(b"Signature")])
    values = [
        b"Basic dXNlcjpwYXNz",
        b"",
        b"AWS4-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c",
    ]
    return sent.plus_header(b"Authorization", chance.choice(values))


def scope_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change a part of the credential scope."""
    parts = sent.part(b"Credential").split(b"/")
    at = chance.randrange(1, len(parts))
    ways = [edited(chance, parts[at]), parts[at].swapcase(), b"", b"us-west-2", b"20261122"]
    parts[at] = chance.choice(ways)
    return sent.with_part(b"Credential", b"/".join(parts))


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
    _, _, scope = sent.part(b"Credential").partition(b"/")
    key = chance.choice([*KEYS, "AKIAUNKNOWN", "akidexample", "", "a/b"]).encode()
    return sent.with_part(b"Credential", key + b"/" + scope)


def date_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the time of the request."""
    new = chance.choice([b"20261121T204221Z", b"20261122T000001Z", b"20261121T204220", b""])
    at = sent.find_header(b"x-amz-date")
    if sent.presigned:
        return sent.with_part(b"Date", new)
    return None if at is None else sent.with_header(at, (b"X-Amz-Date", new))


def date_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a second time of the request."""
    ways = [
        (b"Date", b"Sat, 21 Nov 2026 20:42:20 GMT"),
        (b"Date", b"Sat, 21 Nov 2020 20:42:20 GMT"),
        (b"X-Amz-Date", b"20261121T204220Z"),
    ]
    return sent.plus_header(*chance.choice(ways))


def date_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take the time of the request away."""
    if sent.presigned:
        return sent.with_items([i for i in sent.items if not i.startswith(b"X-Amz-Date")])
    at = sent.find_header(chance.choice([b"x-amz-date", b"date"]))
    return None if at is None else sent.with_header(at)


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
    return sent.with_part(b"Expires", chance.choice(ways)) if sent.presigned else None


def signature_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the signature."""
    old = sent.part(b"Signature")
    at = chance.randrange(64)
    other = b"%x" % ((int(old[at : at + 1], 16) + chance.randrange(1, 16)) % 16)
    near = old[:at] + other + old[at + 1 :]
    ways = [near, near, near, old[:-1], old + b"0", old.upper(), b"", b"0" * 64, b"\xff" * 64]
    return sent.with_part(b"Signature", chance.choice(ways))


def algorithm_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Name another algorithm."""
    old = b"AWS4-HMAC-SHA256"
    new = chance.choice([old + b"x", old.lower(), b"AWS4-HMAC-SHA512", b"AWS4-ECDSA-P256-SHA256"])
    at = sent.find_header(b"authorization")
    if sent.presigned:
        return replace(sent, query=sent.query.replace(old, new))
    if at is None:
        return None
    return sent.with_header(at, (b"Authorization", sent.headers[at][1].replace(old, new)))


def authorization_respelt(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write the Authorization header in another way."""
    at = sent.find_header(b"authorization")
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
        scheme + b" " + b", ".join(chance.choice([[*parts, more], [more, *parts]])),
        scheme + b" " + rest.lower(),
        scheme + b" " + rest.replace(b"=", b" = "),
        scheme + b" " + b", ".join(chance.sample(parts, 2)),
    ]
    return sent.with_header(at, (b"Authorization", chance.choice(ways)))


def parameter_case_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Write a parameter of the presigned form in another case."""
    if not sent.presigned:
        return None
    items = sent.items
    at = chance.choice([at for at, item in enumerate(items) if item.startswith(b"X-Amz-")])
    name, _, value = items[at].partition(b"=")
    items[at] = chance.choice([name.lower(), name.upper()]) + b"=" + value
    return sent.with_items(items)


def token_changed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Change the session token."""
    at = sent.find_header(b"x-amz-security-token")
    if sent.presigned and b"X-Amz-Security-Token" in sent.query:
        token = edited(chance, sent.part(b"Security-Token"))
        return sent.with_part(b"Security-Token", token)
    if at is None:
        return None
    return sent.with_header(at, (sent.headers[at][0], edited(chance, sent.headers[at][1])))


def token_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Take the session token away, with its name in the list or without."""
    items = [item for item in sent.items if not item.startswith(b"X-Amz-Security-Token")]
    at = sent.find_header(b"x-amz-security-token")
    if at is None:
        return sent.with_items(items)
    bare = sent.with_header(at)
    listed = [name for name in sent.part(b"SignedHeaders").split(b";") if b"token" not in name]
    return chance.choice([bare, bare.with_part(b"SignedHeaders", b";".join(listed))])


def token_added(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Bring a session token, or one more: the right one of a key, or any."""
    tokens = [key.token.encode() for key in KEYS.values() if key.token] + [b"other", b""]
    token = chance.choice(tokens)
    if chance.random() < 0.5:
        return sent.plus_header(b"X-Amz-Security-Token", token)
    item = b"X-Amz-Security-Token=" + quote(token, safe="").encode()
    return sent.with_items([*sent.items, item])


def token_moved(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Bring the session token in the other place."""
    token = sent.part(b"Security-Token") if sent.presigned else b""
    at = sent.find_header(b"x-amz-security-token")
    if token:
        items = [item for item in sent.items if not item.startswith(b"X-Amz-Security-Token")]
        return sent.with_items(items).plus_header(b"X-Amz-Security-Token", token)
    if at is None:
        return None
    item = b"X-Amz-Security-Token=" + quote(sent.headers[at][1], safe="").encode()
    return sent.with_header(at).with_items([*sent.items, item])


def payload_hash_changed(sent: SignedRequest, chance: Random) -> SignedRequest:
    """Say something else of the body, or the same in another way."""
    computed = hashlib.sha256(sent.body).hexdigest().encode()
    at = sent.find_header(b"x-amz-content-sha256")
    ways = [computed, computed.upper(), b"UNSIGNED-PAYLOAD", b"unsigned-payload", b"", b"0" * 64]
    ways += [b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", b"STREAMING-UNSIGNED-PAYLOAD-TRAILER", b"x"]
    value = chance.choice(ways)
    if chance.random() < 0.3:
        return sent.with_items([*sent.items, b"X-Amz-Content-Sha256=" + value])
    if at is None:
        return sent.plus_header(b"X-Amz-Content-Sha256", value)
    return sent.with_header(at, (sent.headers[at][0], value))


def payload_hash_removed(sent: SignedRequest, chance: Random) -> SignedRequest | None:
    """Say nothing of the body, with the header's name in the list or without."""
    at = sent.find_header(b"x-amz-content-sha256")
    if at is None:
        return None
    bare = sent.with_header(at)
    listed = [name for name in sent.part(b"SignedHeaders").split(b";") if b"sha256" not in name]
    return chance.choice([bare, bare.with_part(b"SignedHeaders", b";".join(listed))])


FORGERIES: tuple[Change, ...] = (
    header_left_out_of_list,
    header_put_into_list,
    list_respelt,
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
