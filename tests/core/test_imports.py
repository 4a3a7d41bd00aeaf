"""What `import wsgi_sigv4` brings in, and how long it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Milliseconds that the import may take beyond Werkzeug's own; on a machine that is busy with
#: other things it takes some times as long as on a quiet one.
MOST = 60

LOADED = "import sys, wsgi_sigv4; print(*{name.split('.')[0] for name in sys.modules})"
TIMED = """
import time, werkzeug
start = time.process_time()
import wsgi_sigv4
print((time.process_time() - start) * 1000)
"""


def output_of(program: str) -> str:
    """Return what *program* prints in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_core_imports_no_extra() -> None:
    """Without a framework and without the extras the package does its work."""
    loaded = set(output_of(LOADED).split())
    assert "werkzeug" in loaded
    extras = {"flask", "django", "cryptography", "awscrt", "xxhash", "botocore", "boto3", "asgiref"}
    assert loaded.isdisjoint(extras)


@pytest.mark.slow
def test_import_is_quick() -> None:
    """The import takes a few milliseconds beyond Werkzeug's own."""
    assert min(float(output_of(TIMED)) for _ in range(5)) < MOST
