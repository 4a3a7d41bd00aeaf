"""What an access key may be used for, and who is told of it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from typing import Any
from urllib.parse import quote
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.messages import Message
from tests.core.messages import verify
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import GENERIC_SIGNER
from tests.core.signing import NOW
from tests.core.signing import S3_PRESIGNER
from tests.core.signing import S3_SIGNER
from tests.core.signing import SECRET
from tests.core.signing import Signer
from tests.core.signing import sha256
from wsgi_sigv4 import errors
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.limits import Limits
from wsgi_sigv4.profiles import ErrorFormat
from wsgi_sigv4.reasons import reason
from wsgi_sigv4.verifier import Verifier

EMPTY = {"X-Amz-Content-Sha256": sha256(b"")}
WRONG = replace(GENERIC_SIGNER, secret="wrong")


def verifier(*, uniform_errors: bool = False, **limits: Any) -> Verifier:
    """Return a verifier of two services that knows one key, with *limits*."""
    return Verifier(
        {ACCESS_KEY_ID: Credentials(SECRET, **limits)},
        region=None,
        service="items",
        uniform_errors=uniform_errors,
    )


def s3_verifier(**limits: Any) -> Verifier:
    """Return a verifier of S3, which normalises no path."""
    return Verifier({ACCESS_KEY_ID: Credentials(SECRET, **limits)}, region=None, service="s3")


def refusal(made: Verifier, message: Message) -> SigV4Error:
    """Return why *made* refuses *message*."""
    with pytest.raises(SigV4Error) as refused:
        verify(made, message, now=NOW)
    return refused.value


def told(error: SigV4Error) -> set[tuple[str, int]]:
    """Return code and status of *error* in both renderings."""
    return {(reason(error, form).code, reason(error, form).status) for form in ErrorFormat}


HERE = GENERIC_SIGNER.sign(Message.of())
PRESIGNED = GENERIC_SIGNER.presign(Message.of())

CASES: list[tuple[dict[str, Any], Message, str | None]] = [
    ({"regions": ["us-east-1"]}, HERE, None),
    ({"regions": ["eu-west-1", "us-east-1"]}, HERE, None),
    ({"regions": ["eu-west-1"]}, HERE, "regions"),
    ({"regions": ["us-east-1"]}, replace(GENERIC_SIGNER, region="x").sign(Message.of()), "regions"),
    ({"services": ["items"]}, HERE, None),
    ({"services": ["s3"]}, HERE, "services"),
    ({"methods": ["GET"]}, HERE, None),
    ({"methods": ["GET"]}, GENERIC_SIGNER.sign(Message.of("HEAD")), "methods"),
    ({"methods": ["GET"]}, GENERIC_SIGNER.sign(Message.of("get")), "methods"),
    ({"methods": ["HEAD", "PUT"]}, HERE, "methods"),
    ({"path_prefixes": ["/items"]}, HERE, None),
    ({"path_prefixes": ["/"]}, HERE, None),
    ({"path_prefixes": ["/other"]}, HERE, "path_prefixes"),
    ({"path_prefixes": ["/item"]}, HERE, "path_prefixes"),
    ({"presigned": None, "methods": ["GET"]}, PRESIGNED, None),
    ({"presigned": True}, PRESIGNED, None),
    ({"presigned": True}, HERE, "presigned"),
    ({"presigned": False}, PRESIGNED, "presigned"),
    ({"presigned": False}, HERE, None),
    ({"max_expires": 60}, PRESIGNED, None),
    ({"max_expires": 59}, PRESIGNED, "max_expires"),
    ({"max_expires": 1}, HERE, None),
    # Without X-Amz-Expires a generic URL lives as long as the clocks may differ: 300 seconds.
    (
        {"max_expires": 299},
        replace(GENERIC_SIGNER, expires=None).presign(Message.of()),
        "max_expires",
    ),
    ({"max_expires": 300}, replace(GENERIC_SIGNER, expires=None).presign(Message.of()), None),
]


@pytest.mark.parametrize("with_secret", [True, False])
@pytest.mark.parametrize("uniform_errors", [True, False])
@pytest.mark.parametrize(("limits", "message", "excess"), CASES)
def test_limit(
    limits: dict[str, Any],
    message: Message,
    excess: str | None,
    uniform_errors: bool,
    with_secret: bool,
) -> None:
    """A key verifies what its limits allow, however its signing key got here, and no more."""
    key = b"AWS4" + SECRET.encode()
    region = "x" if b"/x/" in (message.header("authorization") or b"") else "us-east-1"
    for part in ("20261121", region, "items", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    issued = {"secret_access_key": SECRET} if with_secret else {"signing_key": key}
    credentials = Credentials(**issued, **limits)
    made = Verifier(
        {ACCESS_KEY_ID: credentials}, region=None, service="items", uniform_errors=uniform_errors
    )
    # Twice: the second time with a signing key from the cache.
    for _ in range(2):
        if excess is None:
            assert verify(made, message, now=NOW).access_key_id == ACCESS_KEY_ID
            continue
        refused = refusal(made, message)
        assert type(refused) is errors.KeyLimitExceeded
        assert refused.limit == excess
        assert str(refused) == f"The access key is not allowed this: {excess}."
        assert refused.access_key_id == ACCESS_KEY_ID
        assert told(refused) == {("AccessDenied", 403)}


@pytest.mark.parametrize("uniform_errors", [True, False])
@pytest.mark.parametrize(
    "limits",
    [
        {"regions": ["other"]},
        {"services": ["other"]},
        {"methods": ["PATCH"]},
        {"path_prefixes": ["/other"]},
        {"presigned": True},
    ],
    ids=str,
)
def test_limit_is_told_to_who_has_the_secret_only(
    limits: dict[str, Any], uniform_errors: bool
) -> None:
    """A stranger who names a key learns nothing of its limits, with a body or without."""
    made = verifier(uniform_errors=uniform_errors, **limits)
    for headers in ({}, EMPTY):
        refused = refusal(made, WRONG.sign(Message.of(headers=headers)))
        assert type(refused) is errors.SignatureMismatch
        assert refused.__cause__ is None
        right = refusal(made, GENERIC_SIGNER.sign(Message.of(headers=headers)))
        assert type(right) is errors.KeyLimitExceeded


def test_limit_is_told_before_a_body_is_read() -> None:
    """Where the header holds the hash of the body, a limit is found without the body."""
    message = GENERIC_SIGNER.sign(Message.of(headers=EMPTY))
    with pytest.raises(errors.KeyLimitExceeded):
        verifier(methods=["PUT"]).verify(message.request(), now=NOW)


def test_session_token_comes_before_limits() -> None:
    """Of a wrong token and an exceeded limit, the token is told."""
    message = replace(GENERIC_SIGNER, session_token="strange").sign(Message.of())
    assert type(refusal(verifier(methods=["PUT"]), message)) is errors.InvalidSessionToken


@pytest.mark.parametrize(
    ("target", "below"),
    [
        ("/photos", True),
        ("/photos/", True),
        ("/photos/a", True),
        ("/photos/a%20b", True),
        ("/photos%2Fa", True),
        ("/ph%6ftos/a", True),
        ("/photos/100%25", True),
        ("/photos/.a/..b/c.", True),
        ("/photosa", False),
        ("/Photos/a", False),
        ("/", False),
        ("/a/photos/", False),
        ("//photos/a", False),
        ("/photos//a", False),
        ("/photos/%2Fa", False),
        ("/photos/../secret", False),
        ("/photos/./a", False),
        ("/photos/..", False),
        ("/photos/%2e%2e/secret", False),
        ("/photos/..%2Fsecret", False),
        ("/photos/%252e%252e/secret", False),
        ("/photos/..%252Fsecret", False),
        ("/photos/%25252e%25252e/secret", False),
        ("/photos/..%5Csecret", False),
        ("/photos/..%255Csecret", False),
        ("/photos/a%00", False),
    ],
)
def test_path_prefix_of_s3(target: str, below: bool) -> None:
    """Where paths are not normalised, none that another layer may read differently is covered."""
    made = s3_verifier(path_prefixes=["/other", "/photos"])
    # S3 signs the path decoded and encoded once.
    signed = S3_SIGNER.sign(Message.of(target=_encoded_once(target), headers=EMPTY))
    message = replace(signed, path=target.encode())
    if below:
        verify(made, message, now=NOW)
    else:
        assert isinstance(refusal(made, message), errors.KeyLimitExceeded)
        verify(s3_verifier(), message, now=NOW)


def _encoded_once(target: str) -> str:
    return quote(unquote(target), safe="/~")


def test_path_prefix_is_that_of_the_normal_form() -> None:
    """Where paths are normalised, the normal form counts, which is what is routed on."""
    made = verifier(path_prefixes=["/photos"])
    inside = replace(GENERIC_SIGNER.sign(Message.of(target="/photos/a")), path=b"/x/..//photos/./a")
    verify(made, inside, now=NOW)
    outside = replace(GENERIC_SIGNER.sign(Message.of(target="/secret")), path=b"/photos/../secret")
    verify(verifier(), outside, now=NOW)
    assert isinstance(refusal(made, outside), errors.KeyLimitExceeded)


def test_path_prefix_with_a_trailing_slash() -> None:
    """A prefix with a trailing slash covers what is below it, and not the path without it."""
    made = verifier(path_prefixes=["/photos/"])
    for target in ("/photos/", "/photos/a"):
        verify(made, GENERIC_SIGNER.sign(Message.of(target=target)), now=NOW)
    message = GENERIC_SIGNER.sign(Message.of(target="/photos"))
    assert isinstance(refusal(made, message), errors.KeyLimitExceeded)


def test_path_prefix_beyond_ascii() -> None:
    """A prefix is Unicode text; the path has it as UTF-8."""
    made = s3_verifier(path_prefixes=["/Fotos für"])
    message = S3_SIGNER.sign(Message.of(target="/Fotos%20f%C3%BCr/a", headers=EMPTY))
    verify(made, message, now=NOW)


@given(st.binary(max_size=12))
def test_path_prefix_is_whole_segments(tail: bytes) -> None:
    """Whatever stands behind a prefix, it is covered only where it is a new segment, or nothing."""
    limits = Limits.of(
        regions=None, services=None, methods=None, path_prefixes=["/a"], presigned=None,
        max_expires=None,
    )  # fmt: skip
    assert limits is not None
    excess = limits.find_excess(
        region="r", service="s", method="GET", path=b"/a" + tail, lifetime=None
    )
    if excess is None:
        assert tail == b"" or tail.startswith(b"/")
        assert not {b".", b".."} & set(tail.split(b"/"))
        assert b"//" not in tail


@pytest.mark.parametrize("signer", [S3_PRESIGNER, replace(S3_PRESIGNER, expires="604800")])
def test_max_expires_of_s3(signer: Signer) -> None:
    """A URL that lives longer than its key allows is refused, though S3 would allow it a week."""
    message = signer.presign(Message.of())
    verify(s3_verifier(max_expires=604_800), message, now=NOW)
    assert isinstance(refusal(s3_verifier(max_expires=59), message), errors.KeyLimitExceeded)


class Counted:
    """Counts the HMACs that are made."""

    def __init__(self, digest: Callable[..., bytes]) -> None:
        self.count = 0
        self._digest = digest

    def __call__(self, *args: Any) -> bytes:
        """Make an HMAC."""
        self.count += 1
        return self._digest(*args)


@pytest.mark.parametrize("uniform_errors", [True, False])
@pytest.mark.parametrize("headers", [{}, EMPTY])
@pytest.mark.parametrize("signer", [GENERIC_SIGNER, WRONG])
def test_disabled_key_is_an_unknown_one(
    signer: Signer,
    headers: dict[str, str],
    uniform_errors: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T25: a disabled key is answered as an unknown one at its cost, its secret right or wrong."""
    counted = Counted(hmac.digest)
    monkeypatch.setattr(hmac, "digest", counted)
    outcomes = []
    disabled = Credentials(SECRET, enabled=False, methods=["PUT"])
    for known in ({ACCESS_KEY_ID: disabled}, {}):
        made = Verifier(known, region=None, service="items", uniform_errors=uniform_errors)
        for _ in range(2):
            counted.count = 0
            refused = refusal(made, signer.sign(Message.of(headers=headers)))
            outcomes.append((counted.count, told(refused), str(reason(refused, ErrorFormat.AWS))))
    assert len({str(outcome) for outcome in outcomes}) == 1
    assert outcomes[0][0] == 5
    expected = "SignatureDoesNotMatch" if uniform_errors else "InvalidClientTokenId"
    assert (expected, 403) in outcomes[0][1]


