"""botocore: sign the request again, and compare; moto verifies like that.

botocore believes the payload hash of an S3 request: the bodies of those are not looked at.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth
from botocore.auth import S3SigV4QueryAuth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import HOST
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded


class Resigning:
    """Signs again with the one secret that there is."""

    def __init__(self, service: str) -> None:
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        credentials = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        self._signer = kind(credentials, service, REGION)
        self._presigner = S3SigV4QueryAuth(credentials, service, REGION)

    def prepare(self, request: Recorded) -> object:
        """Return the request."""
        return request

    def verify(self, prepared: object) -> str:
        """Return whether the signature is what botocore makes of the request."""
        assert isinstance(prepared, Recorded)
        headers = dict(prepared.headers)
        target, signer = prepared.target, self._signer
        authorization = headers.pop("Authorization", None)
        if authorization is None:
            signer, headers = self._presigner, {"Host": HOST}
            target, _, sent = target.partition("&X-Amz-Signature=")
            timestamp = parse_qs(target)["X-Amz-Date"][0]
        else:
            sent, timestamp = authorization[-64:], headers["X-Amz-Date"]
        headers.pop("Content-Length", None)
        request = AWSRequest(
            prepared.method, f"http://{HOST}{target}", headers=headers, data=prepared.body
        )
        request.context["timestamp"] = timestamp
        text = signer.string_to_sign(request, signer.canonical_request(request))
        right = hmac.compare_digest(signer.signature(text, request), sent)
        return "200" if right else "403"


def arm(service: str) -> Resigning:
    """Return the arm for requests that are signed for *service*."""
    return Resigning(service)
