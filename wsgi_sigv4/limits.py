"""What an access key may be used for: its limits, checked once and carried.

They narrow what the verifier accepts, for one key. A mistake in them is the
programmer's, so it is found where the credentials are made. All of them are
lists of what is allowed: what is not listed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final
from typing import NamedTuple

from wsgi_sigv4.errors import ConfigurationError

#: Seven days, AWS's longest life of a presigned URL.
MAX_EXPIRES: Final = 604_800

# Compiled where it is needed; then re remembers them.
#: A region or a service, as it stands in a credential scope.
SCOPE_PART: Final = r"[A-Za-z0-9-]{1,64}"
_METHOD: Final = r"[A-Z][A-Z-]{0,63}"
#: Doubled slashes, dot segments (with parameters too, which some drop), backslashes, NUL, and
#: left-over escapes of these: a layer behind us may read such a path as one below another prefix.
_DOUBTFUL: Final = rb"(?is)//|/\.{1,2}(?:[/;]|\Z)|\\|\0|%(?:00|2e|2f|25|5c)"


class Limits(NamedTuple):
    """What a key may be used for; None: anything.

    Attributes:
        regions: the regions that may stand in the credential scope.
        services: the services that may stand in it.
        methods: the methods, in capitals; GET does not include HEAD.
        path_prefixes: decoded paths below which, whole segments taken, the
            verified path must be.
        presigned: True for presigned URLs only, False for header-signed
            requests only.
        max_expires: seconds that a presigned URL may live.
    """

    regions: frozenset[str] | None
    services: frozenset[str] | None
    methods: frozenset[str] | None
    path_prefixes: tuple[bytes, ...] | None
    presigned: bool | None
    max_expires: int | None

    @classmethod
    def of(
        cls,
        *,
        regions: Sequence[str] | None,
        services: Sequence[str] | None,
        methods: Sequence[str] | None,
        path_prefixes: Sequence[str] | None,
        presigned: bool | None,
        max_expires: int | None,
    ) -> Limits | None:
        """Return the limits that the parameters make, or None where they limit nothing.

        Raises:
            ConfigurationError: if one of them makes no sense.
        """
        given = (regions, services, methods, path_prefixes, presigned, max_expires)
        if all(value is None for value in given):
            return None
        _check_forms(presigned, max_expires)
        return cls(
            regions=_tokens("regions", regions, SCOPE_PART),
            services=_tokens("services", services, SCOPE_PART),
            methods=_tokens("methods", methods, _METHOD),
            path_prefixes=_path_prefixes(path_prefixes),
            presigned=presigned,
            max_expires=max_expires,
        )

    def find_excess(
        self, *, region: str, service: str, method: str, path: bytes, lifetime: int | None
    ) -> str | None:
        """Return the name of the first limit that a request exceeds, or None.

        Args:
            region: that of its credential scope.
            service: that of its credential scope.
            method: its method, as sent.
            path: its verified path, decoded.
            lifetime: seconds that its presigned URL lives; None: header-signed.
        """
        if self.regions is not None and region not in self.regions:
            return "regions"
        if self.services is not None and service not in self.services:
            return "services"
        if self.methods is not None and method not in self.methods:
            return "methods"
        if self.path_prefixes is not None and not _is_below(path, self.path_prefixes):
            return "path_prefixes"
        if self.presigned is not None and self.presigned is (lifetime is None):
            return "presigned"
        if self.max_expires is not None and lifetime is not None and lifetime > self.max_expires:
            return "max_expires"
        return None


def _is_below(path: bytes, prefixes: tuple[bytes, ...]) -> bool:
    if re.search(_DOUBTFUL, path) is not None:
        return False
    return any(path == prefix or path.startswith(prefix.rstrip(b"/") + b"/") for prefix in prefixes)


def _check_forms(presigned: object, max_expires: object) -> None:
    # Not every caller has a type checker, and bool is an int.
    if presigned is not None and not isinstance(presigned, bool):
        raise ConfigurationError("presigned is True, False or None")
    if max_expires is None:
        return
    is_number = isinstance(max_expires, int) and not isinstance(max_expires, bool)
    if not is_number or not 1 <= max_expires <= MAX_EXPIRES:  # type: ignore[operator] # (a number)
        raise ConfigurationError(f"max_expires is a number of seconds from 1 to {MAX_EXPIRES}")


def _listed(parameter: str, values: object) -> tuple[str, ...]:
    # A bare string would be taken for a list of its letters; an empty list is
    # as likely to be meant for "any" as for "none".
    if (
        isinstance(values, str | bytes | Mapping)
        or not isinstance(values, Collection)
        or not values
        or not all(isinstance(value, str) for value in values)
    ):
        raise ConfigurationError(f"{parameter} is a list of strings; None allows any")
    return tuple(values)


def _tokens(parameter: str, values: Sequence[str] | None, pattern: str) -> frozenset[str] | None:
    if values is None:
        return None
    tokens = _listed(parameter, values)
    for token in tokens:
        if re.fullmatch(pattern, token) is None:
            raise ConfigurationError(f"{parameter}: no request can have {token!r}")
    return frozenset(tokens)


def _path_prefixes(values: Sequence[str] | None) -> tuple[bytes, ...] | None:
    if values is None:
        return None
    prefixes = []
    for value in _listed("path_prefixes", values):
        try:
            prefix = value.encode()
        except UnicodeEncodeError:
            raise ConfigurationError(f"path_prefixes: {value!r} is not Unicode text") from None
        if not prefix.startswith(b"/") or re.search(_DOUBTFUL, prefix) is not None:
            raise ConfigurationError(f"path_prefixes: {value!r} is not a path in normal form")
        prefixes.append(prefix)
    return tuple(prefixes)
