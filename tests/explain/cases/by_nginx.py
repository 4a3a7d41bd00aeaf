"""What a real nginx makes of requests that botocore signed: hosts, paths and queries."""

from __future__ import annotations

from tests.explain.cases.case import NOTHING
from tests.explain.cases.case import TWO
from tests.explain.cases.case import Live
from tests.explain.cases.case import Way
from tests.explain.cases.case import case
from tests.explain.cases.fronts import NGINX
from tests.explain.cases.fronts import Front
from tests.explain.cases.senders import Send
from tests.explain.cases.senders import botocore

HTTP_HOST = "proxy_set_header Host $http_host;"


def location(*lines: str, host: str = HTTP_HOST, to: str = "http://up", at: str = "/") -> str:
    """Return a location of nginx that passes requests on; as it should, but for the arguments."""
    inner = [line for line in (f"proxy_pass {to};", host, *lines) if line]
    return "\n".join([f"location {at} {{", *(f"    {line}" for line in inner), "}"])


#: As servers.md of the documentation has it.
SOUND = location()


def through(nginx: str, send: Send, place: str = "plain") -> Way:
    """Return the way of what *send* sends through *nginx*."""
    return Way(send=send, front=Front(NGINX, nginx), place=place)


def sound(send: Send, place: str = "plain") -> Way:
    """Return the way through an nginx that is set up rightly."""
    return through(SOUND, send, place)


GET = botocore()
PLAIN_HOST = "api.example.com"
_KEEPS_HOST = location("proxy_set_header X-Forwarded-Host $http_host;", host="")
_TELLS_PORT = location(
    "proxy_set_header X-Forwarded-Host $http_host;",
    "proxy_set_header X-Forwarded-Port 8443;",
    host="proxy_set_header Host $host;",
)
_BUCKETS = "server_name ~^(?<bucket>[a-z]+)\\.s3\\.example\\.com$;\n" + location(
    "rewrite ^/(.*)$ /$bucket/$1 break;",
    host="proxy_set_header Host s3.example.com;",
)
_TAKES_URI = location(to="http://up/")
_STRIPS = location(to="http://up/", at="/api/")
_STRIPS_AND_TELLS = location(
    "proxy_set_header X-Forwarded-Prefix /api;", to="http://up/", at="/api/"
)
_MOVES = location(
    "rewrite ^/old/(.*)$ /new/$1 break;", "proxy_set_header X-Original-URI $request_uri;"
)

