"""Hypotheses about the payload hash: what was signed for the body."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.explain.bodies import MAX_BODY
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.hypothesis import Propose
from wsgi_sigv4.explain.readings import HEADER
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.policy import PAYLOAD_HASH

_UNSIGNED: Final = PayloadForm.UNSIGNED.value


def _payload(case: Case, value: str, right: str) -> Iterator[Change]:
    arrived = (
        "another body"
        if case.attempt.payload.form is PayloadForm.ABSENT
        else (f"the payload hash `{case.payload_hash}`")
    )
    places: list[dict[str, bytes]] = [{"payload": value.encode()}]
    if PAYLOAD_HASH in case.names:
        places.append(places[0] | {HEADER + PAYLOAD_HASH: value.encode()})
    for pieces in places:
        yield Change(pieces=pieces, what="", right=right, arrived=arrived)


def _form(cause: str) -> Propose:
    """Return a proposal of what the body may have been by *cause*."""

    def propose(case: Case) -> Iterator[Change]:
        for form in case.body_forms:
            if form.cause == cause:
                yield from _payload(case, form.payload_hash, form.phrase)

    return propose


def _unsigned(case: Case) -> Iterator[Change]:
    yield from _payload(case, _UNSIGNED, "UNSIGNED-PAYLOAD")


def _own_hash(case: Case) -> Iterator[Change]:
    if case.body is not None and len(case.body) <= MAX_BODY:
        found = hashlib.sha256(case.body).hexdigest()
        yield from _payload(case, found, "the hash of the body")
        yield from _payload(case, found.upper(), "the hash of the body in upper case")
    yield from _payload(case, case.payload_hash.upper(), "the payload hash in upper case")


def _left_out(case: Case) -> Iterator[Change]:
    yield from _payload(case, "", "no payload hash at all")


def _streaming(case: Case) -> Iterator[Change]:
    for form in PayloadForm:
        if form.is_streaming:
            yield from _payload(case, form.value, form.value)


PAYLOADS: Final = (
    Hypothesis(
        id="body-empty",
        title="The hash of an empty body was signed for one that is not (curl 7.88 with -T or -F)",
        party="client",
        remedy=(
            "curl 7.88 signs an empty body for -T and -F: update it, or send with "
            "--data-binary @FILE, or with -H 'x-amz-content-sha256: HASH'. Other clients: sign the "
            "body that is sent."
        ),
        propose=_form("body-empty"),
    ),
    Hypothesis(
        id="payload-unsigned",
        title="UNSIGNED-PAYLOAD was signed, but not said in x-amz-content-sha256",
        party="client",
        remedy=(
            "Let the client send x-amz-content-sha256: UNSIGNED-PAYLOAD with such a signature (and "
            "allow_unsigned_payload=True outside S3), or sign the hash of the body."
        ),
        propose=_unsigned,
    ),
    Hypothesis(
        id="payload-hash",
        title="The hash of the body was signed, but x-amz-content-sha256 says something else",
        party="client",
        remedy=(
            "Let the client sign what it sends in x-amz-content-sha256, in lower case, and let "
            "no proxy set it."
        ),
        propose=_own_hash,
        rare=1,
    ),
    Hypothesis(
        id="payload-left-out",
        title="Nothing was signed in the place of the payload hash",
        party="client",
        remedy=(
            "Let the client end its canonical request with the SHA-256 of the body in hex, also of "
            "an empty body (e3b0c442...)."
        ),
        propose=_left_out,
        rare=4,
    ),
    Hypothesis(
        id="payload-streaming",
        title="A streaming form was signed, but not said in x-amz-content-sha256",
        party="client",
        remedy="Let the client send the streaming form that it signs in x-amz-content-sha256.",
        propose=_streaming,
        rare=6,
    ),
    Hypothesis(
        id="body-newline",
        title="Line endings at the end of the body were removed or added",
        party="client",
        remedy=(
            "Sign and send the same bytes: curl --data-binary @FILE instead of --data @FILE, which "
            "drops line endings; echo -n."
        ),
        propose=_form("body-newline"),
    ),
    Hypothesis(
        id="body-bom",
        title="A byte order mark was put before the body, or taken away",
        party="client",
        remedy="Write the file without a byte order mark (UTF-8, not UTF-8-SIG).",
        propose=_form("body-bom"),
        rare=1,
    ),
    Hypothesis(
        id="body-line-ends",
        title="Line endings were converted between LF and CRLF",
        party="client",
        remedy="Send the body as bytes: a text mode, FTP or an editor changed its line endings.",
        propose=_form("body-line-ends"),
        rare=1,
    ),
    Hypothesis(
        id="body-compressed",
        title="The body was compressed after it had been signed",
        party="proxy",
        remedy="Compress the body before it is signed, or take the compressing hop out.",
        propose=_form("body-compressed"),
        rare=1,
    ),
    Hypothesis(
        id="body-json",
        title="The body is the signed JSON, written in another way",
        party="client",
        remedy=(
            "Sign the very bytes that are sent: serialise once (requests: data=json.dumps(...), not"
            " json=...); a gateway that parses and writes JSON again breaks the signature."
        ),
        propose=_form("body-json"),
        rare=1,
    ),
    Hypothesis(
        id="body-charset",
        title="The body was encoded in another character set",
        party="client",
        remedy="Encode the body to UTF-8 bytes before it is signed, and send those.",
        propose=_form("body-charset"),
        rare=2,
    ),
    Hypothesis(
        id="body-form-blanks",
        title="Blanks of a form were written as + and as %20",
        party="client",
        remedy="Encode the form once, and sign the bytes that are sent.",
        propose=_form("body-form-blanks"),
        rare=2,
    ),
)
