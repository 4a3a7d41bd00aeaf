"""Beside other extensions: Flask-Login, Flask-WTF, flask-cors, Flask-Caching, and the logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask import request
from flask.testing import FlaskClient
from flask_caching import Cache
from flask_cors import CORS
from flask_cors import cross_origin
from flask_login import LoginManager
from flask_login import UserMixin
from flask_login import current_user
from flask_login import login_required
from flask_login import login_user
from flask_wtf.csrf import CSRFProtect
from flask_wtf.csrf import generate_csrf

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import KEYS
from tests.flask.signing import OTHER_KEY_ID
from tests.flask.signing import OTHER_SECRET
from tests.flask.signing import SECRET
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import post
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import RedactingFilter
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required

# Flask-Login 0.6.3 asks for the time in a way that Python 3.12 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

FORM = "application/x-www-form-urlencoded"
PREFLIGHT = {
    "Origin": "https://shop.example",
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization,x-amz-date",
}


class User(UserMixin):  # type: ignore[misc]
    """A user whose id is his name."""

    def __init__(self, name: str) -> None:
        self.id = name


def who() -> str:
    """Answer with the user's name, or with "anonymous"."""
    return current_user.id if current_user.is_authenticated else "anonymous"


# Flask-Login.


@pytest.fixture(params=["owner", "no loader"])
def owner(request: pytest.FixtureRequest) -> str:
    """Who a signed request is for: the key's owner, or anonymous where there is no loader."""
    return "anonymous" if request.param == "no loader" else "alice"


@pytest.fixture
def login_app(owner: str) -> Flask:
    """An app with users of whom "victim" is logged in by a cookie, and keys of "alice"."""
    keys = {ACCESS_KEY_ID: Credentials(SECRET, principal="alice")}
    app = make_app(SIGV4_CREDENTIALS=keys, SIGV4_SERVICE="items")
    manager = LoginManager(app)
    manager.user_loader(User)
    if owner == "alice":
        manager.request_loader(
            lambda request: User(str(current_identity.principal)) if current_identity else None
        )

    @app.get("/login")
    def login() -> str:
        login_user(User("victim"), remember=True)
        return ""

    app.add_url_rule("/session", "session", who)
    app.add_url_rule("/items", "items", sigv4_required(who), methods=["GET", "POST"])
    app.add_url_rule("/optional", "optional", sigv4_required(optional=True)(who))
    app.add_url_rule("/both", "both", sigv4_required(login_required(who)))
    return app


@pytest.fixture
def victim(login_app: Flask) -> FlaskClient:
    """A client that is logged in."""
    client = login_app.test_client()
    client.get("/login")
    assert client.get("/session").text == "victim"
    return client


@pytest.mark.parametrize("path", ["/items", "/optional"])
@pytest.mark.parametrize("expires", [None, 60], ids=["header", "presigned"])
def test_t37_user_of_a_signed_request(
    victim: FlaskClient, path: str, expires: int | None, owner: str
) -> None:
    """T37: a signed request that a victim's browser sends is never in the victim's name."""
    assert get(victim, path, expires=expires).text == owner
    # The session goes on for what is not signed.
    assert victim.get("/session").text == "victim"
    assert victim.get("/optional").text == "victim"


def test_t37_presigned_post(victim: FlaskClient, owner: str) -> None:
    """T37: the attack itself, a presigned POST with the victim's cookies."""
    assert send(victim, sign(method="POST", expires=60)).text == owner


def test_t37_user_asked_for_before(login_app: Flask, victim: FlaskClient, owner: str) -> None:
    """T37: what asked for the user before the request was verified does not pin the victim."""
    seen = []
    login_app.before_request_funcs.setdefault(None, []).append(lambda: seen.append(who()))
    assert get(victim).text == owner
    assert seen == ["victim"]


def test_t37_user_of_an_app_that_is_wrapped(
    login_app: Flask, victim: FlaskClient, owner: str
) -> None:
    """T37: an open view of an app inside SigV4Middleware has no session's user either."""
    verifier = login_app.extensions["sigv4"].verifier
    login_app.wsgi_app = SigV4Middleware(  # type: ignore[method-assign]
        login_app.wsgi_app, verifier, required=False
    )
    assert get(victim, "/session", expires=60).text == owner
    assert victim.get("/session").text == "victim"


