"""Files that hold no request: what the command says of them."""

from __future__ import annotations

import pytest

from tests.command.conftest import Command
from tests.command.files import Write

#: What curl 7.88 writes with -v.
VERBOSE = b"""\
*   Trying 127.0.0.1:8000...
* Server auth using AWS_SIGV4 with user 'AKID'
> POST /a?b=c HTTP/1.1
> Host: 127.0.0.1:8000
> Content-Length: 3
>
} [3 bytes data]
< HTTP/1.1 403 Forbidden
"""


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ": is empty"),
        (b"\r\n \n", ": is empty"),
        (VERBOSE, "looks like curl -v, which leaves out blanks and the body: use curl --trace"),
        (VERBOSE.replace(b"\n", b"\r\n"), "looks like curl -v"),
        (b"> GET of the page\n", "neither a raw request"),
        (b"\x00\x01\x02" * 999, "neither a raw request"),
        (b"GET / FTP/1.1\r\n", "neither a raw request"),
        (b"<html>", "neither a raw request"),
        (b"{", "not JSON in UTF-8"),
        (b"POST / HTTP/1.1\r\nHost", "line 2 of the request is no header"),
    ],
)
def test_what_is_no_input(command: Command, saved: Write, data: bytes, told: str) -> None:
    """A file that holds no request ends with 3, and one line that says why."""
    ran = command("explain", saved(data))
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert told in ran.err
