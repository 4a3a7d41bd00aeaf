"""What was verified of the current request: the identity and the body.

It is kept with the request, and not on ``g``: requests that are sent within
one application context, as tests send them, share that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO
from typing import TYPE_CHECKING
from typing import Final

from flask import Flask
from flask import Request
from flask import Response
from flask import after_this_request
from flask import current_app
from flask import g
from flask import request
from flask import session
from werkzeug.local import LocalProxy

from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity

if TYPE_CHECKING:

    class CurrentIdentity(Identity):
        """The identity of the current request as type checkers see it: it may be falsy."""

        def __bool__(self) -> bool: ...


_VERIFIED: Final = "_sigv4_verified"


@dataclass(slots=True, kw_only=True, eq=False)
class _Verified:
    """What was verified of one request.

    Attributes:
        identity: whose it is; None: nobody's, it carries no signature.
        body: what is still to be closed.
        refusal: the reason for which it stays refused: its body is gone.
    """

    identity: Identity | None
    body: IO[bytes] | StreamedBody | None
    refusal: SigV4Error | None = None


def remember(identity: Identity, *, body: IO[bytes] | StreamedBody | None) -> None:
    """Make *identity* that of the current request.

    Args:
        identity: what was verified.
        body: the verified body, to be closed when nobody can read it any more;
            None where somebody else closes it.
    """
    vars(request_itself())[_VERIFIED] = _Verified(identity=identity, body=body)
    after_this_request(_answer)
    _replace_session_user()


def remember_anonymous(*, varies: bool) -> None:
    """Note that the current request carries no signature, so that nobody looks for one again.

    Args:
        varies: whoever signs may be answered otherwise.
    """
    vars(request_itself())[_VERIFIED] = _Verified(identity=None, body=None)
    if varies:
        after_this_request(_answer)


def keep_until_done(body: IO[bytes]) -> None:
    """Close *body*, which is that of the current request, when nobody can read it any more."""
    kept = vars(request_itself())[_VERIFIED] = _Verified(identity=None, body=body)

    def leave_body(response: Response) -> Response:
        response.call_on_close(body.close)
        kept.body = None
        return response

    after_this_request(leave_body)


def is_anonymous() -> bool:
    """Return whether the current request is known to carry no signature."""
    verified = _find_verified()
    return verified is not None and verified.identity is None


def take_identity_away(refusal: SigV4Error) -> None:
    """Leave the current request without an identity: its body was refused, by *refusal*."""
    verified: _Verified = vars(request_itself())[_VERIFIED]
    verified.identity, verified.refusal = None, refusal
    _replace_session_user()
    _restore_session()


def remember_refused(refusal: SigV4Error) -> None:
    """Note that the body of the current request is gone, with its *refusal*.

    Whoever swallows that must not be given an empty one by another check.
    """
    vars(request_itself())[_VERIFIED] = _Verified(identity=None, body=None, refusal=refusal)


def find_refusal() -> SigV4Error | None:
    """Return the reason for which the current request stays refused, its body gone, or None."""
    verified = _find_verified()
    return None if verified is None else verified.refusal


def find_identity() -> Identity | None:
    """Return the identity of the current request, or None."""
    verified = _find_verified()
    return None if verified is None else verified.identity


#: The :class:`~wsgi_sigv4.Identity` of the current request; falsy where it has none.
current_identity: CurrentIdentity = LocalProxy(find_identity)  # type: ignore[assignment]


def request_itself() -> Request:
    """Return the current request, without the proxy around it."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]
    return found


def app_itself() -> Flask:
    """Return the current app, without the proxy around it."""
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return found


def forget(_: BaseException | None) -> None:
    """Close the body when the request is done; for ``teardown_request``.

    The user goes too: another request may share the application context.
    """
    verified = _find_verified()
    if verified is None:
        return
    if verified.identity is not None or verified.refusal is not None:
        g.pop("_login_user", None)
    if verified.body is not None:
        verified.body.close()


def _restore_session() -> None:
    # What a view has put there would go out as a cookie, beside the refusal.
    interface, changed = current_app.session_interface, session
    if interface.is_null_session(changed) or not changed.modified:
        return
    kept = interface.open_session(current_app, request_itself())
    changed.clear()
    changed.update(kept or {})
    changed.modified = False


def _find_verified() -> _Verified | None:
    return vars(request_itself()).get(_VERIFIED)


def _answer(response: Response) -> Response:
    """Tell caches that the answer is for one signer only, and leave a stream its body."""
    response.vary.add("Authorization")
    verified = _find_verified()
    if response.is_streamed and verified is not None and verified.body is not None:
        # It may be made from the body, after the request is done.
        response.call_on_close(verified.body.close)
        verified.body = None
    return response


def _replace_session_user() -> None:
    """Make Flask-Login's ``current_user`` the key's owner or anonymous (T37).

    Else whoever has a key could have a browser send a signed request in the
    name of the user who is logged in there.
    """
    manager = getattr(current_app, "login_manager", None)
    if manager is None:
        return
    load = manager._request_callback
    user = None if load is None else load(request_itself())
    manager._update_request_context_with_user(user)