def test_t37_user_does_not_outlive_the_request(login_app: Flask) -> None:
    """T37: requests that share an application context do not share the key's owner."""
    with login_app.app_context():
        client = login_app.test_client()
        get(client)
        assert client.get("/session").text == "anonymous"


def test_login_required_below(victim: FlaskClient, owner: str) -> None:
    """Below sigv4_required, login_required asks for the key's owner, and not for the cookie."""
    assert get(victim, "/both").status_code == (200 if owner == "alice" else 401)
    assert victim.get("/both").status_code == 403


# Flask-WTF.


@pytest.fixture
def csrf_app() -> Flask:
    """An app with the recipe: verify first, then protect what a browser may have sent."""
    app = make_app(WTF_CSRF_CHECK_DEFAULT=False)
    csrf = CSRFProtect(app)

    @app.before_request
    def protect() -> None:
        sigv4_required(optional=True).check()
        if not current_identity or current_identity.presigned:
            csrf.protect()

    app.add_url_rule("/token", "token", generate_csrf)
    view = sigv4_required(optional=True)(lambda: request.form["a"])
    app.add_url_rule("/items", "items", view, methods=["POST"])
    return app


def test_t37_csrf_spares_the_header_form(csrf_app: Flask) -> None:
    """T37: no browser sends an Authorization header of itself, so that form needs no token."""
    assert post(csrf_app.test_client(), "/items", b"a=1", FORM).text == "1"


def test_t37_csrf_protects_presigned_posts(csrf_app: Flask) -> None:
    """T37: a presigned POST, which any page can have a browser send, needs the token."""
    client = csrf_app.test_client()
    answer = post(client, "/items", b"a=1", FORM, expires=60)
    assert (answer.status_code, "CSRF token is missing" in answer.text) == (400, True)
    token = client.get("/token").text
    answer = post(client, "/items", f"a=1&csrf_token={token}".encode(), FORM, expires=60)
    assert answer.text == "1"


def test_t37_csrf_protects_unsigned_posts(csrf_app: Flask) -> None:
    """The forms of a browser are protected as before, and a wrong signature is refused as such."""
    client = csrf_app.test_client()
    assert client.post("/items", data={"a": "1"}).status_code == 400
    token = client.get("/token").text
    assert client.post("/items", data={"a": "1", "csrf_token": token}).text == "1"
    assert post(client, "/items", b"a=1", FORM, secret="wrong").status_code == 403


# flask-cors.


@pytest.mark.parametrize("preflight", [False, True])
def test_t42_preflight_of_a_guarded_blueprint(preflight: bool) -> None:
    """T42: SIGV4_PREFLIGHT lets exactly a preflight through a check, and flask-cors answers it."""
    app = make_app(SIGV4_PREFLIGHT=preflight)
    CORS(app, origins=["https://shop.example"])
    app.before_request(sigv4_required.check)
    app.add_url_rule("/items", "items", lambda: current_identity.access_key_id, methods=["PUT"])
    client = app.test_client()
    url = sign("/items", "PUT", expires=60).url.removeprefix("http://localhost")
    for path in ("/items", url):
        answer = client.options(path, headers=PREFLIGHT)
        assert answer.status_code == (200 if preflight else 403)
    assert client.options("/items").status_code == 403
    assert client.options("/items", headers={"Origin": PREFLIGHT["Origin"]}).status_code == 403
    put = sign("/items", "PUT", expires=60)
    put.headers["Origin"] = PREFLIGHT["Origin"]
    answer = send(client, put)
    assert answer.text == ACCESS_KEY_ID
    assert answer.access_control_allow_origin == "https://shop.example"


