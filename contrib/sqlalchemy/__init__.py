"""Access keys in a database by SQLAlchemy 2: a key store, and the provider over it.

::

    store = KeyStore("sqlite:///keys.sqlite3", encryption_keys=[os.environ["SIGV4_KEY"]])
    store.create_tables()
    new = store.create("alice")
    verifier = Verifier(SQLAlchemyProvider(store), region="us-east-1", service="items")
"""

from __future__ import annotations

from wsgi_sigv4.contrib.sqlalchemy.keys import AccessKey as AccessKey
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyNotFound as KeyNotFound
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyNotRotated as KeyNotRotated
from wsgi_sigv4.contrib.sqlalchemy.keys import KeyStoreError as KeyStoreError
from wsgi_sigv4.contrib.sqlalchemy.keys import NewKey as NewKey
from wsgi_sigv4.contrib.sqlalchemy.keys import SecretsLost as SecretsLost
from wsgi_sigv4.contrib.sqlalchemy.provider import SQLAlchemyProvider as SQLAlchemyProvider
from wsgi_sigv4.contrib.sqlalchemy.store import KeyStore as KeyStore
from wsgi_sigv4.contrib.sqlalchemy.table import metadata as metadata
