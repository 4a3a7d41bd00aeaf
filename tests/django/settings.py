"""The least that Django needs to start; each test overrides what it is about."""

from __future__ import annotations

SECRET_KEY = "a key for tests, and for nothing else"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
