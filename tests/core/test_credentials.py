"""Credentials: what a client names, and what the operator issued."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4.credentials import CallableProvider
from wsgi_sigv4.credentials import Credential
from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import MappingProvider
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.credentials import as_provider
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import MalformedCredential

SCOPE = CredentialScope(date="20261121", region="us-east-1", service="items")
VALID = f"{ACCESS_KEY_ID}/20261121/us-east-1/items/aws4_request"


class Provider:
    """A provider of the shape that the protocol asks for."""

    def lookup(
        self, access_key_id: str, *, scope: CredentialScope, session_token: str | None
    ) -> Credentials | None:
        """Know every key."""
        return Credentials(SECRET)


def test_parse() -> None:
    """A credential is read part by part, and written back as it was."""
    credential = Credential.parse(VALID)
    assert (credential.access_key_id, credential.scope) == (ACCESS_KEY_ID, SCOPE)
    assert str(credential) == VALID
    assert str(SCOPE) == "20261121/us-east-1/items/aws4_request"


@given(
    st.from_regex(r"[!-+\-.0-~]{1,128}", fullmatch=True),
    st.from_regex(r"[0-9]{8}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9-]{1,64}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
)
def test_round_trip(key_id: str, date: str, region: str, service: str, terminator: str) -> None:
    """Whatever parts are allowed, the credential that is written is the one that is read."""
    scope = CredentialScope(date=date, region=region, service=service, terminator=terminator)
    credential = Credential(access_key_id=key_id, scope=scope)
    parsed = Credential.parse(str(credential))
    assert (parsed.access_key_id, parsed.scope) == (key_id, scope)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(VALID, "", id="empty"),
        pytest.param(VALID, ACCESS_KEY_ID, id="key id only"),
        pytest.param("/aws4_request", "", id="four parts"),
        pytest.param("/aws4_request", "/aws4_request/", id="six parts"),
        pytest.param(VALID, "/" + VALID, id="leading slash"),
        pytest.param(ACCESS_KEY_ID, "", id="no key id"),
        pytest.param(ACCESS_KEY_ID, "A" * 129, id="long key id"),
        pytest.param(ACCESS_KEY_ID, "A,B", id="comma in key id"),
        pytest.param(ACCESS_KEY_ID, "A B", id="blank in key id"),
        pytest.param(ACCESS_KEY_ID, "A\x7f", id="control character in key id"),
        pytest.param(ACCESS_KEY_ID, "AKIÄ", id="key id beyond ASCII"),
        pytest.param("us-east-1", "", id="no region"),
        pytest.param("us-east-1", "us_east_1", id="underscore in region"),
        pytest.param("us-east-1", "r" * 65, id="long region"),
        pytest.param("us-east-1", "us-east-1\n", id="line break in region"),
        pytest.param("items", "", id="no service"),
        pytest.param("items", "it ems", id="blank in service"),
        pytest.param("items", "s" * 65, id="long service"),
        pytest.param("aws4_request", "", id="no terminator"),
        pytest.param("aws4_request", "aws4.request", id="dot in terminator"),
        pytest.param("aws4_request", "t" * 65, id="long terminator"),
    ],
)
def test_malformed(old: str, new: str) -> None:
    """A credential that has not five parts of the allowed characters is refused."""
    text = VALID.replace(old, new)
    with pytest.raises(MalformedCredential) as refused:
        Credential.parse(text)
    assert refused.value.credential == text
    assert refused.value.date is None


@pytest.mark.parametrize(
    "date", ["", "2026112", "202611211", "2026-11-21", "2026112x", "٢٠٢٦1121", "20261121\n"]
)
def test_malformed_date(date: str) -> None:
    """A date that is not eight digits is refused, and named."""
    text = VALID.replace("20261121", date)
    with pytest.raises(MalformedCredential) as refused:
        Credential.parse(text)
    assert refused.value.credential == text
    assert refused.value.date == date


def test_longest_parts() -> None:
    """Parts of the greatest length are read."""
    text = "/".join(("K" * 128, "20261121", "r" * 64, "s" * 64, "t" * 64))
    assert str(Credential.parse(text)) == text


def test_secret_shows_itself_on_demand_only() -> None:
    """T39: a secret is in no text made of it, and leaves its process in no copy."""
    secret = Secret(SECRET)
    assert secret.reveal() == SECRET
    assert repr(secret) == "Secret(...)"
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!s:>99}",
        str([secret]),
    ):
        assert SECRET not in text
        assert "Secret(...)" in text
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(
            TypeError, match=r"^a Secret cannot be pickled or copied out of its process$"
        ):
            leak(secret)
    assert not hasattr(secret, "__dict__")


def test_secret_compares_by_value() -> None:
    """Secrets are equal by their value, so that a cache finds them, and to nothing else."""
    assert Secret(SECRET) == Secret(SECRET)
    assert hash(Secret(SECRET)) == hash(Secret(SECRET))
    assert Secret(SECRET) != Secret(SECRET + "x")
    assert Secret("é") != Secret("e")
    assert hash(Secret("é")) != hash(Secret("e"))
    assert Secret(SECRET) != SECRET
    assert Secret(SECRET).__eq__(SECRET) is NotImplemented


def test_credentials_show_no_secret() -> None:
    """T39: neither secret, signing key nor token is in the repr, and nothing can be pickled."""
    credentials = Credentials(SECRET, session_token="TOKEN", principal="alice", expires_at=5.0)
    derived = Credentials(signing_key=b"K" * 32)
    assert repr(credentials) == "Credentials(principal='alice', expires_at=5.0)"
    assert str(derived) == "Credentials(principal=None, expires_at=None)"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(
            TypeError, match=r"^Credentials cannot be pickled or copied out of their process$"
        ):
            leak(credentials)
    assert not hasattr(credentials, "__dict__")


def test_credentials_hold_what_they_were_given() -> None:
    """Credentials hold a secret in its redacting type, or a signing key, and the rest as given."""
    principal = object()
    credentials = Credentials(SECRET, session_token="T", principal=principal, expires_at=7)
    assert credentials.secret_access_key == Secret(SECRET)
    assert credentials.signing_key is None
    assert credentials.session_token == "T"
    assert credentials.principal is principal
    assert credentials.expires_at == 7
    secret = Secret(SECRET)
    assert Credentials(secret).secret_access_key is secret
    bare = Credentials(signing_key=b"K" * 32)
    assert bare.signing_key == b"K" * 32
    assert (bare.secret_access_key, bare.session_token) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Credentials take a secret_access_key or a signing_key"),
        (
            {"secret_access_key": SECRET, "signing_key": b"K" * 32},
            "Credentials take a secret_access_key or a signing_key",
        ),
        ({"secret_access_key": "s\udc80"}, "a secret_access_key is Unicode text"),
        ({"signing_key": b"K" * 31}, "a signing_key has 32 bytes"),
        ({"signing_key": b""}, "a signing_key has 32 bytes"),
        ({"secret_access_key": ""}, "an empty secret_access_key verifies everybody's requests"),
        (
            {"secret_access_key": Secret("")},
            "an empty secret_access_key verifies everybody's requests",
        ),
        (
            {"secret_access_key": SECRET, "session_token": ""},
            "an empty session_token is no token: leave it out",
        ),
    ],
)
def test_credentials_that_make_no_sense(arguments: dict[str, Any], message: str) -> None:
    """Credentials that would verify everybody, or nobody, are the programmer's mistake."""
    with pytest.raises(ConfigurationError) as refused:
        Credentials(**arguments)
    assert str(refused.value) == message


