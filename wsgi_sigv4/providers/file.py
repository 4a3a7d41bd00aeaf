"""Credentials in a shared credentials file, read again when it changes.

A change is looked for at most once a second, when a key is asked for. A file
that was replaced (another inode, as ``rename`` leaves it) is read at once. One
that is written in place is read when it has not changed for a second: somebody
may be in the middle of writing it. What was read of a file just after it was
written is read once more: a second write in the same tick does not show.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.forks import call_in_child
from wsgi_sigv4.providers.profiles import parse_profiles

#: Seconds between two looks at the file.
CHECK_SECONDS: Final = 1.0
#: Seconds that two changes of a file may have in common: so coarse are some file systems.
TICK_SECONDS: Final = 2.0
#: About ten thousand profiles; a larger file is none of this kind.
MAX_BYTES: Final = 2 * 1024 * 1024

_logger: Final = logging.getLogger("wsgi_sigv4.providers.file")
_Version = tuple[int, ...]


class FileProvider:
    """The keys of an AWS shared credentials file; a profile's name is the principal.

    ``[name]``, ``aws_access_key_id``, ``aws_secret_access_key`` and
    ``aws_session_token``, as in ``~/.aws/credentials``. A changed file that
    cannot be used (broken, half-written, readable by others) is logged once,
    and the keys of the last good one go on. A file that is gone, or that this
    process may not read any more, takes its keys with it: clients are answered
    503 until it is there again.

    Args:
        path: the file.
        clock: seconds, of which only differences count.

    Raises:
        ConfigurationError: if the file cannot be read, group or others may
            read or write it, it is broken, or there is no key in it.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._renew_lock()
        call_in_child(self, FileProvider._renew_lock)
        self._version: _Version
        self._credentials: dict[str, Credentials] | None
        self._was_young = False
        try:
            self._version, self._credentials = self._read()
        except OSError as error:
            raise ConfigurationError(f"{self._path}: {error.strerror}") from None
        if not self._credentials:
            raise ConfigurationError(f"{self._path}: there is no key in it")
        self._seen = self._version
        self._checked = clock()

    def _renew_lock(self) -> None:
        self._checking = threading.Lock()

    def __repr__(self) -> str:
        keys = "gone" if self._credentials is None else f"{len(self._credentials)} keys"
        return f"FileProvider({str(self._path)!r}, <{keys}>)"

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Return the credentials of *access_key_id*, or None where no profile has it.

        Raises:
            CredentialsUnavailable: if the file is gone.
        """
        now = self._clock()
        # While one thread looks at the file, the others go on with what there is.
        if now - self._checked >= CHECK_SECONDS and self._checking.acquire(blocking=False):
            try:
                self._check()
                self._checked = now
            finally:
                self._checking.release()
        credentials = self._credentials
        if credentials is None:
            raise CredentialsUnavailable("the credentials file is gone", retry_after=1)
        return credentials.get(access_key_id)

    def _check(self) -> None:
        try:
            status = os.stat(self._path)
            version = _version(status)
            seen, self._seen = self._seen, version
            is_replaced = version[0] != seen[0]
            # Nobody may have looked since it was written, and that may be long ago.
            age = time.time() - status.st_ctime
            rests = version == seen or age > CHECK_SECONDS
            is_changed = version != self._version and (is_replaced or rests)
            if is_changed or (self._was_young and age > TICK_SECONDS):
                self._reload()
        except OSError as error:
            if self._credentials is not None:
                _logger.error("%s: %s; its keys are refused", self._path, error.strerror)
            self._version, self._credentials = (), None

    def _reload(self) -> None:
        try:
            self._version, self._credentials = self._read()
        except ConfigurationError as fault:
            kept = "its keys are refused" if self._credentials is None else "the last keys go on"
            _logger.error("%s; %s", fault, kept)
            # This one is not read again, nor complained of, until it changes.
            self._version, self._was_young = self._seen, False
        else:
            _logger.info("%s: read again, %d keys", self._path, len(self._credentials))

    def _read(self) -> tuple[_Version, dict[str, Credentials]]:
        """Return what the file holds, and which version of it was read.

        Raises:
            ConfigurationError: if it is not to be used.
            OSError: if it cannot be read.
        """
        with open(self._path, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"{self._path}: not a regular file")
            if os.name == "posix" and status.st_mode & 0o077:
                raise ConfigurationError(f"{self._path}: open to group or others; chmod 600")
            self._was_young = time.time() - status.st_ctime <= TICK_SECONDS
            data = file.read(MAX_BYTES + 1)
            version = _version(os.fstat(file.fileno()))
        if version != _version(status):
            raise ConfigurationError(f"{self._path}: changed while it was read")
        return version, self._parse(data)

    def _parse(self, data: bytes) -> dict[str, Credentials]:
        if len(data) > MAX_BYTES:
            raise ConfigurationError(f"{self._path}: larger than {MAX_BYTES} bytes")
        # Not decode("utf-8"): its error would carry the whole file along.
        text = data.decode("utf-8-sig", "replace")
        if "\ufffd" in text:
            raise ConfigurationError(f"{self._path}: not UTF-8 text")
        try:
            return parse_profiles(text)
        except ConfigurationError as fault:
            raise ConfigurationError(f"{self._path}: {fault}") from None


def _version(status: os.stat_result) -> _Version:
    """Return what tells two versions of a file apart, first of all the inode."""
    inode = hash((status.st_dev, status.st_ino))
    return inode, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode
