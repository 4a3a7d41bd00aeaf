"""awssig, a verifier for Python of 2019."""

from __future__ import annotations

from awssig import AWSSigV4S3Verifier
from awssig import AWSSigV4Verifier
from awssig import InvalidSignatureError

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded

SECRETS = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}


def secret_of(access_key: str, token: str | None = None) -> str | None:
    """Return the secret of *access_key*, or None."""
    return SECRETS.get(access_key)


class Awssig:
    """Gives the pieces of a request to awssig's verifier."""

    def __init__(self, service: str) -> None:
        self._verifier = AWSSigV4S3Verifier if service == "s3" else AWSSigV4Verifier
        self._service = service

    def prepare(self, request: Recorded) -> object:
        """Return the request."""
        return request

    def verify(self, prepared: object) -> str:
        """Return what the verifier says."""
        assert isinstance(prepared, Recorded)
        path, _, query = prepared.target.partition("?")
        verifier = self._verifier(
            request_method=prepared.method,
            uri_path=path,
            query_string=query,
            headers={name.lower(): [value] for name, value in prepared.headers.items()},
            body=prepared.body,
            region=REGION,
            service=self._service,
            key_mapping=secret_of,
            timestamp_mismatch=900,
        )
        try:
            verifier.verify()
        except InvalidSignatureError:
            return "403"
        return "200"


def arm(service: str) -> Awssig:
    """Return the arm for requests that are signed for *service*."""
    return Awssig(service)
