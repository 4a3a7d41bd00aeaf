"""What a client must have signed: the canonical request of an attempt, and the string to sign."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.authorization import TOKEN_NAMES
from wsgi_sigv4.authorization import QueryPairs
from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.canonical import canonical_request
from wsgi_sigv4.canonical import canonical_uri
from wsgi_sigv4.canonical import string_to_sign
from wsgi_sigv4.errors import Evidence

_TOKEN_PARAMETERS: Final = frozenset(name.encode() for name in TOKEN_NAMES)


def _canonical_request(
    attempt: Attempt, payload_hash: str, query: QueryPairs, *, blanks_joined: bool = False
) -> bytes:
    request, authorization = attempt.request, attempt.authorization
    values = list(map(request.values.__getitem__, authorization.signed_headers))
    if blanks_joined:
        values = [value.replace(b", ", b",") for value in values]
    profile = attempt.terms.profile
    uri = request.path
    if not request.is_plain:
        encoded_twice = profile.double_encode_path
        uri = canonical_uri(uri, normalize=profile.normalize_path, double_encode=encoded_twice)
    return canonical_request(
        request.method,
        uri,
        canonical_query_string(query, authorization.presigned),
        authorization.signed_headers,
        values,
        payload_hash,
    )


def _string_to_sign(attempt: Attempt, request: bytes) -> bytes:
    authorization = attempt.authorization
    scope = authorization.credential.scope
    return string_to_sign(request, authorization.algorithm, attempt.timestamp, scope)


def strings_to_sign(
    attempt: Attempt, payload_hash: str, token_may_be_unsigned: bool
) -> Iterable[bytes]:
    """Return the string to sign; more than one only where the wire is not all that is known.

    A server that joins repeated headers with a comma and a blank hides how the
    client signed them; a session token in the query may have been appended
    after signing where a knob allows it.
    """
    token_may_follow = token_may_be_unsigned and attempt.authorization.session_token is not None
    if attempt.request.joined_with_blank or token_may_follow:
        return _strings_to_sign(attempt, payload_hash, token_may_follow=token_may_follow)
    request = _canonical_request(attempt, payload_hash, attempt.query)
    return (_string_to_sign(attempt, request),)


def _strings_to_sign(
    attempt: Attempt, payload_hash: str, *, token_may_follow: bool
) -> Iterator[bytes]:
    joins = (False, True) if attempt.request.joined_with_blank else (False,)
    queries = [attempt.query]
    if token_may_follow:
        queries.append(tuple(p for p in attempt.query if p[0] not in _TOKEN_PARAMETERS))
    for query in queries:
        for blanks_joined in joins:
            yield _string_to_sign(
                attempt,
                _canonical_request(attempt, payload_hash, query, blanks_joined=blanks_joined),
            )


def evidence(attempt: Attempt, payload_hash: str) -> Evidence:
    """Return what the server canonicalised."""
    request = _canonical_request(attempt, payload_hash, attempt.query)
    return Evidence(
        canonical_request=request,
        string_to_sign=_string_to_sign(attempt, request),
        session_token=attempt.session_token,
    )
