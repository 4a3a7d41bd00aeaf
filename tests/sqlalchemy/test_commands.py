"""``flask sigv4``: what the commands do, print and refuse."""

from __future__ import annotations

import configparser
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result
from cryptography.fernet import Fernet
from flask import Flask

from tests.flask.signing import make_app as app_of_a_mapping
from tests.sqlalchemy.test_provider import ask
from tests.sqlalchemy.test_provider import make_app
from wsgi_sigv4.contrib.sqlalchemy import KeyStore
from wsgi_sigv4.contrib.sqlalchemy import NewKey
from wsgi_sigv4.credentials import Secret

Run = Callable[..., Result]


def runner_of(app: Flask) -> CliRunner:
    """Return what runs commands of *app*, and keeps the two outputs apart."""
    # Before click 8.2 that is an option.
    is_option = "mix_stderr" in inspect.signature(CliRunner).parameters
    return app.test_cli_runner(**{"mix_stderr": False} if is_option else {})


@pytest.fixture
def app(store: KeyStore) -> Flask:
    """Return an app with the key store."""
    return make_app(store)


@pytest.fixture
def flask(app: Flask) -> Run:
    """Return what runs a command of ``flask sigv4``."""
    runner = runner_of(app)
    return lambda *arguments: runner.invoke(app.cli, ["sigv4", *arguments])


def key_in(store: KeyStore, output: str, profile: str = "default") -> NewKey:
    """Return the key that *output* holds for ``~/.aws/credentials``."""
    parser = configparser.RawConfigParser()
    parser.read_string(output)
    section = parser[profile]
    assert sorted(section) == ["aws_access_key_id", "aws_secret_access_key"]
    secret = Secret(section["aws_secret_access_key"])
    return NewKey(key=store.get(section["aws_access_key_id"]), secret_access_key=secret)


def test_create_prints_the_key_once(app: Flask, store: KeyStore, flask: Run) -> None:
    """The standard output is what ~/.aws/credentials takes, and the secret is nowhere else."""
    done = flask("create", "alice", "--note", "of the laptop")
    assert done.exit_code == 0, done.output
    new = key_in(store, done.stdout)
    assert ask(app, new) == (200, "alice")
    secret = new.secret_access_key.reveal()
    assert secret not in done.stderr
    assert new.key.access_key_id in done.stderr
    for later in ("list", "reencrypt"):
        assert secret not in flask(later).output


def test_create_with_every_option(store: KeyStore, flask: Run) -> None:
    """Each option limits the key to what it says."""
    options = "--region us-east-1 --region eu-west-1 --service items --method GET --method HEAD"
    more = "--path-prefix /items --no-presigned --max-expires 60 --expires-in 90d --profile work"
    done = flask("create", "alice", *options.split(), *more.split())
    assert done.exit_code == 0, done.output
    key = key_in(store, done.stdout, "work").key
    assert key.regions == ("us-east-1", "eu-west-1")
    assert (key.services, key.methods, key.path_prefixes) == (
        ("items",),
        ("GET", "HEAD"),
        ("/items",),
    )
    assert (key.presigned, key.max_expires) == (False, 60)
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days == 90


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create"], "Missing argument 'OWNER'"),
        (["create", ""], "a key has an owner"),
        (["create", "a", "--expires-in", "3 weeks"], "'3 weeks' is not a time such as 90d, 12h"),
        (["create", "a", "--expires-in", "0d"], "expires_in is a time to come"),
        (["create", "a", "--method", "get"], "methods: no request can have 'get'"),
        (["create", "a", "--profile", "a]"], "'a]' cannot stand in brackets"),
        (["rotate", "AKIAOTHER"], "there is no access key AKIAOTHER"),
        (["revoke", "AKIAOTHER"], "there is no access key AKIAOTHER"),
    ],
)
def test_mistake_is_one_line(store: KeyStore, flask: Run, arguments: list[str], said: str) -> None:
    """A mistake ends with a line that says what is wrong, and makes no key."""
    done = flask(*arguments)
    assert done.exit_code != 0
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert store.list() == ()


