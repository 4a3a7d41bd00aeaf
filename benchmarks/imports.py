"""How long ``import wsgi_sigv4`` takes beyond Werkzeug's own, and what it must not bring along."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target

#: What only an extra needs, and who has not asked for it must not wait for.
EXTRAS = ("flask", "django", "cryptography", "awscrt", "xxhash", "botocore")

_PROGRAM = """
import sys, time
start = time.perf_counter()
import werkzeug.wsgi
between = time.perf_counter()
import wsgi_sigv4
end = time.perf_counter()
import json
loaded = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"werkzeug": between - start, "package": end - between, "loaded": loaded}))
"""


def run(scale: Scale) -> Section:
    """Import both in fresh interpreters."""
    answers = [_imported() for _ in range(scale.of(21, 2) + 1)]
    # The first one may have compiled.
    package = [answer["package"] * 1e3 for answer in answers[1:]]
    werkzeug = [answer["werkzeug"] * 1e3 for answer in answers[1:]]
    return Section(
        name="imports",
        title="Import in a fresh interpreter",
        rows=(
            Row.of("wsgi_sigv4, beyond Werkzeug", package, "ms", target=Target(limit=10)),
            Row.of("werkzeug.wsgi", werkzeug, "ms"),
        ),
        notes=(f"Not imported along with it: {', '.join(EXTRAS)}.",),
    )


def _imported() -> dict[str, float]:
    """Return the seconds of both imports.

    Raises:
        RuntimeError: if a package of an extra came along.
    """
    # Bytecode is kept, as it is where a package is installed.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    found = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, env=environment
    )
    answer = json.loads(found.stdout)
    along = sorted(set(answer.pop("loaded")).intersection(EXTRAS))
    if along:
        raise RuntimeError(f"import wsgi_sigv4 imports {', '.join(along)}")
    return {name: float(seconds) for name, seconds in answer.items()}