@pytest.mark.parametrize("uniform_errors", [True, False])
def test_disabled_key_is_named_to_the_operator(uniform_errors: bool) -> None:
    """The log says that a key is disabled, though the answer does not."""
    refused = refusal(verifier(enabled=False, uniform_errors=uniform_errors), HERE)
    cause = refused.__cause__ if uniform_errors else refused
    assert type(cause) is errors.DisabledAccessKey
    assert str(cause) == "The access key is disabled."


def test_no_limits() -> None:
    """A key without limits carries none, so that a verification asks nothing of them."""
    assert Credentials(SECRET).limits is None
    assert Credentials(SECRET).enabled is True
    assert Credentials(SECRET, enabled=False).limits is None


def test_limits_hold_what_they_were_given() -> None:
    """The limits of credentials can be read, and changing the lists changes nothing."""
    methods = ["GET"]
    limits = Credentials(
        SECRET,
        regions=("r",),
        services={"s"},  # type: ignore[arg-type] # (no sequence, and fine)
        methods=methods,
        path_prefixes=["/a", "/ü"],
        presigned=True,
        max_expires=604_800,
    ).limits
    methods.append("PUT")
    assert limits == Limits(
        regions=frozenset({"r"}),
        services=frozenset({"s"}),
        methods=frozenset({"GET"}),
        path_prefixes=(b"/a", "/ü".encode()),
        presigned=True,
        max_expires=604_800,
    )


