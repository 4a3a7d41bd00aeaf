"""The provider outside of Django's requests: a broken connection is replaced by who finds it."""

from __future__ import annotations

import pytest

from tests.django_keys.running import Project

pytestmark = pytest.mark.servers

BREAK = """
import os, sys
import psycopg
from django.db import connection, transaction
from wsgi_sigv4 import CredentialsUnavailable
from wsgi_sigv4.contrib.django.keys.provider import DatabaseProvider

def ask(name=sys.argv[1]):
    try:
        found = DatabaseProvider().lookup(name, scope=None, session_token=None)
    except CredentialsUnavailable:
        return "unavailable"
    return "found" if found else "unknown"

def throw_out():
    parameters = connection.get_connection_params()
    names = {name: parameters[name] for name in ("dbname", "user", "host")}
    with psycopg.connect(**names) as other:
        other.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                      " where datname = current_database() and pid <> pg_backend_pid()")

print(ask(), ask("AKIA\\0"))
throw_out()
print(ask())
with transaction.atomic():
    print(ask())
    throw_out()
    print(ask())
print(ask())
connection.cursor().execute("alter table wsgi_sigv4_keys_accesskey rename to gone")
print(ask())
"""


@pytest.mark.parametrize("max_age", ["0", "600"])
def test_broken_connection(postgres_project: Project, max_age: str) -> None:
    """A thread whose connection was cut asks by a new one, at once; in a transaction it cannot."""
    key = postgres_project.create()
    setup = "import django; django.setup()\n"
    done = postgres_project.run(
        "-c", setup + BREAK, key.access_key_id, TEST_DATABASE_MAX_AGE=max_age
    )
    assert done.returncode == 0, done.stderr
    told = ["found", "unknown", "found", "found", "unavailable", "found", "unavailable"]
    assert done.stdout.split() == told, done.stderr
