"""The forms of the admin: lists of limits as lines of text, and a key that is made once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from django import forms
from django.core.signing import BadSignature
from django.core.signing import Signer
from django.utils.translation import gettext_lazy as _

from wsgi_sigv4.contrib.django.keys.models import LIMITS
from wsgi_sigv4.contrib.django.keys.models import AccessKey
from wsgi_sigv4.providers import new_access_key_id

if TYPE_CHECKING:
    AccessKeyModelForm = forms.ModelForm[AccessKey]
else:
    AccessKeyModelForm = forms.ModelForm

#: The field with the state of the key when the form was shown.
SEEN: Final = "seen"

_EMPTY: Final = _("One a line; empty: any.")


class LinesField(forms.CharField):
    """A list of strings, one a line."""

    def __init__(self, help_text: Any = _EMPTY, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "cols": 50})
        super().__init__(required=False, widget=widget, help_text=help_text, **options)

    def prepare_value(self, value: Any) -> Any:
        """Return a list as lines."""
        if isinstance(value, list):
            return "\n".join(str(line) for line in value)
        return value

    def to_python(self, value: Any) -> Any:
        """Return lines as a list."""
        text = "" if value is None else str(value)
        return [line.strip() for line in text.splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the list is another one."""
        changed: bool = list(initial or []) != self.to_python(data)
        return changed


class AccessKeyForm(AccessKeyModelForm):
    """What an access key may be used for, and until when."""

    regions = LinesField(label=_("Regions"))
    services = LinesField(label=_("Services"))
    methods = LinesField(label=_("Methods"), help_text=_("One a line, as GET; empty: any."))
    path_prefixes = LinesField(
        label=_("Path prefixes"),
        help_text=_("One a line, as /reports, which covers /reports/1; empty: any."),
    )

    class Meta:
        model = AccessKey
        fields = ("owner", "active", "expires", "note", *LIMITS)


class ChangeAccessKeyForm(AccessKeyForm):
    """The same for a key that is there, if nobody has changed it since the form was shown.

    Else a form that was opened before a key was revoked, limited or rotated
    would undo that when its note is saved.
    """

    seen = forms.CharField(widget=forms.HiddenInput, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._state = _state(self.instance)
        if SEEN in self.fields:
            self.fields[SEEN].initial = self._state

    def clean_seen(self) -> str:
        """Refuse to save what was changed meanwhile."""
        seen: str = self.cleaned_data[SEEN]
        if seen != self._state:
            raise forms.ValidationError(
                _("The key has been changed since this form was opened. Open it again.")
            )
        return seen


class NewAccessKeyForm(AccessKeyForm):
    """The same for a new key, whose id is minted with the empty form.

    So a form that is sent again, as a browser does where the page is loaded
    again, makes no second key. The id is signed: nobody chooses one.
    """

    made_as = forms.CharField(widget=forms.HiddenInput, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["made_as"].initial = lambda: _signer().sign(new_access_key_id())

    def clean_made_as(self) -> str:
        """Return the id that the form was made with."""
        try:
            access_key_id = _signer().unsign(self.cleaned_data["made_as"])
        except BadSignature:
            raise forms.ValidationError(_("Open the form again.")) from None
        if AccessKey.objects.filter(access_key_id=access_key_id).exists():
            raise forms.ValidationError(
                _("This form has made a key already: %(key)s. Its secret is not shown again."),
                params={"key": access_key_id},
            )
        return access_key_id


def _signer() -> Signer:
    return Signer(salt="wsgi_sigv4_keys.new")


def _state(key: AccessKey) -> str:
    values = [str(getattr(key, name)) for name in ("active", "expires", "rotated", "note", *LIMITS)]
    return sha256("\0".join(values).encode()).hexdigest()
