"""The floors: a module imports only from below, and floors 0-3 know neither WSGI nor I/O."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wsgi_sigv4

PACKAGE = Path(wsgi_sigv4.__file__).parent
TESTS = Path(__file__).parent

#: Every module of the package, by floor. A new one must be given its floor here. A room that one
#: file would not hold is divided into steps of its floor: a step sees those below it.
FLOORS = {
    "wsgi_sigv4.errors.root": 0,
    "wsgi_sigv4.errors.claims": 0.1,
    "wsgi_sigv4.errors.proof": 0.1,
    "wsgi_sigv4.errors.body": 0.1,
    "wsgi_sigv4.errors": 0.2,
    "wsgi_sigv4.redaction": 0,
    "wsgi_sigv4.callables": 0,
    "wsgi_sigv4.memo": 0,
    "wsgi_sigv4.drafts": 0,
    "wsgi_sigv4.encoding": 0.1,
    "wsgi_sigv4.timestamps": 0.1,
    "wsgi_sigv4.request": 1,
    "wsgi_sigv4.limits": 1,
    "wsgi_sigv4.credentials": 1.1,
    "wsgi_sigv4.reason": 1.1,
    "wsgi_sigv4.signing_key": 1.2,
    "wsgi_sigv4.payload": 1,
    "wsgi_sigv4.traces": 1,
    "wsgi_sigv4.authorization": 2,
    "wsgi_sigv4.canonical": 2,
    "wsgi_sigv4.profiles": 2,
    "wsgi_sigv4.chunked": 2,
    "wsgi_sigv4.framing": 2.1,
    "wsgi_sigv4.s3_reasons": 2,
    "wsgi_sigv4.aws_reasons": 2,
    "wsgi_sigv4.reasons": 2.1,
    "wsgi_sigv4.identity": 2,
    "wsgi_sigv4.policy": 3.1,
    "wsgi_sigv4.terms": 3.15,
    "wsgi_sigv4.attempt": 3.2,
    "wsgi_sigv4.decisions": 3.3,
    "wsgi_sigv4.messages": 3.3,
    "wsgi_sigv4.verification": 3.3,
    "wsgi_sigv4.verifier": 3.4,
    "wsgi_sigv4.explain.showing": 3.5,
    "wsgi_sigv4.explain.explanation": 3.55,
    "wsgi_sigv4.explain.readings": 3.5,
    "wsgi_sigv4.explain.hypothesis": 3.57,
    "wsgi_sigv4.explain.bodies": 3.4,
    "wsgi_sigv4.explain.hosts": 3.6,
    "wsgi_sigv4.explain.paths": 3.6,
    "wsgi_sigv4.explain.canonical_paths": 3.6,
    "wsgi_sigv4.explain.queries": 3.6,
    "wsgi_sigv4.explain.methods": 3.6,
    "wsgi_sigv4.explain.headers": 3.6,
    "wsgi_sigv4.explain.header_forms": 3.61,
    "wsgi_sigv4.explain.payloads": 3.6,
    "wsgi_sigv4.explain.keys": 3.6,
    "wsgi_sigv4.explain.catalogue": 3.65,
    "wsgi_sigv4.explain.search": 3.6,
    "wsgi_sigv4.explain.rules": 3.6,
    "wsgi_sigv4.explain.causes": 3.6,
    "wsgi_sigv4.explain.refusals": 3.65,
    "wsgi_sigv4.explain.engine": 3.7,
    "wsgi_sigv4.explain.telling": 3.72,
    "wsgi_sigv4.explain": 3.75,
    "wsgi_sigv4.forks": 4,
    "wsgi_sigv4.environ": 4,
    "wsgi_sigv4.streams": 4,
    "wsgi_sigv4.spooling": 4,
    "wsgi_sigv4.signer": 4,
    "wsgi_sigv4.logs": 4,
    "wsgi_sigv4.checksums": 4,
    "wsgi_sigv4.responses": 4.05,
    "wsgi_sigv4.body": 4.1,
    "wsgi_sigv4.recording": 4,
    "wsgi_sigv4.refusal_page": 4,
    "wsgi_sigv4.explaining": 4.1,
    "wsgi_sigv4.observing": 4.2,
    "wsgi_sigv4.held_answer": 4,
    "wsgi_sigv4.providers.minting": 4,
    "wsgi_sigv4.providers.last_uses": 4.1,
    "wsgi_sigv4.providers.environment": 4,
    "wsgi_sigv4.providers.profiles": 4,
    "wsgi_sigv4.providers.file": 4.1,
    "wsgi_sigv4.providers.lookups": 4,
    "wsgi_sigv4.providers.chain": 4.1,
    "wsgi_sigv4.providers.entries": 4,
    "wsgi_sigv4.providers.flights": 4.1,
    "wsgi_sigv4.providers.caching": 4.2,
    "wsgi_sigv4.providers": 4.3,
    "wsgi_sigv4.options": 5,
    "wsgi_sigv4.exemptions": 5.05,
    "wsgi_sigv4.authentication": 5.1,
    "wsgi_sigv4.report_only": 5.15,
    "wsgi_sigv4.middleware": 5.2,
    "wsgi_sigv4": 6,
    "wsgi_sigv4.testing": 6,
    "wsgi_sigv4.command": 6.1,
    "wsgi_sigv4.command.faults": 6.1,
    "wsgi_sigv4.command.visible": 6.1,
    "wsgi_sigv4.command.keys": 6.2,
    "wsgi_sigv4.command.saved": 6.2,
    "wsgi_sigv4.command.raw": 6.3,
    "wsgi_sigv4.command.curl_trace": 6.35,
    "wsgi_sigv4.command.har": 6.3,
    "wsgi_sigv4.command.botocore_log": 6.3,
    "wsgi_sigv4.command.inputs": 6.4,
    "wsgi_sigv4.command.comparison": 6.2,
    "wsgi_sigv4.command.signing": 6.3,
    "wsgi_sigv4.command.judging": 6.5,
    "wsgi_sigv4.command.arguments": 6.6,
    "wsgi_sigv4.command.terminal": 6.6,
    "wsgi_sigv4.command.main": 6.7,
    "wsgi_sigv4.__main__": 6.8,
    # What several skins stand on.
    "wsgi_sigv4.contrib.encryption": 6.5,
}
CONTRIB = "wsgi_sigv4.contrib"
CONTRIB_FLOOR = 7

#: Below it there are no WSGI, no I/O and no third-party packages.
FIRST_WSGI_FLOOR = 4

#: What the floors between may import at the top of a module: Werkzeug, and types.
RUN_TIME_DEPENDENCIES = {"werkzeug", "_typeshed"}
#: Modules that nobody imports at the top of another one, and what their extra brings.
OF_EXTRAS = {"wsgi_sigv4.command.terminal": {"rich"}}

IO_MODULES = {
    *("asyncio", "contextvars", "http", "io", "logging", "multiprocessing", "os", "pathlib"),
    *("select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess"),
    *("sys", "tempfile", "time", "urllib.request", "wsgiref"),
}
#: The one clock: the default of `Verifier(clock=...)`, never read by a rule.
IO_EXCEPTIONS = {("wsgi_sigv4.verifier", "time")}
IO_BUILTINS = {"input", "open", "print"}

WSGI_NAMES = {"environ", "start_response", "WSGIApplication", "WSGIEnvironment", "StartResponse"}
WSGI_KEYS = re.compile(
    r"wsgi\..*|HTTP_[A-Z_]+|(?:CONTENT|PATH|QUERY|RAW|REMOTE|REQUEST|SCRIPT|SERVER)_[A-Z]+"
)


def modules() -> dict[str, Path]:
    """Return the path of each module of the package, contrib included, by its dotted name."""
    found = {}
    for folder, prefix in ((PACKAGE, "wsgi_sigv4"), (contrib_folder(), CONTRIB)):
        for path in sorted(folder.rglob("*.py")):
            parts = [prefix, *path.relative_to(folder).with_suffix("").parts]
            if folder == PACKAGE and parts[1] == "contrib":
                continue
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def contrib_folder() -> Path:
    """Return the folder of contrib: from Python 3.13 on, rglob does not go through a symlink."""
    return (PACKAGE / "contrib").resolve()


def floor_of(module: str) -> float | None:
    """Return the floor that *module* was given, or None."""
    if not is_contrib(module):
        return FLOORS.get(module)
    # A name that is imported from a module of contrib is of that module's floor.
    return FLOORS.get(module) or FLOORS.get(module.rpartition(".")[0], CONTRIB_FLOOR)


def is_contrib(module: str) -> bool:
    """Return whether *module* is of contrib, which may need what an extra brings."""
    return module == CONTRIB or module.startswith(f"{CONTRIB}.")


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield each module that *tree* imports; a relative import begins with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                member = f"{module}.{alias.name}"
                yield member if floor_of(member) is not None else module


def import_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield what *module* imports from its own floor or above, or relatively."""
    floor = floor_of(module)
    if floor is None:
        yield "has no floor"
        return
    for name in imported(tree):
        if name.startswith("."):
            yield f"imports {name} relatively"
        elif name.split(".")[0] == "contrib":
            yield f"imports {name}, whose name is wsgi_sigv4.{name}"
        elif name.split(".")[0] == "wsgi_sigv4":
            below = floor_of(name)
            if below is None:
                yield f"imports {name}, which has no floor"
            elif below >= floor and not is_one_skin(module, name):
                yield f"imports {name} of floor {below}"


