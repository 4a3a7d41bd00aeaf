"""Hypotheses about the method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

_OVERRIDES: Final = ("x-http-method-override", "x-method-override", "x-http-method")
_METHODS: Final = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"PATCH", b"OPTIONS")


def _method(case: Case, method: bytes) -> Change:
    return Change(
        pieces={"method": method},
        what="the method",
        right=method,
        arrived=case.base["method"],
    )


def _head(case: Case) -> Iterator[Change]:
    other = {b"GET": b"HEAD", b"HEAD": b"GET"}.get(case.base["method"])
    if other is not None:
        yield _method(case, other)


def _override(case: Case) -> Iterator[Change]:
    for header in _OVERRIDES:
        value = case.header(header)
        if value:
            yield _method(case, value)
            yield _method(case, value.upper())
            # Where it was obeyed before the request got here, what was signed is what tunnelled it.
            if value.upper() == case.base["method"]:
                yield _method(case, b"POST")
    for name, value in case.attempt.query:
        if name == b"_method":
            yield _method(case, value.upper())


def _spelling(case: Case) -> Iterator[Change]:
    method = case.base["method"]
    for spelt in (method.upper(), method.lower(), method.capitalize()):
        yield _method(case, spelt)


def _other(case: Case) -> Iterator[Change]:
    for method in _METHODS:
        yield _method(case, method)


METHODS: Final = (
    Hypothesis(
        id="method-head",
        title="GET and HEAD were exchanged: a presigned URL is good for one method",
        party="client",
        remedy=(
            "Presign the URL for the method that is used (curl -I sends HEAD), and let no cache "
            "turn HEAD into GET (nginx: proxy_cache_convert_head off; Varnish: return (pass))."
        ),
        propose=_head,
    ),
    Hypothesis(
        id="method-override",
        title="The method was overridden by X-HTTP-Method-Override or _method",
        party="proxy",
        remedy=(
            "Let the proxy pass the method on (nginx: no proxy_method), put what reads the "
            "override behind the verifier, or let the client sign the method that it sends."
        ),
        propose=_override,
    ),
    Hypothesis(
        id="method-case",
        title="The method was signed in other capitals",
        party="client",
        remedy="Let the client sign the method in capitals, as it sends it.",
        propose=_spelling,
        rare=2,
    ),
    Hypothesis(
        id="method-changed",
        title="Another method was signed: a redirect, or a URL that was presigned for it",
        party="client",
        remedy=(
            "Send the method that was signed, and presign a URL for each method. A redirect (301, "
            "302) turns POST into GET: give the client the final URL. A proxy may do so too "
            "(nginx: take proxy_method out)."
        ),
        propose=_other,
        rare=1,
    ),
)
