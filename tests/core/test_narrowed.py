"""A narrowed verifier, and an identity that is shown to somebody who did not make it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.auth import SigV4Auth

from tests.core.messages import Message
from tests.core.oracles import sign_with_botocore
from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4 import GENERIC
from wsgi_sigv4 import S3
from wsgi_sigv4 import ConfigurationError
from wsgi_sigv4 import Credentials
from wsgi_sigv4 import Identity
from wsgi_sigv4 import Request
from wsgi_sigv4 import SigV4Error
from wsgi_sigv4 import Verifier
from wsgi_sigv4.errors import ScopeMismatch

REGIONS = ("us-east-1", "eu-west-1")
SERVICES = ("items", "files")


class Counting:
    """A provider that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def lookup(self, access_key_id: str, **_: object) -> Credentials | None:
        """Return the credentials of *access_key_id*."""
        self.asked += 1
        return Credentials(SECRET) if access_key_id == ACCESS_KEY_ID else None


def wide(**parameters: Any) -> Verifier:
    """Return a verifier of two regions and two services, with a frozen clock."""
    options: dict[str, Any] = {"region": REGIONS, "service": SERVICES, **parameters}
    return Verifier({ACCESS_KEY_ID: SECRET}, clock=lambda: NOW, **options)


def signed(region: str = "us-east-1", service: str = "items", target: str = "/items") -> Message:
    """Return a request that botocore signed for *region* and *service*."""
    return sign_with_botocore(SigV4Auth, "GET", target, region=region, service=service).message


def as_request(message: Message, routed_path: bytes | None = None) -> Request:
    """Return *message* as the verifier takes it, routed on *routed_path*."""
    return Request(
        method=message.method,
        path=message.path,
        query=message.query,
        headers=message.headers,
        routed_path=routed_path,
    )


def identity_of(verifier: Verifier, message: Message) -> Identity:
    """Return the identity that *verifier* makes of *message*."""
    return verifier.verify(as_request(message)).finish()


@pytest.mark.parametrize(
    ("narrow", "scope", "fault"),
    [
        pytest.param({}, ("eu-west-1", "files"), None, id="as it was"),
        pytest.param({"region": "us-east-1"}, ("us-east-1", "files"), None, id="region"),
        pytest.param({"region": "us-east-1"}, ("eu-west-1", "items"), "region", id="other region"),
        pytest.param({"service": "files"}, ("eu-west-1", "files"), None, id="service"),
        pytest.param({"service": ["files"]}, ("us-east-1", "items"), "service", id="other service"),
        pytest.param({"service": SERVICES}, ("us-east-1", "items"), None, id="all services"),
        pytest.param(
            {"region": REGIONS}, ("us-east-1", "other"), "service", id="not the wide one's"
        ),
    ],
)
def test_narrowed(narrow: dict[str, Any], scope: tuple[str, str], fault: str | None) -> None:
    """A narrowed verifier accepts what it was narrowed to, and names the scope it expects else."""
    narrowed = wide().narrowed(**narrow)
    if fault is None:
        assert identity_of(narrowed, signed(*scope)).access_key_id == ACCESS_KEY_ID
    else:
        with pytest.raises(ScopeMismatch) as caught:
            identity_of(narrowed, signed(*scope))
        assert caught.value.faults == (fault,)


def test_narrowed_leaves_the_wide_one_alone() -> None:
    """Narrowing makes another verifier; the first goes on as it was."""
    verifier = wide()
    verifier.narrowed(service="files", region="eu-west-1")
    assert identity_of(verifier, signed("us-east-1", "items")).scope.region == "us-east-1"


@pytest.mark.parametrize(
    "narrow",
    [
        pytest.param({"region": "eu-north-1"}, id="region"),
        pytest.param({"service": ["items", "other"]}, id="service"),
        pytest.param({"service": []}, id="nothing"),
        pytest.param({"service": "no service"}, id="no part of a scope"),
    ],
)
def test_narrowed_cannot_widen(narrow: dict[str, Any]) -> None:
    """A narrowed verifier accepts nothing that the wide one does not."""
    with pytest.raises(ConfigurationError):
        wide().narrowed(**narrow)


def test_narrowed_from_any() -> None:
    """Where any region and service is accepted, a narrowed verifier accepts just those named."""
    narrowed = wide(region=None, service=None, profile=S3).narrowed(region="us-east-1", service="x")
    assert narrowed.profile("x") is S3
    assert narrowed.profile(None) is S3
    with pytest.raises(ScopeMismatch):
        narrowed.prepare(as_request(signed("us-east-1", "items")))


def test_narrowed_keeps_the_profile_of_each_service() -> None:
    """A service that is left is verified as before."""
    odd = replace(GENERIC, double_encode_path=False)
    narrowed = wide(profile={"items": GENERIC, "files": odd}).narrowed(service="files")
    assert narrowed.profile("files") is odd
    assert narrowed.profile("items") is odd


def test_narrowed_shares_provider_and_signing_keys() -> None:
    """What one of them has looked up and derived is there for the other."""
    provider = Counting()
    verifier = Verifier(provider, region=None, service="items", clock=lambda: NOW)
    narrowed = verifier.narrowed(region="us-east-1")
    assert narrowed.provider is provider
    assert vars(narrowed)["_signing_keys"] is vars(verifier)["_signing_keys"]
    assert narrowed.clock() == NOW


@pytest.mark.parametrize(
    ("narrow", "faults"),
    [
        pytest.param({}, None, id="wide"),
        pytest.param({"region": "us-east-1", "service": "items"}, None, id="its own"),
        pytest.param({"region": "eu-west-1"}, ("region",), id="region"),
        pytest.param({"service": "files"}, ("service",), id="service"),
    ],
)
def test_check_scope(narrow: dict[str, Any], faults: tuple[str, ...] | None) -> None:
    """An identity of the wide verifier is measured by rule 6 of the narrowed one."""
    verifier = wide()
    identity = identity_of(verifier, signed("us-east-1", "items"))
    narrowed = verifier.narrowed(**narrow)
    if faults is None:
        narrowed.check_scope(identity)
        return
    with pytest.raises(ScopeMismatch) as caught:
        narrowed.check_scope(identity)
    error: SigV4Error = caught.value
    assert caught.value.faults == faults
    assert (error.access_key_id, error.service, error.presigned) == (ACCESS_KEY_ID, "items", False)


@pytest.mark.parametrize(
    ("change", "vouches"),
    [
        pytest.param({}, True, id="the same request"),
        pytest.param({"routed_path": b"/a/b"}, True, id="routed on the verified path"),
        pytest.param({"routed_path": b"/a//b"}, False, id="routed on another spelling"),
        pytest.param({"routed_path": b"/admin"}, False, id="T40 path rewritten, target kept"),
        pytest.param({"path": b"/admin"}, False, id="T40 path rewritten"),
        pytest.param({"query": b"a=2"}, False, id="T40 query"),
        pytest.param({"method": "DELETE"}, False, id="T40 method"),
    ],
)
def test_t40_identity_vouches_for_its_request_only(change: dict[str, Any], vouches: bool) -> None:
    """T40: an identity says nothing of another method, path or query, nor of another route."""
    verifier = wide()
    message = signed(target="/a//b?a=1")
    identity = identity_of(verifier, message)
    assert identity.is_from(verifier, replace(as_request(message), **change)) is vouches


def test_t40_identity_of_another_verifier() -> None:
    """T40: an identity says nothing to a verifier that did not make it."""
    message = signed()
    identity = identity_of(wide(), message)
    assert not identity.is_from(wide(), as_request(message))
