"""Traces of an AWS signature: what makes a request an attempt, however badly it is made (T41).

In come header names, an Authorization value and a raw query, which may be
malformed; out comes whether any of them has to do with a signature. Where
unsigned requests may pass, this is what keeps a signature that is not
understood from passing as none. So unknown means yes: a parameter's name that
cannot be read for certain (a broken escape, bytes that are no UTF-8, such as
an overlong form) is a trace where it could be the name of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from wsgi_sigv4.encoding import percent_decode

#: Names that only a signing client sends, as headers or, in any case, as
#: query parameters; the last one is Signature Version 2.
TRACES: Final = (
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-expires",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "x-amz-s3session-token",
    "x-amz-decoded-content-length",
    "x-amz-trailer",
    "x-amz-region-set",
    "awsaccesskeyid",
)
# A server that joins two Authorization headers may put ours second. `aws4-`
# alone, anywhere, is in one of a hundred thousand tokens of other schemes.
_AWS_SCHEME: Final = rb"(?i),[ \t]*aws4-|aws4-(?:hmac|ecdsa)-"

#: A name may have been escaped again by something on the way.
_MAX_ESCAPED: Final = 3
#: Characters that a piece of a name may stand for which cannot be read; `%DA`
#: of `%Date` is one byte.
_MAX_HIDDEN: Final = 3


def is_aws_scheme(authorization: bytes) -> bool:
    """Return whether an *authorization* header is AWS's, or has AWS's joined to it."""
    return authorization[:3].lower() == b"aws" or re.search(_AWS_SCHEME, authorization) is not None


def has_trace(
    header_names: Iterable[str], authorizations: Iterable[bytes], queries: Iterable[bytes]
) -> bool:
    """Return whether anything of a request has to do with an AWS signature.

    Args:
        header_names: lower-case.
        authorizations: values of the Authorization header.
        queries: as sent; malformed ones too.
    """
    return (
        not set(TRACES).isdisjoint(header_names)
        or any(is_aws_scheme(value) for value in authorizations)
        or any(_is_trace(item.partition(b"=")[0]) for q in queries for item in q.split(b"&"))
    )


def _is_trace(raw_name: bytes) -> bool:
    """Return whether *raw_name*, of a query as sent, is or could be one of the names."""
    decoded = raw_name.replace(b"+", b" ")
    for _ in range(_MAX_ESCAPED):
        decoded = percent_decode(decoded)
    tape = _tape()
    places = tape.starts
    for piece in tape.piece.finditer(decoded.decode("utf-8", "surrogateescape").lower()):
        if piece[1] is not None:
            places = (places & tape.before.get(piece[1], 0)) << 1
        else:
            for _ in range(_MAX_HIDDEN):
                places |= (places << 1) & tape.inside
        if not places:
            return False
    return places & tape.ends != 0


class _Tape:
    """All names on one tape, with gaps that no step leads over.

    A set of places on it is a number with a bit for each, so that no name takes
    longer than it is long.

    Attributes:
        piece: finds a piece of a name that cannot be read (an escape that is
            broken, a byte that is no UTF-8, a blank), or a character, which is
            the group.
        starts: where a name starts.
        ends: where one ends.
        inside: where one has a character, or ends.
        before: the places of each character.
    """

    def __init__(self) -> None:
        tape = "".join(f"{name}\0\0" for name in TRACES)
        places = range(1, len(tape))
        self.piece = re.compile(
            r"%(?:u[0-9a-f]{0,4}|[0-9a-f]?)|[\x00-\x20\x7f\ufffd\udc80-\udcff]|(.)", re.DOTALL
        )
        self.starts = 1 | sum(1 << i for i in places if tape[i - 1] == "\0" != tape[i])
        self.ends = sum(1 << i for i in places if tape[i - 1] != "\0" == tape[i])
        self.inside = self.ends | sum(1 << i for i, letter in enumerate(tape) if letter != "\0")
        self.before = {
            letter: sum(1 << i for i, found in enumerate(tape) if found == letter)
            for letter in set(tape) - {"\0"}
        }


@cache
def _tape() -> _Tape:
    """Return the tape, made when the first query is looked through: few are."""
    return _Tape()
