"""Distortions of the Host and the path of a request."""

from __future__ import annotations

from dataclasses import replace

from tests.explain.distortion import host
from tests.explain.distortion import made
from tests.explain.distortion import path
from tests.explain.distortion import signs
from tests.explain.distortion import with_knobs

TWO_HOSTS = ("api.example.com", "internal.example.com:5000", "upstream")

#: The first of each cause is its real case; those below show that it is not that one case only.
TARGETS = (
    made(
        "host-port-dropped", "proxy", "$http_host", host("api.example.com:8443", "api.example.com")
    ),
    made(
        "host-port-dropped",
        "proxy",
        "$http_host",
        host("api.example.com:7001", "api.example.com", X_Forwarded_Port="7001"),
    ),
    made(
        "host-forwarded",
        "proxy",
        "ProxyFix",
        host("public.example.org", "10.0.0.7:5000", X_Forwarded_Host="public.example.org"),
    ),
    made(
        "host-forwarded",
        "proxy",
        "$http_host",
        host("public.example.org", "app", Forwarded='for=1.2.3.4;host="public.example.org"'),
    ),
    made(
        "host-forwarded",
        "proxy",
        "$http_host",
        host(
            "public.example.org:444",
            "app",
            X_Original_Host="public.example.org",
            X_Forwarded_Port="444",
        ),
    ),
    made(
        "host-configured",
        "proxy",
        "ProxyPreserveHost",
        with_knobs(host("api.example.com", "upstream"), hosts=TWO_HOSTS),
    ),
    made(
        "host-port-added",
        "proxy",
        "$host:$server_port",
        host("api.example.com", "api.example.com:443"),
    ),
    made(
        "host-port-not-signed",
        "client",
        "httpx-auth-awssigv4",
        host("127.0.0.1", "127.0.0.1:8765"),
    ),
    made(
        "host-port-changed",
        "proxy",
        "$http_host",
        host("api.example.com:8443", "api.example.com:5000"),
    ),
    made("host-case", "client", "lower case", host("API.EXAMPLE.COM", "api.example.com")),
    made("host-local", "proxy", "tunnel", host("localhost:8000", "tunnel.example.net")),
    made(
        "host-aws",
        "client",
        "endpoint_url",
        host("items.us-east-1.amazonaws.com", "api.example.com"),
        s3=False,
    ),
    made("host-dot", "client", "dot", host("api.example.com.", "api.example.com")),
    made("path-prefix-stripped", "proxy", "path_prefix='/api'", path("/api/items/7", "/items/7")),
    made(
        "path-prefix-stripped",
        "proxy",
        "ProxyFix(x_prefix=1)",
        path("/tenant-9/items/7", "/items/7", X_Forwarded_Prefix="/tenant-9"),
    ),
    made(
        "path-prefix-decoded",
        "proxy",
        "path_prefix='/api'",
        path("/api/items/%28x%29", "/items/(x)"),
        s3=False,
    ),
    made("path-prefix-added", "proxy", "proxy_pass", path("/items/7", "/backend/items/7")),
    made("path-end", "proxy", "APPEND_SLASH", path("/items/7", "/items/7/")),
    made("path-end", "proxy", "DirectorySlash", path("/items/7/", "/items/7")),
    made(
        "path-forwarded",
        "proxy",
        "proxy_pass",
        path("/old/place/7", "/new/7", X_Original_URI="/old/place/7"),
    ),
    made(
        "path-decoded",
        "proxy",
        "proxy_pass",
        path("/items/%28x%29", "/items/(x)"),
        s3=False,
    ),
    made(
        "path-decoded",
        "proxy",
        "AllowEncodedSlashes",
        path("/items/a%2Fb", "/items/a/b"),
        s3=False,
    ),
    made("path-decoded", "proxy", "nocanon", path("/items/a%2520b", "/items/a%20b"), s3=False),
    made(
        "path-encoded",
        "proxy",
        "proxy_pass",
        path("/items/(x)%20y", "/items/%28x%29%20y"),
        s3=False,
    ),
    made(
        "path-slashes-merged", "proxy", "merge_slashes off", path("/items//7", "/items/7"), s3=True
    ),
    made("path-dots-removed", "client", ". and ..", path("/items/./7", "/items/7"), s3=True),
    made(
        "path-escapes-case",
        "client",
        "capitals",
        path("/items/%e2%82%ac", "/items/%E2%82%AC"),
        s3=False,
    ),
    made(
        "path-verbatim",
        "client",
        "curl",
        {
            "piece": "path",
            "prepare": lambda client, chance: signs("path", lambda path: "/items/a+b")(
                replace(client, path="/items/a+b"), chance
            ),
        },
    ),
    made(
        "path-encoding",
        "client",
        "profile=",
        {
            "piece": "path",
            "prepare": lambda client, chance: signs("path", lambda path: "/items/a%20b")(
                replace(client, path="/items/a%20b"), chance
            ),
        },
        "path-verbatim",
        s3=False,
    ),
    made(
        "path-encoding",
        "client",
        "encoded once",
        {
            "piece": "path",
            "prepare": lambda client, chance: signs("path", lambda path: "/items/a%2520b")(
                replace(client, path="/items/a%20b"), chance
            ),
        },
        s3=True,
    ),
    made(
        "path-normalization",
        "client",
        "//",
        {
            "piece": "path",
            "prepare": lambda client, chance: signs("path", lambda path: "/items//7")(
                replace(client, path="/items//7"), chance
            ),
        },
        "path-verbatim",
        s3=False,
    ),
    made(
        "path-plus",
        "client",
        "%2B",
        {
            "piece": "path",
            "prepare": lambda client, chance: signs("path", lambda path: "/items/a%20b")(
                replace(client, path="/items/a+b"), chance
            ),
        },
        s3=True,
    ),
    made(
        "path-left-out",
        "client",
        "path",
        {"piece": "path", "prepare": signs("path", lambda p: "/")},
        "path-prefix-added",
    ),
)
