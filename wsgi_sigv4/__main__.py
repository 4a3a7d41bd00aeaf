"""``python -m wsgi_sigv4``: docs/command.md."""

from __future__ import annotations

import sys


def run() -> int:
    """Run the command; Ctrl-C ends it in the same way while it is still being loaded."""
    try:
        from wsgi_sigv4.command.main import main
    except KeyboardInterrupt:
        return 130
    return main()


if __name__ == "__main__":
    sys.exit(run())
