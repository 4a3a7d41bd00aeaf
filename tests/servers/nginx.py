"""nginx of the operating system in front of a server: the right configurations, and wrong ones.

The first three stand in docs/servers.md as they stand here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PROGRAM = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))

TO_GUNICORN = """\
location / {
    proxy_pass http://up;
    proxy_set_header Host $http_host;
}
"""

TO_UWSGI = """\
location / {
    include uwsgi_params;
    uwsgi_param HTTP_HOST $http_host;
    uwsgi_pass up;
}
"""

STRIPPED_PREFIX = """\
location /api/ {
    proxy_pass http://up/;
    proxy_set_header Host $http_host;
}
"""

#: The name of the upstream is what the application gets for a Host: nothing verifies.
DEFAULT_HOST = """\
location / {
    proxy_pass http://up;
}
"""

#: The slash after the name makes nginx send the path decoded, resolved and encoded again.
URI_PART = """\
location / {
    proxy_pass http://up/;
    proxy_set_header Host $http_host;
}
"""

_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_max_body_size 64m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream up {{ server 127.0.0.1:{upstream}; }}
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def command(location: str, *, port: int, upstream: int, folder: Path) -> list[str]:
    """Return the command line of an nginx that listens on *port* and passes on to *upstream*.

    Args:
        location: the part of the configuration that matters.
        port: where it listens.
        upstream: the port of the server behind it.
        folder: for its configuration and its temporary files.
    """
    assert PROGRAM is not None
    configuration = _CONFIGURATION.format(
        folder=folder, port=port, upstream=upstream, location=location
    )
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    # Debian's own file, whose HTTP_HOST is not what was signed.
    shutil.copy("/etc/nginx/uwsgi_params", folder)
    return [PROGRAM, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
