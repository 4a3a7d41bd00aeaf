"""How a request may have been read when it was signed.

A :class:`Case` holds the server's own reading, in pieces; proposals of changes
are made from it. A :class:`Change` replaces some of the pieces; changes of
different pieces go together.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property
from typing import Final

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.canonical import UNSIGNED_PARAMETER
from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.canonical import canonical_uri
from wsgi_sigv4.canonical import folded
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.encoding import is_signature
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.explain.bodies import BodyForm
from wsgi_sigv4.explain.bodies import body_forms
from wsgi_sigv4.payload import EMPTY_SHA256
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.request import Request
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.signing_key import hmac_sha256
from wsgi_sigv4.verifier import Verifier

#: In place of a header's value: the line is not there, though its name is listed.
NO_LINE: Final = b"\0no line"
#: Likewise, and its name is not listed either. No value of a header holds a NUL.
UNLISTED: Final = b"\0unlisted"
HEADER: Final = "header "


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another reading of some pieces of a request.

    Attributes:
        pieces: what stands in the place of each: ``method``, ``uri``,
            ``query``, ``payload``, ``timestamp``, or ``header `` and a name.
        scope: the scope in the string to sign, or None for that of the request.
        key_scope: the scope of the signing key, or None for that of the request.
        secret: the secret, or None for that of the key.
        what: what is read differently, as in "The signature is right for ...".
        right: what was signed: bytes are a value, text is a phrase.
        arrived: what arrived; likewise. Empty: nothing that could arrive.
        header: the name of the header, where it is one.
        remedy: what to do, where the hypothesis does not know.
    """

    pieces: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    scope: CredentialScope | None = None
    key_scope: CredentialScope | None = None
    secret: Secret | None = field(default=None, repr=False)
    what: str
    right: bytes | str = field(repr=False)
    arrived: bytes | str = field(repr=False)
    header: str = ""
    remedy: str = ""

    @property
    def places(self) -> frozenset[str]:
        """The names of the pieces that this change replaces."""
        named = {"scope": self.scope, "key": self.key_scope, "secret": self.secret}
        return frozenset(self.pieces) | {n for n, value in named.items() if value is not None}

    @property
    def is_of_signing(self) -> bool:
        """Whether the string to sign or its key changes, beside the canonical request."""
        changed = self.scope or self.key_scope or self.secret
        return changed is not None or "timestamp" in self.pieces

    @property
    def is_of_the_key(self) -> bool:
        """Whether the canonical request stays as it is."""
        return not self.pieces or "timestamp" in self.pieces


