"""The extension: what it reads, what it refuses, and what it does with secrets."""

from __future__ import annotations

import inspect
import logging
import pickle
from typing import Any

import pytest
from flask import Flask
from flask import current_app

from tests.flask.signing import ACCESS_KEY_ID
from tests.flask.signing import CONFIG
from tests.flask.signing import KEYS
from tests.flask.signing import SECRET
from tests.flask.signing import get
from tests.flask.signing import make_app
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import sigv4_required

#: A value for each parameter that is accepted and is not the default.
VALUES: dict[str, Any] = {
    "credentials": KEYS,
    "region": "eu-west-1",
    "service": "files",
    "profile": S3,
    "clock": lambda: 1.0,
    "max_skew": 7,
    "hosts": ["api.example.com"],
    "require_signed": ["content-type"],
    "allow_unsigned_headers": ["x-amz-cf-id"],
    "allow_unsigned_payload": True,
    "allow_unsigned_session_token": True,
    "uniform_errors": True,
    "required": False,
    "exempt": ["/health"],
    "authorize": lambda identity, environ: True,
    "preflight": True,
    "max_body": 70,
    "memory_limit": 71,
    "unverified_body_limit": 72,
    "stream": True,
    "path_prefix": "/api",
    "remote_user": "principal",
    "explain": True,
    "body_seconds": 73.0,
    "header_overrides": {"accept-encoding": "x-original"},
    "raw_target": lambda environ: None,
    "length_of_chunked": True,
    "render_refusal": lambda refusal, environ: None,
    "report_only": True,
    "on_accept": lambda verdict: None,
    "on_refuse": lambda verdict: None,
}
OF_VERIFIER = [*inspect.signature(Verifier).parameters]
OF_SKIN = [*inspect.signature(SigV4Middleware).parameters][2:]


def configured(**config: object) -> Any:
    """Return the guard of an app whose configuration is CONFIG and *config*."""
    return make_app(**config).extensions["sigv4"]


