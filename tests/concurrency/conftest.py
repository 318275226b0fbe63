"""A PostgreSQL server that tests may stop and freeze: no other test uses it."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ragstore import upgrade
from ragstore.testing import servers


class OwnServer:
    """A server of this process's own.

    Attributes:
        url: A migrated database on it; the same after each start.
    """

    def __init__(self, folder: Path) -> None:
        self._server = servers.start_embedded(folder)
        self.url = self._server.create_database("limits")
        upgrade(self.url)

    @property
    def _postmaster(self) -> int:
        return int((Path(self._server.handle) / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Stop it at once, as a crash does."""
        postmaster = self._postmaster
        os.kill(postmaster, signal.SIGQUIT)
        wait_until(lambda: not is_running(postmaster))

    def start(self) -> None:
        """Start it again."""
        servers.restart_embedded(self._server)

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Have it stopped in the block."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it not answer in the block: connections can be made to its socket, and nothing comes back."""
        processes = [self._postmaster]
        try:
            os.kill(self._postmaster, signal.SIGSTOP)  # first: then it makes no other, and those that end stay zombies
            processes += children(self._postmaster)
            for process in processes[1:]:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in reversed(processes):
                os.kill(process, signal.SIGCONT)


def children(process: int) -> list[int]:
    import psutil  # type: ignore[import-untyped]

    return [child.pid for child in psutil.Process(process).children(recursive=True)]


def is_running(process: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    if not hasattr(signal, "SIGSTOP"):
        pytest.skip("nothing can be frozen here")
    folder = Path(tempfile.mkdtemp(prefix="ragstore-own-"))
    yield OwnServer(folder)
    servers.stop(folder)
    folder.rmdir()