def test_mapping_provider() -> None:
    """A mapping gives its secrets as credentials, from a copy of its own that shows none."""
    issued = Credentials(SECRET, principal="alice")
    mapping: dict[str, str | Secret | Credentials] = {"A": SECRET, "B": Secret(SECRET), "C": issued}
    provider = as_provider(mapping)
    mapping["D"] = SECRET
    assert isinstance(provider, MappingProvider)
    for key_id in "AB":
        found = provider.lookup(key_id, scope=SCOPE, session_token=None)
        assert found is not None
        assert found.secret_access_key == Secret(SECRET)
    assert provider.lookup("C", scope=SCOPE, session_token=None) is issued
    assert provider.lookup("D", scope=SCOPE, session_token=None) is None
    assert repr(provider) == "MappingProvider(<3 keys>)"
    assert all(SECRET not in repr(value) for value in vars(provider).values())


def test_callable_provider() -> None:
    """A callable is asked for the key id, and its secret becomes credentials."""
    issued = Credentials(SECRET, principal="alice")
    known: dict[str, str | Credentials] = {"A": SECRET, "B": issued}
    provider = as_provider(lambda access_key_id: known.get(access_key_id))
    assert isinstance(provider, CallableProvider)
    found = provider.lookup("A", scope=SCOPE, session_token=None)
    assert found is not None
    assert found.secret_access_key == Secret(SECRET)
    assert provider.lookup("B", scope=SCOPE, session_token=None) is issued
    assert provider.lookup("C", scope=SCOPE, session_token=None) is None


def test_provider_is_taken_as_it_is() -> None:
    """What has a lookup is a provider already."""
    provider = Provider()
    assert isinstance(provider, CredentialProvider)
    assert as_provider(provider) is provider


@pytest.mark.parametrize("source", [None, SECRET, 5, [("A", SECRET)]])
def test_no_provider(source: Any) -> None:
    """What is no provider is the programmer's mistake; its value is in no message."""
    with pytest.raises(ConfigurationError) as refused:
        as_provider(source)
    assert str(refused.value) == "credentials are a mapping, a callable or a CredentialProvider"


@pytest.mark.parametrize(("value", "kind"), [(b"secret", "bytes"), (5, "int"), (None, "NoneType")])
def test_no_secret(value: Any, kind: str) -> None:
    """A value that is neither secret nor credentials is the programmer's mistake."""
    with pytest.raises(ConfigurationError) as refused:
        as_provider({"A": value})
    assert str(refused.value) == f"neither a secret nor Credentials: {kind}"
