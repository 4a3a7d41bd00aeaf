"""The signing key and its cache."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.core.signing import ACCESS_KEY_ID
from tests.core.signing import NOW
from tests.core.signing import SECRET
from wsgi_sigv4.credentials import CredentialScope
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.signing_key import SigningKeyCache
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.signing_key import hmac_sha256

SCOPE = CredentialScope(date="20261121", region="us-east-1", service="items")
KEY = b"K" * 32
DAY = 86_400


def test_derivation() -> None:
    """The signing key is that of AWS's documented example (IAM, 30 August 2015)."""
    scope = CredentialScope(date="20150830", region="us-east-1", service="iam")
    assert derive_signing_key(Secret(SECRET), scope).hex() == (
        "2c94c0cf5378ada6887f09bb697df8fc0affdb34ba1cdd5bda32b664bd55b73c"
    )


@pytest.mark.parametrize(
    "other", [{"date": "20261122"}, {"region": "x"}, {"service": "x"}, {"terminator": "x"}]
)
def test_derivation_depends_on_every_part(other: dict[str, str]) -> None:
    """T35: a signing key is good for one date, region, service and terminator."""
    key = derive_signing_key(Secret(SECRET), SCOPE)
    assert len(key) == 32
    assert derive_signing_key(Secret(SECRET), replace(SCOPE, **other)) != key
    assert derive_signing_key(Secret(SECRET + "x"), SCOPE) != key


def test_hmac() -> None:
    """The HMAC is that of RFC 4231, test case 2."""
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_cache_finds_what_was_put() -> None:
    """A key is found for its id, secret and scope, and for no other."""
    cache = SigningKeyCache()
    assert cache.get(ACCESS_KEY_ID, Secret(SECRET), SCOPE, now=NOW) is None
    cache.put(ACCESS_KEY_ID, Secret(SECRET), SCOPE, KEY, now=NOW)
    assert cache.get(ACCESS_KEY_ID, Secret(SECRET), replace(SCOPE), now=NOW) == KEY
    assert cache.get("AKIAOTHER", Secret(SECRET), SCOPE, now=NOW) is None
    assert cache.get(ACCESS_KEY_ID, Secret("changed"), SCOPE, now=NOW) is None
    assert cache.get(ACCESS_KEY_ID, Secret(SECRET), replace(SCOPE, region="x"), now=NOW) is None
    assert len(cache) == 1


def test_cache_is_bounded() -> None:
    """T45: the cache holds so many keys and no more; the one used longest ago goes first."""
    cache = SigningKeyCache(size=2)
    secret = Secret(SECRET)
    for key_id in "ab":
        cache.put(key_id, secret, SCOPE, KEY, now=NOW)
    cache.get("a", secret, SCOPE, now=NOW)
    cache.put("c", secret, SCOPE, KEY, now=NOW)
    assert len(cache) == 2
    found = {key_id: cache.get(key_id, secret, SCOPE, now=NOW) is not None for key_id in "abc"}
    assert found == {"a": True, "b": False, "c": True}


def test_cache_is_bounded_by_default() -> None:
    """T45: without a size the bound is 4096 keys."""
    cache = SigningKeyCache()
    for number in range(4100):
        cache.put(str(number), Secret(SECRET), SCOPE, KEY, now=NOW)
    assert len(cache) == 4096


def test_cache_outlives_a_key_dropped_meanwhile() -> None:
    """T46: a key that another thread drops while it is read is found all the same."""

    class Slow(Secret):
        def __eq__(self, other: object) -> bool:
            cache.put("other", Secret(SECRET), SCOPE, KEY, now=NOW)
            return True

        __hash__ = Secret.__hash__

    cache = SigningKeyCache(size=1)
    cache.put("a", Slow(SECRET), SCOPE, KEY, now=NOW)
    assert cache.get("a", Secret(SECRET), SCOPE, now=NOW) == KEY
    assert cache.get("a", Secret(SECRET), SCOPE, now=NOW) is None


def test_threads_share_a_cache() -> None:
    """T46: without a lock no thread fails, none finds another key's, and the bound holds."""
    cache, secret = SigningKeyCache(size=3), Secret(SECRET)

    def use(thread: int) -> None:
        for number in range(500):
            name = str((thread + number) % 8)
            found = cache.get(name, secret, SCOPE, now=NOW + number % 3 // 2 * DAY)
            assert found in (None, name.encode())
            cache.put(name, secret, SCOPE, name.encode(), now=NOW)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(use, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert len(cache) <= 3


def test_cache_forgets_at_midnight() -> None:
    """Keys are gone at midnight UTC, whichever of reading and writing comes first."""
    midnight = NOW - NOW % DAY + DAY
    cache = SigningKeyCache()
    secret = Secret(SECRET)
    cache.put("a", secret, SCOPE, KEY, now=midnight - DAY)
    assert cache.get("a", secret, SCOPE, now=midnight - 0.001) == KEY
    assert cache.get("a", secret, SCOPE, now=midnight) is None
    assert len(cache) == 0
    cache.put("a", secret, SCOPE, KEY, now=midnight)
    cache.put("b", secret, SCOPE, KEY, now=midnight + DAY)
    assert len(cache) == 1


def test_cache_shows_no_key() -> None:
    """T39: the repr of the cache tells how many keys it holds, and none of them."""
    cache = SigningKeyCache()
    cache.put(ACCESS_KEY_ID, Secret(SECRET), SCOPE, KEY, now=NOW)
    assert repr(cache) == "SigningKeyCache(<1 keys>)"
