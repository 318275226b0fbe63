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
    running, listen = _started(url, folder, connections)
    try:
        target = make_url(url)
        yield f"postgresql://{target.username or 'postgres'}@127.0.0.1:{listen}/{target.database}"
    finally:
        running.kill()
        running.wait()


def _started(url: str, folder: Path, connections: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start it, anew where something else has taken its port in the meantime; give its port too."""
    for _ in range(5):
        listen = _free_port()
        running = _start(url, folder, connections, listen)
        if _answers(listen, running):
            return running, listen
    raise RuntimeError(f"pgbouncer ended with {running.returncode}")


def _start(url: str, folder: Path, connections: int, listen: int) -> subprocess.Popen[bytes]:
    assert PROGRAM is not None
    target, config = make_url(url), folder / "pgbouncer.ini"
    host = str(target.query.get("host") or target.host)
    config.write_text(
        _CONFIG.format(
            name=target.database,
            host=host,
            port=target.port or 5432,
            user=target.username or "postgres",
            password=f"password={target.password}" if target.password else "",
            listen=listen,
            connections=connections,
            folder=folder,
        )
    )
    return subprocess.Popen([PROGRAM, *_as_another(host, folder), str(config)], stderr=subprocess.DEVNULL)


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


def _answers(port: int, running: subprocess.Popen[bytes]) -> bool:
    """Wait until it can be connected to; False: it has ended."""
    deadline = time.monotonic() + 60
    while running.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return True
        if time.monotonic() > deadline:
            running.kill()
            running.wait()
            raise RuntimeError("pgbouncer did not answer")
        time.sleep(0.05)
    return False
