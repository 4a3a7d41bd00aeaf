"""The access keys: who owns them, what they may be used for, and their secrets, encrypted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from typing import ClassVar
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.errors import ConfigurationError

#: The fields that narrow what a key may be used for, by the parameters of Credentials.
LIMITS: Final = ("regions", "services", "methods", "path_prefixes", "presigned", "max_expires")

_LISTS: Final = ("regions", "services", "methods", "path_prefixes")


class AccessKey(models.Model):
    """An access key that the operator issued.

    Make one with :func:`~wsgi_sigv4.contrib.django.keys.issuing.create_key`:
    it returns the secret, which is shown once and stored encrypted only.
    """

    access_key_id: models.CharField[str, str] = models.CharField(
        _("access key id"), max_length=128, unique=True, editable=False
    )
    encrypted_secret: models.TextField[str, str] = models.TextField(editable=False)
    owner: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="sigv4_access_keys",
        help_text=_("Requests signed with the key are this user's; none while not active."),
    )
    owner_id: Any
    active: models.BooleanField[bool, bool] = models.BooleanField(_("active"), default=True)
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        _("created"), default=timezone.now, editable=False
    )
    expires: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("expires"), null=True, blank=True
    )
    last_used: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("last used"), null=True, editable=False
    )
    rotated: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("rotated"), null=True, editable=False
    )
    # Two successors of one key cannot be, whatever else goes wrong.
    replaces: models.OneToOneField[AccessKey | None, AccessKey | None] = models.OneToOneField(
        "self",
        verbose_name=_("replaces"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="successor",
    )
    note: models.CharField[str, str] = models.CharField(_("note"), max_length=200, blank=True)

    regions = models.JSONField(_("regions"), default=list, blank=True)
    services = models.JSONField(_("services"), default=list, blank=True)
    methods = models.JSONField(_("methods"), default=list, blank=True)
    path_prefixes = models.JSONField(_("path prefixes"), default=list, blank=True)
    presigned: models.BooleanField[bool | None, bool | None] = models.BooleanField(
        _("form"),
        null=True,
        blank=True,
        choices=[
            (None, _("any")),
            (True, _("presigned URLs only")),
            (False, _("Authorization header only")),
        ],
    )
    max_expires: models.PositiveIntegerField[int | None, int | None] = models.PositiveIntegerField(
        _("longest Expires"),
        null=True,
        blank=True,
        help_text=_("Seconds that presigned URLs of the key may live."),
    )

    objects: ClassVar[models.Manager[AccessKey]] = models.Manager()

    class Meta:
        verbose_name = _("access key")
        verbose_name_plural = _("access keys")
        ordering: ClassVar = ["-created", "-pk"]

    def __str__(self) -> str:
        return self.access_key_id

    def clean(self) -> None:
        """Refuse limits that make no sense."""
        super().clean()
        try:
            # Nobody's secret: what is checked are the limits.
            self.credentials(Secret("-"), enabled=True)
        except ConfigurationError as error:
            raise ValidationError(str(error)) from error

    @property
    def is_valid(self) -> bool:
        """Whether requests signed with the key are accepted now, its owner apart."""
        return self.active and (self.expires is None or timezone.now() < self.expires)

    def limits(self) -> dict[str, Any]:
        """Return the values of the fields that limit the key."""
        return {name: getattr(self, name) for name in LIMITS}

    def credentials(self, secret: Secret, *, enabled: bool) -> Credentials:
        """Return what the verifier is to know of the key.

        Args:
            secret: its secret.
            enabled: whether it is active, and so is its owner.

        Raises:
            ConfigurationError: if a limit makes no sense. An empty list limits
                nothing; what is no list does not, and is refused.
        """
        limits = self.limits()
        for name in _LISTS:
            if not isinstance(limits[name], list):
                raise ConfigurationError(f"{name} is a list")
            limits[name] = limits[name] or None
        return Credentials(
            secret,
            principal=self.owner_id,
            expires_at=None if self.expires is None else self.expires.timestamp(),
            enabled=enabled,
            **limits,
        )
