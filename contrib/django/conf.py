"""The ``SIGV4`` setting, and the verifier that it describes.

One dict holds the parameters of :class:`~wsgi_sigv4.Verifier` and of the
middleware in capitals. It is read when it is first needed, so that
``override_settings`` works; everybody then shares one verifier.

Django shows settings on its debug page and in its mails to the admins, and
what is nested in them in clear. So the plain mapping of secrets is replaced in
the dict itself, as early as Django lets an app do anything.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import fields
from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING
from typing import Any
from typing import Final
from typing import NoReturn
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.module_loading import import_string

from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.observing import Hook
from wsgi_sigv4.observing import hook
from wsgi_sigv4.options import Exempt
from wsgi_sigv4.options import Options
from wsgi_sigv4.responses import Answer
from wsgi_sigv4.verifier import Verifier

if TYPE_CHECKING:
    from wsgi_sigv4.explaining import Explainer

SETTING: Final = "SIGV4"

Authorize = Callable[[Identity, dict[str, Any]], "bool | Awaitable[bool]"]
FindUser = Callable[[Identity, HttpRequest], "object | Awaitable[object]"]
RenderRefusal = Callable[[SigV4Error, dict[str, Any]], Answer]

_VERIFIER: Final = tuple(signature(Verifier).parameters)
_DEPLOYMENT: Final = tuple(part.name for part in fields(Deployment))
_OPTIONS: Final = tuple(part.name for part in fields(Options) if part.name != "deployment")
_OWN: Final = ("remote_user", "render_refusal", "user", "on_accept", "on_refuse")
#: Every key that the setting may have.
KEYS: Final = frozenset(
    name.upper() for name in ("explain", *_VERIFIER, *_OPTIONS, *_DEPLOYMENT, *_OWN)
)
#: Those without a default.
REQUIRED_KEYS: Final = ("CREDENTIALS", "REGION", "SERVICE")
#: Those where a string is the dotted path of what is meant.
_IMPORTED: Final = (
    *("CREDENTIALS", "PROFILE", "CLOCK", "AUTHORIZE"),
    *("RAW_TARGET", "RENDER_REFUSAL", "USER", "ON_ACCEPT", "ON_REFUSE"),
)


class SecretMapping(Mapping[str, object]):
    """Secrets by access key id, which show themselves to nobody by accident."""

    def __init__(self, secrets: Mapping[str, object]) -> None:
        self._secrets = {
            access_key_id: Secret(value) if isinstance(value, str) else value
            for access_key_id, value in secrets.items()
        }

    def __getitem__(self, access_key_id: str) -> object:
        return self._secrets[access_key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def __repr__(self) -> str:
        return f"<{len(self)} access keys>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets cannot be pickled or copied out of their process")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the setting says, checked and imported.

    Attributes:
        verifier: the verifier.
        required: refuse requests that are not signed, but to exempt views.
        exempt: path prefixes that are not verified, or a predicate of META.
        preflight: let CORS preflight requests through to the CORS layer.
        authorize: whether an authentic request may be served; may be async.
        strict: the options of the core for a request that must be signed.
            What exempts a request is decided here, before and after routing.
        lenient: those for one that may come unsigned.
        explainer: says what is wrong with refused requests, or None.
        remote_user: the attribute of the identity that REMOTE_USER is set to, or None.
        render_refusal: makes the answer to a refused request; None: AWS's own.
        user: finds the user who owns the key; may be async. None: nobody does.
        on_accept: is told of each accepted request, and must not wait for anything.
        on_refuse: is told of each other verdict, and must not wait for anything.
        note_use: is told of each use of a key, and must not wait for anything.
        judges: requests are only reported on, or explained, or hooks are told of them.
    """

    verifier: Verifier
    required: bool
    exempt: Exempt
    preflight: bool
    authorize: Authorize | None
    strict: Options
    lenient: Options
    explainer: Explainer | None = field(default=None, compare=False)
    remote_user: str | None = None
    render_refusal: RenderRefusal | None = None
    user: FindUser | None = None
    on_accept: Hook | None = None
    on_refuse: Hook | None = None
    note_use: Callable[[Identity], None] | None = None
    judges: bool = False
    _setting: object = field(repr=False, compare=False)

    @property
    def deployment(self) -> Deployment:
        """What stands between the client and the application."""
        return self.strict.deployment

    def options(self, *, required: bool, stream: bool) -> Options:
        """Return the options of the core for one request.

        Args:
            required: it must be signed.
            stream: whether its body may be handed on before all of it is verified.
        """
        options = self.strict if required else self.lenient
        return options if stream else replace(options, stream=False)

    @property
    def report_only(self) -> bool:
        """Whether requests are verified, and none is refused."""
        return self.strict.report_only

    @property
    def explain(self) -> bool:
        """Whether refusals are explained."""
        return self.explainer is not None

    def is_current(self) -> bool:
        """Return whether this is still what the setting says."""
        return self._setting is getattr(settings, SETTING, None)


_lock: Final = threading.Lock()
_current: Configuration | None = None


