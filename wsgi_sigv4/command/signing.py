"""``sign`` and ``presign``: a request to try things out with.

The secret comes from where :mod:`wsgi_sigv4.command.keys` finds it. What is
printed has a signature in it, and the session token of temporary credentials:
without these there would be nothing to try out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from urllib.parse import urlsplit

from wsgi_sigv4.command.faults import CommandFault
from wsgi_sigv4.command.keys import Keys
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.limits import MAX_EXPIRES
from wsgi_sigv4.limits import SCOPE_PART
from wsgi_sigv4.profiles import Profile
from wsgi_sigv4.signer import Signer

_HEADER: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?::[ \t]*([\t -~]*)|;)", re.ASCII)
#: What the signer makes itself.
_RESERVED: Final = frozenset({"authorization", "x-amz-date", "x-amz-security-token"})
_METHOD: Final = re.compile(r"[A-Za-z]{1,32}", re.ASCII)
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that is to be signed.

    Attributes:
        method: the method.
        url: the whole URL, as it will be sent.
        headers: what else will be sent.
        body: the body, or None for none.
        body_file: the file it was read from, or None.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = field(default=None, repr=False)
    body_file: str | None = None

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        headers: Sequence[str],
        *,
        body: bytes | None = None,
        body_file: str | None = None,
    ) -> Draft:
        """Return the draft that the arguments of the command line make.

        Raises:
            CommandFault: if they make no sense.
        """
        if _METHOD.fullmatch(method) is None:
            raise CommandFault("METHOD is letters, such as GET")
        _check_url(url)
        return cls(
            method=method,
            url=url,
            headers=_with_content_type(_headers(headers), body),
            body=body,
            body_file=body_file,
        )


def signer(
    keys: Keys,
    *,
    region: str,
    service: str,
    profile: Profile | None,
    clock: Callable[[], float],
) -> Signer:
    """Return a signer with the first of *keys*.

    Raises:
        CommandFault: if region or service are no parts of a credential scope.
    """
    for name, part in (("region", region), ("service", service)):
        if re.fullmatch(SCOPE_PART, part) is None:
            raise CommandFault(f"--{name} is letters, digits and dashes, 64 at most")
    access_key_id, credentials = next(iter(keys.credentials.items()))
    secret = credentials.secret_access_key
    assert secret is not None  # noqa: S101 (neither provider holds signing keys)
    return Signer(
        access_key_id,
        secret.reveal(),
        region=region,
        service=service,
        session_token=credentials.session_token,
        profile=profile,
        clock=clock,
    )


def signed_headers(signer: Signer, draft: Draft, *, unsigned_payload: bool) -> dict[str, str]:
    """Return all headers of *draft*, those of the signature included.

    Raises:
        CommandFault: if it cannot be signed as it is.
    """
    try:
        added = signer.headers(
            draft.method,
            draft.url,
            headers=draft.headers,
            body=draft.body or b"",
            unsigned_payload=unsigned_payload,
        )
    except (SigV4Error, ValueError) as fault:
        raise CommandFault(f"URL: {fault}") from None
    taken = {name.lower() for name in added}
    return {n: v for n, v in draft.headers.items() if n.lower() not in taken} | added


def presigned_url(signer: Signer, draft: Draft, *, expires: int) -> str:
    """Return the URL of *draft* with a signature in it.

    Raises:
        CommandFault: if it cannot be signed as it is.
    """
    if not 1 <= expires <= MAX_EXPIRES:
        raise CommandFault(f"--expires is 1 to {MAX_EXPIRES} seconds")
    try:
        return signer.presign(
            draft.method,
            draft.url,
            expires=expires,
            headers=draft.headers,
            body=draft.body or b"",
        )
    except (SigV4Error, ValueError) as fault:
        raise CommandFault(f"URL: {fault}") from None


def curl_command(draft: Draft, headers: Mapping[str, str]) -> str:
    """Return a command line for POSIX shells that sends *draft* with *headers*."""
    # As it stands: curl would take out dot segments, and expand brackets.
    words = ["curl", "--path-as-is", "--globoff"]
    if draft.method == "HEAD" and draft.body is None:
        words.append("--head")
    elif draft.method != ("GET" if draft.body is None else "POST"):
        words += ["--request", draft.method]
    for name, value in headers.items():
        # So curl is told to send an empty one.
        words += ["--header", f"{name}: {value}" if value else f"{name};"]
    if draft.body_file is not None:
        words += ["--data-binary", f"@{draft.body_file}"]
    elif draft.body is not None:
        words += ["--data-raw", draft.body.decode("utf-8", "surrogateescape")]
    return shlex.join([*words, draft.url])


def _check_url(url: str) -> None:
    if re.fullmatch(r"[!-~]+", url, re.ASCII) is None:
        raise CommandFault("URL: percent-encode what is not ASCII, and blanks")
    try:
        parts = urlsplit(url)
        # A port that is no number raises when it is asked for.
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as fault:
        raise CommandFault(f"URL: {fault}") from None
    if not usable:
        raise CommandFault("URL: give the whole of it, such as https://api.example.com/items")
    if "@" in parts.netloc:
        raise CommandFault("URL: leave user and password out, they would be sent as well")


def _headers(lines: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    names: set[str] = set()
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise CommandFault("--header is 'Name: value', in printable ASCII")
        name = match[1].lower()
        if name in _RESERVED:
            raise CommandFault(f"--header: {match[1]} is made by signing")
        if name in names:
            raise CommandFault(f"--header: {match[1]} stands twice")
        names.add(name)
        headers[match[1]] = (match[2] or "").strip()
    return headers


def _with_content_type(headers: dict[str, str], body: bytes | None) -> dict[str, str]:
    """Return *headers* with the Content-Type that curl sends with a body where none is given."""
    if body is None or any(name.lower() == "content-type" for name in headers):
        return headers
    return headers | {"Content-Type": _FORM}
