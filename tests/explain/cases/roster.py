"""All cases, and how those that are sent are run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.explain.cases.by_apache import APACHE_CASES
from tests.explain.cases.by_caddy import CADDY_CASES
from tests.explain.cases.by_client import BOTOCORE_CASES
from tests.explain.cases.by_client import CURL_CASES
from tests.explain.cases.by_client import PYTHON_CASES
from tests.explain.cases.by_hand import KEPT
from tests.explain.cases.by_hand import Kept
from tests.explain.cases.by_haproxy import HAPROXY_CASES
from tests.explain.cases.by_named_proxy import PROXY_CASES
from tests.explain.cases.by_nginx import HOST_CASES
from tests.explain.cases.by_nginx import PATH_CASES
from tests.explain.cases.by_nginx import QUERY_CASES
from tests.explain.cases.by_nginx_headers import BODY_CASES
from tests.explain.cases.by_nginx_headers import HEADER_CASES
from tests.explain.cases.by_nginx_headers import METHOD_CASES
from tests.explain.cases.case import Live
from tests.explain.cases.case import Way
from tests.explain.cases.fronts import PROGRAMS
from tests.explain.cases.fronts import Front
from tests.explain.cases.proxies import DIRECT
from tests.explain.cases.proxies import serving
from tests.explain.cases.senders import HTTPX
from tests.explain.cases.senders import Told
from tests.explain.cases.senders import httpx

NGINX: tuple[Live, ...] = (
    *(*HOST_CASES, *PATH_CASES, *QUERY_CASES),
    *(*METHOD_CASES, *HEADER_CASES, *BODY_CASES),
)
LIVE: tuple[Live, ...] = (
    *(*NGINX, *APACHE_CASES, *HAPROXY_CASES, *CADDY_CASES, *PROXY_CASES),
    *(*CURL_CASES, *PYTHON_CASES, *BOTOCORE_CASES),
)
#: The cause of each case, once.
ALL: tuple[Live | Kept, ...] = (*LIVE, *KEPT)
LISTED = frozenset(case.cause for case in ALL)


def why_not(case: Live) -> str | None:
    """Return why *case* cannot run here, or None."""
    ways = (case.way, *(remedy.way for remedy in case.remedies))
    for program in PROGRAMS:
        is_used = any(way.front is not DIRECT and way.front.program is program for way in ways)
        if is_used and program.path is None:
            return f"{program.name} is not installed"
    if case in CURL_CASES and not _curl_version().startswith("curl 7.88."):
        return "there is no curl 7.88, whose faults are shown"
    if case.way.send is httpx and not HTTPX.exists():
        return f"there is no {HTTPX.parents[1].name}: `make clients` makes it where it can"
    return None


@cache
def _curl_version() -> str:
    if shutil.which("curl") is None:
        return ""
    command = ["curl", "--disable", "--version"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


class Running:
    """The servers of the cases, which run."""

    def __init__(self, ports: Mapping[Front | None, int]) -> None:
        self._ports = ports

    def told(self, way: Way) -> Told:
        """Send what goes that *way*, and return what the application tells."""
        return way.send(self._ports[way.front], way.place)


@contextmanager
def started(folder: Path) -> Iterator[Running]:
    """Run the servers of all cases that can run here while the block runs."""
    ways = [
        way
        for case in LIVE
        if why_not(case) is None
        for way in (case.way, *(remedy.way for remedy in case.remedies))
    ]
    with serving([way.front for way in ways], folder) as ports:
        yield Running(ports)
