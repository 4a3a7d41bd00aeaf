"""Run the fuzzer under atheris: ``python -m tests.fuzz [seconds] [verifier|chunked]``.

What it finds new stays in .fuzz/ for the next run; an input that does harm is written there too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wsgi_sigv4"]):
    from tests.fuzz import fuzz_chunked
    from tests.fuzz import fuzz_verifier

from tests.fuzz.kept import kept_inputs

FOLDER = Path(".fuzz")


def main() -> None:
    """Fuzz for as many seconds as the command line says, and what it says."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    chunked = sys.argv[2:] == ["chunked"]
    target = FOLDER / "chunked" if chunked else FOLDER
    found, kept = target / "found", target / "kept"
    for folder in (found, kept):
        folder.mkdir(parents=True, exist_ok=True)
    for number, tape in enumerate(kept_inputs("kept_chunked.txt" if chunked else "kept.txt")):
        (kept / f"{number:04}").write_bytes(tape)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=96",
        f"-artifact_prefix={FOLDER}/",
        "-print_final_stats=1",
    ]
    fuzz_one = fuzz_chunked.fuzz_one if chunked else fuzz_verifier.fuzz_one
    atheris.Setup([sys.argv[0], *options, str(found), str(kept)], fuzz_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
