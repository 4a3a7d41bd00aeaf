"""What the documentation says is so: its code runs, its links lead somewhere."""

from __future__ import annotations

import inspect
import logging
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.util import find_spec
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from werkzeug.serving import make_server

from examples import demo
from tests.docs import refusals
from tests.docs.pages import PAGES
from tests.docs.pages import ROOT
from tests.docs.pages import Block
from tests.docs.pages import anchors
from tests.docs.pages import blocks
from tests.docs.pages import links
from wsgi_sigv4 import Identity
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.testing import sign_client

README = ROOT / "README.md"
CODE = {page: code for page in PAGES if (code := list(blocks(page, "python")))}
SHELL = [b for page in PAGES for language in ("shell", "sh") for b in blocks(page, language)]


def run(page: Path) -> dict[str, Any]:
    """Run the Python blocks of *page* in their order, and return their names."""
    # What a new project of Django has; the README adds to it.
    names: dict[str, Any] = {
        "__name__": "documentation",
        "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes"],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
    }
    for block in CODE[page]:
        # Line numbers of a traceback are then those of the page.
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, str(page), "exec", dont_inherit=True), names)  # noqa: S102 (our own)
    return names


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Take away the filters that a page has added to loggers."""
    names = ("gunicorn.access", "werkzeug", "django.server")
    before = {name: logging.getLogger(name).filters[:] for name in names}
    yield
    for name, filters in before.items():
        logging.getLogger(name).filters[:] = filters


@pytest.mark.parametrize("page", CODE, ids=lambda page: page.name)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of Python runs after those above it on the page, assertions included."""
    monkeypatch.setenv("KEY_DATABASE", f"sqlite:///{tmp_path / 'keys.sqlite3'}")
    monkeypatch.setenv("ENCRYPTION_KEYS", Fernet.generate_key().decode())
    names = run(page)
    if "store" in names:
        names["store"].close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link within the repository leads to a file, and to a heading of it where it says so."""
    broken = []
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def faults_in(line: str) -> Iterator[str]:
    """Yield what is wrong with a command of the documentation."""
    match list(dropwhile(lambda word: re.match("[A-Z_]+=", word), shlex.split(line))):
        case ["make", *targets]:
            known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            yield from (f"there is no make {t}" for t in targets if t not in known and "=" not in t)
        case ["pip", "install", what]:
            name, _, extras = what.rstrip("]").partition("[")
            metadata = ConfigParser()
            metadata.read(ROOT / "setup.cfg")
            known = metadata.options("options.extras_require")
            if name != metadata["metadata"]["name"] or not set(extras.split(",")) <= {*known, ""}:
                yield f"cannot be installed: {what}"
        case ["python", "manage.py", *_] | ["django-admin", *_] | ["gunicorn", "mysite.wsgi"]:
            pass  # run by tests/django_keys/test_page.py
        case ["gunicorn", *_, what]:
            if find_spec(what.partition(":")[0]) is None:
                yield f"there is no {what}"
        case ["python", "-m", module, *_]:
            if find_spec(module) is None:
                yield f"there is no {module}"
        case ["curl", *_]:
            pass  # run below
        case ["flask", "sigv4", *_] | ["python", "-c", *_]:
            pass  # run by tests/sqlalchemy/test_page.py
        case ["export" | "aws", *_]:
            pass  # run by tests/uploads/test_page.py and tests/django_keys/test_page.py
        case _:
            yield f"nobody has checked: {line}"


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page.name}:{block.line}")
def test_commands_exist(block: Block) -> None:
    """The commands of the documentation are there to be run."""
    code = block.code.replace("\\\n", " ")
    assert [fault for line in code.splitlines() if line for fault in faults_in(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        "pip install other",
        "pip install 'wsgi-sigv4[nothing]'",
        "gunicorn examples.nothing:app",
        "python -m tests.nothing",
        "rm -rf /",
    ],
)
def test_command_that_does_not_exist_is_found(line: str) -> None:
    """The check above can fail."""
    assert list(faults_in(line)) != []


@pytest.mark.servers
@pytest.mark.skipif(demo.why_no_curl() is not None, reason=str(demo.why_no_curl()))
def test_curl_of_the_readme_is_answered() -> None:
    """The curl command of the README gets an answer from its WSGI and its Flask application."""
    names = run(README)
    (command,) = (b.code for b in blocks(README, "shell") if b.code.startswith("curl"))
    for app, expected in (
        (SigV4Middleware(names["application"], names["verifier"]), "Hello AKIAIOSFODNN7EXAMPLE\n"),
        (names["flask_app"], '{"caller":"AKIAIOSFODNN7EXAMPLE"}\n'),
    ):
        server = make_server("127.0.0.1", 0, app)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            done = subprocess.run(
                [
                    *shlex.split(command),
                    *("--disable", "--silent", "--max-time", "10", "--noproxy", "*"),
                    # Another port, and the Host header all the same.
                    *("--connect-to", f"127.0.0.1:8000:127.0.0.1:{server.server_port}"),
                ],
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            server.shutdown()
            thread.join(10)
            server.server_close()
        assert done.stdout == expected


def test_django_settings_of_the_readme_guard_a_project(settings: Any) -> None:
    """With the settings of the README, a project serves signed requests and no others."""
    names = run(README)
    settings.ROOT_URLCONF = "tests.testing.urls"
    settings.INSTALLED_APPS = names["INSTALLED_APPS"]
    settings.MIDDLEWARE = names["MIDDLEWARE"]
    settings.SIGV4 = names["SIGV4"]
    host = names["SIGV4"]["HOSTS"][0]
    settings.ALLOWED_HOSTS = [host.partition(":")[0]]
    assert Client(headers={"Host": host}).get("/items").status_code == 403
    answer = sign_client(Client(headers={"Host": host}), names["signer"]).get("/items")
    assert answer.json()["key"] == "AKIAIOSFODNN7EXAMPLE"


def test_every_parameter_is_explained() -> None:
    """docs/verification.md explains each parameter of the verifier and of the middleware."""
    text = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    rows = {
        name
        for first in re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", first)
    }
    for kind in (Verifier, SigV4Middleware):
        assert set(inspect.signature(kind).parameters) - {"app", "verifier"} <= rows


def test_every_fact_of_an_identity_is_named() -> None:
    """docs/verification.md names each public attribute of an identity."""
    text = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    facts = [name for name in Identity.__dataclass_fields__ if not name.startswith("_")]
    assert [name for name in facts if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", list(refusals.kinds()), ids=lambda kind: kind.__name__)
def test_table_of_errors_is_true(kind: type) -> None:
    """docs/errors.md says of each refusal what it is answered with."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    row = refusals.row(kind)
    assert f"| `{row.name}` | {row.s3} | {row.others} |" in text


def test_json_names_are_true() -> None:
    """docs/errors.md has the names that the JSON protocols give to some codes."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text, re.MULTILINE))
    assert told == {
        "AccessDenied": "AccessDeniedException",
        "ExpiredToken": "ExpiredTokenException",
        "IncompleteSignature": "IncompleteSignatureException",
        "InvalidClientTokenId": "UnrecognizedClientException",
        "MissingAuthenticationToken": "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch": "InvalidSignatureException",
    }


def test_every_page_is_reached_from_the_readme() -> None:
    """Each page of docs/ is linked from the README, or from a page that is."""
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        waiting += (found & set(PAGES)) - reached - set(waiting)
    assert set((ROOT / "docs").glob("*.md")) <= reached
