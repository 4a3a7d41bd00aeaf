"""The life of a key: created, rotated, revoked, its secret encrypted anew.

Each step is one transaction, and begins with the statement that decides: who
comes second finds nothing left to change, on PostgreSQL as on SQLite, which
has no SELECT FOR UPDATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Final

from django.db import IntegrityError
from django.db import router
from django.db import transaction
from django.utils import timezone

from wsgi_sigv4.contrib.django.keys.encryption import get_encryption
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.contrib.encryption import SecretLost
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.providers import new_access_key_id
from wsgi_sigv4.providers import new_secret_access_key

#: How long the old key lives beside the new one.
OVERLAP: Final = timedelta(days=1)


class KeyNotRotated(Exception):
    """The key cannot be rotated: it was already, or is no longer valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new key, and its secret, which nobody can be shown again.

    Attributes:
        key: the key.
        secret: its secret access key.
    """

    key: AccessKey
    secret: Secret


def create_key(owner: Any, *, access_key_id: str | None = None, **fields: Any) -> Issued:
    """Return a new key of *owner*.

    Args:
        owner: the user.
        access_key_id: the id; None: a new one.
        fields: values of other fields: limits, ``expires``, ``note``.

    Raises:
        ValidationError: if a field makes no sense.
        ImproperlyConfigured: if there is no encryption key.
    """
    key = AccessKey(owner=owner, access_key_id=access_key_id or new_access_key_id(), **fields)
    return store(key)


def store(key: AccessKey) -> Issued:
    """Give the new *key* a secret, and save it.

    Raises:
        ValidationError: if a field makes no sense.
        ImproperlyConfigured: if there is no encryption key.
    """
    secret = Secret(new_secret_access_key())
    key.encrypted_secret = get_encryption().encrypt(key.access_key_id, secret)
    key.full_clean(validate_unique=False)
    key.save(force_insert=True)
    return Issued(key=key, secret=secret)


def rotate_key(key: AccessKey, *, overlap: timedelta = OVERLAP) -> Issued:
    """Return a new key beside *key*, which expires when *overlap* has passed.

    The new one has the owner, the limits and the note of the old one, and lives
    as long as that was to live.

    Raises:
        KeyNotRotated: if it has a successor already, or is not valid.
        ImproperlyConfigured: if there is no encryption key.
    """
    if overlap < timedelta(0):
        raise KeyNotRotated("the overlap cannot be negative")
    now = timezone.now()
    try:
        with transaction.atomic(using=router.db_for_write(AccessKey)):
            return _rotate(key.pk, now, now + overlap)
    except IntegrityError as error:
        raise KeyNotRotated(f"{key} has been rotated already") from error


def _rotate(pk: int, now: datetime, until: datetime) -> Issued:
    # A replica may not know yet what has just been written.
    keys = AccessKey.objects.using(router.db_for_write(AccessKey))
    won = keys.filter(pk=pk, rotated=None, active=True).update(rotated=now)
    old = keys.get(pk=pk)
    if not old.is_valid:
        raise KeyNotRotated(f"{old} is not active or has expired: create a new key instead")
    if not won:
        successor = keys.filter(replaces=old).first()
        raise KeyNotRotated(f"{old} has been rotated already, to {successor or 'a deleted key'}")
    lifetime = None if old.expires is None else old.expires - old.created
    new = store(
        AccessKey(
            owner_id=old.owner_id,
            access_key_id=new_access_key_id(),
            expires=lifetime and now + lifetime,
            note=old.note,
            replaces=old,
            **old.limits(),
        )
    )
    # It never lives longer for having been rotated.
    old.expires = until if old.expires is None else min(old.expires, until)
    old.save(update_fields=["expires"])
    return new


def revoke_key(key: AccessKey) -> bool:
    """Make *key* useless; return whether it was still active.

    Other processes refuse it when what they have cached has ended.
    """
    if not AccessKey.objects.filter(pk=key.pk, active=True).update(active=False):
        return False
    key.active = False
    # The signal tells the provider of this process.
    key.save(update_fields=["active"])
    return True


def reencrypt_keys() -> int:
    """Encrypt all secrets with the newest encryption key; return how many were not.

    All or nothing, and it may be run again: before a key is taken off the end
    of the setting, after every process has the new one.

    Raises:
        SecretLost: if a secret cannot be decrypted; none is changed then.
        ImproperlyConfigured: if there is no encryption key.
    """
    encryption = get_encryption()
    changes = [
        (pk, old, encryption.encrypt(access_key_id, encryption.decrypt(access_key_id, old)))
        for pk, access_key_id, old in _secrets()
        if not encryption.is_newest(old)
    ]
    with transaction.atomic(using=router.db_for_write(AccessKey)):
        # Secrets never change otherwise: what is gone was deleted meanwhile.
        return sum(
            AccessKey.objects.filter(pk=pk, encrypted_secret=old).update(encrypted_secret=new)
            for pk, old, new in sorted(changes)
        )


def undecipherable() -> list[str]:
    """Return the ids of keys whose secret none of the encryption keys decrypts.

    Raises:
        ImproperlyConfigured: if there is no encryption key.
    """
    encryption = get_encryption()
    lost = []
    for _, access_key_id, encrypted in _secrets():
        try:
            encryption.decrypt(access_key_id, encrypted)
        except SecretLost:
            lost.append(access_key_id)
    return sorted(lost)


def _secrets() -> list[tuple[int, str, str]]:
    keys = AccessKey.objects.using(router.db_for_write(AccessKey)).order_by("pk")
    return list(keys.values_list("pk", "access_key_id", "encrypted_secret"))
