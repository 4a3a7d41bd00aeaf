"""What single servers cannot carry, and why: the request is refused there, and never misread.

Each entry is also a footnote of the table in docs/servers.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.cases import CASES
from tests.servers.roster import SERVERS
from tests.servers.roster import Server
from tests.servers.signing import ITEMS
from tests.servers.signing import S3
from tests.servers.signing import Case

BOTH = (ITEMS, S3)

#: They hand over the decoded path, and nothing of the target as it was sent.
NO_RAW_TARGET = ("wsgiref", "runserver", "gevent", "granian")
GUNICORN = ("gunicorn sync", "gunicorn gthread", "gunicorn gevent")
#: nginx in front; the last two pass on another path or Host than was signed.
PROXIED = ("nginx, gunicorn", "nginx, uWSGI", "nginx, stripped prefix")
RESPELT_BY_NGINX = ("nginx, stripped prefix", "nginx, proxy_pass with a URI")
DEFAULT_HOST = "nginx, its default Host"
#: They take a short body for a lost client, and do not call the middleware.
BUFFERED = ("waitress", *PROXIED, DEFAULT_HOST, "nginx, proxy_pass with a URI")

ANY_CHUNKED = (
    *("chunked", "chunked, no hash sent", "chunked with a trailer"),
    "chunked without its last chunk",
)
#: Names of the requests whose signature is right, but for those that nginx itself refuses.
_SIGNED_RIGHT = dict.fromkeys(
    case.name
    for case in CASES
    if case.path is not None
    and case.name not in ("chunked beside a length", "chunked without its last chunk")
)
#: Status of a connection that ends without an answer.
CLOSED = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What servers do not carry.

    Attributes:
        servers: their names.
        cases: names of the requests.
        statuses: one of which the refusal has.
        why: the footnote.
        services: those whose requests are concerned.
    """

    servers: tuple[str, ...]
    cases: tuple[str, ...]
    statuses: tuple[int | None, ...]
    why: str
    services: tuple[str, ...] = BOTH


