"""Begins to rotate a key, or to encrypt all anew, and is killed half way."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

if __name__ == "__main__":
    django.setup()
    from django.db import connection
    from django.db.models.signals import post_save

    from wsgi_sigv4.contrib.django.keys.issuing import reencrypt_keys
    from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

    def die(*args: object, **options: object) -> None:
        """Be killed, as by the kernel."""
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after_an_update(execute: Any, sql: str, *args: object) -> Any:
        """Be killed when the first secret was written."""
        result = execute(sql, *args)
        if sql.startswith("UPDATE"):
            die()
        return result

    what, access_key_id = sys.argv[1:]
    if what == "rotate":
        post_save.connect(die, sender=AccessKey)
        rotate_key(AccessKey.objects.get(access_key_id=access_key_id))
    elif what == "reencrypt":
        with connection.execute_wrapper(die_after_an_update):
            reencrypt_keys()
