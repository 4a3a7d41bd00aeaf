"""The command ``python -m wsgi_sigv4``: docs/command.md. Needs ``wsgi-sigv4[cli]``."""

from __future__ import annotations
