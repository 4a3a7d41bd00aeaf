"""The runs that need environments of their own: the wheel on every interpreter, the long things."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "dist"

#: Supported interpreters; one that is not found is skipped, and nox's summary says so.
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

#: The oldest versions that setup.cfg admits, on the oldest interpreter.
OLDEST = [
    *("Werkzeug==3.0.0", "Flask==3.0.0", "Django==5.2", "SQLAlchemy==2.0.0"),
    *("prometheus-client==0.20.0", "opentelemetry-api==1.25.0", "opentelemetry-sdk==1.25.0"),
]

#: The interpreter that `make unit` runs everything on, from the checkout. What could still differ
#: in the wheel there is what it holds, which these tests show.
MAIN = f"{sys.version_info[0]}.{sys.version_info[1]}"
OF_THE_WHEEL = [
    "tests/wsgi",
    "tests/flask",
    "tests/django",
    "tests/django_keys",
    "tests/sqlalchemy",
]

#: The other runs leave out what the main interpreter covers.
FAST = "not (slow or servers or clients or browser)"

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["build", "bare", "wheel", "oldest"]
nox.options.reuse_existing_virtualenvs = True
# nox would fail on a missing interpreter where CI is set; a machine need not have them all.
nox.options.error_on_missing_interpreters = False


def add_pyenv_interpreters() -> None:
    """Put pyenv's interpreters on PATH: its shims find one only where it is activated."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [
        str(found.parent)
        for version in PYTHONS
        for found in sorted(root.glob(f"versions/{version}*/bin/python{version}"))[-1:]
    ]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])


add_pyenv_interpreters()


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist, and the wheel from the sdist."""
    session.install("build", "setuptools>=77")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT))


@nox.session
def bare(session: nox.Session) -> None:
    """Import the wheel without extras: Werkzeug is all it needs."""
    install_wheel(session)
    session.chdir(session.create_tmp())
    session.run("python", "-W", "error", "-c", "import wsgi_sigv4, wsgi_sigv4.testing")
    session.run("python", "-m", "pip", "check")


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """Run the fast tests against the built wheel, with the newest frameworks this Python runs."""
    install_wheel(session, "[fast]")
    run_tests_of_sdist(session, *(OF_THE_WHEEL if session.python == MAIN else ()))


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """Run the fast tests against the built wheel, with the oldest supported frameworks."""
    install_wheel(session, "[fast]", *OLDEST)
    run_tests_of_sdist(session)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz environs, then bodies, for five minutes each or as many seconds as given."""
    session.install("-e", ".[test,fuzz]")
    seconds = session.posargs or ["300"]
    session.run("python", "-m", "tests.fuzz", *seconds)
    session.run("python", "-m", "tests.fuzz", *seconds, "chunked")


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the core in every small way and see a test fail."""
    session.install("-e", ".[test,mutants]")
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what a verification costs; `--save` keeps page and chart in docs/."""
    session.install("-e", ".[test,bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


def built(session: nox.Session, pattern: str) -> Path:
    """Return the one file in dist/ that matches *pattern*."""
    found = list(DIST.glob(pattern))
    if len(found) != 1:
        session.error(f"dist/ holds {len(found)} of {pattern}: run `nox -s build` first")
    return found[0]


def install_wheel(session: nox.Session, extras: str = "", *constraints: str) -> None:
    """Install the wheel in dist/ with *extras*, and what they need in versions that fit."""
    wheel = str(built(session, "*.whl"))
    session.install(wheel + extras, *constraints)
    # It has the version of the wheel before it: without force, pip would leave the old one in.
    session.install("--force-reinstall", "--no-deps", wheel)


def run_tests_of_sdist(session: nox.Session, *tests: str) -> None:
    """Run the fast ones of *tests*, or of all, from the unpacked sdist.

    Its own copy of the package is taken away.
    """
    folder = Path(session.create_tmp()) / "sdist"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(built(session, "*.tar.gz")) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    shutil.rmtree(source / "wsgi_sigv4")
    shutil.rmtree(source / "contrib")
    session.chdir(source)
    session.run("python", "-c", "import wsgi_sigv4 as w; print('testing', w.__file__)")
    # The development mode but for its checks of memory in C, which `make unit` makes.
    modes = {"PYTHONDEVMODE": "1", "PYTHONMALLOC": "pymalloc"}
    session.run("python", "-m", "pytest", "-q", "-m", FAST, *tests, env=modes)
