"""docs/flask-keys.md, word for word: its commands, its application and its recipes."""

from __future__ import annotations

import configparser
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from werkzeug.test import Client

from tests.docs.pages import ROOT
from tests.docs.pages import blocks
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey
from wsgi_sigv4.testing import Signer
from wsgi_sigv4.testing import sign_client

PAGE = ROOT / "docs" / "flask-keys.md"
PYTHON = [block.code for block in blocks(PAGE, "python")]
SHELL = "".join(block.code for block in blocks(PAGE, "sh")).splitlines()
EXAMPLE_ID = "AKIAIOSFODNN7EXAMPLE"


class Shell:
    """A shell in the folder of the page's application, as its reader has it."""

    def __init__(self, folder: Path) -> None:
        (folder / ".aws").mkdir()
        (folder / "app.py").write_text(PYTHON[0], encoding="utf-8")
        self._folder = folder
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def run(self, line: str) -> str:
        """Return what *line* prints to the standard output."""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=self._folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout

    def profiles(self) -> configparser.RawConfigParser:
        """Return ``~/.aws/credentials`` as an SDK reads it."""
        parser = configparser.RawConfigParser()
        assert parser.read(self._folder / ".aws" / "credentials")
        return parser


@pytest.mark.slow
def test_commands_of_the_page(tmp_path: Path) -> None:
    """Every command of the page runs as it stands there, in its order, and does what is said."""
    shell = Shell(tmp_path)
    commands = [line for line in SHELL if line]
    shell.environment["ENCRYPTION_KEYS"] = shell.run(commands[0]).strip()
    for line in commands[1:3]:
        assert shell.run(line) == ""
    alice = shell.profiles()["default"]["aws_access_key_id"]
    printed = {line: shell.run(line.replace(EXAMPLE_ID, alice)) for line in commands[3:]}

    everybody = printed["flask sigv4 list"].splitlines()[1:]
    assert [line.split("never")[-1].split()[0] for line in everybody] == [
        *("erin", "dave", "carol", "bob", "alice")
    ]
    (of_bob,) = printed["flask sigv4 list --owner bob"].splitlines()[1:]
    assert of_bob.endswith("  of the build server")
    keys = [shell.environment["ENCRYPTION_KEYS"]]
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.sqlite3'}", encryption_keys=keys)
    newest, erin, dave, carol, bob, old = store.list()
    assert (bob.note, bob.expires_at is None) == ("of the build server", False)
    assert (carol.regions, carol.services, carol.methods) == (
        ("us-east-1",),
        ("items",),
        ("GET", "HEAD"),
    )
    assert (dave.path_prefixes, dave.presigned) == (("/items",), False)
    assert (erin.presigned, erin.max_expires) == (True, 3600)
    assert (old.access_key_id, old.rotated_to, old.active) == (alice, newest.access_key_id, False)
    store.close()


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return the names that the page's blocks of Python define."""
    monkeypatch.setenv("KEY_DATABASE", f"sqlite:///{tmp_path / 'keys.sqlite3'}")
    monkeypatch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    names: dict[str, Any] = {"__name__": "documentation"}
    exec(compile("\n".join(PYTHON), str(PAGE), "exec", dont_inherit=True), names)  # noqa: S102 (our own)
    yield names
    names["store"].close()


def signer(new: NewKey) -> Signer:
    """Return a signer with *new*."""
    secret = new.secret_access_key.reveal()
    return Signer(new.key.access_key_id, secret, region="us-east-1", service="items")


def test_owner_becomes_the_current_user(page: dict[str, Any]) -> None:
    """T37: the owner of the key is logged in, and never the user of the session."""
    client = page["app"].test_client()
    alice, zoe = page["store"].create("alice"), page["store"].create("zoe")
    with client.session_transaction() as session:
        session["_user_id"] = "bob"
        session["_fresh"] = True
    for new, expires, expected in (
        (alice, None, (200, "alice")),
        (alice, 60, (200, "alice")),
        (zoe, None, (401, "")),
    ):
        signed = sign(
            "/me",
            access_key_id=new.key.access_key_id,
            secret=new.secret_access_key.reveal(),
            expires=expires,
        )
        answer = send(client, signed)
        assert answer.status_code == expected[0]
        assert answer.text == expected[1] or expected[0] == 401
    assert client.get("/me").status_code == 403


def test_signals_of_the_page(page: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """The page's receivers hear of a use and of a refusal."""
    new = page["store"].create("alice")
    with caplog.at_level(logging.INFO):
        sign_client(page["app"].test_client(), signer(new)).get("/me")
        page["app"].test_client().get("/me")
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert said[0] == f"{new.key.access_key_id} of alice"
    assert re.fullmatch(r"MissingAuthentication: .+", said[1])


def test_application_without_flask(page: dict[str, Any]) -> None:
    """The page's WSGI application serves the owner, and the use is noted."""
    new = page["store"].create("alice")
    assert sign_client(Client(page["wsgi_app"]), signer(new)).get("/").text == "alice"
    page["store"].usage.wait(10)
    assert page["store"].get(new.key.access_key_id).last_used_at is not None
