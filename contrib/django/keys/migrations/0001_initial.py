"""Create the table of the access keys."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations
from django.db import models

_FORMS = [
    (None, "any"),
    (True, "presigned URLs only"),
    (False, "Authorization header only"),
]


class Migration(migrations.Migration):
    """The first one."""

    initial = True

    dependencies: ClassVar = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations: ClassVar = [
        migrations.CreateModel(
            name="AccessKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "access_key_id",
                    models.CharField(
                        editable=False, max_length=128, unique=True, verbose_name="access key id"
                    ),
                ),
                ("encrypted_secret", models.TextField(editable=False)),
                (
                    "owner",
                    models.ForeignKey(
                        help_text=(
                            "Requests signed with the key are this user's; none while not active."
                        ),
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sigv4_access_keys",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                ("expires", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                (
                    "last_used",
                    models.DateTimeField(editable=False, null=True, verbose_name="last used"),
                ),
                (
                    "rotated",
                    models.DateTimeField(editable=False, null=True, verbose_name="rotated"),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="successor",
                        to="wsgi_sigv4_keys.accesskey",
                        verbose_name="replaces",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("regions", models.JSONField(blank=True, default=list, verbose_name="regions")),
                ("services", models.JSONField(blank=True, default=list, verbose_name="services")),
                ("methods", models.JSONField(blank=True, default=list, verbose_name="methods")),
                (
                    "path_prefixes",
                    models.JSONField(blank=True, default=list, verbose_name="path prefixes"),
                ),
                (
                    "presigned",
                    models.BooleanField(blank=True, choices=_FORMS, null=True, verbose_name="form"),
                ),
                (
                    "max_expires",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds that presigned URLs of the key may live.",
                        null=True,
                        verbose_name="longest Expires",
                    ),
                ),
            ],
            options={
                "verbose_name": "access key",
                "verbose_name_plural": "access keys",
                "ordering": ["-created", "-pk"],
            },
        ),
    ]
