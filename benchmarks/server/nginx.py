"""nginx as the server: one worker, a folder of its own, answers straight from files."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import Addresses, Certificate, await_port, free_ports, running

__all__ = ["run_nginx"]

# A file answers a GET only. `error_page` turns the refusal of a POST into a GET of the same path.
_CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    open_file_cache max=64 inactive=600s;
    default_type application/json;
    server {{
        listen 127.0.0.1:{plain} reuseport;
        listen 127.0.0.1:{tls} ssl reuseport;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        root {files};
        error_page 405 =200 $uri;
        location /binary/ {{ location ~ /generate$ {{ default_type image/png; }} }}
        location /gzip/ {{ location ~ /generate$ {{ add_header Content-Encoding gzip; }} }}
    }}
}}
"""


@contextmanager
def run_nginx(folder: Path, files: Path, certificate: Certificate) -> Iterator[Addresses]:
    """Serve these files until the block ends."""
    program = shutil.which("nginx")
    if program is None:
        raise RuntimeError("nginx is not installed; use --server asyncio")
    plain, tls = free_ports(2)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            # As root, its worker would become somebody who may not read the folder.
            user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
            folder=folder,
            files=files,
            chain=certificate.chain,
            key=certificate.key,
            plain=plain,
            tls=tls,
        )
    )
    early = folder / "start.log"  # what is wrong before the configuration names a log
    with running([program, "-p", str(folder), "-c", str(configuration), "-e", str(early)]) as process:
        await_port(plain, process)
        yield Addresses(plain=f"http://127.0.0.1:{plain}", tls=f"https://127.0.0.1:{tls}")
