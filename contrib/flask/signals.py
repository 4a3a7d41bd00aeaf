"""Signals: a key was used, a request was refused.

They are Flask's kind of signal (blinker's), sent whatever provider knows the
keys; the sender is the app::

    @key_used.connect_via(app)
    def count(sender, *, identity, **extra): ...

A receiver that raises makes the request fail, as with Flask's own signals; but
one of ``request_judged`` is logged, and changes nothing.
"""

from __future__ import annotations

from typing import Final

from blinker import Namespace
from flask import Flask

from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity

_signals: Final = Namespace()

#: A request is authentic: ``identity``. Sent before the view is called; where
#: the view reads the body while that arrives, after the body was verified.
key_used: Final = _signals.signal("sigv4-key-used")

#: A request was refused: ``refusal``. Nothing that the request claims has been
#: verified, the access key id of the refusal included.
request_refused: Final = _signals.signal("sigv4-request-refused")

#: What became of a request that was verified or refused: ``verdict``, a
#: :class:`~wsgi_sigv4.observing.Verdict`. With ``SIGV4_REPORT_ONLY`` it is the
#: only one of the three that is sent. Without receivers nothing is measured.
request_judged: Final = _signals.signal("sigv4-request-judged")


def tell_used(app: Flask, identity: Identity) -> None:
    """Tell whoever listens that the current request of *app* is authentic."""
    key_used.send(app, identity=identity)


def tell_refused(app: Flask, refusal: SigV4Error) -> None:
    """Tell whoever listens that the current request of *app* was refused."""
    request_refused.send(app, refusal=refusal)
