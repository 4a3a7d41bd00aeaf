"""What a verifier accepts: its parameters, and the mistakes in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import SECRET
from wsgi_sigv4.errors import ConfigurationError
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.profiles import GENERIC
from wsgi_sigv4.profiles import S3
from wsgi_sigv4.verifier import Verifier

ODD = replace(GENERIC, max_skew=60)


def policy(**changes: Any) -> Policy:
    """Return a policy of the usual parameters and *changes*."""
    parameters: dict[str, Any] = {
        "region": "us-east-1",
        "service": "items",
        "profile": None,
        "max_skew": None,
        "hosts": None,
        "require_signed": (),
        "allow_unsigned_headers": (),
        "allow_unsigned_payload": None,
        "allow_unsigned_session_token": False,
    }
    return Policy.of(**(parameters | changes))


def test_usual_policy() -> None:
    """One region and one service make a policy that asks for the usual."""
    usual = policy()
    assert usual.regions == ("us-east-1",)
    assert usual.services == ("items",)
    assert usual.profiles == {"items": GENERIC}
    assert usual.hosts is None
    assert usual.require_signed == frozenset()
    assert usual.may_be_unsigned == {"x-amz-content-sha256"}
    assert usual.token_may_be_unsigned is False


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("us-east-1", ("us-east-1",)),
        (["a", "b"], ("a", "b")),
        ({"a"}, ("a",)),
        ("a" * 64, ("a" * 64,)),
    ],
)
def test_regions(value: Any, expected: tuple[str, ...] | None) -> None:
    """T35: a region is one name, several, or any."""
    assert policy(region=value).regions == expected


@pytest.mark.parametrize("parameter", ["region", "service"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "us_east",
        "us east",
        "us/east",
        "a" * 65,
        "é",
        ["a", ""],
        ["a", None],
        [5],
        b"us-east-1",
        "a\n",
    ],
)
def test_no_scope_part(parameter: str, value: Any) -> None:
    """A region or service that no scope can hold is the programmer's mistake."""
    with pytest.raises(
        ConfigurationError, match=rf"^{parameter}: .* is no part of a credential scope$|^service: "
    ) as refused:
        policy(**{parameter: value})
    assert str(refused.value).startswith(f"{parameter}: ")
    assert str(refused.value).endswith(" is no part of a credential scope")


@pytest.mark.parametrize("parameter", ["region", "service"])
@pytest.mark.parametrize("value", [[], (), 5, iter(["a"])])
def test_no_list_of_scope_parts(parameter: str, value: Any) -> None:
    """Nothing, or what is no list, is not taken for "any"."""
    with pytest.raises(ConfigurationError) as refused:
        policy(**{parameter: value})
    assert str(refused.value) == f"{parameter} is a name or a list of names; None accepts any"


@pytest.mark.parametrize(
    ("service", "profile", "expected"),
    [
        ("items", None, {"items": GENERIC}),
        (["items", "sqs"], None, {"items": GENERIC, "sqs": GENERIC}),
        ("s3", None, {"s3": S3}),
        (
            ["s3", "s3express", "s3-outposts", "s3-object-lambda"],
            None,
            {"s3": S3, "s3express": S3, "s3-outposts": S3, "s3-object-lambda": S3},
        ),
        ("items", S3, {"items": S3}),
        (["s3", "items"], ODD, {"s3": ODD, "items": ODD}),
        (None, GENERIC, {None: GENERIC}),
        (None, {"items": ODD, "s3": S3}, {"items": ODD, "s3": S3}),
        ("s3", {"items": ODD, "s3": S3}, {"s3": S3}),
    ],
)
def test_profiles(service: Any, profile: Any, expected: dict[str | None, Any]) -> None:
    """T45: each accepted service has one profile, by its name or as the operator says."""
    made = policy(service=service, profile=profile)
    assert made.profiles == expected
    assert made.services == (None if None in expected else tuple(expected))


@pytest.mark.parametrize(
    ("service", "profile", "message"),
    [
        (None, None, "with service=None, say which profile: GENERIC, S3 or a mapping"),
        (
            ["s3", "items"],
            None,
            "services of S3 and others sign differently: map each to a profile",
        ),
        (["s3", "items", "sqs"], {"s3": S3}, "profile says nothing of items, sqs"),
        (None, {}, "profile says nothing of any service"),
        ("s3", {}, "profile says nothing of s3"),
        ("s3", "S3", "profile is a Profile, or a mapping of service to Profile"),
        ("s3", {"s3": "S3"}, "profile maps a service to something else than a Profile"),
    ],
)
def test_profiles_that_make_no_sense(service: Any, profile: Any, message: str) -> None:
    """T45: a client cannot pick the lenient profile; what is not said is not guessed."""
    with pytest.raises(ConfigurationError) as refused:
        policy(service=service, profile=profile)
    assert str(refused.value) == message


