"""The answer of an application, held back until its request is known to be authentic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse


class HeldAnswer:
    """Stands between an application and the ``start_response`` of the server.

    Nothing reaches the server before *settle* has returned: it is called once
    there is something to send, with whether that is an error.

    Args:
        start_response: the server's.
        settle: called with whether the status is an error; raises where the
            answer may not be sent.
    """

    def __init__(self, start_response: StartResponse, settle: Callable[[bool], None]) -> None:
        self._start_response = start_response
        self._settle = settle
        self._held: tuple[str, list[tuple[str, str]]] | None = None
        self._write: Callable[[bytes], object] | None = None
        self._is_error = False

    @property
    def is_out(self) -> bool:
        """Whether the server has been told of the answer."""
        return self._write is not None

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: OptExcInfo | None = None,
        /,
    ) -> Callable[[bytes], object]:
        """Keep *status* and *headers*: the ``start_response`` of the application."""
        if self._write is not None:
            if self._is_error and not _is_error(status):
                # It was let out as an error, without all that a success has to wait for.
                raise _cause(exc_info)
            return self._start_response(status, headers, exc_info)
        if self._held is not None and exc_info is None:
            raise AssertionError("the application has called start_response twice")
        self._held = (status, headers)
        return self._write_through

    def let_out(self) -> Callable[[bytes], object]:
        """Tell the server of the answer, once the request is settled; return its ``write``.

        Raises:
            SigV4Error: what *settle* raises.
        """
        if self._write is None:
            if self._held is None:
                raise AssertionError("the application has not called start_response")
            status, headers = self._held
            self._is_error = _is_error(status)
            self._settle(self._is_error)
            self._write = self._start_response(status, headers)
        return self._write

    def _write_through(self, data: bytes) -> None:
        self.let_out()(data)


def _is_error(status: str) -> bool:
    return status.startswith(("4", "5"))


def _cause(exc_info: OptExcInfo | None) -> BaseException:
    """Return what ``start_response`` raises where the headers have been sent (PEP 3333)."""
    error = None if exc_info is None else exc_info[1]
    return error or AssertionError("the application has called start_response twice")
