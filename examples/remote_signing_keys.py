"""A credential provider that asks a key service, so that its own process never holds a secret."""

from __future__ import annotations

import http.client
import json
import logging
from typing import Any
from urllib.parse import urlencode
from urllib.parse import urlsplit

from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import CredentialScope
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4.signer import Signer

#: Seconds that the key service may take; requests of clients wait for it.
TIMEOUT = 3.0
MAX_ANSWER = 64 * 1024

logger = logging.getLogger(__name__)


class RemoteSigningKeys:
    """Asks ``examples/key_service.py`` for the signing key of a date, region and service.

    It asks for every request: put a ``CachingProvider`` before it.

    Args:
        url: where the key service is: https, or http on the loopback interface.
        signer: signs what it asks.
    """

    def __init__(self, url: str, signer: Signer) -> None:
        parts = urlsplit(url)
        is_local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not is_local and parts.scheme != "https":
            raise ConfigurationError("signing keys go over TLS, or do not leave the machine")
        self._url = url.rstrip("/") + "/signing-key"
        self._signer = signer

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return credentials with the signing key for *scope*, or None where there is none.

        Raises:
            CredentialsUnavailable: if the key service gives no answer.
        """
        asked = {
            "access_key_id": access_key_id,
            "date": scope.date,
            "region": scope.region,
            "service": scope.service,
        }
        try:
            status, body = self._get(f"{self._url}?{urlencode(asked)}")
        except (OSError, http.client.HTTPException) as error:
            logger.error("the key service is down: %s", type(error).__name__)
            raise CredentialsUnavailable from None
        if status == 404:
            return None
        if status != 200:
            logger.error("the key service answers %d", status)
            raise CredentialsUnavailable
        found = _read(body)
        if found is None:
            # What it answers is as good as a secret: no log quotes it.
            logger.error("the key service answers what makes no sense")
            raise CredentialsUnavailable
        return found

    def _get(self, url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection
        connection = (kind if parts.scheme == "https" else http.client.HTTPConnection)(
            parts.netloc, timeout=TIMEOUT
        )
        try:
            target = f"{parts.path}?{parts.query}"
            connection.request("GET", target, headers=self._signer.headers("GET", url))
            answer = connection.getresponse()
            return answer.status, answer.read(MAX_ANSWER)
        finally:
            connection.close()


def _read(body: bytes) -> Credentials | None:
    try:
        found: dict[str, Any] = json.loads(body)
        return Credentials(
            signing_key=bytes.fromhex(found["signing_key"]),
            session_token=found["session_token"],
            principal=found["principal"],
            expires_at=found["expires_at"],
            **found["limits"],
        )
    except (ValueError, KeyError, TypeError, ConfigurationError):
        return None
