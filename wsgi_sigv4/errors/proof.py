"""Refusals for who signed a request: the key, its session token, the signature; rules 9 and 10.

They are about secrets: what they carry, no repr shows.
"""

from __future__ import annotations

from collections.abc import Callable

from wsgi_sigv4.errors.root import SigV4Error


class UnknownAccessKey(SigV4Error):
    """No credentials are known for the access key id."""

    summary = "The access key id is unknown."


class DisabledAccessKey(UnknownAccessKey):
    """The access key is known, but disabled; clients are told that it is unknown."""

    summary = "The access key is disabled."


class InvalidSessionToken(SigV4Error):
    """The session token is wrong, missing for a temporary key, or given with a permanent one."""

    #: True where the request carries no token at all.
    absent: bool = False

    summary = "The session token does not belong to the access key."


class ExpiredCredentials(SigV4Error):
    """The credentials are past their expiry."""

    summary = "The credentials have expired."


class CredentialsUnavailable(SigV4Error):
    """The back end that holds the credentials cannot be reached.

    Raised by a credential provider; answered with 503 and Retry-After.

    Args:
        retry_after: seconds after which a client may try again.
    """

    summary = "The credentials cannot be looked up at the moment."
    hint = "Look at the credential provider's own log."

    def __init__(self, message: str = "", *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Evidence:
    """What the server canonicalised, for ``explain=True`` only.

    It holds cookies and session tokens as they were signed; whoever shows it
    redacts them, and its repr shows nothing. It never holds the calculated
    signature.
    """

    __slots__ = ("canonical_request", "session_token", "string_to_sign")

    def __init__(
        self, *, canonical_request: bytes, string_to_sign: bytes, session_token: str | None = None
    ) -> None:
        self.canonical_request = canonical_request
        self.string_to_sign = string_to_sign
        self.session_token = session_token

    def __repr__(self) -> str:
        return "Evidence()"


class SignatureMismatch(SigV4Error):
    """The signature is not the one that the request and the secret make.

    Attributes:
        signature: the signature as sent.
        explain: makes the evidence out of the request, or None. A function, so
            that what shows the attributes of an exception shows no cookies.
    """

    signature: str
    explain: Callable[[], Evidence] | None = None

    _hidden = ("signature", "explain")

    summary = "The signature does not match."
    hint = (
        "The secret differs, or something between the client and this server changed the Host "
        "header (nginx: proxy_set_header Host $http_host), the path, the query or a signed header."
    )

    def _facts(self) -> dict[str, object]:
        # The signature of a presigned URL is a key, once what broke it is mended.
        return super()._facts() | {"signature": "", "explain": None}

    @property
    def evidence(self) -> Evidence | None:
        """What the server canonicalised, made when it is asked for; None where nothing can be."""
        return None if self.explain is None else self.explain()


class AccessDenied(SigV4Error):
    """The request is authentic, but the operator does not allow it."""

    summary = "The operator's authorize refused the request."


class KeyLimitExceeded(AccessDenied):
    """The request is authentic, but more than its access key is allowed.

    Attributes:
        limit: the name of the limit, as :class:`~wsgi_sigv4.Credentials` takes it.
    """

    limit: str

    summary = "The request is more than its access key is allowed."

    def __str__(self) -> str:
        return f"The access key is not allowed this: {self.limit}."
