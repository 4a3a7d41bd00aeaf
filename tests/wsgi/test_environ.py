"""The environ of each server as the request that was sent, rule by rule.

The numbers are those of docs/servers-rules.md, where the rules that are limits of a server stand.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.core.messages import Message
from tests.core.signing import GENERIC_SIGNER
from tests.wsgi.calls import Application
from tests.wsgi.calls import call
from tests.wsgi.calls import send
from tests.wsgi.clients import HOST
from tests.wsgi.clients import forged
from tests.wsgi.clients import sign
from tests.wsgi.clients import verifier
from tests.wsgi.inputs import Endless
from tests.wsgi.inputs import Untouched
from tests.wsgi.servers import BJOERN
from tests.wsgi.servers import CHEROOT
from tests.wsgi.servers import GEVENT
from tests.wsgi.servers import GRANIAN
from tests.wsgi.servers import GUNICORN
from tests.wsgi.servers import HYPERCORN
from tests.wsgi.servers import MOD_WSGI
from tests.wsgi.servers import SERVERS
from tests.wsgi.servers import UWSGI
from tests.wsgi.servers import WAITRESS
from tests.wsgi.servers import WERKZEUG
from tests.wsgi.servers import WITH_RAW_TARGET
from tests.wsgi.servers import WITHOUT_RAW_TARGET
from tests.wsgi.servers import WSGIREF
from tests.wsgi.servers import Server
from tests.wsgi.servers import asgi_environ_of
from tests.wsgi.servers import environ_of
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.environ import body_length
from wsgi_sigv4.environ import hides_truncation
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.environ import set_path
from wsgi_sigv4.errors import InvalidContentLength
from wsgi_sigv4.errors import LengthRequired
from wsgi_sigv4.errors import MalformedRequest
from wsgi_sigv4.errors import MalformedTarget
from wsgi_sigv4.errors import PathNotRouted

by_name = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
with_raw_target = pytest.mark.parametrize("server", WITH_RAW_TARGET, ids=lambda server: server.name)
without_raw_target = pytest.mark.parametrize(
    "server", WITHOUT_RAW_TARGET, ids=lambda server: server.name
)


def guarded(app: Application, *, s3: bool = False, **options: Any) -> SigV4Middleware:
    """Return *app* behind the middleware."""
    return SigV4Middleware(app, verifier(s3=s3), **options)


# Rules 1 and 6: the raw target, and the servers that keep none.


@with_raw_target
def test_rule_1_raw_target_is_taken_from_the_key_of_the_server(server: Server) -> None:
    """Rule 1: spellings that only the raw target keeps are those that are verified."""
    message = Message.of(target="/%7Ea~%41%2fb?b=2&a=1&a=%20x&noval&plus=+")
    request = request_from_environ(environ_of(message, server))
    assert request.path == b"/%7Ea~%41%2fb"
    assert request.query == b"b=2&a=1&a=%20x&noval&plus=+"
    assert request.routed_path == b"/~a~A/b"


def test_rule_1_raw_uri_and_request_uri_that_differ_are_refused() -> None:
    """Rule 1: where a server gives both keys they must be equal."""
    environ = environ_of(Message.of(target="/a"), WERKZEUG, RAW_URI="/b")
    with pytest.raises(MalformedTarget, match="two different targets"):
        request_from_environ(environ)


def test_rule_1_operators_hook_comes_first() -> None:
    """Rule 1: the operator's own word on the target wins over every key of the server."""
    message = sign(target="/a%2Fb?q=1")
    environ = environ_of(message, RAW_URI="/a/b?q=1", HTTP_X_ORIGINAL_URI="/a%2Fb?q=1")
    app = Application()
    middleware = guarded(app, raw_target=lambda environ: environ["HTTP_X_ORIGINAL_URI"])
    assert call(middleware, environ).status == 200


def test_rule_1_hook_that_cannot_tell_leaves_it_to_the_server() -> None:
    """Rule 1: a hook that returns None leaves the keys of the server."""
    middleware = guarded(Application(), raw_target=lambda environ: None)
    assert send(middleware, sign(target="/a%2Fb")).status == 200


def test_rule_1_hook_is_tied_to_the_routed_path() -> None:
    """Rules 1 and 4: not even the operator's hook has one path verified and another one served."""
    app = Application()
    environ = environ_of(sign(target="/a"), RAW_URI="/secret", PATH_INFO="/secret")
    answer = call(guarded(app, raw_target=lambda environ: "/a"), environ)
    assert answer.status == 400
    assert not app.called


@pytest.mark.parametrize(
    ("target", "root_path"),
    [("/a%2Fb/%7E?q=%201", ""), ("/a", ""), ("/api/a%2Fb?q=1", "/api")],
    ids=["escapes", "no query", "root path"],
)
def test_rule_1_asgi_scope_has_the_raw_path(target: str, root_path: str) -> None:
    """Rule 1: under a2wsgi the raw path and the query string of the ASGI scope are verified."""
    message = sign(target=target)
    request = request_from_environ(asgi_environ_of(message, root_path=root_path))
    assert request.path == message.path
    assert request.query == message.query
    assert call(guarded(Application()), asgi_environ_of(message, root_path=root_path)).status == 200


def test_rule_1_asgi_scope_without_a_raw_path_is_rebuilt() -> None:
    """Rule 1: an ASGI server that gives no raw path is one without a raw target."""
    environ = asgi_environ_of(sign(target="/a%20b"))
    environ["asgi.scope"]["raw_path"] = None
    assert request_from_environ(environ).path == b"/a%20b"


