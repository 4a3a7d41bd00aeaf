"""The commands: what they print, what they refuse, and where the secret goes."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.core.management import call_command
from django.utils import timezone

from tests.django.signing import send
from tests.django_keys.signing import sign
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.credentials import Secret


def run(name: str, *args: str) -> tuple[str, str]:
    """Return what a command prints, and what it says beside that."""
    out, err = StringIO(), StringIO()
    call_command(name, *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def made(printed: str) -> Issued:
    """Return the key whose section a command has printed, which is all it has printed."""
    section = r"\[ada\]\naws_access_key_id = (\S+)\naws_secret_access_key = (\S+)\n"
    found = re.fullmatch(section, printed)
    assert found is not None, printed
    return Issued(key=AccessKey.objects.get(access_key_id=found[1]), secret=Secret(found[2]))


def test_create(ada: User) -> None:
    """The section for ~/.aws/credentials is all that goes to the standard output."""
    out, err = run("sigv4_create_key", "ada", "--note", "laptop")
    issued = made(out)
    assert "shown this once" in err
    assert issued.secret.reveal() not in err
    assert issued.key.note == "laptop"
    assert (issued.key.expires, issued.key.presigned) == (None, None)
    assert send(sign(issued)).json()["user"] == "ada"


def test_create_with_limits(ada: User) -> None:
    """Each limit has an option."""
    out, _ = run(
        *("sigv4_create_key", "ada", "--expires-in", "90d", "--presigned-only"),
        *("--region", "us-east-1", "--region", "eu-west-1", "--service", "items"),
        *("--method", "GET", "--path-prefix", "/reports", "--max-expires", "60"),
    )
    key = made(out).key
    assert key.expires is not None
    assert timedelta(days=89) < key.expires - timezone.now() <= timedelta(days=90)
    assert key.limits() == {
        "regions": ["us-east-1", "eu-west-1"],
        "services": ["items"],
        "methods": ["GET"],
        "path_prefixes": ["/reports"],
        "presigned": True,
        "max_expires": 60,
    }
    assert made(run("sigv4_create_key", "ada", "--header-only")[0]).key.presigned is False


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (["bob"], "there is no user 'bob'"),
        (["ada", "--expires-in", "soon"], "'soon' is no duration"),
        (["ada", "--expires-in", "-1d"], "expected one argument"),
        (["ada", "--path-prefix", "reports"], "path_prefixes"),
        (["ada", "--max-expires", "0"], "max_expires"),
        (["ada", "--presigned-only", "--header-only"], "not allowed with"),
        ([], "USERNAME"),
    ],
)
def test_create_with_a_mistake(ada: User, args: list[str], fault: str) -> None:
    """A mistake is told, and no key is made."""
    with pytest.raises(CommandError, match=fault):
        run("sigv4_create_key", *args)
    assert not AccessKey.objects.exists()


@pytest.mark.parametrize("name", ["sigv4_create_key", "sigv4_rotate_key", "sigv4_reencrypt_keys"])
def test_no_encryption_key(settings: Any, issued: Issued, name: str) -> None:
    """Without an encryption key the command says which setting it misses, and changes nothing."""
    settings.SIGV4_KEY_ENCRYPTION_KEYS = None
    subject = {"sigv4_create_key": ["ada"], "sigv4_rotate_key": [str(issued.key)]}.get(name, [])
    with pytest.raises(CommandError, match="SIGV4_KEY_ENCRYPTION_KEYS is missing"):
        run(name, *subject)
    assert AccessKey.objects.get().rotated is None


def test_rotate(issued: Issued) -> None:
    """The new key is printed, and until when the old one goes on to work."""
    out, err = run("sigv4_rotate_key", str(issued.key), "--overlap", "2h")
    new = made(out)
    issued.key.refresh_from_db()
    assert issued.key.expires is not None
    assert f"{issued.key} works until {issued.key.expires:%Y-%m-%d %H:%M}" in err
    assert send(sign(issued)).status_code == send(sign(new)).status_code == 200


def test_rotate_twice(issued: Issued) -> None:
    """Who comes second is told which key there is."""
    new = rotate_key(issued.key)
    with pytest.raises(CommandError, match=f"rotated already, to {new.key}"):
        run("sigv4_rotate_key", str(issued.key))


def test_revoke(issued: Issued, ada: User) -> None:
    """Keys are revoked; one that had been before is no error."""
    other = create_key(ada).key
    assert run("sigv4_revoke_key", str(other))[0] == f"{other} is revoked\n"
    out, _ = run("sigv4_revoke_key", str(issued.key), str(other))
    assert out == f"{issued.key} is revoked\n{other} had been revoked before\n"
    assert not AccessKey.objects.filter(active=True).exists()


@pytest.mark.parametrize("name", ["sigv4_revoke_key", "sigv4_rotate_key"])
def test_no_such_key(issued: Issued, name: str) -> None:
    """A key that is not there is an error, and the others stay as they are."""
    keys = [str(issued.key), "AKIANONE"] if name == "sigv4_revoke_key" else ["AKIANONE"]
    with pytest.raises(CommandError, match="there is no access key AKIANONE"):
        run(name, *keys)
    assert AccessKey.objects.get().is_valid


def test_list(issued: Issued, ada: User) -> None:
    """Each key is a line, with its state and without its secret."""
    bob = User.objects.create_user("bob", is_active=False)
    create_key(bob, note="two\nlines")
    create_key(ada, expires=timezone.now(), note="old")
    create_key(ada, active=False, note="stolen")
    AccessKey.objects.filter(pk=issued.key.pk).update(last_used=timezone.now())
    out, _ = run("sigv4_list_keys")
    heading, *lines = out.splitlines()
    assert heading.startswith("ACCESS KEY ID")
    states = [re.split("  +", line)[1:3] for line in lines]
    expected = [["ada", "revoked"], ["ada", "expired"], ["bob", "owner inactive"], ["ada", "valid"]]
    assert states == expected
    assert "two?lines" in out
    assert issued.secret.reveal() not in out
    (only,) = run("sigv4_list_keys", "--valid")[0].splitlines()[1:]
    assert issued.key.access_key_id in only
    assert len(run("sigv4_list_keys", "--owner", "bob")[0].splitlines()) == 2
    with pytest.raises(CommandError, match="there is no user"):
        run("sigv4_list_keys", "--owner", "eve")


def test_list_of_naive_times(settings: Any, issued: Issued) -> None:
    """A project without time zones is shown its own times."""
    settings.USE_TZ = False
    assert issued.key.access_key_id in run("sigv4_list_keys")[0]


def test_list_of_none(db: None) -> None:
    """Without keys there is the heading alone."""
    assert len(run("sigv4_list_keys")[0].splitlines()) == 1


def test_reencrypt(settings: Any, issued: Issued) -> None:
    """Secrets are encrypted anew; where one cannot be, it is told which, and how it is mended."""
    old = list(settings.SIGV4_KEY_ENCRYPTION_KEYS)
    new = Fernet.generate_key().decode()
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new]
    with pytest.raises(CommandError) as caught:
        run("sigv4_reencrypt_keys")
    assert f"decrypts the secrets of {issued.key}. Put the missing" in str(caught.value)
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new, *old]
    assert run("sigv4_reencrypt_keys")[0] == "1 secrets encrypted with the newest key\n"
    assert run("sigv4_reencrypt_keys")[0] == "0 secrets encrypted with the newest key\n"
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [new]
    settings.SIGV4 = dict(settings.SIGV4)
    assert send(sign(issued)).status_code == 200
