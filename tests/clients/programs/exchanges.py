"""What the programs share: run an exchange, print what became of it."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from importlib.metadata import version

#: The keys of the server's; see tests/clients/application.py.
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEMPORARY_KEY_ID = "ASIAIOSFODNN7EXAMPLE"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//8=+a/b=="
WRONG_SECRET = "a secret that nobody issued"
UNKNOWN_KEY_ID = "AKIAUNKNOWN7EXAMPLE"
REGION = "us-east-1"

#: Keys of objects that go wrong in other verifiers.
ODD_KEYS = ("plain.txt", "a b+c", "café/€", "a//b", "a/../b", "q?x=1&y#z", "'()*!~", "%2F;@=:,$")

#: What was sent, and the function that sends it: it fails unless the answer is the right one,
#: and returns what the client was told where that is a refusal.
Exchange = tuple[str, Callable[[], str | None]]


def endpoint() -> str:
    """Return the URL of the server."""
    return sys.argv[1]


def told(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return status and AWS's code of an answer, where the client does not read them itself."""
    code = headers.get("x-amzn-ErrorType", "")
    if not code and (found := re.search(rb"<Code>(\w+)</Code>", body)):
        code = found[1].decode()
    return f"{status} {code}".strip()


def check_echo(body: bytes, *, method: str, path: str, args: object, sent: bytes = b"") -> None:
    """Fail unless the API saw what was sent; see tests/clients/application.py."""
    found = json.loads(body)
    assert found["method"] == method
    assert found["path"] == path
    assert found["args"] == args
    assert base64.b64decode(found["body"]) == sent


def run(client: str, exchanges: Iterable[Exchange], *, packages: Iterable[str]) -> None:
    """Run each of *exchanges*, and print what the client was told.

    Args:
        client: the client's name.
        exchanges: what is sent.
        packages: the distributions whose versions make the client.
    """
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    for sent, send in exchanges:
        line = {"client": client, "version": versions, "sent": sent, "told": send() or "200"}
        print(json.dumps(line), flush=True)
