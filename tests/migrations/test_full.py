"""No room left: the schema is the old one, and once there is room the next call completes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, make_url

from ragstore.errors import LimitExceeded, StorageError
from ragstore.migrations import State, chain, check, status, upgrade
from tests.migrations.conftest import AFTER_HEAD
from tests.migrations.own_servers import own_server, owner_of

SQL = Callable[..., list[Any]]

SORTS = """
    def upgrade(op):
        op.execute("SET LOCAL work_mem = '64kB'")
        op.execute(
            "CREATE TABLE ragstore.rag_sorted AS "
            "SELECT md5(n::text) AS digest FROM generate_series(1, 20000) AS n ORDER BY 1"
        )
"""


def test_a_limit_of_temporary_files(
    postgres_database: str, role: str, run_sql: SQL, longer_chain: Callable[[str], None]
) -> None:
    """M42: `temp_file_limit` is a limit, said as such; the schema before it stays."""
    database = make_url(postgres_database).database
    run_sql(postgres_database, "CREATE EXTENSION vector", f'GRANT CREATE ON DATABASE "{database}" TO {role}')
    url = make_url(postgres_database).set(username=role, password="secret")
    head = upgrade(url).to_revision
    longer_chain(SORTS)
    run_sql(postgres_database, f"ALTER ROLE {role} SET temp_file_limit = '64kB'")
    with pytest.raises(LimitExceeded, match="temporary file size exceeds"):
        upgrade(url)
    assert (status(url).state, status(url).revision) == (State.BEHIND, head)
    assert run_sql(postgres_database, "SELECT to_regclass('ragstore.rag_sorted')") == [(None,)]
    run_sql(postgres_database, f"ALTER ROLE {role} RESET temp_file_limit")
    assert upgrade(url).applied == (AFTER_HEAD,)


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """Have a file system of this size."""
    if os.name != "posix" or os.getuid() != 0:
        pytest.skip("only root can make a small file system")
    folder = Path(tempfile.mkdtemp(prefix="ragstore-small-"))
    with ExitStack() as stack:
        stack.callback(folder.rmdir)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
        stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
        yield folder


def grow(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def test_a_full_tablespace(run_sql: SQL) -> None:
    """M42: the disk is full half-way: `StorageError`, nothing of ours is left, and the server goes on."""
    with small_disk("400k") as folder, own_server() as server:
        shutil.chown(folder, owner_of(server))
        url = server.create_database("full")
        run_sql(url, "CREATE EXTENSION vector", f"CREATE TABLESPACE small LOCATION '{folder}'")
        run_sql(url, 'ALTER DATABASE "full" SET default_tablespace = small')
        with pytest.raises(StorageError, match="disk is full"):
            upgrade(url)
        assert status(url).state is State.EMPTY
        assert run_sql(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ragstore'") == [(0,)]
        grow(folder, "32m")
        assert upgrade(url).applied == chain.CHAIN
        assert check(url) == ()


def test_a_full_disk_under_a_file(run_sql: SQL) -> None:
    """M43: the file holds what it held, and is sound."""
    with small_disk("100k") as folder:
        url = f"sqlite:///{folder}/app.db"
        run_sql(url, "CREATE TABLE host (x)", "INSERT INTO host VALUES (1)")
        with pytest.raises(StorageError, match="full"):
            upgrade(url)
        assert status(url).state is State.EMPTY
        assert run_sql(url, "SELECT x FROM host") == [(1,)]
        assert run_sql(url, "PRAGMA integrity_check") == [("ok",)]
        grow(folder, "8m")
        assert upgrade(url).applied == chain.CHAIN
        assert check(url) == ()


def with_pages(url: str, pages: int) -> Engine:
    """A host's engine whose files may have so many pages; SQLite keeps this for the connection alone."""
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _limit(driver: Any, _entry: object) -> None:
        driver.execute(f"PRAGMA max_page_count = {pages}")

    return engine


def fits(url: str, pages: int) -> bool:
    """Upgrade with so many pages; say whether it was enough."""
    engine = with_pages(url, pages)
    try:
        assert upgrade(engine).applied == chain.CHAIN
    except StorageError as error:
        if "full" not in str(error):
            raise
        assert status(engine).state is State.EMPTY
        return False
    finally:
        engine.dispose()
    return True


def dump(url: str) -> list[str]:
    connection = sqlite3.connect(str(make_url(url).database))
    lines = list(connection.iterdump())
    connection.close()
    return lines


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_full_file(sqlite_url: str, run_sql: SQL, journal: str) -> None:
    """M43: with `max_page_count` at every size: `StorageError` and the content as before, until there is room."""
    run_sql(sqlite_url, f"PRAGMA journal_mode = {journal}", "CREATE TABLE host (x)", "INSERT INTO host VALUES (1)")
    before = dump(sqlite_url)
    pages = 2
    while not fits(sqlite_url, pages):
        assert dump(sqlite_url) == before
        pages += 7
    assert pages > 20
    assert run_sql(sqlite_url, "PRAGMA integrity_check") == [("ok",)]
    assert run_sql(sqlite_url, "SELECT x FROM host") == [(1,)]
    assert check(sqlite_url) == ()
