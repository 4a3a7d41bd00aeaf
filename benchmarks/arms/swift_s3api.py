"""The s3api of OpenStack Swift: its request class, its check of the signature, its body reader."""

from __future__ import annotations

from swift.common.middleware.s3api.s3request import get_request_class
from swift.common.middleware.s3api.s3response import ErrorResponse
from swift.common.middleware.s3api.utils import Config
from swift.common.swob import HTTPException

from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import REGION
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.recorded import Recorded

SECRETS = {ACCESS_KEY_ID: SECRET_ACCESS_KEY}
PIECE = 64 * 1024


class Swift:
    """Does with an environ what the s3api filter and an authentication filter do."""

    def __init__(self) -> None:
        self._conf = Config({"location": REGION})

    def prepare(self, request: Recorded) -> object:
        """Return the environ."""
        return request.environ()

    def verify(self, prepared: object) -> str:
        """Return whether the signature, and the body, are right."""
        assert isinstance(prepared, dict)
        try:
            request = get_request_class(prepared, False)(prepared, None, self._conf)
            details = request.environ["s3api.auth_details"]
            secret = SECRETS.get(details["access_key"])
            if secret is None or not details["check_signature"](secret):
                return "403"
            body = request.environ["wsgi.input"]
            while body.read(PIECE):
                pass
        except (ErrorResponse, HTTPException):
            return "403"
        return "200"


def arm(service: str) -> Swift:
    """Return the arm."""
    return Swift()
