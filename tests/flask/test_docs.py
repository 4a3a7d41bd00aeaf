"""docs/flask.md says what the code does."""

from __future__ import annotations

import inspect
import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import get
from tests.flask.signing import post
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier

PAGE = (Path(__file__).parents[2] / "docs" / "flask.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(SIGV4_[A-Z_]+)` \| (.+?) \| .+ \|$", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def parameters() -> dict[str, Any]:
    """Return the default of each parameter, by the key of the configuration."""
    of_both = {
        **inspect.signature(Verifier).parameters,
        **inspect.signature(SigV4Middleware).parameters,
    }
    defaults = {
        f"SIGV4_{name.upper()}": parameter.default
        for name, parameter in of_both.items()
        if name not in ("app", "verifier")
    }
    # It follows the debug mode of the app.
    return defaults | {"SIGV4_EXPLAIN": None}


def test_table_of_the_configuration() -> None:
    """The table has a row for each parameter, in their order, with its default."""
    rows = dict(ROW.findall(PAGE))
    told = {
        key: "required"
        if default is inspect.Parameter.empty
        else "`time.time`"
        if default is time.time
        else f"`{default!r}`".replace("''", '""')
        for key, default in parameters().items()
    }
    assert list(rows.items()) == list(told.items())


def example(heading: str) -> dict[str, Any]:
    """Return the names that the last block below *heading* defines."""
    section = re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(BLOCK.findall(section[0])[-1], heading, "exec"), names)  # noqa: S102 (our page)
    return names


def client_of(heading: str) -> FlaskClient:
    """Return a client of the app of the last block below *heading*."""
    app: Flask = example(heading)["app"]
    app.testing = True
    return app.test_client()


@pytest.mark.parametrize(
    ("heading", "path", "text"),
    [
        pytest.param("Views, classes, blueprints", "/items/lamp", "lamp", id="class"),
        pytest.param("Flask-Login", "/me", "alice", id="flask-login"),
        pytest.param("Flask-Caching", "/items", f'{{"for":"{ACCESS_KEY_ID}"}}\n', id="cache"),
        pytest.param(
            "Inside SigV4Middleware", "/items", f'{{"you":"{ACCESS_KEY_ID}"}}\n', id="wsgi"
        ),
    ],
)
def test_recipe(heading: str, path: str, text: str) -> None:
    """The recipe serves who has signed, and nobody else."""
    client = client_of(heading)
    url = "http://api.example.com" if heading.startswith("Views") else "http://localhost"
    assert get(client, path, base_url=url).text == text
    assert client.get(path, base_url=url).status_code == 403


def test_recipe_of_blueprints() -> None:
    """The page's blueprint takes its own service, and its optional view anybody."""
    client = client_of("Views, classes, blueprints")
    url = "http://api.example.com"
    assert get(client, "/reports/a", service="reports", base_url=url).text == "a"
    assert get(client, "/reports/a", base_url=url).status_code == 403
    assert client.get("/", base_url=url).text == "Hello stranger"
    assert get(client, "/", base_url=url).text == f"Hello {ACCESS_KEY_ID}"
    assert send(client, sign("/items/a", "PUT", base_url=url)).status_code == 201
    assert get(client, "/items/a", expires=60, base_url=url).status_code == 403


def test_recipe_of_flask_wtf() -> None:
    """T37: the page's recipe spares the header form, and protects presigned posts."""
    client = client_of("Flask-WTF")
    form = "application/x-www-form-urlencoded"
    assert post(client, "/items", b"a=1", form).status_code == 201
    assert post(client, "/items", b"a=1", form, expires=60).status_code == 400
    assert client.post("/items", data={"a": "1"}).status_code == 400


def test_recipe_of_flask_cors() -> None:
    """T42: the page's recipe answers a preflight, and guards the rest."""
    client = client_of("flask-cors")
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    answer = client.options("/items/a", headers=headers)
    assert answer.status_code == 200
    assert answer.access_control_allow_origin == "https://shop.example"
    assert client.put("/items/a").status_code == 403
    assert send(client, sign("/items/a", "PUT")).status_code == 201


@pytest.mark.parametrize("block", BLOCK.findall(PAGE))
def test_block_runs_by_itself(block: str) -> None:
    """Every block of the page runs, in a namespace of its own."""
    import logging

    loggers = [logging.getLogger(name) for name in ("werkzeug", "gunicorn.access")]
    kept = [list(logger.filters) for logger in loggers]
    try:
        exec(compile(block, "docs/flask.md", "exec"), {"__name__": "example"})  # noqa: S102 (our page)
    finally:
        for logger, filters in zip(loggers, kept, strict=True):
            logger.filters[:] = filters
