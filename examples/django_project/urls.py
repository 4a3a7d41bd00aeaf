"""The one URL."""

from __future__ import annotations

from django.urls import path

from examples.django_project.views import Items

urlpatterns = [path("items", Items.as_view())]
