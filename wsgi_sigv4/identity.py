"""The result of a verification: who signed a request, and what was signed."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Protocol

from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.request import Request


# Without slots: those of a frozen object are filled one by one, which takes
# as long as three rules.
@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who signed a request, and what was signed: the result of a verification.

    What is *not* verified: headers that are not in *signed_headers*, and that
    the request was not sent before.

    Attributes:
        access_key_id: the key whose secret made the signature.
        principal: what the provider says of the key's owner.
        scope: date, region and service of the signature.
        signed_headers: lower-case names, sorted.
        request_time: POSIX seconds of the request, as signed.
        presigned: True for a presigned URL, which whoever holds it may use.
        expires_at: POSIX seconds of a presigned URL's end, else None.
        payload_form: how the body was bound to the signature.
    """

    access_key_id: str
    principal: object
    scope: CredentialScope
    signed_headers: tuple[str, ...]
    request_time: int
    presigned: bool
    expires_at: int | None
    payload_form: PayloadForm
    _origin: tuple[object, str, bytes, bytes] = field(repr=False, compare=False)
    _path: bytes = field(repr=False, compare=False)

    @classmethod
    def of(cls, **facts: object) -> Identity:
        """Return the identity with all of these *facts*, by the names of its fields."""
        identity = object.__new__(cls)
        vars(identity).update(facts)
        return identity

    def is_from(self, verifier: object, request: Request) -> bool:
        """Return whether *verifier* made this identity for just this *request*.

        An identity that another verifier made, or that was made before the
        path was rewritten, says nothing about the request at hand.
        """
        routed_as_verified = request.routed_path in (None, self._path)
        same_origin = self._origin == origin(verifier, request)
        return self._origin[0] is verifier and same_origin and routed_as_verified


def origin(verifier: object, request: Request) -> tuple[object, str, bytes, bytes]:
    """Return what an identity remembers of the *verifier* and of the *request* it was made for."""
    return verifier, request.method, request.path, request.query


class Signed(Protocol):
    """Whatever names a key and a scope: an authorization, an attempt, an identity."""

    @property
    def access_key_id(self) -> str:
        """The access key id."""
        ...  # pragma: no cover (a protocol has no body)

    @property
    def scope(self) -> CredentialScope:
        """The credential scope."""
        ...  # pragma: no cover (a protocol has no body)

    @property
    def presigned(self) -> bool:
        """True for a presigned URL."""
        ...  # pragma: no cover (a protocol has no body)


def name(refusal: SigV4Error, signed: Signed) -> None:
    """Write into *refusal* whose request it was; the service selects the rendering."""
    refusal.access_key_id = signed.access_key_id
    refusal.service, refusal.region = signed.scope.service, signed.scope.region
    refusal.presigned = signed.presigned
    # An authorization has none yet.
    form = getattr(signed, "payload_form", None)
    if form is not None:
        refusal.payload_form = form.name


class naming:
    """Write into a refusal that passes whose request it was."""

    __slots__ = ("_signed",)

    def __init__(self, signed: Signed) -> None:
        self._signed = signed

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, SigV4Error):
            name(error, self._signed)
