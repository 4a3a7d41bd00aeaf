"""The signer: what a client of AWS does, out of the same canonical forms.

It is here for tests, by way of :mod:`wsgi_sigv4.testing`. It shares its
arithmetic with the verifier, so it vouches for nothing: the tests of this
package ask botocore and awscrt.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote
from urllib.parse import urlsplit

from wsgi_sigv4.authorization import ALGORITHM
from wsgi_sigv4.canonical import canonical_query_string
from wsgi_sigv4.canonical import canonical_request
from wsgi_sigv4.canonical import canonical_uri
from wsgi_sigv4.canonical import string_to_sign
from wsgi_sigv4.credentials import Credential
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.policy import PAYLOAD_HASH
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.profiles import S3_SERVICES
from wsgi_sigv4.profiles import Profile
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.signing_key import hmac_sha256
from wsgi_sigv4.timestamps import Timestamp

#: What a client, a proxy or a server may still add or change on the way, so
#: that no AWS SDK signs it; all other headers are signed.
UNSIGNED_HEADERS: Final = frozenset(
    {
        *("authorization", "baggage", "connection", "content-length", "cookie", "expect"),
        *("keep-alive", "proxy-authenticate", "proxy-authorization", "te", "traceparent"),
        *("tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent"),
        "x-amzn-trace-id",
    }
)

#: By scheme; clients leave it out of the Host header.
DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Signer:
    """Signs requests with one access key.

    Args:
        access_key_id: the access key id.
        secret_access_key: its secret.
        region: the region of the credential scope.
        service: the service of the credential scope.
        session_token: that of temporary credentials.
        profile: how the service's clients sign; None: S3 for the services of
            S3, else GENERIC.
        clock: POSIX seconds.
    """

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        *,
        region: str,
        service: str,
        session_token: str | None = None,
        profile: Profile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._access_key_id = access_key_id
        self._secret = Secret(secret_access_key)
        self._region = region
        self._service = service
        self._session_token = session_token
        self._profile = profile or (S3 if service in S3_SERVICES else GENERIC)
        self._clock = clock

    def headers(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        unsigned_payload: bool = False,
    ) -> dict[str, str]:
        """Return the headers to add to a request: X-Amz-Date, Authorization and the like.

        Args:
            method: the method.
            url: the whole URL, percent-encoded as it will be sent.
            headers: what else will be sent; all of it is signed but for
                :data:`UNSIGNED_HEADERS`. Host is taken from *url* where it is
                not given.
            body: the body.
            unsigned_payload: sign UNSIGNED-PAYLOAD in the place of *body*.

        Raises:
            ValueError: if *url* has no host, or ``..`` reaches above its root.
            MalformedRequest: if *url* holds what must be percent-encoded.
        """
        request = _request(method, url, headers or {})
        return self.headers_of(request, body, unsigned_payload=unsigned_payload)

    def presign(
        self,
        method: str,
        url: str,
        *,
        expires: int = 900,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> str:
        """Return *url* with a signature that lives *expires* seconds.

        Args:
            method: the method that the URL is good for.
            url: the whole URL, percent-encoded as it will be sent.
            expires: seconds.
            headers: what must be sent with it, as for :meth:`headers`.
            body: the body, which the generic rules sign; those of S3 leave it
                unsigned.

        Raises:
            ValueError: if *url* has no host, or ``..`` reaches above its root.
            MalformedRequest: if *url* holds what must be percent-encoded.
        """
        request = _request(method, url, headers or {})
        query = self.presigned_query(request, body, expires=expires)
        parts = urlsplit(url)
        return parts._replace(path=parts.path or "/", query=query, fragment="").geturl()

    def headers_of(
        self, request: Request, body: bytes, *, unsigned_payload: bool = False
    ) -> dict[str, str]:
        """Return the headers to add to *request*, as :meth:`headers` does."""
        timestamp = Timestamp.at(self._clock())
        payload_hash = hashlib.sha256(body).hexdigest()
        added = {"X-Amz-Date": timestamp.iso}
        if self._session_token is not None:
            added["X-Amz-Security-Token"] = self._session_token
        if unsigned_payload:
            payload_hash = PayloadForm.UNSIGNED.value
        if unsigned_payload or self._profile.payload_header_required:
            added["X-Amz-Content-Sha256"] = payload_hash
        request = _with_headers(request, added)
        signed_headers = _signed_headers(request)
        signature = self._signature(request, signed_headers, payload_hash, timestamp)
        added["Authorization"] = (
            f"{ALGORITHM} Credential={self._credential(timestamp)}, "
            f"SignedHeaders={';'.join(signed_headers)}, Signature={signature}"
        )
        return added

    def presigned_query(self, request: Request, body: bytes, *, expires: int) -> str:
        """Return the query of *request* with a signature, as :meth:`presign` does."""
        timestamp = Timestamp.at(self._clock())
        signed_headers = _signed_headers(request)
        parameters = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": str(self._credential(timestamp)),
            "X-Amz-Date": timestamp.iso,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": ";".join(signed_headers),
        }
        if self._session_token is not None:
            parameters["X-Amz-Security-Token"] = self._session_token
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        if request.query:
            query = f"{request.query.decode('ascii')}&{query}"
        request = replace(request, query=query.encode("ascii"))
        payload_hash = self._presigned_payload_hash(request, body)
        signature = self._signature(request, signed_headers, payload_hash, timestamp)
        return f"{query}&X-Amz-Signature={signature}"

    def _presigned_payload_hash(self, request: Request, body: bytes) -> str:
        declared = request.header(PAYLOAD_HASH)
        if declared is not None:
            return declared.decode("ascii")
        if self._profile.presigned_payload_unsigned:
            return PayloadForm.UNSIGNED.value
        return hashlib.sha256(body).hexdigest()

    def _credential(self, timestamp: Timestamp) -> Credential:
        scope = CredentialScope(date=timestamp.date, region=self._region, service=self._service)
        return Credential(access_key_id=self._access_key_id, scope=scope)

    def _signature(
        self,
        request: Request,
        signed_headers: tuple[str, ...],
        payload_hash: str,
        timestamp: Timestamp,
    ) -> str:
        canonical = canonical_request(
            method=request.method,
            uri=canonical_uri(
                request.path,
                normalize=self._profile.normalize_path,
                double_encode=self._profile.double_encode_path,
            ),
            query_string=canonical_query_string(parse_query(request.query), presigned=False),
            signed_headers=signed_headers,
            values=[request.values[name] for name in signed_headers],
            payload_hash=payload_hash,
        )
        scope = self._credential(timestamp).scope
        message = string_to_sign(canonical, algorithm=ALGORITHM, timestamp=timestamp, scope=scope)
        return hmac_sha256(derive_signing_key(self._secret, scope), message).hex()


def _request(method: str, url: str, headers: Mapping[str, str]) -> Request:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("the Host header is signed: give the whole URL, with scheme and host")
    host = parts.netloc.rpartition("@")[2].removesuffix(DEFAULT_PORTS.get(parts.scheme, ""))
    request = Request(
        method=method,
        path=(parts.path or "/").encode("utf-8"),
        query=parts.query.encode("utf-8"),
        headers=((b"host", host.encode("ascii")),),
    )
    return _with_headers(request, headers)


def _with_headers(request: Request, headers: Mapping[str, str]) -> Request:
    """Return *request* with *headers*, each in the place of one that has its name."""
    added = {
        name.lower().encode("ascii"): value.encode("latin-1") for name, value in headers.items()
    }
    kept = tuple(pair for pair in request.headers if pair[0].lower() not in added)
    return replace(request, headers=(*kept, *added.items()))


def _signed_headers(request: Request) -> tuple[str, ...]:
    return tuple(sorted(request.header_names - UNSIGNED_HEADERS))
