"""The fixtures of the Django skin, which is attacked here too."""

from __future__ import annotations

from tests.django.conftest import exchange as exchange
from tests.django.conftest import sigv4 as sigv4
