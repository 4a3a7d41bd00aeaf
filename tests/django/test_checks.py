"""The system checks: ids, and what each finds."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.checks import Tags
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from tests.django.signing import KEYS
from wsgi_sigv4.contrib.django.middleware import SigV4Middleware

GOOD = {"CREDENTIALS": KEYS, "REGION": "us-east-1", "SERVICE": "items"}
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
REMOTE = "django.contrib.auth.middleware.RemoteUserMiddleware"
PERSISTENT = "django.contrib.auth.middleware.PersistentRemoteUserMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
BOTH = "django.middleware.cache.CacheMiddleware"
SILK = "silk.middleware.SilkyMiddleware"
OURS = "wsgi_sigv4.contrib.django.middleware.SigV4Middleware"
DERIVED = f"{__name__}.derived"


def found() -> list[str]:
    """Return the ids of ours that the checks of Django's security group find."""
    messages = run_checks(tags=[Tags.security], include_deployment_checks=False)
    ids = [str(message.id) for message in messages]
    return [number for number in ids if number.startswith("wsgi_sigv4.")]


def derived() -> type:
    """Return a project's own middleware."""
    from django.contrib.auth.middleware import AuthenticationMiddleware

    class Derived(AuthenticationMiddleware):
        pass

    return Derived


def __getattr__(name: str) -> Any:
    if name == "OwnAuthentication":
        return derived()
    raise AttributeError(name)


def plain(get_response: Any) -> Any:
    """Do nothing."""
    return get_response


def test_good_project_has_no_faults() -> None:
    """The settings of these tests are what the documentation says."""
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        pytest.param({"SIGV4": None}, ["E001"], id="no setting"),
        pytest.param({"SIGV4": {**GOOD, "A": 1, "B": 2}}, ["E001", "E001"], id="two unknown keys"),
        pytest.param({"SIGV4": {**GOOD, "REGION": ""}}, ["E002"], id="bad value"),
        pytest.param({"SIGV4": {**GOOD, "CREDENTIALS": "a.b"}}, ["E002"], id="bad path"),
        pytest.param({"MIDDLEWARE": [SESSION, OURS, AUTH]}, ["E003"], id="user found below"),
        pytest.param({"MIDDLEWARE": [OURS, SESSION, AUTH]}, ["E003"] * 2, id="session below"),
        pytest.param({"MIDDLEWARE": [SESSION, AUTH, OURS, REMOTE]}, ["E003"], id="remote below"),
        pytest.param({"MIDDLEWARE": [OURS, PERSISTENT]}, ["E003"], id="derived below"),
        pytest.param(
            {"MIDDLEWARE": [OURS, f"{__name__}.OwnAuthentication"]}, ["E003"], id="own class below"
        ),
        pytest.param({"MIDDLEWARE": [FETCH, OURS]}, ["E004"], id="cache above"),
        pytest.param({"MIDDLEWARE": [BOTH, OURS]}, ["E004"], id="whole cache above"),
        pytest.param({"MIDDLEWARE": [UPDATE, OURS, FETCH]}, [], id="cache as it should be"),
        pytest.param({"MIDDLEWARE": [SILK, OURS]}, ["W003"], id="body read above"),
        pytest.param({"MIDDLEWARE": [OURS, SILK]}, [], id="body read below"),
        pytest.param({"MIDDLEWARE": [f"{__name__}.plain", OURS]}, [], id="a function"),
        pytest.param({"MIDDLEWARE": [SESSION, AUTH]}, ["W002"], id="middleware missing"),
        pytest.param({"ALLOWED_HOSTS": ["*"]}, ["W001"], id="any host"),
        pytest.param({"ALLOWED_HOSTS": []}, ["W001"], id="no host"),
        pytest.param(
            {"ALLOWED_HOSTS": ["*"], "SIGV4": {**GOOD, "HOSTS": ["a"]}}, [], id="hosts named"
        ),
        pytest.param({"SIGV4": {**GOOD, "EXPLAIN": True}}, ["W004"], id="explains"),
        pytest.param({"SIGV4": {**GOOD, "REPORT_ONLY": True}}, ["W005"], id="refuses nothing"),
        pytest.param(
            {"SIGV4": {**GOOD, "EXPLAIN": True}, "DEBUG": True}, [], id="explains in development"
        ),
        pytest.param({"SIGV4": {**GOOD, "REMOTE_USER": "principal"}}, [], id="remote user alone"),
        pytest.param(
            {
                "SIGV4": {**GOOD, "REMOTE_USER": "principal"},
                "MIDDLEWARE": [SESSION, AUTH, PERSISTENT, OURS],
            },
            ["E005"],
            id="T38 remote user and its middleware",
        ),
        pytest.param({"MIDDLEWARE": [SESSION, AUTH, REMOTE, OURS]}, [], id="remote middleware"),
    ],
)
def test_fault_is_found(changes: dict[str, Any], ids: list[str]) -> None:
    """T36, T38, T46: each fault has its id, and what is right has none."""
    with override_settings(**changes):
        assert found() == [f"wsgi_sigv4.{number}" for number in ids]


@pytest.mark.parametrize("middleware", [[SESSION, OURS, AUTH], [FETCH, OURS], [OURS, REMOTE]])
def test_order_that_opens_a_hole_does_not_start(middleware: list[str]) -> None:
    """T36, T37, T47: servers do not run the checks, so the middleware itself looks."""
    with override_settings(MIDDLEWARE=middleware), pytest.raises(ImproperlyConfigured):
        WSGIHandler()


APP = "wsgi_sigv4.contrib.django"
MISSING_APP = (
    "wsgi_sigv4.contrib.django is not in INSTALLED_APPS: its checks do not run, and diffsettings "
    "shows SIGV4 with its secrets"
)


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        pytest.param(["django.contrib.contenttypes"], [MISSING_APP], id="missing"),
        pytest.param([APP], [], id="there"),
        pytest.param([f"{APP}.apps.SigV4Config"], [], id="there by its class"),
    ],
)
def test_missing_app_is_warned_of(
    installed: list[str], told: list[str], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the app no check can tell that it is missing; so the middleware does at start."""
    settings.INSTALLED_APPS = installed
    SigV4Middleware(lambda request: None)  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == told


def test_apps_that_are_not_set_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that is made without django.setup() works as it does elsewhere."""
    monkeypatch.setattr(apps, "apps_ready", False)
    SigV4Middleware(lambda request: None)  # type: ignore[arg-type]
    assert caplog.records == []
