"""GENERIC and S3: how a family of services signs, as data.

A quirk of a service is a value here, never a branch elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

#: Services whose clients sign as those of S3 do.
S3_SERVICES: Final = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})


class ErrorFormat(Enum):
    """How a refusal is rendered."""

    #: ``<Error>`` without a namespace, as S3 does.
    S3 = "s3"
    #: By the request: query XML, JSON 1.x or rest-json, as the other services do.
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a family of services signs.

    Make an odd one with :func:`dataclasses.replace`.

    Attributes:
        normalize_path: dot segments and doubled slashes are removed before
            signing.
        double_encode_path: the path is encoded once more as it was sent; else
            it is decoded and encoded once.
        max_skew: seconds that a request time may lie before or after now.
        allow_unsigned_payload: UNSIGNED-PAYLOAD is accepted.
        presigned_payload_unsigned: a presigned URL without a payload hash is
            signed with UNSIGNED-PAYLOAD instead of the hash of the body.
        payload_header_required: the header form must send
            x-amz-content-sha256.
        expires_required: the presigned form must send X-Amz-Expires; else one
            without it lives *max_skew* seconds.
        checksum_trailers_only: the trailers of an aws-chunked body can only
            be checksums.
        error_format: how refusals are rendered.
    """

    normalize_path: bool
    double_encode_path: bool
    max_skew: int
    allow_unsigned_payload: bool
    presigned_payload_unsigned: bool
    payload_header_required: bool
    expires_required: bool
    checksum_trailers_only: bool
    error_format: ErrorFormat


GENERIC: Final = Profile(
    normalize_path=True,
    double_encode_path=True,
    max_skew=300,
    allow_unsigned_payload=False,
    presigned_payload_unsigned=False,
    payload_header_required=False,
    expires_required=False,
    checksum_trailers_only=False,
    error_format=ErrorFormat.AWS,
)

S3: Final = Profile(
    normalize_path=False,
    double_encode_path=False,
    max_skew=900,
    allow_unsigned_payload=True,
    presigned_payload_unsigned=True,
    payload_header_required=True,
    expires_required=True,
    checksum_trailers_only=True,
    error_format=ErrorFormat.S3,
)
