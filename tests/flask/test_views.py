"""The decorator: on functions, classes, coroutines, blueprints and whole apps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint
from flask import Flask
from flask import request
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from flask.views import View

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import KEYS
from tests.flask.signing import OTHER_KEY_ID
from tests.flask.signing import get
from tests.flask.signing import make_app
from tests.flask.signing import send
from tests.flask.signing import sign
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4.contrib.flask import current_identity
from wsgi_sigv4.contrib.flask import sigv4_required


def whoami() -> str:
    """Answer with the key of the identity, or with "nobody"."""
    return current_identity.access_key_id if current_identity else "nobody"


def app_with(view: Callable[..., Any], path: str = "/items", **config: object) -> Flask:
    """Return an app that serves *view*, already guarded or not."""
    app = make_app(**config)
    app.add_url_rule(path, "items", view_func=view, methods=["GET", "POST", "HEAD"])
    return app


class Counting:
    """A provider that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def lookup(self, access_key_id: str, **_: object) -> Credentials | None:
        """Return the credentials of *access_key_id*."""
        self.asked += 1
        secret = KEYS.get(access_key_id)
        return None if secret is None else Credentials(secret)


@pytest.mark.parametrize("access_key_id", [ACCESS_KEY_ID, OTHER_KEY_ID])
@pytest.mark.parametrize("expires", [None, 60], ids=["header", "presigned"])
def test_signed(access_key_id: str, expires: int | None) -> None:
    """A signed request reaches the view, which learns whose it is."""
    client = app_with(sigv4_required(whoami)).test_client()
    answer = get(client, "/items?q=a%20b&q=%2F", access_key_id=access_key_id, expires=expires)
    assert (answer.status_code, answer.text) == (200, access_key_id)


def test_unsigned() -> None:
    """A request without a signature does not reach the view."""
    client = app_with(sigv4_required(whoami)).test_client()
    answer = client.get("/items")
    assert answer.status_code == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"secret": "wrong"}, "InvalidSignatureException", id="secret"),
        pytest.param({"region": "eu-north-1"}, "InvalidSignatureException", id="region"),
        pytest.param({"service": "s3"}, "InvalidSignatureException", id="service"),
        pytest.param(
            {"base_url": "http://evil.example"}, "AccessDeniedException", id="another host"
        ),
    ],
)
def test_refused(change: dict[str, Any], code: str) -> None:
    """A request that is signed wrongly does not reach the view."""
    client = app_with(sigv4_required(whoami)).test_client()
    answer = get(client, **change)
    assert answer.status_code == 403
    assert answer.headers["x-amzn-ErrorType"] == code


def test_refused_when_altered() -> None:
    """A request that was changed after it was signed does not reach the view."""
    client = app_with(sigv4_required(whoami)).test_client()
    signed = sign("/items?q=1")
    signed.url = signed.url.replace("q=1", "q=2")
    assert send(client, signed).status_code == 403


@pytest.mark.parametrize(
    "guard",
    [
        pytest.param(sigv4_required, id="bare"),
        pytest.param(sigv4_required(), id="called"),
        pytest.param(sigv4_required(optional=False), id="with an option"),
    ],
)
def test_forms_of_the_decorator(guard: Any) -> None:
    """With and without arguments, the decorator guards, and keeps the name of the view."""
    view = guard(whoami)
    client = app_with(view).test_client()
    assert view.__name__ == "whoami"
    assert get(client).text == ACCESS_KEY_ID
    assert client.get("/items").status_code == 403


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda: sigv4_required("items"), id="a name for a view"),  # type: ignore[call-overload]
        pytest.param(lambda: sigv4_required(whoami, optional=True), id="both"),  # type: ignore[call-overload]
    ],
)
def test_decorator_misused(use: Callable[[], object]) -> None:
    """What cannot be meant is a mistake at start-up, not a view that is open."""
    with pytest.raises(ConfigurationError):
        use()


def test_optional() -> None:
    """An optional view serves who has no signature, and refuses who has a wrong one."""
    client = app_with(sigv4_required(optional=True)(whoami)).test_client()
    assert client.get("/items").text == "nobody"
    assert get(client).text == ACCESS_KEY_ID
    assert get(client, secret="wrong").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": "aws4-hmac-sha256 x"}, id="other case"),
        pytest.param({"Authorization": "AWS AKIA:sig"}, id="SigV2"),
        pytest.param({"X-Amz-Date": "20260101T000000Z"}, id="a lone date"),
        pytest.param({"X-Amz-Security-Token": "t"}, id="a lone token"),
    ],
)
def test_t41_optional_refuses_traces(headers: dict[str, str]) -> None:
    """T41: a request with any trace of a signature is never anonymous."""
    client = app_with(sigv4_required(optional=True)(whoami)).test_client()
    assert client.get("/items", headers=headers).status_code in (400, 403)


