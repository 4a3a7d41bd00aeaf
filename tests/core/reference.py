"""A second opinion: Signature Version 4 read off AWS's pages once more, for the tests alone.

It shares no code with the package, and makes its choices otherwise where there is a choice: bytes
are encoded one by one, dates are read by ``strptime``. It knows the rules that the default verifier
applies and answers yes or no, never why.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import NoReturn

from tests.core.signed_requests import KEYS
from tests.core.signed_requests import SignedRequest

_UNRESERVED = frozenset((string.ascii_letters + string.digits + "-._~").encode())
_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_SIGNED_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^`|~-]+")
_ISO_BASIC = "%Y%m%dT%H%M%SZ"
_HTTP_DATES = (
    rb"(?:[A-Z][a-z]{2}, )?(?P<d>\d\d?) (?P<b>[A-Z][a-z]{2}) (?P<y>20\d\d) (?P<t>\d\d:\d\d:\d\d)"
    rb" (?:GMT|UTC|[+-]0000)",
    rb"[A-Z][a-z]{5,8}, (?P<d>\d\d)-(?P<b>[A-Z][a-z]{2})-(?P<y>\d\d) (?P<t>\d\d:\d\d:\d\d) GMT",
    rb"[A-Z][a-z]{2} (?P<b>[A-Z][a-z]{2}) (?P<d>[ \d]\d) (?P<t>\d\d:\d\d:\d\d) (?P<y>20\d\d)",
)
_BLANKS = b" \t"
_IN_QUERY = [
    b"X-Amz-" + part
    for part in (b"Algorithm", b"Credential", b"Date", b"SignedHeaders", b"Signature")
]
_IN_EITHER = [
    b"X-Amz-" + part
    for part in (b"Expires", b"Content-Sha256", b"Security-Token", b"S3session-Token")
]
_TOKENS = set(_IN_EITHER[2:])
_SEVEN_DAYS = 7 * 24 * 60 * 60


class Refused(Exception):
    """The request is not what its signer signed, or the rules refuse it."""


def is_valid(sent: SignedRequest) -> bool:
    """Return whether *sent* is signed by one of the keys, for AWS and by the rules."""
    try:
        _check_rules(sent)
        return signature_of(sent) == _authorization_of(sent)["Signature"]
    except Refused:
        return False


def signature_of(sent: SignedRequest) -> bytes:
    """Return the signature that the owner of the key could give *sent*, allowed or not.

    Raises:
        Refused: if there is no such key, or no way to read the request.
    """
    headers = _joined_headers(sent)
    auth = _authorization_of(sent)
    key, *scope = auth["Credential"].split(b"/")
    if key.decode("latin-1") not in KEYS:
        _refuse()
    canonical = [
        sent.method.encode("latin-1"),
        _encoded(_decoded(sent.path) if sent.s3 else _normal_path(sent), keep=b"/"),
        _canonical_query(parameters(sent.query), presigned="Date" in auth),
        *(name + b":" + folded(headers.get(name, b"")) for name in _listed(auth)),
        b"",
        auth["SignedHeaders"],
        _payload_hash(sent, auth, headers),
    ]
    digest = hashlib.sha256(b"\n".join(canonical)).hexdigest().encode()
    text = _moment(auth, headers).strftime(_ISO_BASIC).encode()
    to_sign = b"\n".join([b"AWS4-HMAC-SHA256", text, b"/".join(scope), digest])
    return _signature(KEYS[key.decode()].secret, scope, to_sign)


def signer_of(sent: SignedRequest) -> str:
    """Return the access key id that *sent* names.

    Raises:
        Refused: if it names none.
    """
    return _authorization_of(sent)["Credential"].split(b"/")[0].decode("latin-1")


def routed_path(sent: SignedRequest) -> bytes:
    """Return the decoded path that an application serves when it serves *sent*.

    Raises:
        Refused: if the rules refuse the path.
    """
    path = sent.path
    if not path.startswith(b"/") or any(not 0x21 <= byte <= 0x7E for byte in path):
        _refuse()
    if b"#" in path or b"?" in path:
        _refuse()
    decoded = _decoded(path)
    if sent.s3:
        return decoded
    decoded = _decoded(_normal_path(sent))
    if any(part in (b".", b"..") for part in decoded.split(b"/")) or _rises_above_root(path):
        _refuse()
    return decoded


def parameters(query: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and values of *query*, decoded.

    Raises:
        Refused: if it is not properly encoded.
    """
    if any(not 0x21 <= byte <= 0x7E for byte in query) or b"#" in query:
        _refuse()
    items = [item.split(b"=", 1) for item in query.replace(b"+", b"%20").split(b"&") if item]
    return [(_decoded(item[0]), _decoded(b"".join(item[1:]))) for item in items]


