"""Requests and identities are filled before they are frozen: then they are as all frozen ones."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from dataclasses import asdict
from dataclasses import fields
from dataclasses import replace
from typing import Any

import pytest

from tests.core.messages import Message
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4.environ import request_from_environ
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.request import HEADER_NAMES
from wsgi_sigv4.request import Request
from wsgi_sigv4.verifier import Verifier

HEADERS = ((b"host", b"a"), (b"x-b", b" c\td "), (b"x-empty", b""))


def of_the_class() -> Request:
    """Return a request that the class itself made."""
    return Request(method="GET", path=b"/a", query=b"q=1", headers=HEADERS, routed_path=b"/a")


def drafted() -> Request:
    """Return the same request, made the short way."""
    names = HEADER_NAMES[tuple(name for name, _ in HEADERS)]
    lines = b"\n".join(value for _, value in HEADERS)
    return Request.of("GET", b"/a", b"q=1", names, lines, b"/a", frozenset(), False)


def of_an_environ() -> Request:
    """Return a request without any header, made of an environ."""
    return request_from_environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/a"})


MAKERS = [of_the_class, drafted, of_an_environ]
COPIES: list[Callable[[Request], Any]] = [
    copy.copy,
    copy.deepcopy,
    replace,
    lambda request: pickle.loads(pickle.dumps(request)),  # noqa: S301 (its own)
]


def test_both_ways_make_the_same_request() -> None:
    """A request made the short way equals that of the class, field by field."""
    made, short = of_the_class(), drafted()
    assert type(short) is Request
    assert made == short
    assert hash(made) == hash(short)
    assert repr(made) == repr(short)
    for name in [one.name for one in fields(Request)]:
        assert getattr(made, name) == getattr(short, name), name
    assert short.headers == HEADERS
    assert short.values == {"host": b"a", "x-b": b"c\td", "x-empty": b""}
    assert made != replace(short, headers=HEADERS[:2])
    assert of_an_environ().headers == ()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("copied", COPIES)
def test_request_can_be_copied(
    make: Callable[[], Request], copied: Callable[[Request], Any]
) -> None:
    """A copy of a request is equal, and has the same headers."""
    request = make()
    found = copied(request)
    assert type(found) is Request
    assert found == request
    assert found.headers == request.headers
    assert found.values == request.values
    assert asdict(found)["headers"] == request.headers


@pytest.mark.parametrize("make", MAKERS)
def test_request_is_frozen(make: Callable[[], Request]) -> None:
    """No field of a request can be set or removed, and none appears from nowhere."""
    request = make()
    for one in fields(Request):
        with pytest.raises(FrozenInstanceError):
            setattr(request, one.name, b"")
        with pytest.raises(FrozenInstanceError):
            delattr(request, one.name)
    with pytest.raises(AttributeError, match=r"^'Request' object has no attribute 'header_name'$"):
        request.header_name  # noqa: B018 (that is what is tested)


def test_half_made_request_has_no_headers() -> None:
    """What was never filled has no headers, and does not look for them for ever."""
    with pytest.raises(AttributeError, match="names"):
        object.__new__(Request).headers  # noqa: B018 (that is what is tested)


def test_identity_is_frozen() -> None:
    """An identity is one of the class: frozen, equal to its copies, and hashed like them."""
    message = GENERIC_SIGNER.sign(Message.of())
    verifier = Verifier(
        {ACCESS_KEY_ID: SECRET}, region="us-east-1", service="items", clock=lambda: NOW
    )
    identity = verifier.verify(message.request()).finish()
    assert type(identity) is Identity
    for one in fields(Identity):
        with pytest.raises(FrozenInstanceError):
            setattr(identity, one.name, None)
    for same in (copy.copy(identity), replace(identity)):
        assert same == identity
        assert hash(same) == hash(identity)
        assert same.is_from(verifier, message.request())
    assert replace(identity, access_key_id="another") != identity
