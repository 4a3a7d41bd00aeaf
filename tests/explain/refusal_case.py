"""A request that is refused for another reason than a wrong signature, and what is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import SECRET
from tests.explain.clients import request_of
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.explain import Explanation
from wsgi_sigv4.explain import explain
from wsgi_sigv4.verifier import Verifier

GET = Message.of()
HOUR = 3600
S3 = {"service": "s3"}
SIGV2_URL = Message.of(target="/a?AWSAccessKeyId=AKID&Expires=1795296700&Signature=abc%3D")
FORM = Message.of(
    "POST", headers={"Content-Type": "multipart/form-data; boundary=x", "X-Amz-Date": "x"}
)


@dataclass(frozen=True)
class Case:
    """A request that is refused, and what is found.

    Attributes:
        causes: the causes, with a blank between them.
        code: the error code that the client is told.
        rule: the number of the rule that failed.
        says: words of the summary.
        make: makes the request.
        knobs: parameters of the verifier.
        key: what the verifier knows of the key.
        now: POSIX seconds.
    """

    causes: str
    code: str
    rule: int
    says: str
    make: Callable[[], Message]
    knobs: dict[str, Any] = field(default_factory=dict)
    key: Callable[[], Credentials] = lambda: Credentials(SECRET)
    now: float = NOW

    def explain(self) -> Explanation:
        """Return the explanation."""
        defaults: dict[str, Any] = {"region": "us-east-1", "service": "items"}
        verifier = Verifier({ACCESS_KEY_ID: self.key()}, **(defaults | self.knobs))
        message = self.make()
        return explain(request_of(message), verifier, body=message.body, now=self.now)


def sign(message: Message = GET, **parts: Any) -> Callable[[], Message]:
    """Return what signs *message*, for later."""
    return lambda: replace(GENERIC_SIGNER, **parts).sign(message)


def presign(**parts: Any) -> Callable[[], Message]:
    """Return what presigns a request, for later."""
    return lambda: replace(GENERIC_SIGNER, **parts).presign(GET)


def then(make: Callable[[], Message], alter: Callable[[Message], Message]) -> Callable[[], Message]:
    """Return what makes a request and alters it, for later."""
    return lambda: alter(make())


def authorization(text: str) -> Callable[[], Message]:
    """Return a request with just this Authorization header, for later."""
    return lambda: GET.with_header("Authorization", text)


def with_hash(value: str, **parts: str) -> Message:
    """Return an upload with *value* in x-amz-content-sha256."""
    return Message.of("PUT", headers={"X-Amz-Content-Sha256": value, **parts}, body=b"hello\r\n")