def test_list_shows_every_status(store: KeyStore, flask: Run) -> None:
    """The list has a line for each key, newest first, with its status and its times."""
    revoked = store.revoke(store.create("carol").key.access_key_id).access_key_id
    old = store.create("alice", note="laptop").key.access_key_id
    new = store.rotate(old).key.access_key_id
    lines = flask("list").stdout.splitlines()
    assert re.split(r"  +", lines[0]) == [
        *("ACCESS KEY ID", "STATUS", "CREATED", "EXPIRES", "LAST USED", "OWNER", "NOTE")
    ]
    assert [line.split()[:2] for line in lines[1:]] == [
        [new, "active"],
        [old, "rotated"],
        [revoked, "revoked"],
    ]
    assert re.search(r"  never +never +alice +laptop$", lines[1])
    assert len(flask("list", "--owner", "carol").stdout.splitlines()) == 2


def test_rotate_prints_the_new_key(app: Flask, store: KeyStore, flask: Run) -> None:
    """The new key is printed, the end of the old one said, and a second time refused."""
    old = store.create("alice")
    done = flask("rotate", old.key.access_key_id, "--overlap", "2h")
    assert done.exit_code == 0, done.output
    new = key_in(store, done.stdout)
    ends = store.get(old.key.access_key_id).expires_at
    assert ends is not None
    assert f"{old.key.access_key_id} ends at {ends:%Y-%m-%d %H:%M:%SZ}." in done.stderr
    assert (ask(app, old)[0], ask(app, new)[0]) == (200, 200)
    again = flask("rotate", old.key.access_key_id)
    assert again.exit_code == 1
    assert f"was rotated before: {new.key.access_key_id} takes its place" in again.stderr


def test_revoke_refuses_the_key(app: Flask, store: KeyStore, flask: Run) -> None:
    """A revoked key is refused."""
    new = store.create("alice")
    assert ask(app, new)[0] == 200
    done = flask("revoke", new.key.access_key_id)
    assert done.exit_code == 0
    assert done.stderr == f"{new.key.access_key_id} of alice is revoked.\n"
    assert ask(app, new)[0] == 403


def test_reencrypt_says_how_many(store: KeyStore, url: str, encryption_key: str) -> None:
    """The command encrypts anew what is old, and says which secrets are lost."""
    new = store.create("alice")
    newest = Fernet.generate_key().decode()
    for keys, code, said in (
        ([newest], 1, f"nothing was changed: {new.key.access_key_id}"),
        ([newest, encryption_key], 0, "1 secrets encrypted anew"),
        ([newest], 0, "0 secrets encrypted anew"),
    ):
        other = KeyStore(url, encryption_keys=keys)
        app = make_app(other)
        done = runner_of(app).invoke(app.cli, ["sigv4", "reencrypt"])
        assert (done.exit_code, said in done.stderr) == (code, True), done.output
        other.close()


def test_database_that_is_not_there(url: str, encryption_key: str) -> None:
    """Without the table a command says what the database says, and create-tables mends it."""
    store = KeyStore(url, encryption_keys=[encryption_key])
    app = make_app(store)
    runner = runner_of(app)
    done = runner.invoke(app.cli, ["sigv4", "create", "alice"])
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: the database says: ")
    assert "INSERT" not in done.stderr
    for _ in range(2):
        assert runner.invoke(app.cli, ["sigv4", "create-tables"]).exit_code == 0
    assert runner.invoke(app.cli, ["sigv4", "create", "alice"]).exit_code == 0
    store.close()


def test_app_without_a_key_store_has_no_commands() -> None:
    """Where the keys are in a mapping, there is nothing to manage."""
    app = app_of_a_mapping()
    assert "sigv4" not in app.cli.commands


def test_sqlalchemy_is_imported_nowhere_else(tmp_path: Path) -> None:
    """The package and the other skins need neither SQLAlchemy nor cryptography."""
    program = (
        "import sys, wsgi_sigv4, wsgi_sigv4.contrib.flask, wsgi_sigv4.contrib.django\n"
        "print({'sqlalchemy', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
