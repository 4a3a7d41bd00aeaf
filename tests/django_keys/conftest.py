"""What every test of the key app may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.django.signing import send
from tests.django.signing import send_async
from tests.django_keys import settings as project
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
