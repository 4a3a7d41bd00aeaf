"""Credentials: what a client names, and what the operator issued.

A client names an *access key id* and a *credential scope*; a
:class:`CredentialProvider` answers with the :class:`Credentials` that the
operator issued for that id. Secrets stand in a :class:`Secret`, never in a
plain container: debug pages, logs and ``repr`` print whatever they can reach.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Final
from typing import NoReturn
from typing import Protocol
from typing import runtime_checkable

from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import MalformedCredential
from wsgi_sigv4.limits import SCOPE_PART
from wsgi_sigv4.limits import Limits

TERMINATOR: Final = "aws4_request"

# A comma would end the parameter in the header, a slash the id in the credential.
_ACCESS_KEY_ID: Final = re.compile(r"[\x21-\x2b\x2d\x2e\x30-\x7e]{1,128}", re.ASCII)
_SCOPE_PART: Final = re.compile(SCOPE_PART)
_DATE: Final = re.compile(r"[0-9]{8}", re.ASCII)
# The terminator holds an underscore, which region and service cannot.
_TERMINATOR_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def is_access_key_id(text: str) -> bool:
    """Return whether a client can name *text* as an access key id."""
    return _ACCESS_KEY_ID.fullmatch(text) is not None


class Secret:
    """A secret access key that shows itself to nobody by accident.

    ``repr``, ``str`` and ``format`` redact it, and it cannot be pickled.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied out of its process")


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialScope:
    """Date, region, service and terminator: what a signing key is good for.

    Attributes:
        date: the day, ``YYYYMMDD``.
        region: the region.
        service: the service.
        terminator: ``aws4_request``.
        text: all of them, as they are signed.
    """

    date: str
    region: str
    service: str
    terminator: str = TERMINATOR
    text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = f"{self.date}/{self.region}/{self.service}/{self.terminator}"
        object.__setattr__(self, "text", text)

    def __str__(self) -> str:
        return self.text


class Credential:
    """An access key id and its scope, as a client names them."""

    __slots__ = ("access_key_id", "scope")

    def __init__(self, *, access_key_id: str, scope: CredentialScope) -> None:
        self.access_key_id = access_key_id
        self.scope = scope

    def __str__(self) -> str:
        return f"{self.access_key_id}/{self.scope}"

    @classmethod
    def parse(cls, text: str) -> Credential:
        """Return the credential that *text* names.

        Raises:
            MalformedCredential: if it has not five parts of the allowed
                characters, or its date is not eight digits.
        """
        parts = text.split("/")
        if len(parts) != 5:
            raise MalformedCredential(credential=text)
        access_key_id, date, region, service, terminator = parts
        if (
            not is_access_key_id(access_key_id)
            or _SCOPE_PART.fullmatch(region) is None
            or _SCOPE_PART.fullmatch(service) is None
            or _TERMINATOR_PART.fullmatch(terminator) is None
        ):
            raise MalformedCredential(credential=text)
        if _DATE.fullmatch(date) is None:
            raise MalformedCredential(credential=text, date=date)
        scope = CredentialScope(date=date, region=region, service=service, terminator=terminator)
        return cls(access_key_id=access_key_id, scope=scope)