@without_raw_target
def test_rule_6_path_is_rebuilt_without_a_raw_target(server: Server) -> None:
    """Rule 6: without a raw target the path is encoded from SCRIPT_NAME and PATH_INFO."""
    environ = environ_of(Message.of(target="/a b/é~"), server)
    environ.update(SCRIPT_NAME="/api", PATH_INFO="/a b/\xc3\xa9~")
    request = request_from_environ(environ)
    assert request.path == b"/api/a%20b/%C3%A9~"
    assert request.routed_path == b"/api/a b/\xc3\xa9~"


@without_raw_target
@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
def test_rule_6_clean_paths_verify_without_a_raw_target(server: Server, s3: bool) -> None:
    """Rule 6: a path in its usual spelling is right on a server without a raw target."""
    message = sign(target="/a%20b/%E3%81%82~?q=%2F&r=a%20b", s3=s3)
    assert send(guarded(Application(), s3=s3), message, server).status == 200


@without_raw_target
def test_rule_6_what_such_a_server_hides_is_refused_not_guessed(server: Server) -> None:
    """Rule 6: a spelling that is lost without a raw target is refused under the generic profile."""
    app = Application()
    assert send(guarded(app), sign(target="/a%2Fb"), server).status == 403
    assert not app.called


def test_rule_6_path_info_and_query_string_may_be_absent() -> None:
    """Rule 6: bjoern leaves out keys that would be empty."""
    environ = environ_of(Message.of(target="/"), BJOERN)
    del environ["PATH_INFO"], environ["QUERY_STRING"], environ["SCRIPT_NAME"]
    request = request_from_environ(environ | {"REQUEST_URI": "http://api.example.com"})
    assert (request.path, request.query, request.routed_path) == (b"/", b"", b"/")


# Rule 3: only a clean target.


@pytest.mark.parametrize(
    "target",
    [
        "/a#frag?x=1",
        "/a?x=1#frag",
        "*",
        "api.example.com:443",
        "",
        "/\xe3\x81\x82",
        "/a b",
        "/a\tb",
        "/a\x00b",
        "/a%zz",
        "/a%4",
        "/a?x=\xe3",
        "http://other.example:81/a",
        "http://api.example.com:81/a",
        "http://user@api.example.com/a",
        "HTTP://API.EXAMPLE.COM/a",
        "://api.example.com/a",
    ],
)
def test_rule_3_unclean_target_is_refused(target: str) -> None:
    """Rule 3: fragments, raw bytes, `*`, authority-form, and a foreign authority are refused."""
    app = Application()
    path, _, query = target.partition("?")
    environ = environ_of(sign(), RAW_URI=target, PATH_INFO=path, QUERY_STRING=query)
    answer = call(guarded(app), environ)
    assert answer.status == 400
    assert not app.called


@pytest.mark.parametrize("path_info", ["*", "http://api.example.com/a", "a"])
@without_raw_target
def test_rule_3_other_forms_of_a_target_are_refused_without_a_raw_target(
    server: Server, path_info: str
) -> None:
    """Rule 3: `*` and absolute-form stand in PATH_INFO where there is no raw target."""
    environ = environ_of(Message.of(), server, PATH_INFO=path_info)
    with pytest.raises(MalformedTarget, match="does not start with a slash"):
        request_from_environ(environ)


@pytest.mark.parametrize(
    ("rest", "signed"),
    [("/items?q=1", "/items?q=1"), ("", "/"), ("?q=1", "/?q=1"), ("/a%2Fb", "/a%2Fb")],
)
def test_rule_3_absolute_form_of_the_host_is_the_origin_form(rest: str, signed: str) -> None:
    """Rule 3: an absolute target that names the Host is the path behind it."""
    message = sign(target=signed)
    path_info = rest.partition("?")[0].replace("%2F", "/")
    environ = environ_of(message, RAW_URI=f"http://{HOST}{rest}", PATH_INFO=path_info)
    assert call(guarded(Application()), environ).status == 200


@pytest.mark.parametrize(
    "authority", ["other.example", "api.example.com:81", "API.EXAMPLE.COM", "u@api.example.com", ""]
)
@pytest.mark.parametrize("server", [GUNICORN, UWSGI, WAITRESS], ids=lambda server: server.name)
def test_rule_3_absolute_form_of_another_host_is_refused(server: Server, authority: str) -> None:
    """Rule 3: servers disagree on whether Host or the target counts, so they must be one."""
    app = Application()
    environ = environ_of(sign(), server)
    environ.update(dict.fromkeys(server.raw_keys, f"http://{authority}/items?q=1"))
    assert call(guarded(app), environ).status == 400
    assert not app.called


def test_rule_3_text_that_is_not_latin_1_is_refused() -> None:
    """An environ that breaks the WSGI specification is refused, without an exception of its own."""
    with pytest.raises(MalformedRequest, match="latin-1"):
        request_from_environ(environ_of(Message.of(), PATH_INFO="/あ"))


# Rules 4 and 5: the verified path is the routed one, with the mount prefix.


@pytest.mark.parametrize(
    ("server", "target", "path_info"),
    [
        pytest.param(UWSGI, "/allowed/../secret", "/secret", id="uwsgi resolves dots"),
        pytest.param(MOD_WSGI, "/a/./b//c", "/a/b/c", id="apache merges slashes"),
        pytest.param(CHEROOT, "/a%2Fb", "/a%2Fb", id="cheroot keeps an escaped slash"),
        pytest.param(WAITRESS, "//a//b", "/a//b", id="waitress merges leading slashes"),
        pytest.param(GUNICORN, "/a%25b", "/a\x00b", id="a path from nowhere"),
    ],
)
def test_rule_4_s3_path_that_is_not_the_routed_one_is_refused(
    server: Server, target: str, path_info: str
) -> None:
    """Rule 4, T31: where a server routes another path than was signed, S3 requests are refused."""
    app = Application()
    environ = environ_of(sign(target=target, s3=True), server, PATH_INFO=path_info)
    answer = call(guarded(app, s3=True), environ)
    assert answer.status == 400
    assert "<Code>InvalidURI</Code>" in answer.text
    assert not app.called