NO_LIST = "is a list of strings; None allows any"
NO_EXPIRES = "max_expires is a number of seconds from 1 to 604800"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"enabled": "false"}, "enabled is True or False"),
        ({"enabled": None}, "enabled is True or False"),
        ({"enabled": 1}, "enabled is True or False"),
        *(
            ({name: value}, f"{name} {NO_LIST}")
            for name in ("regions", "services", "methods", "path_prefixes")
            for value in ("GET", b"GET", [], {"GET": 1}, 5, [b"GET"], repeat("GET", 1))
        ),
        ({"regions": ["us_east"]}, "regions: no request can have 'us_east'"),
        ({"services": [""]}, "services: no request can have ''"),
        ({"methods": ["get"]}, "methods: no request can have 'get'"),
        ({"methods": ["GET "]}, "methods: no request can have 'GET '"),
        ({"path_prefixes": ["a"]}, "path_prefixes: 'a' is not a path in normal form"),
        ({"path_prefixes": [""]}, "path_prefixes: '' is not a path in normal form"),
        ({"path_prefixes": ["/a/../b"]}, "path_prefixes: '/a/../b' is not a path in normal form"),
        ({"path_prefixes": ["/a//b"]}, "path_prefixes: '/a//b' is not a path in normal form"),
        ({"path_prefixes": ["/a%2Fb"]}, "path_prefixes: '/a%2Fb' is not a path in normal form"),
        ({"path_prefixes": ["/\udc80"]}, "path_prefixes: '/\\udc80' is not Unicode text"),
        ({"presigned": "no"}, "presigned is True, False or None"),
        ({"presigned": 0}, "presigned is True, False or None"),
        *(({"max_expires": value}, NO_EXPIRES) for value in (0, -1, 604_801, True, 1.5, "60")),
    ],
    ids=str,
)
def test_limit_that_makes_no_sense(limits: dict[str, Any], message: str) -> None:
    """A limit that would limit nothing, or allow nothing, is the programmer's mistake."""
    with pytest.raises(ConfigurationError) as refused:
        Credentials(SECRET, **limits)
    assert str(refused.value) == message
