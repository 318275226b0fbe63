"""PgBouncer in transaction mode, before the server that the tests run on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

_CONFIG = """
[databases]
{name} = host={host} port={port} dbname={name} user={user} {password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = {folder}/log
pidfile = {folder}/pid
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pooled(url: str, folder: Path, *, connections: int = 2) -> Iterator[str]:
    """Run a pooler with so few connections that clients share them, and give the URL that leads through it."""
    assert PROGRAM is not None
    target, listen = make_url(url), _free_port()
    config = folder / "pgbouncer.ini"
    config.write_text(
        _CONFIG.format(
            name=target.database,
            host=target.query.get("host") or target.host,
            port=target.port or 5432,
            user=target.username or "postgres",
            password=f"password={target.password}" if target.password else "",
            listen=listen,
            connections=connections,
            folder=folder,
        )
    )
    host = str(target.query.get("host") or target.host)
    running = subprocess.Popen([PROGRAM, *_as_another(host, folder), str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(listen, running)
        yield f"postgresql://{target.username or 'postgres'}@127.0.0.1:{listen}/{target.database}"
    finally:
        running.kill()
        running.wait()


def _as_another(host: str, folder: Path) -> list[str]:
    """Name the user to run as where we are root, as which the program refuses to run: one who may use the socket."""
    if os.getuid() != 0:
        return []
    user = Path(host).owner() if host.startswith("/") else "nobody"
    for place in (folder, *folder.parents[:3]):
        place.chmod(place.stat().st_mode | 0o055)
    folder.chmod(0o777)
    return ["-u", user]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if running.poll() is not None:
            raise RuntimeError(f"pgbouncer ended with {running.returncode}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("pgbouncer did not answer")
