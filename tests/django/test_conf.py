"""The SIGV4 setting: what it may say, and when it is read."""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tests.django.signing import FIRST
from tests.django.signing import KEYS
from tests.django.signing import SECOND
from tests.django.signing import send
from tests.django.signing import sign
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.django import conf
from wsgi_sigv4.contrib.django.conf import SecretMapping
from wsgi_sigv4.contrib.django.conf import get_configuration
from wsgi_sigv4.contrib.django.conf import get_verifier
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.middleware import SigV4Middleware

GOOD: dict[Any, Any] = {"CREDENTIALS": KEYS, "REGION": "us-east-1", "SERVICE": "items"}


def test_keys_are_the_parameters() -> None:
    """Every parameter of Verifier and of the middleware is a key, and USER is one more."""
    verifier = set(inspect.signature(Verifier).parameters)
    middleware = set(inspect.signature(SigV4Middleware).parameters) - {"app", "verifier"}
    assert {name.upper() for name in verifier | middleware} | {"USER"} == conf.KEYS


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        pytest.param(None, "SIGV4 is a dict", id="missing"),
        pytest.param(["x"], "SIGV4 is a dict", id="a list"),
        pytest.param({**GOOD, "REIGON": "x"}, "SIGV4 has no key 'REIGON'", id="unknown key"),
        pytest.param({**GOOD, "region": "x"}, "SIGV4 has no key 'region'", id="lower case"),
        pytest.param({**GOOD, 1: "x"}, "SIGV4 has no key 1", id="no text"),
        pytest.param({"REGION": None, "SERVICE": "x"}, "SIGV4 lacks CREDENTIALS", id="no keys"),
        pytest.param(
            {"CREDENTIALS": {}, "SERVICE": "x"}, "lacks REGION, where None", id="no region"
        ),
        pytest.param({**GOOD, "REGION": "a b"}, "SIGV4: region", id="bad region"),
        pytest.param({**GOOD, "SERVICE": None}, "SIGV4: with service=None", id="no profile"),
        pytest.param({**GOOD, "CREDENTIALS": 5}, "SIGV4: credentials are", id="bad credentials"),
        pytest.param({**GOOD, "CREDENTIALS": {"a": ""}}, "SIGV4: an empty", id="empty secret"),
        pytest.param({**GOOD, "CREDENTIALS": "no.such.thing"}, "SIGV4: ", id="no such module"),
        pytest.param({**GOOD, "EXEMPT": "/health"}, "SIGV4: exempt is a list", id="exempt string"),
        pytest.param({**GOOD, "MAX_BODY": "10 MB"}, "SIGV4: ", id="limit of text"),
        pytest.param({**GOOD, "MAX_BODY": -1}, "SIGV4: max_body", id="negative limit"),
        pytest.param({**GOOD, "REMOTE_USER": "email"}, "SIGV4: REMOTE_USER", id="remote user"),
        pytest.param({**GOOD, "HOSTS": ["*"]}, r"SIGV4: hosts: '\*' matches no Host", id="hosts"),
        pytest.param({**GOOD, "PATH_PREFIX": "api"}, "SIGV4: path_prefix", id="prefix"),
    ],
)
def test_bad_setting_is_refused(setting: Any, fault: str) -> None:
    """A setting that makes no sense is the programmer's fault, and the error says which."""
    with (
        override_settings(SIGV4=setting),
        pytest.raises(ImproperlyConfigured, match=fault),
    ):
        get_configuration()


def test_every_value_arrives() -> None:
    """What the setting says is what verifier and middleware do."""
    setting = {
        **GOOD,
        "PROFILE": "wsgi_sigv4.S3",
        "CLOCK": "time.monotonic",
        "MAX_SKEW": 7,
        "HOSTS": ["A.example"],
        "REQUIRED": False,
        "EXEMPT": "tests.django.test_conf.predicate",
        "AUTHORIZE": "tests.django.test_conf.predicate",
        "PREFLIGHT": True,
        "MAX_BODY": 1,
        "MEMORY_LIMIT": 2,
        "UNVERIFIED_BODY_LIMIT": 3,
        "BODY_SECONDS": 4,
        "STREAM": True,
        "PATH_PREFIX": "/api",
        "REMOTE_USER": "principal",
        "EXPLAIN": True,
        "HEADER_OVERRIDES": None,
        "RAW_TARGET": "tests.django.test_conf.predicate",
        "LENGTH_OF_CHUNKED": True,
        "RENDER_REFUSAL": "tests.django.test_conf.predicate",
        "USER": "tests.django.test_conf.predicate",
        "UNIFORM_ERRORS": True,
    }
    with override_settings(SIGV4=setting):
        found = get_configuration()
    assert found.verifier.profile("items") is S3
    assert found.verifier.clock is time.monotonic
    assert found.verifier.hosts == ("a.example",)
    assert found.verifier.uniform_errors is True
    assert (found.required, found.preflight, found.explain) == (False, True, True)
    assert found.remote_user == "principal"
    for function in (found.exempt, found.authorize, found.render_refusal, found.user):
        assert function is predicate
    assert found.deployment.raw_target is predicate
    assert found.deployment.path_prefix == "/api"
    assert found.deployment.length_of_chunked is True
    assert found.deployment.header_overrides == {}
    for options in (found.strict, found.lenient):
        assert (options.max_body, options.memory_limit) == (1, 2)
        assert (options.unverified_body_limit, options.body_seconds) == (3, 4)
        assert options.stream is True
    assert (found.strict.required, found.lenient.required) == (True, False)