def test_profile_of_a_service() -> None:
    """A service has its own profile; one that is not accepted is judged by the first."""
    several = policy(service=["s3", "items"], profile={"items": ODD, "s3": S3})
    assert several.profile("items") is ODD
    assert several.profile("s3") is S3
    assert several.profile("sqs") is S3
    assert several.profile(None) is S3
    assert policy(service=None, profile=ODD).profile("sqs") is ODD
    assert policy(service=None, profile=ODD).profile(None) is ODD


def test_narrowed() -> None:
    """A policy can be narrowed to some of its regions and services, and keeps all the rest."""
    wide = policy(
        region=["a", "b"],
        service=["items", "s3"],
        profile={"items": ODD, "s3": S3},
        hosts=["h"],
        require_signed=["content-type"],
    )
    narrow = wide.narrowed(region="b", service=["s3"])
    expected = wide._replace(regions=("b",), services=("s3",), profiles={"s3": S3})
    assert tuple(narrow) == tuple(expected)
    assert narrow.hosts == ("h",)
    assert tuple(wide.narrowed(region=None, service=None)) == tuple(wide)
    assert wide.narrowed(region=["b", "a"], service=None).regions == ("b", "a")


def test_any_narrowed() -> None:
    """What takes any region or service can be narrowed to each, under the profile it had."""
    wide = policy(region=None, service=None, profile=ODD)
    narrow = wide.narrowed(region="mars-1", service="s3")
    expected = wide._replace(regions=("mars-1",), services=("s3",), profiles={"s3": ODD})
    assert tuple(narrow) == tuple(expected)
    assert tuple(wide.narrowed(region=None, service=None)) == tuple(wide)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "c"}, "region: c is not accepted"),
        ({"region": ["a", "d", "c"]}, "region: c, d is not accepted"),
        ({"service": ["items", "sqs"]}, "service: sqs is not accepted"),
        ({"region": []}, "region is a name or a list of names; None accepts any"),
        ({"service": "a b"}, "service: 'a b' is no part of a credential scope"),
    ],
)
def test_narrowed_to_what_it_does_not_accept(changes: dict[str, Any], message: str) -> None:
    """T35: narrowing never widens."""
    given: dict[str, Any] = {"region": None, "service": None}
    with pytest.raises(ConfigurationError) as refused:
        policy(region=["a", "b"]).narrowed(**(given | changes))
    assert str(refused.value) == message


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("-inf")])
def test_no_skew(value: float) -> None:
    """A skew that is no positive number is the programmer's mistake."""
    with pytest.raises(ConfigurationError, match=r"^max_skew is a positive number of seconds$"):
        policy(max_skew=value)


def test_skew() -> None:
    """The skew is the profile's, or the verifier's where it has one."""
    assert policy().skew(GENERIC) == 300
    assert policy().skew(S3) == 900
    assert policy(max_skew=1).skew(S3) == 1


@pytest.mark.parametrize(
    ("knob", "generic", "s3"), [(None, False, True), (False, False, False), (True, True, True)]
)
def test_unsigned_payload(knob: bool | None, generic: bool, s3: bool) -> None:
    """Whether UNSIGNED-PAYLOAD is accepted is the profile's, or the verifier's where it says."""
    made = policy(allow_unsigned_payload=knob)
    assert made.allows_unsigned_payload(GENERIC) is generic
    assert made.allows_unsigned_payload(S3) is s3


def test_header_names() -> None:
    """Names of headers are compared in lower case, and the token's are added by its knob."""
    made = policy(
        require_signed=["Content-Type"],
        allow_unsigned_headers=("X-Amz-Cf-Id",),
        allow_unsigned_session_token=True,
    )
    assert made.require_signed == {"content-type"}
    assert made.may_be_unsigned == {
        "x-amz-cf-id",
        "x-amz-content-sha256",
        "x-amz-security-token",
        "x-amz-s3session-token",
    }
    assert made.token_may_be_unsigned is True


@pytest.mark.parametrize("parameter", ["hosts", "require_signed", "allow_unsigned_headers"])
@pytest.mark.parametrize("value", ["content-type", 5, [5], [None], b"x", (n for n in ("x-a",))])
def test_no_list_of_names(parameter: str, value: Any) -> None:
    """A string, or an iterator, is not taken for a list of names; it would ask for nothing."""
    with pytest.raises(ConfigurationError) as refused:
        policy(**{parameter: value})
    assert str(refused.value) == f"{parameter} is a list of strings"


@pytest.mark.parametrize("parameter", ["require_signed", "allow_unsigned_headers"])
@pytest.mark.parametrize("name", ["", "content_type", "content type", "x-amz-*", "é", "a\n"])
def test_no_header_name(parameter: str, name: str) -> None:
    """A name that no header can have is the programmer's mistake."""
    with pytest.raises(ConfigurationError) as refused:
        policy(**{parameter: ["x-a", name]})
    assert str(refused.value) == f"{parameter}: {name!r} is not the name of a header"