def is_one_skin(module: str, other: str) -> bool:
    """Return whether both modules belong to one skin of contrib, such as contrib.django."""
    skin = module.split(".")[:3]
    return len(skin) == 3 and skin[1] == "contrib" and other.split(".")[:3] == skin


def foreign_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield the third-party packages that *module* needs and its floor must not."""
    floor = floor_of(module) or 0
    if is_contrib(module):
        return
    # Above the core, a function may import what an extra brings; the core may not even then.
    whole = tree if floor < FIRST_WSGI_FLOOR else ast.Module(list(top_level(tree)), [])
    allowed = set() if floor < FIRST_WSGI_FLOOR else RUN_TIME_DEPENDENCIES
    allowed = allowed | OF_EXTRAS.get(module, set())
    for name in imported(whole):
        top = name.split(".")[0]
        if name in OF_EXTRAS or top not in {*sys.stdlib_module_names, *allowed, "wsgi_sigv4", ""}:
            yield f"imports {name}"


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of *tree* that run on import."""
    for node in tree.body:
        if isinstance(node, ast.If | ast.Try):
            yield from top_level(ast.Module([*node.body, *node.orelse], []))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def sans_io_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield what in *module* does I/O or names a thing of WSGI, if its floor has none."""
    if (floor_of(module) or 0) >= FIRST_WSGI_FLOOR:
        return
    for name in imported(tree):
        io_names = {name, name.split(".")[0]} & IO_MODULES
        if any((module, io_name) not in IO_EXCEPTIONS for io_name in io_names):
            yield f"imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in WSGI_NAMES | IO_BUILTINS:
            yield f"line {node.lineno} uses {node.id}"
        elif isinstance(node, ast.arg) and node.arg in WSGI_NAMES:
            yield f"line {node.lineno} takes {node.arg}"
    for line, text in strings(tree):
        if WSGI_KEYS.fullmatch(text):
            yield f"line {line} has {text!r}"


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and value of each string in *tree*, but for those that stand alone: docstrings."""
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text), lineno=line) if node not in prose:
                yield line, text


