"""Hypotheses about signed headers of any name: blanks, repeats, case, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from wsgi_sigv4.canonical import folded
from wsgi_sigv4.explain.headers import header_change
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import HEADER
from wsgi_sigv4.explain.readings import NO_LINE
from wsgi_sigv4.explain.readings import UNLISTED
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.policy import TOKEN_HEADERS

#: No proxy changes these, and the rules have looked at them.
_OWN: Final = frozenset({"host", "x-amz-date", "x-amz-content-sha256", *TOKEN_HEADERS})


def _joined(case: Case) -> Iterator[Change]:
    for name in case.names:
        lines = [line.strip(b" \t") for line in case.lines[name]]
        if len(lines) > 1:
            for ordered in (lines, lines[::-1], sorted(lines)):
                for glue in (b", ", b",", b"; ", b" "):
                    value = folded(glue.join(ordered))
                    yield header_change(case, name, value)
            yield header_change(case, name, folded(lines[0]))
            yield header_change(case, name, folded(lines[-1]))
        elif b"," in lines[0]:
            value = case.base[HEADER + name]
            for glue in (b",", b", "):
                yield header_change(case, name, re.sub(rb" ?, ?", glue, value))
            parts = [part.strip() for part in value.split(b",")]
            for ordered in (parts[::-1], sorted(parts)):
                yield header_change(case, name, b",".join(ordered))
                yield header_change(case, name, b", ".join(ordered))


def _blanks(case: Case) -> Iterator[Change]:
    right = "with other blanks"
    for name in case.names:
        raw = b",".join(case.lines[name])
        trimmed = raw.strip(b" \t")
        for value in (trimmed, raw, folded(raw), raw.lstrip(b" \t"), raw.rstrip(b" \t")):
            yield header_change(case, name, value, right)
        yield header_change(case, name, re.sub(rb"[ \t]+", b"", raw), right)
        yield header_change(case, name, b" " + folded(trimmed), right)


def _small(case: Case) -> Iterator[Change]:
    for name in case.names:
        if name not in _OWN:
            value = case.base[HEADER + name]
            yield header_change(case, name, value.lower())
    for name in case.names:
        if name not in _OWN:
            yield header_change(case, name, case.base[HEADER + name].upper())


def _charset(case: Case) -> Iterator[Change]:
    for name in case.names:
        value = case.base[HEADER + name]
        if value.isascii():
            continue
        yield header_change(case, name, value.decode("latin-1").encode())
        with suppress(UnicodeError):
            yield header_change(case, name, value.decode().encode("latin-1"))
        yield header_change(case, name, re.sub(rb"[^\x00-\x7f]", b"?", value))


def _quotes(case: Case) -> Iterator[Change]:
    for name in case.names:
        if name not in _OWN:
            value = case.base[HEADER + name]
            yield header_change(case, name, value.strip(b'"'))


def _missing(case: Case) -> Iterator[Change]:
    names = [name for name in case.names if name not in _OWN]
    for value in (b"", UNLISTED, NO_LINE):
        for name in names:
            yield header_change(case, name, value, "empty" if value == b"" else "not there")


def _unsigned_token(case: Case) -> Iterator[Change]:
    for name in TOKEN_HEADERS:
        if name in case.names:
            for value in (b"", UNLISTED, NO_LINE):
                yield header_change(case, name, value, "not signed")


HEADER_FORMS: Final = (
    Hypothesis(
        id="header-joined",
        title="Values of a repeated header were joined or ordered in another way",
        party="client",
        remedy=(
            "Send each header once (Apache as a proxy joins repeated ones with a blank), or sign "
            "repeated ones joined with a comma and no blank, in the order sent."
        ),
        propose=_joined,
    ),
    Hypothesis(
        id="header-blanks",
        title="Blanks of a header value were not trimmed or folded before signing",
        party="client",
        remedy=(
            "Let the client trim values and fold inner runs of blanks to one before it signs, or "
            "send values without such blanks."
        ),
        propose=_blanks,
        rare=1,
    ),
    Hypothesis(
        id="header-case",
        title="A header value was signed in another letter case",
        party="client",
        remedy="Let the client sign the value as it sends it, or send it in lower case.",
        propose=_small,
        rare=3,
    ),
    Hypothesis(
        id="header-charset",
        title="A header value that is not ASCII was encoded in another character set",
        party="client",
        remedy="Send ASCII only in headers: percent-encode the rest.",
        propose=_charset,
        rare=2,
    ),
    Hypothesis(
        id="header-quotes",
        title="A header value was signed without its quotes",
        party="client",
        remedy="Let the client sign the value as it sends it, quotes included.",
        propose=_quotes,
        rare=8,
    ),
    Hypothesis(
        id="header-missing",
        title="A signed header was not there, or empty, when the request was signed",
        party="proxy",
        remedy=(
            "Something set the header after signing: take that out, or let the client leave the "
            "header out of its signed headers."
        ),
        propose=_missing,
        rare=3,
    ),
    Hypothesis(
        id="token-header-unsigned",
        title="The session token's header was listed as signed, but not signed",
        party="client",
        remedy=(
            "Let the client sign X-Amz-Security-Token, or list it nowhere and accept it unsigned: "
            "allow_unsigned_session_token=True."
        ),
        propose=_unsigned_token,
        rare=1,
    ),
)
