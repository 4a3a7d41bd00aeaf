"""The life of a key, step by step."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.fernet import MultiFernet
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db import transaction
from django.utils import timezone

from tests.django_keys import settings as project
from wsgi_sigv4.contrib.django.keys import issuing
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import KeyNotRotated
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.issuing import reencrypt_keys
from wsgi_sigv4.contrib.django.keys.issuing import revoke_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.issuing import undecipherable
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.contrib.encryption import SecretLost

OLD = project.SIGV4_KEY_ENCRYPTION_KEYS[0]


def decrypted(key: AccessKey, *keys: str) -> str:
    """Return the text that is encrypted in the column, by cryptography itself."""
    key.refresh_from_db()
    fernet = MultiFernet([Fernet(k) for k in keys or [OLD]])
    return fernet.decrypt(key.encrypted_secret).decode()


def test_create(ada: User) -> None:
    """A new key has AWS's form, a secret of 40 characters, and only that is encrypted."""
    issued = create_key(ada, note="laptop")
    assert re.fullmatch("AKIA[A-Z2-7]{16}", issued.key.access_key_id)
    secret = issued.secret.reveal()
    assert re.fullmatch("[A-Za-z0-9+/]{40}", secret)
    assert decrypted(issued.key) == f"{issued.key.access_key_id}\n{secret}"
    assert issued.key.is_valid
    assert secret not in repr(vars(issued.key)) + repr(issued) + str(issued.key)


def test_ids_and_secrets_differ(ada: User) -> None:
    """No two keys are alike."""
    made = [create_key(ada) for _ in range(20)]
    assert len({issued.key.access_key_id for issued in made}) == 20
    assert len({issued.secret.reveal() for issued in made}) == 20


@pytest.mark.parametrize(
    "fields",
    [
        {"regions": ["eu west"]},
        {"regions": "us-east-1"},
        {"regions": {"us-east-1": 1}},
        {"regions": None},
        {"services": [5]},
        {"methods": ["get"]},
        {"path_prefixes": ["reports"]},
        {"max_expires": 0},
        {"max_expires": 604801},
        {"note": "x" * 201},
    ],
    ids=str,
)
def test_limits_that_make_no_sense(ada: User, fields: dict[str, Any]) -> None:
    """A key with limits that mean nothing is not made."""
    with pytest.raises(ValidationError):
        create_key(ada, **fields)
    assert not AccessKey.objects.exists()


def test_id_is_unique(issued: Issued, ada: User) -> None:
    """Two keys cannot have one id."""
    with pytest.raises(IntegrityError), transaction.atomic():
        create_key(ada, access_key_id=issued.key.access_key_id)


@pytest.mark.parametrize("keys", [None, [], "no list", ["too short"], [5], ["", OLD]])
def test_no_encryption_key(ada: User, settings: Any, keys: object) -> None:
    """Without an encryption key, or with one that is none, no key is made."""
    settings.SIGV4_KEY_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="SIGV4_KEY_ENCRYPTION_KEYS") as caught:
        create_key(ada)
    assert "too short" not in str(caught.value)
    assert not AccessKey.objects.exists()


def test_secret_key_is_no_encryption_key(ada: User, settings: Any) -> None:
    """SECRET_KEY, which is rotated for other reasons, is refused even where it is a Fernet key."""
    settings.SECRET_KEY = OLD
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        create_key(ada)


def test_rotate(ada: User) -> None:
    """Rotation makes a key beside the old one, which expires when the overlap has passed."""
    limits: dict[str, Any] = {
        "regions": ["eu-west-1"],
        "methods": ["GET"],
        "presigned": True,
        "max_expires": 60,
    }
    old = create_key(ada, note="laptop", **limits)
    now = timezone.now()
    new = rotate_key(old.key, overlap=timedelta(hours=2))
    old.key.refresh_from_db()
    assert old.key.expires is not None
    assert abs(old.key.expires - now - timedelta(hours=2)) < timedelta(seconds=10)
    assert old.key.is_valid
    assert new.key.access_key_id != old.key.access_key_id
    assert new.secret != old.secret
    assert (new.key.owner, new.key.note, new.key.expires) == (ada, "laptop", None)
    assert new.key.replaces == old.key
    assert {name: new.key.limits()[name] for name in limits} == limits


