"""The three curl commands of the examples' docstrings, against each of them under gunicorn."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples import demo
from tests.servers.processes import free_port
from tests.servers.processes import running

no_curl = demo.why_no_curl()
pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(no_curl is not None, reason=str(no_curl)),
]

EXAMPLES = ["examples.flask_app:app", "examples.django_project.wsgi", "examples.wsgi_app:app"]

#: Without the user's own curlrc, and past any proxy.
CURL = ("curl", "--disable", "--noproxy", "*", "--max-time", "60", "--silent")
SIGNED = [
    *("--aws-sigv4", "aws:amz:us-east-1:items"),
    *("--user", "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
]


@pytest.fixture(scope="module", params=EXAMPLES)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the Host of a running example."""
    folder = tmp_path_factory.mktemp("gunicorn")
    port = free_port()
    host = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--bind", host, request.param]
    environment = {
        "ITEMS_HOSTS": host,
        "HOME": str(folder),
        # pytest-django has put that of the tests there.
        "DJANGO_SETTINGS_MODULE": "examples.django_project.settings",
    }
    with running(command, port=port, log=folder / "log", environment=environment):
        yield host


def curl(*arguments: str) -> tuple[int, str]:
    """Run curl, and return status and body of the answer."""
    done = subprocess.run(
        [*CURL, "--write-out", "\n%{http_code}", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_unsigned_get_is_refused(host: str) -> None:
    """Without a signature there is nothing to be had."""
    status, body = curl(f"http://{host}/items?q=lamp")
    assert status == 403
    assert json.loads(body) == {"message": "Request is missing Authentication Token"}


def test_signed_get_with_a_query_is_answered(host: str) -> None:
    """A signed GET sees its query."""
    status, body = curl(f"http://{host}/items?q=lamp", *SIGNED)
    assert status == 200
    assert json.loads(body) == {"items": ["lamp"], "caller": "AKIAIOSFODNN7EXAMPLE"}


def test_signed_post_of_json_is_answered(host: str) -> None:
    """A signed POST has its body read."""
    status, body = curl(
        f"http://{host}/items",
        *("--header", "Content-Type: application/json", "--data", '{"name": "chair"}'),
        *SIGNED,
    )
    assert status == 200
    assert json.loads(body) == {"added": "chair", "caller": "AKIAIOSFODNN7EXAMPLE"}


def test_request_for_another_host_is_refused(host: str) -> None:
    """What was signed for another host is not taken here, wherever it is sent."""
    status, body = curl(f"http://{host}/items?q=lamp", "--header", "Host: localhost", *SIGNED)
    assert status == 403
    assert json.loads(body) == {"message": "Access Denied"}


@pytest.mark.parametrize(
    "path", ["flask_app.py", "wsgi_app.py", "django_project/__init__.py"], ids=str
)
def test_docstring_has_the_commands_that_are_tested(path: str) -> None:
    """The docstring of an example gives the command and the key that the tests above use."""
    text = (Path(demo.__file__).parent / path).read_text(encoding="utf-8")
    commands = re.sub(r"\\+\n +", "", text)
    assert f"gunicorn {next(e for e in EXAMPLES if path.split('/')[0][:5] in e)}" in commands
    assert f'--aws-sigv4 "{SIGNED[1]}" --user "{SIGNED[3]}"' in commands
