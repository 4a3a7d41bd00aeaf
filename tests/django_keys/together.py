"""Rotates one key from several threads at once, and prints what each was told."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django

THREADS = 6


def rotate_together(access_key_id: str) -> list[str]:
    """Return what each of the threads was told."""
    from django.db import connection

    from wsgi_sigv4.contrib.django.keys.issuing import KeyNotRotated
    from wsgi_sigv4.contrib.django.keys.issuing import rotate_key
    from wsgi_sigv4.contrib.django.keys.models import AccessKey

    barrier = Barrier(THREADS)

    def rotate(_: int) -> str:
        key = AccessKey.objects.get(access_key_id=access_key_id)
        barrier.wait(60)
        try:
            return f"made {rotate_key(key).key}"
        except KeyNotRotated as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(rotate, range(THREADS)))


if __name__ == "__main__":
    django.setup()
    print(json.dumps([rotate_together(access_key_id) for access_key_id in sys.argv[1:]]))