def test_rotate_expiring(ada: User) -> None:
    """A key does not live longer for being rotated, and its successor as long as it was to live."""
    soon = timezone.now() + timedelta(minutes=5)
    old = create_key(ada, created=timezone.now() - timedelta(days=90), expires=soon)
    new = rotate_key(old.key, overlap=timedelta(days=1))
    old.key.refresh_from_db()
    assert old.key.expires == soon
    assert new.key.expires is not None
    assert timedelta(days=89) < new.key.expires - timezone.now() < timedelta(days=91)


def test_rotate_twice(issued: Issued) -> None:
    """Who rotates a key second is told which key took its place, and nothing changes."""
    new = rotate_key(issued.key)
    issued.key.refresh_from_db()
    expires = issued.key.expires
    with pytest.raises(KeyNotRotated, match=new.key.access_key_id):
        rotate_key(issued.key, overlap=timedelta(days=30))
    issued.key.refresh_from_db()
    assert issued.key.expires == expires
    assert AccessKey.objects.count() == 2


def test_two_successors_cannot_be(issued: Issued, ada: User) -> None:
    """Whatever else goes wrong, the database lets no key have two successors."""
    rotate_key(issued.key)
    AccessKey.objects.filter(pk=issued.key.pk).update(rotated=None)
    with pytest.raises(KeyNotRotated, match="already"):
        rotate_key(issued.key)
    assert AccessKey.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"expires": timezone.now() - timedelta(seconds=1)}],
    ids=["revoked", "expired"],
)
def test_rotate_what_is_not_valid(issued: Issued, change: dict[str, Any]) -> None:
    """A key that is refused already is not brought back by rotation."""
    AccessKey.objects.filter(pk=issued.key.pk).update(**change)
    with pytest.raises(KeyNotRotated, match="create a new key"):
        rotate_key(issued.key)
    assert AccessKey.objects.get().rotated is None


def test_negative_overlap(issued: Issued) -> None:
    """An overlap in the past is a mistake."""
    with pytest.raises(KeyNotRotated, match="negative"):
        rotate_key(issued.key, overlap=timedelta(seconds=-1))


def test_crash_between_the_steps(issued: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation that fails half way leaves the key as it was."""

    def fail(key: AccessKey) -> Issued:
        raise RuntimeError("half way")

    monkeypatch.setattr(issuing, "store", fail)
    with pytest.raises(RuntimeError, match="half way"):
        rotate_key(issued.key)
    monkeypatch.undo()
    found = AccessKey.objects.get()
    assert (found.rotated, found.expires, found.active) == (None, None, True)
    rotate_key(issued.key)


def test_revoke(issued: Issued) -> None:
    """A revoked key is no longer valid, and that can be said but once."""
    assert revoke_key(issued.key)
    assert not AccessKey.objects.get().is_valid
    assert not revoke_key(issued.key)


def test_reencrypt(settings: Any, issued: Issued, ada: User) -> None:
    """With a new key in front, all secrets are encrypted anew, and the old one can go."""
    new = Fernet.generate_key().decode()
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new, OLD]
    later = create_key(ada)
    assert reencrypt_keys() == 1
    assert reencrypt_keys() == 0
    for each in (issued, later):
        assert decrypted(each.key, new).endswith(f"\n{each.secret.reveal()}")
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new]
    assert undecipherable() == []


def test_reencrypt_with_a_lost_key(settings: Any, issued: Issued, ada: User) -> None:
    """Where one secret cannot be decrypted, nothing is changed, and no key is lost."""
    other, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [other]
    foreign = create_key(ada)
    before = list(AccessKey.objects.order_by("pk").values())
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new, OLD]
    with pytest.raises(SecretLost, match=foreign.key.access_key_id):
        reencrypt_keys()
    assert undecipherable() == [foreign.key.access_key_id]
    assert list(AccessKey.objects.order_by("pk").values()) == before
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new, OLD, other]
    assert reencrypt_keys() == 2
    assert decrypted(foreign.key, new).endswith(foreign.secret.reveal())


def test_secret_of_another_key(issued: Issued, ada: User) -> None:
    """Who can write to the database cannot give one key the secret of another."""
    stolen = create_key(ada)
    text = stolen.key.encrypted_secret
    AccessKey.objects.filter(pk=issued.key.pk).update(encrypted_secret=text)
    assert undecipherable() == [issued.key.access_key_id]
