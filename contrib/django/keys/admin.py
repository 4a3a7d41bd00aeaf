"""The admin of the access keys: make one, rotate it, revoke it.

A secret is shown once, in the answer to the POST that made it, and never
stored for a page to come: no redirect, no message, no history has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from django import forms
from django.contrib import admin
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.http import HttpRequest
from django.http import HttpResponse
from django.http import HttpResponseNotAllowed
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.urls import path
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from wsgi_sigv4.contrib.django.keys.forms import SEEN
from wsgi_sigv4.contrib.django.keys.forms import AccessKeyForm
from wsgi_sigv4.contrib.django.keys.forms import ChangeAccessKeyForm
from wsgi_sigv4.contrib.django.keys.forms import NewAccessKeyForm
from wsgi_sigv4.contrib.django.keys.issuing import OVERLAP
from wsgi_sigv4.contrib.django.keys.issuing import Issued
from wsgi_sigv4.contrib.django.keys.issuing import KeyNotRotated
from wsgi_sigv4.contrib.django.keys.issuing import revoke_key
from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
from wsgi_sigv4.contrib.django.keys.issuing import store
from wsgi_sigv4.contrib.django.keys.models import LIMITS
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.contrib.django.keys.profile import credentials_text
from wsgi_sigv4.environ import IDENTITY

if TYPE_CHECKING:
    AccessKeyModelAdmin = admin.ModelAdmin[AccessKey]
else:
    AccessKeyModelAdmin = admin.ModelAdmin

_TEMPLATES: Final = "admin/wsgi_sigv4_keys/accesskey"
_OVERLAP_HOURS: Final = OVERLAP // timedelta(hours=1)


class ShownOnce:
    """The text with a new secret: only a template that calls it gets it out."""

    def __init__(self, issued: Issued) -> None:
        self._issued = issued

    def text(self) -> str:
        """Return the text for ``~/.aws/credentials``."""
        return credentials_text(self._issued)


@admin.register(AccessKey)
class AccessKeyAdmin(AccessKeyModelAdmin):
    """Issues access keys, and shows each secret exactly once."""

    form = AccessKeyForm
    change_form_template = f"{_TEMPLATES}/change_form.html"
    list_display = ("access_key_id", "owner", "valid", "created", "expires", "last_used", "note")
    list_filter = ("active", "created", "expires", "last_used")
    list_select_related = ("owner",)
    search_fields = ("access_key_id", "note")
    date_hierarchy = "created"
    raw_id_fields = ("owner",)
    actions = ("revoke_selected",)
    _history = ("created", "last_used", "rotated", "replaces")
    readonly_fields = ("access_key_id", "owner", *_history)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the fields searched: those of the key, and the name of its owner."""
        name = AccessKey._meta.get_field("owner").related_model.USERNAME_FIELD  # type: ignore[union-attr]
        return (*self.search_fields, f"owner__{name}")

    def get_form(
        self, request: HttpRequest, obj: AccessKey | None = None, change: bool = False, **kw: Any
    ) -> type[forms.ModelForm[AccessKey]]:
        """Return the form, which for a new key is sent with effect but once."""
        kw["form"] = ChangeAccessKeyForm if change else NewAccessKeyForm
        return super().get_form(request, obj, change=change, **kw)

    def get_fields(self, request: HttpRequest, obj: AccessKey | None = None) -> tuple[str, ...]:
        """Return the fields shown."""
        if obj is None:
            return ("owner", "expires", "note", *LIMITS, "made_as")
        shown = ("access_key_id", "owner", "active", "expires", "note", *LIMITS, *self._history)
        return (*shown, SEEN) if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(
        self, request: HttpRequest, obj: AccessKey | None = None
    ) -> tuple[str, ...]:
        """Return the fields that cannot be changed: whose key it is, among others."""
        if obj is None:
            return ()
        if may_issue(request, obj):
            return self.readonly_fields
        # Nobody gets more out of a key than he may be given: he may have its secret.
        return (*self.readonly_fields, "active", "expires", *LIMITS)

    def lookup_allowed(self, lookup: str, value: str, *request: HttpRequest) -> bool:
        """Return whether the list may be filtered so: not to guess what is encrypted."""
        if lookup.startswith("encrypted_secret"):
            return False
        return super().lookup_allowed(lookup, value, *request)

    @admin.display(boolean=True, description=_("valid"))
    def valid(self, key: AccessKey) -> bool:
        """Return whether *key* is accepted."""
        return key.is_valid and bool(getattr(key.owner, "is_active", True))

    def save_model(self, request: HttpRequest, obj: AccessKey, form: Any, change: bool) -> None:
        """Save *obj*, with a secret where it is new."""
        if change:
            # Nothing else: what was revoked, rotated or encrypted anew meanwhile stays so.
            changed = [name for name in form.changed_data if name != SEEN]
            if changed:
                obj.save(update_fields=changed)
            return
        check_may_issue(request, obj)
        obj.access_key_id = form.cleaned_data["made_as"]
        # The answer is made in this request, and the secret goes no further.
        request._sigv4_issued = store(obj)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: AccessKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the new secret, whichever button made it."""
        return self._shown_once(request, request._sigv4_issued)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs, with two of our own for each key."""
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"wsgi_sigv4_keys_accesskey_{name}",
            )
            for name, view in (("rotate", self.rotate_view), ("revoke", self.revoke_view))
        ]
        return [*own, *super().get_urls()]

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask whether to rotate the key, and on POST do so and show the new secret."""
        key = self._changeable(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        check_may_issue(request, key)
        if request.method != "POST":
            extra = {"key": key, "overlap_hours": _OVERLAP_HOURS, "title": _("Rotate access key")}
            return self._page(request, "rotate.html", extra)
        try:
            issued = rotate_key(key)
        except KeyNotRotated as error:
            self.message_user(request, str(error), messages.ERROR)
            return self._back_to(key)
        self.log_change(request, key, f"Rotated to {issued.key}.")
        self.log_addition(request, issued.key, f"Rotated from {key}.")
        return self._shown_once(request, issued)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke the key; its page has the button."""
        key = self._changeable(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._revoke(request, [key])
        return self._back_to(key)

    @admin.action(description=_("Revoke selected access keys"), permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[AccessKey]) -> None:
        """Revoke the keys that were ticked."""
        self._revoke(request, [k for k in queryset if self.has_change_permission(request, k)])

    def _revoke(self, request: HttpRequest, keys: Sequence[AccessKey]) -> None:
        for key in keys:
            if revoke_key(key):
                self.log_change(request, key, "Revoked.")
                self.message_user(request, _("%(key)s is revoked.") % {"key": key})
            else:
                told = _("%(key)s had been revoked before.") % {"key": key}
                self.message_user(request, told, messages.WARNING)

    def _changeable(self, request: HttpRequest, object_id: str) -> AccessKey:
        key = self.get_object(request, object_id)
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        if key is None:
            raise Http404
        return key

    def _back_to(self, key: AccessKey) -> HttpResponse:
        name = "admin:wsgi_sigv4_keys_accesskey_change"
        site = self.admin_site.name
        return HttpResponseRedirect(reverse(name, args=[key.pk], current_app=site))

    def _shown_once(self, request: HttpRequest, issued: Issued) -> HttpResponse:
        extra = {"title": _("New access key"), "key": issued.key, "once": ShownOnce(issued)}
        response = self._page(request, "issued.html", extra)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def _page(self, request: HttpRequest, name: str, extra: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **extra}
        return TemplateResponse(request, f"{_TEMPLATES}/{name}", context)


def may_issue(request: HttpRequest, key: AccessKey) -> bool:
    """Return whether who asks may be given *key*, or have its limits changed.

    Not a superuser's, unless he is one himself. Nor any in a signed request: a
    key makes no keys, and lifts no limits, as it would outlive its own.
    """
    if request.META.get(IDENTITY) is not None:
        return False
    return not getattr(key.owner, "is_superuser", False) or bool(
        getattr(request.user, "is_superuser", False)
    )


def check_may_issue(request: HttpRequest, key: AccessKey) -> None:
    """Refuse to show who is no superuser a secret that makes one of him.

    Raises:
        PermissionDenied: if he may not be given *key*.
    """
    if not may_issue(request, key):
        raise PermissionDenied
