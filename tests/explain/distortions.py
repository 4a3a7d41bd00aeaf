"""The distortions: at least one real case for each hypothesis of the list."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from tests.core.oracles import TOKEN
from tests.core.signing import SECRET
from tests.explain.distortion import HASH_OF_NOTHING
from tests.explain.distortion import body
from tests.explain.distortion import forget_token
from tests.explain.distortion import header
from tests.explain.distortion import key_scope
from tests.explain.distortion import made
from tests.explain.distortion import method
from tests.explain.distortion import query
from tests.explain.distortion import secret
from tests.explain.distortion import sends_query
from tests.explain.distortion import signs
from tests.explain.distortion import signs_header
from tests.explain.distortion import signs_payload
from tests.explain.distortion import unsorted
from tests.explain.distortion import without_token
from tests.explain.target_distortions import TARGETS

JSON = {"name": "A", "list": [1, 2, {"x": None}], "text": "é"}

#: The first of each cause is its real case; those below show that it is not that one case only.
DISTORTIONS = (
    *TARGETS,
    made("query-unsorted", "client", "curl", sends_query("b=2&a=1", unsorted)),
    made("query-flag", "client", "=", sends_query("flag=&z=1", lambda query: "flag&z=1")),
    made(
        "query-encoding", "client", "encode", sends_query("q=%27a%2Fb%27", lambda query: "q='a/b'")
    ),
    made(
        "query-verbatim",
        "client",
        "params",
        {
            "piece": "query",
            "prepare": lambda client, chance: replace(client, query="q=a/b?c:d@e"),
        },
    ),
    made("query-sorting", "client", "sort", sends_query("a=2&a-b=1", lambda query: "a-b=1&a=2")),
    made("query-empty-items", "client", "&", sends_query("a=1&&b=2", lambda query: "=&a=1&b=2")),
    made(
        "query-empty-values",
        "client",
        "leave it out",
        sends_query("a=1&flag=", lambda query: "a=1"),
    ),
    made(
        "query-escapes-case",
        "client",
        "%E2",
        sends_query("a=%E2%82%AC", lambda query: "a=%e2%82%ac"),
    ),
    made("query-repeated", "client", "once", sends_query("a=2&a=1", lambda query: "a=2")),
    made(
        "query-encoding",
        "client",
        "encodes them later",
        sends_query("a%5B%5D=1", lambda query: "a[]=1"),
    ),
    made(
        "query-encoded-twice", "client", "once", sends_query("a=b%20c", lambda query: "a=b%2520c")
    ),
    made("query-plus", "client", "%2B", query("q=a%20b", "q=a%2Bb")),
    made("query-plus", "client", "%20", query("q=a%2Bb", "q=a+b")),
    made("query-added", "proxy", "parameter", query("a=1", "a=1&utm_source=x&utm_medium=mail")),
    made("query-added", "proxy", "parameter", query("a=1", "a=1&session=99")),
    made("query-left-out", "client", "sign the query", sends_query("a=1&b=2", lambda query: "")),
    made(
        "query-unsorted",
        "client",
        "curl",
        {
            "piece": "query",
            "prepare": lambda client, chance: signs(
                "query", lambda query: "&".join(reversed(query.split("&")))
            )(replace(client, query="b=2&a=1"), chance),
        },
    ),
    made("method-head", "client", "curl -I", method("GET", "HEAD"), "method-changed"),
    made(
        "method-override",
        "proxy",
        "no proxy_method",
        method("PUT", "POST", X_HTTP_Method_Override="PUT"),
    ),
    made("method-changed", "client", "redirect", method("POST", "GET")),
    made("method-changed", "client", "redirect", method("DELETE", "PUT")),
    made(
        "header-accept-encoding",
        "proxy",
        "$http_",
        header("accept-encoding", "gzip, deflate", "gzip"),
    ),
    made(
        "header-accept-encoding",
        "proxy",
        "$http_",
        header("accept-encoding", "identity", "gzip, br"),
    ),
    made(
        "header-content-type",
        "proxy",
        "Content-Type",
        header("content-type", "application/json", "application/json; charset=utf-8"),
    ),
    made(
        "header-content-type",
        "proxy",
        "Content-Type",
        header("content-type", "text/plain; charset=UTF-8", "text/plain; charset=utf-8"),
    ),
    made("header-content-length", "client", "Content-Length", header("content-length", "0", "17")),
    made("header-hop", "proxy", "hop", header("accept", "*/*", "text/html")),
    made("header-hop", "proxy", "hop", header("cache-control", "no-cache", "max-age=3600")),
    made(
        "header-forwarding",
        "proxy",
        "X-Forwarded-",
        header("x-forwarded-for", "203.0.113.9", "203.0.113.9, 10.0.0.1"),
    ),
    made(
        "header-content-encoding",
        "proxy",
        "Content-Encoding",
        header("content-encoding", "aws-chunked,gzip", "gzip"),
    ),
    made("header-etag", "proxy", "If-None-Match", header("if-none-match", '"abc"', 'W/"abc"')),
    made("header-joined", "client", "comma", header("x-list", "a,b", "a, b")),
    made("header-joined", "client", "comma", header("x-list", "b,a", "a,b")),
    made("header-blanks", "client", "fold", signs_header("x-note", "a   b", "a   b")),
    made("header-case", "client", "lower case", signs_header("x-case", "AbC", "abc")),
    made("header-quotes", "client", "quotes", header("x-note", "abc", '"abc"')),
    made("header-missing", "proxy", "set the header after signing", header("x-note", "", "added")),
    made("body-empty", "client", "--data-binary", signs_payload(HASH_OF_NOTHING), s3=False),
    made("payload-unsigned", "client", "UNSIGNED-PAYLOAD", signs_payload("UNSIGNED-PAYLOAD")),
    made("payload-left-out", "client", "also of an empty body", signs_payload("")),
    made(
        "payload-streaming",
        "client",
        "streaming form",
        signs_payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    ),
    made("body-newline", "client", "--data-binary", body(b"line one\n", b"line one"), s3=False),
    made("body-newline", "client", "echo -n", body(b"line one", b"line one\r\n"), s3=False),
    made("body-bom", "client", "byte order mark", body(b"line", b"\xef\xbb\xbfline"), s3=False),
    made("body-line-ends", "client", "line endings", body(b"a\nb\nc", b"a\r\nb\r\nc"), s3=False),
    made(
        "body-compressed",
        "proxy",
        "Compress",
        body(b"a" * 500, gzip.compress(b"a" * 500)),
        s3=False,
    ),
    made(
        "body-json",
        "client",
        "serialise once",
        body(json.dumps(JSON).encode(), json.dumps(JSON, separators=(",", ":")).encode()),
        s3=False,
    ),
    made("body-charset", "client", "UTF-8", body("é".encode(), "é".encode("latin-1")), s3=False),
    made("body-form-blanks", "client", "form", body(b"a=b%20c", b"a=b+c"), s3=False),
    made("secret-blanks", "key", "line end", secret(SECRET + "\n")),
    made("secret-blanks", "key", "line end", secret(" " + SECRET)),
    made("secret-quotes", "key", "quotes", secret(f'"{SECRET}"')),
    made("secret-encoded", "key", "percent escapes", secret(SECRET.replace("/", "%2F"))),
    made("secret-cut", "key", "Set the secret again", secret(SECRET[:-1])),
    made("scope-region", "client", "one region", key_scope(region="eu-west-1")),
    made("scope-service", "client", "one service", key_scope(service="execute-api")),
    made("scope-date", "client", "UTC", key_scope(date="20261120")),
    made("time-form", "client", "X-Amz-Date", key_scope(timestamp="20261121T213000")),
    made(
        "host-bucket",
        "proxy",
        "addressing_style",
        {
            "piece": "path",
            "prepare": lambda client, chance: replace(
                client, host="photos.s3.example.com", path="/a/b.jpg"
            ),
            "alter": lambda message: replace(message, path=b"/photos/a/b.jpg").with_header(
                "Host", "s3.example.com"
            ),
        },
        s3=True,
        alone=True,
    ),
    made(
        "method-case",
        "client",
        "upper case",
        {"piece": "method", "prepare": signs("method", str.lower)},
    ),
    made(
        "header-charset",
        "client",
        "ASCII",
        header("x-note", "caf\xe9", "")
        | {
            "alter": lambda message: message.with_header("x-note", b"caf\xe9"),
        },
    ),
    made(
        "payload-hash",
        "client",
        "x-amz-content-sha256",
        {
            "piece": "body",
            "prepare": lambda client, chance: replace(client, method="PUT", body=b"hello"),
            "alter": lambda message: message.with_header(
                "X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"
            ),
        },
        s3=True,
    ),
    made(
        "token-unsigned",
        "client",
        "allow_unsigned_session_token",
        {
            "piece": "query",
            "prepare": lambda client, chance: signs("query", without_token)(
                replace(client, token=TOKEN, presigned=True), chance
            ),
        },
        alone=True,
    ),
    made(
        "token-header-unsigned",
        "client",
        "allow_unsigned_session_token",
        {
            "piece": "token",
            "prepare": lambda client, chance: replace(client, token=TOKEN).with_fault(forget_token),
        },
    ),
)