@pytest.mark.parametrize(
    ("target", "path_info", "routed"),
    [
        ("/allowed/../secret", "/secret", "/secret"),
        ("/allowed/../secret", "/allowed/../secret", "/secret"),
        ("/a//b/./c/", "/a/b/c/", "/a/b/c/"),
        ("/a//b/./c/", "/a//b/./c/", "/a/b/c/"),
    ],
)
def test_rule_4_generic_path_is_routed_in_the_form_that_was_signed(
    target: str, path_info: str, routed: str
) -> None:
    """Rule 4, T31: the application gets the normal form, whichever form the server gives."""
    app = Application()
    # As awscrt and curl do, botocore signs the normal form and sends the other.
    message = sign(target=target)
    environ = environ_of(message, UWSGI, PATH_INFO=path_info)
    assert call(guarded(app), environ).status == 200
    assert app.environ["PATH_INFO"] == routed


@pytest.mark.parametrize("query", ["q=2", "q=1&r=1", ""])
def test_rule_4_query_string_that_is_not_the_raw_query_is_refused(query: str) -> None:
    """Rules 4 and 7: the query that was signed is the query that the application reads."""
    app = Application()
    answer = call(guarded(app), environ_of(sign(), QUERY_STRING=query))
    assert answer.status == 400
    assert not app.called


def test_rule_4_stale_key_of_the_process_environment_is_refused() -> None:
    """Rules 2 and 4: a raw target that wsgiref took from its process environment fits no path."""
    app = Application()
    environ = environ_of(sign(target="/secret"), WSGIREF, REQUEST_URI="/items", QUERY_STRING="")
    assert call(guarded(app), environ).status == 400
    assert not app.called


@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
@pytest.mark.parametrize("target", ["/mount/items?q=1", "/mount", "/mount/a%20b/"])
@by_name
def test_rule_5_mount_point_is_part_of_the_signed_path(
    server: Server, target: str, s3: bool
) -> None:
    """Rule 5: behind werkzeug's dispatcher the mount point stays in the signed path."""
    app = Application()
    mounted = DispatcherMiddleware(Application(), {"/mount": guarded(app, s3=s3)})
    message = sign(target=target, s3=s3)
    assert send(mounted, message, server).status == 200
    assert app.environ["SCRIPT_NAME"] == "/mount"
    assert send(mounted, forged(message), server).status == 403
    assert len(app.environs) == 1


def test_rule_5_normal_form_outside_the_mount_point_is_refused() -> None:
    """Rules 4 and 5: dots that climb out of the mount point never reach the application."""
    app = Application()
    mounted = DispatcherMiddleware(Application(), {"/mount": guarded(app)})
    answer = send(mounted, sign(target="/mount/../admin"))
    assert answer.status == 400
    assert not app.called


@pytest.mark.parametrize(
    ("script_name", "path", "path_info"),
    [("", b"/a", "/a"), ("/m", b"/m/a", "/a"), ("/m", b"/m", ""), ("/m", b"/m/", "/")],
)
def test_set_path_writes_what_is_below_the_mount_point(
    script_name: str, path: bytes, path_info: str
) -> None:
    """PATH_INFO is what follows the mount point of the verified path."""
    environ = environ_of(Message.of(), SCRIPT_NAME=script_name)
    set_path(environ, path)
    assert environ["PATH_INFO"] == path_info


@pytest.mark.parametrize("path", [b"/other", b"/mother", b"/"])
def test_set_path_refuses_a_path_beside_the_mount_point(path: bytes) -> None:
    """A mount point covers whole segments only."""
    with pytest.raises(PathNotRouted):
        set_path(environ_of(Message.of(), SCRIPT_NAME="/m"), path)


def stripped(message: Message, server: Server, prefix: bytes, **changes: Any) -> dict[str, Any]:
    """Return the environ behind a proxy that takes *prefix* off the path."""
    behind = replace(message, path=message.path.removeprefix(prefix))
    return environ_of(behind, server, **changes)


@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
@by_name
def test_rule_5_path_prefix_that_a_proxy_strips_is_put_back(server: Server, s3: bool) -> None:
    """Rule 5: path_prefix names what a proxy took off the signed path."""
    app = Application()
    middleware = guarded(app, s3=s3, path_prefix="/api")
    message = sign(target="/api/items?q=1", s3=s3)
    assert call(middleware, stripped(message, server, b"/api")).status == 200
    assert app.environ["PATH_INFO"] == "/items"
    assert send(middleware, sign(target="/items", s3=s3), server).status == 403
    assert len(app.environs) == 1


def test_rule_5_path_prefix_is_text_of_the_operator() -> None:
    """A prefix that is not ASCII is given as text, and signed as its UTF-8."""
    message = sign(target="/%C3%BCber/items")
    environ = stripped(message, GUNICORN, b"/%C3%BCber")
    assert call(guarded(Application(), path_prefix="/über"), environ).status == 200


def test_rule_5_path_prefix_is_rewritten_around() -> None:
    """The normal form below a stripped prefix is routed without the prefix."""
    app = Application()
    environ = stripped(sign(target="/api/a//b"), GUNICORN, b"/api")
    assert call(guarded(app, path_prefix="/api"), environ).status == 200
    assert app.environ["PATH_INFO"] == "/a/b"


