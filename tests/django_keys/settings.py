"""A project with the app of the access keys; its database is told by the environment."""

from __future__ import annotations

import os

from wsgi_sigv4.contrib.django.keys.provider import AccessKeyProvider

SECRET_KEY = "a key for tests, and for nothing else"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
USE_TZ = True
ROOT_URLCONF = "tests.django_keys.urls"
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "wsgi_sigv4.contrib.django",
    "wsgi_sigv4.contrib.django.keys",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wsgi_sigv4.contrib.django.middleware.SigV4Middleware",
]
SIGV4: dict[str, object] = {
    "CREDENTIALS": "wsgi_sigv4.contrib.django.keys.provider.AccessKeyProvider",
    "REGION": "us-east-1",
    "SERVICE": ["items", "dynamodb"],
    "EXEMPT": ["/admin", "/static"],
}
if "TEST_TTL" in os.environ:
    SIGV4["CREDENTIALS"] = AccessKeyProvider(ttl=float(os.environ["TEST_TTL"]), record_use=1)
SIGV4_KEY_ENCRYPTION_KEYS = os.environ.get(
    "TEST_ENCRYPTION_KEYS", "bm90IGEgc2VjcmV0LCBidXQgMzIgYnl0ZXMgbG9uZyE="
).split()
DATABASES = {
    "default": {
        "ENGINE": os.environ.get("TEST_DATABASE_ENGINE", "django.db.backends.sqlite3"),
        "NAME": os.environ.get("TEST_DATABASE_NAME", ":memory:"),
        "HOST": os.environ.get("TEST_DATABASE_HOST", ""),
        "USER": os.environ.get("TEST_DATABASE_USER", ""),
        "CONN_MAX_AGE": float(os.environ.get("TEST_DATABASE_MAX_AGE", "0")),
    }
}
if "TEST_LOG_LEVEL" in os.environ:
    # Queries are logged by Django with DEBUG only.
    DEBUG = True
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"all": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["all"], "level": os.environ["TEST_LOG_LEVEL"]},
        "loggers": {"django": {"level": os.environ["TEST_LOG_LEVEL"]}},
    }
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Django 6.1 asks for it, older ones look past it.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
