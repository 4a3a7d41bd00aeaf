"""botocore's signers on raw requests, as for an API of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from botocore.auth import SigV4Auth
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from tests.clients.programs.exchanges import ACCESS_KEY_ID
from tests.clients.programs.exchanges import REGION
from tests.clients.programs.exchanges import SECRET
from tests.clients.programs.exchanges import SESSION_TOKEN
from tests.clients.programs.exchanges import TEMPORARY_KEY_ID
from tests.clients.programs.exchanges import WRONG_SECRET
from tests.clients.programs.exchanges import Exchange
from tests.clients.programs.exchanges import check_echo
from tests.clients.programs.exchanges import endpoint
from tests.clients.programs.exchanges import run
from tests.clients.programs.exchanges import told

KEY = Credentials(ACCESS_KEY_ID, SECRET)
TEMPORARY = Credentials(TEMPORARY_KEY_ID, SECRET, SESSION_TOKEN)
WRONG = Credentials(ACCESS_KEY_ID, WRONG_SECRET)


def exchange(
    method: str,
    target: str,
    seen: str,
    *,
    args: dict[str, list[str]] | None = None,
    body: bytes | dict[str, str] = b"",
    sent: bytes = b"",
    key: Credentials = KEY,
    content_type: str | None = None,
    expires: int | None = None,
) -> str:
    """Sign and send a request to *target*, and check that the API saw *seen* and *sent*."""
    url = endpoint() + target
    headers = {"Content-Type": content_type} if content_type else None
    request = AWSRequest(method, url, headers=headers, data=body)
    if expires is None:
        SigV4Auth(key, "execute-api", REGION).add_auth(request)
    else:
        SigV4QueryAuth(key, "execute-api", REGION, expires=expires).add_auth(request)
    answer = URLLib3Session(timeout=60).send(request.prepare())
    if answer.status_code == 200 and expires is None:
        check_echo(answer.content, method=method, path=seen, args=args or {}, sent=sent)
    return told(answer.status_code, answer.headers, answer.content)


def exchanges() -> Iterator[Exchange]:
    """Yield what botocore signs."""
    form = "application/x-www-form-urlencoded"
    data = {"a": "b c+d", "é": "~*"}
    wire = b"a=b+c%2Bd&%C3%A9=~%2A"
    yield (
        "GET, escapes in path and query",
        partial(
            exchange,
            "GET",
            "/caf%C3%A9/a%2Fb/~x%20y?a=1&b=c%20d&e",
            "/café/a/b/~x y",
            args={"a": ["1"], "b": ["c d"], "e": [""]},
        ),
    )
    yield "GET, `//` and `..`", partial(exchange, "GET", "/a//b/../c/", "/a/c/")
    yield (
        "POST of JSON",
        partial(
            exchange, "POST", "/x", "/x", body=b"{}", sent=b"{}", content_type="application/json"
        ),
    )
    yield (
        "POST of a form",
        partial(exchange, "POST", "/x", "/x", body=data, sent=wire, content_type=form),
    )
    yield "GET, session token", partial(exchange, "GET", "/x", "/x", key=TEMPORARY)
    yield "presigned GET", partial(exchange, "GET", "/a%20b?q=1", "", expires=60)
    yield (
        "presigned GET, session token",
        partial(exchange, "GET", "/x", "", key=TEMPORARY, expires=60),
    )
    yield "GET, wrong secret", partial(exchange, "GET", "/x", "", key=WRONG)
    yield "presigned GET, wrong secret", partial(exchange, "GET", "/x", "", key=WRONG, expires=60)


if __name__ == "__main__":
    run("botocore", exchanges(), packages=["botocore"])