def folded(value: bytes) -> bytes:
    """Return the header value *value* as it is signed."""
    return b" ".join(word for word in value.replace(b"\t", b" ").split(b" ") if word)


def _refuse() -> NoReturn:
    raise Refused


def _decoded(text: bytes) -> bytes:
    if text.count(b"%") != len(_ESCAPE.findall(text)):
        _refuse()
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), text)


def _encoded(text: bytes, keep: bytes = b"") -> bytes:
    return b"".join(
        bytes([byte]) if byte in _UNRESERVED or byte in keep else b"%%%02X" % byte for byte in text
    )


def _joined_headers(sent: SignedRequest) -> dict[bytes, bytes]:
    values: dict[bytes, list[bytes]] = {}
    for name, value in sent.headers:
        if set(value) & set(b"\r\n\0") or b"\n" in name:
            _refuse()
        values.setdefault(name.lower(), []).append(value.strip(_BLANKS))
    return {name: b",".join(several) for name, several in values.items()}


def _check_rules(sent: SignedRequest) -> None:
    headers = _joined_headers(sent)
    auth = _authorization_of(sent)
    moment = _moment(auth, headers)
    if auth["Algorithm"] != b"AWS4-HMAC-SHA256":
        _refuse()
    _check_headers(headers, _listed(auth))
    _check_fresh(sent, auth, moment)
    key = _check_scope(sent, auth["Credential"], moment)
    _check_token(KEYS[key].token, auth, headers)
    _check_payload(sent, auth, headers)
    routed_path(sent)
    if _METHOD.fullmatch(sent.method) is None:
        _refuse()


def _authorization_of(sent: SignedRequest) -> dict[str, bytes]:
    """Return the parts of the header, or of the query; only the latter have a Date."""
    query = parameters(sent.query)
    header = _joined_headers(sent).get(b"authorization")
    names = [name for name, _ in query]
    values = dict(query)
    found = {_part(name): values[name] for name in _IN_EITHER if name in values}
    once = _IN_EITHER if header is not None else _IN_EITHER + _IN_QUERY
    if any(names.count(name) > 1 for name in once) or set(values) >= _TOKENS:
        _refuse()
    if header is None:
        if any(name not in values for name in _IN_QUERY):
            _refuse()
        return found | {_part(name): values[name] for name in _IN_QUERY}
    if (set(_IN_QUERY) - {b"X-Amz-Date"}) & set(values):
        _refuse()
    found["Algorithm"], _, rest = header.partition(b" ")
    pieces = [piece.strip(_BLANKS).split(b"=", 1) for piece in rest.split(b",")]
    if sorted(piece[0] for piece in pieces) != [b"Credential", b"Signature", b"SignedHeaders"]:
        _refuse()
    return found | {piece[0].decode(): b"".join(piece[1:]) for piece in pieces}


def _listed(auth: Mapping[str, bytes]) -> list[bytes]:
    return auth["SignedHeaders"].split(b";")


def _part(name: bytes) -> str:
    return name.removeprefix(b"X-Amz-").replace(b"S3session", b"Security").decode()


def _check_headers(headers: Mapping[bytes, bytes], signed: list[bytes]) -> None:
    if signed != sorted({name.lower() for name in signed}) or b"host" not in signed:
        _refuse()
    if any(name not in headers or not _SIGNED_NAME.fullmatch(name) for name in signed):
        _refuse()
    for name in headers:
        # Frameworks take an underscore for a dash.
        is_amz = name.replace(b"_", b"-").startswith(b"x-amz-")
        if is_amz and name not in (*signed, b"x-amz-content-sha256"):
            _refuse()
    if headers[b"host"] == b"" or b"," in headers[b"host"]:
        _refuse()


def _moment(auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]) -> datetime:
    text = auth.get("Date", headers.get(b"x-amz-date"))
    moment = None if text is None else _iso_basic(text)
    if "Date" not in auth and text is None:
        text = headers.get(b"date", b"")
        moment = _iso_basic(text) or _http_date(text)
    if moment is None:
        _refuse()
    return moment


