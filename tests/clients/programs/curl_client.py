"""curl --aws-sigv4: the plain cases, which every version of it signs as AWS does."""

from __future__ import annotations

import json
import re
import subprocess
from functools import partial

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import told


def curl(*arguments: str) -> str:
    """Run curl without the user's own curlrc and past any proxy, and return what it printed."""
    return subprocess.run(
        ["curl", "--disable", "--noproxy", "*", "--silent", "--max-time", "10", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def exchange(target: str, *arguments: str, secret: str = SECRET) -> str:
    """Sign and send a request to *target*."""
    answer = curl(
        "--include",
        *("--aws-sigv4", f"aws:amz:{REGION}:execute-api"),
        *("--user", f"{ACCESS_KEY_ID}:{secret}"),
        *arguments,
        endpoint() + target,
    )
    status = answer.split(maxsplit=2)[1]
    code = re.search(r"^x-amzn-ErrorType: (\S+)", answer, re.MULTILINE | re.IGNORECASE)
    return told(int(status), {"x-amzn-ErrorType": code[1]} if code else {}, b"")


def main() -> None:
    """Run each exchange, and print what curl was told."""
    version = " ".join(curl("--version").split()[:2])
    json_body = ("--header", "Content-Type: application/json", "--data", '{"name": "lamp"}')
    for sent, send in (
        ("GET with a query", partial(exchange, "/items?a=1&b=2")),
        ("POST of JSON", partial(exchange, "/items", *json_body)),
        ("POST of a form", partial(exchange, "/items", "--data", "a=b&c=d")),
        ("GET, wrong secret", partial(exchange, "/items", secret=WRONG_SECRET)),
    ):
        print(json.dumps({"client": "curl", "version": version, "sent": sent, "told": send()}))


if __name__ == "__main__":
    main()