@pytest.mark.parametrize(
    ("optional", "status"), [(None, 403), (True, 200), (False, 403)], ids=["none", "true", "false"]
)
def test_required_false_opens_no_decorated_view(optional: bool | None, status: int) -> None:
    """A view under the bare decorator is guarded, whatever the config says."""
    view = sigv4_required(optional=optional)(whoami)
    assert app_with(view, SIGV4_REQUIRED=False).test_client().get("/items").status_code == status


@pytest.mark.parametrize(
    ("optional", "status"), [(None, 200), (True, 200), (False, 403)], ids=["none", "true", "false"]
)
def test_required_false_is_what_a_check_goes_by(optional: bool | None, status: int) -> None:
    """SIGV4_REQUIRED is for the checks that say nothing of their own."""
    app = app_with(whoami, SIGV4_REQUIRED=False)
    app.before_request(sigv4_required(optional=optional).check)
    assert app.test_client().get("/items").status_code == status


def test_presigned_refused() -> None:
    """presigned=False takes the header form only, and says no with 403."""
    client = app_with(sigv4_required(presigned=False)(whoami)).test_client()
    assert get(client).text == ACCESS_KEY_ID
    answer = get(client, expires=60)
    assert answer.status_code == 403
    assert answer.headers["x-amzn-ErrorType"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("options", "accepted", "refused"),
    [
        pytest.param({"service": "files"}, {"service": "files"}, {"service": "items"}, id="one"),
        pytest.param(
            {"service": ["files"]}, {"service": "files"}, {"service": "items"}, id="a list"
        ),
        pytest.param(
            {"region": "eu-west-1"}, {"region": "eu-west-1"}, {"region": "us-east-1"}, id="region"
        ),
    ],
)
def test_narrowed(options: Any, accepted: Any, refused: Any) -> None:
    """A view may accept fewer services and regions than its app; the others are a scope error."""
    client = app_with(sigv4_required(**options)(whoami)).test_client()
    assert get(client, **accepted).text == ACCESS_KEY_ID
    answer = get(client, **refused)
    assert answer.status_code == 403
    assert "Credential should be scoped to" in answer.text


def test_narrowed_refuses_the_scope_before_the_key() -> None:
    """Rule 6 comes before rule 9 for a narrowed view too: the provider is not asked."""
    provider = Counting()
    client = app_with(
        sigv4_required(service="files")(whoami), SIGV4_CREDENTIALS=provider
    ).test_client()
    get(client, service="items")
    assert provider.asked == 0
    get(client, service="files")
    assert provider.asked == 1


def test_narrowed_to_what_the_app_does_not_accept() -> None:
    """A view cannot widen what its app accepts: that is the programmer's fault, not a 403."""
    client = app_with(sigv4_required(service="other")(whoami)).test_client()
    with pytest.raises(ConfigurationError, match="other"):
        get(client, service="other")


def test_narrowed_below_a_wider_check() -> None:
    """Where a blueprint's check was wider, the view's scope still counts, for the same price."""
    provider = Counting()
    app = app_with(sigv4_required(service="files")(whoami), SIGV4_CREDENTIALS=provider)
    app.before_request(sigv4_required.check)
    client = app.test_client()
    assert get(client, service="files").text == ACCESS_KEY_ID
    assert provider.asked == 1
    answer = get(client, service="items")
    assert answer.status_code == 403
    assert "correct service: 'files'" in answer.text


def test_presigned_refused_below_a_wider_check() -> None:
    """Where a blueprint's check took presigned URLs, a view may still refuse them."""
    app = app_with(sigv4_required(presigned=False)(whoami))
    app.before_request(sigv4_required.check)
    assert get(app.test_client(), expires=60).status_code == 403


def test_required_below_an_optional_check() -> None:
    """An anonymous request that a check let pass is refused by the view that requires more."""
    app = app_with(sigv4_required(whoami))
    app.before_request(sigv4_required(optional=True).check)
    client = app.test_client()
    assert client.get("/items").status_code == 403
    assert get(client).text == ACCESS_KEY_ID


def test_nested_use_verifies_once() -> None:
    """Checks of the app and of the view cost one look-up and one reading of the body."""
    provider = Counting()
    app = app_with(sigv4_required(sigv4_required(whoami)), SIGV4_CREDENTIALS=provider)
    app.before_request(sigv4_required.check)
    assert get(app.test_client()).text == ACCESS_KEY_ID
    assert provider.asked == 1


def test_view_arguments() -> None:
    """A guarded view gets the arguments of its route."""
    view = sigv4_required(lambda name, number: f"{name} {number}")
    client = app_with(view, "/items/<name>/<int:number>").test_client()
    assert get(client, "/items/l%C3%A4mp/3").text == "lämp 3"


