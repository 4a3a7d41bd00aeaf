"""A second opinion: Signature Version 4 read off AWS's pages once more, for the tests alone.

It shares no code with the package, and makes its choices otherwise where there is a choice: bytes
are encoded one by one, the header is read by one pattern, dates by ``strptime``. It knows the
rules that the default verifier applies and answers yes or no, never why.
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
_BLANKS = b" \t"
_SEVEN_DAYS = 7 * 24 * 60 * 60


class Refused(Exception):
    """The request is not what its signer signed, or the rules refuse it."""


def is_valid(sent: SignedRequest) -> bool:
    """Return whether *sent* is signed by one of the keys, for AWS and by the rules."""
    try:
        _verify(sent)
    except Refused:
        return False
    return True


def _verify(sent: SignedRequest) -> None:
    parameters = _parameters(sent.query)
    headers = _joined_headers(sent)
    auth = _authorization(headers, parameters)
    listed = auth["SignedHeaders"].split(b";")
    _check_headers(headers, listed)
    moment, text = _moment(auth, headers)
    _check_fresh(sent, auth, moment)
    key, scope = _key_and_scope(sent, auth["Credential"], moment)
    _check_token(KEYS[key].token, auth, headers)
    payload = _payload(sent, auth, headers)
    canonical = [
        sent.method.encode(),
        _canonical_path(sent),
        _canonical_query(parameters, presigned="Date" in auth),
        *(name + b":" + _folded(headers[name]) for name in listed),
        b"",
        auth["SignedHeaders"],
        payload,
    ]
    digest = hashlib.sha256(b"\n".join(canonical)).hexdigest().encode()
    to_sign = b"\n".join([b"AWS4-HMAC-SHA256", text, b"/".join(scope), digest])
    if _signature(KEYS[key].secret, scope, to_sign) != auth["Signature"]:
        _refuse()


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


def _parameters(query: bytes) -> list[tuple[bytes, bytes]]:
    if any(not 0x21 <= byte <= 0x7E for byte in query) or b"#" in query:
        _refuse()
    items = [item.split(b"=", 1) for item in query.replace(b"+", b"%20").split(b"&") if item]
    return [(_decoded(item[0]), _decoded(b"".join(item[1:]))) for item in items]


def _joined_headers(sent: SignedRequest) -> dict[bytes, bytes]:
    values: dict[bytes, list[bytes]] = {}
    for name, value in sent.headers:
        if set(value) & set(b"\r\n\0"):
            _refuse()
        values.setdefault(name.lower(), []).append(value.strip(_BLANKS))
    return {name: b",".join(several) for name, several in values.items()}


def _authorization(
    headers: Mapping[bytes, bytes], parameters: list[tuple[bytes, bytes]]
) -> dict[str, bytes]:
    """Return the parts of the header, or of the query; only the latter have a Date."""
    names = [name for name, _ in parameters]
    in_query = {b"X-Amz-Algorithm", b"X-Amz-Signature", b"X-Amz-Credential", b"X-Amz-SignedHeaders"}
    header = headers.get(b"authorization")
    if header is None:
        return _from_query(names, dict(parameters))
    if in_query & set(names):
        _refuse()
    scheme, _, rest = header.partition(b" ")
    pieces = [piece.strip(_BLANKS).split(b"=", 1) for piece in rest.split(b",")]
    wanted = [b"Credential", b"Signature", b"SignedHeaders"]
    if scheme != b"AWS4-HMAC-SHA256" or sorted(piece[0] for piece in pieces) != wanted:
        _refuse()
    return {piece[0].decode(): b"".join(piece[1:]) for piece in pieces}


def _from_query(names: list[bytes], values: Mapping[bytes, bytes]) -> dict[str, bytes]:
    needed = ["Algorithm", "Credential", "Date", "SignedHeaders", "Signature"]
    may_come = ["Expires", "Security-Token", "Content-Sha256"]
    found = {}
    for part in needed + may_come:
        name = b"X-Amz-" + part.encode()
        if names.count(name) > 1 or (part in needed and name not in names):
            _refuse()
        if name in values:
            found[part] = values[name]
    if found.pop("Algorithm") != b"AWS4-HMAC-SHA256":
        _refuse()
    return found


def _check_headers(headers: Mapping[bytes, bytes], signed: list[bytes]) -> None:
    if signed != sorted({name.lower() for name in signed}) or b"host" not in signed:
        _refuse()
    if any(name not in headers or b"_" in name for name in signed):
        _refuse()
    for name in headers:
        if name.startswith(b"x-amz-") and name not in (*signed, b"x-amz-content-sha256"):
            _refuse()
    if headers[b"host"] == b"" or b"," in headers[b"host"]:
        _refuse()


def _moment(auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]) -> tuple[datetime, bytes]:
    text = auth.get("Date", headers.get(b"x-amz-date"))
    forms = ["%Y%m%dT%H%M%SZ"]
    if "Date" not in auth and text is None:
        text = headers.get(b"date", b"")
        forms.append("%a, %d %b %Y %H:%M:%S -0000")
    for form in forms:
        try:
            moment = datetime.strptime((text or b"").decode("ascii"), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        # strptime takes one digit for two, and any white space for a blank.
        if moment.strftime(form).encode() == text:
            return moment, moment.strftime(forms[0]).encode()
    return _refuse()


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


def _key_and_scope(
    sent: SignedRequest, credential: bytes, moment: datetime
) -> tuple[str, list[bytes]]:
    key, *scope = credential.split(b"/")
    day = moment.strftime("%Y%m%d")
    if scope != [part.encode() for part in (day, sent.region, sent.service, "aws4_request")]:
        _refuse()
    name = key.decode("latin-1")
    if name not in KEYS:
        _refuse()
    return name, scope


def _check_token(
    issued: str | None, auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]
) -> None:
    places = (auth.get("Security-Token"), headers.get(b"x-amz-security-token"))
    tokens = {token for token in places if token is not None}
    if tokens != (set() if issued is None else {issued.encode()}):
        _refuse()


def _payload(
    sent: SignedRequest, auth: Mapping[str, bytes], headers: Mapping[bytes, bytes]
) -> bytes:
    computed = hashlib.sha256(sent.body).hexdigest().encode()
    places = (auth.get("Content-Sha256"), headers.get(b"x-amz-content-sha256"))
    declared = {value for value in places if value is not None}
    if not declared and not sent.s3:
        return computed
    if not declared and "Date" in auth:
        return b"UNSIGNED-PAYLOAD"
    if len(declared) != 1:
        _refuse()
    value = declared.pop()
    if value == b"UNSIGNED-PAYLOAD" and sent.s3:
        return value
    if value.lower() != computed:
        _refuse()
    return value


def _canonical_path(sent: SignedRequest) -> bytes:
    path = sent.path
    if not path.startswith(b"/") or any(not 0x21 <= byte <= 0x7E for byte in path):
        _refuse()
    if b"#" in path or b"?" in path:
        _refuse()
    decoded = _decoded(path)
    if sent.s3:
        return _encoded(decoded, keep=b"/")
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            if not kept:
                _refuse()
            kept.pop()
        elif segment and segment != b".":
            kept.append(segment)
    if any(part in (b".", b"..") for part in _decoded(b"/".join(kept)).split(b"/")):
        _refuse()
    if kept and path.endswith(b"/"):
        kept.append(b"")
    return _encoded(b"/" + b"/".join(kept), keep=b"/")


def _canonical_query(parameters: list[tuple[bytes, bytes]], *, presigned: bool) -> bytes:
    signed = [pair for pair in parameters if not (presigned and pair[0] == b"X-Amz-Signature")]
    encoded = sorted([_encoded(name), _encoded(value)] for name, value in signed)
    return b"&".join(b"=".join(pair) for pair in encoded)


def _folded(value: bytes) -> bytes:
    return b" ".join(word for word in value.replace(b"\t", b" ").split(b" ") if word)


def _signature(secret: str, scope: list[bytes], to_sign: bytes) -> bytes:
    key = b"AWS4" + secret.encode()
    for message in (*scope, to_sign):
        key = hmac.new(key, message, hashlib.sha256).digest()
    return key.hex().encode()