def predicate(*args: object) -> Any:
    """Stand for a function that the setting names."""


def test_profiles_by_service() -> None:
    """A mapping of profiles may name them by their path."""
    profiles = {"items": "wsgi_sigv4.GENERIC", "s3": S3}
    with override_settings(SIGV4={**GOOD, "SERVICE": ["items", "s3"], "PROFILE": profiles}):
        assert get_verifier().profile("items") is GENERIC
        assert get_verifier().profile("s3") is S3


class Keys:
    """A provider, named by its class."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Find it."""
        return Credentials(KEYS[SECOND]) if access_key_id == SECOND else None


keys = Keys()


def find(access_key_id: str) -> str | None:
    """Return the secret of one key."""
    return KEYS[SECOND] if access_key_id == SECOND else None


secrets_by_id = {SECOND: KEYS[SECOND]}


@pytest.mark.parametrize("name", ["Keys", "keys", "find", "secrets_by_id"])
def test_credentials_by_dotted_path(name: str) -> None:
    """A provider, its class, a function and a mapping can be named."""
    with override_settings(SIGV4={**GOOD, "CREDENTIALS": f"{__name__}.{name}"}):
        assert send(sign(key=SECOND)).status_code == 200
        assert send(sign(key=FIRST)).status_code == 403


def test_there_is_one_verifier() -> None:
    """Whoever asks gets the same one, so that nobody distrusts the other."""
    assert get_verifier() is get_verifier()


@override_settings(SIGV4={**GOOD, "REGION": "eu-north-1"})
def test_override_settings_is_seen() -> None:
    """The setting is read when it is needed, and read anew in a test."""
    assert send(sign(region="eu-north-1")).status_code == 200
    with override_settings(SIGV4=GOOD):
        assert send(sign(region="eu-north-1")).status_code == 403
        assert send(sign()).status_code == 200
    assert send(sign()).status_code == 403


def test_changed_dict_is_seen() -> None:
    """The same dict, changed and set again, is read anew."""
    setting = dict(GOOD)
    with override_settings(SIGV4=setting):
        before = get_verifier()
        setting["REGION"] = "eu-north-1"
        with override_settings(SIGV4=setting):
            assert get_verifier() is not before


def test_assignment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another dict is read, though no signal was sent."""
    before = get_verifier()
    with monkeypatch.context() as patched:
        patched.setattr(django_settings, "SIGV4", dict(GOOD))
        assert get_verifier() is not before


def test_other_settings_leave_the_verifier_alone() -> None:
    """Its cache of signing keys is worth something."""
    before = get_verifier()
    with override_settings(ALLOWED_HOSTS=["x"]):
        assert get_verifier() is before


def test_threads_make_one_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that come first do not make one each."""
    from threading import Barrier
    from threading import Thread

    made: list[object] = []
    read: Callable[[object], conf.Configuration] = conf.read
    barrier = Barrier(8)

    def slow(setting: object) -> conf.Configuration:
        made.append(setting)
        time.sleep(0.05)
        return read(setting)

    def ask() -> None:
        barrier.wait()
        get_verifier()

    monkeypatch.setattr(conf, "read", slow)
    with override_settings(SIGV4=dict(GOOD)):
        threads = [Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 1


class TestSecretMapping:
    """T39: the container of the secrets."""

    def test_it_is_a_mapping(self) -> None:
        """A verifier takes it for one."""
        mapping = SecretMapping({"a": "x", "b": Credentials("y")})
        assert list(mapping) == ["a", "b"]
        assert len(mapping) == 2
        assert str(mapping["a"]) == "Secret(...)"

    def test_it_shows_nothing(self) -> None:
        """T39: neither by repr nor by pickle."""
        mapping = SecretMapping({"a": "hush-hush"})
        assert "hush" not in repr(mapping)
        assert "hush" not in f"{mapping} {dict(mapping)}"
        with pytest.raises(TypeError):
            pickle.dumps(mapping)

    def test_settings_are_redacted_when_django_starts(self) -> None:
        """T39: before any request, and before any verifier."""
        assert isinstance(django_settings.SIGV4["CREDENTIALS"], SecretMapping)
        for secret in KEYS.values():
            assert secret not in repr(django_settings.SIGV4)

    def test_changed_settings_are_redacted_at_once(self) -> None:
        """T39: the same for those of a test."""
        with override_settings(SIGV4={**GOOD, "REGION": "a b"}):
            for secret in KEYS.values():
                assert secret not in repr(django_settings.SIGV4)
