"""The command as such: its help, its exit codes, its keys, and what it needs."""

from __future__ import annotations

import configparser
import importlib
import io
import os
import runpy
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth

from tests.command.conftest import Command
from tests.command.files import RECORDINGS
from tests.command.files import Write
from tests.command.files import raw
from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from tests.servers.processes import ROOT
from wsgi_sigv4.command.keys import find_keys
from wsgi_sigv4.command.main import main
from wsgi_sigv4.command.visible import visible

TRACE = RECORDINGS / "curl-7.88.trace"
URL = "https://api.example.com/"


@pytest.mark.parametrize("name", ["explain", "verify", "sign", "presign"])
def test_help_is_complete(command: Command, name: str) -> None:
    """The help of each command has its options, where keys come from, exit codes and examples."""
    ran = command(name, "--help")
    assert ran.code == 0
    assert f"usage: python -m wsgi_sigv4 {name}" in ran.out
    for text in ("--credentials-file FILE", "--json", "AWS_ACCESS_KEY_ID", "examples:"):
        assert text in ran.out
    assert [
        line for line in ran.out.splitlines() if line[:3] in ("  0", "  1", "  2", "  3", "  4")
    ]
    assert max(map(len, ran.out.splitlines())) <= 100


def test_help_names_the_commands(command: Command) -> None:
    """The help of the whole names each command; nothing at all is a mistake."""
    ran = command("--help")
    assert ran.code == 0
    for name in ("explain", "verify", "sign", "presign"):
        assert f"    {name} " in ran.out
    ran = command()
    assert (ran.code, ran.out) == (2, "")


def test_version(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is that of the installed package; a copy without one is no traceback."""
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    ran = command("--version")
    assert (ran.code, ran.out) == (0, f"wsgi-sigv4 {declared['metadata']['version']}\n")

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("wsgi_sigv4.command.arguments.version", missing)
    ran = command("--version")
    assert (ran.code, ran.out) == (0, "wsgi-sigv4, which is not installed as a package\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("explain",),
        ("explain", "--nothing", TRACE),
        ("explain", "--format", "xml", TRACE),
        ("explain", "--entry", "0", TRACE),
        ("explain", "--entry", "x", TRACE),
        ("explain", "--now", "soon", TRACE),
        ("explain", "--now", "9" * 30, TRACE),
        ("explain", "--now", "20261121T213000Z", "--at-clock", TRACE),
        ("explain", "--path-prefix", "api", TRACE),
        ("explain", "--path-prefix", "/api/", TRACE),
        ("verify", "--region", "a/b", TRACE),
        ("sign", "GET", URL),
        ("sign", "GET", URL, "--service", "s3", "-d", "a", "--data-file", "b"),
        ("presign", "GET", URL, "--service", "s3", "--expires", "x"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_usage(command: Command, arguments: tuple[str, ...]) -> None:
    """Arguments that make no sense end with 2, and one line that says why."""
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("error: ") + ran.err.startswith("wsgi_sigv4: ") == 1
    # argparse would name a function of ours.
    assert "invalid _" not in ran.err


def test_files_that_cannot_be_read(command: Command, home: Path) -> None:
    """A file that is not there, a folder, and a name that is none, end with 3."""
    for name in (home / "nothing", home, "a\0b"):
        for arguments in (
            ("explain", name),
            ("explain", "--client-canonical-request", name, TRACE),
            ("explain", "--body-file", name, TRACE),
            ("sign", "PUT", URL, "--service", "s3", "--data-file", name),
        ):
            ran = command(*arguments)
            assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)


def test_large_file_is_not_read(command: Command, home: Path) -> None:
    """A file above the limit is refused, and an endless one too."""
    with (home / "large").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    ran = command("explain", home / "large")
    assert (ran.code, ran.err) == (3, f"wsgi_sigv4: {home}/large: larger than 67108864 bytes\n")


def test_other_text_is_no_canonical_request(command: Command, home: Path) -> None:
    """A file that is no canonical request is not compared."""
    (home / "client").write_text("GET\n/\n", encoding="utf-8")
    ran = command("explain", "--client-canonical-request", home / "client", TRACE)
    assert ran.code == 3
    assert "no canonical request" in ran.err


def test_lines_made_to_be_searched_again_are_not(command: Command, saved: Write) -> None:
    """A credential that begins again and again takes no time."""
    data = b"GET / HTTP/1.1\nHost: a\nAuthorization: AWS4-HMAC-SHA256 " + b"Credential=" * 90_000
    assert command("verify", saved(data + b"\n\n")).code == 1
    pieces = b"=> Send header, 2 bytes (0x2)\n0000: ab\n" * 100_000
    assert command("verify", saved(pieces)).code == 3


def test_format_can_be_said(command: Command) -> None:
    """A format that is said is believed, and read no other way."""
    assert command("verify", "--format", "curl", TRACE).code == 0
    for other in ("raw", "har", "botocore"):
        assert command("verify", "--format", other, TRACE).code == 3


def test_empty_trace_has_no_request(command: Command, saved: Write) -> None:
    """A trace without a request in it is told as such."""
    ran = command("verify", "--format", "curl", saved(b"== Info: nothing\n"))
    assert (ran.code, "there is no request in it" in ran.err) == (3, True)


CREDENTIALS = f"""
[other]
aws_access_key_id = AKIAOTHEREXAMPLE0000
aws_secret_access_key = other
[work]
aws_access_key_id = {ACCESS_KEY_ID}
aws_secret_access_key = {SECRET}
[role]
region = eu-west-1
"""


@pytest.fixture
def shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a shared credentials file where it is looked for; the environment has no key."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    path = home / ".aws" / "credentials"
    path.parent.mkdir()
    path.write_text(CREDENTIALS, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_keys_of_the_shared_file(
    command: Command, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared file is found where SDKs find it, and by its name."""
    assert command("verify", TRACE).code == 0
    assert command("verify", "--credentials-file", shared, TRACE).code == 0
    moved = shared.rename(shared.with_name("moved"))
    assert command("verify", TRACE).code == 4
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(moved))
    assert command("verify", TRACE).code == 0