@pytest.mark.parametrize("name", OF_VERIFIER)
def test_config_parameter_of_verifier(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parameter of the verifier is read from its key, and reaches the verifier."""
    seen: dict[str, Any] = {}

    class Seen(Verifier):
        def __init__(self, *args: Any, **parameters: Any) -> None:
            seen.update(parameters)
            super().__init__(*args, **parameters)

    monkeypatch.setattr("wsgi_sigv4.contrib.flask.extension.Verifier", Seen)
    configured(**{f"SIGV4_{name.upper()}": VALUES[name]})
    if name == "credentials":
        assert set(seen[name]) == set(KEYS)
    else:
        assert seen[name] == VALUES[name]


@pytest.mark.parametrize("name", OF_SKIN)
def test_config_parameter_of_middleware(name: str) -> None:
    """Each parameter of the middleware is read from its key, and reaches the guard."""
    guard = configured(**{f"SIGV4_{name.upper()}": VALUES[name]})
    rooms = (guard, guard.options, guard.options.deployment)
    found = [getattr(room, name) for room in rooms if hasattr(room, name)]
    assert found == [VALUES[name]]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        pytest.param("SIGV4_HOST", ["localhost"], "unknown.*SIGV4_HOST", id="misspelt"),
        pytest.param("SIGV4_APP", None, "unknown.*SIGV4_APP", id="parameter that is no setting"),
        pytest.param("SIGV4_VERIFIER", None, "unknown", id="verifier, which is an argument"),
        pytest.param("SIGV4_MAX_SKEW", 0, "max_skew", id="of the verifier"),
        pytest.param("SIGV4_MEMORY_LIMIT", -1, "memory_limit", id="of the middleware"),
        pytest.param("SIGV4_REMOTE_USER", "name", "remote_user", id="of the middleware's own"),
        pytest.param("SIGV4_EXEMPT", "/health", "exempt", id="of the options"),
        pytest.param("SIGV4_PATH_PREFIX", "api", "path_prefix", id="of the deployment"),
        pytest.param("SIGV4_CREDENTIALS", {"A": 1}, "secret", id="secret that is none"),
    ],
)
def test_config_mistake(key: str, value: object, message: str) -> None:
    """A mistake in the configuration ends the start, and says where it is."""
    with pytest.raises(ConfigurationError, match=message):
        make_app(**{key: value})


@pytest.mark.parametrize("name", ["CREDENTIALS", "REGION", "SERVICE"])
def test_config_without_what_has_no_default(name: str) -> None:
    """Credentials, region and service must be said; None is for any."""
    app = Flask("app")
    app.config.update(CONFIG)
    del app.config[f"SIGV4_{name}"]
    with pytest.raises(ConfigurationError, match=f"SIGV4_{name} is not set"):
        SigV4(app)


def test_overrides_win() -> None:
    """A keyword argument counts before the key of the same name."""
    app = Flask("app")
    app.config.update(CONFIG)
    SigV4(app, hosts=["api.example.com"], max_body=70)
    guard = app.extensions["sigv4"]
    assert guard.verifier.hosts == ("api.example.com",)
    assert guard.options.max_body == 70


def test_overrides_misspelt() -> None:
    """A keyword argument that is no parameter is refused at once."""
    with pytest.raises(ConfigurationError, match=r"SIGV4_HOST$"):
        SigV4(host="localhost")


def test_verifier_given() -> None:
    """A verifier made elsewhere is the one that is used."""
    verifier = Verifier(KEYS, region=None, service=None, profile=GENERIC, hosts=["localhost"])
    app = Flask("app")
    app.config["SIGV4_MAX_BODY"] = 70
    sigv4 = SigV4(app, verifier=verifier)
    assert sigv4.verifier is verifier
    assert app.extensions["sigv4"].options.max_body == 70


def test_verifier_given_and_parameters() -> None:
    """Parameters that a given verifier would not hear of are refused."""
    verifier = Verifier(KEYS, region=None, service="items")
    app = Flask("app")
    app.config["SIGV4_HOSTS"] = ["localhost"]
    with pytest.raises(ConfigurationError, match="hosts"):
        SigV4(app, verifier=verifier)


def test_init_app_twice() -> None:
    """An app has one guard: which of two would it be?"""
    app = make_app()
    with pytest.raises(ConfigurationError, match="before"):
        SigV4().init_app(app)


def test_one_extension_for_several_apps() -> None:
    """Each app keeps its own configuration, and the extension knows which is current."""
    sigv4 = SigV4()
    apps = [Flask("one"), Flask("two")]
    for app, host in zip(apps, ("one.example", "two.example"), strict=True):
        app.config.update(CONFIG, SIGV4_HOSTS=[host])
        sigv4.init_app(app)
    hosts = []
    for app in apps:
        with app.app_context():
            hosts.append(sigv4.verifier.hosts)
    assert hosts == [("one.example",), ("two.example",)]


def test_host_that_nothing_matches() -> None:
    """An entry of SIGV4_HOSTS that would refuse everything shows when the app is made."""
    with pytest.raises(ConfigurationError, match=r"^hosts: 'http://127\.0\.0\.1:8000' matches no"):
        make_app(SIGV4_HOSTS=["http://127.0.0.1:8000"])


def test_keys_in_the_place_of_the_verifier() -> None:
    """A mapping is no verifier, and shows when the app is made."""
    with pytest.raises(ConfigurationError, match=r"^verifier .* is a Verifier\("):
        SigV4(Flask("app"), verifier=KEYS)  # type: ignore[arg-type]


def test_app_without_extension() -> None:
    """A guarded view of an app that was never initialised answers nothing but an error."""
    app = Flask("app")
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    app.testing = True
    with pytest.raises(ConfigurationError, match="SigV4"):
        get(app.test_client())
    app.testing = False
    assert get(app.test_client()).status_code == 500


def test_extension_alone_guards_nothing() -> None:
    """Views without the decorator answer everybody."""
    app = make_app()
    app.add_url_rule("/open", view_func=lambda: "open")
    assert app.test_client().get("/open").text == "open"


def test_t39_secrets_leave_the_config() -> None:
    """T39: no secret stands in app.config afterwards, nor in the representation of anything."""
    app = make_app()
    guard = app.extensions["sigv4"]
    assert app.config["SIGV4_CREDENTIALS"].keys() == KEYS.keys()
    for shown in (app.config, app.config["SIGV4_CREDENTIALS"], guard, vars(guard.verifier)):
        assert SECRET not in repr(shown)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(app.config["SIGV4_CREDENTIALS"])


def test_t39_secrets_in_keyword_arguments() -> None:
    """T39: the extension keeps no plain secret of its own either."""
    sigv4 = SigV4(credentials=KEYS, region="us-east-1", service="items", hosts=["localhost"])
    assert SECRET not in repr(vars(sigv4))
    app = Flask("app")
    sigv4.init_app(app)
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert get(app.test_client()).text == "served"


def test_t39_secrets_stay_off_the_debug_page() -> None:
    """T39: a view that fails with the config at hand shows no secret on the debugger's page."""
    from werkzeug.debug import DebuggedApplication

    app = make_app(PROPAGATE_EXCEPTIONS=True)

    @app.get("/items")
    @sigv4_required
    def items() -> str:
        raise LookupError(repr(current_app.config))

    app.wsgi_app = DebuggedApplication(app.wsgi_app)  # type: ignore[method-assign]
    page = get(app.test_client())
    assert page.status_code == 500
    assert "SIGV4_CREDENTIALS" in page.text
    assert SECRET not in page.text


def test_redacted_config_still_works() -> None:
    """What stands in the config afterwards makes a second app just as well."""
    config = dict(make_app().config)
    app = Flask("app")
    app.config.update(config)
    SigV4(app)
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert get(app.test_client()).text == "served"


def test_credentials_by_callable() -> None:
    """A callable stays in the config as it is, and is asked."""
    asked = []

    def find(access_key_id: str) -> Credentials:
        asked.append(access_key_id)
        return Credentials(SECRET, principal="alice")

    app = make_app(SIGV4_CREDENTIALS=find)
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert get(app.test_client()).text == "served"
    assert asked == [ACCESS_KEY_ID]
    assert app.config["SIGV4_CREDENTIALS"] is find


def test_config_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask's own from_prefixed_env brings what the extension needs."""
    monkeypatch.setenv("FLASK_SIGV4_CREDENTIALS", f'{{"{ACCESS_KEY_ID}": "{SECRET}"}}')
    monkeypatch.setenv("FLASK_SIGV4_REGION", "us-east-1")
    monkeypatch.setenv("FLASK_SIGV4_SERVICE", "items")
    monkeypatch.setenv("FLASK_SIGV4_HOSTS", '["localhost"]')
    app = Flask("app")
    app.config.from_prefixed_env()
    SigV4(app)
    app.add_url_rule("/items", view_func=sigv4_required(lambda: "served"))
    assert get(app.test_client()).text == "served"


def test_t46_warning_without_hosts(caplog: pytest.LogCaptureFixture) -> None:
    """T46: an app that accepts every Host says so at its start, once, in the log."""
    make_app(SIGV4_HOSTS=None)
    assert [(r.name, r.levelno) for r in caplog.records] == [("wsgi_sigv4", logging.WARNING)]
    assert "SIGV4_HOSTS" in caplog.text


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="SIGV4_HOSTS"),
        pytest.param(
            {"SIGV4_HOSTS": None, "TRUSTED_HOSTS": ["localhost"]},
            id="TRUSTED_HOSTS",
            marks=pytest.mark.skipif(
                "TRUSTED_HOSTS" not in Flask.default_config, reason="read from Flask 3.1 on"
            ),
        ),
    ],
)
def test_t46_no_warning_with_hosts(
    config: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """T46: where either list is used there is nothing to warn of."""
    make_app(**config)
    assert caplog.records == []


def test_t46_key_that_flask_does_not_read(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T46: TRUSTED_HOSTS protects nothing before Flask 3.1, so it does not silence the warning."""
    old = {k: v for k, v in Flask.default_config.items() if k != "TRUSTED_HOSTS"}
    monkeypatch.setattr(Flask, "default_config", old)
    make_app(SIGV4_HOSTS=None, TRUSTED_HOSTS=["localhost"])
    assert "SIGV4_HOSTS" in caplog.text
