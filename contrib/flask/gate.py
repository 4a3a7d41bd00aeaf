"""What stands around an app whose views read their bodies while these are verified (T50).

The guard settles a body as soon as there is a response, so that error handlers
and the functions of ``after_request`` see a refusal as they see any other.
What they have made of it is looked at here, when the app names its status to
the server: nothing that follows from an unverified body goes out as a success.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.authentication import dismiss
from wsgi_sigv4.authentication import forget_body
from wsgi_sigv4.authentication import settle
from wsgi_sigv4.body import StreamedBody
from wsgi_sigv4.errors import SigV4Error

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

_KEY: Final = "sigv4.flask.settlement"

Answer = Callable[[SigV4Error, "WSGIEnvironment"], "WSGIApplication"]
Log = Callable[[SigV4Error, "WSGIEnvironment"], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Settlement:
    """What is known of a body that is verified while a view reads it.

    Attributes:
        body: the body; None: there is none, or it was verified first.
        refusal: the reason for which it was refused.
        is_logged: that has been logged.
        is_told: the request was refused for another reason, while the body was still to come.
        is_abandoned: the answer was an error, for which the body need not be complete.
    """

    body: StreamedBody | None = None
    refusal: SigV4Error | None = None
    is_logged: bool = False
    is_told: bool = False
    is_abandoned: bool = False

    def settle(self, environ: WSGIEnvironment, *, failed: bool) -> None:
        """Learn whether the body is the one that was signed, before an answer is let out.

        Args:
            environ: the environ; without identity and body after a refusal.
            failed: the answer is an error.

        Raises:
            SigV4Error: the reason for which the request is refused after all.
        """
        if self.body is None or (failed and self.is_abandoned):
            return
        if failed and self.is_told:
            dismiss(self.body, environ)
        else:
            try:
                settle(self.body, environ, failed=failed)
            except SigV4Error as refusal:
                self.refusal = refusal
                dismiss(self.body, environ)
                raise
        if failed:
            self.is_abandoned = True
            # Who logs a failed request finds it without a body, and does not wait for one.
            forget_body(environ)

    def refusal_behind(self, error: Exception) -> SigV4Error | None:
        """Return the refusal that is to be answered in the place of *error*, or None."""
        if self.refusal is not None:
            # Any other fault is that of an error handler which was given it.
            return self.refusal if error is self.refusal else None
        return None if self.body is None else self.body.refusal


def find_settlement(environ: WSGIEnvironment) -> Settlement | None:
    """Return that of the request, or None where no gate stands around the app."""
    found = environ.get(_KEY)
    return found if isinstance(found, Settlement) else None


class Gate:
    """Lets no success out of *app* before the body of its request is verified.

    Args:
        app: the WSGI application of a Flask app.
        answer: returns what answers a refusal.
        log: logs one.
    """

    def __init__(self, app: WSGIApplication, answer: Answer, log: Log) -> None:
        self._app = app
        self._log = log
        self._answer = answer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        settlement = environ[_KEY] = Settlement()
        is_out = False

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            nonlocal is_out
            if not is_out:
                failed = status.startswith(("4", "5"))
                if settlement.refusal is None:
                    settlement.settle(environ, failed=failed)
                elif not failed:
                    # An error handler, or a function of after_request, has made it a success.
                    raise settlement.refusal
                is_out = True
            return start_response(status, headers, exc_info)

        try:
            return self._app(environ, start)
        except Exception as error:
            refusal = settlement.refusal_behind(error)
            if refusal is None or settlement.body is None or is_out:
                raise
        dismiss(settlement.body, environ)
        if not settlement.is_logged:
            self._log(refusal, environ)
        return self._answer(refusal, environ)(environ, start_response)
