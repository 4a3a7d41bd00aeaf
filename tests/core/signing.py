"""A client of the tests' own, to sign what no real client would: a wrong scope, an odd list.

It follows the words of AWS's documentation with nothing from the package; test_oracles compares
it with botocore. It encodes nothing: paths and queries given to it are in canonical form already.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from dataclasses import replace
from urllib.parse import quote

from tests.core.messages import Message

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#: POSIX seconds of the clock that tests freeze, and the same moment as clients write it.
NOW = 1_795_296_600
TIMESTAMP = "20261121T213000Z"
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What a signature is made of; every piece can be wrong."""

    access_key_id: str = ACCESS_KEY_ID
    secret: str = SECRET
    timestamp: str = TIMESTAMP
    date: str = TIMESTAMP[:8]
    region: str = "us-east-1"
    service: str = "items"
    terminator: str = "aws4_request"
    #: None: every header of the request.
    signed_headers: tuple[str, ...] | None = None
    #: None: x-amz-content-sha256 where it was sent, else the hash of the body.
    payload_hash: str | None = None
    #: None: no X-Amz-Expires.
    expires: str | None = "60"
    session_token: str | None = None

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"

    def sign(self, message: Message) -> Message:
        """Return *message* with an x-amz-date, a session token and an Authorization header."""
        message = message.with_header("X-Amz-Date", self.timestamp)
        if self.session_token is not None:
            message = message.with_header("X-Amz-Security-Token", self.session_token)
        return self.authorize(message)

    def authorize(self, message: Message) -> Message:
        """Return *message* with an Authorization header, and nothing else added."""
        listed = self._listed(message)
        return message.with_header(
            "Authorization",
            f"AWS4-HMAC-SHA256 Credential={self.access_key_id}/{self.scope}, "
            f"SignedHeaders={';'.join(listed)}, Signature={self._signature(message, listed)}",
        )

    def presign(self, message: Message) -> Message:
        """Return *message* with a presigned query."""
        listed = self._listed(message)
        parameters = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.access_key_id}/{self.scope}",
            "X-Amz-Date": self.timestamp,
            "X-Amz-Expires": self.expires,
            "X-Amz-Security-Token": self.session_token,
            "X-Amz-SignedHeaders": ";".join(listed),
        }
        items = [
            f"{name}={quote(value, safe='~')}".encode()
            for name, value in parameters.items()
            if value is not None
        ]
        message = message.with_query_items([*message.query_items, *items])
        signature = self._signature(message, listed)
        return message.with_parameter(b"X-Amz-Signature=" + signature.encode())

    def _listed(self, message: Message) -> tuple[str, ...]:
        if self.signed_headers is not None:
            return self.signed_headers
        return tuple(sorted({name.decode().lower() for name, _ in message.headers}))

    def _signature(self, message: Message, listed: tuple[str, ...]) -> str:
        string_to_sign = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                self.timestamp,
                self.scope,
                hashlib.sha256(self._canonical_request(message, listed)).hexdigest(),
            )
        )
        key = b"AWS4" + self.secret.encode()
        for part in (self.date, self.region, self.service, self.terminator):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()

    def _canonical_request(self, message: Message, listed: tuple[str, ...]) -> bytes:
        lines = [message.method.encode(), message.path]
        lines.append(b"&".join(sorted(message.query_items)))
        for name in listed:
            lines.append(name.encode() + b":" + (message.header(name) or b""))
        payload_hash = self.payload_hash
        if payload_hash is None:
            sent = message.header("x-amz-content-sha256")
            payload_hash = (sent or hashlib.sha256(message.body).hexdigest().encode()).decode()
        lines += [b"", ";".join(listed).encode(), payload_hash.encode()]
        return b"\n".join(lines)


#: For the service "items", which signs as most do.
GENERIC_SIGNER = Signer()
#: For S3, whose presigned URLs sign UNSIGNED-PAYLOAD.
S3_SIGNER = replace(GENERIC_SIGNER, service="s3")
S3_PRESIGNER = replace(S3_SIGNER, payload_hash=UNSIGNED)


def sha256(body: bytes) -> str:
    """Return the SHA-256 of *body* in hex, as x-amz-content-sha256 has it."""
    return hashlib.sha256(body).hexdigest()
