"""What a request says of its aws-chunked body: how long it is, and which trailers follow."""

from __future__ import annotations

import re
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.chunked import MAX_TRAILERS
from wsgi_sigv4.errors import InvalidContentLength
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.errors import MalformedTrailer
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.request import Request

# Compiled when the first such body comes; then re remembers them.
_LENGTH: Final = rb"[0-9]{1,18}"
_TRAILER_NAME: Final = rb"[a-z0-9-]{1,128}"


class Stream(NamedTuple):
    """What a request says of its aws-chunked body.

    Attributes:
        decoded_length: bytes without the framing.
        trailers: the lower-case names of the trailers; None where the payload
            form has none.
    """

    decoded_length: int
    trailers: tuple[str, ...] | None

    @classmethod
    def of(cls, request: Request, form: PayloadForm) -> Stream:
        """Return what *request*, whose body has the streaming *form*, says of it.

        Raises:
            LengthRequired: if it does not say its length without the framing.
            InvalidContentLength: if that is no number.
            MalformedTrailer: if the trailers are not those that *form* has.
        """
        length = request.header("x-amz-decoded-content-length")
        if length is None:
            raise LengthRequired
        # int() takes "+5" and "1_0", and two headers are joined with a comma.
        if re.fullmatch(_LENGTH, length) is None:
            raise InvalidContentLength(value=length.decode("ascii", "backslashreplace")[:64])
        return cls(decoded_length=int(length), trailers=_trailers(request, form))


def _trailers(request: Request, form: PayloadForm) -> tuple[str, ...] | None:
    """Return the names of the trailers that *request* declares."""
    declared = request.header("x-amz-trailer")
    if (declared is not None) != form.has_trailers:
        raise MalformedTrailer
    if declared is None:
        return None
    names = [name.strip(b" \t").lower() for name in declared.split(b",")]
    # minio-go ends the list with a comma.
    if names[-1] == b"":
        names.pop()
    if not names or len(set(names)) < len(names) or len(names) > MAX_TRAILERS:
        raise MalformedTrailer
    if any(re.fullmatch(_TRAILER_NAME, name) is None for name in names):
        raise MalformedTrailer
    return tuple(name.decode("ascii") for name in names)
