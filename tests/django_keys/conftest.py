"""What every test of the key app may ask for."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from tests.django.signing import send
from tests.django.signing import send_async
from tests.django_keys import settings as project
from tests.django_keys.running import Project
from tests.sqlalchemy.postgres import Postgres
from tests.sqlalchemy.postgres import why_no_postgres
from wsgi_sigv4.contrib.django.conf import get_verifier
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.provider import AccessKeyProvider

#: What tests/django has otherwise, or not at all.
_OWN = ("ALLOWED_HOSTS", "INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "STATIC_URL", "TEMPLATES")


@pytest.fixture(autouse=True)
def _project(settings: Any) -> None:
    """Make the project of the test ours, with a provider that remembers nothing yet."""
    for name in _OWN:
        setattr(settings, name, getattr(project, name))
    settings.SIGV4 = dict(project.SIGV4)
    settings.SIGV4_KEY_ENCRYPTION_KEYS = list(project.SIGV4_KEY_ENCRYPTION_KEYS)


@pytest.fixture(params=[send, send_async], ids=["wsgi", "asgi"])
def exchange(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return what sends a request to Django, under WSGI and under ASGI."""
    sends: Callable[..., Any] = request.param
    return sends


@pytest.fixture
def ada(db: None) -> User:
    """Return a user."""
    return User.objects.create_user("ada")


@pytest.fixture
def issued(ada: User) -> Issued:
    """Return a key of hers, with its secret."""
    return create_key(ada, note="for tests")


@pytest.fixture
def provider() -> AccessKeyProvider:
    """Return the provider of the project."""
    found = get_verifier().provider
    assert isinstance(found, AccessKeyProvider)
    return found


def _prepared(folder: Path, environment: dict[str, str]) -> Project:
    """Return the project on a new database, with the user ada."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.django_keys.settings"}
    prepared = Project(folder=folder, environment={**settings, **environment})
    prepared.manage("migrate", "--verbosity=0")
    prepared.manage("createsuperuser", "--noinput", "--username=ada", "--email=ada@example.com")
    return prepared


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a PostgreSQL server."""
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(f"SKIPPED on PostgreSQL: {reason}")
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def served_project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """Return the project on a database in a file, and on PostgreSQL."""
    if request.param == "sqlite":
        return _prepared(tmp_path, {"TEST_DATABASE_NAME": str(tmp_path / "db.sqlite3")})
    return _on_postgres(request.getfixturevalue("postgres"), tmp_path)


@pytest.fixture
def postgres_project(postgres: Postgres, tmp_path: Path) -> Project:
    """Return the project on PostgreSQL."""
    return _on_postgres(postgres, tmp_path)


def _on_postgres(postgres: Postgres, folder: Path) -> Project:
    name = f"keys_{uuid4().hex[:8]}"
    postgres.sql(f"create database {name}")
    host = postgres.url.partition("host=")[2]
    return _prepared(
        folder,
        {
            "TEST_DATABASE_ENGINE": "django.db.backends.postgresql",
            "TEST_DATABASE_NAME": name,
            "TEST_DATABASE_HOST": host,
            "TEST_DATABASE_USER": "postgres",
        },
    )