def test_rule_5_hook_gives_the_target_with_the_prefix() -> None:
    """A proxy that strips a prefix and re-encodes the rest can hand on the original target."""
    app = Application()
    message = sign(target="/api/a%2Fb?q=1")
    environ = stripped(message, GUNICORN, b"/api", RAW_URI="/a/b?q=1")
    environ["HTTP_X_ORIGINAL_URI"] = "/api/a%2Fb?q=1"
    middleware = guarded(
        app, path_prefix="/api", raw_target=lambda environ: environ["HTTP_X_ORIGINAL_URI"]
    )
    assert call(middleware, environ).status == 200
    assert app.environ["PATH_INFO"] == "/a/b"


@pytest.mark.parametrize("s3", [False, True], ids=["generic", "s3"])
@by_name
def test_rule_5_proxy_fix_gives_prefix_and_host(server: Server, s3: bool) -> None:
    """Rules 5 and 13: werkzeug's ProxyFix outside of us names the stripped prefix and the Host."""
    app = Application()
    fixed = ProxyFix(guarded(app, s3=s3), x_host=1, x_prefix=1)
    message = sign(target="/api/items?q=1", s3=s3)
    changes = {
        "HTTP_HOST": "10.0.0.7:8000",
        "HTTP_X_FORWARDED_HOST": HOST,
        "HTTP_X_FORWARDED_PREFIX": "/api",
    }
    assert call(fixed, stripped(message, server, b"/api", **changes)).status == 200
    assert (app.environ["SCRIPT_NAME"], app.environ["PATH_INFO"]) == ("/api", "/items")
    assert call(fixed, stripped(forged(message), server, b"/api", **changes)).status == 403


@by_name
def test_rule_5_proxy_fix_and_a_mount_point(server: Server) -> None:
    """Rule 5: a dispatcher between ProxyFix and us adds its mount point to the prefix."""
    app = Application()
    mounted = DispatcherMiddleware(Application(), {"/mount": guarded(app)})
    fixed = ProxyFix(mounted, x_prefix=1)
    message = sign(target="/api/mount/a//items")
    changes = {"HTTP_X_FORWARDED_PREFIX": "/other, /api"}
    assert call(fixed, stripped(message, server, b"/api", **changes)).status == 200
    assert app.environ["SCRIPT_NAME"] == "/api/mount"
    assert app.environ["PATH_INFO"] == "/a/items"


@by_name
def test_rule_5_mount_point_behind_a_proxy_fix_without_prefix(server: Server) -> None:
    """Rule 5: a dispatcher behind a ProxyFix that sets no prefix is a mount point like any."""
    mounted = DispatcherMiddleware(Application(), {"/mount": guarded(Application())})
    assert send(ProxyFix(mounted), sign(target="/mount/items"), server).status == 200


@pytest.mark.parametrize("prefix", ["/mount", "/mount/x", "/evil", ""])
@by_name
def test_t32_forwarded_prefix_is_not_believed_unless_configured(
    server: Server, prefix: str
) -> None:
    """T32: a client's X-Forwarded-Prefix never makes another path of the one that is served."""
    app = Application()
    mounted = DispatcherMiddleware(Application(), {"/mount": guarded(app)})
    # What the header would make of the request to /mount/items, were it believed.
    message = sign(target=f"{prefix}/mount/items" if prefix else "/other/items")
    environ = environ_of(replace(message, path=b"/mount/items"), server)
    answer = call(ProxyFix(mounted), environ | {"HTTP_X_FORWARDED_PREFIX": prefix})
    assert answer.status in (400, 403)
    assert not app.called


def test_t32_forwarded_prefix_below_a_mount_point_of_the_server() -> None:
    """T32: it is not believed either where the server itself has a mount point, without raw target.

    A dispatcher behind ProxyFix then looks as if a prefix had been put in front.
    """
    app = Application()
    mounted = DispatcherMiddleware(Application(), {"/m": guarded(app)})
    environ = environ_of(sign(target="/srv/srv/m/items"), GEVENT)
    environ.update(SCRIPT_NAME="/srv", PATH_INFO="/m/items", HTTP_X_FORWARDED_PREFIX="/srv")
    assert call(ProxyFix(mounted), environ).status == 403
    assert not app.called
    environ = environ_of(sign(target="/srv/m/items"), GEVENT)
    environ.update(SCRIPT_NAME="/srv", PATH_INFO="/m/items", HTTP_X_FORWARDED_PREFIX="/srv")
    assert call(ProxyFix(mounted), environ).status == 200


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_URI", "HTTP_X_RAW_URI"]
)
def test_t32_forwarded_headers_are_not_believed(header: str) -> None:
    """T32: nothing that a client writes into a forwarding header changes what is verified."""
    app = Application()
    values = {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_FORWARDED": "host=evil.example",
        "HTTP_X_ORIGINAL_URI": "/evil",
        "HTTP_X_RAW_URI": "/evil",
    }
    environ = environ_of(sign()) | {header: values[header]}
    assert call(guarded(app), environ).status == 200
    environ = environ_of(sign(target="/evil", host="evil.example"), HTTP_HOST=HOST)
    environ.update(values, RAW_URI="/items?q=1", PATH_INFO="/items", QUERY_STRING="q=1")
    assert call(guarded(app), environ).status == 403
    assert len(app.environs) == 1


# Rule 7: the query is raw everywhere.


