"""The text of a shared credentials file: profiles in, credentials out.

The form is that of ``~/.aws/credentials``, as the SDKs of the clients read it:
https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html

No fault quotes the text: the line that cannot be read may hold a secret.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import is_access_key_id
from wsgi_sigv4.errors import ConfigurationError

_KEY_ID = "aws_access_key_id"
_SECRET = "aws_secret_access_key"  # noqa: S105 (its name)
_TOKEN = "aws_session_token"  # noqa: S105 (its name)
#: configparser gives what stands in such a section to all the others; none is named so.
_NO_DEFAULTS = "\0"


def parse_profiles(text: str) -> dict[str, Credentials]:
    """Return the credentials of each profile in *text* by access key id.

    The name of the profile becomes the principal. Profiles without a key (a
    role, a region) are left out.

    Raises:
        ConfigurationError: if the text is not of that form, a profile has half
            a key, or two have the same key id.
    """
    found: dict[str, Credentials] = {}
    owners: dict[str, str] = {}
    for name, options in _sections(text).items():
        key_id = options.get(_KEY_ID)
        if key_id is None and _SECRET not in options:
            continue
        credentials = _credentials(name, options)
        if key_id is None or not is_access_key_id(key_id):
            raise ConfigurationError(f"profile {name!r} has no {_KEY_ID} that a client can name")
        if key_id in found:
            raise ConfigurationError(f"profiles {owners[key_id]!r} and {name!r} have one key id")
        found[key_id] = credentials
        owners[key_id] = name
    return found


def _sections(text: str) -> dict[str, Mapping[str, str]]:
    parser = configparser.RawConfigParser(
        delimiters=("=",), default_section=_NO_DEFAULTS, empty_lines_in_values=False
    )
    fault = ""
    try:
        parser.read_string(text)
    except configparser.Error as error:
        fault = type(error).__name__
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), [""])[0]
        fault += f" in line {line}"
    # Raised out here: what is raised while the other is handled carries it, and its text, along.
    if fault:
        raise ConfigurationError(f"not of the form of a credentials file: {fault}")
    return {name: parser[name] for name in parser.sections()}


def _credentials(name: str, options: Mapping[str, str]) -> Credentials:
    secret, token = options.get(_SECRET, ""), options.get(_TOKEN)
    if not secret:
        raise ConfigurationError(f"profile {name!r} has no {_SECRET}")
    # An indented line goes on with the value above it.
    if any("\n" in value for value in (secret, token or "")):
        raise ConfigurationError(f"profile {name!r} has a value of several lines")
    return Credentials(secret, session_token=token or None, principal=name)