HOST_CASES: tuple[Live, ...] = (
    case(
        NOTHING,
        "nginx: `proxy_pass http://up;` and no `proxy_set_header Host`; no `hosts`",
        through(location(host=""), GET),
        (HTTP_HOST, sound(GET)),
    ),
    case(
        "host-forwarded",
        "nginx: `proxy_set_header X-Forwarded-Host $http_host;`, and nothing for Host",
        through(_KEEPS_HOST, GET),
        (HTTP_HOST, sound(GET)),
        ("ProxyFix(x_host=1)", through(_KEEPS_HOST, GET, "ProxyFix(x_host=1)")),
        (
            "header_overrides={'host': 'x-forwarded-host'}",
            through(_KEEPS_HOST, GET, "host override"),
        ),
    ),
    case(
        "host-configured",
        "nginx: `proxy_pass http://up;` and no `proxy_set_header Host`; `hosts` names both",
        through(location(host=""), GET, "hosts and upstream"),
        (HTTP_HOST, sound(GET, "hosts and upstream")),
    ),
    case(
        "host-configured",
        "nginx: `proxy_pass http://up;` and no `proxy_set_header Host`; `hosts` names the public "
        "one",
        through(location(host=""), GET, "hosts"),
        (HTTP_HOST, sound(GET, "hosts")),
    ),
    case(
        "host-not-accepted",
        "nginx: the client asks for another name of the server, which `hosts` does not name",
        sound(botocore(host=PLAIN_HOST), "hosts"),
        ("add it to hosts", sound(botocore(host=PLAIN_HOST), "hosts, two")),
        ("pointed at the wrong name", sound(GET, "hosts")),
    ),
    case(
        "host-port-dropped",
        "nginx: `proxy_set_header Host $host;`; `hosts` names the one with the port",
        through(location(host="proxy_set_header Host $host;"), GET, "hosts"),
        (HTTP_HOST, sound(GET, "hosts")),
    ),
    case(
        "host-port-dropped",
        "nginx: `proxy_set_header Host $host;`",
        through(location(host="proxy_set_header Host $host;"), GET),
        (HTTP_HOST, sound(GET)),
    ),
    case(
        "host-forwarded",
        "nginx: `proxy_set_header Host $host;`, X-Forwarded-Host with the port",
        through(_TELLS_PORT, GET),
        (HTTP_HOST, sound(GET)),
        ("ProxyFix(x_host=1)", through(_TELLS_PORT, GET, "ProxyFix(x_host=1)")),
    ),
    case(
        "host-port-dropped",
        "nginx: `proxy_set_header Host $host;` and `X-Forwarded-Port`",
        through(
            location(
                "proxy_set_header X-Forwarded-Port 8443;", host="proxy_set_header Host $host;"
            ),
            GET,
        ),
        (HTTP_HOST, sound(GET)),
        (
            "ProxyFix(x_host=1, x_port=1)",
            through(
                location(
                    "proxy_set_header X-Forwarded-Port 8443;",
                    host="proxy_set_header Host $host;",
                ),
                GET,
                "ProxyFix(x_host=1, x_port=1)",
            ),
        ),
    ),
    case(
        "host-port-added",
        "nginx: `proxy_set_header Host $host:443;`, and a client on the default port",
        through(location(host="proxy_set_header Host $host:443;"), botocore(host=PLAIN_HOST)),
        (HTTP_HOST, sound(botocore(host=PLAIN_HOST))),
    ),
    case(
        "host-port-not-signed",
        "nginx: `proxy_set_header Host $host:8080;`, and a client on the default port",
        through(location(host="proxy_set_header Host $host:8080;"), botocore(host=PLAIN_HOST)),
        ("$http_host", sound(botocore(host=PLAIN_HOST))),
    ),
    case(
        "host-port-changed",
        "nginx: `proxy_set_header Host $host:5000;`",
        through(location(host="proxy_set_header Host $host:5000;"), GET),
        (HTTP_HOST, sound(GET)),
    ),
    case(
        "host-case",
        "nginx: `$host` is in small letters, and the client has signed capitals",
        through(location(host="proxy_set_header Host $host;"), botocore(host="API.EXAMPLE.COM")),
        (HTTP_HOST, sound(botocore(host="API.EXAMPLE.COM"))),
        (
            "lower case",
            through(location(host="proxy_set_header Host $host;"), botocore(host=PLAIN_HOST)),
        ),
    ),
    case(
        "host-dot",
        "nginx: `$host` loses the dot at its end",
        through(location(host="proxy_set_header Host $host;"), botocore(host="api.example.com.")),
        (HTTP_HOST, sound(botocore(host="api.example.com."))),
        (
            "without a dot",
            through(location(host="proxy_set_header Host $host;"), botocore(host=PLAIN_HOST)),
        ),
    ),
    case(
        "host-local",
        "nginx as a tunnel: `proxy_set_header Host tunnel.example.net;`",
        through(
            location(host="proxy_set_header Host tunnel.example.net;"),
            botocore(host="localhost:8000"),
        ),
        (HTTP_HOST, sound(botocore(host="localhost:8000"))),
        (
            "public name",
            through(
                location(host="proxy_set_header Host tunnel.example.net;"),
                botocore(host="tunnel.example.net"),
            ),
        ),
    ),
    case(
        "host-aws",
        "nginx stands in for AWS: `proxy_set_header Host api.example.com;`",
        through(
            location(host="proxy_set_header Host api.example.com;"),
            botocore(host="items.us-east-1.amazonaws.com"),
        ),
        (
            "endpoint URL",
            through(
                location(host="proxy_set_header Host api.example.com;"), botocore(host=PLAIN_HOST)
            ),
        ),
    ),
    case(
        "host-bucket",
        "nginx: `rewrite ^/(.*)$ /$bucket/$1 break;`, and Host without the bucket",
        through(
            _BUCKETS,
            botocore("GET", "/a/b.jpg", host="photos.s3.example.com", service="s3"),
            "s3",
        ),
        (
            "Host and path on unchanged",
            sound(botocore("GET", "/a/b.jpg", host="photos.s3.example.com", service="s3"), "s3"),
        ),
        (
            "path-style",
            sound(botocore("GET", "/photos/a/b.jpg", host="s3.example.com", service="s3"), "s3"),
        ),
    ),
)

_ROUND = botocore("GET", "/items/%28x%29")
_DOUBLED = botocore("GET", "/items//7", service="s3")
_DOTS = botocore("GET", "/items/./7", service="s3")
_API = botocore("GET", "/api/items/7")

