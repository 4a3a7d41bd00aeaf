"""What a verifier accepts: its parameters, checked once and carried.

A mistake in them is the programmer's, so it is found here, at start-up, and
never while a request waits.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.authorization import TOKEN_NAMES
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.limits import SCOPE_PART
from wsgi_sigv4.memo import Memo
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.profiles import S3_SERVICES
from wsgi_sigv4.profiles import Profile

#: The header that names the payload form; what it says is signed in any case.
PAYLOAD_HASH: Final = "x-amz-content-sha256"
TOKEN_HEADERS: Final = tuple(name.lower() for name in TOKEN_NAMES)

_HEADER_NAME: Final = r"[a-z0-9-]+"
_DEFAULT_PORTS: Final = ("80", "443")
#: host [ ":" port ] of RFC 3986, in lower case: a name or an IPv4 address of labels, or an IP
#: literal. Its reg-name may hold percent escapes and punctuation too, which no client sends: a
#: suffix would vouch for what some layer behind us reads as the end of another host.
_HOST: Final = r"(?:[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?"

_HOW_TO_NAME: Final = (
    "write host or host:port, as in the Host header that clients send (api.example.com, "
    "127.0.0.1:8000, [::1]:8000), .example.com for all names below it, and xn-- for what is not "
    "ASCII; to accept any host, leave hosts out (None)"
)


class _Parameters(NamedTuple):
    regions: tuple[str, ...] | None
    services: tuple[str, ...] | None
    profiles: Mapping[str | None, Profile]
    max_skew: int | None
    hosts: tuple[str, ...] | None
    require_signed: frozenset[str]
    may_be_unsigned: frozenset[str]
    allow_unsigned_payload: bool | None
    token_may_be_unsigned: bool


class Policy(_Parameters):
    """What a verifier accepts; compared by identity.

    Attributes:
        regions: the regions accepted, or None for any.
        services: the services accepted, or None for any.
        profiles: the profile of each accepted service; the key None stands
            for any service.
        max_skew: seconds that a request time may differ, or None for the
            profile's.
        hosts: lower-case Host values accepted, or None for any.
        require_signed: lower-case names that must be signed where present.
        may_be_unsigned: lower-case ``x-amz-*`` names that need not be signed.
        allow_unsigned_payload: whether UNSIGNED-PAYLOAD is accepted, or None
            for the profile's.
        token_may_be_unsigned: a session token may have been appended after
            signing.
    """

    __slots__ = ()

    # What is remembered of a policy is found by it; its profiles have no hash.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @classmethod
    def of(
        cls,
        *,
        region: str | Sequence[str] | None,
        service: str | Sequence[str] | None,
        profile: Profile | Mapping[str, Profile] | None,
        max_skew: int | None,
        hosts: Sequence[str] | None,
        require_signed: Sequence[str],
        allow_unsigned_headers: Sequence[str],
        allow_unsigned_payload: bool | None,
        allow_unsigned_session_token: bool,
    ) -> Policy:
        """Return the policy that the parameters of a verifier make.

        Raises:
            ConfigurationError: if they make no sense together.
        """
        # So written, what is not a number is refused too: no time would be too skewed for it.
        if max_skew is not None and not max_skew > 0:
            raise ConfigurationError("max_skew is a positive number of seconds")
        profiles = _profiles(_scope_parts("service", service), profile)
        may_be_unsigned = _header_names("allow_unsigned_headers", allow_unsigned_headers)
        may_be_unsigned |= {PAYLOAD_HASH}
        if allow_unsigned_session_token:
            may_be_unsigned |= frozenset(TOKEN_HEADERS)
        return cls(
            regions=_scope_parts("region", region),
            services=None if None in profiles else tuple(s for s in profiles if s),
            profiles=profiles,
            max_skew=max_skew,
            hosts=None if hosts is None else _hosts(hosts),
            require_signed=_header_names("require_signed", require_signed),
            may_be_unsigned=may_be_unsigned,
            allow_unsigned_payload=allow_unsigned_payload,
            token_may_be_unsigned=allow_unsigned_session_token,
        )

    def narrowed(
        self, *, region: str | Sequence[str] | None, service: str | Sequence[str] | None
    ) -> Policy:
        """Return this policy for some of its regions and services; None: for all it has.

        Raises:
            ConfigurationError: if it does not accept one of them.
        """
        regions = _narrowed("region", region, self.regions)
        services = _narrowed("service", service, self.services)
        profiles = self.profiles
        if services is not None:
            profiles = {service: self.profile(service) for service in services}
        return self._replace(regions=regions, services=services, profiles=profiles)

    def taking_any_host(self) -> Policy:
        """Return this policy without its hosts."""
        return self._replace(hosts=None)

    def profile(self, service: str | None) -> Profile:
        """Return the profile of *service*, or, where it has none, the first one."""
        found = self.profiles.get(service) or self.profiles.get(None)
        return next(iter(self.profiles.values())) if found is None else found

    def skew(self, profile: Profile) -> int:
        """Return how many seconds a request time may differ under *profile*."""
        return profile.max_skew if self.max_skew is None else self.max_skew

    def allows_unsigned_payload(self, profile: Profile) -> bool:
        """Return whether UNSIGNED-PAYLOAD is accepted under *profile*."""
        allowed = self.allow_unsigned_payload
        return profile.allow_unsigned_payload if allowed is None else allowed

    def accepts_host(self, host: str) -> bool:
        """Return whether the Host value *host* is accepted."""
        if self.hosts is None:
            return True
        host = host.lower()
        if not _IS_HOST[host]:
            return False
        name, colon, port = host.rpartition(":")
        bare = name if colon and port in _DEFAULT_PORTS else host
        return any(
            entry in (bare, host)
            or (entry.startswith(".") and (bare.endswith(entry) or host.endswith(entry)))
            for entry in self.hosts
        )


def _is_host(host: str) -> bool:
    return re.fullmatch(_HOST, host) is not None


#: A site has few of them, of 253 characters and a port at the most.
_IS_HOST: Final = Memo(_is_host, longest=259, size=len)


def _names(parameter: str, values: object) -> tuple[str, ...]:
    # Not every caller has a type checker. A bare string would be taken for a
    # list of its letters, and an iterator is empty after its first reading.
    if isinstance(values, str) or not isinstance(values, Collection):
        raise ConfigurationError(f"{parameter} is a list of strings")
    if not all(isinstance(value, str) for value in values):
        raise ConfigurationError(f"{parameter} is a list of strings")
    return tuple(value.lower() for value in values)


def _hosts(values: Sequence[str]) -> tuple[str, ...]:
    entries = _names("hosts", values)
    for entry in entries:
        # Below an IP literal there is nothing.
        if entry.startswith(".[") or not _is_host(entry.removeprefix(".")):
            raise ConfigurationError(f"hosts: {entry!r} matches no Host header: {_HOW_TO_NAME}")
    return entries


def _header_names(parameter: str, values: Sequence[str]) -> frozenset[str]:
    names = frozenset(_names(parameter, values))
    for name in names:
        if re.fullmatch(_HEADER_NAME, name) is None:
            raise ConfigurationError(f"{parameter}: {name!r} is not the name of a header")
    return names


def _scope_parts(parameter: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    parts = (value,) if isinstance(value, str) else value
    if not isinstance(parts, Collection) or not parts:
        raise ConfigurationError(f"{parameter} is a name or a list of names; None accepts any")
    for part in parts:
        if not isinstance(part, str) or re.fullmatch(SCOPE_PART, part) is None:
            raise ConfigurationError(f"{parameter}: {part!r} is no part of a credential scope")
    return tuple(parts)


def _narrowed(
    parameter: str, value: object, accepted: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    if value is None:
        return accepted
    parts = _scope_parts(parameter, value)
    strange = set(parts or ()) - set(accepted or parts or ())
    if strange:
        raise ConfigurationError(f"{parameter}: {', '.join(sorted(strange))} is not accepted")
    return parts


def _profiles(
    services: tuple[str, ...] | None, profile: Profile | Mapping[str, Profile] | None
) -> dict[str | None, Profile]:
    """Return the profile of each accepted service; the key None stands for any service."""
    if isinstance(profile, Profile):
        return dict.fromkeys(services or (None,), profile)
    if profile is not None:
        return _mapped_profiles(services, profile)
    if services is None:
        raise ConfigurationError("with service=None, say which profile: GENERIC, S3 or a mapping")
    kinds = {S3 if service in S3_SERVICES else GENERIC for service in services}
    if len(kinds) > 1:
        raise ConfigurationError(
            "services of S3 and others sign differently: map each to a profile"
        )
    return dict.fromkeys(services, kinds.pop())


def _mapped_profiles(
    services: tuple[str, ...] | None, profile: Mapping[str, Profile]
) -> dict[str | None, Profile]:
    if not isinstance(profile, Mapping):
        raise ConfigurationError("profile is a Profile, or a mapping of service to Profile")
    if not all(isinstance(value, Profile) for value in profile.values()):
        raise ConfigurationError("profile maps a service to something else than a Profile")
    # Without services, those of the mapping are accepted.
    services = services or tuple(profile)
    missing = sorted(set(services) - set(profile))
    if missing or not profile:
        raise ConfigurationError(f"profile says nothing of {', '.join(missing) or 'any service'}")
    return {service: profile[service] for service in services}
