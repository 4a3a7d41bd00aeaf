"""What a verification costs with each provider, beside one with a plain mapping."""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import signed_requests as kinds
from benchmarks.arms.package import quiet_logs
from benchmarks.growth import application
from benchmarks.growth import in_turns
from benchmarks.recorded import ACCESS_KEY_ID
from benchmarks.recorded import SECRET_ACCESS_KEY
from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from wsgi_sigv4.credentials import CredentialSource
from wsgi_sigv4.providers import CachingProvider
from wsgi_sigv4.providers import FileProvider

MAPPING = "a mapping"
CACHED = Target(limit=1.2)


def run(scale: Scale) -> Section:
    """Measure all providers in turns."""
    quiet_logs()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = in_turns(
            {
                name: (application(source), kinds.get_with_query)
                for name, source in _sources(folder).items()
            },
            scale,
        )
    rows: list[Row] = []
    for name, seconds in found.items():
        pairs = zip(seconds, found[MAPPING], strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        target = None if name == MAPPING else CACHED
        rows.append(
            Row.of(name, [each * 1e6 for each in seconds], "µs", ratio=ratio, target=target)
        )
    return Section(
        name="providers",
        title="The cost of a signed GET, by where the keys are kept",
        ratio_of="the plain mapping",
        rows=tuple(rows),
    )


def _sources(folder: Path) -> dict[str, CredentialSource]:
    file = folder / "credentials"
    file.touch(mode=0o600)
    file.write_text(
        f"[bench]\naws_access_key_id = {ACCESS_KEY_ID}\n"
        f"aws_secret_access_key = {SECRET_ACCESS_KEY}\n"
    )
    return {
        MAPPING: {ACCESS_KEY_ID: SECRET_ACCESS_KEY},
        "a callable, cached": CachingProvider({ACCESS_KEY_ID: SECRET_ACCESS_KEY}.get),
        "a shared credentials file": FileProvider(file),
    }
