"""The shared credentials file: what it may hold, and what happens when it changes."""

from __future__ import annotations

import configparser
import logging
import os
import pickle
import time
import traceback
from pathlib import Path

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.questions import SECRET
from tests.providers.questions import Clock
from tests.providers.questions import ask
from tests.providers.questions import secret
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable
from wsgi_sigv4.providers import FileProvider
from wsgi_sigv4.providers import file
from wsgi_sigv4.providers import new_access_key_id
from wsgi_sigv4.providers import new_secret_access_key
from wsgi_sigv4.providers.profiles import parse_profiles

ALICE = f"[alice]\naws_access_key_id = AKIAALICE\naws_secret_access_key = {SECRET}\n"
BOB = (
    "[bob]\naws_access_key_id=AKIABOB\naws_secret_access_key=b+b/=b#;%(x)s:b\naws_session_token=T\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A credentials file with two profiles."""
    path = tmp_path / "credentials"
    replace(path, ALICE + BOB)
    return path


def replace(path: Path, text: str | bytes, *, mode: int = 0o600) -> None:
    """Put a new file in the place of *path*, as a careful program does."""
    new = path.with_suffix(".new")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.chmod(mode)
    new.replace(path)


def overwrite(path: Path, text: str) -> None:
    """Write *path* in place."""
    with open(path, "r+", encoding="utf-8") as file:
        file.truncate()
        file.write(text)


def test_profiles(path: Path) -> None:
    """Each profile is a key, and its name the principal."""
    provider = FileProvider(path)
    alice, bob = ask(provider, "AKIAALICE"), ask(provider, "AKIABOB")
    assert alice is not None
    assert bob is not None
    assert (secret(alice), alice.principal, alice.session_token) == (SECRET, "alice", None)
    assert (secret(bob), bob.principal, bob.session_token) == ("b+b/=b#;%(x)s:b", "bob", "T")
    assert ask(provider, "AKIACAROL") is None
    assert repr(provider) == f"FileProvider({str(path)!r}, <2 keys>)"


def test_botocore_reads_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client's SDK takes for the key of a profile, this does."""
    text = (
        f"# a comment\n[default]\nregion = x\nAWS_ACCESS_KEY_ID = D\naws_secret_access_key={SECRET}"
        "\ns3 =\n  addressing_style = path\n\n; another\n[role]\nrole_arn = r\n"
        f"source_profile = default\n{BOB}"
    )
    replace(path, text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    provider = FileProvider(path)
    assert repr(provider).endswith("<2 keys>)")
    for profile in ("default", "bob"):
        theirs = Session(profile=profile).get_credentials()
        ours = ask(provider, theirs.access_key)
        assert ours is not None
        assert (secret(ours), ours.session_token) == (theirs.secret_key, theirs.token)
        assert ours.principal == profile


name = st.from_regex(r"[A-Za-z0-9._@-]{1,20}", fullmatch=True)


@given(st.sets(name, min_size=1, max_size=5))
def test_minted_keys_round_trip(names: set[str]) -> None:
    """Keys that were minted and written into a file are read back as they were."""
    keys = {n: (new_access_key_id(), new_secret_access_key()) for n in names}
    text = "".join(
        f"[{n}]\naws_access_key_id = {i}\naws_secret_access_key = {s}\n"
        for n, (i, s) in keys.items()
    )
    found = parse_profiles(text)
    assert {c.principal: (i, secret(c)) for i, c in found.items()} == keys


HALF = "has no aws_secret_access_key"
FORM = "not of the form of a credentials file: "
BROKEN = [
    (f"aws_access_key_id = {SECRET}\n", FORM + "MissingSectionHeaderError in line 1"),
    (f"[a]\n{SECRET}\n", FORM + "ParsingError in line 2"),
    (ALICE + ALICE, FORM + "DuplicateSectionError in line 4"),
    (ALICE + f"aws_secret_access_key={SECRET}", FORM + "DuplicateOptionError in line 4"),
    (f"[a]\naws_secret_access_key={SECRET}", "profile 'a' has no aws_access_key_id"),
    (
        f"[a]\naws_access_key_id=\naws_secret_access_key={SECRET}",
        "profile 'a' has no aws_access_key_id",
    ),
    (
        f"[a]\naws_access_key_id={SECRET}\naws_secret_access_key=A",
        "profile 'a' has no aws_access_key_id",
    ),
    ("[a]\naws_access_key_id=A\n", f"profile 'a' {HALF}"),
    ("[a]\naws_access_key_id=A\naws_secret_access_key=\n", f"profile 'a' {HALF}"),
    (
        f"[a]\naws_access_key_id=A\naws_secret_access_key={SECRET}\n  more",
        "profile 'a' has a value of several lines",
    ),
    (ALICE + ALICE.replace("alice", "eve"), "profiles 'alice' and 'eve' have one key id"),
    ("", "there is no key in it"),
    ("[a]\nregion = x\n", "there is no key in it"),
    (ALICE.encode() + b"\xff", "not UTF-8 text"),
    (ALICE + "#" * 2 * 1024 * 1024, "larger than 2097152 bytes"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_broken_at_start(path: Path, text: str | bytes, message: str) -> None:
    """T39: a file that makes no sense is found at start; no text of it is in the exception."""
    replace(path, text)
    with pytest.raises(ConfigurationError) as refused:
        FileProvider(path)
    assert str(refused.value).startswith(f"{path}: {message}")
    said = "".join(traceback.format_exception(refused.value))
    assert SECRET not in said
    # Error trackers look at these, whatever was said of them.
    error: BaseException | None = refused.value
    while error is not None:
        assert not isinstance(error, configparser.Error | UnicodeError)
        assert SECRET not in repr(error)
        error = error.__context__


def test_byte_order_mark(path: Path) -> None:
    """A file with a byte order mark, as editors leave it, is read."""
    replace(path, b"\xef\xbb\xbf" + ALICE.encode())
    assert secret(ask(FileProvider(path), "AKIAALICE")) == SECRET


def test_missing_at_start(tmp_path: Path) -> None:
    """A file that is not there, or is none, is found at start."""
    with pytest.raises(ConfigurationError, match="No such file"):
        FileProvider(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="Is a directory"):
        FileProvider(tmp_path)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        FileProvider(os.devnull)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o610])
def test_readable_by_others_at_start(path: Path, mode: int) -> None:
    """A file that is open to group or others is refused at start."""
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=r"open to group or others; chmod 600$"):
        FileProvider(path)
    path.chmod(0o400)
    FileProvider(path)


def test_replaced_file_is_read_within_a_second(path: Path, clock: Clock) -> None:
    """A file that takes the place of the old one counts at the next look, a second later."""
    provider = FileProvider(path, clock=clock)
    replace(path, ALICE.replace(SECRET, "rotated"))
    clock.now += 0.99
    assert secret(ask(provider, "AKIAALICE")) == SECRET
    assert ask(provider, "AKIABOB") is not None
    clock.now += 0.01
    assert secret(ask(provider, "AKIAALICE")) == "rotated"
    assert ask(provider, "AKIABOB") is None


def test_file_written_in_place_is_read_when_it_rests(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is being written is read when it has not changed between two looks."""
    monkeypatch.setattr(time, "time", lambda: path.stat().st_ctime)
    provider = FileProvider(path, clock=clock)
    written = ""
    for line in (ALICE.replace(SECRET, "rotated") + BOB).splitlines(keepends=True):
        written += line
        overwrite(path, written)
        clock.now += 1
        assert secret(ask(provider, "AKIAALICE")) == SECRET
    clock.now += 1
    assert secret(ask(provider, "AKIAALICE")) == "rotated"


def test_change_in_one_tick_of_the_file_system_is_seen(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two changes have one time, the second counts some seconds later, and costs one look."""
    monkeypatch.setattr(file, "_version", lambda status: (status.st_ino, status.st_size))
    seconds = [0.0]
    monkeypatch.setattr(time, "time", lambda: path.stat().st_ctime + seconds[0])
    provider = FileProvider(path, clock=clock)
    other = SECRET[::-1]
    overwrite(path, (ALICE + BOB).replace(SECRET, other))
    for seconds[0], expected in ((2.0, SECRET), (2.1, other)):
        clock.now += 1
        assert secret(ask(provider, "AKIAALICE")) == expected
    monkeypatch.setattr(FileProvider, "_read", None)
    clock.now += 1
    assert secret(ask(provider, "AKIAALICE")) == other


def test_fault_of_a_file_just_written_is_told_once(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was read of a file when it was new is no reason to complain of it every second."""
    seconds = [0.0]
    monkeypatch.setattr(time, "time", lambda: path.stat().st_ctime + seconds[0])
    provider = FileProvider(path, clock=clock)
    path.chmod(0o644)
    for seconds[0] in (1.5, 2.5, 3.5, 4.5):
        clock.now += 1
        assert secret(ask(provider, "AKIAALICE")) == SECRET
    (record,) = caplog.records
    assert "open to group or others" in record.getMessage()


def test_change_of_equal_size_and_time_is_seen(path: Path, clock: Clock) -> None:
    """A new secret of the same length, in a file of the same date, counts."""
    provider = FileProvider(path, clock=clock)
    old = os.stat(path)
    other = SECRET[::-1]
    overwrite(path, (ALICE + BOB).replace(SECRET, other))
    new = old
    # What happens at once, some kernels give the same time.
    while new.st_ctime_ns == old.st_ctime_ns:
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
        new = os.stat(path)
    assert (old.st_size, old.st_mtime_ns, old.st_ino) == (new.st_size, new.st_mtime_ns, new.st_ino)
    for _ in range(2):
        clock.now += 1
        ask(provider, "AKIAALICE")
    assert secret(ask(provider, "AKIAALICE")) == other


@pytest.mark.parametrize(("text", "message"), [case for case in BROKEN if "no key" not in case[1]])
def test_broken_later(
    path: Path, clock: Clock, text: str | bytes, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The last good keys go on beside a broken file, which is logged once, without its text."""
    provider = FileProvider(path, clock=clock)
    replace(path, text)
    for _ in range(3):
        clock.now += 1
        assert secret(ask(provider, "AKIAALICE")) == SECRET
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"{path}: {message}")
    assert record.getMessage().endswith("; the last keys go on")
    assert SECRET not in record.getMessage()
    replace(path, ALICE.replace(SECRET, "mended"))
    clock.now += 1
    assert secret(ask(provider, "AKIAALICE")) == "mended"


def test_readable_by_others_later(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that others may read by now is not read; the last good keys go on, and it is said."""
    provider = FileProvider(path, clock=clock)
    replace(path, BOB, mode=0o644)
    for _ in range(2):
        clock.now += 1
        assert secret(ask(provider, "AKIAALICE")) == SECRET
    assert [r.getMessage() for r in caplog.records] == [
        f"{path}: open to group or others; chmod 600; the last keys go on"
    ]
    path.chmod(0o600)
    for _ in range(2):
        clock.now += 1
        ask(provider, "AKIABOB")
    assert ask(provider, "AKIAALICE") is None


def test_emptied_file_takes_its_keys_away(path: Path, clock: Clock) -> None:
    """Whoever empties the file revokes all keys."""
    provider = FileProvider(path, clock=clock)
    overwrite(path, "")
    for _ in range(2):
        clock.now += 1
        ask(provider, "AKIAALICE")
    assert ask(provider, "AKIAALICE") is None


def test_vanished_file(path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is gone takes its keys with it, whatever comes next but a good one: 503."""
    provider = FileProvider(path, clock=clock)
    path.unlink()
    for _ in range(3):
        clock.now += 1
        with pytest.raises(CredentialsUnavailable) as refused:
            ask(provider, "AKIAALICE")
        assert refused.value.retry_after == 1
    assert repr(provider) == f"FileProvider({str(path)!r}, <gone>)"
    replace(path, "[a]\naws_access_key_id=A\n")
    for _ in range(3):
        clock.now += 1
        with pytest.raises(CredentialsUnavailable):
            ask(provider, "AKIAALICE")
    assert [r.getMessage() for r in caplog.records] == [
        f"{path}: No such file or directory; its keys are refused",
        f"{path}: profile 'a' {HALF}; its keys are refused",
    ]
    replace(path, ALICE)
    for _ in range(2):
        clock.now += 1
        try:
            found = secret(ask(provider, "AKIAALICE"))
        except CredentialsUnavailable:
            found = None
    assert found == SECRET


def test_file_that_changes_while_it_is_read(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a file that somebody wrote meanwhile does not count."""
    provider = FileProvider(path, clock=clock)
    replace(path, ALICE.replace(SECRET, "half"))
    fstat, stats = os.fstat, 0

    def written_meanwhile(descriptor: int) -> os.stat_result:
        nonlocal stats
        stats += 1
        if stats == 2:
            overwrite(path, ALICE.replace(SECRET, "whole"))
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", written_meanwhile)
    clock.now += 1
    assert secret(ask(provider, "AKIAALICE")) == SECRET
    for _ in range(2):
        clock.now += 1
        ask(provider, "AKIAALICE")
    assert secret(ask(provider, "AKIAALICE")) == "whole"


def test_one_thread_looks_at_the_file(path: Path, clock: Clock) -> None:
    """While one thread looks at the file, the others go on with what there is."""
    provider = FileProvider(path, clock=clock)
    replace(path, BOB)
    clock.now += 1
    with provider._checking:
        assert secret(ask(provider, "AKIAALICE")) == SECRET
    assert ask(provider, "AKIAALICE") is None


def test_provider_shows_no_secret(path: Path) -> None:
    """T39: neither text nor pickle of a provider holds a secret."""
    provider = FileProvider(path)
    assert SECRET not in repr(vars(provider))
    with pytest.raises(TypeError):
        pickle.dumps(provider)
