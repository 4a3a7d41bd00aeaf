"""``python -m wsgi_sigv4``: docs/command.md."""

from __future__ import annotations

import sys

from wsgi_sigv4.command.main import main

if __name__ == "__main__":
    sys.exit(main())
