"""The authorization of a request: one type for the header and the presigned form.

Rules 1 and 2. In comes a request and its parsed query; out comes an
:class:`Authorization`, or None where the request carries no trace of an AWS
signature. Both forms give the same type, and every later rule reads it and
nothing else: a verifier that takes the identity from one form and the
signature from the other lets strangers in (CVE-2026-41145).

Header:    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
Presigned: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import re
from typing import Final

from wsgi_sigv4.credentials import Credential
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import AlgorithmNotImplemented
from wsgi_sigv4.errors import AmbiguousAuthentication
from wsgi_sigv4.errors import DuplicateParameter
from wsgi_sigv4.errors import MalformedAuthorization
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.errors import MalformedSignedHeaders
from wsgi_sigv4.errors import MissingAuthentication
from wsgi_sigv4.errors import MissingParameters
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import UnsupportedAlgorithm
from wsgi_sigv4.errors import UnsupportedAuthorization
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.signing_key import CACHE_SIZE
from wsgi_sigv4.traces import has_trace
from wsgi_sigv4.traces import is_aws_scheme

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_ALGORITHM: Final = ALGORITHM.encode()
_BEGINNING: Final = _ALGORITHM + b" "
_SIGV4A: Final = "AWS4-ECDSA-P256-SHA256"

_HEADER_PARTS: Final = ("Credential", "SignedHeaders", "Signature")
_HEADER_NAMES: Final = {name.encode(): name for name in _HEADER_PARTS}
_QUERY_REQUIRED: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
#: S3 Express carries its session token under a name of its own.
TOKEN_NAMES: Final = ("X-Amz-Security-Token", "X-Amz-S3session-Token")
_QUERY_OPTIONAL: Final = ("X-Amz-Expires", "X-Amz-Content-Sha256", *TOKEN_NAMES)
_QUERY_NAMES: Final = {name.encode(): name for name in _QUERY_REQUIRED + _QUERY_OPTIONAL}
#: Either of these makes a request a presigned one.
_PRESIGNED_BY: Final = frozenset({b"X-Amz-Algorithm", b"X-Amz-Signature"})
#: Beside an Authorization header any of these is a second authentication.
_SECOND_FORM: Final = _PRESIGNED_BY | {b"X-Amz-Credential", b"X-Amz-SignedHeaders"}
#: A scheme that may be named; the longest that is registered has 13 characters.
_SCHEME: Final = r"[A-Za-z][A-Za-z0-9-]{0,23}"
# Header names may hold more than this; an underscore is left out because a
# WSGI server writes `a_b` and `a-b` to the same key.
_SIGNED_HEADERS: Final = re.compile(r"[a-z0-9!#$%&'*+.^`|~-]+(?:;[a-z0-9!#$%&'*+.^`|~-]+)*")

#: Bytes of a value that is remembered; those of a credential that are read.
_MAX_REMEMBERED: Final = 512

QueryPairs = tuple[tuple[bytes, bytes], ...]


# No dataclass: it would take as long to make as three modules, and a frozen one
# as long to fill as the parsing. Its repr shows nothing of what it holds.
class Authorization:
    """What a request says of its own signature; nothing of it is verified.

    Attributes:
        algorithm: the algorithm token; AWS4-HMAC-SHA256 is the only one so far.
        credential: access key id and scope.
        signed_headers: names in the order sent; sorted, unique, lower-case.
        signature: the bytes as sent, not empty; may be anything else.
        presigned: True for the query form.
        date: X-Amz-Date of the query form, else None.
        expires: X-Amz-Expires of the query form, as sent, else None.
        session_token: the session token of the query, else None.
        content_sha256: X-Amz-Content-Sha256 of the query, else None.
    """

    __slots__ = (
        "algorithm",
        "content_sha256",
        "credential",
        "date",
        "expires",
        "presigned",
        "session_token",
        "signature",
        "signed_headers",
    )

    def __init__(
        self,
        algorithm: str,
        credential: Credential,
        signed_headers: tuple[str, ...],
        signature: bytes,
        presigned: bool,
        date: str | None = None,
        expires: str | None = None,
        session_token: bytes | None = None,
        content_sha256: bytes | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.credential = credential
        self.signed_headers = signed_headers
        self.signature = signature
        self.presigned = presigned
        self.date = date
        self.expires = expires
        self.session_token = session_token
        self.content_sha256 = content_sha256

    @property
    def access_key_id(self) -> str:
        """The access key id that the request names."""
        return self.credential.access_key_id

    @property
    def scope(self) -> CredentialScope:
        """The credential scope that the request names."""
        return self.credential.scope


def find_authorization(request: Request, query: QueryPairs) -> Authorization | None:
    """Return the authorization of *request*, or None where it has no trace of one.

    A header of another scheme alone (Basic, Bearer) is no trace; beside a
    presigned query it is a second authentication.

    Raises:
        AmbiguousAuthentication: if both forms are there (rule 1).
        MissingAuthentication: if there are traces of a signature but no
            authorization.
        SigV4Error: as :func:`_from_header` and :func:`_from_query` (rule 2).
    """
    header = request.values.get("authorization")
    names = [name for name, _ in query] if query else ()
    if _QUERY_NAMES.keys().isdisjoint(names):
        query = ()
    else:
        if header is not None and not _SECOND_FORM.isdisjoint(names):
            raise AmbiguousAuthentication
        if not _PRESIGNED_BY.isdisjoint(names):
            try:
                return _from_query(query)
            except SigV4Error as refusal:
                refusal.presigned = True
                raise
    if header is not None and (header.startswith(_BEGINNING) or is_aws_scheme(header)):
        return _from_header(header, query)
    if is_attempt(request):
        raise MissingAuthentication
    return None


def is_attempt(request: Request) -> bool:
    """Return whether *request* has any trace of an AWS signature (T41).

    Its query may be malformed, which only an attempt is refused for.
    """
    header = request.header("authorization")
    return has_trace(request.header_names, () if header is None else (header,), (request.query,))


def unsupported_scheme(request: Request) -> SigV4Error:
    """Return the refusal of a request that is not signed but must be."""
    try:
        parse_query(request.query)
    except MalformedQuery as refusal:
        return refusal
    header = request.header("authorization")
    if header is None:
        return MissingAuthentication()
    return _unsupported(header)


def _unsupported(header: bytes) -> SigV4Error:
    scheme, blank, _ = header.partition(b" ")
    if not blank:
        # It may be all token, or all secret: nothing of it is said again.
        return UnsupportedAuthorization(scheme="", has_parameters=False)
    text = scheme.decode("ascii", "backslashreplace")[:64]
    if text == _SIGV4A:
        return AlgorithmNotImplemented(algorithm=text)
    if text.startswith("AWS4-"):
        return UnsupportedAlgorithm(algorithm=text)
    return UnsupportedAuthorization(scheme=text if re.fullmatch(_SCHEME, text) else "")


def _from_header(header: bytes, query: QueryPairs) -> Authorization:
    # All but the last part, which is the signature, comes again with other requests.
    earlier, _, last = header.rpartition(b",")
    name, _, signature = last.strip(b" \t").partition(b"=")
    if signature and name == b"Signature" and earlier.startswith(_BEGINNING):
        credential, signed_headers = _KNOWN_CLAIMS[earlier]
    else:
        parts = _header_parts(header)
        signature = parts["Signature"]
        credential, signed_headers = _claims(parts)
    # The token and the payload hash may stand in the query of this form too:
    # there they are signed as part of it.
    extra = _query_parameters(query, _QUERY_OPTIONAL) if query else None
    if not extra:
        return Authorization(ALGORITHM, credential, signed_headers, signature, False)
    return Authorization(
        algorithm=ALGORITHM,
        credential=credential,
        signed_headers=signed_headers,
        signature=signature,
        presigned=False,
        session_token=_token(extra),
        content_sha256=extra.get("X-Amz-Content-Sha256"),
    )


def _header_parts(header: bytes) -> dict[str, bytes]:
    """Return the parts of *header*, none of them empty, by their names."""
    scheme, blank, rest = header.partition(b" ")
    if scheme != _ALGORITHM:
        raise _unsupported(header)
    if not blank:
        raise MissingParameters(names=_HEADER_PARTS)
    parts: dict[str, bytes] = {}
    for piece in rest.split(b","):
        raw_name, equals, value = piece.strip(b" \t").partition(b"=")
        name = _HEADER_NAMES.get(raw_name)
        if not equals or name is None:
            raise MalformedAuthorization(part=raw_name.decode("ascii", "backslashreplace")[:64])
        if name in parts:
            raise DuplicateParameter(name=name)
        parts[name] = value
    missing = tuple(name for name in _HEADER_PARTS if not parts.get(name))
    if missing:
        raise MissingParameters(names=missing)
    return parts


def _claims(parts: dict[str, bytes]) -> tuple[Credential, tuple[str, ...]]:
    """Return the credential and the signed headers that *parts* name."""
    return _KNOWN_CREDENTIALS[parts["Credential"]], _KNOWN_SIGNED_HEADERS[parts["SignedHeaders"]]


def _earlier_claims(earlier: bytes) -> tuple[Credential, tuple[str, ...]]:
    """Return what a header says *earlier* than its signature, whatever that is."""
    return _claims(_header_parts(earlier + b",Signature=-"))


_KNOWN_CLAIMS: Final = Memo(_earlier_claims, longest=8192, entries=CACHE_SIZE, size=len)


def _from_query(query: QueryPairs) -> Authorization:
    parameters = _query_parameters(query, _QUERY_REQUIRED + _QUERY_OPTIONAL)
    algorithm = parameters.get("X-Amz-Algorithm")
    if algorithm and algorithm != _ALGORITHM:
        text = algorithm.decode("ascii", "backslashreplace")[:64]
        kind = AlgorithmNotImplemented if text == _SIGV4A else UnsupportedAlgorithm
        raise kind(algorithm=text)
    missing = tuple(name for name in _QUERY_REQUIRED if not parameters.get(name))
    if missing:
        raise MissingParameters(names=missing)
    expires = parameters.get("X-Amz-Expires")
    return Authorization(
        algorithm=ALGORITHM,
        credential=_KNOWN_CREDENTIALS[parameters["X-Amz-Credential"]],
        signed_headers=_KNOWN_SIGNED_HEADERS[parameters["X-Amz-SignedHeaders"]],
        signature=parameters["X-Amz-Signature"],
        presigned=True,
        date=parameters["X-Amz-Date"].decode("ascii", "backslashreplace"),
        expires=None if expires is None else expires.decode("ascii", "backslashreplace"),
        session_token=_token(parameters),
        content_sha256=parameters.get("X-Amz-Content-Sha256"),
    )


def _query_parameters(query: QueryPairs, names: tuple[str, ...]) -> dict[str, bytes]:
    parameters: dict[str, bytes] = {}
    for raw_name, value in query:
        name = _QUERY_NAMES.get(raw_name)
        if name is None or name not in names:
            continue
        if name in parameters:
            raise DuplicateParameter(name=name)
        parameters[name] = value
    return parameters


def _token(parameters: dict[str, bytes]) -> bytes | None:
    token, other = map(parameters.get, TOKEN_NAMES)
    if token is not None and other is not None:
        raise DuplicateParameter(name=TOKEN_NAMES[0])
    return other if token is None else token


def _credential(value: bytes) -> Credential:
    text = value[:_MAX_REMEMBERED].decode("ascii", "backslashreplace")
    return Credential.parse(text[:_MAX_REMEMBERED])


def _signed_headers(value: bytes) -> tuple[str, ...]:
    text = value.decode("ascii", "backslashreplace")
    names = tuple(text.split(";"))
    if _SIGNED_HEADERS.fullmatch(text) is None or list(names) != sorted(set(names)):
        raise MalformedSignedHeaders(signed_headers=text[:256])
    return names


_KNOWN_CREDENTIALS: Final = Memo(_credential, longest=_MAX_REMEMBERED, entries=CACHE_SIZE, size=len)
_KNOWN_SIGNED_HEADERS: Final = Memo(_signed_headers, longest=8192, size=len)
