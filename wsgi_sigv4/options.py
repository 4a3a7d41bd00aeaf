"""What a request may be, and how much of it is read: the same for all skins."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.callables import is_asynchronous
from wsgi_sigv4.environ import DIRECT
from wsgi_sigv4.environ import Deployment
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.identity import Identity

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: Authenticated clients may fill this much of the temporary folder.
MAX_BODY: Final = 1024 * 1024 * 1024
#: A body above this goes to a temporary file.
MEMORY_LIMIT: Final = 1024 * 1024
#: Anybody who knows a key id may make the server read this much.
UNVERIFIED_BODY_LIMIT: Final = 10 * 1024 * 1024
#: Seconds that may be spent on waiting for a body.
BODY_SECONDS: Final = 300.0
Exempt = Sequence[str] | Callable[["WSGIEnvironment"], bool]


# Not frozen, nor compared: to make what that needs would take as long as four
# modules. Nobody changes one; dataclasses.replace makes another.
@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Options:
    """How a skin treats requests; the same for all skins.

    Attributes:
        required: refuse requests that are not signed.
        exempt: path prefixes that are not verified, or a predicate of the environ;
            anything but True exempts nothing.
        authorize: whether an authentic request may be served; anything but True: 403.
        preflight: let CORS preflight requests through without an identity.
        max_body: bytes that a body may have.
        memory_limit: bytes of a body that are kept in memory.
        unverified_body_limit: bytes of a body that are read before the
            signature can be checked.
        body_seconds: seconds that may be spent on waiting for a body.
        stream: hand the body on while it arrives, where that can be done.
        report_only: verify, and refuse nothing.
        deployment: what stands between the client and the application.

    Raises:
        ConfigurationError: if a value makes no sense.
    """

    required: bool = True
    exempt: Exempt = ()
    authorize: Callable[[Identity, WSGIEnvironment], bool] | None = None
    preflight: bool = False
    max_body: int = MAX_BODY
    memory_limit: int = MEMORY_LIMIT
    unverified_body_limit: int = UNVERIFIED_BODY_LIMIT
    body_seconds: float = BODY_SECONDS
    stream: bool = False
    report_only: bool = False
    deployment: Deployment = DIRECT

    def __post_init__(self) -> None:
        for name in ("max_body", "memory_limit", "unverified_body_limit", "body_seconds"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"{name} is not negative")
        # From the environment of a process "false" may come, which is true.
        if not isinstance(self.report_only, bool):
            raise ConfigurationError("report_only is True or False")
        if isinstance(self.exempt, str):
            raise ConfigurationError("exempt is a list of path prefixes, or a callable")
        if is_asynchronous(self.exempt):
            raise ConfigurationError("exempt cannot be awaited")
        if not callable(self.exempt):
            for prefix in self.exempt:
                if not prefix.startswith("/") or not prefix.strip("/"):
                    raise ConfigurationError(f"exempt: {prefix!r} is not a path below the root")
        prefix = self.deployment.path_prefix
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ConfigurationError("path_prefix starts with a slash and does not end with one")
