"""Several at once, and crashes half way: no key is lost, and nothing is half done."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.django_keys import settings
from tests.django_keys.running import Key
from tests.django_keys.running import Project

pytestmark = pytest.mark.servers

DUMP = """
from wsgi_sigv4.contrib.django.keys.models import AccessKey
for key in AccessKey.objects.order_by("pk"):
    print(key.access_key_id, key.active, key.expires, key.rotated, key.encrypted_secret)
"""


def test_rotated_by_several_at_once(served_project: Project) -> None:
    """One wins, and all others are told which key took its place."""
    keys = [served_project.create().access_key_id for _ in range(3)]
    done = served_project.run("-m", "tests.django_keys.together", *keys)
    assert done.returncode == 0, done.stderr
    for key, told in zip(keys, json.loads(done.stdout), strict=True):
        (new,) = (text.removeprefix("made ") for text in told if text.startswith("made "))
        others = [text for text in told if not text.startswith("made ")]
        assert others == [f"{key} has been rotated already, to {new}"] * (len(told) - 1)
    assert len(served_project.python(DUMP).splitlines()) == 2 * len(keys)


def test_killed_half_way_through_a_rotation(served_project: Project) -> None:
    """The key is as it was, and can be rotated."""
    key = served_project.create()
    before = served_project.python(DUMP)
    done = served_project.run("-m", "tests.django_keys.halfway", "rotate", key.access_key_id)
    assert done.returncode == -signal.SIGKILL
    assert served_project.python(DUMP) == before
    Key.shown(served_project.manage("sigv4_rotate_key", key.access_key_id))


def test_killed_half_way_through_encrypting_anew(served_project: Project) -> None:
    """No secret is changed; the command may be run again, and then the old key can go."""
    old, new = settings.SIGV4_KEY_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    keys = [served_project.create() for _ in range(2)]
    before = served_project.python(DUMP)
    both: dict[str, Any] = {"TEST_ENCRYPTION_KEYS": f"{new} {old}"}
    done = served_project.run("-m", "tests.django_keys.halfway", "reencrypt", "", **both)
    assert done.returncode == -signal.SIGKILL
    assert served_project.python(DUMP) == before
    assert "2 secrets" in served_project.manage("sigv4_reencrypt_keys", **both)
    assert served_project.python(DUMP) != before
    only: dict[str, Any] = {"TEST_ENCRYPTION_KEYS": new}
    served_project.manage("check", "--database=default", **only)
    with served_project.served("--workers=1", **only) as server:
        assert [server.get(key).status_code for key in keys] == [200, 200]


def test_lost_encryption_key(served_project: Project) -> None:
    """Commands and servers say what is missing; with the key back, all is as it was."""
    key = served_project.create()
    before = served_project.python(DUMP)
    wrong: dict[str, Any] = {"TEST_ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    for command in (["sigv4_reencrypt_keys"], ["check", "--database=default"]):
        done = served_project.run("-m", "django", *command, **wrong)
        assert done.returncode != 0
        assert key.access_key_id in done.stderr
        assert re.search("[Pp]ut the missing encryption key back", done.stderr)
    with served_project.served("--workers=1", **wrong) as server:
        assert server.get(key).status_code == 503
    assert "put the one back that is missing" in server.log.read_text(encoding="utf-8")
    assert served_project.python(DUMP) == before
    with served_project.served("--workers=1") as server:
        assert server.get(key).status_code == 200


def test_no_encryption_key(served_project: Project) -> None:
    """A server without any encryption key does not start, and says which setting it misses."""
    environment = {"TEST_ENCRYPTION_KEYS": " "}
    done = served_project.run("-c", "import tests.django_keys.wsgi", **environment)
    assert done.returncode != 0
    assert "SIGV4_KEY_ENCRYPTION_KEYS" in done.stderr
