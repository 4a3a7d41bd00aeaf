"""The keys that the command knows: those of the environment and of the shared credentials file.

Secrets come from nowhere else: a command line is seen by all users of the
machine, and kept by the shell.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsgi_sigv4.command.faults import NotSetUp
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.providers.environment import EnvironmentProvider
from wsgi_sigv4.providers.file import FileProvider
from wsgi_sigv4.providers.profiles import parse_profiles

_ANY_SCOPE = CredentialScope(date="", region="", service="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys that the command knows, none of which its repr shows.

    Attributes:
        credentials: by access key id; the first is the one to sign with.
    """

    credentials: Mapping[str, Credentials]

    def __repr__(self) -> str:
        return f"Keys(<{len(self.credentials)} keys>)"


def find_keys(*, credentials_file: str | None, profile_name: str | None) -> Keys:
    """Return the keys of the environment and of the shared credentials file.

    Args:
        credentials_file: the file, and no other key; None: that of
            AWS_SHARED_CREDENTIALS_FILE, or ``~/.aws/credentials``, where it is.
        profile_name: the profile of the file, and no other key; None: all of
            them, after the key of the environment. That of AWS_PROFILE, or
            "default", is the first of the file.

    Raises:
        NotSetUp: if there are none, or they cannot be used.
    """
    try:
        found = {}
        if credentials_file is None and profile_name is None:
            found = _of_environment()
        return Keys(credentials=found | _of_file(credentials_file, profile_name, is_all=not found))
    except (ConfigurationError, OSError, RuntimeError) as fault:
        # RuntimeError: there is no home folder.
        raise NotSetUp(str(fault)) from None


def _of_environment() -> dict[str, Credentials]:
    provider = EnvironmentProvider(optional=True)
    key_id = os.environ.get("AWS_ACCESS_KEY_ID", "")
    found = provider.lookup(key_id, scope=_ANY_SCOPE, session_token=None)
    return {} if found is None else {key_id: found}


def _of_file(
    named: str | None, profile_name: str | None, *, is_all: bool
) -> dict[str, Credentials]:
    """Return the keys of the file; one that is not named may be missing, unless it *is_all*."""
    variable = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    path = Path(named or variable or "~/.aws/credentials").expanduser()
    if named is None and not path.exists():
        if not is_all:
            return {}
        if profile_name is not None:
            raise NotSetUp(f"there is no profile {profile_name}: there is no file {path}")
        raise NotSetUp(
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            f"or write {path}, or name a file with --credentials-file"
        )
    # It sees to it that nobody else can read the file, that it is small, and UTF-8.
    FileProvider(path)
    found = parse_profiles(path.read_text(encoding="utf-8-sig"))
    if profile_name is not None:
        found = {key: value for key, value in found.items() if value.principal == profile_name}
        if not found:
            raise NotSetUp(f"{path}: there is no profile {profile_name} with a key")
    first = os.environ.get("AWS_PROFILE") or "default"
    return dict(sorted(found.items(), key=lambda item: item[1].principal != first))
