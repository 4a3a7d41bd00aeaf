"""A small Django project; each test overrides what it is about."""

from __future__ import annotations

SECRET_KEY = "a key for tests, and for nothing else"
ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "tests.django.urls"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "wsgi_sigv4.contrib.django",
    # For tests/django_keys, which has the rest of its settings to itself.
    "django.contrib.admin",
    "django.contrib.messages",
    "wsgi_sigv4.contrib.django.keys",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "wsgi_sigv4.contrib.django.middleware.SigV4Middleware",
]
SIGV4: dict[str, object] = {
    "CREDENTIALS": {
        "AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIDSECONDEXAMPLE": "a-second-secret/OF+ANOTHEREXAMPLE",
    },
    "REGION": "us-east-1",
    "SERVICE": "items",
}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
SIGV4_KEY_ENCRYPTION_KEYS = ["bm90IGEgc2VjcmV0LCBidXQgMzIgYnl0ZXMgbG9uZyE="]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
# Django 6.1 asks for it, older ones look past it.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