LIMITS = (
    Limit(
        servers=NO_RAW_TARGET,
        cases=("%2F", "needless escapes", "raw reserved characters"),
        services=(ITEMS,),
        statuses=(403,),
        why="The server hands over the decoded path only. Outside S3 the path is signed as it was "
        "sent, and how it was spelt is lost: `%2F` or `/`, `%7E` or `~`, `(` or `%28`.",
    ),
    Limit(
        servers=("cheroot",),
        cases=("%2F",),
        statuses=(400,),
        why="`%2F` stays encoded in PATH_INFO, so that the application would route on another "
        "path than the one that was signed.",
    ),
    Limit(
        servers=("wsgiref", "runserver", "werkzeug"),
        cases=("// in front",),
        services=(S3,),
        statuses=(403,),
        why="Python's `http.server` takes slashes at the start of the target for one.",
    ),
    Limit(
        servers=("waitress",),
        cases=("// in front",),
        services=(S3,),
        statuses=(400,),
        why="Slashes at the start of PATH_INFO become one.",
    ),
    Limit(
        servers=("cheroot",),
        cases=("// in front", "absolute-form"),
        statuses=(400,),
        why="The server itself refuses such a target.",
    ),
    Limit(
        servers=("uWSGI",),
        cases=(". and ..", ".. and //"),
        services=(S3,),
        statuses=(400,),
        why="Dot segments are resolved in PATH_INFO, which S3's rules leave alone.",
    ),
    Limit(
        servers=("uWSGI",),
        cases=(".. and //",),
        services=(ITEMS,),
        statuses=(400,),
        why="Dot segments are resolved in PATH_INFO and doubled slashes are not: it is neither "
        "the path as sent nor its normal form.",
    ),
    Limit(
        servers=("nginx, uWSGI",),
        cases=("//", "// in front", ". and ..", ".. and //"),
        services=(S3,),
        statuses=(400,),
        why="nginx resolves dot segments and doubled slashes in PATH_INFO, which S3's rules leave "
        "alone.",
    ),
    Limit(
        servers=RESPELT_BY_NGINX,
        cases=("//", "// in front", ". and ..", ".. and //"),
        services=(S3,),
        statuses=(403,),
        why="With a URI in `proxy_pass` nginx sends on a path that it has decoded, resolved and "
        "encoded again.",
    ),
    Limit(
        servers=RESPELT_BY_NGINX,
        cases=("%2F", "needless escapes"),
        services=(ITEMS,),
        statuses=(403,),
        why="With a URI in `proxy_pass` nginx sends on a path that it has decoded, resolved and "
        "encoded again.",
    ),
    Limit(
        servers=("wsgiref", "runserver", "uWSGI", "gevent", "a2wsgi, uvicorn"),
        cases=("absolute-form",),
        statuses=(400,),
        why="The whole URL arrives in PATH_INFO, so that it would be routed as a path.",
    ),
    Limit(
        servers=(
            *("wsgiref", "runserver", "werkzeug", "waitress", "uWSGI", "cheroot", "gevent"),
            *(*GUNICORN, "a2wsgi, uvicorn"),
        ),
        cases=("absolute-form, another host",),
        statuses=(400, 403),
        why="The target names another host than the Host header that is signed, and servers "
        "disagree on which of the two counts. nginx and granian drop the one in the target.",
    ),
    Limit(
        servers=("cheroot", "nginx, uWSGI"),
        cases=("repeated header",),
        statuses=(403,),
        why="Of a header that is sent twice only the last value arrives.",
    ),
    Limit(
        servers=("wsgiref", "runserver", "gevent"),
        cases=("UTF-8 header",),
        statuses=(403,),
        why="The server strips a value of bytes that are blanks in latin-1, which cuts `à` (C3 A0) "
        "in half at its end.",
    ),
    Limit(
        servers=("granian",),
        cases=("UTF-8 header",),
        statuses=(403,),
        why="The server gives an empty value for one that is not ASCII.",
    ),
    Limit(
        servers=("wsgiref", "runserver", "uWSGI"),
        cases=ANY_CHUNKED,
        statuses=(411,),
        why="The server does not decode `Transfer-Encoding: chunked`.",
    ),
    Limit(
        servers=("granian", "a2wsgi, uvicorn"),
        cases=("chunked, no hash sent",),
        services=(S3,),
        statuses=(411,),
        why="The server ends a body that was cut short as if it were whole; with UNSIGNED-PAYLOAD "
        "nothing else would tell.",
    ),
    Limit(
        servers=("werkzeug",),
        cases=("chunked with a trailer",),
        statuses=(400,),
        why="The server's own decoder fails on a trailer.",
    ),
    Limit(
        servers=(*GUNICORN, "werkzeug", "cheroot", "gevent"),
        cases=("chunked without its last chunk",),
        statuses=(400,),
        why="A body that was cut short is refused.",
    ),
    Limit(
        servers=(*BUFFERED, "a2wsgi, uvicorn"),
        cases=(
            *("chunked without its last chunk", "body cut short", "chunked, cut short"),
            *("chunked, no hash sent, cut short", "chunked, no hash sent, without its last chunk"),
        ),
        statuses=(CLOSED,),
        why="The server takes the client for lost, and closes the connection.",
    ),
    Limit(
        servers=("wsgiref", "uWSGI", "cheroot", "granian", "a2wsgi, uvicorn"),
        cases=("X_Amz_Acl added", "X_Amz_Date added"),
        statuses=(400, 403),
        why="A name with an underscore becomes one with a dash: an unsigned x-amz-acl, or another "
        "x-amz-date. The other servers drop such a header.",
    ),
    Limit(
        servers=(*GUNICORN, "uWSGI", "cheroot", "granian", "a2wsgi, uvicorn"),
        cases=("SCRIPT_NAME header added",),
        statuses=(400,),
        why="The header reaches the application, and gunicorn moves the border of SCRIPT_NAME by "
        "it. The other servers drop it.",
    ),
    Limit(
        servers=(
            *("wsgiref", "runserver", "werkzeug", "uWSGI", "cheroot", "a2wsgi, uvicorn"),
            *(*GUNICORN, *PROXIED, DEFAULT_HOST, "nginx, proxy_pass with a URI"),
        ),
        cases=("chunked beside a length",),
        statuses=(400,),
        why="Two ends for one body. The other servers take the length away, as HTTP says.",
    ),
    Limit(
        servers=(*NO_RAW_TARGET, *RESPELT_BY_NGINX),
        cases=("dots behind escapes",),
        services=(ITEMS,),
        statuses=(400, 403),
        why="The server resolves or hides the escapes: the signature does not match.",
    ),
    Limit(
        servers=NO_RAW_TARGET,
        cases=("malformed escape",),
        statuses=(403,),
        why="The escape arrives as the text that it looks like: the signature does not match.",
    ),
    Limit(
        servers=(DEFAULT_HOST,),
        cases=(*_SIGNED_RIGHT, "another body"),
        statuses=(403,),
        why="nginx sends the upstream's name for a Host. Nothing that was signed can be verified: "
        "this configuration is wrong.",
    ),
)


def find_limit(server: Server, case: Case) -> Limit | None:
    """Return the limit of *server* that *case* meets, or None."""
    found = [
        limit
        for limit in LIMITS
        if server.name in limit.servers
        and case.name in limit.cases
        and case.request.service in limit.services
    ]
    assert len(found) < 2, f"two limits of {server.name} for {case.id}"
    return found[0] if found else None


def unknown_names() -> set[str]:
    """Return what limits name that is no server and no case."""
    known = {case.name for case in CASES} | set(SERVERS)
    return {name for limit in LIMITS for name in (*limit.servers, *limit.cases)} - known
