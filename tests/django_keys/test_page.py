"""docs/django-keys.md, followed word for word, ends with a key that works."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from examples import demo
from tests.django_keys.running import Key
from tests.docs.pages import ROOT
from tests.docs.pages import Block
from tests.docs.pages import blocks
from tests.servers.processes import free_port
from tests.servers.processes import running
from wsgi_sigv4.contrib.django.keys import checks
from wsgi_sigv4.contrib.django.keys.management.commands import sigv4_create_key

PAGE = ROOT / "docs" / "django-keys.md"
TEXT = PAGE.read_text(encoding="utf-8")
#: What stands on the page for a key that everybody makes himself.
EXAMPLE = Key(
    access_key_id="AKIAIOSFODNN7EXAMPLE", secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)


def shell(word: str) -> list[str]:
    """Return the lines of the page's shell blocks that begin with *word*."""
    lines = [line for block in blocks(PAGE, "sh") for line in block.code.splitlines()]
    return [line for line in lines if line.startswith(word)]


class Reader:
    """Somebody who follows the page in a folder of his own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        interpreter = str(Path(sys.executable).parent)
        paths = os.pathsep.join([str(ROOT), str(folder)])
        self.environment = {
            **os.environ,
            # What manage.py and wsgi.py of the project say, were it not for this process's own.
            "DJANGO_SETTINGS_MODULE": "mysite.settings",
            "PATH": interpreter + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": paths,
            "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
        }

    def do(self, line: str) -> str:
        """Return what a line of the page prints."""
        if "createsuperuser" in line:
            # There is nobody to type a password.
            line += " --noinput"
        done = subprocess.run(
            ["bash", "-euc", line],
            cwd=self._folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def export(self, line: str) -> None:
        """Do what a line of the page does that sets a variable."""
        name = line.removeprefix("export ").partition("=")[0]
        self.environment[name] = self.do(f'{line}; printf "%s" "${name}"')

    def write(self, path: str, block: Block) -> None:
        """Add a block of the page to a file of the project."""
        with (self._folder / path).open("a", encoding="utf-8") as file:
            file.write("\n" + block.code)


def with_key(line: str, key: Key) -> str:
    """Return *line* of the page with a key in the place of the example."""
    line = line.replace(EXAMPLE.access_key_id, key.access_key_id)
    return line.replace(EXAMPLE.secret, key.secret)


@pytest.mark.servers
@pytest.mark.skipif(demo.why_no_curl() is not None, reason=str(demo.why_no_curl()))
def test_page(tmp_path: Path) -> None:
    """Each command of the page does what the page says, in the page's order."""
    reader = Reader(tmp_path)
    (start,) = shell("django-admin")
    reader.do(start)
    (export,) = shell("export")
    reader.export(export)
    python = list(blocks(PAGE, "python"))
    reader.write("mysite/settings.py", python[0])
    reader.write("mysite/urls.py", python[1])
    migrate, check, user, create, *others = shell("python manage.py")
    for line in (migrate, check, user):
        reader.do(line)
    printed = reader.do(create)
    key = Key.shown(printed)
    (section,) = blocks(PAGE, "ini")
    assert printed == with_key(section.code, key)
    (serve,) = shell("gunicorn")
    port, (curl,) = free_port(), shell("curl")
    arguments = {"GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{port} --chdir={tmp_path}"}
    curl += f" --silent --disable --max-time 60 --noproxy '*' --connect-to ::127.0.0.1:{port}"
    command = [sys.executable, "-m", *shlex.split(serve)]
    environment = {**reader.environment, **arguments}
    with running(command, port=port, log=tmp_path / "log", environment=environment):
        told = json.loads(reader.do(with_key(curl, key)))
        assert told == {"key": key.access_key_id, "user": "ada"}
        narrow, listing, rotate, revoke, reencrypt = others
        limited = Key.shown(reader.do(narrow))
        assert json.loads(reader.do(with_key(curl, limited)))["key"] == limited.access_key_id
        assert "reports, read only" in reader.do(listing)
        new = Key.shown(reader.do(with_key(rotate, key)))
        assert json.loads(reader.do(with_key(curl, new)))["key"] == new.access_key_id
        assert reader.do(with_key(revoke, key)) == f"{key.access_key_id} is revoked\n"
        assert reader.do(reencrypt).startswith("0 secrets")
        if os.environ.get("SIGV4_PATIENCE"):
            time.sleep(31)
            assert "UnrecognizedClientException" in reader.do(with_key(curl, key))


def test_table_of_checks() -> None:
    """Each id stands in the table, and in the docstring of the module."""
    ids = set(re.findall(r"^\| `(wsgi_sigv4_keys\.E\d+)` \|", TEXT, re.MULTILINE))
    source = inspect.getsource(checks)
    assert ids == set(re.findall(r'id="(wsgi_sigv4_keys\.E\d+)"', source))
    assert ids == set(re.findall(r"``(wsgi_sigv4_keys\.E\d+)``", source))


def test_table_of_limits() -> None:
    """Each option that limits a key stands in the table."""
    options = set(re.findall(r'"(--[a-z-]+)"', inspect.getsource(sigv4_create_key)))
    table = TEXT.partition("## Limits")[2].partition("## Rotation")[0]
    assert options - {"--note"} == set(re.findall(r"`(--[a-z-]+)`", table))


def test_numbers() -> None:
    """The seconds that the page tells are the provider's."""
    from wsgi_sigv4.contrib.django.keys.provider import AccessKeyProvider
    from wsgi_sigv4.providers import CachingProvider

    ours = inspect.signature(AccessKeyProvider).parameters
    assert (ours["ttl"].default, ours["record_use"].default) == (30, 300)
    assert inspect.signature(CachingProvider).parameters["stale_seconds"].default == 60
    assert "30 seconds, the provider's `ttl`" in TEXT
    assert "`stale_seconds` (60)" in TEXT
    assert "five minutes" in TEXT