def test_method_view() -> None:
    """A class-based view is guarded by its list of decorators, options and all."""

    class Items(MethodView):
        decorators = [sigv4_required(presigned=False)]  # noqa: RUF012 (as Flask has it)

        def get(self) -> str:
            return whoami()

        def post(self) -> str:
            return whoami() + request.form["a"]

    app = make_app()
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    client = app.test_client()
    assert get(client).text == ACCESS_KEY_ID
    assert client.get("/items").status_code == 403
    assert client.post("/items").status_code == 403
    assert get(client, expires=60).status_code == 403


def test_method_of_a_method_view() -> None:
    """One method of a class-based view may be guarded by itself."""

    class Items(MethodView):
        def get(self) -> str:
            return "open"

        @sigv4_required
        def post(self) -> str:
            return whoami()

    app = make_app()
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    client = app.test_client()
    assert client.get("/items").text == "open"
    assert client.post("/items").status_code == 403
    assert send(client, sign(method="POST")).text == ACCESS_KEY_ID


def test_async_view() -> None:
    """A coroutine is awaited, after its request was verified."""

    async def items(name: str) -> str:
        return f"{name} {whoami()}"

    client = app_with(sigv4_required(items), "/items/<name>").test_client()
    assert get(client, "/items/a").text == f"a {ACCESS_KEY_ID}"
    assert client.get("/items/a").status_code == 403


def test_async_class_based_view() -> None:
    """A class-based view with coroutines is guarded as others are."""

    class Items(View):
        decorators = [sigv4_required]  # noqa: RUF012 (as Flask has it)

        async def dispatch_request(self) -> ResponseReturnValue:  # type: ignore[override]
            return whoami()

    app = make_app()
    app.add_url_rule("/items", view_func=Items.as_view("items"))
    assert get(app.test_client()).text == ACCESS_KEY_ID
    assert app.test_client().get("/items").status_code == 403


@pytest.fixture
def blueprints() -> Flask:
    """An app with an open blueprint and a guarded one, which has a child."""
    opened, guarded, child = (Blueprint(name, name) for name in ("open", "guarded", "child"))
    guarded.before_request(sigv4_required(presigned=False).check)
    for blueprint in (opened, guarded, child):
        blueprint.add_url_rule("/items", view_func=whoami)
    guarded.register_blueprint(child, url_prefix="/child")
    app = make_app()
    app.register_blueprint(opened, url_prefix="/open")
    app.register_blueprint(guarded, url_prefix="/guarded")
    return app


@pytest.mark.parametrize("path", ["/guarded/items", "/guarded/child/items"])
def test_blueprint(blueprints: Flask, path: str) -> None:
    """A check before each request guards every view of a blueprint, and of those within it."""
    client = blueprints.test_client()
    assert get(client, path).text == ACCESS_KEY_ID
    assert client.get(path).status_code == 403
    assert get(client, path, expires=60).status_code == 403
    assert client.get("/open/items").text == "nobody"


def test_whole_app() -> None:
    """A check before each request of the app guards static files and unknown paths too."""
    app = make_app(SIGV4_EXEMPT=["/health"])
    app.before_request(sigv4_required.check)
    app.add_url_rule("/health", view_func=whoami)
    client = app.test_client()
    assert client.get("/static/x.css").status_code == 403
    assert client.get("/nothing").status_code == 403
    assert get(client, "/nothing").status_code == 404
    assert client.get("/health").text == "nobody"


@pytest.mark.parametrize("merge_slashes", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/items/x//lamp", id="doubled slash"),
        pytest.param("/items/./lamp", id="dot segment"),
        pytest.param("/items/x/../lamp", id="dot segments"),
        pytest.param("/items/%2e%2e/lamp", id="escaped dot segments"),
        pytest.param("/items/x%2F..%2Flamp", id="dot segments behind an escape"),
    ],
)
def test_t31_path_not_in_normal_form(path: str, merge_slashes: bool) -> None:
    """T31: routing has been done, so a signed path that is not in normal form is not served."""
    app = make_app()
    app.url_map.merge_slashes = merge_slashes
    app.add_url_rule("/items/<path:path>", view_func=sigv4_required(lambda path: path))
    client = app.test_client()
    assert get(client, "/items/lamp").text == "lamp"
    answer = get(client, path)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (400, "InvalidURI")


def test_t31_redirect_to_the_merged_path() -> None:
    """T31: where Flask itself redirects to the merged path, it serves nothing before."""
    client = app_with(sigv4_required(lambda name: name), "/items/<name>").test_client()
    answer = get(client, "/items//lamp")
    assert answer.status_code == 308
    assert answer.headers["Location"] == "http://localhost/items/lamp"