PATH_CASES: tuple[Live, ...] = (
    case(
        TWO[0],
        "nginx: `location /api/ { proxy_pass http://up/; proxy_set_header Host $host; }`",
        through(
            location(host="proxy_set_header Host $host;", to="http://up/", at="/api/"),
            _API,
        ),
        ("path_prefix='/api'", through(_STRIPS, _API, "path_prefix='/api'")),
    ),
    case(
        "path-prefix-stripped",
        "nginx: `location /api/ { proxy_pass http://up/; }`",
        through(_STRIPS, _API),
        ("path_prefix='/api'", through(_STRIPS, _API, "path_prefix='/api'")),
        (
            "ProxyFix(x_prefix=1)",
            through(_STRIPS_AND_TELLS, _API, "ProxyFix(x_prefix=1)"),
        ),
    ),
    case(
        "path-prefix-decoded",
        "nginx: `location /api/ { proxy_pass http://up/; }` sends `%28` decoded",
        through(_STRIPS, botocore("GET", "/api/items/%28x%29")),
        ("without a URI part", sound(botocore("GET", "/api/items/%28x%29"))),
    ),
    case(
        "path-prefix-added",
        "nginx: `proxy_pass http://up/backend/;`",
        through(location(to="http://up/backend/"), GET),
        ("without a URI part", sound(GET)),
    ),
    case(
        "path-forwarded",
        "nginx: `rewrite ^/old/(.*)$ /new/$1 break;`, and X-Original-URI",
        through(_MOVES, botocore("GET", "/old/place/7")),
        ("without a URI part", sound(botocore("GET", "/old/place/7"))),
    ),
    case(
        "path-forwarded",
        "nginx: `proxy_pass http://up$uri;` loses the query; X-Original-URI has it",
        through(
            location("proxy_set_header X-Original-URI $request_uri;", to="http://up$uri"),
            botocore("GET", "/items/7?a=1"),
        ),
        ("without a URI part", sound(botocore("GET", "/items/7?a=1"))),
    ),
    case(
        "path-end",
        "nginx: `rewrite ^(.*[^/])$ $1/ break;`",
        through(location("rewrite ^(.*[^/])$ $1/ break;"), GET),
        ("take the rewriting out", sound(GET)),
        (
            "Ask for the path that is served",
            through(location("rewrite ^(.*[^/])$ $1/ break;"), botocore("GET", "/items/7/")),
        ),
    ),
    case(
        "path-decoded",
        "nginx: `proxy_pass http://up/;` sends `%28` decoded",
        through(_TAKES_URI, _ROUND),
        ("without a URI part", sound(_ROUND)),
    ),
    case(
        "path-decoded",
        "nginx: `proxy_pass http://up/;` sends `%2F` decoded",
        through(_TAKES_URI, botocore("GET", "/items/a%2Fb")),
        ("without a URI part", sound(botocore("GET", "/items/a%2Fb"))),
    ),
    case(
        "path-encoded",
        "nginx: `proxy_pass http://up/;` encodes braces",
        through(_TAKES_URI, botocore("GET", "/items/{x}%20y")),
        ("without a URI part", sound(botocore("GET", "/items/{x}%20y"))),
        ("encode it before it signs", through(_TAKES_URI, botocore("GET", "/items/%7Bx%7D%20y"))),
    ),
    case(
        "path-escapes-case",
        "nginx: `proxy_pass http://up/;` writes `%e2` as `%E2`",
        through(_TAKES_URI, botocore("GET", "/items/%e2%82%ac")),
        ("in upper case", through(_TAKES_URI, botocore("GET", "/items/%E2%82%AC"))),
        ("without a URI part", sound(botocore("GET", "/items/%e2%82%ac"))),
    ),
    case(
        "path-slashes-merged",
        "nginx: `proxy_pass http://up/;` and S3's `//`",
        through(_TAKES_URI, _DOUBLED, "s3"),
        ("without a URI part", sound(_DOUBLED, "s3")),
        ("merge_slashes off", through("merge_slashes off;\n" + _TAKES_URI, _DOUBLED, "s3")),
    ),
    case(
        "path-dots-removed",
        "nginx: `proxy_pass http://up/;` and S3's `/./`",
        through(_TAKES_URI, _DOTS, "s3"),
        ("without a URI part", sound(_DOTS, "s3")),
        ("without . and .. segments", through(_TAKES_URI, botocore(service="s3"), "s3")),
    ),
)

_TRACKS = location("set $args $args&utm_source=mail;")
_PLUS = location("if ($args ~ ^(.*)%2B(.*)$) { set $args $1+$2; }")

QUERY_CASES: tuple[Live, ...] = (
    case(
        "query-added",
        "nginx: `set $args $args&utm_source=mail;`",
        through(_TRACKS, botocore("GET", "/items/7?a=1")),
        ("Take out what adds parameters", sound(botocore("GET", "/items/7?a=1"))),
    ),
    case(
        "query-plus",
        "nginx: `set $args` with `+` for `%2B`",
        through(_PLUS, botocore("GET", "/items?q=a%2Bb")),
        ("whatever rewrites it", sound(botocore("GET", "/items?q=a%2Bb"))),
    ),
)
