"""The provider, behind the middleware: who is let in, who is not, and what it costs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.django.signing import code_of
from tests.django.signing import connections_kept
from tests.django_keys.signing import sign
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.issuing import revoke_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.contrib.django.keys.provider import AccessKeyProvider

Exchange = Callable[..., Any]


def is_denied(answer: Any) -> bool:
    """Return whether *answer* says that the key may not do that."""
    return bool(answer.status_code == 403 and code_of(answer) == "AccessDeniedException")


@pytest.mark.parametrize("target", ["/whoami", "/async-whoami"])
def test_owner(exchange: Exchange, issued: Issued, target: str) -> None:
    """T37: a signed request is that of the key's owner; no USER in the setting is needed."""
    answer = exchange(sign(issued, target))
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told.pop("pid")
    owner = issued.key.owner
    key = issued.key.access_key_id
    assert told == {"key": key, "principal": owner.pk, "user": "ada"}


def test_owner_and_not_the_session(issued: Issued) -> None:
    """T37: whoever is logged in, the user is the key's owner."""
    client = Client()
    client.force_login(User.objects.create_user("victim"))
    sent = sign(issued)
    assert client.request(**sent.environ()).json()["user"] == "ada"


def test_user_of_the_setting(settings: Any, issued: Issued) -> None:
    """USER in the setting goes before the owner that the provider knows; None is nobody."""
    settings.SIGV4 = {**settings.SIGV4, "USER": None}
    assert Client().request(**sign(issued).environ()).json()["user"] == ""


def test_principal_of_another_provider(settings: Any, issued: Issued) -> None:
    """A principal that another provider gave makes nobody the user who has it as primary key."""
    from wsgi_sigv4 import Credentials

    other = {"AKIDOTHER": Credentials("other", principal=issued.key.owner_id)}
    settings.SIGV4 = {
        **settings.SIGV4,
        "CREDENTIALS": other,
        "USER": "wsgi_sigv4.contrib.django.keys.provider.owner",
    }
    from tests.django.signing import sign as sign_with

    sent = sign_with(key="AKIDOTHER", secret="other")
    assert Client().request(**sent.environ()).json()["user"] == ""


def test_id_of_another_provider(settings: Any, issued: Issued) -> None:
    """A key that another provider answered for is not that of the owner of the id in our table."""
    from wsgi_sigv4 import Credentials

    other = {issued.key.access_key_id: Credentials(issued.secret, principal="eve")}
    settings.SIGV4 = {
        **settings.SIGV4,
        "CREDENTIALS": other,
        "USER": "wsgi_sigv4.contrib.django.keys.provider.owner",
    }
    assert Client().request(**sign(issued).environ()).json()["user"] == ""


def test_unknown_key(exchange: Exchange, issued: Issued) -> None:
    """A key that is not in the database is refused as unknown."""
    AccessKey.objects.all().delete()
    answer = exchange(sign(issued))
    assert (answer.status_code, code_of(answer)) == (403, "UnrecognizedClientException")


def test_wrong_secret(exchange: Exchange, issued: Issued, ada: User) -> None:
    """A key with another's secret is refused."""
    other = create_key(ada)
    answer = exchange(sign(Issued(key=issued.key, secret=other.secret)))
    assert (answer.status_code, code_of(answer)) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("cached", [False, True])
def test_revoked(exchange: Exchange, issued: Issued, cached: bool) -> None:
    """A revoked key is refused at once in the process that revoked it, cached or not."""
    if cached:
        assert exchange(sign(issued)).status_code == 200
    # In a test there is no commit that would tell the provider.
    with connections_kept():
        from django.test import TestCase

        with TestCase.captureOnCommitCallbacks(execute=True):
            revoke_key(issued.key)
    answer = exchange(sign(issued))
    assert (answer.status_code, code_of(answer)) == (403, "UnrecognizedClientException")


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"is_active": True}], ids=["inactive", "active"]
)
def test_inactive_owner(exchange: Exchange, issued: Issued, change: dict[str, bool]) -> None:
    """T37: the keys of an owner who may not log in are refused."""
    User.objects.update(**change)
    expected = 200 if change["is_active"] else 403
    assert exchange(sign(issued)).status_code == expected


def test_expired(exchange: Exchange, ada: User) -> None:
    """An expired key is refused, and its owner is told so."""
    old = create_key(ada, expires=timezone.now() - timedelta(seconds=1))
    answer = exchange(sign(old))
    assert answer.status_code == 403
    assert code_of(answer) == "ExpiredTokenException"


