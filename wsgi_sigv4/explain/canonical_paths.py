"""Hypotheses about the canonical URI: clients that canonicalise the path in another way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.canonical import canonical_uri
from wsgi_sigv4.canonical import normalize_path
from wsgi_sigv4.encoding import uri_encode
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change


def _uri(case: Case, uri: bytes, right: str) -> Change:
    # The path that arrived may be the very same: what differs is what is made of it.
    arrived = f"one whose canonical form is `{case.base['uri'].decode('ascii')}`"
    return Change(pieces={"uri": uri}, what="the path", right=right, arrived=arrived)


def _canonical(case: Case, right: str, *, normalize: bool, double_encode: bool) -> Iterator[Change]:
    path = case.request.path
    if normalize:
        try:
            path = normalize_path(path)
        except ValueError:
            return
    uri = canonical_uri(path, normalize=False, double_encode=double_encode)
    yield _uri(case, uri, f"{right}, `{uri.decode('ascii')}`")


def _verbatim(case: Case) -> Iterator[Change]:
    path = case.request.path
    right = f"as it stands on the wire, not encoded again, `{path.decode('ascii')}`"
    yield _uri(case, path, right)
    try:
        yield _uri(case, normalize_path(path), right)
    except ValueError:
        return


def _encoded_otherwise(case: Case) -> Iterator[Change]:
    profile = case.attempt.profile
    double = not profile.double_encode_path
    right = "encoded twice" if double else "decoded and encoded once"
    for normalize in (profile.normalize_path, not profile.normalize_path):
        yield from _canonical(case, right, normalize=normalize, double_encode=double)


def _normalized_otherwise(case: Case) -> Iterator[Change]:
    profile = case.attempt.profile
    normalize = not profile.normalize_path
    right = f"with{'out' if normalize else ''} its dot segments and doubled slashes"
    yield from _canonical(
        case, right, normalize=normalize, double_encode=profile.double_encode_path
    )


def _plus(case: Case) -> Iterator[Change]:
    path = case.request.path
    for spelt in (path.replace(b"+", b"%20"), path.replace(b"%20", b"+")):
        yield _uri(case, case.uri(spelt), f"with + for a space, `{spelt.decode('ascii')}`")


def _root(case: Case) -> Iterator[Change]:
    yield _uri(case, b"/", "`/`")
    yield _uri(case, b"", "left out")
    # Some sign the path of the URL without its first slash.
    yield _uri(case, uri_encode(case.request.path[1:], keep_slash=True), "without its first slash")


CANONICAL_PATHS: Final = (
    Hypothesis(
        id="path-normalization",
        title="The path was normalised for S3, or not normalised for another service",
        party="client",
        remedy=(
            "Ask for a path without //, . and .. segments, or let the client sign as the service's "
            "SDK does: S3's paths are not normalised, all others are."
        ),
        propose=_normalized_otherwise,
    ),
    Hypothesis(
        id="path-encoding",
        title="The path was encoded twice for S3, or once for another service",
        party="client",
        remedy=(
            "Let the client sign as the service's SDK does: S3's paths are encoded once, all others"
            " twice (curl 7.88 encodes none: update it). Where all clients sign this way, "
            "give the verifier the other profile (profile=S3 or GENERIC, or "
            "dataclasses.replace(GENERIC, double_encode_path=False))."
        ),
        propose=_encoded_otherwise,
    ),
    Hypothesis(
        id="path-verbatim",
        title="The path was signed as it stands on the wire (curl 7.88, aws-c-auth for S3)",
        party="client",
        remedy=(
            "The client signs the path without encoding it (curl 7.88 does, and signers fed "
            "with a raw URL): update it, or ask for a path of letters, digits, - . _ ~ and / only."
        ),
        propose=_verbatim,
    ),
    Hypothesis(
        id="path-plus",
        title="A + in the path was read as a space, or a space written as +",
        party="client",
        remedy="Write %2B for a plus and %20 for a space in the path; + is no space there.",
        propose=_plus,
        rare=2,
    ),
    Hypothesis(
        id="path-left-out",
        title="The client signed / or nothing in place of the path",
        party="client",
        remedy="Let the client sign the path that it sends: hand its signer the whole URL.",
        propose=_root,
        rare=8,
    ),
)
