"""The settings: MIDDLEWARE names the middleware, and SIGV4 says what it accepts."""

from __future__ import annotations

import os

from wsgi_sigv4 import Credentials

SECRET_KEY = "an example; yours comes from a secret store"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "examples.django_project.urls"
WSGI_APPLICATION = "examples.django_project.wsgi.application"
USE_TZ = True

INSTALLED_APPS = ["wsgi_sigv4.contrib.django"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Below AuthenticationMiddleware where there is one, above whatever reads the body.
    "wsgi_sigv4.contrib.django.middleware.SigV4Middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]

SIGV4 = {
    # The examples of AWS's documentation: yours come from a secret store.
    "CREDENTIALS": {
        "AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ASIAIOSFODNN7EXAMPLE": Credentials(
            "temporary/K7MDENG/bPxRfiCYEXAMPLEKEY", session_token="example-session-token"
        ),
    },
    "REGION": "us-east-1",
    "SERVICE": "items",
    # Where the clients find this project: a request that was signed for another host is refused.
    "HOSTS": os.environ.get("ITEMS_HOSTS", "127.0.0.1:8000 localhost:8000").split(),
    "REQUIRE_SIGNED": ["content-type"],
}