def faults(module: str, source: str) -> list[str]:
    """Return everything in *source* that the floor of *module* does not allow."""
    tree = ast.parse(source)
    return [
        *import_faults(module, tree),
        *foreign_faults(module, tree),
        *sans_io_faults(module, tree),
    ]


@pytest.mark.parametrize(("module", "path"), modules().items(), ids=list(modules()))
def test_module_keeps_to_its_floor(module: str, path: Path) -> None:
    """A module has a floor, imports only from below it, and the core is sans-IO."""
    assert faults(module, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        pytest.param("wsgi_sigv4.utils", "", "has no floor", id="a new module"),
        pytest.param(
            "wsgi_sigv4.canonical",
            "import wsgi_sigv4.verifier",
            "imports wsgi_sigv4.verifier of floor 3.4",
            id="from above",
        ),
        pytest.param(
            "wsgi_sigv4.canonical",
            "from wsgi_sigv4 import verifier",
            "imports wsgi_sigv4.verifier of floor 3.4",
            id="from above, by way of the package",
        ),
        pytest.param(
            "wsgi_sigv4.canonical",
            "from wsgi_sigv4 import Verifier",
            "imports wsgi_sigv4 of floor 6",
            id="from the package",
        ),
        pytest.param(
            "wsgi_sigv4.canonical",
            "from wsgi_sigv4.profiles import S3",
            "imports wsgi_sigv4.profiles of floor 2",
            id="from its own floor",
        ),
        pytest.param(
            "wsgi_sigv4.verifier",
            "def late():\n    from wsgi_sigv4.middleware import SigV4Middleware",
            "imports wsgi_sigv4.middleware of floor 5.2",
            id="from above, inside a function",
        ),
        pytest.param(
            "wsgi_sigv4.canonical",
            "from .request import Request",
            "imports .request relatively",
            id="relative",
        ),
        pytest.param(
            "wsgi_sigv4.canonical",
            "import wsgi_sigv4.helpers",
            "imports wsgi_sigv4.helpers, which has no floor",
            id="from a module without a floor",
        ),
        pytest.param(
            "wsgi_sigv4.middleware",
            "from wsgi_sigv4.contrib import flask",
            "imports wsgi_sigv4.contrib.flask of floor 7",
            id="a skin from the package",
        ),
        pytest.param(
            "wsgi_sigv4.contrib.flask",
            "import wsgi_sigv4.contrib.django.conf",
            "imports wsgi_sigv4.contrib.django.conf of floor 7",
            id="a skin from another skin",
        ),
        pytest.param(
            "wsgi_sigv4.contrib.encryption",
            "import wsgi_sigv4.contrib.sqlalchemy",
            "imports wsgi_sigv4.contrib.sqlalchemy of floor 7",
            id="a skin from what skins stand on",
        ),
        pytest.param(
            "wsgi_sigv4.contrib.flask",
            "import contrib.django",
            "imports contrib.django, whose name is wsgi_sigv4.contrib.django",
            id="contrib by its folder",
        ),
        pytest.param(
            "wsgi_sigv4.verifier", "import werkzeug.wsgi", "imports werkzeug.wsgi", id="Werkzeug"
        ),
        pytest.param(
            "wsgi_sigv4.verifier",
            "def late():\n    import awscrt.checksums",
            "imports awscrt.checksums",
            id="an extra inside a function of the core",
        ),
        pytest.param(
            "wsgi_sigv4.middleware", "import flask", "imports flask", id="an extra on import"
        ),
        pytest.param(
            "wsgi_sigv4.middleware",
            "try:\n    import flask\nexcept ImportError:\n    flask = None",
            "imports flask",
            id="an extra on import, tried",
        ),
        pytest.param(
            "wsgi_sigv4.command.main",
            "from wsgi_sigv4.command.terminal import console",
            "imports wsgi_sigv4.command.terminal",
            id="a module of an extra on import",
        ),
        pytest.param("wsgi_sigv4.request", "import socket", "imports socket", id="a socket"),
        pytest.param(
            "wsgi_sigv4.request",
            "from urllib.request import urlopen",
            "imports urllib.request",
            id="a download",
        ),
        pytest.param("wsgi_sigv4.canonical", "import time", "imports time", id="a clock"),
        pytest.param("wsgi_sigv4.request", "open('x')", "line 1 uses open", id="a file"),
        pytest.param(
            "wsgi_sigv4.request",
            "def parse(environ): ...",
            "line 1 takes environ",
            id="an environ",
        ),
        pytest.param(
            "wsgi_sigv4.request",
            "key = 'HTTP_HOST'",
            "line 1 has 'HTTP_HOST'",
            id="a key of the environ",
        ),
    ],
)
def test_fault_is_found(module: str, source: str, fault: str) -> None:
    """The check above can fail: each way to break the floors is found, and named."""
    assert faults(module, source) == [fault]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param(
            "wsgi_sigv4.verifier", "from wsgi_sigv4.canonical import canonical_uri", id="below"
        ),
        pytest.param("wsgi_sigv4.verifier", "import hmac, time", id="the default clock"),
        pytest.param("wsgi_sigv4.streams", "import io, werkzeug.wsgi", id="I/O above the core"),
        pytest.param(
            "wsgi_sigv4.streams", "def late():\n    import awscrt.checksums", id="an extra, late"
        ),
        pytest.param(
            "wsgi_sigv4.contrib.django.middleware",
            "import django.http\nfrom wsgi_sigv4 import Verifier\n"
            "from wsgi_sigv4.contrib.django import conf",
            id="a skin and its framework",
        ),
        pytest.param(
            "wsgi_sigv4.request", '"""The environ\'s HTTP_HOST."""', id="WSGI in a docstring"
        ),
    ],
)
def test_allowed_import_is_no_fault(module: str, source: str) -> None:
    """The check above lets pass what the floors allow."""
    assert faults(module, source) == []


def test_floor_is_given_to_modules_that_exist() -> None:
    """The table holds no module that has gone."""
    assert set(FLOORS) <= set(modules())


def test_every_test_says_what_it_proves() -> None:
    """Each test has a docstring: the sentence that it proves."""
    silent = [
        f"{path.relative_to(TESTS)}: {node.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []
