"""The tree of refusals."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from wsgi_sigv4 import errors
from wsgi_sigv4.errors import SigV4Error

LEAVES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, SigV4Error) and value is not SigV4Error
}


def example(kind: type[SigV4Error]) -> SigV4Error:
    """Return a refusal of *kind* with something in each of its facts."""
    facts: dict[str, Any] = {n: f"<{n}>" for n in kind._names if not hasattr(kind, n)}
    return kind(**facts)


def test_every_refusal_is_imported_from_one_place() -> None:
    """Wherever a refusal of the core is written down, `wsgi_sigv4.errors` has it."""
    written = {kind for kind in kinds() if kind.__module__.startswith("wsgi_sigv4.errors.")}
    assert written == {SigV4Error, *LEAVES.values()}


@pytest.mark.parametrize("name", LEAVES)
def test_drawn_in_the_docstring(name: str) -> None:
    """Each refusal stands in the tree that the module's docstring draws."""
    assert name in (errors.__doc__ or "").split()


@pytest.mark.parametrize("kind", LEAVES.values(), ids=LEAVES)
def test_refusal_says_what_happened(kind: type[SigV4Error]) -> None:
    """Each refusal is one sentence of its own, and names no request until it is told one."""
    refusal = example(kind)
    text = str(refusal)
    assert text.endswith(".")
    assert text != SigV4Error.summary
    assert kind.hint == "" or kind.hint.endswith(".")
    assert (refusal.access_key_id, refusal.presigned, refusal.service) == (None, False, None)


def test_root_says_something() -> None:
    """A refusal of a user's own making has a sentence too."""
    assert str(SigV4Error()) == "The request was refused."
    assert SigV4Error.hint == ""


def test_malformed_request_names_its_fault() -> None:
    """A malformed request says what is malformed in it."""
    for kind in (errors.MalformedRequest, errors.MalformedTarget, errors.MalformedQuery):
        assert str(kind(fault="x is y")) == "The request is malformed: x is y."
        assert issubclass(kind, errors.MalformedRequest)


def test_checksum_not_implemented() -> None:
    """A checksum that cannot be calculated says whether an extra of the package would do it."""
    assert str(errors.ChecksumNotImplemented(algorithm="md4")) == (
        "The checksum md4 is not implemented."
    )
    assert str(errors.ChecksumNotImplemented(algorithm="crc32c", extra="checksums")) == (
        "The checksum crc32c needs wsgi-sigv4[checksums] on the server."
    )


def kinds(root: type[SigV4Error] = SigV4Error) -> Iterator[type[SigV4Error]]:
    """Yield each refusal of the package, those of the skins that are loaded too."""
    yield root
    for kind in root.__subclasses__():
        # Skins and tests make others of these, which stand in no module.
        module = sys.modules[kind.__module__]
        if module.__name__.startswith("wsgi_sigv4.") and vars(module).get(kind.__name__) is kind:
            yield from kinds(kind)


def pickled(error: SigV4Error, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
    """Return *error* as another process gets it."""
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 (our own pickle)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {p}": partial(pickled, protocol=p) for p in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("made", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_refusal_can_be_copied(kind: type[SigV4Error], made: Callable[[Any], Any]) -> None:
    """Each refusal goes to another process whole, but for what its repr hides."""
    refusal = example(kind)
    refusal.access_key_id, refusal.presigned, refusal.service = "AKIA", True, "s3"
    refusal.add_note("seen in a worker")
    again = made(refusal)
    assert type(again) is kind
    assert (str(again), repr(again), again.args) == (str(refusal), repr(refusal), refusal.args)
    hidden = set(kind._hidden)
    assert not any(getattr(again, name) for name in hidden)
    kept = {name: value for name, value in vars(refusal).items() if name not in hidden}
    assert {name: vars(again)[name] for name in kept} == kept


@pytest.mark.parametrize("facts", [{}, {"scheme": "Basic", "token": "t0"}, {"token": "t0"}])
def test_facts_are_those_of_the_refusal(facts: dict[str, Any]) -> None:
    """A fact that is missing, or that is none of the refusal's, is a mistake in the program."""
    with pytest.raises(TypeError, match="takes scheme, has_parameters"):
        errors.UnsupportedAuthorization(**facts)


def test_repr_shows_the_facts() -> None:
    """A repr names each fact, but for those that may be a secret."""
    assert repr(errors.MissingParameters(names=("a",))) == "MissingParameters(names=('a',))"
    assert repr(errors.UnsupportedAuthorization(scheme="Basic")) == (
        "UnsupportedAuthorization(scheme='Basic', has_parameters=True)"
    )
    assert repr(errors.SignatureMismatch(signature="f00d")) == "SignatureMismatch()"
    assert repr(errors.UnknownAccessKey()) == "UnknownAccessKey()"


def test_copy_of_a_mismatch_has_no_evidence() -> None:
    """T24: a mismatch that was caught in a worker arrives without signature and request."""
    evidence = errors.Evidence(canonical_request=b"cookie:c00kie", string_to_sign=b"t0")
    refusal = errors.SignatureMismatch(signature="f00d", explain=lambda: evidence)
    assert pickled(refusal).evidence is None
    for hidden in (b"f00d", b"c00kie", b"t0"):
        assert hidden not in pickle.dumps(refusal)
    assert refusal.evidence is evidence


def test_refusal_of_a_user_can_be_copied() -> None:
    """A refusal whose own __init__ takes what it likes is copied without a second call of it."""
    refusal = copy.copy(errors.CredentialsUnavailable("down", retry_after=30))
    assert (refusal.args, refusal.retry_after) == (("down",), 30)


def test_configuration_error_is_no_refusal() -> None:
    """A programmer's mistake is never answered as a refusal."""
    assert issubclass(errors.ConfigurationError, ValueError)
    assert not issubclass(errors.ConfigurationError, SigV4Error)


def test_algorithm_not_implemented_is_an_unsupported_algorithm() -> None:
    """Who catches unsupported algorithms catches the known one too."""
    assert issubclass(errors.AlgorithmNotImplemented, errors.UnsupportedAlgorithm)


def test_credentials_unavailable() -> None:
    """A provider may say when to come again; its words are for the log, not for the answer."""
    refusal = errors.CredentialsUnavailable("redis at 10.0.0.7 is down", retry_after=30)
    assert refusal.retry_after == 30
    assert refusal.args == ("redis at 10.0.0.7 is down",)
    assert errors.CredentialsUnavailable().retry_after == 5
    assert errors.CredentialsUnavailable().args == ("",)
    assert str(refusal) == "The credentials cannot be looked up at the moment."


def test_defaults_of_facts() -> None:
    """Facts that are left out say the usual."""
    assert errors.UnsupportedAuthorization(scheme="x").has_parameters is True
    assert errors.MalformedCredential(credential="x").date is None
    assert errors.InvalidSessionToken().absent is False
    assert errors.SignatureMismatch(signature="x").evidence is None


def test_mismatch_shows_neither_signature_nor_evidence() -> None:
    """T24: what was signed, and the signature as sent, are in no repr."""
    evidence = errors.Evidence(canonical_request=b"cookie:x", string_to_sign=b"y")
    refusal = errors.SignatureMismatch(signature="f00d", explain=lambda: evidence)
    assert repr(refusal) == "SignatureMismatch()"
    assert repr(evidence) == "Evidence()"
    assert refusal.evidence is evidence


def test_refusals_are_told_apart_by_identity() -> None:
    """Two refusals are never equal, and each can be kept in a set, as tracebacks need it."""
    one, other = errors.MalformedDate(date="x"), errors.MalformedDate(date="x")
    assert one != other
    assert len({one, other}) == 2
