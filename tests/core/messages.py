"""A request that tests can alter piece by piece, and the way to have it verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from wsgi_sigv4.checksums import ChecksumVerifier
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request and its body, as they stand on the wire."""

    method: str
    path: bytes
    query: bytes
    headers: Pairs
    body: bytes = b""

    @classmethod
    def of(
        cls,
        method: str = "GET",
        target: str = "/items?q=1",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Message:
        """Return a request to *target* with a Host header and *headers*."""
        path, _, query = target.partition("?")
        named = {"Host": "api.example.com", **(headers or {})}
        return cls(
            method=method,
            path=path.encode(),
            query=query.encode(),
            headers=tuple((name.encode(), value.encode()) for name, value in named.items()),
            body=body,
        )

    @property
    def query_items(self) -> list[bytes]:
        """The parameters as sent, empty ones left out."""
        return [item for item in self.query.split(b"&") if item]

    def header(self, name: str) -> bytes | None:
        """Return the value of the only header *name*, or None."""
        found = [value for key, value in self.headers if key.lower() == name.encode()]
        assert len(found) < 2
        return found[0] if found else None

    def with_header(self, name: str, value: str | bytes) -> Message:
        """Return this request with the header *name* set to *value*, in its old place."""
        value = value if isinstance(value, bytes) else value.encode("utf-8")
        at = [key.lower() for key, _ in self.headers]
        if name.lower().encode() not in at:
            return self.with_extra_header(name, value)
        headers = list(self.headers)
        headers[at.index(name.lower().encode())] = (name.encode(), value)
        return replace(self, headers=tuple(headers))

    def with_extra_header(self, name: str, value: str | bytes) -> Message:
        """Return this request with one more header, even where *name* is there already."""
        value = value if isinstance(value, bytes) else value.encode("utf-8")
        return replace(self, headers=(*self.headers, (name.encode(), value)))

    def without_header(self, name: str) -> Message:
        """Return this request without the headers *name*."""
        kept = (pair for pair in self.headers if pair[0].lower() != name.lower().encode())
        return replace(self, headers=tuple(kept))

    def with_query_items(self, items: list[bytes]) -> Message:
        """Return this request with *items* as its parameters."""
        return replace(self, query=b"&".join(items))

    def with_parameter(self, item: bytes) -> Message:
        """Return this request with one more parameter at the end."""
        return self.with_query_items([*self.query_items, item])

    def edited(self, old: str | bytes, new: str | bytes) -> Message:
        """Return this request with *old* replaced by *new* where its authorization stands.

        That is the Authorization header, or else the query.
        """
        old, new = (t if isinstance(t, bytes) else t.encode("utf-8") for t in (old, new))
        value = self.header("authorization")
        if value is None:
            assert old in self.query
            return replace(self, query=self.query.replace(old, new, 1))
        assert old in value
        return self.with_header("Authorization", value.replace(old, new, 1))

    def request(self) -> Request:
        """Return the request as the verifier takes it."""
        return Request(method=self.method, path=self.path, query=self.query, headers=self.headers)


def verify(verifier: Verifier, message: Message, *, now: float) -> Identity:
    """Return the identity that *verifier* finds in *message* and its body."""
    verification = verifier.verify(message.request(), now=now)
    checksums = ChecksumVerifier(verification.attempt)
    checksums.update(verification.feed(message.body))
    identity = verification.finish(now=now)
    checksums.check(verification.trailers)
    return identity
