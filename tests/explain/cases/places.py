"""What stands behind the proxy: a verifier and a middleware, as an operator has set them up.

A request says in a header that nobody signs which of them it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from werkzeug.middleware.proxy_fix import ProxyFix

from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import Credentials
from wsgi_sigv4.errors import CredentialsUnavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PLACE_HEADER: Final = "X-Test-Place"
ACCESS_KEY_ID: Final = "AKIAIOSFODNN7EXAMPLE"
SECRET: Final = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN: Final = "AQoDYXdzEPTexampletoken//=="
REGION: Final = "us-east-1"
ITEMS: Final = "items"
HOST: Final = "api.example.com:8443"

_LOST_PREFIX: Final = "/shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One way to set the package up.

    Attributes:
        key: what is known of the access key.
        knobs: of the verifier.
        options: of the middleware.
        wrap: puts something between the server and the middleware.
    """

    key: Credentials = field(default_factory=lambda: Credentials(SECRET))
    knobs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    wrap: Callable[[WSGIApplication], WSGIApplication] = lambda app: app

    def lookup(self, access_key_id: str, **claims: object) -> Credentials | None:
        """Return the credentials of *access_key_id*."""
        if self.key is _NOBODY_ANSWERS:
            raise CredentialsUnavailable
        return self.key if access_key_id == ACCESS_KEY_ID else None


_NOBODY_ANSWERS: Final = Credentials(SECRET, principal="nobody answers")


def _cuts_the_path(app: WSGIApplication) -> WSGIApplication:
    """Return *app* behind a layer that strips a prefix from PATH_INFO, and tells nobody."""

    def application(environ: Any, start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(_LOST_PREFIX)
        return app(environ, start_response)

    return application


def _proxy_fix(**trusted: int) -> Callable[[WSGIApplication], WSGIApplication]:
    return lambda app: ProxyFix(app, **{"x_for": 0, "x_proto": 0, **trusted})


def _key(**parts: Any) -> Place:
    return Place(key=Credentials(SECRET, **parts))


PLACES: Final[Mapping[str, Place]] = {
    "plain": Place(),
    "hosts and upstream": Place(knobs={"hosts": (HOST, "up")}),
    "hosts": Place(knobs={"hosts": (HOST,)}),
    "hosts, two": Place(knobs={"hosts": (HOST, "api.example.com")}),
    "host override": Place(options={"header_overrides": {"host": "x-forwarded-host"}}),
    "ProxyFix(x_host=1)": Place(wrap=_proxy_fix(x_host=1)),
    "hosts, ProxyFix(x_host=1)": Place(knobs={"hosts": (HOST,)}, wrap=_proxy_fix(x_host=1)),
    "ProxyFix(x_host=1, x_port=1)": Place(wrap=_proxy_fix(x_host=1, x_port=1)),
    "path_prefix='/api'": Place(options={"path_prefix": "/api"}),
    "path_prefix='/prod'": Place(options={"path_prefix": "/prod"}),
    "ProxyFix(x_prefix=1)": Place(wrap=_proxy_fix(x_prefix=1)),
    "encoding kept": Place(
        options={"header_overrides": {"accept-encoding": "x-original-accept-encoding"}}
    ),
    "encodes once": Place(knobs={"profile": replace(GENERIC, double_encode_path=False)}),
    "allow_unsigned_headers": Place(knobs={"allow_unsigned_headers": ("x-amz-cf-id",)}),
    "allow_unsigned_payload": Place(knobs={"allow_unsigned_payload": True}),
    "no payload header": Place(
        knobs={"service": "s3", "profile": replace(S3, payload_header_required=False)}
    ),
    "s3": Place(knobs={"service": "s3"}),
    "token": _key(session_token=TOKEN),
    "disabled": _key(enabled=False),
    "past its end": _key(expires_at=1.0),
    "nobody answers": Place(key=_NOBODY_ANSWERS),
    "PUT only": _key(methods=("PUT",)),
    "authorize": Place(options={"authorize": lambda identity, environ: False}),
    "max_body=10": Place(options={"max_body": 10}),
    "cuts the path": Place(wrap=_cuts_the_path),
}