def test_profile_without_a_file(command: Command, home: Path) -> None:
    """It is the profile that is missed, not the key that is set."""
    ran = command("explain", "--profile-name", "nix", TRACE)
    assert (ran.code, ran.out) == (4, "")
    assert "there is no profile nix: there is no file " in ran.err
    assert str(home / ".aws" / "credentials") in ran.err
    assert "AWS_ACCESS_KEY_ID" not in ran.err


@pytest.mark.usefixtures("shared")
def test_profile_is_chosen(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is named is the only one; AWS_PROFILE is the one to sign with."""
    sign = ("sign", "GET", URL, "--service", "items", "--headers")
    assert command("verify", "--profile-name", "work", TRACE).code == 0
    ran = command("verify", "--profile-name", "other", TRACE)
    assert (ran.code, ran.out.startswith("refused: ")) == (1, True)
    ran = command("verify", "--profile-name", "role", TRACE)
    assert (ran.code, "there is no profile role with a key" in ran.err) == (4, True)
    assert "Credential=AKIAOTHEREXAMPLE0000/" in command(*sign).out
    assert ACCESS_KEY_ID in command(*sign, "--profile-name", "work").out
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert ACCESS_KEY_ID in command(*sign).out


def test_environment_goes_before_the_file(
    command: Command, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of the environment is the one to sign with; those of the file verify as well."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHIRDEXAMPLE0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "third")
    assert command("verify", TRACE).code == 0
    sign = ("sign", "GET", URL, "--service", "items")
    assert "AKIATHIRDEXAMPLE0000" in command(*sign).out
    assert "AKIAOTHEREXAMPLE0000" in command(*sign, "--credentials-file", shared).out


def test_keys_that_cannot_be_used(
    command: Command, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, half a key, and a file that others can read, end with 4, and one line."""
    missing = shared.with_name("missing")
    runs = [command("verify", "--credentials-file", missing, TRACE)]
    shared.chmod(0o644)
    runs.append(command("verify", TRACE))
    shared.unlink()
    runs.append(command("verify", TRACE))
    runs.append(command("sign", "GET", URL, "--service", "items"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    runs.append(command("verify", TRACE))
    for ran in runs:
        assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    told = "".join(ran.err for ran in runs)
    assert "chmod 600" in told
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in told
    assert "are not both set" in told


def test_hostile_text_stays_text(command: Command, saved: Write) -> None:
    """Escape sequences, markup and odd letters of a request come out as plain ASCII."""
    hostile = "\x1b]0;x\x07\x1b[31m[red]bold[/red]\x9b2J\u202e:smile:\x7f\\"
    for name, value in (("Host", hostile), ("X-Amz-Date", hostile), ("X-A", hostile)):
        message = sign_with_botocore(SigV4Auth, headers=[("X-A", "a")]).message
        data = raw(message.with_header(name, value))
        ran = command("explain", saved(data))
        assert ran.code == 1
        assert "[red]" in ran.out or name == "X-Amz-Date"
        assert command("explain", "--json", saved(data)).code == 1
    har = b'{"log": {"entries": [{"request": {"method": "\\u001b[2J", "url": "http://a/"}}]}}'
    assert command("explain", saved(har)).code == 3
    assert command("explain", saved(b"G\x1b[2J / HTTP/1.1\r\n\r\n")).code == 3


class Terminal:
    """A text stream that says that it is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        """Keep *text*."""
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        """Say that this is a terminal."""
        return True


@pytest.mark.parametrize("is_plain", [False, True])
def test_colours_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, command: Command, is_plain: bool
) -> None:
    """A terminal is given colours, unless NO_COLOR is set; what is no terminal never is."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    if is_plain:
        monkeypatch.setenv("NO_COLOR", "1")
    assert main(["explain", str(TRACE)]) == 0
    assert ("\x1b[" in terminal.text) is not is_plain
    monkeypatch.undo()


def test_colours_do_not_go_to_files(command: Command) -> None:
    """Where the output is no terminal, it is plain."""
    assert command("explain", TRACE).out.count("\x1b") == 0


def test_without_rich(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, what needs it says so, and the rest goes on."""
    monkeypatch.setitem(sys.modules, "rich", None)
    for name in ("explain", "verify"):
        ran = command(name, TRACE)
        assert (ran.code, ran.out) == (4, "")
        assert "pip install 'wsgi-sigv4[cli]'" in ran.err
        assert command(name, "--json", TRACE).code == 0
    assert command("sign", "GET", URL, "--service", "items").code == 0


def test_interruption(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the command as it ends others, without a traceback."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wsgi_sigv4.command.main.read_canonical_request", interrupt)
    ran = command("explain", "--client-canonical-request", "x", TRACE)
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def run_process(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "wsgi_sigv4", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_process_tells_its_code() -> None:
    """As a process, the command tells its verdict by its exit code."""
    done = run_process("verify", str(TRACE))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("accepted")
    done = run_process("verify", "--at-clock", "--region", "eu-west-1", str(TRACE))
    assert (done.returncode, done.stderr) == (1, "")


def test_module_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as a module it is the command; imported, it does nothing."""
    importlib.import_module("wsgi_sigv4.__main__")
    monkeypatch.delitem(sys.modules, "wsgi_sigv4.__main__")
    monkeypatch.setattr(sys, "argv", ["wsgi_sigv4", "verify", str(TRACE)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("wsgi_sigv4", run_name="__main__")
    assert ended.value.code == 0


def test_keys_are_not_shown() -> None:
    """What holds the keys shows how many they are."""
    found = find_keys(credentials_file=None, profile_name=None)
    assert repr(found) == "Keys(<1 keys>)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\\é\U0001f600\u202e", r"a\\xe9\U0001f600\u202e"),
        (b"\x80\n\\n", r"\x80\n\\n"),
    ],
    ids=("text", "bytes"),
)
def test_visible(text: str | bytes, expected: str) -> None:
    """What is not printable ASCII is escaped as Python would."""
    assert visible(text) == expected


def test_terminal_of_another_encoding(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal cannot show is no traceback."""
    sign = ("sign", "PUT", URL, "--service", "items", "-d", "é")
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert main(sign) == 2