def test_both_keys_of_a_rotation(exchange: Exchange, issued: Issued) -> None:
    """In the overlap both keys are good; afterwards the new one is."""
    new = rotate_key(issued.key)
    assert exchange(sign(issued)).status_code == 200
    assert exchange(sign(new)).status_code == 200
    AccessKey.objects.filter(pk=issued.key.pk).update(expires=timezone.now())
    from wsgi_sigv4.contrib.django.conf import get_verifier

    provider = get_verifier().provider
    assert isinstance(provider, AccessKeyProvider)
    provider.forget(issued.key.access_key_id)
    assert exchange(sign(issued)).status_code == 403
    assert exchange(sign(new)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"regions": ["eu-west-1"]}, {}),
        ({"services": ["s3"]}, {}),
        ({"methods": ["PUT"]}, {}),
        ({"path_prefixes": ["/reports"]}, {}),
        ({"presigned": True}, {}),
        ({"presigned": False}, {"presigned": True}),
        ({"max_expires": 60}, {"presigned": True}),
    ],
    ids=str,
)
def test_limits(
    exchange: Exchange, ada: User, fields: dict[str, Any], options: dict[str, Any]
) -> None:
    """Each limit of the model is one for the verifier, and refuses what exceeds it."""
    narrow, wide = create_key(ada, **fields), create_key(ada)
    assert is_denied(exchange(sign(narrow, "/whoami", **options)))
    assert exchange(sign(wide, "/whoami", **options)).status_code == 200


def test_limits_that_allow(exchange: Exchange, ada: User) -> None:
    """A request within all limits is let in."""
    key = create_key(
        ada,
        regions=["us-east-1"],
        services=["items", "s3"],
        methods=["GET"],
        path_prefixes=["/whoami"],
        presigned=False,
        max_expires=60,
    )
    assert exchange(sign(key)).status_code == 200


@pytest.mark.parametrize("value", ["us-east-1", {}, [1], [""], 5], ids=repr)
def test_limits_spoilt_in_the_database(
    exchange: Exchange, issued: Issued, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit that makes no sense, put there past the forms, opens nothing."""
    AccessKey.objects.update(regions=value)
    assert exchange(sign(issued)).status_code == 503
    assert issued.key.access_key_id in caplog.text


def test_lost_encryption_key(
    settings: Any, exchange: Exchange, issued: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    """With a wrong encryption key the answer is 503, the log says which, and no key is lost."""
    good = settings.SIGV4_KEY_ENCRYPTION_KEYS
    settings.SIGV4_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.SIGV4 = dict(settings.SIGV4)
    answer = exchange(sign(issued))
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers or "retry-after" in answer.headers
    assert f"the access key {issued.key.access_key_id} cannot be used" in caplog.text
    assert "put the one back that is missing" in caplog.text
    settings.SIGV4_KEY_ENCRYPTION_KEYS = good
    assert exchange(sign(issued)).status_code == 200


def test_one_query(exchange: Exchange, issued: Issued) -> None:
    """However many requests a key signs, the database is asked for it once."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(5):
            assert exchange(sign(issued, "/key")).status_code == 200
    assert len([q for q in queries if "wsgi_sigv4_keys_accesskey" in q["sql"]]) == 1


@pytest.mark.parametrize("name", ["AKIA\0", "é", "A" * 200])
def test_ids_that_no_database_takes(issued: Issued, provider: AccessKeyProvider, name: str) -> None:
    """What cannot be a key id is unknown, and no error of the database's."""
    assert provider.lookup(name, scope=None, session_token=None) is None  # type: ignore[arg-type]


class Down:
    """Fails every query, as a database does that is not there."""

    def __call__(self, execute: object, sql: str, *args: object) -> Any:
        if "wsgi_sigv4_keys_accesskey" in sql:
            raise OperationalError("the database is not there")
        return execute(sql, *args)  # type: ignore[operator]


def test_database_down(exchange: Exchange, ada: User, caplog: pytest.LogCaptureFixture) -> None:
    """A database that is down is 503 for keys that were not asked for, and nothing for others."""
    cached, uncached = create_key(ada), create_key(ada)
    assert exchange(sign(cached, "/key")).status_code == 200
    with connection.execute_wrapper(Down()):
        assert exchange(sign(cached, "/key")).status_code == 200
        assert exchange(sign(uncached, "/key")).status_code == 503
    assert exchange(sign(uncached, "/key")).status_code == 200
    assert "cannot be asked" in caplog.text


def test_not_migrated(exchange: Exchange, issued: Issued, caplog: Any) -> None:
    """A table that is not there is 503, not a refused key."""
    caplog.set_level(logging.ERROR)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wsgi_sigv4_keys_accesskey RENAME TO gone")
        try:
            assert exchange(sign(issued, "/key")).status_code == 503
        finally:
            cursor.execute("ALTER TABLE gone RENAME TO wsgi_sigv4_keys_accesskey")