def get_verifier() -> Verifier:
    """Return the verifier that the setting describes: the middleware's own.

    Wrap the whole project with it in wsgi.py, and the middleware takes over
    what was verified there.

    Raises:
        ImproperlyConfigured: if the setting makes no sense.
    """
    return get_configuration().verifier


def get_configuration() -> Configuration:
    """Return what the setting says now.

    Raises:
        ImproperlyConfigured: if it makes no sense.
    """
    global _current
    found = _current
    if found is None or not found.is_current():
        # Two verifiers would each distrust what the other has verified.
        with _lock:
            found = _current
            if found is None or not found.is_current():
                found = _current = read(getattr(settings, SETTING, None))
    return found


@receiver(setting_changed)
def forget(*, setting: str, value: object = None, **_: object) -> None:
    """Read the setting anew when a test has changed it."""
    global _current
    if setting == SETTING:
        redact(value)
    if setting in (SETTING, "DEBUG"):
        _current = None


def redact_settings() -> None:
    """Take the secrets in the setting out of sight."""
    redact(getattr(settings, SETTING, None))


def redact(setting: object) -> None:
    """Replace the plain mapping of secrets in *setting*, in place."""
    if not isinstance(setting, dict):
        return
    secrets = setting.get("CREDENTIALS")
    if isinstance(secrets, Mapping) and not isinstance(secrets, SecretMapping):
        setting["CREDENTIALS"] = SecretMapping(secrets)


def faults(setting: object) -> Iterator[str]:
    """Yield what is wrong with the keys of *setting*."""
    if not isinstance(setting, dict):
        yield f"{SETTING} is a dict: the parameters of Verifier and middleware in capitals"
        return
    for key in setting:
        if key not in KEYS:
            yield f"{SETTING} has no key {key!r}"
    for key in REQUIRED_KEYS:
        if key not in setting:
            told = "" if key == "CREDENTIALS" else ", where None accepts any"
            yield f"{SETTING} lacks {key}{told}"


def read(setting: object) -> Configuration:
    """Return what *setting* says.

    Raises:
        ImproperlyConfigured: if it makes no sense.
    """
    redact(setting)
    for fault in faults(setting):
        raise ImproperlyConfigured(fault)
    try:
        return _configuration(cast("dict[str, Any]", setting))
    except (ConfigurationError, ImportError, TypeError) as error:
        raise ImproperlyConfigured(f"{SETTING}: {error}") from error


def _configuration(setting: dict[str, Any]) -> Configuration:
    values = {key.lower(): _imported(key, value) for key, value in setting.items()}
    values["header_overrides"] = values.get("header_overrides") or {}
    if values.get("remote_user") not in (None, "access_key_id", "principal"):
        raise ConfigurationError("REMOTE_USER is 'access_key_id', 'principal' or None")
    for name in ("on_accept", "on_refuse"):
        hook(name.upper(), values.get(name))
    parameters = {name: values[name] for name in _VERIFIER if name in values}
    options = Options(
        **{name: values[name] for name in _OPTIONS if name in values},
        deployment=Deployment(**{name: values[name] for name in _DEPLOYMENT if name in values}),
    )
    strict = replace(options, required=True, exempt=(), preflight=False, authorize=None)
    verifier = Verifier(**parameters)
    check = getattr(verifier.provider, "check", None)
    if check is not None:
        # What a provider needs of the settings is missed now, not in the first answer.
        check()
    if "user" not in values:
        # A provider that knows the owners of its keys says so itself.
        values["user"] = getattr(verifier.provider, "find_user", None)
    explainer = _explainer(values.get("explain"), verifier, options.deployment)
    return Configuration(
        verifier=verifier,
        explainer=explainer,
        required=options.required,
        exempt=options.exempt,
        preflight=options.preflight,
        authorize=cast("Authorize | None", options.authorize),
        strict=strict,
        lenient=replace(strict, required=False),
        note_use=getattr(verifier.provider, "note_use", None),
        judges=explainer is not None
        or any(values.get(name) for name in ("report_only", "on_accept", "on_refuse")),
        **{name: values[name] for name in _OWN if name in values},
        _setting=setting,
    )


def _explainer(
    explain: bool | None, verifier: Verifier, deployment: Deployment
) -> Explainer | None:
    """Return what explains refusals where *explain* says so; None: as DEBUG says."""
    if explain not in (True, False, None):
        raise ConfigurationError("EXPLAIN is True or False, or None to follow DEBUG")
    if not (settings.DEBUG if explain is None else explain):
        return None
    from wsgi_sigv4.explaining import Explainer

    return Explainer(verifier, deployment)


def _imported(key: str, value: Any) -> Any:
    if key == "PROFILE" and isinstance(value, Mapping):
        return {service: _imported(key, profile) for service, profile in value.items()}
    if key == "EXEMPT" and isinstance(value, str) and not value.startswith("/"):
        return import_string(value)
    if key not in _IMPORTED or not isinstance(value, str):
        return value
    found = import_string(value)
    # A provider is named by its class, as a back end of Django's is.
    return found() if key == "CREDENTIALS" and isinstance(found, type) else found
