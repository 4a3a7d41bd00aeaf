"""What goes wrong between a client and a server, done to real requests.

Each distortion makes its client (what it sends, and what it signs wrongly) and what a proxy then
makes of the request. It shares nothing with the package: names of causes are written out.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace

from tests.core.messages import Message
from tests.core.signing import SECRET
from tests.explain.clients import Canonical
from tests.explain.clients import Client

Alter = Callable[[Message], Message]
Prepare = Callable[[Client, random.Random], Client]

HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def as_it_is(client: Client, chance: random.Random) -> Client:
    """Return *client*."""
    return client


def untouched(message: Message) -> Message:
    """Return *message*."""
    return message


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """One thing that goes wrong.

    Attributes:
        causes: what explains it: the cause, and others that have the very same effect.
        piece: what it is done to; two distortions of one piece do not go together.
        prepare: makes the client.
        alter: what happens on the way.
        remedy: words that the remedy must have.
        party: who has to mend it.
        s3: whether it is done to a request to S3 (True), to others (False) or to both (None).
    """

    causes: tuple[str, ...]
    piece: str
    prepare: Prepare = as_it_is
    alter: Alter = untouched
    remedy: str = ""
    party: str
    s3: bool | None = None
    presigned: bool | None = False

    def fits(self, other: Distortion) -> bool:
        """Return whether both can happen to one request."""
        return (
            self.piece != other.piece
            and None in (self.s3, other.s3, None if self.s3 == other.s3 else 0)
            and None in (self.presigned, other.presigned, None if self.presigned == other.presigned else 0)
        )


def _fault(piece: str, change: Callable[[str], str]) -> Prepare:
    """Return a client that changes one *piece* of its canonical request."""

    def fault(canonical: Canonical) -> None:
        setattr(canonical, piece, change(getattr(canonical, piece)))

    return lambda client, chance: client.with_fault(fault)


def _header_fault(name: str, sent: str, value: str) -> dict[str, object]:
    """Return a client that sends *sent* and signs *value*."""

    def fault(canonical: Canonical) -> None:
        canonical.headers[name] = value

    return {
        "piece": f"header {name}",
        "prepare": lambda client, chance: client.with_header(name, sent).with_fault(fault),
    }


def _header(name: str, signed: str, arrives: str) -> dict[str, object]:
    return {
        "piece": f"header {name}",
        "prepare": lambda client, chance: client.with_header(name, signed),
        "alter": lambda message: message.with_header(name, arrives),
    }


def _host(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = message.with_header("Host", arrives)
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "host",
        "prepare": lambda client, chance: replace(client, host=signed),
        "alter": alter,
    }


def _path(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = replace(message, path=arrives.encode())
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "path",
        "prepare": lambda client, chance: replace(client, path=signed),
        "alter": alter,
    }


def _query(signed: str, arrives: str) -> dict[str, object]:
    # A presigned query has its own parameters behind these.
    def alter(message: Message) -> Message:
        query = message.query.decode().replace(signed, arrives, 1) if signed else arrives
        return replace(message, query=query.encode())

    return {
        "piece": "query",
        "prepare": lambda client, chance: replace(client, query=signed),
        "alter": alter,
    }


def _sends(query: str, fault: Callable[[str], str]) -> dict[str, object]:
    change = _fault("query", fault)
    return {
        "piece": "query",
        "prepare": lambda client, chance: change(replace(client, query=query), chance),
    }


def _body(signed: bytes, arrives: bytes, kind: str = "text/plain") -> dict[str, object]:
    return {
        "piece": "body",
        "prepare": lambda client, chance: replace(client, method="POST", body=signed),
        "alter": lambda message: replace(message, body=arrives),
    }


def _payload(value: str) -> dict[str, object]:
    change = _fault("payload", lambda payload: value)
    return {
        "piece": "body",
        "prepare": lambda client, chance: change(
            replace(client, method="POST", body=b"hello\x00world"), chance
        ),
    }


def _method(signed: str, arrives: str, **extra: str) -> dict[str, object]:
    def alter(message: Message) -> Message:
        message = replace(message, method=arrives)
        for name, value in extra.items():
            message = message.with_extra_header(name.replace("_", "-"), value)
        return message

    return {
        "piece": "method",
        "prepare": lambda client, chance: replace(client, method=signed),
        "alter": alter,
    }


def _secret(secret: str) -> dict[str, object]:
    return {"piece": "key", "prepare": lambda client, chance: replace(client, secret=secret)}


def _key_scope(**parts: str) -> dict[str, object]:
    return {"piece": "key", "prepare": lambda client, chance: replace(client, key_scope=parts)}


def _made(
    cause: str, party: str, remedy: str, parts: dict[str, object], *also: str, **more: object
) -> Distortion:
    return Distortion(causes=(cause, *also), party=party, remedy=remedy, **(parts | more))  # type: ignore[arg-type]


def _knobs(parts: dict[str, object], **knobs: object) -> dict[str, object]:
    prepare = parts["prepare"]

    def with_knobs(client: Client, chance: random.Random) -> Client:
        client = prepare(client, chance)  # type: ignore[operator]
        return replace(client, knobs=client.knobs | knobs)

    return parts | {"prepare": with_knobs}


def _unsorted(query: str) -> str:
    return "b=2&a=1"


TWO_HOSTS = ("api.example.com", "internal.example.com:5000", "upstream")
JSON = {"name": "A", "list": [1, 2, {"x": None}], "text": "é"}

#: The first of each cause is its real case; those below show that it is not that one case only.
DISTORTIONS = (
    _made(
        "host-port-dropped", "proxy", "$http_host", _host("api.example.com:8443", "api.example.com")
    ),
    _made(
        "host-port-dropped", "proxy", "$http_host",
        _host("api.example.com:7001", "api.example.com", X_Forwarded_Port="7001"),
    ),
    _made(
        "host-forwarded", "proxy", "ProxyFix",
        _host("public.example.org", "10.0.0.7:5000", X_Forwarded_Host="public.example.org"),
    ),
    _made(
        "host-forwarded", "proxy", "$http_host",
        _host("public.example.org", "app", Forwarded='for=1.2.3.4;host="public.example.org"'),
    ),
    _made(
        "host-forwarded", "proxy", "header_overrides",
        _host("public.example.org:444", "app", X_Original_Host="public.example.org", X_Forwarded_Port="444"),
    ),
    _made(
        "host-configured", "proxy", "ProxyPreserveHost",
        _knobs(_host("api.example.com", "upstream"), hosts=TWO_HOSTS),
    ),
    _made(
        "host-port-not-signed", "client", "httpx-auth-awssigv4",
        _host("127.0.0.1", "127.0.0.1:8765"),
    ),
    _made(
        "host-port-changed", "proxy", "$http_host", _host("api.example.com:8443", "api.example.com:5000")
    ),
    _made("host-case", "client", "lower case", _host("API.EXAMPLE.COM", "api.example.com")),
    _made("host-local", "proxy", "tunnel", _host("localhost:8000", "tunnel.example.net")),
    _made(
        "host-aws", "client", "endpoint_url",
        _host("items.us-east-1.amazonaws.com", "api.example.com"), s3=False,
    ),
    _made("host-dot", "client", "dot", _host("api.example.com.", "api.example.com")),
    _made(
        "path-prefix-stripped", "proxy", "path_prefix='/api'", _path("/api/items/7", "/items/7")
    ),
    _made(
        "path-prefix-stripped", "proxy", "ProxyFix(x_prefix=1)",
        _path("/tenant-9/items/7", "/items/7", X_Forwarded_Prefix="/tenant-9"),
    ),
    _made("path-prefix-added", "proxy", "proxy_pass", _path("/items/7", "/backend/items/7")),
    _made("path-end", "proxy", "APPEND_SLASH", _path("/items/7", "/items/7/")),
    _made("path-end", "proxy", "DirectorySlash", _path("/items/7/", "/items/7")),
    _made(
        "path-forwarded", "proxy", "proxy_pass",
        _path("/old/place/7", "/new/7", X_Original_URI="/old/place/7"),
    ),
    _made(
        "path-decoded", "proxy", "proxy_pass",
        _path("/items/%28x%29", "/items/(x)"), s3=False,
    ),
    _made(
        "path-decoded", "proxy", "AllowEncodedSlashes", _path("/items/a%2Fb", "/items/a/b"), s3=False
    ),
    _made("path-decoded", "proxy", "nocanon", _path("/items/a%2520b", "/items/a%20b"), s3=False),
    _made("path-encoded", "proxy", "proxy_pass", _path("/items/(x)%20y", "/items/%28x%29%20y"), s3=False),
    _made("path-slashes-merged", "proxy", "merge_slashes off", _path("/items//7", "/items/7"), s3=True),
    _made("path-dots-removed", "client", ". and ..", _path("/items/./7", "/items/7"), s3=True),
    _made(
        "path-escapes-case", "client", "capitals",
        _path("/items/%e2%82%ac", "/items/%E2%82%AC"), s3=False,
    ),
    _made(
        "path-verbatim", "client", "curl",
        {
            "piece": "path",
            "prepare": lambda client, chance: _fault("path", lambda path: "/items/a+b")(
                replace(client, path="/items/a+b"), chance
            ),
        },
    ),
    _made(
        "path-encoding", "client", "profile=",
        {
            "piece": "path",
            "prepare": lambda client, chance: _fault("path", lambda path: "/items/a%20b")(
                replace(client, path="/items/a%20b"), chance
            ),
        },
        "path-verbatim",
        s3=False,
    ),
    _made(
        "path-encoding", "client", "encoded once",
        {
            "piece": "path",
            "prepare": lambda client, chance: _fault("path", lambda path: "/items/a%2520b")(
                replace(client, path="/items/a%20b"), chance
            ),
        },
        s3=True,
    ),
    _made(
        "path-normalization", "client", "//",
        {
            "piece": "path",
            "prepare": lambda client, chance: _fault("path", lambda path: "/items//7")(
                replace(client, path="/items//7"), chance
            ),
        },
        "path-verbatim",
        s3=False,
    ),
    _made(
        "path-plus", "client", "%2B",
        {
            "piece": "path",
            "prepare": lambda client, chance: _fault("path", lambda path: "/items/a%20b")(
                replace(client, path="/items/a+b"), chance
            ),
        },
        s3=True,
    ),
    _made("path-left-out", "client", "path", {"piece": "path", "prepare": _fault("path", lambda p: "/")},
          "path-prefix-added"),
    _made("query-unsorted", "client", "curl", _sends("b=2&a=1", _unsorted)),
    _made("query-flag", "client", "=", _sends("flag=&z=1", lambda query: "flag&z=1")),
    _made("query-encoding", "client", "encode", _sends("q=%27a%2Fb%27", lambda query: "q='a/b'")),
    _made("query-verbatim", "client", "params", {
        "piece": "query",
        "prepare": lambda client, chance: replace(client, query="q=a/b?c:d@e"),
    }),
    _made("query-sorting", "client", "sort", _sends("a=2&a-b=1", lambda query: "a-b=1&a=2")),
    _made("query-empty-items", "client", "&", _sends("a=1&&b=2", lambda query: "=&a=1&b=2")),
    _made("query-empty-values", "client", "leave it out", _sends("a=1&flag=", lambda query: "a=1")),
    _made(
        "query-escapes-case", "client", "%E2",
        _sends("a=%E2%82%AC", lambda query: "a=%e2%82%ac"),
    ),
    _made("query-repeated", "client", "once", _sends("a=2&a=1", lambda query: "a=2")),
    _made("query-encoding", "client", "encodes them later", _sends("a%5B%5D=1", lambda query: "a[]=1")),
    _made("query-encoded-twice", "client", "once", _sends("a=b%20c", lambda query: "a=b%2520c")),
    _made("query-plus", "client", "%2B", _query("q=a%20b", "q=a%2Bb")),
    _made("query-plus", "client", "%20", _query("q=a%2Bb", "q=a+b")),
    _made("query-added", "proxy", "parameter", _query("a=1", "a=1&utm_source=x&utm_medium=mail")),
    _made("query-added", "proxy", "parameter", _query("a=1", "a=1&session=99")),
    _made("query-left-out", "client", "sign the query", _sends("a=1&b=2", lambda query: "")),
    _made("query-unsorted", "client", "curl", {
        "piece": "query",
        "prepare": lambda client, chance: _fault("query", lambda query: "&".join(reversed(query.split("&"))))(
            replace(client, query="b=2&a=1"), chance
        ),
    }),
    _made("method-head", "client", "curl -I", _method("GET", "HEAD"), "method-changed"),
    _made("method-override", "proxy", "overridden", _method("PUT", "POST", X_HTTP_Method_Override="PUT")),
    _made("method-changed", "client", "redirect", _method("POST", "GET")),
    _made("method-changed", "client", "redirect", _method("DELETE", "PUT")),
    _made("header-accept-encoding", "proxy", "$http_", _header("accept-encoding", "gzip, deflate", "gzip")),
    _made("header-accept-encoding", "proxy", "$http_", _header("accept-encoding", "identity", "gzip, br")),
    _made(
        "header-content-type", "proxy", "Content-Type",
        _header("content-type", "application/json", "application/json; charset=utf-8"),
    ),
    _made(
        "header-content-type", "proxy", "Content-Type",
        _header("content-type", "text/plain; charset=UTF-8", "text/plain; charset=utf-8"),
    ),
    _made("header-content-length", "client", "Content-Length", _header("content-length", "0", "17")),
    _made("header-hop", "proxy", "hop", _header("accept", "*/*", "text/html")),
    _made("header-hop", "proxy", "hop", _header("cache-control", "no-cache", "max-age=3600")),
    _made(
        "header-forwarding", "proxy", "X-Forwarded-",
        _header("x-forwarded-for", "203.0.113.9", "203.0.113.9, 10.0.0.1"),
    ),
    _made("header-content-encoding", "proxy", "Content-Encoding", _header("content-encoding", "aws-chunked,gzip", "gzip")),
    _made("header-etag", "proxy", "If-None-Match", _header("if-none-match", '"abc"', 'W/"abc"')),
    _made("header-joined", "client", "comma", _header("x-list", "a,b", "a, b")),
    _made("header-joined", "client", "comma", _header("x-list", "b,a", "a,b")),
    _made("header-blanks", "client", "fold", _header_fault("x-note", "a   b", "a   b")),
    _made("header-case", "client", "small letters", _header_fault("x-case", "AbC", "abc")),
    _made("header-quotes", "client", "quotes", _header("x-note", "abc", '"abc"')),
    _made("header-missing", "proxy", "set the header after signing", _header("x-note", "", "added")),
    _made(
        "body-empty", "client", "--data-binary", _payload(HASH_OF_NOTHING), s3=False
    ),
    _made("payload-unsigned", "client", "UNSIGNED-PAYLOAD", _payload("UNSIGNED-PAYLOAD")),
    _made("payload-left-out", "client", "last line", _payload("")),
    _made("payload-streaming", "client", "streaming form", _payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")),
    _made("body-newline", "client", "--data-binary", _body(b"line one\n", b"line one"), s3=False),
    _made("body-newline", "client", "echo -n", _body(b"line one", b"line one\r\n"), s3=False),
    _made("body-bom", "client", "byte order mark", _body(b"line", b"\xef\xbb\xbfline"), s3=False),
    _made("body-line-ends", "client", "line ends", _body(b"a\nb\nc", b"a\r\nb\r\nc"), s3=False),
    _made("body-compressed", "proxy", "Compress", _body(b"a" * 500, gzip.compress(b"a" * 500)), s3=False),
    _made("body-json", "client", "serialise once", _body(
        json.dumps(JSON).encode(), json.dumps(JSON, separators=(",", ":")).encode()
    ), s3=False),
    _made("body-charset", "client", "UTF-8", _body("é".encode(), "é".encode("latin-1")), s3=False),
    _made("body-form-blanks", "client", "form", _body(b"a=b%20c", b"a=b+c"), s3=False),
    _made("secret-blanks", "key", "line end", _secret(SECRET + "\n")),
    _made("secret-blanks", "key", "line end", _secret(" " + SECRET)),
    _made("secret-quotes", "key", "quotes", _secret(f'"{SECRET}"')),
    _made("secret-encoded", "key", "percent escapes", _secret(SECRET.replace("/", "%2F"))),
    _made("secret-cut", "key", "Set the secret again", _secret(SECRET[:-1])),
    _made("scope-region", "client", "one region", _key_scope(region="eu-west-1")),
    _made("scope-service", "client", "one service", _key_scope(service="execute-api")),
    _made("scope-date", "client", "UTC", _key_scope(date="20261120")),
)


def distorted(
    chosen: tuple[Distortion, ...], chance: random.Random
) -> tuple[Client, Message]:
    """Return the client, and its request as it arrives after all of the *chosen* distortions."""
    client = Client(
        path=f"/items/{chance.randrange(10, 999)}",
        query=f"x={chance.randrange(9)}&y={chance.randrange(9)}",
        s3=any(distortion.s3 for distortion in chosen)
        or (all(d.s3 is None for d in chosen) and chance.random() < 0.3),
    )
    # Who has a body comes after who has a method: both may want one.
    for distortion in sorted(chosen, key=lambda d: d.piece == "method"):
        client = distortion.prepare(client, chance)
    message = client.sign()
    for distortion in chosen:
        message = distortion.alter(message)
    return client, message
