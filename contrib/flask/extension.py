"""The extension: from a Flask configuration to a guard.

Every parameter of :class:`~wsgi_sigv4.Verifier` and of
:class:`~wsgi_sigv4.SigV4Middleware` is a key of the configuration. A key that
is none of them is refused: a misspelt SIGV4_HOSTS must not open a door.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from typing import Final

from flask import Flask
from flask import current_app
from flask import request_started

from wsgi_sigv4.contrib.flask.current import forget
from wsgi_sigv4.contrib.flask.gate import Gate
from wsgi_sigv4.contrib.flask.guard import Guard
from wsgi_sigv4.contrib.flask.guard import guard_of
from wsgi_sigv4.contrib.flask.keepers import KeyKeeper
from wsgi_sigv4.contrib.flask.report_only import ReportingGuard
from wsgi_sigv4.contrib.flask.verdicts import connect
from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import as_credentials
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.middleware import SigV4Middleware
from wsgi_sigv4.options import Options
from wsgi_sigv4.verifier import Verifier

_PREFIX: Final = "SIGV4_"
_OF_VERIFIER: Final = frozenset(inspect.signature(Verifier).parameters)
_OF_SKIN: Final = frozenset(inspect.signature(SigV4Middleware).parameters) - {"app", "verifier"}

logger: Final = logging.getLogger("wsgi_sigv4")


class SigV4:
    """The Flask extension: reads the configuration, and guards nothing by itself.

    Each parameter of :class:`~wsgi_sigv4.Verifier` and of
    :class:`~wsgi_sigv4.SigV4Middleware` is read from the config key ``SIGV4_``
    and its name in capitals, when the app is initialised. Plain secrets are
    then replaced in ``app.config`` by :class:`~wsgi_sigv4.Credentials`, which
    show themselves to nobody. One extension may serve several apps.

    Args:
        app: the app, or None where :meth:`init_app` follows.
        verifier: a verifier made elsewhere, instead of its parameters.
        overrides: parameters, under their own names; they win over the config.

    Raises:
        ConfigurationError: if a parameter is unknown, missing or makes no
            sense, or the app has been initialised before.
    """

    def __init__(
        self, app: Flask | None = None, *, verifier: Verifier | None = None, **overrides: object
    ) -> None:
        _refuse_unknown(overrides)
        self._verifier = verifier
        self._overrides = _redacted(overrides)
        self._guard: Guard | None = None
        if app is not None:
            self.init_app(app)
            self._guard = guard_of(app)

    def init_app(self, app: Flask) -> None:
        """Read the configuration of *app*, and put its :class:`Guard` in ``app.extensions``.

        Raises:
            ConfigurationError: if a parameter is unknown, missing or makes no
                sense, or *app* has been initialised before.
        """
        if "sigv4" in app.extensions:
            raise ConfigurationError("this app has been initialised by SigV4 before")
        settings = {**_configured(app), **self._overrides}
        guard = _guard(_verifier(self._verifier, settings), settings, app)
        if guard.verifier.hosts is None and not _trusts_hosts(app):
            logger.warning(
                "the app %s accepts requests that were signed for any host; they can be replayed "
                "to it from wherever its keys are used: set SIGV4_HOSTS or TRUSTED_HOSTS",
                app.import_name,
            )
        app.extensions["sigv4"] = guard
        # Where it is on, that is told at start.
        guard.find_explainer()
        if isinstance(guard.verifier.provider, KeyKeeper):
            app.cli.add_command(guard.verifier.provider.commands())
        app.teardown_request(forget)
        request_started.connect(guard.adopt, app)
        connect(app, on_accept=guard.on_accept, on_refuse=guard.on_refuse)
        if guard.options.stream:
            app.wsgi_app = Gate(app.wsgi_app, guard.answer, guard.log)  # type: ignore[method-assign]

    @property
    def verifier(self) -> Verifier:
        """The verifier of the app given to the constructor, else of the current app."""
        return (self._guard or guard_of(current_app)).verifier


def _refuse_unknown(settings: Mapping[str, object]) -> None:
    unknown = settings.keys() - _OF_VERIFIER - _OF_SKIN
    if unknown:
        names = ", ".join(_PREFIX + name.upper() for name in sorted(unknown))
        raise ConfigurationError(f"unknown, perhaps misspelt: {names}")


def _configured(app: Flask) -> dict[str, Any]:
    """Return the parameters in the config of *app*, and redact the secrets there (T39)."""
    keys = [key for key in app.config if key.startswith(_PREFIX)]
    settings = {key.removeprefix(_PREFIX).lower(): app.config[key] for key in keys}
    _refuse_unknown(settings)
    settings = _redacted(settings)
    if "credentials" in settings:
        app.config[f"{_PREFIX}CREDENTIALS"] = settings["credentials"]
    return settings


def _redacted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return *settings*, their secrets in a type that shows itself to nobody."""
    credentials = settings.get("credentials")
    if isinstance(credentials, CredentialProvider) or not isinstance(credentials, Mapping):
        return dict(settings)
    redacted = {key: as_credentials(value) for key, value in credentials.items()}
    return {**settings, "credentials": redacted}


def _verifier(given: Verifier | None, settings: Mapping[str, Any]) -> Verifier:
    parameters = {name: settings[name] for name in settings if name in _OF_VERIFIER}
    if given is not None:
        if parameters:
            names = ", ".join(sorted(parameters))
            raise ConfigurationError(f"a verifier was given, which has its own {names}")
        return given
    for name in ("credentials", "region", "service"):
        if name not in parameters:
            raise ConfigurationError(f"{_PREFIX}{name.upper()} is not set")
    return Verifier(**parameters)


def _guard(verifier: Verifier, settings: Mapping[str, Any], app: Flask) -> Guard:
    parameters = {name: settings[name] for name in settings if name in _OF_SKIN}
    if parameters.get("explain") is None:
        # It follows the app, which may begin to debug later.
        parameters.pop("explain", None)
    # It knows what is wrong with its parameters, which are the same, and what to warn of.
    SigV4Middleware(lambda environ, start_response: [], verifier, **parameters)
    overrides = dict(parameters.pop("header_overrides", None) or {})
    deployment = Deployment(header_overrides=overrides, **_of(Deployment, parameters))
    options = Options(deployment=deployment, **_of(Options, parameters))
    kind = ReportingGuard if options.report_only else Guard
    return kind(
        verifier=verifier,
        options=options,
        debugs=lambda: app.debug,
        note_use=getattr(verifier.provider, "note_use", None),
        **_of(Guard, parameters),
    )


def _of(kind: type, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {f.name: parameters[f.name] for f in fields(kind) if f.name in parameters}


def _trusts_hosts(app: Flask) -> bool:
    # Before Flask 3.1 it is a key that nobody reads.
    return "TRUSTED_HOSTS" in app.default_config and bool(app.config.get("TRUSTED_HOSTS"))
