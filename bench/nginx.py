"""nginx serving bytes that our server answered, to the same requests: what the figures are measured against.

One worker, keep-alive, no access log, sendfile as Debian ships it, and a head as long as ours: the head's lines that
ours lacks are taken off, `Cache-Control` is put on. A polled answer is a static file under the path of the call; an
answer to a POST, which nginx refuses for files, stands in the configuration.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.debian import Tool
from bench.process import Server, free_ports, running, wait_until_it_listens

CONFIGURATION = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 3600;
  keepalive_requests 1000000000;
  server_tokens off;
  etag off;
  max_ranges 0;
  default_type application/json;
  add_header Cache-Control no-store;
  add_header Last-Modified "";
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    {location}
  }}
}}
"""


@contextlib.contextmanager
def serving(tool: Tool, folder: Path, path: str, body: bytes, *, posted: bool = False) -> Iterator[Server]:
    """nginx answering `body` at `path`; a running server on the server's core. `folder` is its own."""
    file = folder / "files" / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    (port,) = free_ports(1)
    location = f"location = {path} {{ return 200 '{body.decode()}'; }}" if posted else ""
    # Started by root the worker would change to a user who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(user=user, folder=folder, port=port, location=location))
    command = [str(tool.path), "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "nginx.log", environment=tool.environment, url=url) as server:
        wait_until_it_listens(port, folder / "nginx.log")
        yield server