@pytest.mark.parametrize("target", ["/a", "/a?"], ids=["none", "empty"])
@by_name
def test_rule_7_no_query_and_an_empty_one_are_the_same(server: Server, target: str) -> None:
    """Rule 7: `/a?` and `/a` cannot be told apart, which no signature needs."""
    environ = environ_of(sign(target="/a"), server)
    environ.update(dict.fromkeys(server.raw_keys, target))
    assert call(guarded(Application()), environ).status == 200


# Rules 8 to 14: headers.


@pytest.mark.parametrize(
    "value", ["  a  b \t c \t ", "caf\xe9", "voil\xc3\xa0", "\xa0a\xa0", "\x85a", "", "a\x0bb"]
)
def test_rule_8_header_values_are_the_bytes_of_the_wire(value: str) -> None:
    """Rule 8: only blanks and tabs are stripped; 0x85 and 0xA0 are bytes of a text."""
    environ = environ_of(Message.of(), HTTP_X_AMZ_META_A=value)
    request = request_from_environ(environ)
    assert request.header("x-amz-meta-a") == value.strip(" \t").encode("latin-1")


def test_rule_8_utf_8_values_are_verified_as_sent() -> None:
    """Rule 8: a signed header in UTF-8 is right, whatever its last byte is."""
    message = sign(headers={"X-Amz-Meta-A": "voilà"})
    assert send(guarded(Application()), message).status == 200


REPEATED = ("x-amz-meta-a", "one", "two, three")


def repeated(*, joint: str = ",") -> Message:
    """Return a request that was signed with two lines of one header."""
    name, *values = REPEATED
    message = sign(headers={name: joint.join(values)})
    first, second = (value.encode() for value in values)
    lines = []
    for key, value in message.headers:
        if key == name.encode():
            lines += [(key, first), (key, second)]
        else:
            lines.append((key, value))
    return replace(message, headers=tuple(lines))


@pytest.mark.parametrize(
    "server", [WERKZEUG, WSGIREF, GUNICORN, GEVENT, GRANIAN], ids=lambda server: server.name
)
def test_rule_9_repeated_signed_headers_are_joined_with_a_comma(server: Server) -> None:
    """Rule 9: what most servers make of repeated headers is what clients sign."""
    assert send(guarded(Application()), repeated(), server).status == 200


@pytest.mark.parametrize("server", [UWSGI, WAITRESS, MOD_WSGI], ids=lambda server: server.name)
def test_rule_9_servers_that_join_with_a_blank_get_a_second_form(server: Server) -> None:
    """Rule 9: there, and only there, the comma and blank of a server is tried as a comma.

    The blank that the client itself sent is lost by it, so such a value is refused.
    """
    message = sign(headers={"x-amz-meta-a": "one,two"})
    lines = [pair for pair in message.headers if pair[0] != b"x-amz-meta-a"]
    lines += [(b"x-amz-meta-a", b"one"), (b"x-amz-meta-a", b"two")]
    assert (
        send(guarded(Application()), replace(message, headers=tuple(lines)), server).status == 200
    )
    app = Application()
    assert send(guarded(app), repeated(), server).status == 403
    assert not app.called


@pytest.mark.parametrize(
    "server", [WERKZEUG, GUNICORN, WSGIREF, CHEROOT], ids=lambda server: server.name
)
def test_rule_9_a_comma_and_blank_is_no_comma_elsewhere(server: Server) -> None:
    """Rule 9: on other servers there is one form, and no second try."""
    app = Application()
    message = sign(headers={"x-amz-meta-a": "one,two"}).with_header("x-amz-meta-a", "one, two")
    assert send(guarded(app), message, server).status == 403
    assert not app.called


def test_rule_9_server_that_keeps_the_last_one_cannot_carry_repeated_headers() -> None:
    """Rule 9: under cheroot a repeated signed header is refused, never half verified."""
    app = Application()
    assert send(guarded(app), repeated(), CHEROOT).status == 403
    assert not app.called


