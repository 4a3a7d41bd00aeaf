"""Attacks on what decides whether a request is verified at all, and whether it may be served."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponseForbidden
from flask import Flask

from tests.attacks.attacker import KEY
from tests.attacks.attacker import SECRET
from tests.attacks.attacker import Sent
from tests.attacks.attacker import send
from tests.django.conftest import Exchange
from tests.django.signing import Sent as SentToDjango
from tests.django.signing import sign as sign_for_django
from tests.wsgi.calls import Application
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import SigV4Middleware
from wsgi_sigv4 import Verifier
from wsgi_sigv4.contrib.flask import SigV4
from wsgi_sigv4.contrib.flask import sigv4_required


async def nothing_is_exempt(environ: object) -> bool:
    """Exempt nothing; but a coroutine is true."""
    return False


def verifier(service: str = "items") -> Verifier:
    """Return a verifier with one key."""
    return Verifier({KEY: SECRET}, region="us-east-1", service=service, hosts=["localhost"])


PREDICATES = {
    "coroutine": lambda environ: nothing_is_exempt(environ),
    "match": lambda environ: re.match("/health", "/health"),
    "text": lambda environ: "no",
}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", PREDICATES)
def test_only_true_exempts_from_the_middleware(name: str) -> None:
    """A predicate whose answer is merely true, such as a coroutine, opens no door."""
    application = Application()
    predicate: Any = PREDICATES[name]
    app = SigV4Middleware(application, verifier(), exempt=predicate)
    assert send(app, Sent(target="/private")).status == 403
    assert application.environs == []


def test_async_predicate_is_a_mistake() -> None:
    """A predicate that has to be awaited is refused at the start."""
    exempt: Any = nothing_is_exempt
    with pytest.raises(ConfigurationError, match="exempt"):
        SigV4Middleware(Application(), verifier(), exempt=exempt)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", PREDICATES)
def test_only_true_exempts_a_view_of_flask(name: str) -> None:
    """The same predicates do not let a stranger reach a guarded view."""
    app = Flask(__name__)
    SigV4(app, verifier=verifier(), exempt=PREDICATES[name])
    app.add_url_rule("/private", view_func=sigv4_required(lambda: "secret"))
    assert send(app, Sent(target="/private")).status == 403


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", PREDICATES)
def test_only_true_exempts_from_django(
    exchange: Exchange, sigv4: Callable[..., None], name: str
) -> None:
    """Nor do they in Django, where both looks at the path ask the predicate."""
    sigv4(EXEMPT=PREDICATES[name])
    assert exchange(SentToDjango(method="GET", target="/whoami")).status_code == 403


def test_only_true_authorizes_in_django(exchange: Exchange, sigv4: Callable[..., None]) -> None:
    """An authorize that answers with a refusal of its own has not said yes."""
    sigv4(AUTHORIZE=lambda identity, meta: HttpResponseForbidden())
    assert exchange(sign_for_django()).status_code == 403
