"""docs/django.md says what is so: its settings, its views, its tables."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import path

from tests.django.signing import FIRST
from tests.django.signing import Sent
from tests.django.signing import code_of
from tests.django.signing import send
from tests.django.signing import sign
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.django import checks
from wsgi_sigv4.contrib.django.conf import KEYS

PAGE = Path(__file__).parents[2] / "docs" / "django.md"
TEXT = PAGE.read_text(encoding="utf-8")
HOST = "api.example.com"

#: Filled by the fixture below.
urlpatterns: list[Any] = []


@pytest.fixture
def page(settings: Any) -> dict[str, Any]:
    """Return the names of the page, in a project with its settings and its views."""
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "documentation"}
    for at, block in enumerate(blocks):
        exec(compile(block, f"{PAGE}:{at}", "exec", dont_inherit=True), names)  # noqa: S102
        if at == 0:
            settings.INSTALLED_APPS = names["INSTALLED_APPS"]
            settings.MIDDLEWARE = names["MIDDLEWARE"]
            settings.SIGV4 = names["SIGV4"]
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = [HOST, "testserver"]
    urlpatterns[:] = [
        path("items", names["items"]),
        path("health", names["health"]),
        path("report", names["report"]),
        path("class", names["Items"].as_view()),
        path("items/<int:number>", names["delete_item"]),
        path("api/items", names["ItemsAPI"].as_view()),
        path("expensive", names["expensive"]),
    ]
    return names


def test_ten_lines(page: dict[str, Any]) -> None:
    """What the page begins with is a project that serves who signs, and nobody else."""
    response = send(sign(target="/items?q=lamp", host=HOST))
    assert response.json() == {"you": FIRST, "q": "lamp"}
    assert send(Sent(method="GET", target="/items")).status_code == 403
    assert run_checks(tags=["security"]) == []


@pytest.mark.parametrize("target", ["/report", "/class", "/api/items", "/expensive"])
def test_views_of_the_page(page: dict[str, Any], target: str) -> None:
    """The views serve who signs."""
    assert send(sign(target=target, host=HOST)).status_code == 200
    assert send(Sent(method="GET", target=target)).status_code == 403
    assert send(Sent(method="GET", target="/health")).content == b"ok"


def test_view_that_refuses(page: dict[str, Any], settings: Any) -> None:
    """AccessDenied, raised by a view, is AWS's."""
    sent = sign("DELETE", "/items/1", host=HOST)
    assert code_of(send(sent)) == "AccessDeniedException"
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    ada = {FIRST: Credentials(secret, principal="ada")}
    settings.SIGV4 = {**settings.SIGV4, "CREDENTIALS": ada}
    assert send(sent).status_code == 204


def test_owner_of_the_page(page: dict[str, Any], settings: Any, db: None) -> None:
    """USER, as the page has it, finds the owner of a key."""
    from django.contrib.auth.models import User

    User.objects.create_user("ada")
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    ada = {FIRST: Credentials(secret, principal="ada")}
    settings.SIGV4 = {**settings.SIGV4, "CREDENTIALS": ada, "USER": page["owner"]}
    assert send(sign(target="/api/items", host=HOST)).json() == {"you": FIRST, "user": "ada"}


def test_client_of_the_page(page: dict[str, Any], settings: Any) -> None:
    """A client that signs is let in, once its host is named."""
    assert page["client"].get("/items").status_code == 403
    settings.SIGV4 = {**settings.SIGV4, "HOSTS": ["testserver"]}
    assert page["client"].get("/items").status_code == 200
    assert Client().get("/items").status_code == 403


def test_table_of_settings() -> None:
    """Each key stands in the table, with its default."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^`|]+?)`? \|", TEXT, re.MULTILINE))
    assert set(rows) == KEYS
    parameters = {
        **inspect.signature(Verifier).parameters,
        **inspect.signature(SigV4Middleware).parameters,
    }
    for key, told in rows.items():
        if key in ("USER", "EXPLAIN"):
            # The one has no other skin, and the other follows DEBUG.
            assert told == "None"
            continue
        default = parameters[key.lower()].default
        expected = "required" if default is inspect.Parameter.empty else repr(default)
        expected = {"CLOCK": "time.time", "PATH_PREFIX": '""'}.get(key, expected)
        assert (key, told) == (key, expected)


def test_table_of_checks() -> None:
    """Each id stands in the table, and in the docstring of the module."""
    ids = set(re.findall(r"^\| `(wsgi_sigv4\.[EW]\d+)` \|", TEXT, re.MULTILINE))
    source = inspect.getsource(checks)
    assert ids == set(re.findall(r'id="(wsgi_sigv4\.[EW]\d+)"', source))
    assert ids == set(re.findall(r"``(wsgi_sigv4\.[EW]\d+)``", source))
