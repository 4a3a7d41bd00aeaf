"""Access keys in Django's database: a model, its admin, commands and a provider.

An app of its own, beside ``wsgi_sigv4.contrib.django``::

    INSTALLED_APPS = [..., "wsgi_sigv4.contrib.django", "wsgi_sigv4.contrib.django.keys"]
    SIGV4 = {
        "CREDENTIALS": "wsgi_sigv4.contrib.django.keys.provider.AccessKeyProvider", ...
    }
    SIGV4_KEY_ENCRYPTION_KEYS = [...]  # newest first, never SECRET_KEY

It needs ``cryptography``: ``pip install 'wsgi-sigv4[django-keys]'``.
"""

from __future__ import annotations