@pytest.mark.parametrize(
    ("header", "second"),
    [
        ("authorization", "Bearer x"),
        ("host", "evil.example"),
        ("x-amz-date", "20261121T213000Z"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-security-token", "x"),
    ],
)
@by_name
def test_rule_9_t28_a_second_line_of_an_authentication_header_is_refused(
    server: Server, header: str, second: str
) -> None:
    """Rule 9, T28: whatever a server makes of two lines, both orders are refused."""
    message = sign("PUT", body=b"x", hashed=True)
    original = message.header(header)
    lines = [pair for pair in message.headers if pair[0].lower() != header.encode()]
    pair = [] if original is None else [(header.encode(), original)]
    other = [(header.encode(), second.encode())]
    app = Application()
    if server.joint is not None:
        twice = replace(message, headers=(*lines, *pair, *other))
        assert send(guarded(app), twice, server).status in (400, 403)
    twice = replace(message, headers=(*lines, *other, *pair))
    if server.joint is not None or not pair:
        assert send(guarded(app), twice, server).status in (400, 403)
    assert not app.called


@pytest.mark.parametrize("server", [WSGIREF, CHEROOT, UWSGI, GRANIAN], ids=lambda s: s.name)
@pytest.mark.parametrize("presigned", [False, True], ids=["header", "presigned"])
@pytest.mark.parametrize("value", ["public-read", ""], ids=["value", "empty"])
def test_rule_10_t33_smuggled_underscore_header_is_unsigned(
    server: Server, presigned: bool, value: str
) -> None:
    """Rule 10, T33, T1: `x_amz_acl` arrives as HTTP_X_AMZ_ACL, and nobody signed it."""
    app = Application()
    message = sign("PUT", s3=True, presigned=presigned).with_extra_header("x_amz_acl", value)
    answer = send(guarded(app, s3=True), message, server)
    assert answer.status == 403
    assert "<HeadersNotSigned>x-amz-acl</HeadersNotSigned>" in answer.text
    assert not app.called


@pytest.mark.parametrize("server", [WSGIREF, CHEROOT, UWSGI], ids=lambda server: server.name)
def test_rule_10_t33_smuggled_twin_of_a_signed_header_breaks_the_signature(server: Server) -> None:
    """Rule 10, T33: beside the signed header it is joined to it, or put in its place."""
    app = Application()
    message = sign("PUT", s3=True, headers={"x-amz-acl": "private"})
    message = message.with_extra_header("x_amz_acl", "public-read")
    assert send(guarded(app, s3=True), message, server).status == 403
    assert not app.called


def test_rule_10_signed_name_with_an_underscore_is_refused() -> None:
    """Rule 10: a list that names `x_a` could mean `x-a`, and is malformed."""
    app = Application()
    message = sign(headers={"x_a": "1"})
    assert send(guarded(app), message).status == 400
    assert not app.called


@pytest.mark.parametrize("key", ["HTTP_SCRIPT_NAME", "HTTP_PATH_INFO"])
def test_rule_10_header_named_like_a_key_of_the_server_is_refused(key: str) -> None:
    """Rule 10: gunicorn takes SCRIPT_NAME from a header of that name, and shows it."""
    app = Application()
    environ = environ_of(
        sign(target="/p/q"), SCRIPT_NAME="/p", PATH_INFO="/q", **dict[str, Any]({key: "/p"})
    )
    answer = call(guarded(app), environ)
    assert answer.status == 400
    assert "named like a key of the server" in answer.text
    assert not app.called


@pytest.mark.parametrize("name", ["CONTENT_TYPE", "CONTENT_LENGTH"])
@pytest.mark.parametrize("there", [True, False], ids=["beside it", "alone"])
def test_rule_10_twin_of_content_headers_is_refused(name: str, there: bool) -> None:
    """Rule 10: HTTP_CONTENT_* that differs from CONTENT_* is a header by another spelling."""
    app = Application()
    environ = environ_of(sign("PUT", body=b"hello", headers={"Content-Type": "text/plain"}))
    environ[f"HTTP_{name}"] = "3"
    if not there:
        del environ[name]
    assert call(guarded(app), environ).status == 400
    assert not app.called


def test_rule_10_nginx_before_uwsgi_gives_content_headers_twice_and_alike() -> None:
    """Rule 10: HTTP_CONTENT_* that are equal to CONTENT_* change nothing."""
    environ = environ_of(sign("PUT", body=b"hello", headers={"Content-Type": "text/plain"}), UWSGI)
    environ.update(HTTP_CONTENT_LENGTH="5", HTTP_CONTENT_TYPE="text/plain")
    request = request_from_environ(environ)
    assert request.header("content-length") == b"5"
    assert request.header("content-type") == b"text/plain"
    assert call(guarded(Application()), environ).status == 200


def test_header_names_of_any_length_are_read() -> None:
    """A name that is too long to be remembered is read all the same."""
    name = "X-Amz-Meta-" + "a" * 5000
    assert send(guarded(Application()), sign(headers={name: "1"})).status == 200


def test_header_name_that_is_not_ascii_matches_none() -> None:
    """A name that no client can sign is none of the signed ones, and harms nothing."""
    environ = environ_of(sign()) | {"HTTP_X_AMZ_DAT\xc9": "1", "HTTP_\u3042": "1"}
    names = request_from_environ(environ).header_names
    assert "x-amz-dat\\xe9" in names
    assert "\\u3042" in names


@pytest.mark.parametrize("value", ["a\r\n  b", "a\nb", "a\rb", "a\x00b"])
@pytest.mark.parametrize("key", ["HTTP_X_OTHER", "HTTP_HOST", "CONTENT_TYPE"])
def test_rule_11_line_breaks_in_values_are_refused(key: str, value: str) -> None:
    """Rule 11: folded lines and NUL in any header are refused, signed or not."""
    app = Application()
    answer = call(guarded(app), environ_of(sign(), UWSGI) | {key: value})
    assert answer.status == 400
    assert "line break" in answer.text
    assert not app.called


@pytest.mark.parametrize("server", [WSGIREF], ids=["wsgiref"])
def test_rule_12_invented_content_type_need_not_be_signed(server: Server) -> None:
    """Rule 12: wsgiref makes up text/plain, so its presence proves nothing."""
    app = SigV4Middleware(Application(), verifier(require_signed=("content-type",)))
    assert send(app, sign(), server).status == 200
    sent = sign("PUT", body=b"x").with_extra_header("Content-Type", "application/json")
    assert send(app, sent, server).status == 403


def test_rule_12_empty_content_type_of_nginx_before_uwsgi_need_not_be_signed() -> None:
    """Rule 12: nginx gives uWSGI empty values for headers that were not sent."""
    app = SigV4Middleware(Application(), verifier(require_signed=("content-type",)))
    environ = environ_of(sign(), UWSGI, CONTENT_TYPE="", CONTENT_LENGTH="")
    assert request_from_environ(environ).header("content-length") is None
    assert call(app, environ).status == 200


def test_rule_12_content_type_must_be_signed_where_the_server_tells() -> None:
    """Rule 12: on servers that tell absent from empty, the same text/plain must be signed."""
    app = SigV4Middleware(Application(), verifier(require_signed=("content-type",)))
    assert send(app, sign(), GUNICORN, CONTENT_TYPE="text/plain").status == 403


@by_name
def test_rule_12_absent_and_empty_headers_are_told_apart(server: Server) -> None:
    """Rule 12: a signed header that is sent empty is there; one that is not sent is refused."""
    message = sign(headers={"X-Amz-Meta-A": ""})
    assert send(guarded(Application()), message, server).status == 200
    app = Application()
    assert send(guarded(app), message.without_header("x-amz-meta-a"), server).status == 403
    assert not app.called


@by_name
def test_rule_12_t34_absent_host_is_never_the_server_name(server: Server) -> None:
    """Rule 12, T34: no Host, or the empty one of granian, is absent; SERVER_NAME is no stand-in."""
    app = Application()
    message = sign(host="127.0.0.1:8000").without_header("host")
    assert send(guarded(app), message, server).status == 403
    assert send(guarded(app), message, server, HTTP_HOST="").status == 403
    assert not app.called


def test_rule_13_host_is_verified_as_the_client_wrote_it() -> None:
    """Rule 13: a proxy that drops the port or changes the case breaks the signature."""
    message = GENERIC_SIGNER.sign(Message.of(headers={"Host": "S3.Example.COM:8000"}))
    assert send(guarded(Application()), message).status == 200
    for host in ("s3.example.com:8000", "S3.Example.COM", "upstream"):
        assert send(guarded(Application()), message, HTTP_HOST=host).status == 403


def test_rule_13_missing_authorization_names_apache_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Rule 13: the log of a request without Authorization says where Apache hides it."""
    send(guarded(Application()), sign().without_header("authorization"), MOD_WSGI)
    assert "WSGIPassAuthorization" in caplog.text
    assert "Sign it: curl --aws-sigv4" in caplog.text


def test_rule_13_override_names_where_a_proxy_keeps_the_clients_header() -> None:
    """Rule 13: a CDN that rewrites Accept-Encoding can keep the client's in another header."""
    message = sign(headers={"Accept-Encoding": "identity;q=1, *;q=0"})
    changed = message.with_header("Accept-Encoding", "gzip")
    kept = changed.with_extra_header("X-Original-Accept-Encoding", "identity;q=1, *;q=0")
    for name, original in (
        ("accept-encoding", "x-original-accept-encoding"),
        ("Accept-Encoding", "X-Original-Accept-Encoding"),
    ):
        app = guarded(Application(), header_overrides={name: original})
        assert send(app, kept).status == 200
        assert send(app, message).status == 200
        assert send(app, changed).status == 403
    assert send(guarded(Application()), kept).status == 403


@by_name
def test_rule_14_url_scheme_is_no_part_of_the_policy(server: Server) -> None:
    """Rule 14: clients write the scheme on some servers, so nothing depends on it."""
    environ = environ_of(sign(), server) | {"wsgi.url_scheme": "gopher"}
    assert call(guarded(Application()), environ).status == 200


@by_name
def test_rule_14_hop_by_hop_headers_need_not_be_signed(server: Server) -> None:
    """Rule 14: what a proxy changes of Connection, TE and the like is of no account."""
    message = sign().with_extra_header("Connection", "X-Amz-Date, close")
    message = message.with_extra_header("TE", "trailers")
    assert send(guarded(Application()), message, server).status == 200


# Rules 15 to 19: the body's length.


@pytest.mark.parametrize(
    "length", ["+5", "-1", "1_0", "abc", "5, 5", "5,5", " 5", "5 ", "0x5", "٥", "9" * 19, "5.0"]
)
@by_name
def test_rule_15_content_length_is_digits(server: Server, length: str) -> None:
    """Rule 15: what Python's int() would take, or a 19-digit number, is no length."""
    app = Application()
    environ = environ_of(sign("PUT"), server, body=Untouched(), CONTENT_LENGTH=length)
    with pytest.raises(InvalidContentLength):
        body_length(environ)
    assert call(guarded(app), environ).status == 400
    assert not app.called


@pytest.mark.parametrize(("length", "expected"), [("0", 0), ("005", 5), ("5", 5), ("", 0)])
def test_rule_15_content_length_is_read(length: str, expected: int) -> None:
    """Rule 15: leading zeros are digits, and an empty length is none."""
    assert body_length(environ_of(Message.of(), CONTENT_LENGTH=length)) == expected


@by_name
def test_rule_15_content_length_and_transfer_encoding_are_refused(server: Server) -> None:
    """Rule 15: two ways to say where the body ends are one too many."""
    app = Application()
    environ = environ_of(sign("PUT"), server, body=Untouched(), chunked=True, CONTENT_LENGTH="5")
    assert call(guarded(app), environ).status == 400
    assert not app.called


def test_rule_15_length_of_a_chunked_body_by_option() -> None:
    """Rule 15: nginx in front of uWSGI gives the true length beside Transfer-Encoding."""
    app = Application()
    message = sign("PUT", body=b"hello")
    environ = environ_of(message, UWSGI, chunked=True, CONTENT_LENGTH="5")
    assert call(guarded(app, length_of_chunked=True), environ).status == 200
    assert app.body == b"hello"
    assert app.environ["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in app.environ


@pytest.mark.parametrize(
    "server", [GUNICORN, WAITRESS, GEVENT, MOD_WSGI, WERKZEUG, CHEROOT], ids=lambda s: s.name
)
def test_rule_15_chunked_body_is_read_to_its_end_where_the_server_ends_it(server: Server) -> None:
    """Rule 15: with wsgi.input_terminated a chunked body is read to the end of the stream."""
    app = Application()
    message = sign("PUT", body=b"hello" * 50_000)
    assert send(guarded(app), message, server, chunked=True).status == 200
    assert app.body == message.body
    assert app.environ["CONTENT_LENGTH"] == "250000"
    assert "HTTP_TRANSFER_ENCODING" not in app.environ


def test_rule_15_chunked_body_is_capped() -> None:
    """Rule 15: a body without length is read up to a limit, here that of unverified bodies."""
    app = Application()
    endless = Endless()
    environ = environ_of(sign("PUT"), body=endless, chunked=True)
    middleware = guarded(app, unverified_body_limit=100_000)
    assert call(middleware, environ).status == 413
    assert not app.called
    # And what the drain of a refused body reads.
    assert endless.received < 11_000_000


@pytest.mark.parametrize("server", [WSGIREF, UWSGI, HYPERCORN, BJOERN], ids=lambda s: s.name)
def test_rule_15_chunked_body_without_an_end_is_411(server: Server) -> None:
    """Rules 15 and 19: without the flag, or under bjoern, nobody knows where the body ends."""
    app = Application()
    environ = environ_of(sign("PUT"), server, body=Untouched(), chunked=True)
    with pytest.raises(LengthRequired):
        body_length(environ)
    answer = call(guarded(app), environ)
    assert answer.status == 411
    assert "You must provide the Content-Length HTTP header." in answer.text
    assert not app.called


@pytest.mark.parametrize("coding", ["gzip, chunked", "xchunked", "gzip", "chunked, chunked"])
def test_rule_15_other_transfer_codings_are_refused(coding: str) -> None:
    """Rule 15: nothing but `chunked` is decoded by servers."""
    environ = environ_of(sign("PUT"), body=Untouched(), HTTP_TRANSFER_ENCODING=coding)
    with pytest.raises(MalformedRequest, match="not chunked"):
        body_length(environ)


@pytest.mark.parametrize("coding", ["chunked", "Chunked", " chunked\t"])
def test_rule_15_chunked_is_read_without_case_and_blanks(coding: str) -> None:
    """Rule 15: servers pass on the case, and some the blanks."""
    assert body_length(environ_of(Message.of(), HTTP_TRANSFER_ENCODING=coding)) is None


@by_name
def test_rule_15_body_without_length_is_empty_and_never_read(server: Server) -> None:
    """Rules 15 and 16: with neither header read() would block, and is not called."""
    app = Application()
    assert send(guarded(app), sign("PUT"), server, body=Untouched()).status == 200
    assert app.body == b""


def test_rule_15_chunked_body_is_read_under_a2wsgi() -> None:
    """Rule 15: a2wsgi ends a chunked body without saying so in a flag."""
    app = Application()
    environ = asgi_environ_of(sign("PUT", body=b"hello"))
    del environ["CONTENT_LENGTH"]
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    assert call(guarded(app), environ).status == 200
    assert app.body == b"hello"


@pytest.mark.parametrize("kind", ["granian", "a2wsgi"])
def test_rule_17_unsigned_chunked_body_is_refused_where_truncation_is_hidden(kind: str) -> None:
    """Rule 17: granian and a2wsgi end a cut chunked body as if it were whole."""
    app = Application()
    message = sign("PUT", s3=True, presigned=True)
    environ = environ_of(message, GRANIAN) if kind == "granian" else asgi_environ_of(message)
    environ.update({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"hel")})
    assert hides_truncation(environ)
    assert call(guarded(app, s3=True), environ).status == 411
    assert not app.called


def test_rule_17_unsigned_chunked_body_is_taken_where_truncation_shows() -> None:
    """Rule 17: gunicorn raises where a chunked body is cut, so UNSIGNED-PAYLOAD may be chunked."""
    app = Application()
    message = sign("PUT", s3=True, presigned=True)
    environ = environ_of(message, chunked=True, body=io.BytesIO(b"hello"))
    assert not hides_truncation(environ)
    assert call(guarded(app, s3=True), environ).status == 200
    assert app.body == b"hello"


def test_rule_19_bjoern_merges_trailers_so_its_chunked_bodies_are_refused() -> None:
    """Rule 19: an Authorization from an HTTP trailer looks like one from the header."""
    app = Application()
    environ = environ_of(sign("PUT", body=b"hello"), BJOERN, chunked=True)
    assert environ["wsgi.input_terminated"] is True
    assert call(guarded(app), environ).status == 411
    assert not app.called


def test_rule_19_trailers_that_httptools_merges_are_unsigned_or_break_the_signature() -> None:
    """Rule 19: under uvicorn with httptools trailers stand among the headers, unsigned."""
    app = Application()
    message = sign("PUT", s3=True, body=b"hello")
    for name, value in (("x-amz-acl", "public-read"), ("x-amz-date", "20300101T000000Z")):
        environ = asgi_environ_of(message.with_extra_header(name, value))
        assert call(guarded(app, s3=True), environ).status in (400, 403)
    assert not app.called


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "OPTIONS", "FOO"])
@by_name
def test_rule_22_body_is_hashed_whatever_the_method(server: Server, method: str) -> None:
    """Rule 22: a body of GET or DELETE is part of what was signed."""
    app = Application()
    message = sign(method, body=b"hello")
    assert send(guarded(app), message, server).status == 200
    assert app.body == b"hello"
    assert send(guarded(app), replace(message, body=b"other"), server).status == 403
    assert len(app.environs) == 1


def test_deployment_defaults_repair_nothing() -> None:
    """Without options nothing is put in front of the path, and no header is replaced."""
    deployment = Deployment()
    assert deployment.path_prefix == ""
    assert not deployment.header_overrides
    assert deployment.raw_target is None
    assert not deployment.length_of_chunked