def test_s3_path_is_not_normalised() -> None:
    """Under S3's profile a doubled slash is part of the key, and is served as it was signed."""
    app = make_app(SIGV4_SERVICE="s3", SIGV4_PROFILE=S3)
    app.url_map.merge_slashes = False
    app.add_url_rule("/<path:key>", view_func=sigv4_required(lambda key: key))
    assert get(app.test_client(), "/a//b/../c", service="s3", s3=True).text == "a//b/../c"


def test_redirect_of_strict_slashes_serves_nothing() -> None:
    """A redirect that Flask makes before the view is all that an unsigned request gets."""
    client = app_with(sigv4_required(whoami), "/items/").test_client()
    answer = client.get("/items")
    assert answer.status_code == 308
    assert answer.headers["Location"] == "http://localhost/items/"
    assert client.get("/items/").status_code == 403
    assert get(client, "/items/").text == ACCESS_KEY_ID


def test_head() -> None:
    """HEAD is signed as HEAD, and a refused one has no body."""
    client = app_with(sigv4_required(whoami)).test_client()
    assert send(client, sign(method="HEAD")).status_code == 200
    refused = client.head("/items")
    assert (refused.status_code, refused.data) == (403, b"")


@pytest.mark.parametrize("allowed", [True, False])
def test_authorize(allowed: bool) -> None:
    """SIGV4_AUTHORIZE has the last word, once per request."""
    asked = []

    def authorize(identity: Any, environ: Any) -> bool:
        asked.append((identity.access_key_id, environ["PATH_INFO"]))
        return allowed

    view = sigv4_required(sigv4_required(whoami))
    answer = get(app_with(view, SIGV4_AUTHORIZE=authorize).test_client())
    assert answer.status_code == (200 if allowed else 403)
    assert asked == [(ACCESS_KEY_ID, "/items")]


def test_identity_of_one_request_only() -> None:
    """Requests that share an application context, as in tests, do not share an identity."""
    app = app_with(sigv4_required(optional=True)(whoami))
    with app.app_context():
        client = app.test_client()
        assert get(client).text == ACCESS_KEY_ID
        assert client.get("/items").text == "nobody"


def test_current_identity_outside_of_a_request() -> None:
    """Without a request there is no identity, and using one is Flask's own error."""
    assert not current_identity
    with pytest.raises(RuntimeError, match="outside of request context"):
        print(current_identity.access_key_id)


def test_identity_says_what_was_signed() -> None:
    """The view learns the principal, the scope and the form of the request."""
    seen: list[Any] = []

    def view() -> str:
        identity = current_identity
        seen.append((identity.principal, str(identity.scope)[9:], identity.presigned))
        return ""

    provider = {ACCESS_KEY_ID: Credentials(KEYS[ACCESS_KEY_ID], principal="alice")}
    client = app_with(sigv4_required(view), SIGV4_CREDENTIALS=provider).test_client()
    get(client)
    get(client, expires=60, region="eu-west-1")
    assert seen == [
        ("alice", "us-east-1/items/aws4_request", False),
        ("alice", "eu-west-1/items/aws4_request", True),
    ]


def test_t38_remote_user_left_alone() -> None:
    """T38: REMOTE_USER is not touched by default."""
    client = app_with(sigv4_required(lambda: str(request.remote_user))).test_client()
    assert get(client).text == "None"
    assert send(client, sign(), environ_overrides={"REMOTE_USER": "kerberos"}).text == "kerberos"


@pytest.mark.parametrize(
    ("remote_user", "name"), [("access_key_id", ACCESS_KEY_ID), ("principal", "alice")]
)
def test_t38_remote_user_on_request(remote_user: str, name: str) -> None:
    """T38: SIGV4_REMOTE_USER sets it, for verified requests only."""
    provider = {ACCESS_KEY_ID: Credentials(KEYS[ACCESS_KEY_ID], principal="alice")}
    view = sigv4_required(optional=True)(lambda: str(request.remote_user))
    app = app_with(view, SIGV4_CREDENTIALS=provider, SIGV4_REMOTE_USER=remote_user)
    client = app.test_client()
    assert get(client).text == name
    assert client.get("/items").text == "None"


@pytest.mark.parametrize(
    ("later", "expires", "status"),
    [(290, None, 200), (302, None, 403), (50, 60, 200), (61, 60, 400)],
)
def test_freshness(later: int, expires: int | None, status: int) -> None:
    """SIGV4_CLOCK decides what is fresh: 300 seconds for a header, its life for a URL."""
    view = sigv4_required(whoami)
    client = app_with(view, SIGV4_CLOCK=lambda: time.time() + later).test_client()
    assert get(client, expires=expires).status_code == status
