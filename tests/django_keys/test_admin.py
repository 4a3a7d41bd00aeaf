"""The admin: a secret is shown once, to whom it may be, and is nowhere else."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.django.signing import send
from tests.django_keys.signing import sign
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import create_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.credentials import Secret

ADD = reverse("admin:wsgi_sigv4_keys_accesskey_add", urlconf="tests.django_keys.urls")
LIST = reverse("admin:wsgi_sigv4_keys_accesskey_changelist", urlconf="tests.django_keys.urls")


@pytest.fixture
def root(db: None) -> Client:
    """Return the browser of a superuser, who is held against CSRF tokens."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    return client


def staff(*permissions: str) -> Client:
    """Return the browser of one of the staff who has *permissions*, such as ``add``."""
    user = User.objects.create_user("staff", is_staff=True)
    names = [f"{permission}_accesskey" for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def page_of(key: AccessKey, what: str = "change") -> str:
    """Return the URL of a page of *key*."""
    return reverse(f"admin:wsgi_sigv4_keys_accesskey_{what}", args=[key.pk])


def filled(client: Client, url: str, **values: str) -> dict[str, str]:
    """Return what the form at *url* would send, with *values*."""
    page = client.get(url).content.decode()
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="hidden"' in tag:
            found[name[1]] = unescape(value[1]) if value else ""
    return found | values


def post(client: Client, url: str, form: str | None = None, **values: str) -> Any:
    """Return the answer to the form at *form*, sent to *url*."""
    return client.post(url, filled(client, form or url, **values))


def shown(answer: Any) -> tuple[str, str]:
    """Return the id and the secret that a page shows."""
    text = unescape(answer.content.decode())
    found = re.search(
        r"\[(\S+)\]\naws_access_key_id = (\S+)\naws_secret_access_key = (\S+)\n", text
    )
    assert found is not None, text
    return found[2], found[3]


def test_create(root: Client, ada: User) -> None:
    """A key that the admin makes is shown with its secret, and works."""
    answer = post(root, ADD, owner=str(ada.pk), note="laptop", regions="us-east-1\n")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    access_key_id, secret = shown(answer)
    key = AccessKey.objects.get()
    assert (key.access_key_id, key.owner, key.regions) == (access_key_id, ada, ["us-east-1"])
    issued = Issued(key=key, secret=Secret(secret))
    assert send(sign(issued)).json()["user"] == "ada"
    assert "[ada]" in unescape(answer.content.decode())


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_secret_is_shown_once(root: Client, ada: User, button: str) -> None:
    """Whichever button made it, no other page, cookie, session, message or history shows it."""
    answer = post(root, ADD, owner=str(ada.pk), **{button: "1"})
    access_key_id, secret = shown(answer)
    key = AccessKey.objects.get()
    others = "".join(
        unescape(root.get(url).content.decode())
        for url in (LIST, page_of(key), page_of(key, "history"), page_of(key, "delete"), ADD)
    )
    assert access_key_id in others
    told = [
        *(f"{vars(entry)}" for entry in LogEntry.objects.all()),
        *(f"{session.get_decoded()}" for session in Session.objects.all()),
        str(root.cookies),
        str(answer.cookies),
        f"{vars(key)}",
    ]
    assert LogEntry.objects.count() == 1
    assert secret not in others + "".join(told)


def test_form_sent_again(root: Client, ada: User) -> None:
    """A page that is loaded again makes no second key, and shows the secret to nobody again."""
    form = filled(root, ADD, owner=str(ada.pk))
    _, secret = shown(root.post(ADD, form))
    again = root.post(ADD, form)
    assert "has made a key already" in again.content.decode()
    assert secret not in unescape(again.content.decode())
    assert AccessKey.objects.count() == 1


def test_id_of_ones_own(root: Client, ada: User) -> None:
    """Nobody chooses the id of a key."""
    answer = post(root, ADD, owner=str(ada.pk), made_as="AKIAIOSFODNN7EXAMPLE:signature")
    assert "Open the form again" in answer.content.decode()
    assert not AccessKey.objects.exists()


def test_limits_that_make_no_sense(root: Client, ada: User) -> None:
    """A limit that means nothing is an error of the form, and makes no key."""
    answer = post(root, ADD, owner=str(ada.pk), path_prefixes="reports")
    assert "errornote" in answer.content.decode()
    assert not AccessKey.objects.exists()


def test_change(root: Client, issued: Issued) -> None:
    """Limits are changed, whose key it is is not, and the form knows no secret."""
    url = page_of(issued.key)
    page = root.get(url).content.decode()
    key = issued.key
    assert key.encrypted_secret not in page
    values = {"owner": "999", "access_key_id": "x", "encrypted_secret": "x", "methods": "GET\nPUT"}
    assert post(root, url, active="on", **values).status_code == 302
    changed = AccessKey.objects.get()
    assert (changed.owner, changed.access_key_id) == (key.owner, key.access_key_id)
    assert changed.encrypted_secret == key.encrypted_secret
    assert (changed.methods, changed.active) == (["GET", "PUT"], True)
    assert send(sign(issued)).status_code == 200
    # What has not changed is not in the history as if it had.
    assert LogEntry.objects.get().get_change_message() == "Changed Note and Methods."


def test_rotate(root: Client, issued: Issued) -> None:
    """The page of a rotation asks, and then shows the new secret once; both keys are good."""
    url = page_of(issued.key, "rotate")
    assert url in root.get(page_of(issued.key)).content.decode()
    assert AccessKey.objects.count() == 1
    answer = post(root, url)
    assert "no-store" in answer["Cache-Control"]
    access_key_id, secret = shown(answer)
    new = AccessKey.objects.get(access_key_id=access_key_id)
    assert send(sign(Issued(key=new, secret=Secret(secret)))).status_code == 200
    assert send(sign(issued)).status_code == 200
    assert secret not in "".join(f"{vars(entry)}" for entry in LogEntry.objects.all())
    assert LogEntry.objects.count() == 2


def test_rotate_twice(root: Client, issued: Issued) -> None:
    """A rotation that comes second is told so, and shows no secret."""
    new = rotate_key(issued.key)
    answer = post(root, page_of(issued.key, "rotate"))
    assert answer.status_code == 302
    told = unescape(root.get(answer["Location"]).content.decode())
    assert f"has been rotated already, to {new.key}" in told
    assert AccessKey.objects.count() == 2


def test_revoke(root: Client, issued: Issued) -> None:
    """The button of the page revokes the key, and is then gone."""
    page = root.get(page_of(issued.key)).content.decode()
    url = page_of(issued.key, "revoke")
    assert url in page
    assert root.get(url).status_code == 405
    assert post(root, url, page_of(issued.key)).status_code == 302
    assert not AccessKey.objects.get().active
    page = root.get(page_of(issued.key)).content.decode()
    assert f"{issued.key} is revoked." in page
    assert url not in page
    assert page_of(issued.key, "rotate") not in page


def test_revoke_selected(root: Client, ada: User) -> None:
    """The action of the list revokes what was ticked, and says what had been before."""
    first, second, third = (create_key(ada).key for _ in range(3))
    AccessKey.objects.filter(pk=second.pk).update(active=False)
    form = filled(root, LIST, action="revoke_selected")
    ticked = [str(first.pk), str(second.pk)]
    page = root.post(LIST, {**form, "_selected_action": ticked}, follow=True).content.decode()
    assert f"{first} is revoked." in page
    assert f"{second} had been revoked before." in page
    assert [key.active for key in AccessKey.objects.order_by("pk")] == [False, False, True]
    assert third.active


def test_list(root: Client, ada: User) -> None:
    """Keys are found by id, note and owner, and filtered."""
    create_key(ada, note="laptop")
    create_key(User.objects.create_user("bob"), note="server")
    for query, found in (("ada", "laptop"), ("server", "server"), ("AKIA", "laptop")):
        assert found in root.get(LIST, {"q": query}).content.decode()
    assert "laptop" not in root.get(LIST, {"q": "bob"}).content.decode()
    assert "laptop" not in root.get(LIST, {"active__exact": "0"}).content.decode()


@pytest.mark.parametrize(
    ("permissions", "url", "allowed"),
    [
        ([], "add", False),
        (["view"], "add", False),
        (["add"], "add", True),
        (["view"], "change", True),
        (["view"], "rotate", False),
        (["add"], "rotate", False),
        (["change"], "rotate", False),
        (["add", "change"], "rotate", True),
        (["view", "add"], "revoke", False),
        (["change"], "revoke", True),
    ],
)
def test_permissions(issued: Issued, permissions: list[str], url: str, allowed: bool) -> None:
    """Each page needs the permissions of what it does: a rotation makes a key and changes one."""
    client = staff(*permissions)
    client.handler.enforce_csrf_checks = False
    at = ADD if url == "add" else page_of(issued.key, url)
    method = client.post if url == "revoke" else client.get
    assert (method(at).status_code < 400) == allowed
    if url == "revoke":
        assert AccessKey.objects.get().active != allowed


def test_view_permission_changes_nothing(issued: Issued) -> None:
    """Who may only look finds no buttons."""
    page = staff("view").get(page_of(issued.key)).content.decode()
    assert issued.key.access_key_id in page
    assert page_of(issued.key, "rotate") not in page
    assert page_of(issued.key, "revoke") not in page


@pytest.mark.parametrize("what", ["add", "rotate"])
def test_key_of_a_superuser(what: str, db: None) -> None:
    """The staff get no secret by which they would be a superuser."""
    admin = User.objects.create_superuser("root")
    client = staff("add", "change", "view")
    if what == "add":
        answer = post(client, ADD, owner=str(admin.pk))
        assert not AccessKey.objects.exists()
    else:
        key = create_key(admin).key
        client.handler.enforce_csrf_checks = False
        answer = client.post(page_of(key, "rotate"))
        assert AccessKey.objects.count() == 1
    assert answer.status_code == 403


@pytest.mark.parametrize("what", ["add", "rotate", "revoke"])
def test_csrf(root: Client, issued: Issued, what: str) -> None:
    """No other site can have an administrator make, rotate or revoke a key."""
    url = ADD if what == "add" else page_of(issued.key, what)
    values = {"owner": str(issued.key.owner.pk)}
    form = {**filled(root, url if what == "add" else page_of(issued.key)), **values}
    del form["csrfmiddlewaretoken"]
    assert root.post(url, form).status_code == 403
    assert AccessKey.objects.get().active


@pytest.mark.parametrize("what", ["change", "rotate", "revoke"])
def test_strangers(issued: Issued, what: str) -> None:
    """Who is not logged in is sent away."""
    answer = Client().post(page_of(issued.key, what))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
    assert AccessKey.objects.get().active
    assert AccessKey.objects.count() == 1


def test_no_such_key(root: Client) -> None:
    """A key that is not there has no pages."""
    root.handler.enforce_csrf_checks = False
    for what in ("rotate", "revoke"):
        url = reverse(f"admin:wsgi_sigv4_keys_accesskey_{what}", args=[999])
        assert root.post(url).status_code == 404


def test_expired_key_is_shown_as_such(root: Client, ada: User) -> None:
    """The list shows which keys are accepted."""
    create_key(ada, expires=timezone.now())
    assert 'alt="False"' in root.get(LIST).content.decode()
