"""The closed set of payload forms that ``x-amz-content-sha256`` may name.

The value selects how the body is verified, so an unknown one is refused and
never falls through (CVE-2026-40344). Whether a form is allowed for a request
is a rule of the verifier.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

from __future__ import annotations

from enum import Enum
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.encoding import is_sha256_hex
from wsgi_sigv4.errors import InvalidPayloadHash

EMPTY_SHA256: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class PayloadForm(Enum):
    """How the body of a request is bound to its signature; the value is the wire's.

    Attributes:
        is_streaming: whether the body is framed as aws-chunked.
        has_trailers: whether trailers follow the last chunk.
        is_signed_stream: whether each chunk is signed with AWS4-HMAC-SHA256.
    """

    is_streaming: bool
    has_trailers: bool
    is_signed_stream: bool

    #: No x-amz-content-sha256; the hash of the body is computed and signed.
    ABSENT = ""
    #: 64 hex digits, which the body must match.
    SHA256 = "sha256"
    UNSIGNED = "UNSIGNED-PAYLOAD"
    STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    STREAMING_ECDSA = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    STREAMING_ECDSA_TRAILER = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"

    def __init__(self, sentinel: str) -> None:
        self.is_streaming = sentinel.startswith("STREAMING-")
        self.has_trailers = sentinel.endswith("-TRAILER")
        self.is_signed_stream = sentinel.startswith("STREAMING-AWS4-HMAC-SHA256-")


_SENTINELS: Final = {
    form.value: form for form in PayloadForm if form is PayloadForm.UNSIGNED or form.is_streaming
}


class PayloadHash(NamedTuple):
    """What a request says of its body.

    Attributes:
        form: one of the closed set.
        value: the text that was sent, which stands in the canonical request;
            empty where none was.
    """

    form: PayloadForm
    value: str = ""

    @classmethod
    def parse(cls, value: bytes) -> PayloadHash:
        """Return what *value*, that of ``x-amz-content-sha256``, says.

        Raises:
            InvalidPayloadHash: if it is none of the known forms.
        """
        text = value.decode("ascii", "backslashreplace")
        if is_sha256_hex(value):
            return cls(form=PayloadForm.SHA256, value=text)
        form = _SENTINELS.get(text)
        if form is None:
            raise InvalidPayloadHash(value=text)
        return cls(form=form, value=text)


ABSENT: Final = PayloadHash(form=PayloadForm.ABSENT)
