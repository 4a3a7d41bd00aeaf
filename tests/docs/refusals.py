"""One refusal of each class, and what it is told, for the table of docs/errors.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wsgi_sigv4 import errors
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reasons import reason

_SCOPE = {
    "date": "20261121",
    "region": "a",
    "service_sent": "b",
    "terminator": "aws4_request",
    "expected_regions": ("c",),
    "expected_services": ("d",),
    "request_date": "20261121",
    "request_timestamp": "20261121T204220Z",
}
_TIMES = {"request_time": 0, "server_time": 1.0, "max_skew": 300}

#: Those that only one of the two forms of signature can be refused with.
HEADER_ONLY = {
    *("UnsupportedAuthorization", "MalformedAuthorization", "RequestTimeTooSkewed"),
    "MissingPayloadHash",
}
PRESIGNED_ONLY = {"InvalidExpires", "RequestExpired", "RequestNotYetValid"}

#: The facts of a case, by the name of the class; none where it has none.
FACTS: dict[str, list[dict[str, Any]]] = {
    "UnsupportedAuthorization": [
        {"scheme": "AWS"},
        {"scheme": "AWS", "has_parameters": False},
    ],
    "UnsupportedAlgorithm": [{"algorithm": "x"}],
    "AlgorithmNotImplemented": [{"algorithm": "x"}],
    "MalformedAuthorization": [{"part": "x"}],
    "MissingParameters": [{"names": ("Signature",)}],
    "DuplicateParameter": [{"name": "Signature"}],
    "MalformedCredential": [{"credential": "x"}],
    "MalformedSignedHeaders": [{"signed_headers": "x"}],
    "MalformedDate": [{"date": "x"}],
    "RequestTimeTooSkewed": [_TIMES],
    "RequestNotYetValid": [_TIMES],
    "InvalidExpires": [{"expires": "x"}],
    "RequestExpired": [
        {"expires": 1, "expired_at": 1, "server_time": 1.0, "request_time": 0},
    ],
    "ScopeMismatch": [
        {"faults": (fault,), **_SCOPE} for fault in ("terminator", "region", "service", "date")
    ],
    "SignedHeaderMissing": [{"name": "x"}],
    "HeadersNotSigned": [{"names": ("x-amz-acl",)}],
    "HostNotAccepted": [{"host": "x"}],
    "ConflictingValues": [{"name": "x"}],
    "InvalidPayloadHash": [{"value": "x"}],
    "PayloadFormNotAllowed": [{"value": "UNSIGNED-PAYLOAD"}, {"value": "STREAMING-X"}],
    "PayloadFormNotImplemented": [{"value": "x"}],
    "SignatureMismatch": [{"signature": "x"}],
    "PayloadHashMismatch": [{"declared": "x", "computed": "y"}],
    "MalformedChunk": [{"fault": "x"}],
    "InvalidChunkSize": [{"chunk": 1, "size": 1}],
    "UnsupportedTrailer": [{"name": "x"}],
    "ChecksumMismatch": [{"algorithm": "crc32"}],
    "InvalidChecksum": [{"name": "x"}, {"name": "content-md5"}],
    "ChecksumNotImplemented": [{"algorithm": "x"}],
    "MalformedRequest": [{"fault": "x"}],
    "MalformedTarget": [{"fault": "x"}],
    "MalformedQuery": [{"fault": "x"}],
    "InvalidContentLength": [{"value": "x"}],
    "IncompleteBody": [{"expected": 2, "received": 1}],
    "BodyTooLarge": [{"limit": 1}],
    "KeyLimitExceeded": [{"limit": "methods"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table: a class, and its answers."""

    name: str
    s3: str
    others: str


def kinds() -> Iterator[type[SigV4Error]]:
    """Yield each class of refusal, in the order of the tree."""
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, SigV4Error) and value is not SigV4Error:
            yield value


def row(kind: type[SigV4Error]) -> Row:
    """Return the row of *kind*: every answer that it has, in either form."""
    s3: dict[str, None] = {}
    others: dict[str, None] = {}
    for facts in FACTS.get(kind.__name__, [{}]):
        for presigned in (False, True):
            if kind.__name__ in (HEADER_ONLY if presigned else PRESIGNED_ONLY):
                continue
            refusal = kind(**facts)
            refusal.presigned = presigned
            found = reason(refusal, ErrorFormat.S3)
            s3[f"{found.status} `{found.code}`"] = None
            found = reason(refusal, ErrorFormat.AWS)
            others[f"{found.status} `{found.code}`"] = None
    return Row(name=kind.__name__, s3=", ".join(s3), others=", ".join(others))
