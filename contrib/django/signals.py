"""Signals: a key was used, a request was refused, a request was judged.

Sent by the middleware, and by the class for REST framework, whatever provider
knows the keys; the sender is the class of that provider. A receiver that fails
is logged by Django, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final

from django.dispatch import Signal
from django.http import HttpRequest

from wsgi_sigv4.contrib.django.judging import judgement
from wsgi_sigv4.contrib.django.judging import observer_of
from wsgi_sigv4.contrib.django.judging import refused
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.identity import Identity

if TYPE_CHECKING:
    from wsgi_sigv4.contrib.django.conf import Configuration
    from wsgi_sigv4.observing import Verdict

#: A request was authentic: ``request``, ``identity``. Sent when the signature
#: was verified and AUTHORIZE has consented, before the view is called; of a
#: body that is verified while the view reads it, nothing is known yet.
key_used: Final = Signal()

#: A request was refused: ``request``, ``refusal``. Nothing that the request
#: claims has been verified, the access key id of the refusal included.
request_refused: Final = Signal()

#: What became of a request that was verified or refused: ``request``,
#: ``verdict``, a :class:`~wsgi_sigv4.observing.Verdict`. With ``REPORT_ONLY`` it
#: is the only one of the three that is sent. Without receivers nothing is measured.
request_judged: Final = Signal()


def tell_used(request: HttpRequest, identity: Identity, conf: Configuration) -> None:
    """Tell whoever listens that *request* was authentic."""
    _note_use(identity, conf)
    key_used.send_robust(_sender(conf), request=request, identity=identity)


async def atell_used(request: HttpRequest, identity: Identity, conf: Configuration) -> None:
    """Tell whoever listens that *request* was authentic, without holding up the event loop."""
    _note_use(identity, conf)
    await key_used.asend_robust(_sender(conf), request=request, identity=identity)


def tell_refused(request: HttpRequest, refusal: SigV4Error, conf: Configuration) -> None:
    """Tell whoever listens that *request* was refused."""
    request_refused.send_robust(_sender(conf), request=request, refusal=refusal)
    if conf.judges or request_judged.receivers:
        tell_judged(request, refused(request, refusal, conf), conf)


async def atell_refused(request: HttpRequest, refusal: SigV4Error, conf: Configuration) -> None:
    """Tell whoever listens that *request* was refused, without holding up the event loop."""
    await request_refused.asend_robust(_sender(conf), request=request, refusal=refusal)
    if conf.judges or request_judged.receivers:
        await atell_judged(request, refused(request, refusal, conf), conf)


def tell_judged(request: HttpRequest, verdict: Verdict | None, conf: Configuration) -> None:
    """Tell the hooks, and whoever listens, of *verdict*, unless they know of another."""
    if verdict is not None and _is_first(request):
        observer_of(conf).tell(verdict)
        request_judged.send_robust(_sender(conf), request=request, verdict=verdict)


async def atell_judged(request: HttpRequest, verdict: Verdict | None, conf: Configuration) -> None:
    """Do what :func:`tell_judged` does, without holding up the event loop."""
    if verdict is not None and _is_first(request):
        observer_of(conf).tell(verdict)
        await request_judged.asend_robust(_sender(conf), request=request, verdict=verdict)


def _is_first(request: HttpRequest) -> bool:
    found = judgement(request)
    is_first, found.is_told = not found.is_told, True
    return is_first


def _sender(conf: Configuration) -> type:
    return type(conf.verifier.provider)


def _note_use(identity: Identity, conf: Configuration) -> None:
    if conf.note_use is not None:
        conf.note_use(identity)