class Case:
    """A request whose signature is wrong, and what is known of it.

    Attributes:
        attempt: the request and what it claims.
        request: the request.
        verifier: who refused it.
        secret: the secret of its key, or None where only a signing key is known.
        body: its body, or None where that is not known.
        payload_hash: what the server put into the canonical request for it.
        names: those of the signed headers.
        base: the server's reading, by the names of its pieces.
    """

    def __init__(
        self,
        attempt: Attempt,
        verifier: Verifier,
        *,
        secret: Secret | None,
        signing_key: bytes | None,
        body: bytes | None,
    ) -> None:
        self.attempt = attempt
        self.request: Request = attempt.request
        self.verifier = verifier
        self.secret = secret
        self.body = body
        self.payload_hash = payload_hash(attempt, body)
        self.names = attempt.authorization.signed_headers
        self.base: dict[str, bytes] = {
            "method": self.request.method.encode("ascii"),
            "uri": self.uri(self.request.path),
            "query": canonical_query_string(attempt.query, presigned=attempt.presigned),
            "payload": self.payload_hash.encode("ascii"),
            "timestamp": attempt.timestamp.iso.encode("ascii"),
        }
        for name in self.names:
            self.base[HEADER + name] = folded(self.request.values[name])
        self._signing_key = signing_key
        self._keys: dict[tuple[str, str], bytes] = {}
        self._lines = [(n, n.encode() + b":" + self.base[HEADER + n]) for n in self.names]
        self._block = b"\n".join([line for _, line in self._lines])
        self._listed = ";".join(self.names).encode()
        # What is not 64 hex digits is the signature of nothing.
        signature = attempt.authorization.signature
        self._signature = bytes.fromhex(signature.decode()) if is_signature(signature) else b""
        self._own = self._signing(())

    def __repr__(self) -> str:
        return f"Case({self.attempt!r})"

    def header(self, name: str) -> bytes | None:
        """Return the value of the header *name*, or None."""
        return self.request.values.get(name)

    def canonical_request(self, *changes: Change) -> bytes:
        """Return the canonical request after *changes*."""
        pieces: Mapping[str, bytes] = changes[0].pieces if changes else {}
        if len(changes) > 1:
            pieces = {**pieces, **changes[1].pieces}
        block, listed = self._block, self._listed
        if any(place.startswith(HEADER) for place in pieces):
            block, listed = self._headers(pieces)
        base = self.base
        return b"\n".join(
            (
                pieces.get("method", base["method"]),
                pieces.get("uri", base["uri"]),
                pieces.get("query", base["query"]),
                block,
                b"",
                listed,
                pieces.get("payload", base["payload"]),
            )
        )

    def _headers(self, pieces: Mapping[str, bytes]) -> tuple[bytes, bytes]:
        lines, listed = [], []
        for name, line in self._lines:
            value = pieces.get(HEADER + name)
            if value is not None:
                line = name.encode() + b":" + value
            if value is not NO_LINE and value is not UNLISTED:
                lines.append(line)
            if value is not UNLISTED:
                listed.append(name)
        return b"\n".join(lines), ";".join(listed).encode()

    def is_signed(self) -> bool:
        """Return whether the signature is right for the server's own reading."""
        return self.signs(hashlib.sha256(self.canonical_request()).hexdigest())

    def signs(self, digest: str, *changes: Change) -> bool:
        """Return whether the signature is right for the canonical request of *digest*.

        The calculated signature stays in here.
        """
        head, key = self._own
        if any(change.is_of_signing for change in changes):
            head, key = self._signing(changes)
        return hmac.compare_digest(hmac_sha256(key, head + digest.encode()), self._signature)

    def _signing(self, changes: Sequence[Change]) -> tuple[bytes, bytes]:
        """Return the string to sign before its last line, and the signing key, after *changes*."""
        timestamp = self.base["timestamp"]
        scope = key_scope = self.attempt.scope
        secret = self.secret
        for change in changes:
            timestamp = change.pieces.get("timestamp", timestamp)
            scope = change.scope or scope
            key_scope = change.key_scope or key_scope
            secret = change.secret or secret
        head = b"AWS4-HMAC-SHA256\n%b\n%b\n" % (timestamp, scope.text.encode())
        return head, self._key(secret, key_scope)

    def _key(self, secret: Secret | None, scope: CredentialScope) -> bytes:
        if secret is None:
            assert self._signing_key is not None  # noqa: S101 (Credentials hold one of the two)
            return self._signing_key
        place = secret.reveal(), scope.text
        found = self._keys.get(place)
        if found is None:
            found = self._keys[place] = derive_signing_key(secret, scope)
        return found

    @cached_property
    def body_forms(self) -> tuple[BodyForm, ...]:
        """What the body may have been; none where it is not known or signed by itself."""
        if self.body is None or self.attempt.payload.form is not PayloadForm.ABSENT:
            return ()
        return tuple(body_forms(self.body))

    @cached_property
    def signed_pairs(self) -> tuple[tuple[bytes, bytes], ...]:
        """The decoded parameters that the signature covers, in the order sent."""
        query = self.attempt.query
        if not self.attempt.presigned:
            return query
        return tuple(pair for pair in query if pair[0] != UNSIGNED_PARAMETER)

    @cached_property
    def encoded_pairs(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same parameters, encoded."""
        return tuple([(uri_encode(n), uri_encode(v)) for n, v in self.signed_pairs])

    def uri(self, path: bytes) -> bytes:
        """Return the canonical URI of *path* by the request's profile; as it is above the root."""
        profile = self.attempt.profile
        try:
            return canonical_uri(
                path,
                normalize=profile.normalize_path,
                double_encode=profile.double_encode_path,
            )
        except ValueError:
            return path

    def scope(self, **parts: str) -> CredentialScope:
        """Return the scope of the request with other *parts*."""
        return replace(self.attempt.scope, **parts)


def payload_hash(attempt: Attempt, body: bytes | None) -> str:
    """Return what the server signs for the *body*; that of an empty one where it is not known."""
    if attempt.payload.form is not PayloadForm.ABSENT:
        return attempt.payload.value
    return hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256
