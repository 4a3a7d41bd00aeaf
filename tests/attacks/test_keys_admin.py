"""What the staff might do to keys in the admin, and by accident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.django.signing import send
from tests.django_keys.conftest import _project as _project
from tests.django_keys.conftest import ada as ada
from tests.django_keys.conftest import issued as issued
from tests.django_keys.signing import sign
from tests.django_keys.test_admin import ADD
from tests.django_keys.test_admin import LIST
from tests.django_keys.test_admin import filled
from tests.django_keys.test_admin import page_of
from tests.django_keys.test_admin import post
from tests.django_keys.test_admin import root as root
from tests.django_keys.test_admin import shown
from tests.django_keys.test_admin import staff
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.issuing import revoke_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.models import AccessKey

CHANGED = "has been changed since this form was opened"


def test_form_opened_before_a_revocation(root: Client, issued: Issued) -> None:
    """A note that is saved from an old form brings no revoked key back."""
    url = page_of(issued.key)
    form = filled(root, url, active="on", note="the laptop of ada")
    revoke_key(issued.key)
    assert CHANGED in root.post(url, form).content.decode()
    assert not AccessKey.objects.get().active


def test_form_opened_before_a_rotation(root: Client, issued: Issued) -> None:
    """A note that is saved from an old form takes no end away from a key that was rotated."""
    url = page_of(issued.key)
    form = filled(root, url, active="on", note="the laptop of ada")
    rotate_key(issued.key)
    assert CHANGED in root.post(url, form).content.decode()
    assert AccessKey.objects.get(pk=issued.key.pk).expires is not None


def test_form_opened_before_a_limit(root: Client, issued: Issued) -> None:
    """A note that is saved from an old form lifts no limit."""
    url = page_of(issued.key)
    form = filled(root, url, active="on", note="the laptop of ada")
    AccessKey.objects.update(methods=["GET"])
    assert CHANGED in root.post(url, form).content.decode()
    assert AccessKey.objects.get().methods == ["GET"]


def test_saved_while_it_is_revoked(
    root: Client, issued: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving a note writes nothing but the note, whatever happens between reading and writing."""
    url = page_of(issued.key)
    form = filled(root, url, active="on", note="the laptop of ada")
    save = AccessKey.save

    def revoked_meanwhile(key: AccessKey, *args: Any, **options: Any) -> None:
        AccessKey.objects.update(active=False, encrypted_secret="encrypted anew")
        save(key, *args, **options)

    monkeypatch.setattr(AccessKey, "save", revoked_meanwhile)
    assert root.post(url, form).status_code == 302
    key = AccessKey.objects.get()
    assert (key.note, key.active, key.encrypted_secret) == (
        "the laptop of ada",
        False,
        "encrypted anew",
    )


@pytest.mark.parametrize(
    ("before", "values"),
    [
        ({"methods": ["GET"]}, {"active": "on", "methods": ""}),
        ({"active": False}, {"active": "on"}),
        ({"expires": timezone.now() - timedelta(days=1)}, {"active": "on"}),
    ],
    ids=["limited", "revoked", "expired"],
)
def test_staff_widen_no_key_of_a_superuser(
    before: dict[str, Any], values: dict[str, str], db: None
) -> None:
    """Who was given a limited key of a superuser, or has found a dead one, gets no more of it."""
    key = create_key(User.objects.create_superuser("root")).key
    AccessKey.objects.update(**before)
    client = staff("view", "change")
    assert post(client, page_of(key), note="mine", **values).status_code == 302
    key.refresh_from_db()
    assert {name: getattr(key, name) for name in before} == before
    assert key.note == "mine"
    assert post(client, page_of(key, "revoke"), page_of(key)).status_code in (302, 403)


def test_superuser_changes_a_key(root: Client, issued: Issued) -> None:
    """Who may change limits can."""
    url = page_of(issued.key)
    assert post(root, url, methods="GET\nPUT", note="n").status_code == 302
    key = AccessKey.objects.get()
    assert (key.methods, key.active, key.note) == (["GET", "PUT"], False, "n")
    assert post(root, url, active="on", methods="", note="").status_code == 302
    key = AccessKey.objects.get()
    assert (key.methods, key.active, key.note) == ([], True, "")


def test_changed_key_is_forgotten(
    root: Client, issued: Issued, django_capture_on_commit_callbacks: Any
) -> None:
    """A key that is limited in a form is limited at once, in this process."""
    assert send(sign(issued)).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        post(root, page_of(issued.key), active="on", methods="PUT")
    assert send(sign(issued)).status_code == 403


@pytest.mark.parametrize("what", ["add", "rotate", "change"])
def test_key_makes_no_keys(what: str, db: None, settings: Any) -> None:
    """A key that is limited or about to end makes no other one, and widens not even itself."""
    issued = create_key(
        User.objects.create_superuser("root"), methods=["POST", "GET"], path_prefixes=["/admin"]
    )
    browser = Client()
    browser.force_login(issued.key.owner)
    if what == "add":
        form = filled(browser, ADD, owner=str(issued.key.owner.pk))
    elif what == "change":
        form = filled(browser, page_of(issued.key), active="on", methods="", path_prefixes="")
    else:
        form = {}
    settings.SIGV4 = {**settings.SIGV4, "EXEMPT": []}
    url = ADD if what == "add" else page_of(issued.key, what)
    body = urlencode(form).encode()
    kind = "application/x-www-form-urlencoded"
    answer = send(sign(issued, url, method="POST", body=body, content_type=kind))
    assert b"aws_secret_access_key" not in answer.content
    key = AccessKey.objects.get()
    assert (key.methods, key.active) == (["POST", "GET"], True)


@pytest.mark.parametrize("lookup", ["encrypted_secret__startswith", "encrypted_secret"])
def test_no_filter_guesses_what_is_encrypted(root: Client, issued: Issued, lookup: str) -> None:
    """The list cannot be filtered by the column of the secrets, letter by letter."""
    assert root.get(LIST, {lookup: issued.key.encrypted_secret}).status_code == 400


@pytest.mark.parametrize("path", ["owner__password__startswith", "successor__encrypted_secret"])
def test_no_filter_reaches_further(root: Client, issued: Issued, path: str) -> None:
    """Nor by a column of another table."""
    assert root.get(LIST, {path: "g"}).status_code == 400


def test_names_and_notes_are_text(root: Client, db: None) -> None:
    """No owner, and no note, brings a script into a page."""
    script = "<script>alert(1)</script>"
    owner = User.objects.create_user(script)
    answer = post(root, ADD, owner=str(owner.pk), note=script)
    _, secret = shown(answer)
    key = AccessKey.objects.get()
    pages = [answer.content.decode()]
    pages += [root.get(url).content.decode() for url in (LIST, page_of(key))]
    pages += [root.get(page_of(key, what)).content.decode() for what in ("rotate", "history")]
    pages.append(post(root, page_of(key, "rotate")).content.decode())
    assert not any(script in page for page in pages)
    assert secret not in "".join(pages[1:])


@pytest.mark.parametrize("method", ["get", "head", "options"])
@pytest.mark.parametrize("what", ["rotate", "revoke", "change"])
def test_looking_changes_nothing(root: Client, issued: Issued, what: str, method: str) -> None:
    """No page changes a key but by POST."""
    before = AccessKey.objects.values().get()
    getattr(root, method)(page_of(issued.key, what))
    assert AccessKey.objects.values().get() == before
