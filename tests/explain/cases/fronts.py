"""The proxies that can stand in front of the application, and how each is set up and started.

Each runs once, with a port for each text of its configuration. In Apache's, HAProxy's and Caddy's
the application listens on 127.0.0.1:8000; nginx knows it as `up`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Final

from tests.servers import nginx

#: Where the texts say that the application listens.
UPSTREAM: Final = "127.0.0.1:8000"

_NGINX = """\
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
    upstream up {{ server 127.0.0.1:8000; }}
{servers}}}
"""
_NGINX_SERVER = """\
    server {{
        listen 127.0.0.1:{port};
{text}
    }}
"""

_MODULES = Path("/usr/lib/apache2/modules")
_APACHE = """\
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
Mutex pthread
ServerName localhost
# Debian's; without root it stays who it is.
User www-data
Group www-data
{modules}
{servers}"""
_APACHE_MODULES = (
    *("mpm_event", "authz_core", "proxy", "proxy_http"),
    *("headers", "rewrite", "filter", "deflate"),
)
_APACHE_SERVER = """\
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
{text}
</VirtualHost>
"""

_HAPROXY = """\
global
    # Without this 2.6 takes no normalize-uri.
    expose-experimental-directives
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
{servers}"""
#: As deployment.md of the documentation has it.
HAPROXY_SERVER: Final = "server app 127.0.0.1:8000"
_HAPROXY_SERVER = f"""\
listen port{{port}}
    bind 127.0.0.1:{{port}}
{{text}}
    {HAPROXY_SERVER}
"""

_CADDY = """\
{{
    admin off
    auto_https off
}}
{servers}"""
_CADDY_SERVER = """\
http://:{port} {{
    bind 127.0.0.1
{text}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A proxy of the operating system.

    Attributes:
        name: as the page has it.
        path: where it is installed; None: it is not.
        server: what stands around the text of one port.
        configuration: what stands around those.
        arguments: returns them, by the file of the configuration.
        tells_version: the argument on which it prints its version.
        environment: returns its variables, by its folder.
    """

    name: str
    path: str | None
    server: str
    configuration: str
    arguments: Callable[[Path], list[str]]
    tells_version: str
    environment: Callable[[Path], Mapping[str, str]] = field(default=lambda folder: {})

    def command(self, ports: Mapping[str, int], *, upstream: int, folder: Path) -> list[str]:
        """Return the command line of one that serves each text at its port.

        Args:
            ports: the port of each text.
            upstream: the port of the application.
            folder: for its configuration and its temporary files.
        """
        assert self.path is not None
        servers = "".join(self.server.format(port=port, text=text) for text, port in ports.items())
        modules = "\n".join(
            f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _APACHE_MODULES
        )
        text = self.configuration.format(folder=folder, servers=servers, modules=modules)
        file = folder / f"{self.name}.conf"
        file.write_text(text.replace(UPSTREAM, f"127.0.0.1:{upstream}"), encoding="utf-8")
        return [self.path, *self.arguments(file)]

    def version(self) -> str:
        """Return its version, as in "nginx 1.22.1"."""
        assert self.path is not None
        said = subprocess.run(
            [self.path, self.tells_version], capture_output=True, text=True, timeout=30, check=True
        )
        found = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
        assert found is not None
        return f"{self.name} {found[0]}"


def _found(program: str) -> str | None:
    """Return where *program* is; Debian has some where only root looks."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


NGINX: Final = Program(
    name="nginx",
    path=nginx.PROGRAM,
    server=_NGINX_SERVER,
    configuration=_NGINX,
    arguments=lambda file: ["-p", str(file.parent), "-c", str(file), "-e", "stderr"],
    tells_version="-v",
)
APACHE: Final = Program(
    name="Apache",
    path=_found("apache2") if _MODULES.exists() else None,
    server=_APACHE_SERVER,
    configuration=_APACHE,
    arguments=lambda file: ["-X", "-f", str(file)],
    tells_version="-v",
)
HAPROXY: Final = Program(
    name="HAProxy",
    path=_found("haproxy"),
    server=_HAPROXY_SERVER,
    configuration=_HAPROXY,
    arguments=lambda file: ["-db", "-f", str(file)],
    tells_version="-v",
)
CADDY: Final = Program(
    name="Caddy",
    path=_found("caddy"),
    server=_CADDY_SERVER,
    configuration=_CADDY,
    arguments=lambda file: ["run", "--config", str(file), "--adapter", "caddyfile"],
    tells_version="version",
    environment=lambda folder: {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    },
)
PROGRAMS: Final = (NGINX, APACHE, HAPROXY, CADDY)


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy that is set up in one way.

    Attributes:
        program: which one.
        text: what matters of its configuration: of nginx and Caddy what stands between the braces
            of a server, of Apache in a VirtualHost, of HAProxy in a listen section.
    """

    program: Program
    text: str
