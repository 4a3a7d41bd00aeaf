"""The AWS command line, version 1, as its users call it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import SESSION_TOKEN
from tests.clients.programs.exchanges import TEMPORARY_KEY_ID
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import Exchange
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import run

AWS = str(Path(sys.executable).with_name("aws"))
OBJECT = ("--bucket", "cli", "--key", "a b/café+1")


def aws(
    *arguments: str, key: str = ACCESS_KEY_ID, secret: str = SECRET, token: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run aws with none of the user's own configuration."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"}
    environment |= {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }
    if token:
        environment["AWS_SESSION_TOKEN"] = token
    return subprocess.run(
        [AWS, "--endpoint-url", endpoint(), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def done(process: subprocess.CompletedProcess[str]) -> None:
    """Fail unless *process* ended well."""
    assert process.returncode == 0, process.stdout + process.stderr


def code_in(process: subprocess.CompletedProcess[str]) -> str:
    """Return the code of the error that *process* printed."""
    found = re.search(r"An error occurred \((\w+)\)", process.stderr)
    assert found is not None, process.stdout + process.stderr
    return found[1]


def code_of_wrong_secret(*arguments: str) -> str:
    """Return the code that is printed where the secret is wrong."""
    return code_in(aws(*arguments, secret=WRONG_SECRET))


def objects() -> None:
    """Copy a file into a bucket and out of it, and list the bucket."""
    with tempfile.TemporaryDirectory() as folder:
        there, back = Path(folder, "there"), Path(folder, "back")
        there.write_bytes(b"content")
        done(aws("s3api", "put-object", *OBJECT, "--body", str(there)))
        done(aws("s3api", "get-object", *OBJECT, str(back)))
        assert back.read_bytes() == b"content"
        listing = aws("s3", "ls", "s3://cli/a b/")
        done(listing)
        assert "café+1" in listing.stdout


def exchanges() -> Iterator[Exchange]:
    """Yield what aws sends."""
    yield "S3: put, get, list", objects
    yield (
        "STS (query protocol), session token",
        lambda: done(aws("sts", "get-caller-identity", key=TEMPORARY_KEY_ID, token=SESSION_TOKEN)),
    )
    yield "DynamoDB (JSON)", lambda: done(aws("dynamodb", "list-tables"))
    for what, arguments in (
        ("S3", ("s3", "ls", "s3://cli")),
        ("STS", ("sts", "get-caller-identity")),
        ("DynamoDB", ("dynamodb", "list-tables")),
    ):
        yield f"{what}: wrong secret", partial(code_of_wrong_secret, *arguments)


if __name__ == "__main__":
    run("AWS CLI 1", exchanges(), packages=["awscli"])