def _iso_basic(text: bytes) -> datetime | None:
    try:
        moment = datetime.strptime(text.decode("ascii"), _ISO_BASIC).replace(tzinfo=UTC)
    except ValueError:
        return None
    # strptime takes one digit for two, and letters of either case.
    return moment if moment.strftime(_ISO_BASIC).encode() == text else None


def _http_date(text: bytes) -> datetime | None:
    for pattern in _HTTP_DATES:
        match = re.fullmatch(pattern, text)
        if match is None:
            continue
        part = {name: value.decode() for name, value in match.groupdict().items()}
        spelt = f"{int(part['d']):02} {part['b']} {int(part['y']) % 100:02} {part['t']}"
        try:
            return datetime.strptime(spelt, "%d %b %y %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            return None
    return None


def _check_fresh(sent: SignedRequest, auth: Mapping[str, bytes], moment: datetime) -> None:
    skew = 900 if sent.s3 else 300
    age = sent.now - moment.timestamp()
    if age < -skew:
        _refuse()
    if "Date" not in auth:
        if age > skew:
            _refuse()
        return
    expires = auth.get("Expires", b"" if sent.s3 else str(skew).encode())
    if not expires or set(expires) - set(b"0123456789") or len(expires) > 6:
        _refuse()
    if not 1 <= int(expires) <= _SEVEN_DAYS or age >= int(expires):
        _refuse()


def _check_scope(sent: SignedRequest, credential: bytes, moment: datetime) -> str:
    key, *scope = credential.split(b"/")
    day = moment.strftime("%Y%m%d")
    if scope != [part.encode() for part in (day, sent.region, sent.service, "aws4_request")]:
        _refuse()
    name = key.decode("latin-1")
    if name not in KEYS:
        _refuse()
    return name


def _check_token(
    issued: str | None, auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]
) -> None:
    places = (
        auth.get("Security-Token"),
        headers.get(b"x-amz-security-token"),
        headers.get(b"x-amz-s3session-token"),
    )
    tokens = {token for token in places if token is not None}
    if tokens != (set() if issued is None else {issued.encode()}):
        _refuse()


def _payload_hash(
    sent: SignedRequest, auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]
) -> bytes:
    places = (headers.get(b"x-amz-content-sha256"), auth.get("Content-Sha256"))
    declared = [value for value in places if value is not None]
    if declared:
        return declared[0]
    if sent.s3 and "Date" in auth:
        return b"UNSIGNED-PAYLOAD"
    return hashlib.sha256(sent.body).hexdigest().encode()


def _check_payload(
    sent: SignedRequest, auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]
) -> None:
    places = (headers.get(b"x-amz-content-sha256"), auth.get("Content-Sha256"))
    declared = {value for value in places if value is not None}
    if sent.s3 and "Date" not in auth and not declared:
        _refuse()
    if len(declared) > 1:
        _refuse()
    value = _payload_hash(sent, auth, headers)
    if value == b"UNSIGNED-PAYLOAD" and sent.s3:
        return
    if value.lower() != hashlib.sha256(sent.body).hexdigest().encode():
        _refuse()


def _normal_path(sent: SignedRequest) -> bytes:
    kept: list[bytes] = []
    for segment in sent.path.split(b"/"):
        if segment == b"..":
            kept = kept[:-1]
        elif segment and segment != b".":
            kept.append(segment)
    if kept and sent.path.endswith(b"/"):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _rises_above_root(path: bytes) -> bool:
    depth = 0
    for segment in path.split(b"/"):
        depth += {b"": 0, b".": 0, b"..": -1}.get(segment, 1)
        if depth < 0:
            return True
    return False


def _canonical_query(parameters: list[tuple[bytes, bytes]], *, presigned: bool) -> bytes:
    signed = [pair for pair in parameters if not (presigned and pair[0] == b"X-Amz-Signature")]
    encoded = sorted([_encoded(name), _encoded(value)] for name, value in signed)
    return b"&".join(b"=".join(pair) for pair in encoded)


def _signature(secret: str, scope: list[bytes], to_sign: bytes) -> bytes:
    key = b"AWS4" + secret.encode()
    for message in (*scope, to_sign):
        key = hmac.new(key, message, hashlib.sha256).digest()
    return key.hex().encode()
