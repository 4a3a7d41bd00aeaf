"""The application under gunicorn, and one nginx in front of it with a server for each case."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.nginx import PROGRAM
from tests.servers.processes import free_port
from tests.servers.processes import running

_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=cache:1m;
    # What is found stands in a header of the answer.
    proxy_buffer_size 32k;
    proxy_buffers 8 32k;
    upstream up {{ server 127.0.0.1:{upstream}; }}
{servers}}}
"""
_SERVER = """\
    server {{
        listen 127.0.0.1:{port};
{text}
    }}
"""

#: The port behind the proxies, where no nginx stands in front.
DIRECT = None


@contextmanager
def serving(servers: Iterable[str | None], folder: Path) -> Iterator[Mapping[str | None, int]]:
    """Run all while the block runs; yield the port of each of *servers*, and the one behind them.

    Args:
        servers: what stands between the braces of a server of nginx; DIRECT is the application.
        folder: for configuration, logs and temporary files.
    """
    texts = [text for text in dict.fromkeys(servers) if text is not DIRECT]
    behind, *before = (free_port() for _ in range(1 + len(texts)))
    ports: dict[str | None, int] = {DIRECT: behind, **dict(zip(texts, before, strict=True))}
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{behind}", "--threads=4"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            running(
                [*gunicorn, "tests.explain.cases.application:application"],
                port=behind,
                log=folder / "gunicorn.log",
                environment={"HOME": str(folder)},
            )
        )
        if texts:
            stack.enter_context(
                running(
                    _command(texts, ports, folder),
                    # nginx binds them in this order.
                    port=before[-1],
                    log=folder / "nginx.log",
                    environment={},
                )
            )
        yield ports


def _command(texts: list[str], ports: Mapping[str | None, int], folder: Path) -> list[str]:
    assert PROGRAM is not None
    parts = []
    for text in texts:
        parts.append(_SERVER.format(port=ports[text], text=text))
    configuration = _CONFIGURATION.format(
        folder=folder, upstream=ports[DIRECT], servers="".join(parts)
    )
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    return [PROGRAM, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