HOSTS = ("API.example.com", "local:8000", ".example.org", "[::1]")


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("api.example.com", True),
        ("Api.Example.COM", True),
        ("api.example.com:80", True),
        ("api.example.com:443", True),
        ("api.example.com:8080", False),
        ("api.example.com:", False),
        ("xapi.example.com", False),
        ("x.api.example.com", False),
        ("api.example.com.evil", False),
        ("example.com", False),
        ("local:8000", True),
        ("local", False),
        ("local:80", False),
        ("a.example.org", True),
        ("a.b.example.org:443", True),
        ("example.org", False),
        ("aexample.org", False),
        ("a.example.org.evil", False),
        ("a.example.org:8000", False),
        ("[::1]", True),
        ("[::1]:80", True),
        ("[::1]:81", False),
        ("", False),
        (":80", False),
        # What only ends like a name below ours.
        ("evil.com/.example.org", False),
        ("evil.com/x.example.org", False),
        ("evil.com?.example.org", False),
        ("evil.com#.example.org", False),
        ("evil.com\\.example.org", False),
        ("evil.com\\xe9.example.org", False),
        ("evil.com:80.example.org", False),
        ("evil.com:80/.example.org", False),
        ("user@a.example.org", False),
        ("evil.com@.example.org", False),
        ("evil.com%2f.example.org", False),
        ("evil.com%00.example.org", False),
        ("evil.com;.example.org", False),
        ("evil.com,.example.org", False),
        ("evil.com .example.org", False),
        ("evil.com\t.example.org", False),
        ("evil.com\n.example.org", False),
        ("a.example.org\n", False),
        (".example.org", False),
        ("a..example.org", False),
        (".a.example.org", False),
        ("[::1].example.org", False),
        ("[.example.org", False),
        ("*.example.org", False),
        ("a.example.org:443:443", False),
        ("a.example.org:+443", False),
        ("a_b.example.org", True),
        ("a-b.0.example.org", True),
        ("xn--caf-dma.example.org", True),
    ],
)
def test_hosts(host: str, accepted: bool) -> None:
    """T46: a Host is one of those named, in any case, with a default port or none, or below one."""
    assert policy(hosts=HOSTS).accepts_host(host) is accepted
    assert policy(hosts=None).accepts_host(host) is True
    assert policy(hosts=()).accepts_host(host) is False


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8000", "[2001:db8::7]:8443", "[::ffff:192.0.2.1]", "api.example.com."),
        *("my_service:5000", "localhost", "a~b", "host:65535"),
    ],
)
def test_host_that_is_named(host: str) -> None:
    """Whatever form of a Host an operator names is accepted as named."""
    assert policy(hosts=[host]).accepts_host(host)


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        *((".example.com", "a.example.com:443"), (".example.com.", "a.example.com.")),
        *((".example.com:8443", "a.example.com:8443"), (".example.com:443", "a.example.com:443")),
        *((".my_services", "b.my_services"), (".XN--Caf-DMA.example", "a.xn--caf-dma.example")),
        *(("[2001:DB8::7]:8443", "[2001:db8::7]:8443"), ("A.example.:80", "a.example.:80")),
        ("a.example:", "a.example:"),
    ],
)
def test_entry_that_matches(entry: str, host: str) -> None:
    """An entry in any form that a Host, or what names end with, can have is no mistake."""
    made = policy(hosts=[entry])
    assert made.accepts_host(host) is True
    assert made.accepts_host(f"x{host}y") is False


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "http://127.0.0.1:8000",
            "127.0.0.1:8000/",
            "127.0.0.1:8000 ",
            " a.example",
            "a.example\n",
        ),
        *("*", "*.example.com", "", ".", "..example.com", "a..example.com", ":8000", "//a.example"),
        *("caf\xe9.example", "::1", "[::1", ".[::1]", ".1]", "a.example:http", "a.example:123456"),
        *("me@a.example", "a.example,b.example", "a.example:80:80", "^.*$"),
    ],
)
def test_entry_that_matches_nothing(entry: str) -> None:
    """An entry that no Host matches would refuse everything, so the mistake shows at start-up."""
    with pytest.raises(ConfigurationError) as refused:
        policy(hosts=["api.example.com", entry])
    assert str(refused.value) == (
        f"hosts: {entry!r} matches no Host header: write host or host:port, as in the Host header "
        "that clients send (api.example.com, 127.0.0.1:8000, [::1]:8000), .example.com for all "
        "names below it, and xn-- for what is not ASCII; to accept any host, leave hosts out (None)"
    )


def test_verifier_hands_its_parameters_on() -> None:
    """The verifier finds the mistakes when it is made, and knows its hosts and profiles."""
    with pytest.raises(ConfigurationError):
        Verifier({ACCESS_KEY_ID: SECRET}, region="us-east-1", service=None)
    verifier = Verifier(
        {}, region=None, service=["items", "s3"], profile={"items": ODD, "s3": S3}, hosts=["A"]
    )
    assert verifier.hosts == ("a",)
    assert verifier.profile("s3") is S3
    assert verifier.profile(None) is ODD
    assert Verifier({}, region=None, service="s3").hosts is None
