"""The closed list of hypotheses, in the order in which they are tried."""

from __future__ import annotations

from typing import Final

from wsgi_sigv4.explain.canonical_paths import CANONICAL_PATHS
from wsgi_sigv4.explain.header_forms import HEADER_FORMS
from wsgi_sigv4.explain.headers import HEADERS
from wsgi_sigv4.explain.hosts import HOSTS
from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.keys import KEYS
from wsgi_sigv4.explain.methods import METHODS
from wsgi_sigv4.explain.paths import PATHS
from wsgi_sigv4.explain.payloads import PAYLOADS
from wsgi_sigv4.explain.queries import QUERIES
from wsgi_sigv4.explain.readings import Case

#: Bytes of a path and query; servers refuse longer ones (nginx and Apache 8 KiB, gunicorn 4 KiB),
#: and to write one anew a hundred times would take long.
MAX_TARGET: Final = 16 * 1024
#: Parameters of a query; Django takes 1000 fields.
MAX_PARAMETERS: Final = 1000
#: Bytes of all header values; most servers take 8 to 64 KiB, and Werkzeug's 6 MiB.
MAX_HEADERS: Final = 64 * 1024

#: Where two explain the same request, the first one is told.
HYPOTHESES: Final[tuple[Hypothesis, ...]] = (
    *HOSTS,
    *CANONICAL_PATHS,
    *PATHS,
    *QUERIES,
    *METHODS,
    *HEADERS,
    *HEADER_FORMS,
    *PAYLOADS,
    *KEYS,
)


def hypotheses_of(case: Case) -> tuple[Hypothesis, ...]:
    """Return the hypotheses that are tried on *case*."""
    request = case.request
    if sum(len(value) for _, value in request.headers) > MAX_HEADERS:
        return (*PAYLOADS, *KEYS)
    is_short = len(request.path) + len(request.query) <= MAX_TARGET
    paths = (*CANONICAL_PATHS, *PATHS) if is_short else ()
    queries = QUERIES if is_short and len(case.attempt.query) <= MAX_PARAMETERS else ()
    return (*HOSTS, *paths, *queries, *METHODS, *HEADERS, *HEADER_FORMS, *PAYLOADS, *KEYS)