class Credentials:
    """What the operator issued for one access key id.

    Args:
        secret_access_key: the long-term or temporary secret; or else
        signing_key: the 32 bytes derived from it for the scope asked for, so
            that the verifier never holds the secret.
        session_token: set for temporary credentials; they verify only together
            with this token.
        principal: who owns the key; handed on in the identity as it is.
        expires_at: POSIX seconds after which the credentials are refused.
        enabled: a disabled key is answered as an unknown one.
        regions: the regions that the key may sign for; None: any.
        services: the services that it may sign for; None: any.
        methods: the methods that it may use, in capitals; GET does not include
            HEAD. None: any.
        path_prefixes: decoded paths below which it may ask for things; whole
            segments (``/a`` covers ``/a/b``, not ``/ab``), and never a path
            with dot segments, doubled slashes or backslashes. None: any path.
        presigned: True for presigned URLs only, False for header-signed
            requests only, None for both.
        max_expires: seconds that its presigned URLs may live at most.

    What exceeds a limit is AccessDenied, which is told only to who has the
    secret.

    Raises:
        ConfigurationError: if not exactly one of the first two is given, the
            secret is empty, the signing key has not 32 bytes, or a limit makes
            no sense.
    """

    __slots__ = (
        "enabled",
        "expires_at",
        "limits",
        "principal",
        "secret_access_key",
        "session_token",
        "signing_key",
    )

    def __init__(
        self,
        secret_access_key: str | Secret | None = None,
        *,
        signing_key: bytes | None = None,
        session_token: str | None = None,
        principal: object = None,
        expires_at: float | None = None,
        enabled: bool = True,
        regions: Sequence[str] | None = None,
        services: Sequence[str] | None = None,
        methods: Sequence[str] | None = None,
        path_prefixes: Sequence[str] | None = None,
        presigned: bool | None = None,
        max_expires: int | None = None,
    ) -> None:
        if (secret_access_key is None) == (signing_key is None):
            raise ConfigurationError("Credentials take a secret_access_key or a signing_key")
        if signing_key is not None and len(signing_key) != 32:
            raise ConfigurationError("a signing_key has 32 bytes")
        if isinstance(secret_access_key, str):
            secret_access_key = Secret(secret_access_key)
        if secret_access_key is not None and not _is_utf8(secret_access_key.reveal()):
            raise ConfigurationError("a secret_access_key is Unicode text")
        if secret_access_key is not None and not secret_access_key.reveal():
            raise ConfigurationError("an empty secret_access_key verifies everybody's requests")
        if session_token == "":
            raise ConfigurationError("an empty session_token is no token: leave it out")
        # Not every caller has a type checker: "false" would enable a key.
        if enabled is not True and enabled is not False:
            raise ConfigurationError("enabled is True or False")
        self.secret_access_key = secret_access_key
        self.signing_key = signing_key
        self.session_token = session_token
        self.principal = principal
        self.expires_at = expires_at
        self.enabled = enabled
        self.limits = Limits.of(
            regions=regions,
            services=services,
            methods=methods,
            path_prefixes=path_prefixes,
            presigned=presigned,
            max_expires=max_expires,
        )

    def __repr__(self) -> str:
        return f"Credentials(principal={self.principal!r}, expires_at={self.expires_at!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Credentials cannot be pickled or copied out of their process")


@runtime_checkable
class CredentialProvider(Protocol):
    """Whatever finds the credentials of an access key id.

    A provider may also have ``async alookup`` of the same form, which is used
    under ASGI; without it ``lookup`` runs in a thread there.
    """

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown.

        Nothing about the request has been verified yet: *session_token* and
        *scope* are what the client claims.

        Raises:
            CredentialsUnavailable: if the back end cannot be reached (503).
        """


CredentialSource = (
    CredentialProvider
    | Mapping[str, "str | Secret | Credentials"]
    | Callable[[str], "str | Secret | Credentials | None"]
)


class MappingProvider:
    """Credentials in a mapping of access key id to secret or :class:`Credentials`.

    The mapping is copied: its secrets then stand in redacting types only.
    """

    def __init__(self, mapping: Mapping[str, str | Secret | Credentials]) -> None:
        self._credentials = {key: as_credentials(value) for key, value in mapping.items()}

    def __repr__(self) -> str:
        return f"MappingProvider(<{len(self._credentials)} keys>)"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where it is unknown."""
        return self._credentials.get(access_key_id)


class CallableProvider:
    """Credentials from a function of the access key id."""

    def __init__(self, function: Callable[[str], str | Secret | Credentials | None]) -> None:
        self._function = function

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return what the function returns for *access_key_id*, or None where it is unknown."""
        found = self._function(access_key_id)
        return None if found is None else as_credentials(found)


def _is_utf8(text: str) -> bool:
    # A lone surrogate would fail in the derivation, with the secret in the message.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def as_credentials(value: str | Secret | Credentials) -> Credentials:
    """Return *value* as :class:`Credentials`, a bare secret becoming permanent ones."""
    if isinstance(value, Credentials):
        return value
    if isinstance(value, str | Secret):
        return Credentials(value)
    raise ConfigurationError(f"neither a secret nor Credentials: {type(value).__name__}")


def as_provider(source: CredentialSource) -> CredentialProvider:
    """Return *source* as a provider.

    Raises:
        ConfigurationError: if it is neither a provider, nor a mapping, nor callable.
    """
    if isinstance(source, CredentialProvider):
        return source
    if isinstance(source, Mapping):
        return MappingProvider(source)
    if callable(source):
        return CallableProvider(source)
    raise ConfigurationError("credentials are a mapping, a callable or a CredentialProvider")