def test_t42_refusal_is_readable_by_a_page() -> None:
    """A refusal carries the CORS headers too, so that a script can read why."""
    app = make_app()
    CORS(app, origins=["https://shop.example"])
    app.add_url_rule("/items", "items", sigv4_required(lambda: "served"))
    answer = app.test_client().get("/items", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 403
    assert answer.access_control_allow_origin == "https://shop.example"
    assert "authorization" in answer.vary.as_set()


@pytest.mark.parametrize("preflight", [False, True])
def test_t42_preflight_of_a_guarded_view(preflight: bool) -> None:
    """T42: below sigv4_required, cross_origin answers the preflight only where it may pass."""
    app = make_app(SIGV4_PREFLIGHT=preflight)
    view = sigv4_required(cross_origin(origins=["https://shop.example"])(lambda: "served"))
    app.add_url_rule("/items", "items", view, methods=["PUT"])
    answer = app.test_client().options("/items", headers=PREFLIGHT)
    assert answer.status_code == (200 if preflight else 403)
    assert "served" not in answer.text


# Flask-Caching.


@pytest.fixture
def cached_app() -> Iterator[tuple[Flask, Cache]]:
    """An app with a cache of its own."""
    app = make_app()
    cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
    yield app, cache
    with app.app_context():
        cache.clear()


def test_t47_cache_below(cached_app: tuple[Flask, Cache]) -> None:
    """T47: a cached answer is served to who has signed only, and to its own signer."""
    app, cache = cached_app
    calls = []

    def key() -> str:
        return f"{request.full_path} {current_identity.access_key_id}"

    @app.get("/items")
    @sigv4_required
    @cache.cached(make_cache_key=key)
    def items() -> str:
        calls.append(current_identity.access_key_id)
        return calls[-1]

    client = app.test_client()
    assert get(client).text == get(client).text == ACCESS_KEY_ID
    assert calls == [ACCESS_KEY_ID]
    assert client.get("/items").status_code == 403
    assert get(client, secret="wrong").status_code == 403
    assert get(client, access_key_id=OTHER_KEY_ID).text == OTHER_KEY_ID


@pytest.mark.parametrize("between", [False, True], ids=["next to it", "with another between"])
def test_t47_cache_above(cached_app: tuple[Flask, Cache], between: bool) -> None:
    """T47: a cache above the check would serve anybody, so nothing at all is answered or kept."""
    app, cache = cached_app
    guarded = sigv4_required(lambda: "secret")
    view = cache.cached()(login_required(guarded) if between else guarded)
    if between:
        LoginManager(app).request_loader(lambda request: User("x"))
    app.add_url_rule("/items", "items", view)
    client = app.test_client()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="above"):
            get(client)
    app.testing = False
    assert get(client).status_code == 500
    assert "secret" not in client.get("/items").text


def test_t47_decorators_above_a_cache_below(cached_app: tuple[Flask, Cache]) -> None:
    """T47: a decorator above the check, which copies the marks of a cache below, is no cache."""
    app, cache = cached_app
    LoginManager(app).request_loader(lambda request: User("x"))
    view = login_required(sigv4_required(cache.cached()(lambda: "served")))
    app.add_url_rule("/items", "items", view)
    assert get(app.test_client()).text == "served"


# Logs.


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep *record* as text."""
        self.said.append(record.getMessage())


def test_t49_access_log_of_the_development_server() -> None:
    """T49: with the filter, werkzeug's access log keeps no signature and no session token."""
    logger, handler = logging.getLogger("werkzeug"), Records()
    redacting = RedactingFilter()
    logger.addFilter(redacting)
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        said = access_log_of(sign(expires=60).url, handler)
    finally:
        logger.removeFilter(redacting)
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert "GET /items?X-Amz-Algorithm=AWS4-HMAC-SHA256" in said
    assert "X-Amz-Signature=..." in said


def access_log_of(url: str, handler: Records) -> str:
    """Return what the development server logs of a request for *url*."""
    import threading
    import urllib.request

    from werkzeug.serving import make_server

    app = make_app(SIGV4_HOSTS=None)
    app.add_url_rule("/items", "items", sigv4_required(lambda: "served"))
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        request = urllib.request.Request(
            url.replace("localhost", f"127.0.0.1:{server.server_port}"),
            headers={"Host": "localhost"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read() == b"served"
    finally:
        thread.join(10)
        server.server_close()
    return "\n".join(handler.said)


def test_t49_our_records(caplog: pytest.LogCaptureFixture) -> None:
    """T49: our own record of a refusal holds no signature, no token and no secret."""
    app = make_app()
    app.add_url_rule("/items", "items", sigv4_required(lambda: "served"))
    signed = sign(secret="wrong", expires=60)
    send(app.test_client(), signed)
    signature = signed.url.rpartition("X-Amz-Signature=")[2]
    assert len(signature) == 64
    assert signature not in caplog.text
    assert all(secret not in caplog.text for secret in (SECRET, OTHER_SECRET, *KEYS.values()))


def test_session_is_left_alone() -> None:
    """The extension itself neither reads nor writes the session."""
    app = make_app()
    app.add_url_rule("/items", "items", sigv4_required(lambda: "served"))
    answer = get(app.test_client())
    assert answer.vary.as_set() == {"authorization"}
    assert "Set-Cookie" not in answer.headers
