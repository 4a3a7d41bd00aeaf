"""The result of a verification: who signed a request, and what was signed."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Protocol

from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.payload import PayloadForm
from wsgi_sigv4.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
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

    def is_from(self, verifier: object, request: Request) -> bool:
        """Return whether *verifier* made this identity for just this *request*.

        An identity that another verifier made, or that was made before the
        path was rewritten, says nothing about the request at hand.
        """
        routed_as_verified = request.routed_path in (None, self._path)
        maker, *origin = self._origin
        same_origin = origin == [request.method, request.path, request.query]
        return maker is verifier and same_origin and routed_as_verified


class Signed(Protocol):
    """Whatever names a key and a scope: an authorization, an attempt, an identity."""

    @property
    def access_key_id(self) -> str:
        """The access key id."""

    @property
    def scope(self) -> CredentialScope:
        """The credential scope."""

    @property
    def presigned(self) -> bool:
        """True for a presigned URL."""


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
