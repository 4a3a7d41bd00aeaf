"""Hypotheses about the key, the scope and the time: the signing key was made in another way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from datetime import timedelta
from typing import Final
from urllib.parse import quote
from urllib.parse import quote_plus
from urllib.parse import unquote
from urllib.parse import unquote_plus

from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.hypothesis import Propose
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change
from wsgi_sigv4.timestamps import find_date

_REGIONS: Final = (
    *("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "us-east-2", "us-west-1"),
    *("eu-west-2", "eu-west-3", "eu-north-1", "ap-southeast-1", "ap-southeast-2", "ap-south-1"),
    *("ap-northeast-1", "ap-northeast-2", "ca-central-1", "sa-east-1", "auto", "default"),
    *("local", "localhost", "garage", "minio", "us-standard", "none", "", "aws-global"),
)
_SERVICES: Final = (
    *("s3", "execute-api", "es", "aoss", "lambda", "sts", "iam", "dynamodb", "sqs", "sns"),
    *("service", "host", "appsync", "vpc-lattice-svcs", "aps", "bedrock", "osis", "s3express", ""),
)


def _other_scope(case: Case, what: str, **parts: str) -> Iterator[Change]:
    scope = case.scope(**parts)
    (part,) = parts
    right, arrived = f"`{parts[part]}`", f"`{getattr(case.attempt.scope, part)}`"
    for signed, key in ((None, scope), (scope, scope), (scope, None)):
        yield Change(scope=signed, key_scope=key, what=what, right=right, arrived=arrived)


def _region(case: Case) -> Iterator[Change]:
    for region in dict.fromkeys((*(case.verifier.regions or ()), *_REGIONS)):
        if region != case.attempt.scope.region:
            yield from _other_scope(case, "the region", region=region)


def _service(case: Case) -> Iterator[Change]:
    for service in dict.fromkeys((*(case.verifier.services or ()), *_SERVICES)):
        if service != case.attempt.scope.service:
            yield from _other_scope(case, "the service", service=service)


def _date(case: Case) -> Iterator[Change]:
    day = datetime.strptime(case.attempt.scope.date, "%Y%m%d")
    for days in (-1, 1):
        with suppress(OverflowError):
            date = (day + timedelta(days=days)).strftime("%Y%m%d")
            yield from _other_scope(case, "the date of the scope", date=date)


def _time(case: Case) -> Iterator[Change]:
    iso = case.attempt.timestamp.iso
    date = (case.header("date") or b"").decode("ascii", "replace")
    found = find_date(date)
    spellings = [iso[:-1], *([found.iso] if found else []), date]
    moment = f"{iso[:4]}-{iso[4:6]}-{iso[6:8]}T{iso[9:11]}:{iso[11:13]}:{iso[13:15]}Z"
    for text in (*spellings, moment):
        if text:
            yield Change(
                pieces={"timestamp": text.encode("ascii", "replace")},
                what="the request time",
                right=text.encode("ascii", "replace"),
                arrived=iso.encode(),
            )


def _spelt(spell: Callable[[str], Iterable[str]], right: str) -> Propose:
    """Return a proposal of the secrets that *spell* makes of the right one."""

    def propose(case: Case) -> Iterator[Change]:
        for spelling in spell(case.secret.reveal()):
            if spelling:
                yield Change(
                    secret=Secret(spelling),
                    what="",
                    right=right,
                    arrived="",
                )

    return propose


def _blanks(secret: str) -> tuple[str, ...]:
    stripped = secret.strip()
    return (
        *(stripped, secret + "\n", secret + "\r\n", secret + " ", " " + secret, secret + "\r"),
        *(secret.rstrip(), secret.lstrip(), stripped + "\n", secret + "\t", "\ufeff" + secret),
        *(secret.strip("\ufeff\u200b"), secret + "\0", "".join(secret.split())),
        # What web pages and chats put around a text that is copied.
        *(secret + "\u00a0", "\u00a0" + secret, secret + "\u200b", "\u200b" + secret),
    )


def _quotes(secret: str) -> tuple[str, ...]:
    quoted = tuple(mark + secret + mark for mark in ('"', "'", "`"))
    return (*quoted, secret.strip("\"'`"), f"{secret},", f"{secret};", secret.rstrip(",;"))


def _encoded(secret: str) -> tuple[str, ...]:
    return (
        *(quote(secret, safe=""), quote(secret), unquote(secret), secret.replace("+", " ")),
        *(unquote_plus(secret), quote_plus(secret), secret.replace(" ", "+")),
        *(base64.b64encode(secret.encode()).decode(), _unbased(secret)),
        *(secret.replace("/", "\\/"), secret.replace("\\/", "/"), f"AWS4{secret}"),
    )


def _unbased(secret: str) -> str:
    try:
        return base64.b64decode(secret, validate=True).decode()
    except ValueError:
        return ""


def _cut(secret: str) -> tuple[str, ...]:
    return secret.lower(), secret.upper(), secret[:-1], secret[1:], secret[:40]


_PASTE: Final = (
    "Set the secret again on the side that has it wrong, as it was issued, without {}: look at the "
    "environment variable, the shared file and the secret store of the client, then at the "
    "server's."
)

KEYS: Final = (
    Hypothesis(
        id="secret-blanks",
        title="The secret was used with blanks or a line ending around it",
        party="key",
        remedy=_PASTE.format("blanks or a line end (echo -n, tr -d '\\n')"),
        propose=_spelt(_blanks, "the secret with other blanks or line endings around it"),
    ),
    Hypothesis(
        id="secret-quotes",
        title="The secret was used with quotes around it",
        party="key",
        remedy=_PASTE.format("quotes (docker --env-file and INI files keep them)"),
        propose=_spelt(_quotes, "the secret with other quotes or punctuation around it"),
    ),
    Hypothesis(
        id="secret-encoded",
        title="The secret was percent-encoded, base64-encoded or escaped, or + became a space",
        party="key",
        remedy=_PASTE.format("percent escapes, base64 (Kubernetes secrets) or backslashes"),
        propose=_spelt(_encoded, "the secret in another encoding"),
        rare=1,
    ),
    Hypothesis(
        id="secret-cut",
        title="The secret was used in another letter case, or without its first or last character",
        party="key",
        remedy=_PASTE.format("a change"),
        propose=_spelt(_cut, "the secret in another letter case, or cut"),
        rare=4,
    ),
    Hypothesis(
        id="scope-service",
        title="The signing key was made for another service than the credential names",
        party="client",
        remedy=(
            "Give the client's signer one service, for the credential and for the key: look for a "
            "signing key that is cached, or made by hand."
        ),
        propose=_service,
        rare=1,
    ),
    Hypothesis(
        id="scope-region",
        title="The signing key was made for another region than the credential names",
        party="client",
        remedy=(
            "Give the client's signer one region, for the credential and for the key: look for a "
            "signing key that is cached, or made by hand."
        ),
        propose=_region,
        rare=1,
    ),
    Hypothesis(
        id="scope-date",
        title="The signing key was made for another day than the credential names",
        party="client",
        remedy=(
            "Let the client take UTC for the date of the scope and of the key, and derive the key "
            "again each day: a cached one ends at midnight UTC."
        ),
        propose=_date,
    ),
    Hypothesis(
        id="time-form",
        title="Another time, or another form of it, was signed than X-Amz-Date says",
        party="client",
        remedy="Let the client put X-Amz-Date into the string to sign as it sends it.",
        propose=_time,
        rare=1,
    ),
)
