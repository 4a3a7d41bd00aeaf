"""GENERIC and S3: what each is, written out."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from dataclasses import asdict
from dataclasses import replace

import pytest

from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.profiles import S3_SERVICES
from wsgi_sigv4.profiles import ErrorFormat


def test_generic() -> None:
    """The generic profile is what most services do; its window is the narrow one."""
    assert asdict(GENERIC) == {
        "normalize_path": True,
        "double_encode_path": True,
        "max_skew": 300,
        "allow_unsigned_payload": False,
        "presigned_payload_unsigned": False,
        "payload_header_required": False,
        "expires_required": False,
        "checksum_trailers_only": False,
        "error_format": ErrorFormat.AWS,
    }


def test_s3() -> None:
    """The S3 profile is what S3 does."""
    assert asdict(S3) == {
        "normalize_path": False,
        "double_encode_path": False,
        "max_skew": 900,
        "allow_unsigned_payload": True,
        "presigned_payload_unsigned": True,
        "payload_header_required": True,
        "expires_required": True,
        "checksum_trailers_only": True,
        "error_format": ErrorFormat.S3,
    }
    assert {"s3", "s3express", "s3-outposts", "s3-object-lambda"} == S3_SERVICES


def test_odd_profile() -> None:
    """An odd profile is made by replacing a field, and the two known ones stay as they are."""
    odd = replace(GENERIC, double_encode_path=False)
    assert odd != GENERIC
    assert replace(odd, double_encode_path=True) == GENERIC
    with pytest.raises(FrozenInstanceError):
        GENERIC.max_skew = 900  # type: ignore[misc]  # that it cannot be set is what is tested
