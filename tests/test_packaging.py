"""The sdist and the wheel: what they hold, and that the wheel needs Werkzeug alone.

Built here from a copy of the checkout, without the network and without build isolation. Where the
tests run from an unpacked sdist against an installed wheel there is nothing to build, and these
are skipped.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / "wsgi_sigv4").is_dir(), reason="only a checkout can be built; this is none"
    ),
]

#: What a bare installation may import.
RUN_TIME_DEPENDENCIES = ("werkzeug", "markupsafe")

IMPORT_ALL = """
import pkgutil, sys
sys.path[:0] = sys.argv[1:]
import wsgi_sigv4
for module in pkgutil.iter_modules(wsgi_sigv4.__path__, "wsgi_sigv4."):
    if module.name not in ("wsgi_sigv4.contrib", "wsgi_sigv4.__main__"):
        __import__(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules} - sys.stdlib_module_names))
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("packaging")
    shutil.copytree(
        ROOT,
        folder / "checkout",
        symlinks=True,
        ignore=shutil.ignore_patterns(
            *(".git", ".venv*", ".nox", ".node-clients", ".*_cache", "*.egg-info"),
            *("dist", "build", "mutants", "__pycache__", ".hypothesis", ".fuzz"),
        ),
    )
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder / "dist")]
    done = subprocess.run(
        [*build, str(folder / "checkout")], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def sdist_names(dist: Path) -> set[str]:
    """Return the names of the files in the sdist, without its top folder."""
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert all(member.isdir() or member.isfile() for member in members), "no links in an sdist"
    return {member.name.partition("/")[2] for member in members if member.isfile()}


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """Return the path of the wheel."""
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> set[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def sources(folder: str, pattern: str = "*") -> set[str]:
    """Return the files of the checkout under *folder*, caches apart, relative to its top."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob(pattern)
        if path.is_file() and "__pycache__" not in path.parts and "node_modules" not in path.parts
    }


def installed_names() -> set[str]:
    """Return the modules of the checkout by the path they are installed at."""
    package = sources("wsgi_sigv4", "*.py")
    # The link to contrib is followed by some versions of Python alone.
    package -= {name for name in package if name.startswith("wsgi_sigv4/contrib/")}
    return package | {f"wsgi_sigv4/{name}" for name in sources("contrib", "*.py")}


def test_wheel_holds_every_module(wheel_names: set[str]) -> None:
    """The wheel holds each module of the package and of contrib, and the typing marker."""
    modules = {name for name in wheel_names if name.endswith(".py")}
    assert modules == installed_names()
    assert "wsgi_sigv4/py.typed" in wheel_names


def test_wheel_holds_the_pages_of_the_key_app(wheel_names: set[str]) -> None:
    """The wheel holds the templates and the script of the admin, and the first migration."""
    keys = "contrib/django/keys"
    pages = sources(f"{keys}/templates") | sources(f"{keys}/static")
    assert len(pages) >= 4
    assert {f"wsgi_sigv4/{name}" for name in pages} <= wheel_names
    assert f"wsgi_sigv4/{keys}/migrations/0001_initial.py" in wheel_names


def test_wheel_holds_nothing_beside_the_package(wheel_names: set[str]) -> None:
    """The wheel brings one top-level name: no tests, and no contrib that would shadow others."""
    tops = {name.partition("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wsgi_sigv4"}


def test_wheel_metadata_names_licence_and_one_dependency(wheel: Path) -> None:
    """The metadata say MIT, bring the licence's text, and need Werkzeug alone."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        lines = archive.read(metadata).decode("utf-8").partition("\n\n")[0].splitlines()
        licences = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
    needed = [line for line in lines if line.startswith("Requires-Dist:") and "extra" not in line]
    assert needed == ["Requires-Dist: Werkzeug>=3.0"]
    assert "License: MIT" in lines
    assert "Requires-Python: >=3.11" in lines
    assert {"flask", "django", "test", "all"} <= {
        line.removeprefix("Provides-Extra: ") for line in lines
    }
    assert len(licences) == 1


def test_sdist_holds_what_the_tests_need(sdist_names: set[str]) -> None:
    """The sdist holds the package, contrib, tests, examples and docs whole, and each once."""
    files = {
        *("setup.cfg", "pyproject.toml", "MANIFEST.in", "Makefile", "noxfile.py", ".ci/run"),
        *("README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "wsgi_sigv4/py.typed"),
    }
    folders = {name for name in ("contrib", "docs", "examples", "tests") if (ROOT / name).is_dir()}
    assert set.union(files, *(sources(folder) for folder in folders)) <= sdist_names
    assert not any(name.startswith("wsgi_sigv4/contrib/") for name in sdist_names)


def test_wheel_without_extras_imports_with_werkzeug_alone(wheel: Path, tmp_path: Path) -> None:
    """Without extras every module imports, and none of Flask, Django or the crypto libraries is."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in RUN_TIME_DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (site / name).symlink_to(Path(spec.origin).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", IMPORT_ALL, str(site)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) - {"__main__"} <= {"wsgi_sigv4", *RUN_TIME_DEPENDENCIES}
    assert "wsgi_sigv4" in done.stdout.split()
