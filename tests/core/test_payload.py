"""The closed set of payload forms."""

from __future__ import annotations

import hashlib

import pytest

from wsgi_sigv4.errors import InvalidPayloadHash
from wsgi_sigv4.payload import EMPTY_SHA256
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.payload import PayloadHash

FORMS = {
    b"UNSIGNED-PAYLOAD": PayloadForm.UNSIGNED,
    b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD": PayloadForm.STREAMING_SIGNED,
    b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": PayloadForm.STREAMING_SIGNED_TRAILER,
    b"STREAMING-UNSIGNED-PAYLOAD-TRAILER": PayloadForm.STREAMING_UNSIGNED_TRAILER,
    b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": PayloadForm.STREAMING_ECDSA,
    b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER": PayloadForm.STREAMING_ECDSA_TRAILER,
    b"0123456789abcdef" * 4: PayloadForm.SHA256,
    b"0123456789ABCDEF" * 4: PayloadForm.SHA256,
}


@pytest.mark.parametrize(("value", "form"), FORMS.items())
def test_known_form(value: bytes, form: PayloadForm) -> None:
    """Each form is known by its value, which is kept as it was sent."""
    assert PayloadHash.parse(value) == PayloadHash(form=form, value=value.decode())


def test_every_form_is_listed() -> None:
    """The table above leaves out no form but the absent one."""
    assert {*FORMS.values(), PayloadForm.ABSENT} == set(PayloadForm)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"sha256",
        b"unsigned-payload",
        b"UNSIGNED-PAYLOAD ",
        b"UNSIGNED-PAYLOAD,UNSIGNED-PAYLOAD",
        b"STREAMING-",
        b"STREAMING-AWS4-HMAC-SHA512-PAYLOAD",
        b"STREAMING-UNSIGNED-PAYLOAD",
        b"STREAMING-AWS4-HMAC-SHA256-EVENTS",
        b"a" * 63,
        b"a" * 65,
        b"g" * 64,
        b"\xff" * 64,
    ],
)
def test_unknown_form(value: bytes) -> None:
    """T5: a form that is not one of the closed set is refused, whatever it may mean one day."""
    with pytest.raises(InvalidPayloadHash) as refused:
        PayloadHash.parse(value)
    assert refused.value.value == value.decode("ascii", "backslashreplace")


def test_streaming_forms() -> None:
    """The forms that frame the body as aws-chunked know it."""
    streaming = {form for form in PayloadForm if form.is_streaming}
    assert streaming == {form for value, form in FORMS.items() if value.startswith(b"STREAMING-")}


def test_hash_of_nothing() -> None:
    """The constant is the SHA-256 of an empty body."""
    assert hashlib.sha256().hexdigest() == EMPTY_SHA256
